//! Runs the trials of a group: all are alive, and they take turns.

use std::collections::{HashMap, VecDeque};
use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use super::failure::TrialFailure;
use super::rounds::{Assignment, FailureWithOutput, TrialRunner};
use super::trial::{Equipment, LaunchedTrial, LiveTrial};
use crate::plan::groups;
use crate::plan::order::Turns;
use ftbench_schema::{Cell, PlannedCell, Trial};

/// Sweeps that take more than this many times the planned time end early: one unit of the work takes longer than a sample,
/// and the time is better spent on further rounds.
const MAX_OVERRUN: f64 = 3.0;

/// How many trials are prepared while another one warms up, of which nothing is counted. Starting a pool of processes takes
/// longer than warming up.
const PREPARED_AHEAD: usize = 2;

/// Minimum number of sweeps of a group.
const MIN_SWEEPS: u32 = 3;

/// Runs trials on this machine.
#[derive(Debug)]
pub struct RealRunner<'run> {
    /// The equipment of the trials.
    equipment: Equipment<'run>,
    /// Why the system could not start a process for a trial. No further trials run then, as if ftbench had been
    /// stopped.
    start_failure: Option<TrialFailure>,
    /// The demand of each cell, from its earlier trials.
    known: HashMap<Cell, CellDemand>,
}

/// What a trial of a cell needs. This decides which other trials can be alive at the same time.
#[derive(Debug, Clone, Copy, Default)]
struct CellDemand {
    /// Memory of its processes once they are warm, bytes.
    memory_bytes: u64,
    /// CPU time that a trial used while it waited for its turn, when that was too much, nanoseconds.
    waiting_cpu_ns: Option<u64>,
}

impl<'run> RealRunner<'run> {
    /// Runs trials with this equipment.
    #[must_use]
    pub fn new(equipment: Equipment<'run>) -> Self {
        Self {
            equipment,
            start_failure: None,
            known: HashMap::new(),
        }
    }

    /// The equipment of the trials.
    #[must_use]
    pub const fn equipment(&self) -> &Equipment<'run> {
        &self.equipment
    }

    /// Takes the reason why the system could not start a process for a trial, if that ended the trials.
    pub fn take_start_failure(&mut self) -> Option<TrialFailure> {
        self.start_failure.take()
    }

    fn note(&mut self, failure: &TrialFailure) {
        if matches!(failure, TrialFailure::NoProcess(_)) {
            self.start_failure = Some(failure.clone());
        }
    }

    fn known(&self, assignment: &Assignment<'_>) -> CellDemand {
        let known = self.known.get(&assignment.planned.cell);
        known.copied().unwrap_or_default()
    }

    fn run_group(
        &mut self,
        assignments: &[Assignment<'_>],
        mut turns: Turns,
    ) -> Result<Vec<Trial>, TrialFailure> {
        let waits = |assignment: &&Assignment<'_>| self.known(assignment).waiting_cpu_ns.is_none();
        let (waiting, mut alone): (Vec<&Assignment<'_>>, Vec<&Assignment<'_>>) =
            assignments.iter().partition(waits);
        let cells: Vec<(&Cell, u64)> = waiting
            .iter()
            .map(|assignment| (&assignment.planned.cell, self.known(assignment).memory_bytes))
            .collect();
        let mut finished = Vec::with_capacity(assignments.len());
        for group in groups::split_by_memory(&cells, self.equipment.memory_bytes()) {
            let mut rest: Vec<&Assignment<'_>> = group
                .iter()
                .filter_map(|&index| waiting.get(index))
                .copied()
                .collect();
            while !rest.is_empty() {
                alone.extend(self.take_turns(&mut rest, &mut turns, &mut finished)?);
            }
        }
        for assignment in alone {
            self.take_turns(&mut vec![assignment], &mut turns, &mut finished)?;
        }
        finished.sort_by_key(|trial| trial.trial);
        Ok(finished)
    }

    /// Starts as many trials of `rest` as can be alive together and removes them from it, takes a sample of each in
    /// every sweep, and adds their records to `finished`. Returns those that computed while they waited and so have to
    /// run alone.
    fn take_turns<'a>(
        &mut self,
        rest: &mut Vec<&'a Assignment<'a>>,
        turns: &mut Turns,
        finished: &mut Vec<Trial>,
    ) -> Result<Vec<&'a Assignment<'a>>, TrialFailure> {
        let Self { equipment, known, .. } = self;
        let mut trials = start(equipment, known, rest)?;
        let assignments: Vec<&Assignment<'_>> = rest.drain(..trials.len()).collect();
        let take_turns = trials.len() > 1;
        let planned_s = f64::from(equipment.settings.samples) * equipment.settings.target_sample_s;
        let limit_s = MAX_OVERRUN * planned_s * trials.len() as f64;
        let mut swept_s = 0.0;
        for sweep in 0..equipment.settings.samples {
            if sweep >= MIN_SWEEPS && swept_s > limit_s {
                break;
            }
            let alive = count_alive(&trials);
            let begun = Instant::now();
            while !take_sweep(sweep, &mut trials, turns, take_turns)? {}
            // The time that a hanging trial took says nothing about the others.
            if count_alive(&trials) == alive {
                swept_s += begun.elapsed().as_secs_f64();
            }
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
                finished.push(Trial {
                    group,
                    waiting_cpu_ns: known.waiting_cpu_ns,
                    ..trial.finish()?
                });
            }
        }
        Ok(alone)
    }
}

