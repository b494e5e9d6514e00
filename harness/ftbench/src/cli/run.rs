//! `ftbench run` on the command line.

use std::path::PathBuf;

use clap::Args;

use super::code::{CodeArgs, ForeignArgs, PackageArgs, Variable};
use super::values::{
    DEFAULT_TIMEOUT_S, duration_s, host_parser, model_parser, percent, sample_s, seconds, seed,
};
use super::{LimitOptions, OrderName, ProfileName, ResumeArgs, ScalingName, VersionArgs, completion};
use crate::plan::placement::Policy;
use crate::plan::placement::counts::Counts;
use crate::workload::CallableName;
use ftbench_schema::{Host, Model};

const RUN_EXAMPLE: &str = "Example: ftbench run my_work.py -p 3.13,3.13t";

/// `ftbench run`.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLE)]
pub struct RunArgs {
    /// What to measure, and how.
    #[command(flatten)]
    pub request: RunRequest,
    /// Measure a shard of 'ftbench fleet plan'
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// The run's folder, new or empty [default: results/<UTC time>-<host>]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Show what would be measured, without measuring it
    #[arg(long)]
    pub dry_run: bool,
    /// Which run to resume, and how to print results.
    #[command(flatten)]
    pub resumption: ResumeArgs,
}

/// What a run measures, and how.
#[derive(Debug, Clone, Args)]
pub struct RunRequest {
    /// Names ('fib', 'n*', 'cpu/*'), files or folders [default: the whole suite]
    #[arg(value_name = "WORKLOAD", add = completion::workload())]
    pub workloads: Vec<String>,
    /// Benchmarks in files for other tools.
    #[command(flatten)]
    pub foreign: ForeignArgs,
    /// Code that is not in a workload file.
    #[command(flatten)]
    pub code: CodeArgs,
    /// Packages that are installed.
    #[command(flatten)]
    pub packages: PackageArgs,
    /// Environment variable of every trial
    #[arg(long, value_name = "NAME=VALUE")]
    pub env: Vec<Variable>,
    /// Function that makes event loops: 'uvloop:new_event_loop'
    #[arg(long, value_name = "NAME")]
    pub loop_factory: Option<CallableName>,
    /// Tags or paths: '3.14t+gil', 'new=PATH' [default: the newest pair]
    #[arg(short, long, value_name = "TAG|PATH", value_delimiter = ',', add = completion::interpreter())]
    pub python: Vec<String>,
    /// How workers run: serial, threads, processes, interpreters, asyncio, asyncio-threads, internal [default: each
    /// workload's own choice]
    #[arg(short, long, value_name = "MODEL", value_delimiter = ',', value_parser = model_parser(), hide_possible_values = true)]
    pub model: Vec<Model>,
    /// Numbers of workers besides 1: '2,4', 'max' [default: powers of two]
    #[arg(short = 'n', long, value_name = "COUNTS")]
    pub workers: Option<Counts>,
    /// Bind to: cores, scatter, smt, none, or '0,2,4-7'
    #[arg(long, value_name = "POLICY", default_value = "cores")]
    pub pin: Policy,
    /// Host: spawn (own executable) or embed (Rust program)
    #[arg(
        long,
        value_name = "HOST",
        value_delimiter = ',',
        value_parser = host_parser(),
        default_value = "spawn",
        hide_possible_values = true
    )]
    pub host: Vec<Host>,
    /// Versions of the user's code, and labels of the run.
    #[command(flatten)]
    pub versions: VersionArgs,
    /// Leave out the ceiling, the machine's own limit
    #[arg(long)]
    pub no_ceiling: bool,
    /// Effort: quick, standard (to 2 %), thorough (0.5 %)
    #[arg(long, value_enum, default_value_t = ProfileName::Standard, hide_possible_values = true)]
    pub profile: ProfileName,
    /// Number of rounds, instead of the profile's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rounds: Option<u32>,
    /// Number of counted samples in a trial, instead of the profile's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub samples: Option<u32>,
    /// Length of a sample with one worker [default: by the number of workers]
    #[arg(long, value_name = "TIME", value_parser = sample_s)]
    pub sample_time: Option<f64>,
    /// Minimum warm-up of a trial [default: 100ms]
    #[arg(long, value_name = "TIME", value_parser = sample_s)]
    pub warmup: Option<f64>,
    /// Alternate compared trials (sweeps) or not (trials)
    #[arg(long, value_enum, default_value_t = OrderName::Sweeps, hide_possible_values = true)]
    pub order: OrderName,
    /// Continue until every interval shown is within this, such as 1%
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "rounds")]
    pub precision: Option<f64>,
    /// Time limit of the run, such as 90s or 1h30m, after the minimum rounds
    #[arg(long, value_name = "TIME", value_parser = duration_s, conflicts_with = "rounds")]
    pub budget: Option<f64>,
    /// Let workers share work (strong) or repeat it (weak)
    #[arg(long, value_enum, default_value_t = ScalingName::Strong, hide_possible_values = true)]
    pub scaling: ScalingName,
    /// Time limit for each step of a trial, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_S, value_parser = seconds)]
    pub timeout: f64,
    /// Limits of a trial.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// Seed of every random choice, to repeat an order [default: a new one]
    #[arg(long, value_name = "N", value_parser = seed)]
    pub seed: Option<u64>,
    /// Install interpreters that are missing, without asking
    #[arg(short, long)]
    pub yes: bool,
}

impl RunRequest {
    /// The request for a run of one model, with the defaults for all else, for commands that measure some of its cells.
    #[must_use]
    pub fn of_model(model: Model, workloads: Vec<String>) -> Self {
        Self {
            workloads,
            foreign: ForeignArgs::default(),
            code: CodeArgs::default(),
            env: Vec::new(),
            loop_factory: None,
            packages: PackageArgs::default(),
            python: Vec::new(),
            model: vec![model],
            workers: None,
            pin: Policy::Cores,
            host: vec![Host::Spawn],
            versions: VersionArgs::default(),
            profile: ProfileName::Standard,
            no_ceiling: true,
            rounds: None,
            samples: None,
            sample_time: None,
            warmup: None,
            order: OrderName::Sweeps,
            precision: None,
            budget: None,
            scaling: ScalingName::Strong,
            timeout: DEFAULT_TIMEOUT_S,
            limits: LimitOptions::default(),
            seed: None,
            yes: false,
        }
    }
}
