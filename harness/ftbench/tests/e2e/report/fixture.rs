//! A synthetic run folder, with names that try to break out of a page.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Sets a mark on the window if it is ever executed.
pub const SCRIPT: &str = "<script>window.broken=1</script>";
/// Tries to close the element that holds the data of the charts.
pub const END: &str = "</script><script>window.broken=1</script><!--";
/// Tries to break out of an attribute.
pub const ATTRIBUTE: &str = "\" onmouseover=\"window.broken=1\" autofocus onfocus=\"window.broken=1\" x=\"'><img src=x onerror=window.broken=1>";

/// The numbers of workers of every curve.
pub const WORKERS: [u32; 4] = [1, 2, 4, 8];
/// The number of rounds, enough for intervals.
pub const ROUNDS: u32 = 6;

/// The names of the workloads, in the order of the plan.
pub fn workloads() -> [String; 3] {
    [
        "fib".to_owned(),
        format!("{SCRIPT}{ATTRIBUTE}"),
        "broken".to_owned(),
    ]
}

fn interpreter(tag: &str, free_threaded: bool) -> Value {
    let gil = if free_threaded { "off" } else { "on" };
    json!({
        "tag": tag, "path": format!("/python/{END}"), "version": "3.13.15", "implementation": "CPython",
        "free_threaded": free_threaded, "gil": gil,
        "build": {"pgo": false, "lto": false, "jit": false, "debug": false, "shared": false,
                  "compiler": ATTRIBUTE, "optimisation": "-O3"},
    })
}

fn cells() -> Vec<Value> {
    let mut cells = Vec::new();
    for workload in workloads() {
        for interpreter in ["3.13", "3.13t"] {
            for model in ["serial", "threads", "processes", "interpreters"] {
                for workers in WORKERS {
                    if model == "serial" && workers > 1 {
                        continue;
                    }
                    let mut cell = json!({
                        "interpreter": interpreter, "host": "spawn", "workload": workload, "model": model,
                        "workers": workers, "placement": (0..workers).collect::<Vec<u32>>(),
                    });
                    if model == "interpreters" {
                        cell["skipped"] = json!(format!("{interpreter} has none {SCRIPT}"));
                    }
                    cells.push(cell);
                }
            }
        }
    }
    cells
}

fn manifest(cells: &[Value]) -> Value {
    let workload = |name: &String| {
        json!({
            "name": name, "kind": "cpu", "summary": format!("{SCRIPT} sums"), "models": [], "dependencies": [END],
            "source": "javascript:window.broken=1 and https://example.org/paper", "shows": ATTRIBUTE,
            "path": "/w/fib.py", "sha256": "0123456789abcdef", "units": 128,
        })
    };
    json!({
        "schema": 1, "ftbench_version": "0.1.0", "command_line": ["ftbench", "run", END],
        "started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:10:00Z", "status": "complete",
        "stopped_by": "rounds", "seed": 7,
        "machine": {"hostname": END, "cpu_model": SCRIPT, "os": ATTRIBUTE, "kernel": "6.1", "architecture": "x86_64",
                    "memory_bytes": 8_000_000_000_u64, "cpu_quota": null,
                    "topology": {"packages": 1, "numa_nodes": 1, "cores": 8, "pus": 8,
                                 "allowed_pus": [0, 1, 2, 3, 4, 5, 6, 7]}},
        "interpreters": [interpreter("3.13", false), interpreter("3.13t", true)],
        "workloads": workloads().iter().map(workload).collect::<Vec<Value>>(),
        "plan": {"settings": {"profile": "quick",
                              "stopping": {"fewest_rounds": 5, "most_rounds": 6, "precision": null, "budget_s": null},
                              "warmups": 1, "samples": 3, "target_sample_s": 0.1, "step_time_limit_s": 60.0,
                              "scaling": "strong", "pin": SCRIPT},
                 "baseline": "3.13", "cells": cells},
        "environment": {"PATH": END}, "sources": [{"name": "steal", "readable": true, "from": SCRIPT}],
        "warnings": [{"kind": "builds_differ", "message": format!("{SCRIPT}{ATTRIBUTE}")}],
    })
}

/// The makespan of a sample: threads scale on the free-threaded build and do not on the other.
fn makespan_ns(cell: &Value, round: u32, sample: u32) -> u64 {
    let workers = cell["workers"].as_u64().unwrap();
    let free = cell["interpreter"] == "3.13t";
    let one_ns = if free { 130_000_000 } else { 100_000_000 };
    let scales = cell["model"] == "processes" || (cell["model"] == "threads" && free);
    let share_ns = if scales {
        one_ns / workers
    } else {
        one_ns + 1_000_000 * (workers - 1)
    };
    // A ripple that differs from cell to cell, so that intervals have a width.
    let ripple = u64::from((round * 7 + sample * 3 + u32::try_from(workers).unwrap() * 5) % 11);
    share_ns + share_ns * ripple / 500
}

fn trial(number: u32, round: u32, cell: &Value) -> Value {
    let name = cell["workload"].as_str().unwrap();
    let mut of_trial = cell.clone();
    let placement = of_trial.as_object_mut().unwrap().remove("placement").unwrap();
    let failed = name == "broken" && cell["model"] == "threads";
    let sample = |sample: u32| {
        let end_ns = 1_000 + makespan_ns(cell, round, sample);
        let mut record = json!({
            "sample": sample, "warmup": sample == 0, "start_ns": 1_000, "end_ns": end_ns,
            "gil_enabled": cell["interpreter"] == "3.13", "moved": false, "shares": [],
            "noise": {"interval_ns": 200_000_000, "pus": [0], "steal_ns": 0, "others_ns": 0,
                      "disturbed_by": if round == 1 { json!(["others"]) } else { json!([]) }},
        });
        if name == "fib" {
            record["reported"] = json!({(SCRIPT): 0.25 * f64::from(sample)});
        }
        record
    };
    let mut trial = json!({
        "schema": 1, "trial": number, "round": round, "cell": of_trial, "placement": placement, "units": 128,
        "started_at": "2026-01-01T00:00:00Z", "duration_ns": 400_000_000, "hash_seed": 1,
        "status": if failed { "failed" } else { "ok" }, "gil_enabled": cell["interpreter"] == "3.13",
        "startup_ns": 1_000_000, "workers": [],
        "samples": if failed { Vec::new() } else { (0..4).map(sample).collect() },
        "memory": {"processes": [], "pss_peak_bytes": 20_000_000},
    });
    if failed {
        trial["reason"] = json!(format!("ValueError: {SCRIPT}"));
        trial["last_words"] = json!(format!(
            "Traceback (most recent call last):\n  File \"broken.py\"\n{END}"
        ));
    }
    trial
}

/// Writes the run folder below `below` and returns its path.
pub fn run_folder(below: &Path) -> PathBuf {
    let folder = below.join("run <b>1");
    std::fs::create_dir_all(&folder).unwrap();
    let cells = cells();
    std::fs::write(folder.join("run.json"), manifest(&cells).to_string()).unwrap();
    let mut lines = String::new();
    let mut number = 0;
    for round in 0..ROUNDS {
        for cell in cells.iter().filter(|cell| cell.get("skipped").is_none()) {
            lines.push_str(&trial(number, round, cell).to_string());
            lines.push('\n');
            number += 1;
        }
    }
    std::fs::write(folder.join("trials.jsonl"), lines).unwrap();
    folder
}
