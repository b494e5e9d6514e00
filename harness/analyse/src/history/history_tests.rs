use super::*;
use ftbench_fixtures::nights::{Machine, Step, multiply, runs};
use ftbench_schema::CellStatus;
use ftbench_schema::history::HistoryEnvironment;

pub fn options() -> Options {
    Options::default()
}

pub fn names(history: &History) -> Vec<(String, usize)> {
    let name = |series: &Series| match &series.subject {
        Subject::Cell(key) => key.to_string(),
        Subject::Mean { interpreter, .. } => format!("mean {interpreter}"),
    };
    history
        .changes
        .iter()
        .map(|change| (name(&history.series[change.series]), change.first_after))
        .collect()
}

#[test]
fn slowdown_is_detected_in_its_workload_only() {
    let steps = [Step {
        workload: "w3",
        interpreter: "3.13t",
        night: 20,
        ratio: 1.1,
    }];
    let history = analyse(runs(30, &steps, Machine::default()), options());
    assert_eq!(history.runs.len(), 30);
    let changes = names(&history);
    assert!(!changes.is_empty());
    for (name, night) in &changes {
        assert!(name.starts_with("w3 3.13t"), "{name}");
        assert!(night.abs_diff(20) <= 1, "{night}");
    }
    assert!(
        history
            .changes
            .iter()
            .all(|change| change.direction == Direction::Worse && !change.is_shared())
    );
    assert!(
        history.regressions().next().is_none(),
        "ten nights ago is not recent"
    );
    let recent = [Step {
        night: 25,
        ..steps[0]
    }];
    let history = analyse(runs(30, &recent, Machine::default()), options());
    assert!(history.regressions().next().is_some());
}

#[test]
fn drift_of_the_machine_is_divided_out() {
    let drifting = Machine {
        common_noise: 0.07,
        ..Machine::default()
    };
    let steps = [Step {
        workload: "w1",
        interpreter: "3.13",
        night: 15,
        ratio: 1.1,
    }];
    let history = analyse(runs(30, &steps, drifting), options());
    assert!(history.drift[0].divided, "{:?}", history.drift);
    assert!(history.drift[0].spread > 2.0 * history.drift[0].spread_divided);
    let changes = names(&history);
    assert!(
        !changes.is_empty() && changes.iter().all(|(name, _)| name.starts_with("w1 3.13 ")),
        "{changes:?}"
    );
    let kept = Options {
        divide_drift: false,
        ..options()
    };
    assert!(analyse(runs(30, &[], drifting), kept).drift.is_empty());
}

#[test]
fn change_of_machine_is_not_a_change_of_the_code() {
    let mut all = runs(30, &[], Machine::default());
    for run in all.iter_mut().skip(15) {
        run.machine.cpu_model = "slower".to_owned();
        multiply(run, 1.5);
    }
    let history = analyse(all, options());
    assert_eq!(history.machines.len(), 2);
    assert!(history.changes.is_empty(), "{:?}", names(&history));
    let marked: Vec<usize> = (0..30).filter(|run| history.runs[*run].machine_changed).collect();
    assert_eq!(marked, [15]);
}

#[test]
fn host_names_that_occur_only_once_are_ignored() {
    let mut all = runs(12, &[], Machine::default());
    for (number, run) in all.iter_mut().enumerate() {
        run.machine.hostname = format!("container-{number}");
    }
    let history = analyse(all, options());
    assert!(history.hostnames_left_out);
    assert_eq!(history.machines.len(), 1);
}

