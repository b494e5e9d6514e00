#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use ftbench_fixtures::records::{self, cell_of, empty_trial};
use ftbench_schema::NATIVE;

/// Plays trials from a script, and keeps a log of everything that was asked of it.
#[derive(Default)]
pub(super) struct Scripted {
    pub(super) log: Vec<String>,
    /// Cells, as words, whose trials end otherwise than well.
    pub(super) endings: HashMap<String, TrialStatus>,
    /// Cells, as words, that cannot be calibrated, and how often.
    pub(super) uncalibrated: HashMap<String, (TrialFailure, u32)>,
    /// Rounds in which all trials end otherwise than well.
    pub(super) bad_rounds: HashMap<u32, TrialStatus>,
    pub(super) interrupt_at: Option<u64>,
    pub(super) made: u64,
}

impl TrialRunner for Scripted {
    fn calibrate(&mut self, planned: &PlannedCell, worker_counts: &[u32]) -> Result<u64, Unsuccessful> {
        self.log
            .push(format!("calibrate {} for {worker_counts:?}", planned.cell));
        if let Some((failure, times)) = self.uncalibrated.get_mut(&planned.cell.to_string())
            && *times > 0
        {
            *times -= 1;
            return Err(Unsuccessful {
                failure: failure.clone(),
                last_words: None,
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
        let make = |assignment: &Assignment<'_>| {
            self.made += 1;
            self.log
                .push(format!("{} {}", assignment.round, assignment.planned.cell));
            let of_cell = self.endings.get(&assignment.planned.cell.to_string());
            let of_round = self.bad_rounds.get(&assignment.round);
            let status = of_cell.or(of_round).copied().unwrap_or(TrialStatus::Ok);
            trial(assignment, status)
        };
        Some(group.iter().map(make).collect())
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

/// How many rounds a play has.
const ROUNDS: u32 = 4;

#[derive(Default)]
pub(super) struct Kept {
    trials: Vec<Trial>,
    given_up: Vec<String>,
    full_after: Option<usize>,
    /// A cell, as words, whose trials cannot be kept as they are.
    too_long: Option<String>,
}

impl Observer for Kept {
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

/// What is found of these cells from the beginning.
pub(super) fn calibrated(cells: &[PlannedCell], scripted: &mut Scripted) -> Units {
    calibrate(cells, "3.13", Units::default(), scripted, &mut Kept::default()).unwrap()
}

pub(super) fn play(scripted: &mut Scripted, kept: &mut Kept, seed: u64) -> Result<StoppedBy, &'static str> {
    let cells = cells();
    let units = calibrated(&cells, scripted);
    rounds(&course(&cells, &units, seed), scripted, kept)
}

static NOTHING: LazyLock<Made> = LazyLock::new(Made::default);

/// From the beginning.
fn course<'a>(cells: &'a [PlannedCell], units: &'a Units, seed: u64) -> Course<'a> {
    Course {
        cells,
        units,
        seed,
        order: Order::Sweeps,
        made: &NOTHING,
    }
}

#[test]
fn a_round_visits_every_cell_once_and_trials_are_numbered() {
    let (mut scripted, mut kept) = (Scripted::default(), Kept::default());
    assert_eq!(play(&mut scripted, &mut kept, 1), Ok(StoppedBy::Rounds));
    assert_eq!(kept.trials.len(), 20);
    for (number, trial) in (0..).zip(&kept.trials) {
        assert_eq!(trial.trial, number);
        assert_eq!(u64::from(trial.round), number / 5);
    }
    let (mut again, mut differently) = (Scripted::default(), Scripted::default());
    play(&mut again, &mut Kept::default(), 1).unwrap();
    play(&mut differently, &mut Kept::default(), 2).unwrap();
    assert_eq!(scripted.log, again.log);
    assert_ne!(scripted.log, differently.log);
}

#[test]
fn a_cell_that_keeps_failing_is_given_up_and_the_others_go_on() {
    let mut scripted = Scripted::default();
    scripted
        .endings
        .insert("fib 3.13t threads x2".to_owned(), TrialStatus::Failed);
    scripted
        .endings
        .insert("fib 3.13 threads x1".to_owned(), TrialStatus::TimedOut);
    let mut kept = Kept::default();
    assert_eq!(play(&mut scripted, &mut kept, 1), Ok(StoppedBy::Rounds));
    assert_eq!(kept.trials.len(), 3 * 4 + 2 + 1);
    kept.given_up.sort();
    assert_eq!(kept.given_up, ["fib 3.13 threads x1", "fib 3.13t threads x2"]);
}

#[test]
fn a_cell_that_fails_now_and_then_is_measured_to_the_end() {
    for status in [TrialStatus::Failed, TrialStatus::TimedOut] {
        let mut scripted = Scripted {
            bad_rounds: HashMap::from([(1, status), (3, status)]),
            ..Scripted::default()
        };
        let mut kept = Kept::default();
        assert_eq!(play(&mut scripted, &mut kept, 1), Ok(StoppedBy::Rounds));
        assert_eq!((kept.trials.len(), kept.given_up.len()), (5 * 4, 0));
    }
}

#[test]
fn what_a_trial_counts_as_is_what_was_kept_of_it() {
    let mut kept = Kept {
        too_long: Some("fib 3.13t threads x2".to_owned()),
        ..Kept::default()
    };
    assert_eq!(
        play(&mut Scripted::default(), &mut kept, 1),
        Ok(StoppedBy::Rounds)
    );
    assert_eq!(kept.given_up, ["fib 3.13t threads x2"]);
    assert_eq!(kept.trials.len(), 4 * 4 + 2);
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
    let (mut scripted, mut kept) = (Scripted::default(), Kept::default());
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
    rounds(&course(&cells, &units, 1), &mut scripted, &mut kept).unwrap();
    assert_eq!(kept.trials.len(), 4 * 8);
    for trial in kept.trials {
        assert_eq!(
            trial.units,
            if trial.cell.is_native() { 7 } else { 64 },
            "{}",
            trial.cell
        );
    }
}

#[test]
fn what_was_made_before_an_interrupt_or_a_full_disk_is_kept() {
    let mut kept = Kept::default();
    let mut scripted = Scripted {
        interrupt_at: Some(7),
        ..Scripted::default()
    };
    assert_eq!(play(&mut scripted, &mut kept, 1), Ok(StoppedBy::Interrupt));
    // Of the second round the group of 'nbody' was recorded, and that of 'fib' was under way.
    assert_eq!(kept.trials.len(), 6);
    let mut full = Kept {
        full_after: Some(3),
        ..Kept::default()
    };
    assert_eq!(play(&mut Scripted::default(), &mut full, 1), Err("disk full"));
    assert_eq!(full.trials.len(), 3);
}

#[test]
fn skipped_cells_are_not_measured() {
    let mut cells = cells();
    for planned in &mut cells {
        planned.skipped = Some("not wanted".to_owned());
    }
    let mut scripted = Scripted::default();
    let units = calibrated(&cells, &mut scripted);
    assert_eq!(
        rounds(&course(&cells, &units, 1), &mut scripted, &mut Kept::default()),
        Ok(StoppedBy::Rounds)
    );
    assert!(scripted.log.is_empty(), "{:?}", scripted.log);
}

proptest! {
    #[test]
    fn every_seed_measures_the_same_cells(seed: u64) {
        let mut kept = Kept::default();
        play(&mut Scripted::default(), &mut kept, seed).unwrap();
        let mut visits: Vec<_> = kept.trials.iter().map(|trial| (trial.round, trial.cell.clone())).collect();
        visits.sort();
        visits.dedup();
        prop_assert_eq!(visits.len(), 20);
    }
}

/// A trial without what differs from one making to the next.
fn essence(trial: &Trial) -> (u64, u32, Cell, u64, u32, TrialStatus) {
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

fn essences(kept: &Kept) -> Vec<(u64, u32, Cell, u64, u32, TrialStatus)> {
    let mut all: Vec<_> = kept.trials.iter().map(essence).collect();
    all.sort_by_key(|essence| essence.0);
    all
}

/// Cells that fail, of which one is given up in the second round and one at once.
fn failing() -> Scripted {
    let endings = [
        ("fib 3.13t threads x2", TrialStatus::WrongResult),
        ("fib 3.13 threads x1", TrialStatus::TimedOut),
    ];
    Scripted {
        endings: endings.map(|(cell, status)| (cell.to_owned(), status)).into(),
        ..Scripted::default()
    }
}

/// Goes on from what is kept, up to a trial that is interrupted.
fn go_on(kept: &mut Kept, seed: u64, interrupt_at: Option<u64>) -> StoppedBy {
    let cells = cells();
    let mut scripted = Scripted {
        interrupt_at,
        ..failing()
    };
    let units = calibrated(&cells, &mut scripted);
    let made = Made::of(&kept.trials);
    let course = Course {
        made: &made,
        ..course(&cells, &units, seed)
    };
    kept.given_up.clear();
    rounds(&course, &mut scripted, kept).unwrap()
}

proptest! {
    #[test]
    fn stopped_and_gone_on_with_makes_the_same_trials(seed: u64, stops in prop::collection::vec(0_u64..17, 0..20)) {
        let mut alone = Kept::default();
        play(&mut failing(), &mut alone, seed).unwrap();
        let mut stopped = Kept::default();
        for stop in stops {
            go_on(&mut stopped, seed, Some(stop));
        }
        prop_assert_eq!(go_on(&mut stopped, seed, None), StoppedBy::Rounds);
        prop_assert_eq!(essences(&stopped), essences(&alone));
        alone.given_up.sort();
        stopped.given_up.sort();
        prop_assert_eq!(stopped.given_up, alone.given_up);
    }

    #[test]
    fn what_was_lost_is_made_again(seed: u64, lost in prop::collection::vec(any::<prop::sample::Index>(), 0..4)) {
        let mut kept = Kept::default();
        play(&mut Scripted::default(), &mut kept, seed).unwrap();
        let whole = essences(&kept);
        for index in lost {
            kept.trials.remove(index.index(kept.trials.len()));
        }
        let cells = cells();
        let units = calibrated(&cells, &mut Scripted::default());
        let made = Made::of(&kept.trials);
        let course = Course { made: &made, ..course(&cells, &units, seed) };
        rounds(&course, &mut Scripted::default(), &mut kept).unwrap();
        prop_assert_eq!(essences(&kept), whole);
    }
}

#[test]
fn no_number_is_given_twice_when_failures_were_lost() {
    let mut kept = Kept::default();
    play(&mut failing(), &mut kept, 1).unwrap();
    kept.trials.retain(|trial| trial.status == TrialStatus::Ok);
    go_on(&mut kept, 1, None);
    let mut numbers: Vec<u64> = kept.trials.iter().map(|trial| trial.trial).collect();
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), all);
}

#[test]
fn only_the_end_of_what_was_made_can_end_the_run() {
    struct Asked(Vec<u32>);
    impl Observer for Asked {
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
    let (mut scripted, mut kept) = (Scripted::default(), Kept::default());
    play(&mut scripted, &mut kept, 1).unwrap();
    let cells = cells();
    let units = calibrated(&cells, &mut scripted);
    let made = Made::of(&kept.trials);
    let course = Course {
        made: &made,
        ..course(&cells, &units, 1)
    };
    let mut asked = Asked(Vec::new());
    assert_eq!(rounds(&course, &mut scripted, &mut asked), Ok(StoppedBy::Budget));
    assert_eq!(asked.0, [ROUNDS, ROUNDS + 1]);
}
