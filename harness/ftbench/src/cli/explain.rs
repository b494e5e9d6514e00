//! `ftbench explain` on the command line.

use clap::Args;

use super::values::{DEFAULT_TIMEOUT_S, seconds, seed};
use super::{LimitOptions, ListFormat, PackageArgs, RunArgs, Variable};
use crate::plan::placement::Policy;
use crate::plan::placement::counts::Counts;
use crate::workload::Requirement;
use ftbench_schema::Model;

/// The length of a sample with one worker, seconds. It has about 100 looks at the worker.
const SAMPLE_S: f64 = 0.1;

const EXAMPLES: &str = "\
Examples:
  ftbench explain dict_write -p 3.14t
  ftbench explain my_work.py::lookup -n 8 --format json";

/// `ftbench explain`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExplainArgs {
    /// Names or patterns of the suite ('fib', 'shared/*'), files, or FILE::CASE
    #[arg(value_name = "WORKLOAD", required = true)]
    pub workloads: Vec<String>,
    /// Interpreters, by tag or path: CPython from 3.13 on [default: the newest pair]
    #[arg(short, long, value_name = "TAG|PATH", value_delimiter = ',')]
    pub python: Vec<String>,
    /// Number of threads to compare with one [default: one per core]
    #[arg(short = 'n', long, value_name = "N", default_value = "max")]
    pub workers: Counts,
    /// Package to install for every workload, such as 'numpy>=2'
    #[arg(long, value_name = "REQUIREMENT")]
    pub with: Vec<Requirement>,
    /// Environment variable of every process
    #[arg(long, value_name = "NAME=VALUE")]
    pub env: Vec<Variable>,
    /// Bind to: cores, scatter, smt, none, or '0,2,4-7'
    #[arg(long, value_name = "POLICY", default_value = "cores")]
    pub pin: Policy,
    /// Time limit for each step, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_S, value_parser = seconds)]
    pub timeout: f64,
    /// Limits of a process.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// Seed of the random orders [default: a new one]
    #[arg(long, value_name = "N", value_parser = seed)]
    pub seed: Option<u64>,
    /// Print text (table), or json
    #[arg(long, value_enum, default_value_t = ListFormat::Table, hide_possible_values = true)]
    pub format: ListFormat,
}

impl ExplainArgs {
    /// The arguments of a run with the cells that are compared.
    #[must_use]
    pub fn as_run(&self) -> RunArgs {
        RunArgs {
            python: self.python.clone(),
            workers: Some(self.workers.clone()),
            packages: PackageArgs {
                with: self.with.clone(),
                ..PackageArgs::default()
            },
            env: self.env.clone(),
            pin: self.pin.clone(),
            sample_time: Some(SAMPLE_S),
            timeout: self.timeout,
            limits: self.limits,
            seed: self.seed,
            ..RunArgs::of_model(Model::Threads, self.workloads.clone())
        }
    }
}
