#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::*;
use ftbench_fixtures::interpreters::interpreter;
use ftbench_fixtures::records::{cell, manifest};
use ftbench_schema::JitState;

/// The times of each build by workload, one for each round.
type Times<'a> = [(&'a str, &'a str, Model, &'a [f64])];

fn overheads(kinds: &[(&str, WorkloadKind)], times: &Times<'_>) -> Vec<Overhead> {
    let mut manifest = manifest(&[]);
    let like = manifest.workloads.remove(0);
    manifest.workloads = kinds
        .iter()
        .map(|(name, kind)| {
            let mut workload = like.clone();
            workload.name = (*name).to_owned();
            workload.kind = *kind;
            workload
        })
        .collect();
    let cells: Vec<(Cell, Makespans)> = times
        .iter()
        .map(|(interpreter, workload, model, times)| {
            let mut cell = cell(interpreter, *model, 1);
            cell.workload = (*workload).to_owned();
            (cell, (0..).zip(times.iter().copied()).collect())
        })
        .collect();
    let makespans: BTreeMap<&Cell, &Makespans> = cells.iter().map(|(cell, times)| (cell, times)).collect();
    of_pairs(&manifest, &|cell| makespans.get(cell).copied())
}

fn near(estimate: Estimate, value: f64) {
    assert!(
        (estimate.estimate - value).abs() < 1e-9,
        "{estimate:?} is not {value}"
    );
    assert!(estimate.low <= estimate.estimate + 1e-9 && estimate.estimate <= estimate.high + 1e-9);
}

#[test]
fn geometric_mean_covers_the_workloads_that_compute() {
    let found = overheads(
        &[
            ("fib", WorkloadKind::Cpu),
            ("sha256", WorkloadKind::Cpu),
            ("http_fetch", WorkloadKind::Io),
        ],
        &[
            ("3.13", "fib", Model::Serial, &[1.0, 2.0, 3.0]),
            ("3.13t", "fib", Model::Serial, &[4.0, 8.0, 12.0]),
            ("3.13", "sha256", Model::Serial, &[1.0, 1.0, 1.0]),
            ("3.13t", "sha256", Model::Serial, &[1.0, 1.0, 1.0]),
            ("3.13", "http_fetch", Model::Serial, &[1.0, 1.0, 1.0]),
            ("3.13t", "http_fetch", Model::Serial, &[9.0, 9.0, 9.0]),
        ],
    );
    let names: Vec<_> = found
        .iter()
        .map(|overhead| overhead.workload.as_deref())
        .collect();
    assert_eq!(names, [Some("fib"), Some("sha256"), Some("http_fetch"), None]);
    near(found[0].ratio, 4.0);
    near(found[2].ratio, 9.0);
    near(found[3].ratio, 2.0);
    assert_eq!(found[3].workloads, 2);
    assert_eq!(
        (found[3].gil.as_str(), found[3].free_threaded.as_str()),
        ("3.13", "3.13t")
    );
}

#[test]
fn threads_replace_missing_serial_cells_and_models_are_not_mixed() {
    let times: &[f64] = &[2.0, 2.0, 2.0];
    let kinds = [("fib", WorkloadKind::Cpu)];
    let with_threads = overheads(
        &kinds,
        &[
            ("3.13", "fib", Model::Serial, &[1.0, 1.0, 1.0]),
            ("3.13", "fib", Model::Threads, &[1.0, 1.0, 1.0]),
            ("3.13t", "fib", Model::Threads, times),
        ],
    );
    assert_eq!(with_threads.len(), 2);
    near(with_threads[0].ratio, 2.0);
    let unlike = overheads(
        &kinds,
        &[
            ("3.13", "fib", Model::Serial, times),
            ("3.13t", "fib", Model::Threads, times),
        ],
    );
    assert!(unlike.is_empty());
}

#[test]
fn mean_uses_only_rounds_that_all_workloads_have() {
    let found = overheads(
        &[("a", WorkloadKind::Cpu), ("b", WorkloadKind::Cpu)],
        &[
            ("3.13", "a", Model::Serial, &[1.0, 1.0, 1.0, 1.0]),
            ("3.13t", "a", Model::Serial, &[4.0, 4.0, 4.0, 400.0]),
            ("3.13", "b", Model::Serial, &[1.0, 1.0, 1.0]),
            ("3.13t", "b", Model::Serial, &[1.0, 1.0, 1.0]),
        ],
    );
    near(found[2].ratio, 2.0);
}

#[test]
fn pairs_have_the_same_minor_version_and_options() {
    let build = interpreter;
    let mut with_jit = build("3.14+jit", "3.14.2");
    with_jit.build.jit = true;
    // A JIT that is compiled in but not used makes no difference.
    let mut idle_jit = build("3.13", "3.13.15");
    idle_jit.build.jit = true;
    idle_jit.jit = Some(JitState::Off);
    // A free-threaded build whose GIL is on without being requested is not comparable.
    let mut forced = build("3.14t", "3.14.1");
    forced.free_threaded = true;
    forced.gil = GilState::On;
    let mut with_gil = forced.clone();
    with_gil.tag = "3.14t+gil".to_owned();
    with_gil.switches = vec![Switch::Gil];
    let interpreters = [
        idle_jit,
        build("3.13t", "3.13.5"),
        build("3.14", "3.14.2"),
        build("3.14t", "3.14.2"),
        with_jit,
        forced,
        with_gil,
    ];
    assert_eq!(
        pairs(&interpreters),
        [("3.13", "3.13t"), ("3.14", "3.14t"), ("3.14", "3.14t+gil")]
    );
}
