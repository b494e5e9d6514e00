//! The order of events of a run: calibrate every workload, then visit every live cell once a round.

use std::collections::HashMap;

use super::cell_health::CellHealth;
use super::failure::TrialFailure;
use super::finished_trials::FinishedTrials;
use crate::plan::order::{Turns, hash_seeds, round_order};
use ftbench_schema::{
    CalibrationFailure, Cell, Manifest, Model, Order, PlannedCell, StoppedBy, Trial, TrialStatus,
};

/// Attempts to calibrate a workload on one interpreter, because a crash may be chance.
const CALIBRATION_ATTEMPTS: u32 = 2;

/// One trial to run.
#[derive(Debug, Clone, Copy)]
pub struct Assignment<'a> {
    /// Its number in the run.
    pub trial: u64,
    /// The round.
    pub round: u32,
    /// The cell and its placement.
    pub planned: &'a PlannedCell,
    /// Units of work in one sample.
    pub units: u64,
    /// `PYTHONHASHSEED`.
    pub hash_seed: u32,
}

/// Runs trials: all that the loops here need from the outside.
pub trait TrialRunner {
    /// Finds how many units make a sample of the target length in the given cell.
    ///
    /// # Errors
    /// When the cell cannot be timed, with the reason and the end of its output.
    fn calibrate(&mut self, planned: &PlannedCell, worker_counts: &[u32]) -> Result<u64, FailureWithOutput>;

