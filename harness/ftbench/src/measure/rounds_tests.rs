#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use ftbench_fixtures::records::{self, cell_of, empty_trial};
use ftbench_schema::NATIVE;

/// Plays trials from a script, and logs every call.
#[derive(Default)]
pub(super) struct ScriptedRunner {
    pub(super) log: Vec<String>,
    /// Labels of cells whose trials do not succeed.
    pub(super) endings: HashMap<String, TrialStatus>,
    /// Labels of cells that fail to calibrate, and how many times.
    pub(super) uncalibrated: HashMap<String, (TrialFailure, u32)>,
    /// Rounds in which no trial succeeds.
    pub(super) bad_rounds: HashMap<u32, TrialStatus>,
    pub(super) interrupt_at: Option<u64>,
    pub(super) trial_count: u64,
}

impl TrialRunner for ScriptedRunner {
    fn calibrate(&mut self, planned: &PlannedCell, worker_counts: &[u32]) -> Result<u64, FailureWithOutput> {
        self.log
            .push(format!("calibrate {} for {worker_counts:?}", planned.cell));
        if let Some((failure, times)) = self.uncalibrated.get_mut(&planned.cell.to_string())
            && *times > 0
        {
            *times -= 1;
            return Err(FailureWithOutput {
                failure: failure.clone(),
                output_tail: None,
            });
        }
        Ok(if planned.cell.is_native() { 7 } else { 64 })
    }

    fn run(&mut self, group: &[Assignment<'_>], _turns: Turns) -> Option<Vec<Trial>> {
        if group
            .iter()
            .any(|assignment| self.interrupt_at == Some(assignment.trial))
        {
            return None;
        }
        self.log.push(format!("a group of {}", group.len()));
        let run = |assignment: &Assignment<'_>| {
            self.trial_count += 1;
            self.log
                .push(format!("{} {}", assignment.round, assignment.planned.cell));
            let cell_ending = self.endings.get(&assignment.planned.cell.to_string());
            let round_ending = self.bad_rounds.get(&assignment.round);
            let status = cell_ending.or(round_ending).copied().unwrap_or(TrialStatus::Ok);
            trial(assignment, status)
        };
        Some(group.iter().map(run).collect())
    }

    fn is_interrupted(&self) -> bool {
        false
    }
}

fn trial(assignment: &Assignment<'_>, status: TrialStatus) -> Trial {
    Trial {
        trial: assignment.trial,
        round: assignment.round,
        units: assignment.units,
        hash_seed: assignment.hash_seed,
        status,
        ..empty_trial(&assignment.planned.cell)
    }
}

/// Number of rounds in a scripted run.
const ROUNDS: u32 = 4;

/// Stores trials in memory.
#[derive(Default)]
pub(super) struct CollectedTrials {
    trials: Vec<Trial>,
    given_up: Vec<String>,
    full_after: Option<usize>,
    /// Label of a cell whose trials are too long to be stored as they are.
    too_long: Option<String>,
}

impl Observer for CollectedTrials {
    type Error = &'static str;

    fn calibrating(&mut self, _cell: &Cell) {}

    fn starting(&mut self, _group: &[Assignment<'_>]) {}

    fn finished(&mut self, mut trial: Trial) -> Result<TrialStatus, &'static str> {
        if self.full_after == Some(self.trials.len()) {
            return Err("disk full");
        }
        if self.too_long.as_ref() == Some(&trial.cell.to_string()) {
            trial.status = TrialStatus::Failed;
        }
        let status = trial.status;
        self.trials.push(trial);
        Ok(status)
    }

    fn gave_up(&mut self, cell: &Cell) {
        self.given_up.push(cell.to_string());
    }

    fn round_over(&mut self, rounds: u32) -> Option<StoppedBy> {
        (rounds == ROUNDS).then_some(StoppedBy::Rounds)
    }
}

pub(super) fn planned(interpreter: &str, workload: &str, model: Model, workers: u32) -> PlannedCell {
    records::planned(&cell_of(workload, interpreter, model, workers))
}

pub(super) fn cells() -> Vec<PlannedCell> {
    vec![
        planned("3.13t", "fib", Model::Threads, 1),
        planned("3.13t", "fib", Model::Threads, 2),
        planned("3.13", "fib", Model::Threads, 1),
        planned("3.13", "fib", Model::Serial, 1),
        planned("3.13", "nbody", Model::Serial, 1),
    ]
}

/// Calibrates these cells, none of which has known units.
pub(super) fn calibrated(cells: &[PlannedCell], scripted: &mut ScriptedRunner) -> Units {
    let mut collected = CollectedTrials::default();
    calibrate(cells, "3.13", Units::default(), scripted, &mut collected).unwrap()
}

pub(super) fn run_scripted(
    scripted: &mut ScriptedRunner,
    collected: &mut CollectedTrials,
    seed: u64,
) -> Result<StoppedBy, &'static str> {
    let cells = cells();
    let units = calibrated(&cells, scripted);
    run_rounds(&schedule(&cells, &units, seed), scripted, collected)
}

