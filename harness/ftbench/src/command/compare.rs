//! `ftbench compare`.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::selector::Selector;
use super::{json, print, remark, style};
use crate::cli::{CompareArgs, CompareFormat, FailOn, OutputOptions};
use crate::error::{Error, ExitStatus, Failure};
use crate::record::history::{below, find, unfinished};
use crate::record::store::{self, MANIFEST, StoreError};
use ftbench_analyse::compare::{Incomparable, Options, Run, Side, compare as compare_sides};
use ftbench_analyse::summary::summarise;
use ftbench_present::compare::{junit, markdown, table};
use ftbench_schema::history::PassedOver;

/// Of runs that are left out so many are told of.
const TOLD: usize = 4;

/// Why nothing is compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A folder that is no run and holds none.
    #[error("{} is no run's folder and holds none{why}; give a folder that 'ftbench run' wrote, or one that holds such", path.display())]
    NoRuns {
        /// The folder.
        path: PathBuf,
        /// Why not, where there are some.
        why: String,
    },
    /// A folder cannot be looked into.
    #[error("cannot read {}: {source}; give a folder that 'ftbench run' wrote", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The XML writer refused.
    #[error("cannot write JUnit XML: {0}")]
    Junit(#[from] quick_junit::SerializeError),
}

impl Failure for CompareError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::NoRuns { .. } => ExitStatus::WrongInput,
            Self::Unreadable { source, .. } => ExitStatus::of_reading(source),
            Self::Junit(_) => ExitStatus::MachineFailed,
        }
    }
}

impl Failure for Incomparable {}

/// The runs that a folder stands for.
struct Folders {
    /// Their folders, without links, by path.
    runs: Vec<PathBuf>,
    /// What lies below it too, and is not used.
    passed_over: Vec<PassedOver>,
}

impl Folders {
    /// The folder itself where it is a run's, else every run below it that was measured to its end, as for
    /// `ftbench history`.
    fn of(folder: &Path) -> Result<Self, CompareError> {
        let unreadable = |source| CompareError::Unreadable {
            path: folder.to_owned(),
            source,
        };
        let root = folder.canonicalize().map_err(unreadable)?;
        if root.join(MANIFEST).is_file() {
            return Ok(Self {
                runs: vec![root],
                passed_over: Vec::new(),
            });
        }
        let found = find(&root).map_err(unreadable)?;
        let looked_at: Vec<(PathBuf, Option<String>)> = found
            .folders
            .into_par_iter()
            .map(|run| {
                let why_not = why_not(&run);
                (run, why_not)
            })
            .collect();
        let mut folders = Self {
            runs: Vec::new(),
            passed_over: found.passed_over,
        };
        for (run, why_not) in looked_at {
            match why_not {
                None => folders.runs.push(run),
                Some(reason) => folders.passed_over.push(PassedOver {
                    folder: below(&root, &run),
                    reason,
                }),
            }
        }
        if folders.runs.is_empty() {
            let why = folders.passed_over.first().map(|first| {
                let count = folders.passed_over.len();
                format!(
                    " that can be used: {count} passed over, the first, {}, {}",
                    first.folder, first.reason
                )
            });
            return Err(CompareError::NoRuns {
                path: folder.to_owned(),
                why: why.unwrap_or_default(),
            });
        }
        Ok(folders)
    }

    /// Warns of what is not used; `of` is what the folder is for.
    fn tell(&self, of: &str, output: OutputOptions) {
        for PassedOver { folder, reason } in self.passed_over.iter().take(TOLD) {
            remark(output, &format!("warning: left out of {of}: {folder} {reason}"));
        }
        let more = self.passed_over.len().saturating_sub(TOLD);
        if more > 0 {
            remark(output, &format!("warning: left out of {of}: {more} more"));
        }
    }
}

/// Why a run that was found below a folder is not used; `None` when it is.
fn why_not(folder: &Path) -> Option<String> {
    match store::read_header(folder) {
        Ok(header) => unfinished(header.manifest.status).map(str::to_owned),
        Err(error) => Some(error.to_string()),
    }
}

/// Compares two sides and shows what comes out.
pub fn compare(arguments: &CompareArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let [base, new] = [&arguments.base, &arguments.new].map(|word| Selector::of(word));
    let [of_base, of_new] = [Folders::of(base.folder)?, Folders::of(new.folder)?];
    of_base.tell("BASE", output);
    of_new.tell("NEW", output);
    let mut folders: Vec<&PathBuf> = of_base.runs.iter().chain(&of_new.runs).collect();
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
    let side = |selector: Selector<'_>, own: &Folders| Side {
        runs: folders
            .iter()
            .zip(&runs)
            .filter(|(folder, _)| own.runs.contains(folder))
            .map(|(_, run)| run)
            .collect(),
        interpreter: selector.name.map(str::to_owned),
    };
    let options = Options {
        smallest_effect: arguments.smallest_effect,
        anyway: arguments.anyway,
        take_drift_out: !arguments.as_measured,
    };
    let comparison = compare_sides(&side(base, &of_base), &side(new, &of_new), &history, &options)?;
    let text = match arguments.format {
        CompareFormat::Table => table::render(&comparison, style(output)),
        CompareFormat::Json => json(&comparison)?,
        CompareFormat::Markdown => markdown::render(&comparison),
        CompareFormat::Junit => junit::render(&comparison).map_err(CompareError::from)?,
    };
    print(&text)?;
    Ok(match arguments.fail_on {
        FailOn::Regression if comparison.has_regression() => ExitStatus::BadAnswer,
        FailOn::Regression | FailOn::Never => ExitStatus::Success,
    })
}

/// The runs of the history that are on no side. Their analyses are taken as they were stored; one that cannot be read is
/// told of and left out, for it only helps to tell how far runs lie apart.
fn history(given: &[PathBuf], sides: &[&PathBuf], output: OutputOptions) -> Result<Vec<Run>, Error> {
    let mut folders = Vec::new();
    for folder in given {
        let found = Folders::of(folder)?;
        found.tell("the history", output);
        folders.extend(found.runs);
    }
    folders.sort();
    folders.dedup();
    folders.retain(|folder| !sides.contains(&folder));
    let read: Vec<Result<Run, StoreError>> = folders.par_iter().map(|folder| analysed(folder)).collect();
    let mut runs = Vec::new();
    for run in read {
        match run {
            Ok(run) => runs.push(run),
            Err(error) => remark(output, &format!("warning: left out of the history: {error}")),
        }
    }
    Ok(runs)
}

fn analysed(folder: &Path) -> Result<Run, StoreError> {
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
