//! Trials that take turns, and what happens to the others when one of them misbehaves.

use std::collections::BTreeMap;

use ftbench_schema::{CellStatus, Model, Trial, TrialStatus, WarningKind};

use crate::support::{Run, Sandbox, pair};

/// A workload that runs `FAULT` in its fifteenth call on the free-threaded build's main thread: after the warm-up and
/// before the last sweep.
const WORK: &str = "\
import os, sysconfig, threading, time

calls = 0

def spin():
    while True:
        pass

def work(data, units):
    global calls
    calls += 1
    chosen = sysconfig.get_config_var('Py_GIL_DISABLED') and threading.current_thread() is threading.main_thread()
    if chosen and calls == 15:
        FAULT
    return sum(number * number for number in range(units * 100))
";

const SWEEPS: u32 = 16;

/// Runs four cells: `serial` and one thread on each build.
fn run(sandbox: &Sandbox, fault: &str, more: &str, status: i32) -> Run {
    run_with(sandbox, fault, &format!("--samples {SWEEPS} {more}"), status)
}

fn run_with(sandbox: &Sandbox, fault: &str, more: &str, status: i32) -> Run {
    let file = sandbox.file("work.py", WORK.replace("FAULT", fault));
    let words = format!(
        "{file} -p {} -m serial,threads -n 1 --rounds 1 --sample-time 20ms --no-ceiling {more}",
        pair().words()
    );
    sandbox.run("run", &words, status)
}

/// Whether this is a trial in which the fault happens.
fn is_faulty(trial: &Trial) -> bool {
    trial.cell.interpreter == pair().free_threaded && trial.cell.model == Model::Serial
}

/// Checks the turns of these trials: each has one sample in every one of the first `sweeps` sweeps, and a sweep is over
/// before the next one begins.
#[track_caller]
fn assert_turns(trials: &[&Trial], sweeps: u32) {
    let mut by_sweep: BTreeMap<u32, Vec<(u32, u64, u64)>> = BTreeMap::new();
    for trial in trials {
        assert_eq!(trial.group, trials[0].group, "{}", trial.cell);
        assert!(trial.group.is_some(), "{}", trial.cell);
        for sample in trial.samples.iter().filter(|sample| sample.turn.is_some()) {
            let turn = sample.turn.unwrap();
            let samples = by_sweep.entry(turn.sweep).or_default();
            samples.push((turn.position, sample.start_ns, sample.end_ns));
        }
    }
    assert!(by_sweep.keys().copied().eq(0..sweeps), "{by_sweep:?}");
    let mut last_end_ns = 0;
    for (sweep, mut samples) in by_sweep {
        samples.sort_unstable();
        assert_eq!(samples.len(), trials.len(), "sweep {sweep}");
        for (_, start_ns, end_ns) in samples {
            assert!(last_end_ns <= start_ns, "sweep {sweep} overlaps");
            last_end_ns = end_ns;
        }
    }
}

#[test]
fn compared_trials_take_turns() {
    let sandbox = Sandbox::new();
    let run = run(&sandbox, "pass", "", 0);
    let trials = run.trials();
    assert_turns(&trials.iter().collect::<Vec<_>>(), SWEEPS);
    let orders: std::collections::BTreeSet<Vec<u32>> = (0..SWEEPS)
        .map(|sweep| {
            let of_sweep = |trial: &Trial| {
                let turns = trial.samples.iter().filter_map(|sample| sample.turn);
                turns
                    .filter(|turn| turn.sweep == sweep)
                    .map(|turn| turn.position)
                    .next()
            };
            trials.iter().filter_map(of_sweep).collect()
        })
        .collect();
    assert!(orders.len() > 4, "the same order in most sweeps: {orders:?}");
}

#[test]
fn the_order_trials_measures_trials_one_after_another() {
    let sandbox = Sandbox::new();
    let run = run(&sandbox, "pass", "--order trials", 0);
    for trial in run.trials() {
        assert_eq!(trial.group, None);
        assert!(trial.samples.iter().all(|sample| sample.turn.is_none()));
    }
}

#[test]
fn a_trial_that_dies_in_a_sweep_costs_the_others_nothing() {
    for (fault, more, status) in [
        ("os._exit(3)", "", TrialStatus::Failed),
        ("time.sleep(1000)", "--timeout 10", TrialStatus::TimedOut),
    ] {
        let sandbox = Sandbox::new();
        let run = run(&sandbox, fault, more, 1);
        let trials = run.trials();
        let (ended, others): (Vec<&Trial>, Vec<&Trial>) = trials.iter().partition(|trial| is_faulty(trial));
        assert_eq!(ended.len(), 1, "{fault}");
        assert_eq!(ended[0].status, status, "{fault}");
        assert_eq!(ended[0].samples.len(), 14, "{fault}");
        assert_turns(&others, SWEEPS);
        for trial in others {
            assert_eq!(trial.status, TrialStatus::Ok, "{fault}: {}", trial.cell);
            // One more than the sweeps when a sweep was broken off after this trial's turn.
            let counted = trial.counted_samples().count() as u32;
            assert!((SWEEPS..=SWEEPS + 1).contains(&counted), "{fault}: {counted}");
        }
    }
}

#[test]
fn a_trial_that_computes_while_it_waits_is_measured_alone() {
    let sandbox = Sandbox::new();
    let run = run(
        &sandbox,
        "threading.Thread(target=spin, daemon=True).start()",
        "",
        0,
    );
    let trials = run.trials();
    let (alone, others): (Vec<&Trial>, Vec<&Trial>) = trials.iter().partition(|trial| is_faulty(trial));
    assert_eq!(alone.len(), 1);
    assert_eq!((alone[0].group, alone[0].status), (None, TrialStatus::Ok));
    assert!(alone[0].waiting_cpu_ns.unwrap() > 1_000_000);
    assert_eq!(alone[0].counted_samples().count() as u32, SWEEPS);
    assert_turns(&others, SWEEPS);
    let summary = run.summary();
    let warned = summary
        .warnings
        .iter()
        .find(|warning| warning.kind == WarningKind::ComputesWhileWaiting);
    assert!(warned.unwrap().message.contains("measured alone"));
    assert!(summary.cells.iter().all(|cell| cell.status == CellStatus::Ok));
}

#[test]
fn a_much_slower_trial_takes_its_turns() {
    let sandbox = Sandbox::new();
    let run = run_with(
        &sandbox,
        "pass\n    if chosen:\n        time.sleep(0.5)",
        "--samples 3",
        0,
    );
    assert_turns(&run.trials().iter().collect::<Vec<_>>(), 3);
}

#[test]
fn trials_that_do_not_fit_into_memory_together_are_split_into_groups() {
    let sandbox = Sandbox::new();
    let file = sandbox.file(
        "large.py",
        "def setup(units):\n    return bytearray(200_000_000)\n\n\
         def work(data, units):\n    return sum(number * number for number in range(units * 100))\n",
    );
    let words = format!(
        "{file} -p {} -m serial,threads -n 1 --rounds 2 --samples 3 --no-ceiling --memory-limit 700MiB",
        pair().words()
    );
    let run = sandbox.run("run", &words, 0);
    for round in 0..2 {
        let mut groups: BTreeMap<Option<u64>, usize> = BTreeMap::new();
        for trial in run.trials().iter().filter(|trial| trial.round == round) {
            *groups.entry(trial.group).or_default() += 1;
        }
        assert_eq!(groups.values().sum::<usize>(), 4);
        assert!(
            groups
                .iter()
                .all(|(group, &trials)| group.is_none() || trials <= 3),
            "{groups:?}"
        );
    }
}