/// Launches, prepares and warms up as many trials, from the first one on, as can be alive together.
fn start<'e>(
    equipment: &'e Equipment<'e>,
    known: &mut HashMap<Cell, CellDemand>,
    assignments: &[&Assignment<'_>],
) -> Result<Vec<LiveTrial<'e>>, TrialFailure> {
    let mut trials: Vec<LiveTrial<'e>> = Vec::with_capacity(assignments.len());
    let known_bytes = |known: &HashMap<Cell, CellDemand>, assignment: &Assignment<'_>| {
        let known = known.get(&assignment.planned.cell);
        known.map(|known| known.memory_bytes)
    };
    let mut largest_bytes = assignments.iter().filter_map(|one| known_bytes(known, one)).max();
    let mut used_bytes = 0_u64;
    thread::scope(|scope| {
        // Those that are being prepared, with the memory that they may need.
        let mut coming: VecDeque<(_, u64, ScopedJoinHandle<'_, _>)> = VecDeque::new();
        loop {
            while coming.len() <= PREPARED_AHEAD
                && let Some(&assignment) = assignments.get(trials.len() + coming.len())
            {
                // A trial whose memory is not known yet may need as much as the largest of the others.
                let bytes = known_bytes(known, assignment).or(largest_bytes);
                let sum = |sum: u64, (_, bytes, _): &(_, u64, _)| sum.saturating_add(*bytes);
                let together_bytes =
                    bytes.map(|bytes| coming.iter().fold(used_bytes.saturating_add(bytes), sum));
                let is_first = trials.is_empty() && coming.is_empty();
                if !is_first && together_bytes.is_none_or(|bytes| bytes > equipment.memory_bytes()) {
                    break;
                }
                let preparing = LaunchedTrial::launch(equipment, assignment).and_then(|launched| {
                    thread::Builder::new()
                        .spawn_scoped(scope, move || launched.prepare(assignment))
                        .map_err(|error| TrialFailure::NoProcess(error.to_string()))
                });
                match preparing {
                    Ok(preparing) => coming.push_back((assignment, bytes.unwrap_or_default(), preparing)),
                    // The system may have enough for fewer trials.
                    Err(TrialFailure::NoProcess(_)) if !is_first => break,
                    Err(failure) => return Err(failure),
                }
            }
            let Some((assignment, _, preparing)) = coming.pop_front() else {
                return Ok(());
            };
            let prepared = preparing.join();
            let mut trial = prepared.unwrap_or_else(|panic| resume_unwind(panic))?;
            trial.warm_up()?;
            let known = known.entry(assignment.planned.cell.clone()).or_default();
            known.memory_bytes = trial.memory_bytes();
            used_bytes = used_bytes.saturating_add(known.memory_bytes);
            largest_bytes = largest_bytes.max(Some(known.memory_bytes));
            trials.push(trial);
        }
    })?;
    Ok(trials)
}

fn count_alive(trials: &[LiveTrial<'_>]) -> usize {
    trials.iter().filter(|trial| trial.is_alive()).count()
}

impl TrialRunner for RealRunner<'_> {
    fn calibrate(&mut self, planned: &PlannedCell, worker_counts: &[u32]) -> Result<u64, FailureWithOutput> {
        let found = self.equipment.calibrate(planned, worker_counts);
        if let Err(FailureWithOutput { failure, .. }) = &found {
            self.note(failure);
        }
        found
    }

    fn run(&mut self, group: &[Assignment<'_>], turns: Turns) -> Option<Vec<Trial>> {
        let finished = self.run_group(group, turns);
        finished.inspect_err(|failure| self.note(failure)).ok()
    }

    fn is_interrupted(&self) -> bool {
        self.equipment.interrupt.is_requested() || self.start_failure.is_some()
    }
}

/// Takes a sweep and returns whether it is complete. When a trial ends between the samples of others, the sweep is
/// abandoned and has to be repeated: that trial may have used up its time limit, and the samples before and after it
/// would be too far apart.
fn take_sweep(
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
