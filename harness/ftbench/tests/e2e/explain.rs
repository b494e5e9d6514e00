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

/// Attempts on a machine that other programs use.
const ATTEMPTS: u32 = 3;

/// The explanation of one case on the free-threaded build, of the first attempt in which the workers ran most of the
/// time, or of the last; `None` where nothing can be explained.
fn explained(case: &str) -> Option<Value> {
    if allowed_pus().len() < 2 || cfg!(not(target_arch = "x86_64")) {
        println!("skipped: needs two PUs of x86-64");
        return None;
    }
    let sandbox = Sandbox::new();
    let file = sandbox.file("known.py", KNOWN);
    let tag = &pair().free_threaded;
    let attempt = || {
        let output = sandbox.ftbench(&format!("explain {file}::{case} -p {tag} -n 2 --format json"));
        output.exits_with(0);
        output.json()["explanations"][0].clone()
    };
    let mut explanation = attempt();
    for _ in 1..ATTEMPTS {
        if !waits_for_pus(&explanation) {
            break;
        }
        explanation = attempt();
    }
    if waits_for_pus(&explanation) {
        println!("skipped: other programs use the PUs");
        return None;
    }
    assert_eq!(explanation["workers"], 2);
    assert!(
        explanation["cost"]["samples"].as_u64().unwrap() > 100,
        "{explanation}"
    );
    let time = explanation["time"].as_array().unwrap();
    let sum: f64 = time
        .iter()
        .map(|row| row["all_workers_ns"]["estimate"].as_f64().unwrap())
        .sum();
    let total = explanation["total"]["all_workers_ns"]["estimate"]
        .as_f64()
        .unwrap();
    assert!((sum / total - 1.0).abs() < 1e-6, "{explanation}");
    Some(explanation)
}

/// Whether workers were ready to run and did not for half of the time.
fn waits_for_pus(explanation: &Value) -> bool {
    let of = |row: &Value| row["all_workers_ns"]["estimate"].as_f64().unwrap();
    let time = explanation["time"].as_array().unwrap();
    let waiting = time.iter().find(|row| row["category"] == "waiting for a PU");
    waiting.is_some_and(|row| of(row) > 0.5 * of(&explanation["total"]))
}

/// The first contended object of an explanation.
fn first<'a>(explanation: &'a Value, key: &str) -> &'a str {
    explanation["contended"][0][key].as_str().unwrap_or_default()
}

#[test]
fn shared_reference_counts_of_a_list_and_its_element_are_named() {
    let Some(explanation) = explained("elements") else {
        return;
    };
    let named: Vec<&str> = explanation["contended"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["object"].as_str())
        .collect();
    assert!(
        named.iter().any(|name| name.starts_with("known.LIST")),
        "{explanation}"
    );
    assert_eq!(
        first(&explanation, "field"),
        "shared reference count",
        "{explanation}"
    );
    assert_eq!(explanation["contended"][0]["functions"][0], "work_elements");
    assert_eq!(
        explanation["time"][0]["category"], "shared reference counts",
        "{explanation}"
    );
}

#[test]
fn lock_of_the_workload_is_named() {
    let Some(explanation) = explained("lock") else {
        return;
    };
    assert_eq!(first(&explanation, "object"), "known.LOCK", "{explanation}");
    assert_eq!(first(&explanation, "type"), "_thread.lock");
    assert_eq!(
        explanation["time"][0]["category"], "locks of Python code",
        "{explanation}"
    );
}

#[test]
fn nothing_is_named_where_nothing_is_shared() {
    let Some(explanation) = explained("nothing") else {
        return;
    };
    assert_eq!(
        explanation["contended"],
        Value::Array(Vec::new()),
        "{explanation}"
    );
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
