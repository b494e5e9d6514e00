//! `ftbench compare`.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{print, remark, style};
use crate::analyse::compare::{Options, Run, Side, compare as compare_sides};
use crate::analyse::summary::summarise;
use crate::cli::{CompareArgs, CompareFormat, FailOn, OutputOptions};
use crate::error::{Error, ExitStatus};
use crate::present::compare::{junit, markdown, table};
use crate::record::store::{self, MANIFEST, StoreError};

/// Why nothing is compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A folder that is no run and holds none.
    #[error("{} is no run's folder and holds none; give a folder that 'ftbench run' wrote, or one that holds such", .0.display())]
    NoRuns(PathBuf),
    /// A folder cannot be looked into.
    #[error("cannot read {}: {source}; give a folder that 'ftbench run' wrote", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A side as it was named: `RUN`, `DIR`, `RUN#TAG` or `DIR#TAG`.
struct Named {
    /// The runs' folders, without links.
    folders: Vec<PathBuf>,
    interpreter: Option<String>,
}

impl Named {
    fn of(word: &str) -> Result<Self, CompareError> {
        let (folder, interpreter) = match word.rsplit_once('#') {
            Some((folder, tag)) if !Path::new(word).exists() => (folder, Some(tag.to_owned())),
            _ => (word, None),
        };
        Ok(Self {
            folders: run_folders(Path::new(folder))?,
            interpreter,
        })
    }
}

/// The folder itself where it is a run's, else the runs' folders in it, by name.
fn run_folders(folder: &Path) -> Result<Vec<PathBuf>, CompareError> {
    let unreadable = |source| CompareError::Unreadable {
        path: folder.to_owned(),
        source,
    };
    let resolved = folder.canonicalize().map_err(unreadable)?;
    let is_run = |folder: &Path| folder.join(MANIFEST).is_file();
    if is_run(&resolved) {
        return Ok(vec![resolved]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&resolved).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if is_run(&path) {
            found.push(path.canonicalize().map_err(unreadable)?);
        }
    }
    if found.is_empty() {
        return Err(CompareError::NoRuns(folder.to_owned()));
    }
    found.sort();
    Ok(found)
}

/// Compares two sides and shows what comes out.
pub fn compare(arguments: &CompareArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let [base, new] = [Named::of(&arguments.base)?, Named::of(&arguments.new)?];
    let mut folders: Vec<&PathBuf> = base.folders.iter().chain(&new.folders).collect();
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
    let side = |named: &Named| Side {
        runs: folders
            .iter()
            .zip(&runs)
            .filter(|(folder, _)| named.folders.contains(folder))
            .map(|(_, run)| run)
            .collect(),
        interpreter: named.interpreter.clone(),
    };
    let options = Options {
        smallest_effect: arguments.smallest_effect,
        anyway: arguments.anyway,
        take_drift_out: !arguments.as_measured,
    };
    let comparison = compare_sides(&side(&base), &side(&new), &history, &options)?;
    let text = match arguments.format {
        CompareFormat::Table => table::render(&comparison, style(output)),
        CompareFormat::Json => format!("{}\n", serde_json::to_string_pretty(&comparison)?),
        CompareFormat::Markdown => markdown::render(&comparison),
        CompareFormat::Junit => junit::render(&comparison)?,
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
        folders.extend(run_folders(folder)?);
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