#[test]
fn gaps_failures_and_new_cells_are_reported() {
    let mut all = runs(20, &[], Machine::default());
    for (number, run) in all.iter_mut().enumerate() {
        run.readings
            .retain(|reading| reading.key.workload != "w0" || number >= 5);
        if number == 7 {
            run.readings.retain(|reading| reading.key.workload != "w1");
        }
        for reading in &mut run.readings {
            if number == 9 && reading.key.workload == "w2" {
                reading.status = CellStatus::Failed;
                reading.value = None;
            }
        }
    }
    let history = analyse(all, options());
    let of = |workload: &str| {
        let found = history
            .series
            .iter()
            .find(|series| matches!(&series.subject, Subject::Cell(key) if key.workload == workload));
        found.unwrap()
    };
    assert!(of("w0").new && of("w0").nights.len() == 15);
    assert_eq!(of("w1").missing, 1);
    assert_eq!(
        of("w2")
            .nights
            .iter()
            .filter(|night| night.status.is_failure())
            .count(),
        1
    );
    assert_eq!(of("w2").levels[0].nights, 19);
    assert!(!of("w3").new && of("w3").missing == 0);
}

#[test]
fn coinciding_differences_are_reported() {
    let steps = ["3.13", "3.13t"].map(|interpreter| Step {
        workload: "w2",
        interpreter,
        night: 12,
        ratio: 1.25,
    });
    let mut all = runs(24, &steps, Machine::default());
    for run in all.iter_mut().skip(12) {
        run.builds
            .insert("3.13".to_owned(), "CPython 3.13.16, -O3".to_owned());
        run.workloads.get_mut("w2").unwrap().sha256 = "feedbeef".to_owned();
        run.commit = Some("b".repeat(40));
    }
    let history = analyse(all, options());
    assert!(history.changes.len() >= 2);
    for change in &history.changes {
        let subject = &history.series[change.series].subject;
        assert!(
            matches!(subject, Subject::Cell(_)),
            "a changed file is not a change of a mean: {change:?}"
        );
        let Subject::Cell(key) = subject else { continue };
        let what: Vec<DifferenceKind> = change
            .coincides_with
            .iter()
            .map(|difference| difference.what)
            .collect();
        assert_eq!(
            what.contains(&DifferenceKind::Interpreter),
            key.interpreter == "3.13",
            "{key}"
        );
        assert!(what.contains(&DifferenceKind::Workload) && what.contains(&DifferenceKind::Commit));
        assert!(change.is_of_workload());
    }
}

#[test]
fn edited_workload_file_is_not_a_regression() {
    let steps = ["3.13", "3.13t"].map(|interpreter| Step {
        workload: "w2",
        interpreter,
        night: 25,
        ratio: 1.5,
    });
    let of_mean = |history: &History| {
        let is_mean =
            |change: &&Change| matches!(history.series[change.series].subject, Subject::Mean { .. });
        history.regressions().filter(is_mean).count()
    };
    let unedited = analyse(runs(30, &steps, Machine::default()), options());
    assert_eq!(
        of_mean(&unedited),
        2,
        "without an edit, both means are regressions"
    );
    // A change of level may be located one night off.
    for edited_at in [24, 25, 26] {
        let mut all = runs(30, &steps, Machine::default());
        for run in all.iter_mut().skip(edited_at) {
            run.workloads.get_mut("w2").unwrap().sha256 = "feedbeef".to_owned();
        }
        let history = analyse(all, options());
        let regressions: Vec<&Change> = history.regressions().collect();
        assert!(regressions.is_empty(), "{edited_at}: {regressions:?}");
        assert!(
            history
                .changes
                .iter()
                .filter(|change| change.is_of_workload())
                .count()
                >= 4
        );
    }
}

