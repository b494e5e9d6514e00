//! `ftbench explain` on the command line.

use std::num::NonZeroUsize;

use clap::Args;

use super::values::{DEFAULT_TIMEOUT_S, seconds, seed};
use super::{LimitOptions, ListFormat, PackageArgs, RunRequest, Variable, completion};
use crate::plan::placement::Policy;
use crate::plan::placement::counts::Counts;
use ftbench_schema::{Model, Scaling, Settings};

/// The length of a sample with one worker, seconds. It has about 100 looks at the worker.
const SAMPLE_S: f64 = 0.1;

/// Curves of a run that are explained unless `--worst` says otherwise.
const WORST: usize = 3;

const EXAMPLES: &str = "\
Examples:
  ftbench explain dict_write -p 3.14t
  ftbench explain my_work.py::lookup -n 8 --format json
  ftbench explain 20261121T080000Z-bench --worst 1
  ftbench explain 20261121T080000Z-bench#3.14t";

/// `ftbench explain`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExplainArgs {
    /// Names or patterns of the suite ('fib', 'shared/*'), files, or FILE::CASE; or the folder of a run, whose worst
    /// curves are measured again, or RUN#NAME for those of one interpreter or arm
    #[arg(value_name = "WORKLOAD|RUN", required = true, add = completion::workload_or_run())]
    pub workloads: Vec<String>,
    /// How many curves of a run to explain [default: 3]
    #[arg(long, value_name = "N")]
    pub worst: Option<NonZeroUsize>,
    /// Interpreters, by tag or path: CPython from 3.13 on [default: the newest pair]
    #[arg(short, long, value_name = "TAG|PATH", value_delimiter = ',', add = completion::interpreter())]
    pub python: Vec<String>,
    /// Model of the workers; only threads can be explained
    #[arg(short, long, value_name = "MODEL", default_value = "threads", value_parser = only_threads)]
    pub model: Model,
    /// Number of threads to compare with one [default: one per core]
    #[arg(short = 'n', long, value_name = "N")]
    pub workers: Option<Counts>,
    /// Packages.
    #[command(flatten)]
    pub packages: PackageArgs,
    /// Environment variable of every process
    #[arg(long, value_name = "NAME=VALUE")]
    pub env: Vec<Variable>,
    /// Bind to: cores, scatter, smt, none, or '0,2,4-7' [default: cores]
    #[arg(long, value_name = "POLICY")]
    pub pin: Option<Policy>,
    /// Time limit for each step, in seconds [default: 60, or that of the run]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<f64>,
    /// Limits of a process.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// Seed of the random orders [default: a new one, or that of the run]
    #[arg(long, value_name = "N", value_parser = seed)]
    pub seed: Option<u64>,
    /// Install interpreters that are missing, without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Print text (table), or json
    #[arg(long, value_enum, default_value_t = ListFormat::Table, hide_possible_values = true)]
    pub format: ListFormat,
}

fn only_threads(word: &str) -> Result<Model, String> {
    match word.parse() {
        Ok(Model::Threads) => Ok(Model::Threads),
        Ok(_) => {
            Err("only threads can be explained, because only they share objects in one process".to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

impl ExplainArgs {
    /// The request for a run with the cells that are compared.
    #[must_use]
    pub fn as_run(&self) -> RunRequest {
        RunRequest {
            python: self.python.clone(),
            workers: Some(self.workers.clone().unwrap_or_else(Counts::max)),
            packages: self.packages.clone(),
            env: self.env.clone(),
            pin: self.pin.clone().unwrap_or_default(),
            sample_time: Some(SAMPLE_S),
            timeout: self.timeout.unwrap_or(DEFAULT_TIMEOUT_S),
            limits: self.limits,
            seed: self.seed,
            yes: self.yes,
            ..RunRequest::of_model(self.model, self.workloads.clone())
        }
    }

    /// How many curves of a run to explain.
    #[must_use]
    pub fn worst(&self) -> usize {
        self.worst.map_or(WORST, NonZeroUsize::get)
    }

    /// The settings of a run, with which it is measured again.
    #[must_use]
    pub fn settings_of_run(&self, recorded: &Settings) -> Settings {
        Settings {
            target_sample_s: SAMPLE_S,
            // The times of a unit of work are compared, of the same work.
            scaling: Scaling::Strong,
            step_time_limit_s: self.timeout.unwrap_or(recorded.step_time_limit_s),
            ..recorded.clone()
        }
    }

    /// An option that is given and that a run decides itself.
    #[must_use]
    pub fn option_of_workloads(&self) -> Option<&'static str> {
        let given = [
            ("--python", !self.python.is_empty()),
            ("--workers", self.workers.is_some()),
            ("--with", !self.packages.with.is_empty()),
            ("--allow-source-builds", self.packages.allow_source_builds),
            ("--env", !self.env.is_empty()),
            ("--pin", self.pin.is_some()),
            (
                "--memory-limit, --process-limit or --output-limit",
                self.limits != LimitOptions::default(),
            ),
            ("--yes", self.yes),
        ];
        let first = given.into_iter().find(|(_, is_given)| *is_given);
        first.map(|(option, _)| option)
    }
}
