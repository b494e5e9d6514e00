//! `ftbench compare`.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::fleet;
use super::selector::Selector;
use super::{json, print, remark, style};
use crate::cli::{CompareArgs, CompareFormat, FailOn, OutputOptions};
use crate::error::{Error, ExitStatus, Failure};
use crate::record::fleet::{find_counted, is_fleet};
use crate::record::history::{relative_name, unfinished};
use crate::record::store::{self, MANIFEST, StoreError, similar_folders};
use ftbench_analyse::compare::{Comparison, Incomparable, Options, Run, Side, compare as compare_sides};
use ftbench_analyse::summary::summarise;
use ftbench_present::compare::{fleet as of_fleets, junit, markdown, table};
use ftbench_schema::history::SkippedFolder;

/// How many of the skipped runs are named.
const MAX_NAMED: usize = 4;

/// Why runs are not compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A folder that is not a run and contains none.
    #[error(
        "{} is not a run and contains none{why}; give a folder that 'ftbench run' wrote, or a folder of such folders",
        path.display()
    )]
    NoRuns {
        /// The folder.
        path: PathBuf,
        /// Why the runs in it cannot be used; empty if there are none.
        why: String,
    },
    /// Two fleets without a machine that both have.
    #[error("the fleets have no machine in common: {0}")]
    NoMachine(String),
    /// A folder cannot be read.
    #[error("cannot read {}: {source}{hint}; give a folder that 'ftbench run' wrote", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// Folders with similar names, if it does not exist.
        hint: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The XML writer failed.
    #[error("cannot write JUnit XML: {0}")]
    Junit(#[from] quick_junit::SerializeError),
}

impl Failure for CompareError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::NoRuns { .. } | Self::NoMachine(_) => ExitStatus::WrongInput,
            Self::Unreadable { source, .. } => ExitStatus::for_read_error(source),
            Self::Junit(_) => ExitStatus::MachineFailed,
        }
    }
}

impl Failure for Incomparable {}

/// The runs that a folder on the command line stands for.
pub(super) struct SelectedRuns {
    /// The runs' folders, without links, sorted by path.
    folders: Vec<PathBuf>,
    /// The runs below the folder that are not used.
    skipped: Vec<SkippedFolder>,
}

impl SelectedRuns {
    /// Selects the folder itself if it is a run, else every completed run below it, as `ftbench history` does.
    pub(super) fn in_folder(folder: &Path) -> Result<Self, CompareError> {
        let unreadable = |source| CompareError::Unreadable {
            path: folder.to_owned(),
            hint: similar_folders(folder),
            source,
        };
        let root = folder.canonicalize().map_err(unreadable)?;
        if root.join(MANIFEST).is_file() {
            return Ok(Self {
                folders: vec![root],
                skipped: Vec::new(),
            });
        }
        let found = find_counted(&root).map_err(unreadable)?;
        let checked: Vec<(PathBuf, Option<String>)> = found
            .folders
            .into_par_iter()
            .map(|run| {
                let reason = reason_to_skip(&run);
                (run, reason)
            })
            .collect();
        let mut selected = Self {
            folders: Vec::new(),
            skipped: found.skipped,
        };
        for (run, reason) in checked {
            match reason {
                None => selected.folders.push(run),
                Some(reason) => selected.skipped.push(SkippedFolder {
                    folder: relative_name(&root, &run),
                    reason,
                }),
            }
        }
        if selected.folders.is_empty() {
            let why = selected.skipped.first().map(|first| {
                let count = selected.skipped.len();
                format!(
                    " that can be used ({count} skipped, the first: {} {})",
                    first.folder, first.reason
                )
            });
            return Err(CompareError::NoRuns {
                path: folder.to_owned(),
                why: why.unwrap_or_default(),
            });
        }
        Ok(selected)
    }

    /// Warns about skipped runs. `role` is what the folder is used as, such as `BASE`.
    fn warn_of_skipped(&self, role: &str, output: OutputOptions) {
        for SkippedFolder { folder, reason } in self.skipped.iter().take(MAX_NAMED) {
            remark(output, &format!("warning: left out of {role}: {folder} {reason}"));
        }
        let more = self.skipped.len().saturating_sub(MAX_NAMED);
        if more > 0 {
            remark(output, &format!("warning: left out of {role}: {more} more"));
        }
    }
}

/// Why a run that was found below a folder is not used; `None` if it is used.
fn reason_to_skip(folder: &Path) -> Option<String> {
    match store::read_header(folder) {
        Ok(header) => unfinished(header.manifest.status).map(str::to_owned),
        Err(error) => Some(error.to_string()),
    }
}

