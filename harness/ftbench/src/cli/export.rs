//! `ftbench export` and `ftbench import` on the command line.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::completion;

use ftbench_present::export::action_benchmark::Metric;

const EXPORT_EXAMPLES: &str = "\
Examples:
  ftbench export RUN --format pyperf --out DIR
  ftbench export RUN --format hyperfine > run.json
  ftbench export RUN --format github-action-benchmark --metric speedup --out speedup.json
  ftbench export RUN --format asv --out results";

const IMPORT_EXAMPLES: &str = "\
Examples:
  ftbench import bench.json
  ftbench import 3.13.json.gz 3.13t.json.gz --out both
Then use show, plot, report, compare and export as for any run.";

/// `ftbench export`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub struct ExportArgs {
    /// The folder of a run, or of a fleet, whose runs are written into the folder of --out
    #[arg(value_name = "RUN", add = completion::run())]
    pub run: PathBuf,
    /// Format to write: pyperf, hyperfine, asv, junit, github-action-benchmark, bencher, csv, markdown or json
    #[arg(long, value_enum, hide_possible_values = true)]
    pub format: ExportFormat,
    /// Export only this interpreter or arm, named as in tables [default: all]
    #[arg(short, long, value_name = "NAME")]
    pub interpreter: Option<String>,
    /// Metric for github-action-benchmark: time (per unit of work, for customSmallerIsBetter) or speedup (for
    /// customBiggerIsBetter) [default: time]
    #[arg(long, value_enum, value_name = "METRIC", hide_possible_values = true)]
    pub metric: Option<MetricName>,
    /// Number of rounds for pyperf, which can only compare files with the same number of values [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: Option<u32>,
    /// Commit that was measured, for asv [default: the one that the run recorded]
    #[arg(long, value_name = "ID")]
    pub commit: Option<String>,
    /// Time of the commit, such as 2026-11-21T08:00:00Z, for asv [default: as recorded, else the start of the run]
    #[arg(long, value_name = "TIME")]
    pub commit_date: Option<jiff::Timestamp>,
    /// File to write, or - for standard output; for asv, and for pyperf with several interpreters, a folder. Existing
    /// files are replaced [default: standard output]
    #[arg(short, long, value_name = "FILE|DIR", required_if_eq("format", "asv"))]
    pub out: Option<PathBuf>,
}

/// Format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// pyperf's JSON, a file for each interpreter.
    Pyperf,
    /// hyperfine's JSON.
    Hyperfine,
    /// A results tree for airspeed velocity.
    Asv,
    /// JUnit XML: a test case for each cell.
    Junit,
    /// The input of the action github-action-benchmark.
    GithubActionBenchmark,
    /// Bencher Metric Format.
    Bencher,
    /// One row per sample.
    Csv,
    /// For pasting into Markdown.
    Markdown,
    /// The contents of summary.json.
    Json,
}

/// The metric of each cell for github-action-benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MetricName {
    /// Time per unit of work.
    Time,
    /// The cell's own time with one worker, divided by its time.
    Speedup,
}

impl From<MetricName> for Metric {
    fn from(name: MetricName) -> Self {
        match name {
            MetricName::Time => Self::Time,
            MetricName::Speedup => Self::Speedup,
        }
    }
}

/// `ftbench import`.
#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub struct ImportArgs {
    /// JSON files of pyperf, which may be compressed with gzip; several become the interpreters of one run
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The run's folder, new or empty [default: results/<name of the first file>]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
