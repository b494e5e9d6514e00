//! The ceiling, end to end: on this machine, with real interpreters where `ftbench run` finds some.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

fn ftbench() -> Command {
    Command::cargo_bin("ftbench").unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn is_native(cell: &&Value) -> bool {
    cell["interpreter"] == "native"
}

/// The largest number of workers to ask for: two where this machine allows as many.
fn workers() -> u64 {
    let output = ftbench().args(["topology", "--format", "json"]).output().unwrap();
    let topology: Value = serde_json::from_slice(&output.stdout).unwrap();
    let order = topology["order"].as_array().map_or(1, Vec::len);
    u64::try_from(order).unwrap().min(2)
}

/// Runs a workload for five rounds, the fewest whose intervals can be relied on.
fn run(out: &Path, arguments: &[&str]) {
    ftbench()
        .args([
            "run",
            "--rounds",
            "5",
            "--profile",
            "quick",
            "-m",
            "threads",
            "-n",
            "1,2",
            "--out",
        ])
        .arg(out)
        .args(arguments)
        .assert()
        .success();
}

#[test]
fn a_run_has_the_ceiling_beside_it() {
    if workers() < 2 {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    run(&out, &["fib"]);
    let summary = json(&out.join("summary.json"));
    let cells = summary["cells"].as_array().unwrap();
    let native: Vec<&Value> = cells.iter().filter(is_native).collect();
    assert_eq!(native.len(), 2);
    for cell in &native {
        assert_eq!(
            (&cell["status"], &cell["host"], &cell["model"], &cell["gil"]),
            (&"ok".into(), &"spawn".into(), &"threads".into(), &Value::Null),
            "{cell}"
        );
        assert_eq!(
            (&cell["ceiling_fraction"], &cell["vs_baseline"]),
            (&Value::Null, &Value::Null)
        );
        assert!(cell["speedup"]["low"].is_f64());
        let same = |other: &&Value| !is_native(other) && other["workers"] == cell["workers"];
        for other in cells.iter().filter(same) {
            assert_eq!(other["placement"], cell["placement"]);
        }
    }
    for cell in cells.iter().filter(|cell| !is_native(cell)) {
        let fraction = &cell["ceiling_fraction"];
        if cell["model"] == "serial" {
            assert!(fraction.is_null());
            continue;
        }
        let end = |name: &str| fraction[name].as_f64().unwrap();
        assert!(
            end("low") <= end("estimate") && end("estimate") <= end("high") && end("low") > 0.0,
            "{cell}"
        );
    }
    manifest_and_trials_tell_of_the_kernel(&out);
}

fn manifest_and_trials_tell_of_the_kernel(out: &Path) {
    let manifest = json(&out.join("run.json"));
    let workload = &manifest["workloads"][0];
    assert_eq!(workload["ceiling"]["kernel"], "integer");
    let trials = fs::read_to_string(out.join("trials.jsonl")).unwrap();
    let trials: Vec<Value> = trials
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for trial in &trials {
        let units = if trial["cell"]["interpreter"] == "native" {
            &workload["ceiling"]["units"]
        } else {
            &workload["units"]
        };
        assert_eq!(
            (&trial["units"], &trial["status"]),
            (units, &"ok".into()),
            "{trial}"
        );
        for worker in trial["workers"].as_array().unwrap() {
            let number = usize::try_from(worker["worker"].as_u64().unwrap()).unwrap();
            assert_eq!(
                worker["bound_to"],
                serde_json::json!([trial["placement"][number]])
            );
        }
    }
    let native = |trial: &&Value| trial["cell"]["interpreter"] == "native";
    assert_eq!(trials.iter().filter(native).count(), 10);
}

#[test]
fn no_ceiling_where_none_is_wanted_or_makes_sense() {
    for arguments in [["fib", "--no-ceiling"], ["http_fetch", "--pin=none"]] {
        let output = ftbench()
            .args(["run", "--dry-run", "--format", "json", "-m", "threads"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success());
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
        let cells = plan["cells"].as_array().unwrap();
        assert!(
            !cells.is_empty() && !cells.iter().any(|cell| is_native(&cell)),
            "{arguments:?}"
        );
    }
}

#[test]
fn every_kernel_runs_as_a_worker_of_a_real_driver() {
    if workers() < 2 {
        return;
    }
    for kernel in ["floating_point", "memory_bandwidth"] {
        let folder = tempfile::tempdir().unwrap();
        let workload = folder.path().join("adder.py");
        fs::write(
            &workload,
            format!(
                "# /// script\n# [tool.ftbench]\n# ceiling = \"{kernel}\"\n# ///\n\
                 def work(data, units):\n    return sum(range(units * 1000))\n"
            ),
        )
        .unwrap();
        let out = folder.path().join("run");
        run(&out, &[workload.to_str().unwrap()]);
        let summary = json(&out.join("summary.json"));
        assert_eq!(summary["workloads"][0]["ceiling"]["kernel"], kernel);
        let cells = summary["cells"].as_array().unwrap();
        let native: Vec<&Value> = cells.iter().filter(is_native).collect();
        assert!(
            native.len() == 2 && native.iter().all(|cell| cell["status"] == "ok"),
            "{native:?}"
        );
    }
}

#[test]
fn a_native_worker_without_a_driver_says_so() {
    ftbench()
        .args(["native-worker", "--kernel", "integer", "--channel", "77", "78"])
        .assert()
        .code(2)
        .stderr(predicates::str::contains("ftbench itself starts this command"));
}
