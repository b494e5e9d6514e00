//! `ftbench explain`, with the free-threaded build of the pair: known causes, a control, and what is refused.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use ftbench_schema::CellSummary;
use serde_json::Value;

use crate::support::driver::wait_until;
use crate::support::mark::Mark;
use crate::support::{Sandbox, allowed_pus, executable, output_of, pair};

/// What several threads share, and what shares nothing. The works are as short as the samples allow.
const KNOWN: &str = r#"
# /// script
# [tool.ftbench]
# summary = "Known causes"
# [tool.ftbench.cases]
# elements = "One list that all read"
# lock = "One lock around a short section"
# nothing = "Nothing is shared"
# ends = "It fails in the work"
# crashes = "It ends its process once it is sampled"
# hangs = "It does not end once it is sampled"
# ///
import os
import signal
import threading

LOCK = threading.Lock()
LIST = [object()]


def work_elements(data, units):
    for _ in range(units):
        for _ in range(1000):
            LIST[0]


def work_lock(data, units):
    for _ in range(units):
        for _ in range(10):
            with LOCK:
                sum(range(20))


def work_nothing(data, units):
    for _ in range(units):
        # The constants are small integers, whose references are not counted.
        x = 1
        for _ in range(1000):
            x = (7 * x + 1) & 255


def work_ends(data, units):
    raise ValueError("known to fail")


def is_sampled():
    with open("/proc/self/maps") as file:
        return "sampler.so" in file.read()


def work_crashes(data, units):
    if is_sampled():
        os.kill(os.getpid(), signal.SIGSEGV)
    work_nothing(data, units)


def work_hangs(data, units):
    if is_sampled():
        threading.Event().wait()
    work_nothing(data, units)
"#;

/// Attempts on a machine that other programs use, too.
const ATTEMPTS: u32 = 3;

/// Explains a case on the free-threaded build until the explanation is the known one. Where that does not happen, other
/// programs must have used the PUs.
fn is_explained(case: &str, is_known: impl Fn(&Value) -> bool) {
    if allowed_pus().len() < 2 || cfg!(not(target_arch = "x86_64")) {
        println!("skipped: needs two PUs of x86-64");
        return;
    }
    let sandbox = Sandbox::new();
    let file = sandbox.file("known.py", KNOWN);
    let tag = &pair().free_threaded;
    let mut explanation = Value::Null;
    for _ in 0..ATTEMPTS {
        let output = sandbox.ftbench(&format!("explain {file}::{case} -p {tag} -n 2 --format json"));
        output.exits_with(0);
        explanation = output.json()["explanations"][0].clone();
        is_complete(&explanation);
        if is_known(&explanation) {
            return;
        }
    }
    assert!(waits_for_pus(&explanation), "{explanation}");
}

/// Checks what holds for every explanation.
fn is_complete(explanation: &Value) {
    assert_eq!(explanation["workers"], 2);
    let samples = explanation["cost"]["samples"].as_u64().unwrap();
    assert!(samples > 100, "{explanation}");
    let time = explanation["time"].as_array().unwrap();
    let sum: f64 = time.iter().map(of_all_workers_ns).sum();
    let total = of_all_workers_ns(&explanation["total"]);
    assert!((sum / total - 1.0).abs() < 1e-6, "{explanation}");
}

fn of_all_workers_ns(row: &Value) -> f64 {
    row["all_workers_ns"]["estimate"].as_f64().unwrap()
}

/// Whether workers were ready to run and did not for a fifth of the time, of which the text warns.
fn waits_for_pus(explanation: &Value) -> bool {
    let time = explanation["time"].as_array().unwrap();
    let waiting = time.iter().find(|row| row["category"] == "waiting for a PU");
    waiting.is_some_and(|row| of_all_workers_ns(row) > 0.2 * of_all_workers_ns(&explanation["total"]))
}

/// Whether several workers surely use more time of this category for a unit than one does.
fn rises(explanation: &Value, category: &str) -> bool {
    let time = explanation["time"].as_array().unwrap();
    let mut of_category = time.iter().filter(|row| row["category"] == category);
    of_category.any(|row| row["rise_ns"]["low"].as_f64().unwrap() > 0.0)
}

#[test]
fn shared_reference_counts_of_a_list_and_its_element_are_named() {
    is_explained("elements", |explanation| {
        let contended = explanation["contended"].as_array().unwrap();
        let mut named = contended.iter().filter_map(|one| one["object"].as_str());
        named.any(|name| name.starts_with("known.LIST"))
            && contended[0]["field"] == "shared reference count"
            && contended[0]["functions"][0] == "work_elements"
            && rises(explanation, "shared reference counts")
    });
}

#[test]
fn lock_of_the_workload_is_named() {
    is_explained("lock", |explanation| {
        let first = &explanation["contended"][0];
        first["object"] == "known.LOCK"
            && first["type"] == "_thread.lock"
            && rises(explanation, "locks of Python code")
    });
}

#[test]
fn nothing_is_named_where_nothing_is_shared() {
    is_explained("nothing", |explanation| {
        explanation["contended"] == Value::Array(Vec::new())
    });
}

#[test]
fn failing_workload_has_its_reason_and_the_others_are_explained() {
    let sandbox = Sandbox::sharing_the_machine();
    let file = sandbox.file("known.py", KNOWN);
    let tag = &pair().free_threaded;
    let output = sandbox.ftbench(&format!("explain {file}::ends -p {tag} -n 2 --quiet"));
    output.exits_with(1);
    assert_eq!(output.stdout, "");
    output.stderr_has(&["known.ends", tag, "ValueError: known to fail"]);

    let words = format!("explain {file}::ends {file}::nothing -p {tag} -n 2 --pin none --quiet");
    let output = sandbox.ftbench(&words);
    output.exits_with(1);
    output.stderr_has(&["known.ends", "failed: ValueError: known to fail"]);
    assert!(output.stdout.contains("known.nothing"), "{}", output.stdout);
}

