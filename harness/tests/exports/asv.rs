//! The real asv reads the results tree.

use std::process::Command;

use super::support::told;
use super::{Golden, tools};

/// Loads every file of a tree with asv's own classes, and prints what it finds.
const LOAD: &str = r#"
import json, sys
from pathlib import Path
from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.machine import Machine
from asv.results import Results, iter_results
conf = Config()
conf.results_dir = sys.argv[1]
conf.project = "made-up"
benchmarks = Benchmarks.load(conf)
found = {}
for results in iter_results(conf.results_dir):
    machine = Machine.load(conf.results_dir, machine_name=results.params["machine"])
    assert machine.num_cpu == "2", machine.__dict__
    assert results.commit_hash == "0123456789abcdef", results.commit_hash
    for name in results.get_result_keys(benchmarks):
        values = results.get_result_value(name, benchmarks[name]["params"])
        stats = results.get_result_stats(name, benchmarks[name]["params"])
        samples = results.get_result_samples(name, benchmarks[name]["params"])
        assert all(len(one) == 5 for one in samples if one), samples
        assert all(one["ci_99_a"] <= value <= one["ci_99_b"] for one, value in zip(stats, values) if value), stats
        found[f"{results.env_name} {name}"] = values
print(json.dumps(found))
"#;

#[test]
fn asv_loads_the_tree() {
    let golden = Golden::new();
    let words = "--format asv --commit 0123456789abcdef --commit-date 2026-11-20T10:00:00Z --out results";
    assert_eq!(golden.export(words), "");
    let mut load = Command::new(tools::python());
    load.args(["-c", LOAD]).arg(golden.path("results"));
    let told = told(load);
    told.ends_with(0);
    let found = told.json();
    assert_eq!(
        found["3.13t ftbench.time_fib_threads"].as_array().unwrap().len(),
        2
    );
    let one = found["3.13 ftbench.time_fib_serial"][0].as_f64().unwrap();
    // A unit of fib takes about half a millisecond.
    assert!((1e-4..1e-2).contains(&one), "{one}");
    // asv tells of it in a repository that has the commit.
    assert_eq!(found.as_object().unwrap().len(), 16);
}

#[test]
fn asv_wants_a_commit_and_a_folder() {
    let golden = Golden::new();
    let told = golden.sandbox.ftbench("export run --format asv");
    told.refuses(&["--commit", "--out"], 4);
    let told = golden
        .sandbox
        .ftbench("export run --format asv --commit main --out results");
    told.refuses(&["'main' is no commit"], 2);
    let told = golden
        .sandbox
        .ftbench("export run --format asv --commit 01234567 --out run/run.json");
    told.refuses(&["is a file"], 2);
}
