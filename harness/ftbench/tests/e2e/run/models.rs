//! Every model and every workload of the suite runs, on both builds.

use std::collections::BTreeSet;

use ftbench_schema::{CellStatus, Model, Trial};

use crate::support::{Run, Sandbox, allowed_pus, counts, has_no_wheel_yet, pair};

#[test]
fn every_model_runs_on_both_builds() {
    let sandbox = Sandbox::sharing_the_machine();
    let names = Model::ALL.map(Model::name).join(",");
    let workers = if allowed_pus().len() >= 2 { 2 } else { 1 };
    let words = format!("fib -p {} -m {names} -n {workers} --rounds 1", pair().words());
    let run = sandbox.run("models", &words, 0);
    for tag in pair().tags() {
        for model in Model::ALL {
            let count = if model == Model::Serial { 1 } else { workers };
            let cell = run.cell("fib", tag, model, count);
            if model == Model::Interpreters && !has_interpreter_pool(tag) {
                assert_eq!(cell.status, CellStatus::Skipped);
                assert!(cell.reason.unwrap().contains("has no InterpreterPoolExecutor"));
            } else {
                assert_eq!(cell.status, CellStatus::Ok, "{:?}", cell.reason);
            }
        }
    }
    for trial in run.trials() {
        assert_runs_as_its_model_requires(&trial);
    }
}

/// Whether CPython of this version has `InterpreterPoolExecutor`, which came with 3.14.
fn has_interpreter_pool(tag: &str) -> bool {
    let minor = tag.trim_end_matches('t').rsplit('.').next();
    minor
        .and_then(|minor| minor.parse::<u32>().ok())
        .is_some_and(|minor| minor >= 14)
}

fn assert_runs_as_its_model_requires(trial: &Trial) {
    let cell = &trial.cell;
    let processes: BTreeSet<i32> = trial.workers.iter().map(|worker| worker.process_id).collect();
    let threads: BTreeSet<i32> = trial.workers.iter().map(|worker| worker.thread_id).collect();
    let many = cell.workers as usize;
    let expected = match cell.model.family() {
        Model::Processes => (many, many),
        Model::Threads | Model::Interpreters | Model::AsyncioThreads => (1, many),
        _ => (1, 1),
    };
    assert_eq!((processes.len(), threads.len()), expected, "{cell}");
    let named = cell.model.name().strip_prefix("processes:");
    match (named, cell.model) {
        (Some(named), _) => assert_eq!(trial.start_method.as_deref(), Some(named), "{cell}"),
        (None, Model::Processes) => assert!(trial.start_method.is_some(), "{cell}"),
        (None, _) => assert_eq!(trial.start_method, None, "{cell}"),
    }
}

#[test]
fn the_whole_suite_passes_its_checks() {
    let sandbox = Sandbox::sharing_the_machine();
    // One sample of each cell shows that its check passes; other tests look at the figures.
    let words = format!(
        "-p {} -n {} --rounds 1 --samples 1 --sample-time 10ms --warmup 1ms --no-ceiling",
        pair().words(),
        counts()
    );
    let output = sandbox.ftbench(&format!("run --profile quick --out suite {words}"));
    let run = Run {
        folder: sandbox.path().join("suite"),
        output,
    };
    let summary = run.summary();
    let failed: Vec<_> = summary
        .cells
        .iter()
        .filter(|cell| cell.status.is_failure())
        .collect();
    run.output.exits_with(i32::from(!failed.is_empty()));
    for cell in failed {
        assert!(
            has_no_wheel_yet(cell, &summary),
            "{}: {:?}",
            cell.cell,
            cell.reason
        );
    }
    let measured = summary.cells.iter().filter(|cell| cell.status == CellStatus::Ok);
    let workloads: BTreeSet<&str> = measured.map(|cell| cell.workload.as_str()).collect();
    assert!(
        workloads.len() > 60,
        "{} workloads: {workloads:?}",
        workloads.len()
    );
    let lost: Vec<f64> = run
        .trials()
        .iter()
        .filter(|trial| trial.cell.workload == "counter_race" && trial.cell.workers == 1)
        .flat_map(|trial| &trial.samples)
        .map(|sample| sample.reported["lost_updates"])
        .collect();
    assert!(
        !lost.is_empty() && lost.iter().all(|lost| *lost == 0.0),
        "one worker loses nothing: {lost:?}"
    );
    let models =
        |workload: &str| -> BTreeSet<Model> { run.cells(workload).iter().map(|cell| cell.model).collect() };
    assert!(models("http_fetch").contains(&Model::AsyncioThreads));
    assert!(
        !models("counter_lock").contains(&Model::Processes),
        "processes share no counter"
    );
}

#[test]
fn a_model_that_makes_no_sense_for_a_workload_is_skipped_with_the_reason() {
    let sandbox = Sandbox::sharing_the_machine();
    let gil = &pair().gil;
    let words = format!("counter_lock -p {gil} -m serial,processes -n 1 --rounds 1");
    let run = sandbox.run("skipped", &words, 0);
    let skipped = run.cell("counter_lock", gil, Model::Processes, 1);
    assert_eq!(skipped.status, CellStatus::Skipped);
    let reason = skipped.reason.unwrap();
    assert!(
        reason.contains("supports the models serial, threads only"),
        "{reason}"
    );
    let measured = run.cell("counter_lock", gil, Model::Serial, 1);
    assert_eq!(measured.status, CellStatus::Ok);
    assert!(run.trials().iter().all(|trial| trial.cell.model == Model::Serial));
}
