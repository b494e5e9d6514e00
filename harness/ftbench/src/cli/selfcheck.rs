//! `ftbench selfcheck`.

use clap::{Args, Subcommand};

use super::values::{DEFAULT_TIMEOUT_S, percent, seconds, seed};
use super::{
    LimitOptions, ListFormat, OrderName, ProfileName, ResumeArgs, RunArgs, ScalingName, SummaryFormat,
    VersionArgs,
};
use crate::plan::placement::Policy;
use ftbench_schema::{Host, Model};

/// `ftbench selfcheck`.
#[derive(Debug, Subcommand)]
pub enum SelfcheckCommand {
    /// Compare two identical arms: how many are called different?
    Aa(SelfcheckArgs),
    /// Make one arm slower: how often is it found?
    Power {
        /// What is compared, and how long.
        #[command(flatten)]
        arguments: SelfcheckArgs,
        /// How much more work the slower arm does, such as 5%
        #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = percent)]
        effect: f64,
    },
}

/// What experiments compare, and how long.
#[derive(Debug, Args)]
pub struct SelfcheckArgs {
    /// How many experiments
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub experiments: u32,
    /// Seconds of wall time of each; ten rounds are made whatever they take
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0, value_parser = seconds)]
    pub seconds: f64,
    /// The interpreter: a tag or a path [default: the GIL build that 'ftbench run' would take]
    #[arg(short, long, value_name = "TAG|PATH")]
    pub python: Option<String>,
    /// The workload
    #[arg(long, value_name = "WORKLOAD", default_value = "fib")]
    pub workload: String,
    /// Counted samples of a trial, instead of the standard profile's number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub samples: Option<u32>,
    /// Where the worker is bound
    #[arg(long, value_name = "POLICY", default_value = "cores")]
    pub pin: Policy,
    /// Seed of the orders [default: a new one]
    #[arg(long, value_name = "N", value_parser = seed)]
    pub seed: Option<u64>,
    /// Print a table, or json
    #[arg(long, value_enum, default_value_t = ListFormat::Table, hide_possible_values = true)]
    pub format: ListFormat,
}

impl SelfcheckArgs {
    /// The run whose serial cell is measured.
    #[must_use]
    pub fn as_run(&self) -> RunArgs {
        RunArgs {
            workloads: vec![self.workload.clone()],
            callable: Vec::new(),
            with: Vec::new(),
            allow_source_builds: false,
            python: self.python.iter().cloned().collect(),
            model: vec![Model::Serial],
            workers: None,
            pin: self.pin.clone(),
            host: vec![Host::Spawn],
            versions: VersionArgs::default(),
            profile: ProfileName::Standard,
            no_ceiling: true,
            rounds: None,
            samples: self.samples,
            sample_time: None,
            warmup: None,
            order: OrderName::Sweeps,
            precision: None,
            budget: None,
            scaling: ScalingName::Strong,
            timeout: DEFAULT_TIMEOUT_S,
            limits: LimitOptions::default(),
            seed: self.seed,
            out: None,
            dry_run: false,
            resumption: ResumeArgs {
                resume: None,
                format: SummaryFormat::Table,
            },
        }
    }
}