#[test]
fn changed_packages_and_profiles_are_reported_for_the_cells_that_they_affect() {
    let steps = [("w1", "3.13"), ("w2", "3.13")].map(|(workload, interpreter)| Step {
        workload,
        interpreter,
        night: 12,
        ratio: 1.25,
    });
    let mut all = runs(24, &steps, Machine::default());
    for (number, run) in all.iter_mut().enumerate() {
        let numpy = if number < 12 { "2.3.1" } else { "2.4.0" };
        run.environments = ["3.13", "3.13t"]
            .map(|interpreter| HistoryEnvironment {
                interpreter: interpreter.to_owned(),
                workloads: vec!["w2".to_owned()],
                arms: Vec::new(),
                packages: format!("mpmath 1.3.0, numpy {numpy}"),
            })
            .to_vec();
        if number >= 12 {
            run.profile = "thorough".to_owned();
        }
    }
    let history = analyse(all, options());
    let reported = |wanted: &str| -> Vec<&Difference> {
        let is_match = |change: &&Change| matches!(&history.series[change.series].subject, Subject::Cell(key) if key.workload == wanted);
        let change = history.changes.iter().find(is_match).unwrap();
        let differences = change.coincides_with.iter();
        differences
            .filter(|difference| difference.what != DifferenceKind::Commit)
            .collect()
    };
    let profile = Difference {
        what: DifferenceKind::Profile,
        before: "standard".to_owned(),
        after: "thorough".to_owned(),
    };
    let packages = Difference {
        what: DifferenceKind::Packages,
        before: "mpmath 1.3.0, numpy 2.3.1".to_owned(),
        after: "mpmath 1.3.0, numpy 2.4.0".to_owned(),
    };
    assert_eq!(reported("w1"), [&profile]);
    assert_eq!(reported("w2"), [&packages, &profile]);
    let mean = history
        .changes
        .iter()
        .find(|change| matches!(history.series[change.series].subject, Subject::Mean { .. }));
    assert!(mean.unwrap().coincides_with.contains(&packages));
}

#[test]
fn figures_of_a_change_are_consistent() {
    let steps = [
        ("w1", "3.13", 10, 1.06),
        ("w1", "3.13", 20, 1.2),
        ("w2", "3.13t", 15, 0.8),
    ]
    .map(|(workload, interpreter, night, ratio)| Step {
        workload,
        interpreter,
        night,
        ratio,
    });
    let mut changes = 0;
    for seed in 0..20 {
        let machine = Machine {
            seed,
            outlier_every: Some(12),
            ..Machine::default()
        };
        for change in analyse(runs(30, &steps, machine), options()).changes {
            let of_levels = change.after / change.before;
            assert!(
                (of_levels / change.ratio.estimate - 1.0).abs() < 1e-9,
                "{change:?}"
            );
            assert!(change.ratio.low < of_levels && of_levels < change.ratio.high);
            assert!(change.ratio.estimate.ln().abs() > options().smallest_effect.ln_1p());
            changes += 1;
        }
    }
    assert!(changes > 40, "{changes}");
}

#[test]
fn empty_and_single_run_histories_have_no_changes() {
    let none = analyse(Vec::new(), options());
    assert!(none.runs.is_empty() && none.series.is_empty());
    let one = analyse(runs(1, &[], Machine::default()), options());
    assert!(one.changes.is_empty() && one.series.iter().all(|series| series.levels.len() == 1));
}

/// Histories of 100 cells over 30 nights without a change: at most 5 % of them may report one.
#[test]
fn at_most_five_per_cent_of_quiet_histories_report_a_change() {
    for (name, machine) in [
        ("white", Machine::default()),
        (
            "outliers",
            Machine {
                outlier_every: Some(100),
                ..Machine::default()
            },
        ),
        (
            "autocorrelated",
            Machine {
                correlation: 0.5,
                ..Machine::default()
            },
        ),
        (
            "common drift",
            Machine {
                common_noise: 0.05,
                common_correlation: 0.7,
                ..Machine::default()
            },
        ),
    ] {
        let alarms = (0..100)
            .filter(|seed| {
                let quiet = Machine {
                    seed: *seed,
                    workloads: 25,
                    ..machine
                };
                !analyse(runs(30, &[], quiet), options()).changes.is_empty()
            })
            .count();
        assert!(alarms <= 5, "{alarms} of 100 histories, {name}");
    }
}
