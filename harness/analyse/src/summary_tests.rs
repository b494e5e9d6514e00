#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use ftbench_fixtures::records::{cell, drifting_run, manifest, run, run_in_arms, trial};
use ftbench_schema::{CalibrationFailure, GilState, Model, NATIVE, Scaling, WarningKind};

#[test]
fn ratios_are_paired_and_exclude_warmups() {
    let (manifest, trials) = drifting_run();
    let summary = summarise("r", &manifest, &trials);
    let two = &summary.cells[2];
    assert_eq!((two.status, two.rounds, two.samples), (CellStatus::Ok, 6, 18));
    assert_eq!(two.gil, Some(GilState::Off));
    let near = |estimate: Option<Estimate>, value: f64| {
        let estimate = estimate.unwrap();
        assert!(
            (estimate.estimate - value).abs() < 0.02 * value,
            "{estimate:?} is not about {value}"
        );
        assert!(estimate.low <= estimate.estimate && estimate.estimate <= estimate.high);
    };
    near(two.speedup, 4.0);
    near(two.vs_baseline, 2.0);
    near(two.efficiency, 2.0);
    near(two.busy_fraction, 0.5);
    near(two.startup_s, 0.002);
    // The middle of 51, 101, 151, 201, 251 and 301 ms.
    near(two.makespan_s, 0.176);
    assert!(two.speedup_difference.unwrap().differs && two.vs_baseline_difference.unwrap().differs);
    assert_eq!(summary.cells[1].speedup_difference, None);
    assert_eq!(summary.cells[0].vs_baseline_difference, None);
    let alone = summary.cells[1].speedup.unwrap();
    assert_eq!((alone.low, alone.estimate, alone.high), (1.0, 1.0, 1.0));
}

/// A machine that becomes slower with each round: threads are 1.9 times as fast with two workers, the ceiling twice.
fn run_with_ceiling() -> (Manifest, Vec<Trial>) {
    let cells = [
        cell("3.13", Model::Serial, 1),
        cell("3.13t", Model::Threads, 1),
        cell("3.13t", Model::Threads, 2),
        cell(NATIVE, Model::Threads, 1),
        cell(NATIVE, Model::Threads, 2),
    ];
    run(&cells, 6, |round| {
        // Two workers slow down more, and the ceiling as much as Python.
        let (slow, slower) = (round + 1, 2 * round + 1);
        [
            19_000 * slow,
            19_000 * slow,
            10_000 * slower,
            8_000 * slow,
            4_000 * slower,
        ]
    })
}

#[test]
fn ceiling_fraction_is_paired_within_the_round() {
    let (manifest, trials) = run_with_ceiling();
    let cells = summarise("r", &manifest, &trials).cells;
    let fraction = cells[2].ceiling_fraction.unwrap();
    // 1.9 / 2.0 in every round, however much the round was disturbed.
    assert!((fraction.estimate - 0.95).abs() < 1e-3, "{fraction:?}");
    assert!(fraction.low <= fraction.estimate && fraction.estimate <= fraction.high);
    assert!(fraction.high - fraction.low < 1e-3, "{fraction:?}");
    let alone = cells[1].ceiling_fraction.unwrap();
    assert_eq!((alone.low, alone.estimate, alone.high), (1.0, 1.0, 1.0));
    assert_eq!(cells[0].ceiling_fraction, None, "serial");
}

#[test]
fn ceiling_has_a_speedup_but_no_comparisons() {
    let (manifest, trials) = run_with_ceiling();
    let native = &summarise("r", &manifest, &trials).cells[4];
    assert_eq!((native.status, native.gil), (CellStatus::Ok, None));
    assert!(native.speedup.is_some() && native.makespan_s.is_some());
    assert_eq!((native.vs_baseline, native.ceiling_fraction), (None, None));
}

#[test]
fn missing_ceiling_cell_leaves_no_ceiling_fraction() {
    let (manifest, mut trials) = run_with_ceiling();
    trials.retain(|trial| !(trial.cell.is_native() && trial.cell.workers == 2));
    let cells = summarise("r", &manifest, &trials).cells;
    assert_eq!(cells[2].ceiling_fraction, None);
    assert!(cells[2].speedup.is_some());
}