/// Compares two sides and prints the comparison.
pub fn compare(arguments: &CompareArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let sides = [&arguments.base, &arguments.new].map(|word| Selector::of(word));
    let [base, new] = sides;
    let (text, has_regression) = if is_fleet(base.folder) && is_fleet(new.folder) {
        let fleets = fleet::compare::compare(sides, arguments, output)?;
        let text = match arguments.format {
            CompareFormat::Table => of_fleets::table(&fleets, style(output)),
            CompareFormat::Json => json(&fleets)?,
            CompareFormat::Markdown => of_fleets::markdown(&fleets),
            CompareFormat::Junit => of_fleets::junit(&fleets).map_err(CompareError::from)?,
        };
        (text, fleets.has_regression())
    } else {
        let runs = [
            SelectedRuns::in_folder(base.folder)?,
            SelectedRuns::in_folder(new.folder)?,
        ];
        let comparison = compare_runs(&runs, sides.map(|side| side.name), arguments, output)?;
        let text = match arguments.format {
            CompareFormat::Table => table::render(&comparison, style(output)),
            CompareFormat::Json => json(&comparison)?,
            CompareFormat::Markdown => markdown::render(&comparison),
            CompareFormat::Junit => junit::render(&comparison).map_err(CompareError::from)?,
        };
        (text, comparison.has_regression())
    };
    print(&text)?;
    Ok(match arguments.fail_on {
        FailOn::Regression if has_regression => ExitStatus::BadAnswer,
        FailOn::Regression | FailOn::Never => ExitStatus::Success,
    })
}

/// Compares two sides, BASE and NEW, of which only the interpreter or arm of this name is compared, if there is a name.
pub(super) fn compare_runs(
    [base_runs, new_runs]: &[SelectedRuns; 2],
    names: [Option<&str>; 2],
    arguments: &CompareArgs,
    output: OutputOptions,
) -> Result<Comparison, Error> {
    base_runs.warn_of_skipped("BASE", output);
    new_runs.warn_of_skipped("NEW", output);
    let mut folders: Vec<&PathBuf> = base_runs.folders.iter().chain(&new_runs.folders).collect();
    folders.sort();
    folders.dedup();
    let runs: Vec<Run> = folders
        .par_iter()
        .map(|folder| {
            let run = store::read(folder)?;
            Ok(Run::of_trials(&run.name, run.manifest, &run.trials))
        })
        .collect::<Result<_, StoreError>>()?;
    let history = history(&arguments.history, &folders, output)?;
    let side = |name: Option<&str>, selected: &SelectedRuns| Side {
        runs: folders
            .iter()
            .zip(&runs)
            .filter(|(folder, _)| selected.folders.contains(folder))
            .map(|(_, run)| run)
            .collect(),
        interpreter: name.map(str::to_owned),
    };
    let options = Options {
        smallest_effect: arguments.smallest_effect,
        anyway: arguments.anyway,
        take_drift_out: !arguments.as_measured,
    };
    let [base, new] = names;
    Ok(compare_sides(
        &side(base, base_runs),
        &side(new, new_runs),
        &history,
        &options,
    )?)
}

/// Reads the runs of the history that are on neither side, with their stored analyses. Warns about runs that cannot be
/// read and leaves them out, because the history only helps to estimate how much runs vary.
fn history(given: &[PathBuf], sides: &[&PathBuf], output: OutputOptions) -> Result<Vec<Run>, Error> {
    let mut folders = Vec::new();
    for folder in given {
        let found = SelectedRuns::in_folder(folder)?;
        found.warn_of_skipped("the history", output);
        folders.extend(found.folders);
    }
    folders.sort();
    folders.dedup();
    folders.retain(|folder| !sides.contains(&folder));
    let read: Vec<Result<Run, StoreError>> = folders.par_iter().map(|folder| read_analysed(folder)).collect();
    let mut runs = Vec::new();
    for run in read {
        match run {
            Ok(run) => runs.push(run),
            Err(error) => remark(output, &format!("warning: left out of the history: {error}")),
        }
    }
    Ok(runs)
}

/// Reads a run with its stored analysis, or analyses it again if there is none.
fn read_analysed(folder: &Path) -> Result<Run, StoreError> {
    let header = store::read_header(folder)?;
    let summary = match store::stored_summary(folder) {
        Some(summary) => summary,
        None => {
            let run = store::read(folder)?;
            summarise(&run.name, &run.manifest, &run.trials)
        }
    };
    Ok(Run::of_summary(header.manifest, summary))
}
