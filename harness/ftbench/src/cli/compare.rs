//! `ftbench compare` on the command line.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::completion;
use super::values::percent;

const COMPARE_EXAMPLES: &str = "\
Examples:
  ftbench compare RUN1 RUN2
  ftbench compare RUN#3.13 RUN#3.13t
  ftbench compare RUN#base RUN#new
  ftbench compare nightly/ RUN --history nightly/ --format markdown";

/// `ftbench compare`.
#[derive(Debug, Args)]
#[command(after_help = COMPARE_EXAMPLES)]
pub struct CompareArgs {
    /// What to compare with: a run's folder, a folder of several runs, or RUN#NAME, one interpreter or arm of a run
    #[arg(value_name = "BASE", add = completion::run())]
    pub base: String,
    /// What to compare, named in the same way. Two interpreters or arms of one run are paired in its rounds
    #[arg(value_name = "NEW", add = completion::run())]
    pub new: String,
    /// More runs of the same code, or folders of them, to show how much runs on this machine vary
    #[arg(long, value_name = "DIR")]
    pub history: Vec<PathBuf>,
    /// Smallest difference of interest; anything smaller is reported as 'same' or 'cannot tell'
    #[arg(long, value_name = "PERCENT", default_value = "2%", value_parser = percent)]
    pub smallest_effect: f64,
    /// Leave the drift of the machine, which the ceiling measures, in the ratios
    #[arg(long)]
    pub as_measured: bool,
    /// Compare even if the machines, settings or workloads of the runs differ
    #[arg(long)]
    pub anyway: bool,
    /// When to exit with status 1: regression (a cell is confirmed slower, or fails and did not before), or never
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = FailOn::Regression, hide_possible_values = true)]
    pub fail_on: FailOn,
    /// Print a table, json, markdown (for a pull request), or junit (XML for a CI server)
    #[arg(long, value_enum, default_value_t = CompareFormat::Table, hide_possible_values = true)]
    pub format: CompareFormat,
}

/// What makes the exit status 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A confirmed regression.
    Regression,
    /// Nothing.
    Never,
}

/// Format of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompareFormat {
    /// For the terminal.
    Table,
    /// One object, described in docs/compare.md.
    Json,
    /// For a pull request or a job's page.
    Markdown,
    /// JUnit XML: a test case for each cell.
    Junit,
}
