//! `ftbench selfcheck` on the command line.

use clap::{Args, Subcommand};

use super::values::{percent, seconds, seed};
use super::{ListFormat, RunRequest};
use crate::plan::placement::Policy;
use ftbench_schema::Model;

/// `ftbench selfcheck`.
#[derive(Debug, Subcommand)]
pub enum SelfcheckCommand {
    /// Compare two identical arms, and count how often they are called different
    Aa(SelfcheckArgs),
    /// Make one arm slower, and count how often that is found
    Power {
        /// What to compare, and for how long.
        #[command(flatten)]
        arguments: SelfcheckArgs,
        /// Extra work of the slower arm, such as 5%
        #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = percent)]
        effect: f64,
    },
}

/// What experiments compare, and for how long.
#[derive(Debug, Args)]
pub struct SelfcheckArgs {
    /// Number of experiments
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub experiments: u32,
    /// Wall time of each experiment, in seconds; at least ten rounds are always run
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0, value_parser = seconds)]
    pub seconds: f64,
    /// Interpreter, by tag or path [default: the GIL build that 'ftbench run' would use]
    #[arg(short, long, value_name = "TAG|PATH")]
    pub python: Option<String>,
    /// Workload to run
    #[arg(long, value_name = "WORKLOAD", default_value = "fib")]
    pub workload: String,
    /// Number of counted samples in a trial, instead of the standard profile's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub samples: Option<u32>,
    /// Where to bind the worker
    #[arg(long, value_name = "POLICY", default_value = "cores")]
    pub pin: Policy,
    /// Seed of the random orders [default: a new one]
    #[arg(long, value_name = "N", value_parser = seed)]
    pub seed: Option<u64>,
    /// Print a table, or json
    #[arg(long, value_enum, default_value_t = ListFormat::Table, hide_possible_values = true)]
    pub format: ListFormat,
}

impl SelfcheckArgs {
    /// The request for a run whose serial cell the experiments measure.
    #[must_use]
    pub fn as_run(&self) -> RunRequest {
        RunRequest {
            python: self.python.iter().cloned().collect(),
            pin: self.pin.clone(),
            samples: self.samples,
            seed: self.seed,
            ..RunRequest::of_model(Model::Serial, vec![self.workload.clone()])
        }
    }
}
