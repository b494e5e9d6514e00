//! Keeps every trial and tells of it.

use std::collections::HashMap;

use crate::measure::rounds::{Assignment, Calibrated, Observer, Units};
use crate::present::progress::Progress;
use crate::present::units;
use crate::record::schema::{Cell, Manifest, Trial, TrialStatus};
use crate::record::store::{RunFolder, StoreError};

/// Writes trials to the run folder and shows the progress.
#[derive(Debug)]
pub struct Keeper<'run> {
    folder: &'run mut RunFolder,
    progress: Progress,
}

impl<'run> Keeper<'run> {
    pub const fn new(folder: &'run mut RunFolder, progress: Progress) -> Self {
        Self { folder, progress }
    }

    /// The folder.
    pub const fn folder(&self) -> &RunFolder {
        self.folder
    }

    /// Calibration is over, the trials begin.
    pub fn begin(&mut self, manifest: &Manifest, units: &Units) {
        let cells = manifest.plan.cells.iter().filter(|planned| {
            planned.skipped.is_none() && units.of(&planned.cell).is_some_and(Result::is_ok)
        });
        self.progress
            .begin(cells.count() as u64 * u64::from(manifest.plan.settings.rounds));
        let failures = |side: &HashMap<String, Calibrated>, of: &str| {
            for (workload, calibrated) in side {
                if let Err(failure) = calibrated {
                    self.progress
                        .above(&format!("{of}{workload} cannot be measured: {}", failure.reason));
                }
            }
        };
        failures(&units.workloads, "");
        failures(&units.ceilings, "the ceiling of ");
    }

    /// The trials are over.
    pub fn end(&self) {
        self.progress.end();
    }
}

impl Observer for Keeper<'_> {
    type Error = StoreError;

    fn calibrating(&mut self, cell: &Cell) {
        let of = if cell.is_native() { "the ceiling of " } else { "" };
        self.progress
            .remark(&format!("calibrating {of}{}", cell.workload));
    }

    fn starting(&mut self, assignment: &Assignment<'_>) {
        self.progress
            .trial_starts(&assignment.planned.cell, assignment.round);
    }

    fn finished(&mut self, trial: Trial) -> Result<(), StoreError> {
        self.folder.append(&trial)?;
        self.progress
            .trial_ends(&trial.cell, trial.round, &outcome(&trial));
        Ok(())
    }

    fn gave_up(&mut self, cell: &Cell, rounds_left: u32) {
        self.progress.fewer(u64::from(rounds_left));
        self.progress.above(&format!("gave up {cell}: it keeps failing"));
    }
}

fn outcome(trial: &Trial) -> String {
    match (trial.status, &trial.reason) {
        (TrialStatus::Ok, _) => {
            let times: Vec<String> = trial
                .counted_samples()
                .map(|sample| units::duration(sample.makespan_ns() as f64 / 1e9))
                .collect();
            times.join(", ")
        }
        (_, Some(reason)) => reason.clone(),
        (_, None) => "failed".to_owned(),
    }
}
