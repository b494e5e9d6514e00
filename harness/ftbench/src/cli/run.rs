//! `ftbench run`.

use std::path::PathBuf;

use clap::Args;

use super::values::{
    DEFAULT_TIMEOUT_S, duration_s, host_parser, model_parser, percent, sample_s, seconds, seed,
};
use super::{LimitOptions, OrderName, ProfileName, ResumeArgs, ScalingName, VersionArgs};
use crate::plan::placement::Policy;
use crate::plan::placement::counts::Counts;
use crate::workload::{CallableName, Requirement};
use ftbench_schema::{Host, Model};

const RUN_EXAMPLES: &str = "\
Examples:
  ftbench run --profile quick
  ftbench run my_work.py -p 3.13,3.13t
  ftbench run --callable my_package.module:function --with 'numpy>=2'
  ftbench run my_work.py --arm base=../old/src --arm new=src
  ftbench run 'n*' --pin scatter --dry-run
  ftbench run --resume results/RUN";

/// `ftbench run`.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub struct RunArgs {
    /// Names or patterns of the suite ('fib', 'n*', 'cpu/*'), or files; none for the whole suite
    #[arg(value_name = "WORKLOAD")]
    pub workloads: Vec<String>,
    /// A function to call once per unit: 'package.module:function'
    #[arg(long, value_name = "FUNCTION")]
    pub callable: Vec<CallableName>,
    /// A package to install for every workload, such as 'numpy>=2'
    #[arg(long, value_name = "REQUIREMENT")]
    pub with: Vec<Requirement>,
    /// Build packages that have no wheel from source
    #[arg(long)]
    pub allow_source_builds: bool,
    /// Interpreters by tag ('3.13', '3.13t+gil') or path, perhaps named ('new=PATH') [default: the newest pair]
    #[arg(short, long, value_name = "TAG|PATH", value_delimiter = ',')]
    pub python: Vec<String>,
    /// How workers run [default: each workload's own choice]
    #[arg(short, long, value_name = "MODEL", value_delimiter = ',', value_parser = model_parser())]
    pub model: Vec<Model>,
    /// Numbers of workers: '1,2,4', '1-4', 'max'; 1 is always measured, for speedup is relative to it [default: powers
    /// of two up to max]
    #[arg(short = 'n', long, value_name = "COUNTS")]
    pub workers: Option<Counts>,
    /// Where workers are bound: cores, scatter, smt, none, or a list of PUs such as '0,2,4-7'
    #[arg(long, value_name = "POLICY", default_value = "cores")]
    pub pin: Policy,
    /// spawn (own executables) or embed (in a Rust program)
    #[arg(
        long,
        value_name = "HOST",
        value_delimiter = ',',
        value_parser = host_parser(),
        default_value = "spawn",
        hide_possible_values = true
    )]
    pub host: Vec<Host>,
    /// What is compared, and what the run is known by.
    #[command(flatten)]
    pub versions: VersionArgs,
    /// Leave out the ceiling: native kernels that tell what the machine gives
    #[arg(long)]
    pub no_ceiling: bool,
    /// quick (5 rounds), standard (10 to 50, until within 2 %, 10 minutes at most) or thorough (20 to 200, 0.5 %, 1 hour)
    #[arg(long, value_enum, default_value_t = ProfileName::Standard, hide_possible_values = true)]
    pub profile: ProfileName,
    /// How many rounds, instead of the profile's number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rounds: Option<u32>,
    /// Counted samples of a trial, instead of the profile's number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub samples: Option<u32>,
    /// How long a sample of one worker lasts, instead of the profile's time
    #[arg(long, value_name = "TIME", value_parser = sample_s)]
    pub sample_time: Option<f64>,
    /// Warm-up of a trial, at least [default: 100ms]
    #[arg(long, value_name = "TIME", value_parser = sample_s)]
    pub warmup: Option<f64>,
    /// Compared trials take turns (sweeps) or not (trials)
    #[arg(long, value_enum, default_value_t = OrderName::Sweeps, hide_possible_values = true)]
    pub order: OrderName,
    /// Go on until every interval shown is within so much, such as 1%
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "rounds")]
    pub precision: Option<f64>,
    /// Time for the whole run, such as 90s or 1h30m, after the fewest rounds
    #[arg(long, value_name = "TIME", value_parser = duration_s, conflicts_with = "rounds")]
    pub budget: Option<f64>,
    /// Workers share the work (strong) or repeat it (weak)
    #[arg(long, value_enum, default_value_t = ScalingName::Strong, hide_possible_values = true)]
    pub scaling: ScalingName,
    /// Seconds that any step of a trial may take
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_S, value_parser = seconds)]
    pub timeout: f64,
    /// What a trial may use.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// Seed of every random choice, to repeat an order [default: a new one]
    #[arg(long, value_name = "N", value_parser = seed)]
    pub seed: Option<u64>,
    /// The run's folder, new or empty [default: results/<UTC time>-<host>]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Show what would be measured, and measure nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Going on with a run, and how results are shown.
    #[command(flatten)]
    pub resumption: ResumeArgs,
}
