#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::tests::{
    CollectedTrials, ScriptedRunner, calibrated, cells, cells_with_ceilings, planned, run_scripted,
};
use super::*;

#[test]
fn each_workload_is_calibrated_once_serially_on_the_baseline() {
    let mut scripted = ScriptedRunner::default();
    run_scripted(&mut scripted, &mut CollectedTrials::default(), 1).unwrap();
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

fn time_out() -> TrialFailure {
    TrialFailure::TimedOut {
        step: "work",
        limit: Duration::from_secs(1),
        has_partial_reply: false,
    }
}

fn crash() -> TrialFailure {
    TrialFailure::ended("work", None)
}

/// A runner on which each of these cells fails to calibrate this many times.
fn uncalibrated(cells: &[(&str, TrialFailure, u32)]) -> ScriptedRunner {
    let cells = cells.iter().cloned();
    ScriptedRunner {
        uncalibrated: cells
            .map(|(cell, failure, times)| (cell.to_owned(), (failure, times)))
            .collect(),
        ..ScriptedRunner::default()
    }
}

/// A runner on which no cell of `fib` can be calibrated.
fn without_fib() -> ScriptedRunner {
    let always = u32::MAX;
    uncalibrated(&[
        ("fib 3.13 serial x1", time_out(), always),
        ("fib 3.13t threads x1", crash(), always),
    ])
}

#[test]
fn a_workload_that_cannot_be_calibrated_is_left_out_with_its_reason() {
    let cells = cells();
    let mut scripted = without_fib();
    let units = calibrated(&cells, &mut scripted);
    let failure = units.workloads.get("fib").unwrap().as_ref().unwrap_err();
    assert_eq!(
        (failure.status, failure.reason.as_str()),
        (TrialStatus::TimedOut, "work took longer than 1 s (--timeout)")
    );
    assert_eq!(units.workloads.get("nbody"), Some(&Ok(64)));
    assert_eq!(
        scripted.log,
        [
            "calibrate fib 3.13 serial x1 for [1, 2]",
            "calibrate fib 3.13t threads x1 for [1, 2]",
            "calibrate fib 3.13t threads x1 for [1, 2]",
            "calibrate nbody 3.13 serial x1 for [1]",
        ]
    );
}

#[test]
fn calibration_is_retried_after_a_crash() {
    let mut scripted = uncalibrated(&[("fib 3.13 serial x1", crash(), 1)]);
    run_scripted(&mut scripted, &mut CollectedTrials::default(), 1).unwrap();
    let calibrations = scripted
        .log
        .iter()
        .filter(|line| line.starts_with("calibrate fib"));
    let expected = "calibrate fib 3.13 serial x1 for [1, 2]";
    assert!(calibrations.eq([expected, expected]), "{:?}", scripted.log);
}

#[test]
fn known_units_are_not_calibrated_again() {
    let cells = cells_with_ceilings();
    let mut known = Units::default();
    known.workloads.insert("fib".to_owned(), Ok(5));
    known.ceilings.insert("nbody".to_owned(), Ok(6));
    let mut scripted = ScriptedRunner::default();
    let mut collected = CollectedTrials::default();
    let units = calibrate(&cells, "3.13", known, &mut scripted, &mut collected).unwrap();
    assert_eq!(
        scripted.log,
        [
            "calibrate nbody 3.13 serial x1 for [1]",
            "calibrate fib native threads x1 for [1, 2]",
        ]
    );
    let found = |side: &HashMap<String, Calibrated>, name: &str| side.get(name).cloned();
    assert_eq!(found(&units.workloads, "fib"), Some(Ok(5)));
    assert_eq!(found(&units.workloads, "nbody"), Some(Ok(64)));
    assert_eq!(found(&units.ceilings, "nbody"), Some(Ok(6)));
}

#[test]
fn the_ceiling_of_an_uncalibrated_workload_is_not_calibrated() {
    let cells = cells_with_ceilings();
    let mut scripted = without_fib();
    let units = calibrated(&cells, &mut scripted);
    assert_eq!(units.ceilings.len(), 1);
    assert_eq!(units.ceilings.get("nbody"), Some(&Ok(7)));
    assert!(
        cells
            .iter()
            .all(|planned| planned.cell.workload != "fib" || !matches!(units.of(&planned.cell), Some(Ok(_))))
    );
}

#[test]
fn recorded_units_are_reused_and_recorded_failures_are_not() {
    let mut manifest = ftbench_fixtures::records::manifest(&[planned("3.13", "fib", Model::Serial, 1).cell]);
    let failure = CalibrationFailure {
        status: TrialStatus::Failed,
        reason: "no".to_owned(),
        output_tail: None,
    };
    for workload in &mut manifest.workloads {
        (workload.units, workload.failure) = (Some(5), None);
        let ceiling = workload.ceiling.as_mut().unwrap();
        (ceiling.units, ceiling.failure) = (None, Some(failure.clone()));
    }
    let found = Units::recorded(&manifest);
    assert_eq!(found.workloads, HashMap::from([("fib".to_owned(), Ok(5))]));
    assert_eq!(found.ceilings, HashMap::new());
    for workload in &mut manifest.workloads {
        (workload.units, workload.failure) = (None, Some(failure.clone()));
        workload.ceiling.as_mut().unwrap().units = Some(7);
    }
    let found = Units::recorded(&manifest);
    assert_eq!(found.workloads, HashMap::new());
    assert_eq!(found.ceilings, HashMap::from([("fib".to_owned(), Ok(7))]));
}

#[test]
fn arms_share_one_calibration_on_the_first_arm() {
    let planned_arm = |arm: &str, interpreter: &str, model: Model| {
        let mut planned = planned(interpreter, "mine", model, 1);
        planned.cell.arm = Some(arm.to_owned());
        planned
    };
    let cells = vec![
        planned_arm("base", "3.13t", Model::Threads),
        planned_arm("new", "3.13t", Model::Threads),
        planned_arm("base", "3.13", Model::Serial),
        planned_arm("new", "3.13", Model::Serial),
    ];
    let mut scripted = ScriptedRunner::default();
    let units = calibrated(&cells, &mut scripted);
    assert_eq!(scripted.log, ["calibrate mine 3.13 base serial x1 for [1]"]);
    assert!(cells.iter().all(|planned| units.of(&planned.cell).is_some()));
}
