//! `ftbench history` on the command line.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::values::percent;
use super::{FailOn, SummaryFormat, ThemeName};
use ftbench_schema::history::Metric;

const EXAMPLES: &str = "\
Examples:
  ftbench history results
  ftbench history results --workload 'n*' --last 60 --format markdown
  ftbench history results --report history.html
  ftbench history results --workload nbody --chart nbody.svg --theme dark
  ftbench history results --fail-on regression";

/// `ftbench history`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct HistoryArgs {
    /// Folder with runs below it, at any depth
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Metric to follow: time (per unit of work), speedup, efficiency or memory
    #[arg(long, value_name = "METRIC", default_value = "time", value_parser = metric_parser(), hide_possible_values = true)]
    pub metric: Metric,
    /// Show only workloads with this name, or matching a pattern such as 'n*'
    #[arg(long, value_name = "WORKLOAD")]
    pub workload: Option<String>,
    /// Show only interpreters with this tag, or matching a pattern such as '3.14*'
    #[arg(long, value_name = "TAG")]
    pub interpreter: Option<String>,
    /// Read only the newest N runs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub last: Option<u32>,
    /// Read only runs that began on this day or later, such as 2026-11-01 (UTC)
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub since: Option<String>,
    /// Smallest change that counts
    #[arg(long, value_name = "PERCENT", default_value = "2%", value_parser = percent)]
    pub smallest_effect: f64,
    /// Leave the drift of the machine, which the ceiling measures, in the times
    #[arg(long)]
    pub keep_drift: bool,
    /// Print a table, json, or markdown
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table, hide_possible_values = true)]
    pub format: SummaryFormat,
    /// Draw the series of the workload that --workload names, or the geometric means without it, into this .svg or
    /// .png file
    #[arg(long, value_name = "FILE")]
    pub chart: Option<PathBuf>,
    /// Colours of the chart: light or dark
    #[arg(long, value_enum, default_value_t = ThemeName::Light, hide_possible_values = true)]
    pub theme: ThemeName,
    /// Write a page with the changes, charts and all series to this file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// When to exit with status 1: never, or regression (a confirmed change for the worse in the newest 7 runs)
    #[arg(long, value_enum, default_value_t = FailOn::Never, value_name = "WHEN", hide_possible_values = true)]
    pub fail_on: FailOn,
}

fn metric_parser() -> impl TypedValueParser<Value = Metric> {
    PossibleValuesParser::new(Metric::ALL.map(Metric::name))
        .try_map(|word| Metric::named(&word).ok_or("no such metric"))
}

/// Parses a day. Returns it as times of runs begin with it, such as `2026-11-01`.
fn date(word: &str) -> Result<String, String> {
    word.parse::<jiff::civil::Date>()
        .map(|date| date.to_string())
        .map_err(|_| "give a day such as 2026-11-01".to_owned())
}