static NO_TRIALS: LazyLock<FinishedTrials> = LazyLock::new(FinishedTrials::default);

/// The schedule of a new run.
fn schedule<'a>(cells: &'a [PlannedCell], units: &'a Units, seed: u64) -> Schedule<'a> {
    Schedule {
        cells,
        units,
        seed,
        order: Order::Sweeps,
        finished: &NO_TRIALS,
    }
}

#[test]
fn a_round_visits_every_cell_once_and_trials_are_numbered() {
    let (mut scripted, mut collected) = (ScriptedRunner::default(), CollectedTrials::default());
    assert_eq!(
        run_scripted(&mut scripted, &mut collected, 1),
        Ok(StoppedBy::Rounds)
    );
    assert_eq!(collected.trials.len(), 20);
    for (number, trial) in (0..).zip(&collected.trials) {
        assert_eq!(trial.trial, number);
        assert_eq!(u64::from(trial.round), number / 5);
    }
    let (mut again, mut differently) = (ScriptedRunner::default(), ScriptedRunner::default());
    run_scripted(&mut again, &mut CollectedTrials::default(), 1).unwrap();
    run_scripted(&mut differently, &mut CollectedTrials::default(), 2).unwrap();
    assert_eq!(scripted.log, again.log);
    assert_ne!(scripted.log, differently.log);
}

#[test]
fn a_cell_that_keeps_failing_is_given_up_and_the_others_continue() {
    let mut scripted = ScriptedRunner::default();
    scripted
        .endings
        .insert("fib 3.13t threads x2".to_owned(), TrialStatus::Failed);
    scripted
        .endings
        .insert("fib 3.13 threads x1".to_owned(), TrialStatus::TimedOut);
    let mut collected = CollectedTrials::default();
    assert_eq!(
        run_scripted(&mut scripted, &mut collected, 1),
        Ok(StoppedBy::Rounds)
    );
    assert_eq!(collected.trials.len(), 3 * 4 + 2 + 1);
    collected.given_up.sort();
    assert_eq!(
        collected.given_up,
        ["fib 3.13 threads x1", "fib 3.13t threads x2"]
    );
}

#[test]
fn a_cell_that_fails_now_and_then_is_measured_to_the_end() {
    for status in [TrialStatus::Failed, TrialStatus::TimedOut] {
        let mut scripted = ScriptedRunner {
            bad_rounds: HashMap::from([(1, status), (3, status)]),
            ..ScriptedRunner::default()
        };
        let mut collected = CollectedTrials::default();
        assert_eq!(
            run_scripted(&mut scripted, &mut collected, 1),
            Ok(StoppedBy::Rounds)
        );
        assert_eq!((collected.trials.len(), collected.given_up.len()), (5 * 4, 0));
    }
}

#[test]
fn a_trial_counts_with_the_status_that_was_stored() {
    let mut collected = CollectedTrials {
        too_long: Some("fib 3.13t threads x2".to_owned()),
        ..CollectedTrials::default()
    };
    assert_eq!(
        run_scripted(&mut ScriptedRunner::default(), &mut collected, 1),
        Ok(StoppedBy::Rounds)
    );
    assert_eq!(collected.given_up, ["fib 3.13t threads x2"]);
    assert_eq!(collected.trials.len(), 4 * 4 + 2);
}

