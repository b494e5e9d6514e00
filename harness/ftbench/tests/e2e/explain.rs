//! `ftbench explain`, with the free-threaded build of the pair: known causes, a control, and what is refused.

use serde_json::Value;

use crate::support::{Sandbox, allowed_pus, pair};

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
# ///
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
fn failing_workload_ends_it_with_its_reason() {
    let sandbox = Sandbox::sharing_the_machine();
    let file = sandbox.file("known.py", KNOWN);
    let tag = &pair().free_threaded;
    let output = sandbox.ftbench(&format!("explain {file}::ends -p {tag} -n 2 --quiet"));
    output.exits_with(1);
    assert_eq!(output.stdout, "");
    output.stderr_has(&["known.ends", tag, "ValueError: known to fail"]);
}

#[test]
fn one_worker_is_refused_because_there_is_nothing_to_compare() {
    let sandbox = Sandbox::sharing_the_machine();
    let tag = &pair().free_threaded;
    let output = sandbox.ftbench(&format!("explain fib -p {tag} -n 1 --quiet"));
    output.refuses(&["fib has no cells with 1 and with more threads", "-n"], 1);
}
