//! `ftbench export`.

use std::io;
use std::path::{Path, PathBuf};

use super::error::OutputError;
use super::fleet::read::folder_of;
use super::{print, remark};
use crate::cli::{ExportArgs, ExportFormat, OutputOptions};
use crate::error::{Error, ExitStatus, Failure};
use crate::outside;
use crate::record::file_name::file_name;
use crate::record::fleet::{is_fleet, read_index};
use crate::record::store::{self, StoreError};
use ftbench_analyse::summary::summarise;
use ftbench_present::export::action_benchmark::Metric;
use ftbench_present::export::{self as formats, Export, ExportError, asv, pyperf};
use ftbench_present::{csv, json, markdown};
use ftbench_schema::{Summary, Trial, text};

/// Why an export cannot be made as requested.
#[derive(Debug, thiserror::Error)]
pub enum ExportRequestError {
    /// Several runs cannot go to one file.
    #[error("a fleet has several runs; give a folder for them with --out")]
    FleetNeedsFolder,
    /// An option that the format does not use.
    #[error("--{option} is for the format {of}; remove it")]
    Option {
        /// The option.
        option: &'static str,
        /// The format that takes it.
        of: &'static str,
    },
    /// Several files for one output.
    #[error(
        "pyperf's files hold one interpreter each, and the run has {}; name one with --interpreter, or give a folder \
         with --out",
        .0.join(", ")
    )]
    SeveralFiles(Vec<String>),
    /// A file where a folder is needed.
    #[error("{} is a file, and {what} needs a folder; give another --out", path.display())]
    NotAFolder {
        /// The file.
        path: PathBuf,
        /// What would be written.
        what: &'static str,
    },
    /// No commit is known.
    #[error("asv keeps results by commit, and {0} recorded none; give it with --commit")]
    NoCommit(String),
    /// A malformed commit.
    #[error("'{0}' is not a commit; give its hash, at least eight letters and digits")]
    Commit(String),
    /// asv's list of benchmarks cannot be read.
    #[error("cannot read {}: {source}; {BENCHMARKS_REMEDY}", path.display())]
    ReadBenchmarks {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// asv's list of benchmarks cannot be extended.
    #[error("cannot add to {}: {source}; {BENCHMARKS_REMEDY}", path.display())]
    Benchmarks {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: asv::BenchmarksError,
    },
}

impl Failure for ExportRequestError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::ReadBenchmarks { source, .. } => ExitStatus::for_read_error(source),
            _ => ExitStatus::WrongInput,
        }
    }
}

impl Failure for ExportError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Json(_) | Self::Xml(_) => ExitStatus::MachineFailed,
            _ => ExitStatus::WrongInput,
        }
    }
}

/// What to do about a list of benchmarks that cannot be extended.
const BENCHMARKS_REMEDY: &str = "restore the file, or move it away and export every run again";

/// Writes a run in another tool's format.
pub fn export(arguments: &ExportArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    check(arguments)?;
    if is_fleet(&arguments.run) {
        return export_fleet(arguments, output);
    }
    let run = store::read(&arguments.run)?;
    let mut summary = summarise(&run.name, &run.manifest, &run.trials);
    let mut trials = run.trials;
    if let Some(interpreter) = &arguments.interpreter {
        let mut narrowed = summary.clone();
        formats::narrow(&mut narrowed, interpreter)?;
        // The contents of a pyperf file depend on the files of the other interpreters.
        if arguments.format != ExportFormat::Pyperf {
            summary = narrowed;
            trials.retain(|trial| trial.cell.is_named(interpreter));
        }
    }
    write(arguments, &summary, &trials, output)?;
    Ok(ExitStatus::Success)
}

