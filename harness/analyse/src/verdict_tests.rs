#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::summary::summarise;
use ftbench_fixtures::records::{cell, drifting_run, run, run_in_arms};
use ftbench_schema::{
    ArmRatio, CalibrationFailure, Cell, CellStatus, GilState, Manifest, Model, Trial, TrialStatus,
    WarningKind,
};

#[test]
fn failed_trial_is_reported_with_its_output_tail_and_keeps_the_figures() {
    let (manifest, mut trials) = drifting_run();
    trials[2].status = TrialStatus::Failed;
    trials[2].reason = Some("ValueError: no (in work)".to_owned());
    trials[2].output_tail = Some("line 3, in work".to_owned());
    let cell = &summarise("r", &manifest, &trials).cells[2];
    assert_eq!(cell.status, CellStatus::Failed);
    assert_eq!(
        cell.reason.as_deref(),
        Some("1 of 6 trials: ValueError: no (in work)\nline 3, in work")
    );
    assert_eq!(cell.rounds, 5);
    assert!(cell.makespan_s.is_some());
}

#[test]
fn reenabled_gil_is_always_reported() {
    let (manifest, mut trials) = drifting_run();
    for trial in &mut trials {
        trial.gil_enabled = Some(true);
        trial.gil_enabled_by = Some("some_module".to_owned());
    }
    let summary = summarise("r", &manifest, &trials);
    // The GIL build works as expected.
    assert_eq!(summary.cells[0].status, CellStatus::Ok);
    assert_eq!(summary.cells[2].status, CellStatus::GilReenabled);
    assert_eq!(summary.cells[2].gil, Some(GilState::On));
    assert!(
        summary.cells[2]
            .reason
            .as_deref()
            .unwrap()
            .contains("some_module")
    );
    assert!(
        summary
            .warnings
            .iter()
            .any(|warning| warning.kind == WarningKind::GilReenabled)
    );
}

#[test]
fn cells_without_trials_have_a_reason() {
    let (mut manifest, _) = drifting_run();
    manifest.plan.cells[0].skipped = Some("not here".to_owned());
    let skipped = summarise("r", &manifest, &[]);
    assert_eq!(skipped.cells[0].reason.as_deref(), Some("not here"));
    assert_eq!(skipped.cells[1].status, CellStatus::Skipped);
    manifest.workloads[0].failure = Some(CalibrationFailure {
        status: TrialStatus::TimedOut,
        reason: "too slow".to_owned(),
        output_tail: None,
    });
    let failed = summarise("r", &manifest, &[]);
    assert_eq!(failed.cells[0].status, CellStatus::Skipped);
    assert_eq!(failed.cells[1].status, CellStatus::TimedOut);
}

/// Makes the trial of a cell in a round fail.
fn fail(trials: &mut [Trial], cell: &Cell, round: u32, status: TrialStatus) {
    let is_match = |trial: &&mut Trial| trial.cell == *cell && trial.round == round;
    trials.iter_mut().find(is_match).unwrap().status = status;
}

#[test]
fn ratios_with_a_failed_cell_are_shown_but_are_not_findings() {
    let (manifest, mut trials) = drifting_run();
    let [serial, _, two] = [0, 1, 2].map(|index: usize| manifest.plan.cells[index].cell.clone());
    fail(&mut trials, &two, 3, TrialStatus::Failed);
    let cells = summarise("r", &manifest, &trials).cells;
    assert!(cells[2].speedup.is_some() && cells[2].vs_baseline.is_some());
    assert_eq!(
        (cells[2].speedup_difference, cells[2].vs_baseline_difference),
        (None, None)
    );
    assert!(cells[1].vs_baseline_difference.unwrap().differs);
    // The reference crashed once: the ratio is still shown, but is not a finding.
    fail(&mut trials, &serial, 0, TrialStatus::Failed);
    let cells = summarise("r", &manifest, &trials).cells;
    assert!(cells[1].vs_baseline.is_some());
    assert_eq!(cells[1].vs_baseline_difference, None);
}

#[test]
fn nothing_is_compared_with_wrong_results() {
    let (manifest, mut trials) = drifting_run();
    let serial = manifest.plan.cells[0].cell.clone();
    // It had crashed before, but the worse of the two failures determines the status.
    fail(&mut trials, &serial, 0, TrialStatus::Failed);
    fail(&mut trials, &serial, 5, TrialStatus::WrongResult);
    let cells = summarise("r", &manifest, &trials).cells;
    assert_eq!(cells[0].status, CellStatus::WrongResult);
    assert!(cells[0].makespan_s.is_some(), "its good trials are shown");
    assert_eq!((cells[1].vs_baseline, cells[2].vs_baseline), (None, None));
    assert!(cells[2].speedup_difference.unwrap().differs);
}

#[test]
fn free_threading_overhead_uses_only_successful_cells() {
    let cells = [
        cell("3.13", Model::Serial, 1),
        cell("3.13", Model::Threads, 1),
        cell("3.13t", Model::Serial, 1),
        cell("3.13t", Model::Threads, 1),
    ];
    let (manifest, mut trials) = run(&cells, 6, |_| [1000, 1000, 3000, 2000]);
    let cost = |trials: &[Trial]| {
        let overheads = summarise("r", &manifest, trials).free_threading_overhead;
        let of_fib = overheads.iter().find(|one| one.workload.is_some());
        of_fib.map(|one| one.ratio.estimate.round())
    };
    assert_eq!(cost(&trials), Some(3.0));
    fail(&mut trials, &cells[2], 4, TrialStatus::WrongResult);
    assert_eq!(cost(&trials), Some(2.0), "threads stand in for serial");
    let mut with_gil = trials.clone();
    for trial in &mut with_gil {
        trial.gil_enabled = Some(true);
    }
    assert_eq!(cost(&with_gil), None, "nothing ran without the GIL");
    fail(&mut trials, &cells[1], 0, TrialStatus::TimedOut);
    assert_eq!(cost(&trials), None);
}

#[test]
fn arms_are_compared_only_if_both_were_measured_under_the_same_conditions() {
    let (mut manifest, mut trials) = run_in_arms();
    let compared = |manifest: &Manifest, trials: &[Trial]| -> Vec<String> {
        let ratios = summarise("r", manifest, trials).arm_ratios;
        let name = |one: &ArmRatio| format!("{} x{}", one.model, one.workers);
        ratios.iter().map(name).collect()
    };
    let [_, base_alone, _, new_serial, new_alone, _] =
        [0, 1, 2, 3, 4, 5].map(|index: usize| manifest.plan.cells[index].cell.clone());
    fail(&mut trials, &new_serial, 2, TrialStatus::WrongResult);
    assert_eq!(compared(&manifest, &trials), ["threads x1", "threads x2"]);
    fail(&mut trials, &base_alone, 2, TrialStatus::Failed);
    assert_eq!(compared(&manifest, &trials), ["threads x2"]);
    let (_, mut trials) = run_in_arms();
    // As for a free-threaded build on which one arm imports a module that switches the GIL back on.
    manifest.interpreters[0].gil = GilState::Off;
    for trial in &mut trials {
        trial.gil_enabled = Some(trial.cell == new_alone);
        trial
            .samples
            .iter_mut()
            .for_each(|sample| sample.gil_enabled = false);
    }
    assert_eq!(compared(&manifest, &trials), ["serial x1", "threads x2"]);
    for trial in &mut trials {
        trial.gil_enabled = Some(true);
    }
    assert_eq!(
        compared(&manifest, &trials),
        ["serial x1", "threads x1", "threads x2"]
    );
}
