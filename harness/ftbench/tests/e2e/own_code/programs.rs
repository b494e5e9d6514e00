//! Calls, whole programs, and work that brings its own parallelism.

use ftbench_schema::{CellStatus, Model, TrialStatus, WarningKind};

use super::{finished, run_with};
use crate::support::{CommandOutput, Sandbox, allowed_pus, pair};

const FIBO: &str = "
def fibo(n):
    return n if n < 2 else fibo(n - 1) + fibo(n - 2)

async def later(n):
    return fibo(n)
";

/// Prints its number of threads, and a variable.
const PROGRAM: &str = "
import os, sys, threading

def count():
    for _ in range(20_000):
        pass

threads = [threading.Thread(target=count) for _ in range(int(sys.argv[1]))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(threads) == int(os.environ['FTBENCH_WORKERS']), os.environ['WHO'])
";

/// Divides its units among as many threads as it may use PUs.
const DIVIDES: &str = "
import threading

def count(units):
    for _ in range(units * 1000):
        pass

def work(data, units, workers):
    threads = [threading.Thread(target=count, args=(units // workers,)) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
";

/// Starts four threads without being asked to.
const POOL: &str = "
import concurrent.futures, hashlib

BYTES = bytes(200_000)

def work(data, units):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(hashlib.sha256, [BYTES] * 4 * units))
";

/// Uses a single thread although it learns how many workers there are.
const ALONE: &str = "
def work(data, units, workers):
    return sum(number * number for number in range(units * 1000))
";

fn run(sandbox: &Sandbox, words: &str, options: &[(&str, &str)]) -> CommandOutput {
    run_with(sandbox, &format!("--rounds 1 --samples 2 {words}"), options)
}

fn workers() -> u32 {
    if allowed_pus().len() >= 2 { 2 } else { 1 }
}

#[test]
fn calls_are_measured_with_their_setup_and_awaited() {
    let sandbox = Sandbox::sharing_the_machine();
    sandbox.file("fibo.py", FIBO);
    let options = [
        ("--call", "fibo(10)"),
        ("--call", "later( 10 )"),
        ("--setup", "from fibo import fibo, later"),
    ];
    let output = run(&sandbox, "-m threads,asyncio -n 1", &options);
    let run = finished(&sandbox, output, 0);
    run.all_ok("fibo(10)");
    run.all_ok("later( 10 )");
    let manifest = run.manifest();
    let call = manifest.workloads[0].call.as_ref().unwrap();
    assert_eq!(
        (call.call.as_str(), call.setup.as_str()),
        ("fibo(10)", "from fibo import fibo, later")
    );
    // The module is known, so that a changed one is noticed when the run is resumed.
    let modules = manifest.modules.unwrap();
    assert!(modules.iter().any(|module| module.name == "fibo"), "{modules:?}");
}

#[test]
fn programs_are_started_on_every_interpreter_and_number_of_pus() {
    let sandbox = Sandbox::sharing_the_machine();
    sandbox.file("program.py", PROGRAM);
    let options = [
        ("--command", "{python} program.py {workers}"),
        ("--command", "{python} -c 'import sys; sum(range({units}00))'"),
        ("--env", "WHO=me"),
    ];
    let output = run(&sandbox, &format!("-n {}", workers()), &options);
    let run = finished(&sandbox, output, 0);
    for name in ["program.py {workers}", "-c 'import sys; sum(range({units}00))'"] {
        run.all_ok(name);
        for tag in pair().tags() {
            assert_eq!(
                run.cell(name, tag, Model::Internal, workers()).status,
                CellStatus::Ok
            );
        }
    }
    let manifest = run.manifest();
    assert_eq!(manifest.environment["WHO"], "me");
    assert_eq!(manifest.variables, ["WHO"]);
    assert_eq!(manifest.workloads[0].units, Some(1));
    assert!(manifest.workloads[1].units > Some(1));
    for trial in run.trials() {
        let counted = trial.counted_samples();
        let bound = &trial.workers[0].bound_to;
        assert_eq!(
            (trial.workers.len(), bound.len()),
            (1, trial.cell.workers as usize)
        );
        assert!(
            counted
                .filter_map(|sample| sample.cost.as_ref())
                .all(|cost| cost.cpu_time_ns > Some(0))
        );
        // An empty program of the interpreter.
        assert!(trial.startup_ns > Some(1_000_000), "{:?}", trial.startup_ns);
    }
}

#[test]
fn failing_programs_have_their_reasons_and_the_others_are_measured() {
    let sandbox = Sandbox::sharing_the_machine();
    for (name, command, expected, status, reason) in [
        (
            "missing",
            "./no-such-program",
            None,
            TrialStatus::Failed,
            "cannot start ./no-such-program",
        ),
        (
            "status",
            "sh -c 'exit 3'",
            None,
            TrialStatus::Failed,
            "ended with exit status 3",
        ),
        (
            "printed",
            "echo wrong",
            Some("right"),
            TrialStatus::WrongResult,
            "it printed 'wrong",
        ),
        (
            "children",
            "sh -c 'sleep 600 & exit 0'",
            None,
            TrialStatus::Failed,
            "processes that it started did not",
        ),
    ] {
        let mut options = vec![("--command", command)];
        options.extend(expected.map(|text| ("--expect-output", text)));
        let output = run(&sandbox, "-n 1 --timeout 20", &options);
        let run = finished(&sandbox, output, 1);
        for trial in run.trials() {
            let given = trial.reason.clone().unwrap_or_default();
            assert_eq!(trial.status, status, "{name}: {given}");
            assert!(given.contains(reason), "{name}: {given}");
        }
        std::fs::remove_dir_all(&run.folder).unwrap();
    }
}

#[test]
fn wrong_calls_and_commands_are_refused_with_the_remedy() {
    let sandbox = Sandbox::new();
    let refused =
        |options: &[(&str, &str)], words: &[&str]| run(&sandbox, "--dry-run", options).refuses(words, 2);
    refused(&[("--call", " ")], &["--call", "it is empty"]);
    refused(&[("--command", "")], &["--command", "it is empty"]);
    refused(
        &[("--command", "no-such-program {workers}")],
        &[
            "cannot start 'no-such-program {workers}'",
            "give its path, or install it",
        ],
    );
    refused(&[("--env", "WHO")], &["NAME=VALUE"]);
    refused(&[("--env", "PYTHONPATH=/x")], &["ftbench sets PYTHONPATH itself"]);
    refused(&[("--env", "PYTHON_GIL=0")], &["'3.14t+gil'"]);
}

#[test]
fn work_that_takes_workers_or_starts_threads_is_measured_as_internal() {
    let sandbox = Sandbox::new();
    let files = [("divides.py", DIVIDES), ("pool.py", POOL), ("alone.py", ALONE)];
    let files = files.map(|(name, contents)| sandbox.file(name, contents));
    let count = workers();
    let output = run(&sandbox, &format!("{} -n {count}", files.join(" ")), &[]);
    let run = finished(&sandbox, output, 0);
    let tag = pair().free_threaded.as_str();
    for workload in ["divides", "pool", "alone"] {
        run.all_ok(workload);
        let models = run
            .manifest()
            .workloads
            .into_iter()
            .find(|one| one.name == workload)
            .unwrap()
            .models;
        assert_eq!(models, [Model::Internal], "{workload}");
        run.cell(workload, tag, Model::Internal, count);
    }
    let said = "pool starts threads or processes of its own, so it is measured with the model internal";
    assert!(run.output.stderr.contains(said), "{}", run.output.stderr);
    let warnings = run.summary().warnings;
    let warned = |kind: WarningKind| warnings.iter().any(|warning| warning.kind == kind);
    assert!(!warned(WarningKind::StartsThreads), "{warnings:?}");
    if count > 1 {
        let alone = warnings
            .iter()
            .find(|warning| warning.kind == WarningKind::UsesOnePu);
        assert_eq!(alone.unwrap().workloads, ["alone"]);
    }
    // Other models make no sense for it.
    std::fs::remove_dir_all(&run.folder).unwrap();
    let output = self::run(&sandbox, &format!("{} -m threads -n 1", files[0]), &[]);
    let run = finished(&sandbox, output, 0);
    let cell = run.cell("divides", tag, Model::Threads, 1);
    assert_eq!(
        cell.reason.as_deref(),
        Some("the workload supports the models internal only")
    );
}