    /// Runs the trials of a group, which take turns, and returns their records in the order of the assignments. A
    /// failed trial has a record too. `None` when a stop was requested meanwhile.
    fn run(&mut self, group: &[Assignment<'_>], turns: Turns) -> Option<Vec<Trial>>;

    /// Whether ftbench was asked to stop.
    fn is_interrupted(&self) -> bool;
}

/// A failure and the end of what the process printed.
#[derive(Debug, Clone, PartialEq)]
pub struct FailureWithOutput {
    /// What went wrong.
    pub failure: TrialFailure,
    /// The end of the traceback or of the output.
    pub output_tail: Option<String>,
}

/// Stores trials and follows the progress of a run.
pub trait Observer {
    /// The error that ends a run when a trial cannot be stored.
    type Error;

    /// Called before the workload of a cell, or its ceiling, is calibrated.
    fn calibrating(&mut self, cell: &Cell);

    /// Called before the trials of a group run.
    fn starting(&mut self, group: &[Assignment<'_>]);

    /// Stores a finished trial, and returns the status with which it counts.
    ///
    /// # Errors
    /// When it cannot be stored, which ends the run.
    fn finished(&mut self, trial: Trial) -> Result<TrialStatus, Self::Error>;

    /// Called when a cell has failed too often and is left out of further rounds.
    fn gave_up(&mut self, cell: &Cell);

    /// Called after every round with the number of rounds so far. Returns what ends the run here, if anything does.
    fn round_over(&mut self, rounds: u32) -> Option<StoppedBy>;
}

/// The result of a calibration: units of one sample, or why there are none.
pub type Calibrated = Result<u64, CalibrationFailure>;

/// The calibrated units of each workload and of its ceiling, whose units are of another kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Units {
    /// Units of each workload.
    pub workloads: HashMap<String, Calibrated>,
    /// Units of each workload's ceiling, by workload.
    pub ceilings: HashMap<String, Calibrated>,
}

impl Units {
    /// The units that earlier sessions of a run found. Failed calibrations are left out, to be retried, because they
    /// may have failed by chance.
    #[must_use]
    pub fn recorded(manifest: &Manifest) -> Self {
        let mut found = Self::default();
        for workload in &manifest.workloads {
            let name = || workload.name.clone();
            found
                .workloads
                .extend(workload.units.map(|units| (name(), Ok(units))));
            let ceiling_units = workload.ceiling.as_ref().and_then(|ceiling| ceiling.units);
            found
                .ceilings
                .extend(ceiling_units.map(|units| (name(), Ok(units))));
        }
        found
    }

    /// The calibration that applies to a cell; `None` when there was none.
    #[must_use]
    pub fn of(&self, cell: &Cell) -> Option<&Calibrated> {
        let side = if cell.is_native() {
            &self.ceilings
        } else {
            &self.workloads
        };
        side.get(&cell.workload)
    }

    fn insert(&mut self, cell: &Cell, calibrated: Calibrated) {
        let side = if cell.is_native() {
            &mut self.ceilings
        } else {
            &mut self.workloads
        };
        side.insert(cell.workload.clone(), calibrated);
    }

    /// Whether the cell is the ceiling of a workload that could not be calibrated. Workloads come before their
    /// ceilings.
    fn is_ceiling_without_workload(&self, cell: &Cell) -> bool {
        cell.is_native() && !matches!(self.workloads.get(&cell.workload), Some(Ok(_)))
    }
}

/// Finds the units, unless they are known, of every workload that has a cell to measure, and of its ceiling. `None`
/// when ftbench was asked to stop.
pub fn calibrate<O: Observer>(
    cells: &[PlannedCell],
    baseline: &str,
    known: Units,
    runner: &mut dyn TrialRunner,
    observer: &mut O,
) -> Option<Units> {
    let mut units = known;
    let (ceilings, workloads): (Vec<_>, Vec<_>) = live(cells).partition(|planned| planned.cell.is_native());
    for PlannedCell { cell, .. } in workloads.into_iter().chain(ceilings) {
        if units.of(cell).is_some() || units.is_ceiling_without_workload(cell) {
            continue;
        }
        observer.calibrating(cell);
        let outcome = calibrate_workload_of(cell, cells, baseline, runner);
        if runner.is_interrupted() {
            return None;
        }
        units.insert(cell, outcome);
    }
    Some(units)
}

/// Calibrates the workload of a cell, or its ceiling, on the baseline with one worker. If that fails, it is retried
/// there and then on the next interpreter, so that one crash costs nothing and a workload that needs a newer
/// interpreter is still measured where it can be. A timeout is not retried on the same interpreter.
fn calibrate_workload_of(
    target: &Cell,
    cells: &[PlannedCell],
    baseline: &str,
    runner: &mut dyn TrialRunner,
) -> Calibrated {
    let same = |cell: &Cell| cell.workload == target.workload && cell.is_native() == target.is_native();
    let own = || live(cells).filter(|planned| same(&planned.cell));
    let mut worker_counts: Vec<u32> = own().map(|planned| planned.cell.workers).collect();
    worker_counts.sort_unstable();
    worker_counts.dedup();
    let mut candidates: Vec<&PlannedCell> = own().filter(|planned| planned.cell.workers == 1).collect();
    // The sort is stable, so interpreters keep their order.
    candidates.sort_by_key(|planned| {
        (
            planned.cell.interpreter != baseline,
            planned.cell.model != Model::Serial,
        )
    });
    candidates.dedup_by(|a, b| a.cell.interpreter == b.cell.interpreter);
    let mut first_failure = None;
    'candidates: for planned in candidates {
        for _ in 0..CALIBRATION_ATTEMPTS {
            let failed = match runner.calibrate(planned, &worker_counts) {
                Ok(units) => return Ok(units),
                Err(failed) => failed,
            };
            let is_final = matches!(
                failed.failure.status(),
                TrialStatus::TimedOut | TrialStatus::Skipped
            );
            first_failure.get_or_insert(failed);
            if runner.is_interrupted() {
                break 'candidates;
            }
            if is_final {
                break;
            }
        }
    }
    Err(first_failure.map_or_else(
        || CalibrationFailure {
            status: TrialStatus::Failed,
            reason: "it has no cell with one worker".to_owned(),
            output_tail: None,
        },
        |failed| CalibrationFailure {
            status: failed.failure.status(),
            reason: failed.failure.to_string(),
            output_tail: failed.output_tail,
        },
    ))
}

fn live(cells: &[PlannedCell]) -> impl Iterator<Item = &PlannedCell> {
    cells.iter().filter(|planned| planned.skipped.is_none())
}

/// What to measure, and in which order.
#[derive(Debug, Clone, Copy)]
pub struct Schedule<'a> {
    /// The cells.
    pub cells: &'a [PlannedCell],
    /// The calibrated units.
    pub units: &'a Units,
    /// Seed of orders and hash seeds.
    pub seed: u64,
    /// Whether the trials of a block take turns.
    pub order: Order,
    /// The trials of earlier sessions.
    pub finished: &'a FinishedTrials,
}

/// Runs rounds until the observer ends them, and hands it the trials of each group before the next group starts.
///
/// Trials of earlier sessions are not repeated, but count as if they had run now: a run that was stopped and resumed
/// has the same trials, with the same numbers, as one that was never stopped.
///
/// # Errors
/// When a trial cannot be stored.
pub fn run_rounds<O: Observer>(
    schedule: &Schedule<'_>,
    runner: &mut dyn TrialRunner,
    observer: &mut O,
) -> Result<StoppedBy, O::Error> {
    let Schedule {
        cells,
        seed,
        finished,
        ..
    } = *schedule;
    let all: Vec<Cell> = cells.iter().map(|planned| planned.cell.clone()).collect();
    let mut healths = vec![CellHealth::default(); cells.len()];
    let mut next = 0;
    for round in 0.. {
        let seeds = hash_seeds(&all, seed, round);
        for block in round_order(&all, seed, round) {
            let mut missing = Vec::new();
            for index in block {
                let (Some(planned), Some(health), Some(&hash_seed)) =
                    (cells.get(index), healths.get_mut(index), seeds.get(index))
                else {
                    continue;
                };
                let Some(&Ok(units)) = schedule.units.of(&planned.cell) else {
                    continue;
                };
                if planned.skipped.is_some() || health.is_given_up() {
                    continue;
                }
                if let Some(earlier) = finished.trial(round, &planned.cell) {
                    next = next.max(earlier.trial + 1);
                    record_outcome(health, earlier.status, &planned.cell, observer);
                    continue;
                }
                let trial = finished.next_free_number(next);
                next = trial + 1;
                let assignment = Assignment {
                    trial,
                    round,
                    planned,
                    units,
                    hash_seed,
                };
                missing.push((index, assignment));
            }
            let group_size = match schedule.order {
                Order::Sweeps => missing.len().max(1),
                Order::Trials => 1,
            };
            for group in missing.chunks(group_size) {
                if runner.is_interrupted() {
                    return Ok(StoppedBy::Interrupt);
                }
                let (indices, assignments): (Vec<usize>, Vec<Assignment<'_>>) = group.iter().copied().unzip();
                observer.starting(&assignments);
                let first = assignments.first().map_or(next, |first| first.trial);
                let Some(trials) = runner.run(&assignments, Turns::of_group(seed, first)) else {
                    return Ok(StoppedBy::Interrupt);
                };
                for (index, trial) in indices.into_iter().zip(trials) {
                    let cell = trial.cell.clone();
                    let status = observer.finished(trial)?;
                    if let Some(health) = healths.get_mut(index) {
                        record_outcome(health, status, &cell, observer);
                    }
                }
            }
        }
        if finished.has_later_round(round) {
            continue;
        }
        if let Some(stopped_by) = observer.round_over(round + 1) {
            return Ok(stopped_by);
        }
    }
    Ok(StoppedBy::Rounds)
}

/// Records how a trial of a cell ended, and reports the cell when that gives it up.
fn record_outcome<O: Observer>(health: &mut CellHealth, status: TrialStatus, cell: &Cell, observer: &mut O) {
    health.record(status);
    if health.is_given_up() {
        observer.gave_up(cell);
    }
}

#[cfg(test)]
#[path = "rounds_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "calibration_tests.rs"]
mod calibration_tests;