/// Writes each run of a fleet into a folder. asv's results have a folder for each machine already.
fn export_fleet(arguments: &ExportArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let Some(folder) = arguments.out.as_deref().filter(|out| *out != Path::new("-")) else {
        return Err(ExportRequestError::FleetNeedsFolder.into());
    };
    std::fs::create_dir_all(folder).map_err(|source| StoreError::Write {
        path: folder.to_owned(),
        source,
    })?;
    let index = read_index(&arguments.run)?;
    for entry in index.counted() {
        let run = folder_of(&arguments.run, entry)?;
        let name = run.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = match arguments.format {
            ExportFormat::Asv => folder.to_owned(),
            // A folder if the run has several interpreters.
            ExportFormat::Pyperf => folder.join(name),
            ExportFormat::Csv => folder.join(format!("{name}.csv")),
            ExportFormat::Markdown => folder.join(format!("{name}.md")),
            ExportFormat::Junit => folder.join(format!("{name}.xml")),
            _ => folder.join(format!("{name}.json")),
        };
        let of_run = ExportArgs {
            run,
            out: Some(file),
            ..arguments.clone()
        };
        export(&of_run, output)?;
    }
    Ok(ExitStatus::Success)
}

fn write(
    arguments: &ExportArgs,
    summary: &Summary,
    trials: &[Trial],
    output: OutputOptions,
) -> Result<(), Error> {
    let one = |text: String| deliver(arguments.out.as_deref(), &text);
    match arguments.format {
        ExportFormat::Csv => {
            let mut rows = Vec::new();
            csv::write_samples(trials, summary.run.scaling, &mut rows)?;
            return one(String::from_utf8_lossy(&rows).into_owned());
        }
        ExportFormat::Json => return one(json::summary(summary).map_err(OutputError::Json)?),
        ExportFormat::Markdown => return one(markdown::render(summary)),
        ExportFormat::Junit => return one(formats::junit::render(summary, trials)?),
        _ => {}
    }
    let export = Export::new(summary, trials);
    report_left_out(&export, output);
    match arguments.format {
        ExportFormat::Hyperfine => one(formats::hyperfine::render(&export)?),
        ExportFormat::Bencher => one(formats::bencher::render(&export)?),
        ExportFormat::GithubActionBenchmark => {
            let metric = arguments.metric.map_or(Metric::Time, Metric::from);
            one(formats::action_benchmark::render(&export, metric)?)
        }
        ExportFormat::Asv => write_asv(arguments, &export, output),
        _ => write_pyperf(arguments, &export, output),
    }
}

/// Refuses options that would have no effect.
fn check(arguments: &ExportArgs) -> Result<(), ExportRequestError> {
    let format = arguments.format;
    let uses = [
        (
            arguments.metric.is_some(),
            "metric",
            ExportFormat::GithubActionBenchmark,
            "github-action-benchmark",
        ),
        (
            arguments.rounds.is_some(),
            "rounds",
            ExportFormat::Pyperf,
            "pyperf",
        ),
        (arguments.commit.is_some(), "commit", ExportFormat::Asv, "asv"),
        (
            arguments.commit_date.is_some(),
            "commit-date",
            ExportFormat::Asv,
            "asv",
        ),
    ];
    for (given, option, used_by, of) in uses {
        if given && format != used_by {
            return Err(ExportRequestError::Option { option, of });
        }
    }
    Ok(())
}

fn report_left_out(export: &Export<'_>, output: OutputOptions) {
    if !export.left_out.is_empty() {
        let names = ftbench_present::rows::cell_names(&export.left_out, 3);
        remark(
            output,
            &format!("left out, because they are not 'ok' in 'ftbench show': {names}"),
        );
    }
}

/// Writes text to a file or to standard output.
fn deliver(out: Option<&Path>, text: &str) -> Result<(), Error> {
    match out {
        None => Ok(print(text)?),
        Some(path) if path == Path::new("-") => Ok(print(text)?),
        Some(path) => Ok(store::write_bytes(path, text.as_bytes())?),
    }
}

