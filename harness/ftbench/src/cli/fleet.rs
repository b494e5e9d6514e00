//! `ftbench fleet` on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{RunRequest, completion};
use crate::error::Failure;
use ftbench_schema::{BuildMatch, FleetShape};

const PLAN_EXAMPLES: &str = "\
Options of this command come first; everything after them is for 'ftbench run' on every machine.

Examples:
  ftbench fleet plan --shards 4 --out plans -p 3.13,3.13t
  ftbench fleet plan --shape same --shards 3 --out plans fib nbody -n 1,2,max
  ssh node1 ftbench run --plan plans/shard-0.json --out results/node1";

const SUBMIT_EXAMPLES: &str = "\
Options of this command come first; everything after them is for 'ftbench run' on every node.

Examples:
  ftbench fleet submit --constraint epyc --shards 4 --out /shared/fleet -p 3.13,3.13t
  ftbench fleet submit --shape same --nodes 'node[1-3]' --sbatch=--time=4:00:00 --out /shared/fleet fib nbody
  ftbench fleet status /shared/fleet
  ftbench fleet collect --out /shared/fleet";

const COLLECT_EXAMPLES: &str = "\
Examples:
  ftbench fleet collect results/node* --out fleet
  ftbench report fleet";

/// `ftbench fleet`.
#[derive(Debug, Subcommand)]
pub enum FleetCommand {
    /// Write the plan files of a fleet, one for each shard
    Plan(FleetPlanArgs),
    /// Submit a fleet to Slurm
    Submit(FleetSubmitArgs),
    /// Show the jobs and runs of a fleet that was submitted
    Status(FleetFolderArgs),
    /// Cancel the jobs of a fleet that have not ended
    Cancel(FleetFolderArgs),
    /// Merge the runs of a fleet into one folder
    Collect(FleetCollectArgs),
}

/// What is planned, and how it becomes shards.
#[derive(Debug, Clone, Args)]
pub struct ShardArgs {
    /// spread: equal machines share the workloads; same: every machine measures all of them
    #[arg(long, value_enum, default_value_t = ShapeName::Spread, hide_possible_values = true)]
    pub shape: ShapeName,
    /// What builds must have in common with those here: their hash, or only their version, for machines with
    /// other architectures
    #[arg(long, value_enum, default_value_t = BuildsName::Hash, hide_possible_values = true)]
    pub builds: BuildsName,
    /// Put archives of the interpreters beside the plans, for machines without a file system that has them
    #[arg(long)]
    pub archive: bool,
    /// Workloads and options of 'ftbench run'
    #[arg(
        value_name = "RUN OPTIONS",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub run: Vec<String>,
}

/// `ftbench fleet plan`.
#[derive(Debug, Args)]
#[command(after_help = PLAN_EXAMPLES)]
pub struct FleetPlanArgs {
    /// Number of shards, each for one machine
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub shards: u32,
    /// Folder for the plan files, new or empty
    #[arg(short, long, value_name = "DIR")]
    pub out: PathBuf,
    /// What is planned, and how it is divided.
    #[command(flatten)]
    pub division: ShardArgs,
}

