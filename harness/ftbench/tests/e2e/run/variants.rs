//! Run-time switches: `3.13t+gil` is measured as an interpreter of its own, with the switch set in every process.

use std::collections::BTreeSet;

use ftbench_schema::{CellStatus, GilState, Manifest, Model, Switch};

use crate::support::{Sandbox, allowed_pus, interpreters, pair};

/// A workload that checks the switch of every worker from inside `work`.
const CHECKS_SWITCH: &str = "
import os
import sys

def work(data, units):
    for _ in range(units * 1000):
        pass
    return os.environ.get('PYTHON_GIL'), sys._is_gil_enabled()

def check(results, units):
    for variable, enabled in results:
        assert variable == '1', variable
        assert enabled, 'the GIL is off'
";

fn with_gil() -> String {
    format!("{}+gil", pair().free_threaded)
}

#[test]
fn a_build_is_measured_with_and_without_its_gil_in_one_run() {
    let sandbox = Sandbox::new();
    let workers = 2.min(allowed_pus().len());
    let forced = with_gil();
    let words = format!(
        "fib -p {},{forced} -m threads -n {workers} --rounds 3",
        pair().words()
    );
    let run = sandbox.run("out", &words, 0);
    run.all_ok("fib");
    let workers = u32::try_from(workers).unwrap();
    let [gil, free_threaded] = pair().tags();
    for (tag, state) in [
        (gil, GilState::On),
        (free_threaded, GilState::Off),
        (&forced, GilState::On),
    ] {
        let cell = run.cell("fib", tag, Model::Threads, workers);
        assert_eq!((cell.status, cell.gil), (CellStatus::Ok, Some(state)), "{tag}");
        for trial in run.trials().iter().filter(|trial| trial.cell.interpreter == tag) {
            assert!(
                trial
                    .samples
                    .iter()
                    .all(|sample| GilState::from_enabled(sample.gil_enabled) == state),
                "{tag}"
            );
        }
    }
    let manifest = run.manifest();
    assert_eq!(manifest.plan.baseline, gil);
    assert_recorded(&manifest, &forced);
    let summary = run.summary();
    assert!(summary.warnings.iter().all(|one| !one.message.contains("differ")));
    let compared: BTreeSet<(&str, &str)> = summary
        .free_threading_overhead
        .iter()
        .map(|one| (one.gil.as_str(), one.free_threaded.as_str()))
        .collect();
    assert_eq!(
        compared,
        BTreeSet::from([(gil, free_threaded), (gil, forced.as_str())])
    );
    let chart = run.text("charts/fib.svg");
    for tag in [gil, free_threaded, &forced] {
        assert!(
            chart.contains(&format!(" {tag} threads: ")),
            "no {tag} in the chart"
        );
    }
}

/// Checks that the build and its variant are one executable and differ only in the switch.
fn assert_recorded(manifest: &Manifest, forced: &str) {
    let of = |tag: &str| {
        let found = manifest.interpreters.iter().find(|one| one.tag == tag);
        found.unwrap_or_else(|| panic!("no {tag}"))
    };
    let (build, variant) = (of(&pair().free_threaded), of(forced));
    assert_eq!(build.path, variant.path);
    assert_eq!((build.gil, build.switches.as_slice()), (GilState::Off, &[][..]));
    assert_eq!(
        (variant.gil, variant.switches.as_slice()),
        (GilState::On, &[Switch::Gil][..])
    );
    assert!(variant.free_threaded);
    assert!(!manifest.environment.contains_key("PYTHON_GIL"));
}

#[test]
fn the_processes_of_a_pool_inherit_the_switch() {
    let sandbox = Sandbox::new();
    let workload = sandbox.file("checks_switch.py", CHECKS_SWITCH);
    let mut command = sandbox.command(&format!(
        "run {workload} -p {} -m processes:spawn,processes:forkserver,processes:fork -n 1 --rounds 1 --out out",
        with_gil()
    ));
    // The variable in the user's own environment has no effect.
    command.env("PYTHON_GIL", "0");
    let output = crate::support::output_of(command);
    output.exits_with(0);
    let run = crate::support::Run {
        folder: sandbox.path().join("out"),
        output,
    };
    run.all_ok("checks_switch");
    for cell in run.cells("checks_switch") {
        assert_eq!(cell.gil, Some(GilState::On), "{}", cell.cell);
    }
}

#[test]
fn an_unsupported_switch_is_refused_with_an_alternative() {
    let sandbox = Sandbox::new();
    let [gil, free_threaded] = pair().tags();
    let fails = |status: i32, word: &str, words: &[&str]| {
        for command in ["run fib", "doctor"] {
            sandbox
                .ftbench(&format!("{command} -p {gil} -p {word}"))
                .fails(status, words, 2);
        }
    };
    let refuses = |word: &str, words: &[&str]| fails(2, word, words);
    refuses(
        &format!("{gil}+gil"),
        &["a GIL build always runs with its GIL on", &with_gil()],
    );
    refuses(
        &format!("{gil}+nogil"),
        &["cannot run without its GIL", &format!("{free_threaded}+nogil")],
    );
    refuses(
        &format!("{free_threaded}+foo"),
        &["unknown switch 'foo'", "did you mean", "gil, nogil, jit"],
    );
    refuses(&format!("{free_threaded}+gli"), &["did you mean 'gil'"]);
    refuses(&format!("{free_threaded}+gil+nogil"), &["PYTHON_GIL twice"]);
    fails(1, "3.99t+gil", &["no interpreter 3.99t was found"]);
    for one in interpreters() {
        // A path is handled like a tag.
        let has = |switch: &str| {
            let switches = one["available_switches"].as_array().unwrap();
            switches.iter().any(|other| other == switch)
        };
        if !has("jit") {
            let path = one["path"].as_str().unwrap();
            refuses(
                &format!("{path}+jit"),
                &["cannot be measured", "leave '+jit' out"],
            );
        }
    }
}
