//! The order of events of a run: calibrate every workload, then visit every live cell once a round.

use std::collections::HashMap;

use super::conduct::Conduct;
use super::failure::TrialFailure;
use super::made::Made;
use crate::plan::order::{Turns, hash_seeds, round_order};
use ftbench_schema::{
    CalibrationFailure, Cell, Manifest, Model, Order, PlannedCell, StoppedBy, Trial, TrialStatus,
};

/// Tries of an interpreter to calibrate a workload; a crash might be chance.
const CALIBRATION_TRIES: u32 = 2;

/// One trial to be made.
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

/// Where trials are made. The one thing that the loops here need from the outside.
pub trait TrialRunner {
    /// Finds out how many units make a sample of the target length, in the given cell.
    ///
    /// # Errors
    /// Says why the cell cannot be timed, with the end of what it printed.
    fn calibrate(&mut self, planned: &PlannedCell, worker_counts: &[u32]) -> Result<u64, Unsuccessful>;

    /// Makes the trials of a group, which take turns, and returns them in the order of the assignments; one that goes wrong
    /// is a record too. `None` when a stop was requested meanwhile.
    fn run(&mut self, group: &[Assignment<'_>], turns: Turns) -> Option<Vec<Trial>>;

    /// Whether ftbench was told to stop.
    fn is_interrupted(&self) -> bool;
}

/// A failure and the end of what the process printed.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsuccessful {
    /// What went wrong.
    pub failure: TrialFailure,
    /// The end of the traceback and of the output.
    pub last_words: Option<String>,
}

/// Where trials go, and who is told.
pub trait Observer {
    /// What stops a run when a trial cannot be kept.
    type Error;

    /// The workload of a cell is about to be calibrated, or its ceiling.
    fn calibrating(&mut self, cell: &Cell);

    /// The trials of a group are about to be made.
    fn starting(&mut self, group: &[Assignment<'_>]);

    /// A trial was made: keep it. Returns what it counts as.
    ///
    /// # Errors
    /// When it cannot be kept, which ends the run.
    fn finished(&mut self, trial: Trial) -> Result<TrialStatus, Self::Error>;

    /// A cell has failed too often and is left out of further rounds.
    fn gave_up(&mut self, cell: &Cell);

    /// So many rounds are made: what ends the run here, if anything does.
    fn round_over(&mut self, rounds: u32) -> Option<StoppedBy>;
}

/// What calibration found: units of one sample, or why there are none.
pub type Calibrated = Result<u64, CalibrationFailure>;

/// What calibration found for each workload and for its ceiling, whose units are of another kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Units {
    /// By workload.
    pub workloads: HashMap<String, Calibrated>,
    /// By workload too.
    pub ceilings: HashMap<String, Calibrated>,
}

impl Units {
    /// The units that an earlier sitting of a run found. What failed then may have failed by chance, and is left out, to
    /// be tried again.
    #[must_use]
    pub fn recorded(manifest: &Manifest) -> Self {
        let mut found = Self::default();
        for workload in &manifest.workloads {
            let name = || workload.name.clone();
            found
                .workloads
                .extend(workload.units.map(|units| (name(), Ok(units))));
            let of_ceiling = workload.ceiling.as_ref().and_then(|ceiling| ceiling.units);
            found.ceilings.extend(of_ceiling.map(|units| (name(), Ok(units))));
        }
        found
    }

    /// What holds for a cell; `None` when it was not calibrated.
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

    /// A ceiling over nothing is not worth measuring. Workloads come before their ceilings.
    fn is_needless(&self, cell: &Cell) -> bool {
        cell.is_native() && !matches!(self.workloads.get(&cell.workload), Some(Ok(_)))
    }
}

/// Finds the units of every workload that has a cell to measure, and of its ceiling, as far as they are not known. `None`
/// when ftbench was told to stop.
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
        if units.of(cell).is_some() || units.is_needless(cell) {
            continue;
        }
        observer.calibrating(cell);
        let outcome = calibrate_like(cells, cell, baseline, runner);
        if runner.is_interrupted() {
            return None;
        }
        units.insert(cell, outcome);
    }
    Some(units)
}

