//! The trials of a group: all alive, taking turns.

use std::collections::HashMap;

use super::failure::TrialFailure;
use super::rounds::{Assignment, TrialRunner, Unsuccessful};
use super::trial::{Equipment, LiveTrial};
use crate::plan::groups;
use crate::plan::order::Turns;
use ftbench_schema::{Cell, PlannedCell, Trial};

/// Makes trials on this machine.
#[derive(Debug)]
pub struct RealRunner<'run> {
    /// What trials are made with.
    equipment: Equipment<'run>,
    /// Why the system started no process for a trial. There are no further trials then, as if ftbench had been stopped.
    refused: Option<TrialFailure>,
    /// What earlier trials of each cell were like.
    known: HashMap<Cell, Known>,
}

/// What decides which trials a cell's can be alive with.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// Memory of its processes once they are warm, bytes.
    memory_bytes: u64,
    /// CPU time that a trial used while it waited for its turn, when that was too much, nanoseconds.
    waiting_cpu_ns: Option<u64>,
}

impl<'run> RealRunner<'run> {
    /// Makes trials with this.
    #[must_use]
    pub fn new(equipment: Equipment<'run>) -> Self {
        Self {
            equipment,
            refused: None,
            known: HashMap::new(),
        }
    }

    /// Why the system started no process for a trial, if that is why there are no more.
    pub fn take_refusal(&mut self) -> Option<TrialFailure> {
        self.refused.take()
    }

    fn note(&mut self, failure: &TrialFailure) {
        if matches!(failure, TrialFailure::NoProcess(_)) {
            self.refused = Some(failure.clone());
        }
    }

    fn known(&self, assignment: &Assignment<'_>) -> Known {
        let known = self.known.get(&assignment.planned.cell);
        known.copied().unwrap_or_default()
    }

    fn make(&mut self, assignments: &[Assignment<'_>], mut turns: Turns) -> Result<Vec<Trial>, TrialFailure> {
        let waits = |assignment: &&Assignment<'_>| self.known(assignment).waiting_cpu_ns.is_none();
        let (waiting, mut alone): (Vec<&Assignment<'_>>, Vec<&Assignment<'_>>) =
            assignments.iter().partition(waits);
        let cells: Vec<(&Cell, u64)> = waiting
            .iter()
            .map(|assignment| (&assignment.planned.cell, self.known(assignment).memory_bytes))
            .collect();
        let mut made = Vec::with_capacity(assignments.len());
        for group in groups::that_fit(&cells, self.equipment.memory_bytes()) {
            let mut rest: Vec<&Assignment<'_>> = group
                .iter()
                .filter_map(|&index| waiting.get(index))
                .copied()
                .collect();
            while !rest.is_empty() {
                alone.extend(self.take_turns(&mut rest, &mut turns, &mut made)?);
            }
        }
        for assignment in alone {
            self.take_turns(&mut vec![assignment], &mut turns, &mut made)?;
        }
        made.sort_by_key(|trial| trial.trial);
        Ok(made)
    }

    /// Starts as many trials as can be alive together, which are taken from `rest`, takes a sample of each in every sweep, and
    /// adds them to `made`. Returns those that computed while they waited, and so have to be made alone.
    fn take_turns<'a>(
        &mut self,
        rest: &mut Vec<&'a Assignment<'a>>,
        turns: &mut Turns,
        made: &mut Vec<Trial>,
    ) -> Result<Vec<&'a Assignment<'a>>, TrialFailure> {
        let Self { equipment, known, .. } = self;
        let mut trials: Vec<LiveTrial<'_>> = Vec::with_capacity(rest.len());
        let (mut used_bytes, mut largest_bytes) = (0_u64, 0);
        for assignment in rest.iter() {
            // A trial that is not known yet may need as much as the largest of the others.
            let next_bytes = known
                .get(&assignment.planned.cell)
                .map_or(largest_bytes, |known| known.memory_bytes);
            if !trials.is_empty() && used_bytes.saturating_add(next_bytes) > equipment.memory_bytes() {
                break;
            }
            match LiveTrial::start(equipment, assignment) {
                Ok(trial) => {
                    let known = known.entry(assignment.planned.cell.clone()).or_default();
                    known.memory_bytes = trial.memory_bytes();
                    used_bytes = used_bytes.saturating_add(known.memory_bytes);
                    largest_bytes = largest_bytes.max(known.memory_bytes);
                    trials.push(trial);
                }
                // The system may have enough for fewer.
                Err(TrialFailure::NoProcess(_)) if !trials.is_empty() => break,
                Err(failure) => return Err(failure),
            }
        }
        let assignments: Vec<&Assignment<'_>> = rest.drain(..trials.len()).collect();
        let take_turns = trials.len() > 1;
        for sweep in 0..equipment.settings.samples {
            while !make_sweep(sweep, &mut trials, turns, take_turns)? {}
        }
        let first = assignments.first().filter(|_| take_turns);
        let group = first.map(|first| first.trial);
        let mut alone = Vec::new();
        for (assignment, trial) in assignments.into_iter().zip(trials) {
            let known = known.entry(assignment.planned.cell.clone()).or_default();
            if let Some(waiting_cpu_ns) = trial.waiting_cpu_ns() {
                known.waiting_cpu_ns = Some(waiting_cpu_ns);
                alone.push(assignment);
            } else {
                made.push(Trial {
                    group,
                    waiting_cpu_ns: known.waiting_cpu_ns,
                    ..trial.finish()?
                });
            }
        }
        Ok(alone)
    }
}

impl TrialRunner for RealRunner<'_> {
    fn calibrate(&mut self, planned: &PlannedCell, worker_counts: &[u32]) -> Result<u64, Unsuccessful> {
        let found = self.equipment.calibrate(planned, worker_counts);
        if let Err(Unsuccessful { failure, .. }) = &found {
            self.note(failure);
        }
        found
    }

    fn run(&mut self, group: &[Assignment<'_>], turns: Turns) -> Option<Vec<Trial>> {
        let made = self.make(group, turns);
        made.inspect_err(|failure| self.note(failure)).ok()
    }

    fn is_interrupted(&self) -> bool {
        self.equipment.interrupt.is_asked() || self.refused.is_some()
    }
}

/// Makes a sweep, and returns whether it is complete. It is broken off, and has to be made again, when a trial ends between the
/// samples of others, which then are no longer close to each other: it may have used up its time limit.
fn make_sweep(
    sweep: u32,
    trials: &mut [LiveTrial<'_>],
    turns: &mut Turns,
    take_turns: bool,
) -> Result<bool, TrialFailure> {
    let mut alive: Vec<&mut LiveTrial<'_>> = trials.iter_mut().filter(|trial| trial.is_alive()).collect();
    turns.next_sweep(&mut alive);
    let count = alive.len();
    for position in 0..count {
        let Some(trial) = alive.get_mut(position) else {
            continue;
        };
        let place = u32::try_from(position).unwrap_or(u32::MAX);
        trial.take_sample(sweep, Some(place).filter(|_| take_turns))?;
        if !trial.is_alive() && position > 0 && position + 1 < count {
            for earlier in alive.iter_mut().take(position) {
                earlier.forget_turn(sweep);
            }
            return Ok(false);
        }
    }
    Ok(true)
}
