//! What runs were made on and with, and whether a series is still measured.

use super::tests::{names, options};
use super::*;
use ftbench_fixtures::nights::{Machine, Step, multiply, runs};
use ftbench_schema::history::RunSettings;
use ftbench_schema::{Kernels, WorkloadKind};

#[test]
fn what_waits_and_what_memory_binds_do_not_follow_the_computing_kernels() {
    let machine = Machine {
        workloads: 9,
        kinds: &[WorkloadKind::Cpu, WorkloadKind::Io, WorkloadKind::Memory],
        common_noise: 0.05,
        // The machine computes 8 % faster from one night on, and waits as long as before.
        common_step: Some((25, 1.0 / 1.08)),
        ..Machine::default()
    };
    let history = analyse(runs(30, &[], machine), options());
    let drift: Vec<(Kernels, usize, usize, bool)> = history
        .drift
        .iter()
        .map(|drift| (drift.kernels, drift.pus, drift.native_series, drift.divided))
        .collect();
    assert_eq!(
        drift,
        [
            (Kernels::Computing, 1, 3, true),
            (Kernels::Computing, 2, 3, true),
            (Kernels::Memory, 1, 3, true),
            (Kernels::Memory, 2, 3, true)
        ]
    );
    assert!(history.changes.is_empty(), "{:?}", names(&history));
    for series in &history.series {
        let Subject::Cell(key) = &series.subject else {
            continue;
        };
        let is_as_measured = |night: &Night| night.adjusted == night.value.map(|value| value.estimate);
        let waits = ["w1", "w4", "w7"].contains(&key.workload.as_str());
        assert_eq!(series.nights.iter().all(is_as_measured), waits, "{key}");
    }
}

#[test]
fn what_happens_on_two_pus_only_is_not_divided_out_of_one() {
    let shares_cores = Machine {
        noise: 0.005,
        common_noise_on_two_pus: 0.15,
        ..Machine::default()
    };
    let slower = Step {
        workload: "w2",
        interpreter: "3.13t",
        night: 20,
        ratio: 1.1,
    };
    let history = analyse(runs(30, &[slower], shares_cores), options());
    assert_eq!(history.drift.len(), 2, "{:?}", history.drift);
    let (on_one, on_two) = (&history.drift[0], &history.drift[1]);
    assert_eq!((on_one.pus, on_two.pus), (1, 2));
    assert!(on_one.spread < 0.02, "{on_one:?}");
    assert!(
        on_two.divided && on_two.spread > 5.0 * on_two.spread_divided,
        "{on_two:?}"
    );
    for series in &history.series {
        let changes = history
            .changes
            .iter()
            .filter(|change| history.series[change.series].subject == series.subject);
        let is_slower = matches!(&series.subject, Subject::Cell(key) if key.workload == "w2" && key.interpreter == "3.13t");
        assert_eq!(changes.count(), usize::from(is_slower), "{:?}", series.subject);
    }
}

#[test]
fn a_run_without_the_ceiling_leaves_the_others_divided() {
    let drifting = Machine {
        common_noise: 0.07,
        ..Machine::default()
    };
    let mut all = runs(30, &[], drifting);
    let last = all.last_mut().unwrap();
    last.readings.retain(|reading| !reading.key.is_native());
    for workload in last.workloads.values_mut() {
        workload.kernel = None;
    }
    let history = analyse(all, options());
    assert!(
        history.drift.len() == 2 && history.drift.iter().all(|drift| drift.divided),
        "{:?}",
        history.drift
    );
}

#[test]
fn other_settings_make_other_series() {
    let mut all = runs(30, &[], Machine::default());
    for (number, run) in all.iter_mut().enumerate() {
        // As they were before settings were kept.
        if number < 10 {
            run.settings = None;
        }
        if (15..23).contains(&number) {
            run.settings.as_mut().unwrap().pin = "none".to_owned();
            multiply(run, 1.4);
        }
        if number == 29 {
            run.settings.as_mut().unwrap().target_sample_s = 0.06;
            multiply(run, 1.1);
        }
    }
    let history = analyse(all, options());
    let settings = |pin: &str, target_sample_s: f64| RunSettings {
        pin: pin.to_owned(),
        target_sample_s,
    };
    assert_eq!(
        history.settings,
        [
            settings("cores", 0.1),
            settings("none", 0.1),
            settings("cores", 0.06)
        ]
    );
    assert!(history.changes.is_empty(), "{:?}", names(&history));
    assert_eq!(history.runs[0].settings, Some(0));
    for series in &history.series {
        let nights = [21, 8, 1][series.settings.unwrap()];
        assert_eq!(series.nights.len(), nights);
        assert!(series.missing == 0 && !series.new);
    }
}

#[test]
fn settings_that_no_run_recorded_divide_nothing() {
    let mut all = runs(12, &[], Machine::default());
    for run in &mut all {
        run.settings = None;
    }
    let history = analyse(all, options());
    assert!(history.settings.is_empty());
    assert!(
        history
            .series
            .iter()
            .all(|series| series.settings.is_none() && series.nights.len() == 12)
    );
}

/// A regression that is recent for some nights.
const SLOWER: [Step; 1] = [Step {
    workload: "w3",
    interpreter: "3.13t",
    night: 22,
    ratio: 1.15,
}];

#[test]
fn a_benchmark_that_was_taken_out_does_not_fail_for_ever() {
    let without = |nights: usize| {
        let mut all = runs(nights, &SLOWER, Machine::default());
        for run in all.iter_mut().skip(27) {
            run.readings.retain(|reading| reading.key.workload != "w3");
        }
        analyse(all, options())
    };
    let of_cells = |history: &History| {
        let is_cell = |change: &&Change| matches!(history.series[change.series].subject, Subject::Cell(_));
        history.regressions().filter(is_cell).count()
    };
    assert_eq!(of_cells(&without(27)), 2);
    assert_eq!(of_cells(&without(33)), 2, "six nights without it may be a gap");
    let history = without(34);
    assert_eq!(of_cells(&history), 0);
    assert!(!history.changes.is_empty(), "the change is told all the same");
}

#[test]
fn a_machine_that_was_given_up_does_not_fail_for_ever() {
    let moved = |nights: usize| {
        let mut all = runs(nights, &SLOWER, Machine::default());
        for run in all.iter_mut().skip(27) {
            run.machine.cpu_model = "newer".to_owned();
        }
        analyse(all, options()).regressions().count()
    };
    assert!(moved(33) > 0);
    assert_eq!(moved(34), 0);
}

#[test]
fn machines_that_take_turns_are_all_current() {
    // Ten machines, one run of each a night: the newest run of the first is not among the newest seven.
    let turns: Vec<usize> = (0..100).map(|run| run % 10).collect();
    assert!(machines::is_current(90, &turns));
    assert!(
        machines::is_current(30, &turns),
        "the sixth but newest of its machine"
    );
    assert!(!machines::is_current(20, &turns));
    let given_up = [vec![0; 10], vec![1; 6]].concat();
    assert!(machines::is_current(9, &given_up));
    assert!(!machines::is_current(9, &[vec![0; 10], vec![1; 7]].concat()));
}
