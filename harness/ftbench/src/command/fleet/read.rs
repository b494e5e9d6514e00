//! Reads the runs of a fleet's folder.

use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use crate::cli::OutputOptions;
use crate::command::remark;
use crate::error::Error;
use crate::record::fleet::read_index;
use crate::record::store::{self, Header, StoreError};
use ftbench_analyse::fleet::Member;
use ftbench_analyse::summary::summarise;
use ftbench_schema::{FleetEntry, FleetIndex, Manifest, RunStatus, Summary, Trial, text};

/// A run of a fleet with its trials.
pub struct FullRun {
    /// Its entry in the index, and its results.
    pub member: Member,
    /// Its trials; empty unless they were requested.
    pub trials: Vec<Trial>,
}

/// Reads the runs that count, with their trials if these are needed. A run that cannot be read is left out, with the
/// reason in the index.
pub fn read(
    folder: &Path,
    with_trials: bool,
    output: OutputOptions,
) -> Result<(FleetIndex, Vec<FullRun>), Error> {
    let mut index = read_index(folder)?;
    let entries: Vec<FleetEntry> = index.counted().cloned().collect();
    let read: Vec<Result<FullRun, StoreError>> = entries
        .par_iter()
        .map(|entry| read_run(folder, entry, with_trials))
        .collect();
    let mut runs = Vec::new();
    for (entry, run) in entries.iter().zip(read) {
        match run {
            Ok(run) => runs.push(run),
            Err(error) => {
                remark(
                    output,
                    &format!("warning: {} is left out: {error}", text::line(&entry.folder)),
                );
                let mut known = index.runs.iter_mut();
                if let Some(known) = known.find(|known| known.folder == entry.folder) {
                    known.left_out = Some(error.to_string());
                }
            }
        }
    }
    for damage in runs
        .iter()
        .flat_map(|run| store::damage(&run.member.summary.warnings))
    {
        remark(output, &format!("warning: {damage}"));
    }
    Ok((index, runs))
}

/// The folder of a run of a fleet. The index may come from an untrusted source.
///
/// # Errors
/// When it is not below the fleet's folder.
pub fn folder_of(fleet: &Path, entry: &FleetEntry) -> Result<PathBuf, StoreError> {
    let relative = Path::new(&entry.folder);
    let is_below = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if is_below {
        Ok(fleet.join(relative))
    } else {
        Err(StoreError::NotRegular(relative.to_owned()))
    }
}

fn read_run(fleet: &Path, entry: &FleetEntry, with_trials: bool) -> Result<FullRun, StoreError> {
    let folder = folder_of(fleet, entry)?;
    let full = |summary, trials| FullRun {
        member: Member {
            entry: entry.clone(),
            summary,
        },
        trials,
    };
    let header = store::read_header(&folder)?;
    if !with_trials && let Some(summary) = stored_summary(&folder, &header) {
        return Ok(full(summary, Vec::new()));
    }
    let run = store::read_run(header, &store::open_trials(&folder)?)?;
    Ok(full(summarise(&run.name, &run.manifest, &run.trials), run.trials))
}

/// The stored analysis of a complete run. One of an unfinished run may be older than its record.
fn stored_summary(folder: &Path, header: &Header) -> Option<Summary> {
    let Header { name, manifest } = header;
    let is_complete = manifest.status == RunStatus::Complete;
    let mut summary = is_complete.then(|| store::stored_summary(folder)).flatten()?;
    summary.run.name.clone_from(name);
    belongs_to(&summary, manifest).then_some(summary)
}

fn belongs_to(summary: &Summary, manifest: &Manifest) -> bool {
    let run = &summary.run;
    let planned = manifest.plan.cells.iter().map(|planned| &planned.cell);
    run.started_at == manifest.started_at
        && run.ended_at == manifest.ended_at
        && run.seed == manifest.seed
        && summary.cells.iter().map(|cell| &cell.cell).eq(planned)
}
