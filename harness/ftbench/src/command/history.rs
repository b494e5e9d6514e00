//! `ftbench history`.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::error::OutputError;
use super::plot::{PlotError, format_of};
use super::{print, remark, style};
use crate::cli::{FailOn, HistoryArgs, OutputOptions, PictureFormat, SummaryFormat};
use crate::error::{Error, ExitStatus, Failure};
use crate::record::fleet::find_counted;
use crate::record::history::{self as record, Keys, ReadError};
use crate::record::store;
use ftbench_analyse::history::{self as analysis, History, Options};
use ftbench_analyse::summary::summarise;
use ftbench_present::chart::{self, Chart};
use ftbench_present::history::page::HistoryPageError;
use ftbench_present::history::{charts, json, markdown, page, table};
use ftbench_schema::history::{HistoryRun, SeriesKey, SkippedFolder};
use ftbench_schema::{pattern, suggest};

/// Pixels of a PNG per pixel of the chart, as for `ftbench plot`.
const PNG_SCALE: f32 = 2.0;

/// How many runs without a summary are analysed at once; more would take minutes.
const MAX_SUMMARISED: usize = 20;
/// The largest record of trials that is analysed for the history, bytes.
const LARGEST_SUMMARISED_BYTES: u64 = 64 << 20;

/// Why there is no history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The folder cannot be listed.
    #[error("cannot look for runs in {}: {source}{hint}; give a folder with runs below it", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Folders with similar names, if it does not exist.
        hint: String,
        /// The system's error.
        source: io::Error,
    },
    /// There is no run that can be used.
    #[error("no run to show below {}{why}; 'ftbench run' writes runs to results/", path.display())]
    NoRuns {
        /// The folder.
        path: PathBuf,
        /// Why the runs in it cannot be used; empty if there are none.
        why: String,
    },
    /// A malformed pattern.
    #[error(
        "'{name}' is not a pattern of names: {reason}; give a name such as fib, or a pattern such as 'n*'"
    )]
    Pattern {
        /// The pattern or name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No workload or interpreter has the name.
    #[error("no {what} of these runs is named or matches '{name}'{hint}")]
    Unknown {
        /// Workload or interpreter.
        what: &'static str,
        /// The pattern or name.
        name: String,
        /// A suggestion, or empty.
        hint: String,
    },
    /// Several charts for one file.
    #[error("{count} workloads match, but a chart shows only one; name one with --workload, such as {first}")]
    OneChart {
        /// How many.
        count: usize,
        /// The first of them.
        first: String,
    },
    /// There is no series of means.
    #[error("no geometric means to draw; name a workload with --workload")]
    NoMeans,
    /// The page could not be made.
    #[error("cannot make the page: {0}")]
    Page(#[from] HistoryPageError),
}

impl Failure for HistoryError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Folder { source, .. } => ExitStatus::for_read_error(source),
            Self::Page(_) => ExitStatus::MachineFailed,
            _ => ExitStatus::WrongInput,
        }
    }
}

/// Shows how figures changed from run to run, and at which run.
pub fn history(arguments: &HistoryArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let (runs, skipped) = read(arguments)?;
    let runs = choose(runs, arguments)?;
    if runs.is_empty() {
        let why = match (skipped.first(), arguments.since.is_some()) {
            (_, true) => " since that day".to_owned(),
            (Some(first), _) => format!(
                " ({} skipped, the first: {} {})",
                skipped.len(),
                first.folder,
                first.reason
            ),
            _ => String::new(),
        };
        return Err(HistoryError::NoRuns {
            path: arguments.folder.clone(),
            why,
        }
        .into());
    }
    let options = Options {
        metric: arguments.metric,
        divide_drift: !arguments.keep_drift,
        smallest_effect: arguments.smallest_effect,
    };
    let mut history = analysis::analyse(runs, options);
    history.passed_over = skipped;
    let chart = arguments
        .chart
        .as_deref()
        .map(|path| draw(&history, path, arguments))
        .transpose()?;
    if let Some((path, bytes)) = chart {
        store::write_bytes(&path, &bytes)?;
        remark(output, &format!("wrote the chart to {}", path.display()));
    }
    if let Some(path) = &arguments.report {
        let html = page::html(&history).map_err(HistoryError::from)?;
        store::write_bytes(path, html.as_bytes())?;
        remark(
            output,
            &format!("wrote the page to {}; open it in a browser", path.display()),
        );
    }
    match arguments.format {
        SummaryFormat::Table => print(&table::render(&history, output.verbose, style(output)))?,
        SummaryFormat::Json => print(&json::render(&history).map_err(OutputError::Json)?)?,
        SummaryFormat::Markdown => print(&markdown::render(&history))?,
    }
    let fails = arguments.fail_on == FailOn::Regression && history.regressions().next().is_some();
    Ok(if fails {
        ExitStatus::BadAnswer
    } else {
        ExitStatus::Success
    })
}

