//! `ftbench compat` on the command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::code::CodeArgs;
use super::values::{ProfileName, SummaryFormat, seconds};
use super::{PackageArgs, RunRequest, completion};
use crate::plan::placement::counts::Counts;
use crate::workload::Requirement;
use ftbench_schema::{CompatVerdict, Model};

/// How long an attempt may take, seconds.
const TIMEOUT_S: f64 = 60.0;

/// Threads that import and call at once.
const THREADS: u32 = 4;

const EXAMPLES: &str = "\
Examples:
  ftbench compat fastapi 'uvicorn[standard]' -p 3.14t
  ftbench compat -r requirements.txt -p 3.14t,3.15t --format markdown
  ftbench compat -r uv.lock --stress --out compat/
  ftbench compat numpy --against compat/compat.json --fail-on crashes,fails";

/// `ftbench compat`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompatArgs {
    /// Packages, optionally with versions ('numpy>=2'), wheels, or folders of projects
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<Requirement>,
    /// File that lists packages: requirements.txt, pyproject.toml, uv.lock or pylock.toml
    #[arg(short, long, value_name = "FILE")]
    pub requirements: Vec<PathBuf>,
    /// Builds, by tag or path [default: the free-threaded build of the newest pair]
    #[arg(short, long, value_name = "TAG|PATH", value_delimiter = ',', add = completion::interpreter())]
    pub python: Vec<String>,
    /// Import every module, not only those at the top
    #[arg(long)]
    pub deep: bool,
    /// Call functions of well-known packages in threads, each for this long [default time: 2 s]
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, value_parser = seconds)]
    pub stress: Option<Option<f64>>,
    /// Call to make in threads, with constant results: 'mypackage.parse("a")'
    #[arg(long, value_name = "CALL")]
    pub call: Vec<String>,
    /// Measure how these calls scale from one thread to one per core, and what one thread costs; implies --stress
    #[arg(long)]
    pub measure: bool,
    /// Number of threads that import and call at once
    #[arg(short = 'n', long, value_name = "N", default_value_t = THREADS, value_parser = clap::value_parser!(u32).range(2..=1024))]
    pub threads: u32,
    /// Build packages that have no wheel from source
    #[arg(long)]
    pub allow_source_builds: bool,
    /// Time limit for each attempt
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT_S, value_parser = seconds)]
    pub timeout: f64,
    /// Number of attempts at the same time [default: one per core, less if memory is short]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Try again what was tried before
    #[arg(long)]
    pub refresh: bool,
    /// Verdicts that exit with status 1: crashes, fails, no_wheel, gil_reenabled, not_tried, or never
    #[arg(
        long,
        value_name = "VERDICT",
        value_delimiter = ',',
        value_parser = fail_on(),
        hide_possible_values = true,
        default_values = ["crashes", "fails", "no_wheel", "gil_reenabled"]
    )]
    pub fail_on: Vec<FailOnVerdict>,
    /// Earlier result in JSON; what changed since then is printed below the tables
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Folder for compat.json, compat.md, compat.html, badge.svg and a bug report for each blocker
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print tables, json, or markdown
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table, hide_possible_values = true)]
    pub format: SummaryFormat,
}

impl CompatArgs {
    /// The arguments of a run that measures calls of installed packages on interpreters.
    #[must_use]
    pub fn as_run(&self, measured: Measured) -> RunRequest {
        RunRequest {
            python: measured.python,
            code: CodeArgs {
                call: measured.calls,
                setup: measured.imports,
                ..CodeArgs::default()
            },
            packages: PackageArgs {
                with: measured.packages,
                allow_source_builds: self.allow_source_builds,
            },
            // One worker of `serial` is what a free-threaded build costs.
            model: vec![Model::Serial, Model::Threads],
            workers: Some(Counts::one_and_max()),
            profile: ProfileName::Quick,
            no_ceiling: false,
            timeout: self.timeout,
            ..RunRequest::of_model(Model::Threads, Vec::new())
        }
    }
}

/// What is measured on interpreters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// The interpreters, by path.
    pub python: Vec<String>,
    /// The packages, with their versions.
    pub packages: Vec<Requirement>,
    /// Statements that import them.
    pub imports: Vec<String>,
    /// The calls.
    pub calls: Vec<String>,
}

/// A verdict that makes the exit status 1; `None` for none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailOnVerdict(pub Option<CompatVerdict>);

/// The word for no verdict.
const NEVER: &str = "never";

fn fail_on() -> impl TypedValueParser<Value = FailOnVerdict> {
    let verdicts = || CompatVerdict::ALL.into_iter().skip(1).rev();
    let names = verdicts().map(CompatVerdict::name).chain([NEVER]);
    PossibleValuesParser::new(names)
        .map(move |word| FailOnVerdict(verdicts().find(|verdict| verdict.name() == word)))
}