/// On the baseline with one worker; where the workload fails there, again, and then on the next interpreter, so that one
/// crash costs nothing, and a workload that needs something newer is still measured where it can be. What took too long
/// is not tried again on the same interpreter.
fn calibrate_like(
    cells: &[PlannedCell],
    like: &Cell,
    baseline: &str,
    runner: &mut dyn TrialRunner,
) -> Calibrated {
    let alike = |cell: &Cell| cell.workload == like.workload && cell.is_native() == like.is_native();
    let own = || live(cells).filter(|planned| alike(&planned.cell));
    let mut worker_counts: Vec<u32> = own().map(|planned| planned.cell.workers).collect();
    worker_counts.sort_unstable();
    worker_counts.dedup();
    let mut candidates: Vec<&PlannedCell> = own().filter(|planned| planned.cell.workers == 1).collect();
    // Stable, so that interpreters stay in their order.
    candidates.sort_by_key(|planned| {
        (
            planned.cell.interpreter != baseline,
            planned.cell.model != Model::Serial,
        )
    });
    candidates.dedup_by(|a, b| a.cell.interpreter == b.cell.interpreter);
    let mut first_failure = None;
    'candidates: for planned in candidates {
        for _ in 0..CALIBRATION_TRIES {
            let unsuccessful = match runner.calibrate(planned, &worker_counts) {
                Ok(units) => return Ok(units),
                Err(unsuccessful) => unsuccessful,
            };
            let time_is_up = unsuccessful.failure.status() == TrialStatus::TimedOut;
            first_failure.get_or_insert(unsuccessful);
            if runner.is_interrupted() {
                break 'candidates;
            }
            if time_is_up {
                break;
            }
        }
    }
    Err(first_failure.map_or_else(
        || CalibrationFailure {
            status: TrialStatus::Failed,
            reason: "it has no cell with one worker".to_owned(),
            last_words: None,
        },
        |unsuccessful| CalibrationFailure {
            status: unsuccessful.failure.status(),
            reason: unsuccessful.failure.to_string(),
            last_words: unsuccessful.last_words,
        },
    ))
}

fn live(cells: &[PlannedCell]) -> impl Iterator<Item = &PlannedCell> {
    cells.iter().filter(|planned| planned.skipped.is_none())
}

/// What is to be measured, and in which order.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a> {
    /// The cells.
    pub cells: &'a [PlannedCell],
    /// What calibration found.
    pub units: &'a Units,
    /// Seed of orders and hash seeds.
    pub seed: u64,
    /// Whether the trials of a block take turns.
    pub order: Order,
    /// What earlier sittings have made.
    pub made: &'a Made,
}

/// Makes rounds until the observer ends them, handing the trials of each group to it before the next one starts.
///
/// Trials that were made before are passed over, with all that follows from them: a run that was stopped and gone on with
/// has the same trials, with the same numbers, as one that was left alone.
///
/// # Errors
/// When a trial cannot be kept.
pub fn rounds<O: Observer>(
    course: &Course<'_>,
    runner: &mut dyn TrialRunner,
    observer: &mut O,
) -> Result<StoppedBy, O::Error> {
    let Course {
        cells, seed, made, ..
    } = *course;
    let all: Vec<Cell> = cells.iter().map(|planned| planned.cell.clone()).collect();
    let mut conducts = vec![Conduct::default(); cells.len()];
    let mut next = 0;
    for round in 0.. {
        let seeds = hash_seeds(&all, seed, round);
        for block in round_order(&all, seed, round) {
            let mut missing = Vec::new();
            for index in block {
                let (Some(planned), Some(conduct), Some(&hash_seed)) =
                    (cells.get(index), conducts.get_mut(index), seeds.get(index))
                else {
                    continue;
                };
                let Some(&Ok(units)) = course.units.of(&planned.cell) else {
                    continue;
                };
                if planned.skipped.is_some() || conduct.is_hopeless() {
                    continue;
                }
                if let Some(before) = made.trial(round, &planned.cell) {
                    next = next.max(before.trial + 1);
                    take(conduct, before.status, &planned.cell, observer);
                    continue;
                }
                let trial = made.free_number(next);
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
            let together = match course.order {
                Order::Sweeps => missing.len().max(1),
                Order::Trials => 1,
            };
            for group in missing.chunks(together) {
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
                    if let Some(conduct) = conducts.get_mut(index) {
                        take(conduct, status, &cell, observer);
                    }
                }
            }
        }
        if made.goes_beyond(round) {
            continue;
        }
        if let Some(stopped_by) = observer.round_over(round + 1) {
            return Ok(stopped_by);
        }
    }
    Ok(StoppedBy::Rounds)
}

/// Takes how a trial of a cell went, after which the cell may be given up.
fn take<O: Observer>(conduct: &mut Conduct, status: TrialStatus, cell: &Cell, observer: &mut O) {
    conduct.take(status);
    if conduct.is_hopeless() {
        observer.gave_up(cell);
    }
}

#[cfg(test)]
#[path = "rounds_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "calibration_tests.rs"]
mod calibration_tests;