#[test]
fn failure_of_the_ceiling_does_not_affect_the_workload() {
    let failure = CalibrationFailure {
        status: TrialStatus::TimedOut,
        reason: "too slow".to_owned(),
        output_tail: None,
    };
    let (mut manifest, mut trials) = run_with_ceiling();
    trials.retain(|trial| !trial.cell.is_native());
    manifest.workloads[0].ceiling.as_mut().unwrap().failure = Some(failure.clone());
    let cells = summarise("r", &manifest, &trials).cells;
    assert_eq!(
        (cells[2].status, cells[4].status),
        (CellStatus::Ok, CellStatus::TimedOut)
    );
    manifest.workloads[0].failure = Some(failure);
    let cells = summarise("r", &manifest, &[]).cells;
    assert_eq!(
        (cells[2].status, cells[4].status),
        (CellStatus::TimedOut, CellStatus::Skipped)
    );
}

#[test]
fn the_same_records_give_the_same_summary() {
    let (manifest, trials) = drifting_run();
    assert_eq!(
        summarise("r", &manifest, &trials),
        summarise("r", &manifest, &trials)
    );
}

#[test]
fn reported_figures_are_medians_over_rounds_without_warmups() {
    let alone = cell("3.13", Model::Serial, 1);
    let trials: Vec<Trial> = (0..5)
        .map(|round| {
            let mut trial = trial(&alone, round, 100);
            for (sample, lost) in trial.samples.iter_mut().zip([9_000.0, 10.0, 20.0, 60.0]) {
                let lost = lost + f64::from(round);
                sample.reported.insert("lost_updates".to_owned(), lost);
            }
            trial
        })
        .collect();
    let summary = summarise("test", &manifest(&[alone]), &trials);
    let lost = summary.cells[0].reported["lost_updates"];
    assert_eq!(lost.estimate, 22.0);
    assert!(lost.low >= 20.0 && lost.high <= 24.0, "{lost:?}");
}

#[test]
fn weak_scaling_multiplies_the_speedup_by_the_workers() {
    let (mut manifest, trials) = drifting_run();
    manifest.plan.settings.scaling = Scaling::Weak;
    let summary = summarise("r", &manifest, &trials);
    let speedup = summary.cells[2].speedup.unwrap().estimate;
    assert!((speedup - 8.0).abs() < 0.2, "{speedup}");
}

#[test]
fn few_rounds_and_moved_workers_cause_warnings() {
    let (manifest, mut trials) = drifting_run();
    trials.retain(|trial| trial.round < 4);
    trials[0].samples[1].moved = true;
    let kinds: Vec<_> = summarise("r", &manifest, &trials)
        .warnings
        .into_iter()
        .map(|warning| warning.kind)
        .collect();
    assert_eq!(kinds, [WarningKind::WorkersMoved, WarningKind::FewRounds]);
    trials.retain(|trial| trial.round < 1);
    let warnings = summarise("r", &manifest, &trials).warnings;
    assert!(
        warnings.iter().any(|warning| warning
            .message
            .starts_with("some cells have 1 round, too few for an interval")),
        "{warnings:?}"
    );
}

#[test]
fn arms_are_compared_with_the_base_arm_and_have_their_own_speedups() {
    let (manifest, trials) = run_in_arms();
    let summary = summarise("r", &manifest, &trials);
    let shown: Vec<(String, u32, u32, bool)> = summary
        .arm_ratios
        .iter()
        .map(|compared| {
            assert_eq!((compared.base.as_str(), compared.arm_name()), ("base", "new"));
            let Estimate { estimate, low, high } = compared.ratio;
            let about = format!("{estimate:.2} [{low:.2}, {high:.2}]");
            (
                about,
                compared.workers,
                compared.rounds,
                compared.difference.differs,
            )
        })
        .collect();
    let alike = "1.00 [1.00, 1.00]".to_owned();
    let faster = "1.20 [1.20, 1.20]".to_owned();
    assert_eq!(
        shown,
        [
            (faster.clone(), 1, 6, true),
            (faster, 1, 6, true),
            (alike, 2, 6, false)
        ]
    );
    let near = |estimate: Option<Estimate>, value: f64| {
        assert!(
            (estimate.unwrap().estimate - value).abs() < 0.01 * value,
            "{estimate:?}"
        );
    };
    let [base_serial, .., new_serial, _, new_threads] = &summary.cells[..6] else {
        unreachable!("six cells")
    };
    assert_eq!(
        base_serial.vs_baseline_difference, None,
        "the baseline is not compared with itself"
    );
    assert_eq!(new_serial.vs_baseline, Some(summary.arm_ratios[0].ratio));
    near(new_threads.speedup, 1.664);
    near(new_threads.vs_baseline, 1.997);
    near(new_threads.ceiling_fraction, 0.832);
    assert_eq!(new_threads.interpreter_label(), "3.13 new");
    let (without, trials) = drifting_run();
    assert!(summarise("r", &without, &trials).arm_ratios.is_empty());
}