/// Reads all runs below the folder, in parallel.
fn read(arguments: &HistoryArgs) -> Result<(Vec<HistoryRun>, Vec<SkippedFolder>), Error> {
    let root = arguments.folder.as_path();
    let found = find_counted(root).map_err(|source| HistoryError::Folder {
        hint: store::similar_folders(root),
        path: root.to_owned(),
        source,
    })?;
    let keys = Keys::default();
    let read: Vec<(PathBuf, Result<HistoryRun, ReadError>)> = found
        .folders
        .into_par_iter()
        .map(|folder| {
            let name = record::relative_name(root, &folder);
            let run = record::read(&folder, &name, arguments.metric, &keys);
            (folder, run)
        })
        .collect();
    let mut runs = Vec::with_capacity(read.len());
    let mut skipped = found.skipped;
    let mut summarised = 0;
    for (folder, run) in read {
        let name = record::relative_name(root, &folder);
        let run = match run {
            Err(ReadError::NoSummary) if summarised < MAX_SUMMARISED => {
                summarised += 1;
                summarise_now(&folder, &name, arguments, &keys)
            }
            other => other.map_err(|error| error.to_string()),
        };
        match run {
            Ok(run) => runs.push(run),
            Err(reason) => skipped.push(SkippedFolder { folder: name, reason }),
        }
    }
    Ok((runs, skipped))
}

/// Analyses a run without a summary, as `ftbench show` does.
fn summarise_now(
    folder: &Path,
    name: &str,
    arguments: &HistoryArgs,
    keys: &Keys,
) -> Result<HistoryRun, String> {
    let trials = store::open_trials(folder).map_err(|error| error.to_string())?;
    if trials.size_bytes() > LARGEST_SUMMARISED_BYTES {
        return Err(ReadError::NoSummary.to_string());
    }
    let run = store::read_header(folder).and_then(|header| store::read_run(header, &trials));
    let run = run.map_err(|error| error.to_string())?;
    let summary = summarise(&run.name, &run.manifest, &run.trials);
    let bytes = serde_json::to_vec(&summary).map_err(|error| error.to_string())?;
    record::parse(&bytes, name, arguments.metric, keys).map_err(|error| error.to_string())
}

/// Selects the requested runs and cells. Keeps the cells of the ceiling, because they show the machine's drift.
fn choose(mut runs: Vec<HistoryRun>, arguments: &HistoryArgs) -> Result<Vec<HistoryRun>, HistoryError> {
    if let Some(since) = &arguments.since {
        runs.retain(|run| run.started_at.as_str() >= since.as_str());
    }
    if let Some(last) = arguments.last {
        runs.sort_by(|a, b| a.started_at.cmp(&b.started_at));
        let max = usize::try_from(last).unwrap_or(usize::MAX);
        runs.drain(..runs.len().saturating_sub(max));
    }
    let workloads = names(&runs, "workload", arguments.workload.as_deref(), |key| {
        &key.workload
    })?;
    let interpreters = names(&runs, "interpreter", arguments.interpreter.as_deref(), |key| {
        &key.interpreter
    })?;
    let is_chosen = |names: &Option<BTreeSet<String>>, name: &str| {
        names.as_ref().is_none_or(|names| names.contains(name))
    };
    for run in &mut runs {
        run.readings.retain(|reading| {
            let key = &reading.key;
            key.is_native()
                || (is_chosen(&workloads, &key.workload) && is_chosen(&interpreters, &key.interpreter))
        });
    }
    Ok(runs)
}

/// The names in these runs that match a word; `None` for all names if there is no word. `part` returns the part of a
/// cell's key that has the name, and `what` is its kind in words.
fn names(
    runs: &[HistoryRun],
    what: &'static str,
    word: Option<&str>,
    part: impl Fn(&SeriesKey) -> &str,
) -> Result<Option<BTreeSet<String>>, HistoryError> {
    let Some(word) = word else {
        return Ok(None);
    };
    let keys = runs
        .iter()
        .flat_map(|run| &run.readings)
        .map(|reading| &*reading.key);
    let known: BTreeSet<&str> = keys.filter(|key| !key.is_native()).map(part).collect();
    let matching = pattern::matching(word, known.iter().copied()).map_err(|error| HistoryError::Pattern {
        name: word.to_owned(),
        reason: error.to_string(),
    })?;
    if matching.is_empty() && !runs.is_empty() {
        return Err(HistoryError::Unknown {
            what,
            name: word.to_owned(),
            hint: suggest::did_you_mean(&suggest::nearest(word, known)),
        });
    }
    Ok(Some(matching.into_iter().map(str::to_owned).collect()))
}

/// Draws the requested chart. Returns the path and the contents of its file.
fn draw(history: &History, path: &Path, arguments: &HistoryArgs) -> Result<(PathBuf, Vec<u8>), Error> {
    let format = format_of(path)?;
    let workloads = charts::workloads(history);
    let mut chart: Chart = match (&arguments.workload, workloads.as_slice()) {
        (None, _) => charts::means(history).ok_or(HistoryError::NoMeans)?,
        (Some(_), [one]) => charts::workload(history, one),
        (Some(_), several) => {
            return Err(HistoryError::OneChart {
                count: several.len(),
                first: several.first().cloned().unwrap_or_default(),
            }
            .into());
        }
    };
    chart.theme = arguments.theme.into();
    let failed = |source| PlotError::Chart {
        workload: arguments
            .workload
            .clone()
            .unwrap_or_else(|| "the history".to_owned()),
        source,
    };
    let svg = chart::svg(&chart).map_err(failed)?;
    let bytes = match format {
        PictureFormat::Svg => chart::svg_file(&svg),
        PictureFormat::Png => chart::png(&svg, PNG_SCALE),
    };
    Ok((path.to_owned(), bytes.map_err(failed)?))
}