/// The cells with the ceilings of both workloads among them.
pub(super) fn cells_with_ceilings() -> Vec<PlannedCell> {
    let mut cells = cells();
    for (workload, workers) in [("fib", 1), ("fib", 2), ("nbody", 1)] {
        cells.insert(1, planned(NATIVE, workload, Model::Threads, workers));
    }
    cells
}

#[test]
fn a_ceiling_has_units_of_its_own() {
    let cells = cells_with_ceilings();
    let (mut scripted, mut collected) = (ScriptedRunner::default(), CollectedTrials::default());
    let units = calibrated(&cells, &mut scripted);
    assert_eq!(
        scripted.log,
        [
            "calibrate fib 3.13 serial x1 for [1, 2]",
            "calibrate nbody 3.13 serial x1 for [1]",
            "calibrate nbody native threads x1 for [1]",
            "calibrate fib native threads x1 for [1, 2]",
        ]
    );
    run_rounds(&schedule(&cells, &units, 1), &mut scripted, &mut collected).unwrap();
    assert_eq!(collected.trials.len(), 4 * 8);
    for trial in collected.trials {
        assert_eq!(
            trial.units,
            if trial.cell.is_native() { 7 } else { 64 },
            "{}",
            trial.cell
        );
    }
}

#[test]
fn trials_before_an_interrupt_or_a_full_disk_are_kept() {
    let mut collected = CollectedTrials::default();
    let mut scripted = ScriptedRunner {
        interrupt_at: Some(7),
        ..ScriptedRunner::default()
    };
    assert_eq!(
        run_scripted(&mut scripted, &mut collected, 1),
        Ok(StoppedBy::Interrupt)
    );
    // In the second round, the group of 'nbody' was recorded and that of 'fib' was running.
    assert_eq!(collected.trials.len(), 6);
    let mut full = CollectedTrials {
        full_after: Some(3),
        ..CollectedTrials::default()
    };
    assert_eq!(
        run_scripted(&mut ScriptedRunner::default(), &mut full, 1),
        Err("disk full")
    );
    assert_eq!(full.trials.len(), 3);
}

#[test]
fn skipped_cells_are_not_measured() {
    let mut cells = cells();
    for planned in &mut cells {
        planned.skipped = Some("not wanted".to_owned());
    }
    let mut scripted = ScriptedRunner::default();
    let units = calibrated(&cells, &mut scripted);
    assert_eq!(
        run_rounds(
            &schedule(&cells, &units, 1),
            &mut scripted,
            &mut CollectedTrials::default()
        ),
        Ok(StoppedBy::Rounds)
    );
    assert!(scripted.log.is_empty(), "{:?}", scripted.log);
}

proptest! {
    #[test]
    fn every_seed_measures_the_same_cells(seed: u64) {
        let mut collected = CollectedTrials::default();
        run_scripted(&mut ScriptedRunner::default(), &mut collected, seed).unwrap();
        let mut visits: Vec<_> = collected.trials.iter().map(|trial| (trial.round, trial.cell.clone())).collect();
        visits.sort();
        visits.dedup();
        prop_assert_eq!(visits.len(), 20);
    }
}

/// The parts of a trial that do not differ from run to run.
fn reproducible_part(trial: &Trial) -> (u64, u32, Cell, u64, u32, TrialStatus) {
    let Trial {
        trial: number,
        round,
        ref cell,
        units,
        hash_seed,
        status,
        ..
    } = *trial;
    (number, round, cell.clone(), units, hash_seed, status)
}

fn reproducible_parts(collected: &CollectedTrials) -> Vec<(u64, u32, Cell, u64, u32, TrialStatus)> {
    let mut all: Vec<_> = collected.trials.iter().map(reproducible_part).collect();
    all.sort_by_key(|part| part.0);
    all
}

/// A runner with two failing cells: one is given up in the second round, the other at once.
fn failing() -> ScriptedRunner {
    let endings = [
        ("fib 3.13t threads x2", TrialStatus::WrongResult),
        ("fib 3.13 threads x1", TrialStatus::TimedOut),
    ];
    ScriptedRunner {
        endings: endings.map(|(cell, status)| (cell.to_owned(), status)).into(),
        ..ScriptedRunner::default()
    }
}