fn write_pyperf(arguments: &ExportArgs, export: &Export<'_>, output: OutputOptions) -> Result<(), Error> {
    let choice = pyperf::Choice {
        interpreter: arguments.interpreter.as_deref(),
        rounds: arguments.rounds.and_then(|rounds| usize::try_from(rounds).ok()),
    };
    let pyperf::Files { files, shortened } = pyperf::files(export, choice)?;
    if !shortened.is_empty() {
        remark(
            output,
            &format!(
                "left out of {} the rounds that some interpreters lack, so that all have the same number of values: {}",
                text::counted(shortened.len(), "benchmark"),
                text::shorten(&shortened.join(", "), 160)
            ),
        );
    }
    let folder = arguments
        .out
        .as_deref()
        .filter(|&out| files.len() > 1 || out.is_dir());
    match (files.as_slice(), folder) {
        ([file], None) => deliver(arguments.out.as_deref(), &file.text),
        (_, Some(folder)) if folder != Path::new("-") => {
            needs_folder(folder, "an export of several interpreters")?;
            for file in &files {
                let name = format!("{}.json", file_name(&file.interpreter));
                store::write_bytes(&folder.join(name), file.text.as_bytes())?;
            }
            Ok(())
        }
        _ => {
            let interpreters = files.into_iter().map(|file| file.interpreter).collect();
            Err(ExportRequestError::SeveralFiles(interpreters).into())
        }
    }
}

/// The length of the shortest commit that asv accepts, letters and digits.
const MIN_HASH_LENGTH: usize = 8;

fn write_asv(arguments: &ExportArgs, export: &Export<'_>, output: OutputOptions) -> Result<(), Error> {
    let run = &export.summary.run;
    // The recorded time and state belong to the recorded commit only.
    let recorded = run.commit.as_ref().filter(|_| arguments.commit.is_none());
    let given = arguments.commit.as_deref();
    let hash = given
        .or_else(|| recorded.map(|commit| commit.id.as_str()))
        .ok_or_else(|| ExportRequestError::NoCommit(run.name.clone()))?
        .to_owned();
    let is_hash = hash.len() >= MIN_HASH_LENGTH && hash.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_hash {
        return Err(ExportRequestError::Commit(hash).into());
    }
    if recorded.is_some_and(|commit| commit.dirty == Some(true)) {
        remark(
            output,
            &format!("warning: the files that were measured differ from commit {hash}"),
        );
    }
    let time = |text: &str| text.parse::<jiff::Timestamp>().ok();
    let committed = recorded.and_then(|commit| time(commit.committed_at.as_deref()?));
    let date = arguments
        .commit_date
        .or(committed)
        .or_else(|| time(&run.started_at))
        .unwrap_or_default();
    let commit = asv::Commit {
        hash,
        date_ms: date.as_millisecond(),
    };
    let folder = arguments.out.clone().unwrap_or_default();
    needs_folder(&folder, "asv's results tree")?;
    for file in asv::files(export, &commit, known_benchmarks(&folder)?)? {
        store::write_bytes(&folder.join(&file.path), file.text.as_bytes())?;
    }
    Ok(())
}

/// The largest list of benchmarks that is extended, bytes. It has room for a hundred thousand benchmarks of ftbench.
const LARGEST_BENCHMARKS_BYTES: u64 = 64 << 20;

/// Reads the benchmarks that earlier exports put into a results tree.
fn known_benchmarks(folder: &Path) -> Result<asv::Benchmarks, ExportRequestError> {
    let path = folder.join(asv::BENCHMARKS);
    match outside::read_text(&path, LARGEST_BENCHMARKS_BYTES) {
        Ok(text) => text
            .parse()
            .map_err(|source| ExportRequestError::Benchmarks { path, source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(asv::Benchmarks::default()),
        Err(source) => Err(ExportRequestError::ReadBenchmarks { path, source }),
    }
}

fn needs_folder(path: &Path, what: &'static str) -> Result<(), ExportRequestError> {
    if path == Path::new("-") || path.is_file() {
        return Err(ExportRequestError::NotAFolder {
            path: path.to_owned(),
            what,
        });
    }
    Ok(())
}