#[test]
fn benchmark_that_skips_itself_is_not_called_failed() {
    let sandbox = Sandbox::sharing_the_machine();
    let file = sandbox.file(
        "bench.py",
        "def setup():\n    raise NotImplementedError('not here')\n\n\ndef time_it():\n    pass\n",
    );
    let tag = &pair().free_threaded;
    let output = sandbox.ftbench(&format!("explain {file} -p {tag} -n 2 --pin none --quiet"));
    output.refuses(
        &[
            "bench.time_it",
            "cannot be explained: it skips itself",
            "not here",
        ],
        2,
    );
}

#[test]
fn crash_and_hang_of_a_sampled_process_are_reported() {
    let sandbox = Sandbox::sharing_the_machine();
    let file = sandbox.file("known.py", KNOWN);
    let tag = &pair().free_threaded;
    for (case, why) in [("crashes", "killed by SIGSEGV"), ("hangs", "longer than 5 s")] {
        let mark = Mark::new(case);
        let mut command = sandbox.command(&format!(
            "explain {file}::{case} -p {tag} -n 2 --timeout 5 --quiet"
        ));
        mark.set_on(&mut command);
        let output = output_of(command);
        // The message, the part of the stacks that is shown, and where the rest is.
        output.fails(1, &[&format!("known.{case} on {tag}"), why], 10);
        assert!(!output.stderr.contains("Traceback"), "{}", output.stderr);
        wait_until("the end of all processes", || mark.processes().is_empty());
    }
}

#[test]
fn functions_of_a_stripped_interpreter_have_no_names_and_no_category() {
    let python = executable(&pair().free_threaded);
    let is_small = std::fs::metadata(&python).unwrap().len() < 1 << 20;
    if allowed_pus().len() < 2 || cfg!(not(target_arch = "x86_64")) || is_small {
        println!("skipped: needs two PUs of x86-64, and an interpreter without a shared library");
        return;
    }
    let sandbox = Sandbox::sharing_the_machine();
    let file = sandbox.file("known.py", KNOWN);
    let run = |program: &Path, words: &[&str]| {
        let done = Command::new(program)
            .args(words)
            .current_dir(sandbox.path())
            .status();
        assert!(done.unwrap().success(), "{words:?}");
    };
    run(&python, &["-m", "venv", "--copies", "--without-pip", "env"]);
    let stripped = sandbox.path().join("env/bin/python3");
    run(Path::new("strip"), &[stripped.to_str().unwrap()]);
    let words = format!(
        "explain {file}::elements -p {} -n 2 --format json",
        stripped.display()
    );
    let output = sandbox.ftbench(&words);
    output.exits_with(0);
    let explanation = &output.json()["explanations"][0];
    is_complete(explanation);
    assert_eq!(explanation["has_symbols"], false);
    let time = explanation["time"].as_array().unwrap();
    let mut categories = time.iter().map(|row| &row["category"]);
    assert!(
        categories.any(|category| category == "functions without names"),
        "{explanation}"
    );
}

#[test]
fn worst_curve_of_a_run_is_measured_again_and_the_run_is_unchanged() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("known.py", KNOWN);
    let tag = &pair().free_threaded;
    let words = format!("{file}::elements {file}::nothing -p {tag} -m threads -n 2 --pin none --no-ceiling");
    let run = sandbox.run("out", &words, 0);
    let files = files_of(&run.folder);

    let output = sandbox.ftbench("explain out --worst 1 --format json");
    output.exits_with(0);
    let explanations = output.json()["explanations"].clone();
    let [only] = explanations.as_array().unwrap().as_slice() else {
        panic!("{explanations}")
    };
    is_complete(only);
    let efficiency = |cell: &CellSummary| cell.efficiency.unwrap().estimate;
    let summary = run.summary();
    let of_two = summary.cells.iter().filter(|cell| cell.workers == 2);
    let worst = of_two.min_by(|a, b| efficiency(a).total_cmp(&efficiency(b)));
    assert_eq!(only["workload"], worst.unwrap().workload);
    assert_eq!(only["interpreter"], *tag);

    let refused = |words: &str, why: &[&str]| {
        sandbox
            .ftbench(&format!("explain {words} --quiet"))
            .refuses(why, 5)
    };
    refused("out#3.0", &["no figures of several threads on 3.0"]);
    refused(&format!("out -p {tag}"), &["--python", "a run"]);
    refused("out fib", &["out is a run"]);
    refused("fib --worst 1", &["--worst"]);
    sandbox.file("known.py", format!("{KNOWN}\n"));
    refused("out", &["known.elements", "known.nothing", "sha256 was"]);
    assert_eq!(files_of(&run.folder), files);
}

/// When the files in a folder were changed, by name.
fn files_of(folder: &Path) -> BTreeMap<OsString, SystemTime> {
    let files = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    files
        .map(|entry| (entry.file_name(), entry.metadata().unwrap().modified().unwrap()))
        .collect()
}

#[test]
fn one_worker_is_refused_because_there_is_nothing_to_compare() {
    let sandbox = Sandbox::sharing_the_machine();
    let tag = &pair().free_threaded;
    let output = sandbox.ftbench(&format!("explain fib -p {tag} -n 1 --quiet"));
    output.refuses(&["fib has no cells with 1 and with more threads", "-n"], 1);
    let output = sandbox.ftbench(&format!("explain fib -p {tag} -m processes"));
    output.refuses(&["only threads can be explained"], 1);
}