/// Resumes a run from its collected trials, up to a trial that is interrupted.
fn resume(collected: &mut CollectedTrials, seed: u64, interrupt_at: Option<u64>) -> StoppedBy {
    let cells = cells();
    let mut scripted = ScriptedRunner {
        interrupt_at,
        ..failing()
    };
    let units = calibrated(&cells, &mut scripted);
    let finished = FinishedTrials::of(&collected.trials);
    let schedule = Schedule {
        finished: &finished,
        ..schedule(&cells, &units, seed)
    };
    collected.given_up.clear();
    run_rounds(&schedule, &mut scripted, collected).unwrap()
}

proptest! {
    #[test]
    fn a_stopped_and_resumed_run_has_the_same_trials(seed: u64, stops in prop::collection::vec(0_u64..17, 0..20)) {
        let mut alone = CollectedTrials::default();
        run_scripted(&mut failing(), &mut alone, seed).unwrap();
        let mut stopped = CollectedTrials::default();
        for stop in stops {
            resume(&mut stopped, seed, Some(stop));
        }
        prop_assert_eq!(resume(&mut stopped, seed, None), StoppedBy::Rounds);
        prop_assert_eq!(reproducible_parts(&stopped), reproducible_parts(&alone));
        alone.given_up.sort();
        stopped.given_up.sort();
        prop_assert_eq!(stopped.given_up, alone.given_up);
    }

    #[test]
    fn lost_trials_run_again(seed: u64, lost in prop::collection::vec(any::<prop::sample::Index>(), 0..4)) {
        let mut collected = CollectedTrials::default();
        run_scripted(&mut ScriptedRunner::default(), &mut collected, seed).unwrap();
        let whole = reproducible_parts(&collected);
        for index in lost {
            collected.trials.remove(index.index(collected.trials.len()));
        }
        let cells = cells();
        let units = calibrated(&cells, &mut ScriptedRunner::default());
        let finished = FinishedTrials::of(&collected.trials);
        let schedule = Schedule { finished: &finished, ..schedule(&cells, &units, seed) };
        run_rounds(&schedule, &mut ScriptedRunner::default(), &mut collected).unwrap();
        prop_assert_eq!(reproducible_parts(&collected), whole);
    }
}

#[test]
fn trial_numbers_stay_unique_when_failures_were_lost() {
    let mut collected = CollectedTrials::default();
    run_scripted(&mut failing(), &mut collected, 1).unwrap();
    collected.trials.retain(|trial| trial.status == TrialStatus::Ok);
    resume(&mut collected, 1, None);
    let mut numbers: Vec<u64> = collected.trials.iter().map(|trial| trial.trial).collect();
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), all);
}

#[test]
fn only_the_last_finished_round_and_later_ones_can_end_the_run() {
    struct RoundLog(Vec<u32>);
    impl Observer for RoundLog {
        type Error = &'static str;
        fn calibrating(&mut self, _cell: &Cell) {}
        fn starting(&mut self, _group: &[Assignment<'_>]) {}
        fn finished(&mut self, trial: Trial) -> Result<TrialStatus, &'static str> {
            Ok(trial.status)
        }
        fn gave_up(&mut self, _cell: &Cell) {}
        fn round_over(&mut self, rounds: u32) -> Option<StoppedBy> {
            self.0.push(rounds);
            (rounds == ROUNDS + 1).then_some(StoppedBy::Budget)
        }
    }
    let (mut scripted, mut collected) = (ScriptedRunner::default(), CollectedTrials::default());
    run_scripted(&mut scripted, &mut collected, 1).unwrap();
    let cells = cells();
    let units = calibrated(&cells, &mut scripted);
    let finished = FinishedTrials::of(&collected.trials);
    let schedule = Schedule {
        finished: &finished,
        ..schedule(&cells, &units, 1)
    };
    let mut log = RoundLog(Vec::new());
    assert_eq!(
        run_rounds(&schedule, &mut scripted, &mut log),
        Ok(StoppedBy::Budget)
    );
    assert_eq!(log.0, [ROUNDS, ROUNDS + 1]);
}