/// `ftbench fleet submit`.
#[derive(Debug, Args)]
#[command(after_help = SUBMIT_EXAMPLES)]
pub struct FleetSubmitArgs {
    /// Nodes, one shard each, as Slurm writes them: 'node[1-4],node9'
    #[arg(long, value_name = "LIST", required_unless_present = "constraint")]
    pub nodes: Option<String>,
    /// Features of nodes as for sbatch, one kind of machine each; may be repeated with '--shape same'
    #[arg(long, value_name = "FEATURE", conflicts_with = "nodes")]
    pub constraint: Vec<String>,
    /// Number of shards for each --constraint [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000), conflicts_with = "nodes")]
    pub shards: Option<u32>,
    /// The fleet's folder, new or empty, on a file system that all nodes share
    #[arg(short, long, value_name = "DIR")]
    pub out: PathBuf,
    /// What is planned, and how it is divided.
    #[command(flatten)]
    pub division: ShardArgs,
    /// Option of sbatch, such as '--partition=long' or '--time=2:00:00'; may be repeated
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub sbatch: Vec<String>,
    /// Print the script of the jobs and the calls of sbatch, and submit nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `ftbench fleet status` and `ftbench fleet cancel`.
#[derive(Debug, Args)]
pub struct FleetFolderArgs {
    /// The folder that 'ftbench fleet submit' wrote
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// `ftbench fleet collect`.
#[derive(Debug, Args)]
#[command(after_help = COLLECT_EXAMPLES)]
pub struct FleetCollectArgs {
    /// Folders of runs of the fleet, finished or not, or folders with runs below them [default:
    /// those of the jobs, if 'fleet submit' started them]
    #[arg(value_name = "RUN", add = completion::run())]
    pub runs: Vec<PathBuf>,
    /// The fleet's folder, new or from an earlier collect
    #[arg(short, long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Values of `--shape`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShapeName {
    /// Workloads are spread over the shards
    Spread,
    /// Shards have the same plan
    Same,
}

impl From<ShapeName> for FleetShape {
    fn from(name: ShapeName) -> Self {
        match name {
            ShapeName::Spread => Self::Spread,
            ShapeName::Same => Self::Same,
        }
    }
}

/// Values of `--builds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BuildsName {
    /// The same file
    Hash,
    /// The same version
    Version,
}

impl From<BuildsName> for BuildMatch {
    fn from(name: BuildsName) -> Self {
        match name {
            BuildsName::Hash => Self::Hash,
            BuildsName::Version => Self::Version,
        }
    }
}

/// Words that are not options of `ftbench run`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the options of 'ftbench run' in the plan are wrong: {0}; options of 'ftbench fleet' come before them"
)]
pub struct RequestError(String);

impl Failure for RequestError {}

impl RequestError {
    /// The error for an option with a wrong value.
    pub fn of(reason: impl ToString) -> Self {
        Self(reason.to_string())
    }
}

/// The options of `ftbench run` on their own.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct RequestParser {
    #[command(flatten)]
    request: RunRequest,
}

impl RunRequest {
    /// Parses the options of `ftbench run` that define what it measures.
    ///
    /// # Errors
    /// When a word is not such an option.
    pub fn of_words(words: &[String]) -> Result<Self, RequestError> {
        let parsed = RequestParser::try_parse_from(words);
        parsed.map(|parsed| parsed.request).map_err(|error| {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            RequestError::of(first.trim_start_matches("error: "))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::cli::{Cli, Command};

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_of_run_follow_those_of_the_plan() {
        for run in ["fib -n 1,max -p 3.13t", "-n 1,max -p 3.13t fib"] {
            let line = format!("ftbench fleet plan --shards 2 --shape same -o plans {run}");
            let Command::Fleet(FleetCommand::Plan(plan)) = Cli::try_parse_from(words(&line)).unwrap().command
            else {
                panic!("not a plan")
            };
            assert_eq!((plan.shards, plan.division.shape), (2, ShapeName::Same));
            let request = RunRequest::of_words(&plan.division.run).unwrap();
            assert_eq!(
                (request.workloads, request.python),
                (words("fib"), words("3.13t"))
            );
            assert_eq!(request.workers.unwrap().to_string(), "1,max");
        }
    }

    #[test]
    fn words_that_do_not_define_a_run_are_refused() {
        for text in [
            "fib --shards 2",
            "fib --out x",
            "fib --resume x",
            "fib --plan x",
            "fib -n 0",
        ] {
            let error = RunRequest::of_words(&words(text)).unwrap_err().to_string();
            assert!(
                !error.contains('\n') && error.contains("'ftbench run'"),
                "{text}: {error}"
            );
        }
    }
}
