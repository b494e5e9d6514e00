//! The options with which `ftbench run` resumes a run.

use std::path::PathBuf;

use clap::Args;

use super::completion;
use super::values::SummaryFormat;

/// The options that `ftbench run` accepts for a resumed run.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Resume a run that was stopped, with the options it was started with
    #[arg(long, value_name = "DIR", add = completion::run())]
    pub resume: Option<PathBuf>,
    /// Print a table, json (as in summary.json), or markdown
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table, hide_possible_values = true)]
    pub format: SummaryFormat,
}
