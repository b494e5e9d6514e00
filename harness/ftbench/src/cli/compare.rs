//! The words of `ftbench compare`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

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
    /// What to compare with: a run's folder, a folder of several, or RUN#NAME, one interpreter or arm of it
    #[arg(value_name = "BASE")]
    pub base: String,
    /// What to compare: likewise. Two interpreters or arms of one run are paired in its rounds
    #[arg(value_name = "NEW")]
    pub new: String,
    /// Further runs of the same thing, or folders of them, which tell how far runs lie apart on this machine
    #[arg(long, value_name = "DIR")]
    pub history: Vec<PathBuf>,
    /// Smallest difference of interest: smaller ones are called the same, or cannot be told
    #[arg(long, value_name = "PERCENT", default_value = "2%", value_parser = percent)]
    pub smallest_effect: f64,
    /// Leave in the ratios what the machine itself did, which is taken out where the ceiling's kernels tell it
    #[arg(long)]
    pub as_measured: bool,
    /// Compare runs of unlike machines, settings or workloads all the same
    #[arg(long)]
    pub anyway: bool,
    /// When to end with status 1: regression (a cell is slower beyond doubt, or fails and did not), or never
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
    /// JUnit's XML: a test case for each cell.
    Junit,
}
