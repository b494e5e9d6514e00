#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::record::schema::{Host, NATIVE, SCHEMA_VERSION};

/// Plays trials from a script, and keeps a log of everything that was asked of it.
#[derive(Default)]
struct Scripted {
    log: Vec<String>,
    /// Cells, as words, whose trials end otherwise than well.
    endings: HashMap<String, TrialStatus>,
    /// Cells, as words, that cannot be calibrated.
    uncalibrated: Vec<String>,
    interrupt_at: Option<u64>,
    made: u64,
}

impl TrialRunner for Scripted {
    fn calibrate(&mut self, planned: &PlannedCell, worker_counts: &[u32]) -> Result<u64, Unsuccessful> {
        self.log
            .push(format!("calibrate {} for {worker_counts:?}", planned.cell));
        if self.uncalibrated.contains(&planned.cell.to_string()) {
            let failure = TrialFailure::TimedOut {
                step: "work",
                limit: Duration::from_secs(1),
                half_said: false,
            };
            return Err(Unsuccessful {
                failure,
                last_words: None,
            });
        }
        Ok(if planned.cell.is_native() { 7 } else { 64 })
    }

    fn run(&mut self, assignment: &Assignment<'_>) -> Option<Trial> {
        if self.interrupt_at == Some(assignment.trial) {
            return None;
        }
        self.made += 1;
        self.log
            .push(format!("{} {}", assignment.round, assignment.planned.cell));
        let status = self
            .endings
            .get(&assignment.planned.cell.to_string())
            .copied()
            .unwrap_or(TrialStatus::Ok);
        Some(trial(assignment, status))
    }

    fn is_interrupted(&self) -> bool {
        false
    }
}

fn trial(assignment: &Assignment<'_>, status: TrialStatus) -> Trial {
    Trial {
        schema: SCHEMA_VERSION,
        trial: assignment.trial,
        round: assignment.round,
        cell: assignment.planned.cell.clone(),
        placement: vec![],
        units: assignment.units,
        started_at: String::new(),
        duration_ns: 0,
        hash_seed: assignment.hash_seed,
        status,
        reason: None,
        last_words: None,
        gil_enabled: None,
        gil_enabled_by: None,
        start_method: None,
        startup_ns: None,
        workers: vec![],
        samples: vec![],
        memory: None,
    }
}

/// How many rounds a play has.
const ROUNDS: u32 = 4;

#[derive(Default)]
struct Kept {
    trials: Vec<Trial>,
    given_up: Vec<String>,
    full_after: Option<usize>,
}

impl Observer for Kept {
    type Error = &'static str;

    fn calibrating(&mut self, _cell: &Cell) {}

    fn starting(&mut self, _assignment: &Assignment<'_>) {}

    fn finished(&mut self, trial: Trial) -> Result<(), &'static str> {
        if self.full_after == Some(self.trials.len()) {
            return Err("disk full");
        }
        self.trials.push(trial);
        Ok(())
    }

    fn gave_up(&mut self, cell: &Cell) {
        self.given_up.push(cell.to_string());
    }

    fn round_over(&mut self, rounds: u32) -> Option<StoppedBy> {
        (rounds == ROUNDS).then_some(StoppedBy::Rounds)
    }
}

fn planned(interpreter: &str, workload: &str, model: Model, workers: u32) -> PlannedCell {
    PlannedCell {
        cell: Cell {
            interpreter: interpreter.to_owned(),
            host: Host::Spawn,
            workload: workload.to_owned(),
            model,
            workers,
        },
        placement: vec![],
        skipped: None,
    }
}

fn cells() -> Vec<PlannedCell> {
    vec![
        planned("3.13t", "fib", Model::Threads, 1),
        planned("3.13t", "fib", Model::Threads, 2),
        planned("3.13", "fib", Model::Threads, 1),
        planned("3.13", "fib", Model::Serial, 1),
        planned("3.13", "nbody", Model::Serial, 1),
    ]
}

fn play(scripted: &mut Scripted, kept: &mut Kept, seed: u64) -> Result<StoppedBy, &'static str> {
    let cells = cells();
    let units = calibrate(&cells, "3.13", scripted, kept).unwrap();
    rounds(&cells, &units, seed, scripted, kept)
}

#[test]
fn each_workload_is_calibrated_once_serially_on_the_baseline() {
    let mut scripted = Scripted::default();
    play(&mut scripted, &mut Kept::default(), 1).unwrap();
    let calibrations: Vec<_> = scripted
        .log
        .iter()
        .filter(|line| line.starts_with("calibrate"))
        .collect();
    assert_eq!(
        calibrations,
        [
            "calibrate fib 3.13 serial x1 for [1, 2]",
            "calibrate nbody 3.13 serial x1 for [1]"
        ]
    );
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
fn a_workload_that_cannot_be_calibrated_is_left_out_with_its_reason() {
    let cells = cells();
    let mut scripted = Scripted {
        uncalibrated: vec!["fib 3.13 serial x1".to_owned()],
        ..Scripted::default()
    };
    let units = calibrate(&cells, "3.13", &mut scripted, &mut Kept::default()).unwrap();
    let failure = units.workloads.get("fib").unwrap().as_ref().unwrap_err();
    assert_eq!(
        (failure.status, failure.reason.as_str()),
        (TrialStatus::TimedOut, "work took longer than 1 s (--timeout)")
    );
    assert_eq!(units.workloads.get("nbody"), Some(&Ok(64)));
}

/// The cells with the ceilings of both workloads among them.
fn cells_with_ceilings() -> Vec<PlannedCell> {
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
    let units = calibrate(&cells, "3.13", &mut scripted, &mut kept).unwrap();
    assert_eq!(
        scripted.log,
        [
            "calibrate fib 3.13 serial x1 for [1, 2]",
            "calibrate nbody 3.13 serial x1 for [1]",
            "calibrate nbody native threads x1 for [1]",
            "calibrate fib native threads x1 for [1, 2]",
        ]
    );
    rounds(&cells, &units, 1, &mut scripted, &mut kept).unwrap();
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
fn a_workload_that_cannot_be_measured_needs_no_ceiling() {
    let cells = cells_with_ceilings();
    let mut scripted = Scripted {
        uncalibrated: vec!["fib 3.13 serial x1".to_owned()],
        ..Scripted::default()
    };
    let units = calibrate(&cells, "3.13", &mut scripted, &mut Kept::default()).unwrap();
    assert_eq!(units.ceilings.len(), 1);
    assert_eq!(units.ceilings.get("nbody"), Some(&Ok(7)));
    assert!(
        cells
            .iter()
            .all(|planned| planned.cell.workload != "fib" || !matches!(units.of(&planned.cell), Some(Ok(_))))
    );
}

#[test]
fn what_was_made_before_an_interrupt_or_a_full_disk_is_kept() {
    let mut kept = Kept::default();
    let mut scripted = Scripted {
        interrupt_at: Some(7),
        ..Scripted::default()
    };
    assert_eq!(play(&mut scripted, &mut kept, 1), Ok(StoppedBy::Interrupt));
    assert_eq!(kept.trials.len(), 7);
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
    let units = calibrate(&cells, "3.13", &mut scripted, &mut Kept::default()).unwrap();
    assert_eq!(
        rounds(&cells, &units, 1, &mut scripted, &mut Kept::default()),
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
