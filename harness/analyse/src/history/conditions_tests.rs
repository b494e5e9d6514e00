//! Tests of the conditions of runs, and of whether a series is still measured.

use super::tests::{names, options};
use super::*;
use ftbench_fixtures::nights::{Machine, Step, multiply, runs};
use ftbench_schema::history::RunSettings;
use ftbench_schema::{KernelGroup, WorkloadKind};

#[test]
fn drift_of_computing_kernels_is_not_divided_out_of_waiting_or_memory_bound_cells() {
    let machine = Machine {
        workloads: 9,
        kinds: &[WorkloadKind::Cpu, WorkloadKind::Io, WorkloadKind::Memory],
        common_noise: 0.05,
        // From this night on, the machine computes 8 % faster, but waiting takes as long as before.
        common_step: Some((25, 1.0 / 1.08)),
        ..Machine::default()
    };
    let history = analyse(runs(30, &[], machine), options());
    let drift: Vec<(KernelGroup, usize, usize, bool)> = history
        .drift
        .iter()
        .map(|drift| (drift.kernels, drift.pus, drift.native_series, drift.divided))
        .collect();
    assert_eq!(
        drift,
        [
            (KernelGroup::Computing, 1, 3, true),
            (KernelGroup::Computing, 2, 3, true),
            (KernelGroup::Memory, 1, 3, true),
            (KernelGroup::Memory, 2, 3, true)
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
fn drift_on_two_pus_is_not_divided_out_of_cells_on_one() {
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
fn run_without_the_ceiling_does_not_affect_the_drift_of_others() {
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
fn different_settings_form_different_series() {
    let mut all = runs(30, &[], Machine::default());
    for (number, run) in all.iter_mut().enumerate() {
        // As recorded by versions without settings.
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
fn missing_settings_do_not_split_series() {
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

/// A regression that is recent for a few nights.
const SLOWER: [Step; 1] = [Step {
    workload: "w3",
    interpreter: "3.13t",
    night: 22,
    ratio: 1.15,
}];

#[test]
fn removed_benchmark_stops_being_a_regression() {
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
    assert!(!history.changes.is_empty(), "the change is still reported");
}

#[test]
fn regression_on_an_abandoned_machine_stops_being_reported() {
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
fn machines_used_in_rotation_are_all_current() {
    // Ten machines with one run each per night: the newest run of the first machine is not among the newest seven runs.
    let turns: Vec<usize> = (0..100).map(|run| run % 10).collect();
    assert!(machines::is_current(90, &turns));
    assert!(
        machines::is_current(30, &turns),
        "the seventh newest of its machine"
    );
    assert!(!machines::is_current(20, &turns));
    let given_up = [vec![0; 10], vec![1; 6]].concat();
    assert!(machines::is_current(9, &given_up));
    assert!(!machines::is_current(9, &[vec![0; 10], vec![1; 7]].concat()));
}
