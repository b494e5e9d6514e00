//! Memory that grows from sample to sample, and time in garbage collections.

use ftbench_schema::{Sample, WarningKind};

use crate::support::{Sandbox, counts, pair};

/// Keeps 2 MiB more after each sample.
const LEAKS: &str = "
KEPT = []

def work(data, units):
    KEPT.append(b'x' * (2 << 20))
    return [sum(range(1000)) for _ in range(units)]
";

/// Has much memory, and needs as much again for a moment.
const LARGE: &str = "
def setup(units):
    return [b'x' * (1 << 20) for _ in range(64)]

def work(data, units):
    copy = b''.join(data[:8])
    return [sum(range(1000)) for _ in range(units)]
";

const COLLECTS: &str = "
import gc

def work(data, units):
    for _ in range(units):
        gc.collect()
";

#[test]
fn leak_causes_a_warning_and_a_large_working_set_none() {
    let sandbox = Sandbox::sharing_the_machine();
    let files = [sandbox.file("leaks.py", LEAKS), sandbox.file("large.py", LARGE)];
    let words = format!(
        "-p {} -m threads,processes -n 1 --rounds 3 --samples 6 --warmup 1ms --no-ceiling {}",
        pair().words(),
        files.join(" ")
    );
    let run = sandbox.run("out", &words, 0);
    let mut warnings = run.summary().warnings;
    warnings.retain(|warning| warning.kind == WarningKind::MemoryGrows);
    let of: Vec<&[String]> = warnings
        .iter()
        .map(|warning| warning.workloads.as_slice())
        .collect();
    assert_eq!(of, [["leaks"]], "{warnings:?}");
    for cell in run.cells("leaks") {
        let growth_bytes = cell.memory_growth_bytes.unwrap().estimate;
        assert!(growth_bytes > f64::from(1 << 20), "{}: {growth_bytes}", cell.cell);
    }
}

#[test]
fn time_in_collections_is_recorded_for_every_model() {
    let sandbox = Sandbox::sharing_the_machine();
    let file = sandbox.file("collects.py", COLLECTS);
    let words = format!(
        "-p {} -m serial,threads,processes,interpreters,asyncio -n {} --rounds 3 --samples 2 --no-ceiling {file}",
        pair().words(),
        counts()
    );
    let run = sandbox.run("out", &words, 0);
    for trial in run.trials() {
        let within = |sample: &Sample| {
            let [count, total_ns, longest_ns] = [
                sample.collections,
                sample.collection_ns,
                sample.longest_collection_ns,
            ]
            .map(Option::unwrap);
            let possible_ns = sample.makespan_ns() * u64::from(trial.cell.workers);
            count > 0 && longest_ns > 0 && longest_ns <= total_ns && total_ns <= possible_ns
        };
        let outside = trial.samples.iter().find(|sample| !within(sample));
        assert!(outside.is_none(), "{}: {outside:?}", trial.cell);
    }
    for cell in run.cells("collects") {
        if cell.rounds > 0 {
            assert!(cell.collection_fraction.unwrap().estimate > 0.0, "{}", cell.cell);
            assert!(cell.longest_collection_s.unwrap().estimate > 0.0, "{}", cell.cell);
        }
    }
}
