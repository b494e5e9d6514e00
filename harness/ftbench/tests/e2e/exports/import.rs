//! `ftbench import` turns pyperf's files into a run that every command accepts.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use ftbench::record::store;
use ftbench_analyse::estimate::Makespans;
use ftbench_schema::{Cell, Trial};

use super::{Golden, tools};
use crate::support::{Sandbox, output_of};

/// Measures with pyperf, in three processes, into a file.
fn measure_with_pyperf(sandbox: &Sandbox, name: &str) {
    let output = tools::run(
        sandbox.path(),
        &format!("pyperf timeit -p3 -n3 -w1 -l512 -q --name summing sum(range(1000)) -o {name}"),
    );
    output.exits_with(0);
}

/// Trial values per unit of work, seconds, by cell and round.
fn unit_times(trials: &[Trial]) -> BTreeMap<Cell, Vec<(u32, f64)>> {
    let mut by_cell: BTreeMap<Cell, Vec<&Trial>> = BTreeMap::new();
    for trial in trials {
        by_cell.entry(trial.cell.clone()).or_default().push(trial);
    }
    by_cell
        .into_iter()
        .map(|(cell, trials)| {
            let units = trials[0].units as f64;
            let values = Makespans::of(&trials).by_round().into_iter();
            (
                cell,
                values.map(|(round, value)| (round, value / units)).collect(),
            )
        })
        .collect()
}

#[test]
fn an_exported_run_keeps_its_times_when_imported() {
    let golden = Golden::new();
    golden
        .sandbox
        .ftbench("export run --format pyperf --out out")
        .exits_with(0);
    let output = golden
        .sandbox
        .ftbench("import out/3.13.json out/3.13t.json --out back");
    output.exits_with(0);
    let before = store::read(&golden.path("run")).unwrap();
    let after = store::read(&golden.path("back")).unwrap();
    let mut wanted = unit_times(&before.trials);
    wanted.retain(|cell, _| !cell.is_native());
    let found = unit_times(&after.trials);
    assert_eq!(
        wanted.keys().collect::<Vec<_>>(),
        found.keys().collect::<Vec<_>>()
    );
    for (cell, values) in wanted {
        for ((round, value), (found_round, found_value)) in values.into_iter().zip(&found[&cell]) {
            assert_eq!(round, *found_round, "{cell}");
            assert!(
                (value / found_value - 1.0).abs() < 1e-9,
                "{cell}: {value} {found_value}"
            );
        }
    }
    // The rounds are kept too, so speedups and comparisons are the same.
    let markdown = golden.sandbox.ftbench("show back --format markdown");
    let original = golden.sandbox.ftbench("show run --format markdown");
    let row = |text: &str| {
        let row = text
            .lines()
            .find(|line| line.starts_with("| fib | 3.13t | threads | 2 |"));
        row.unwrap().split('|').nth(6).unwrap().trim().to_owned()
    };
    assert_eq!(row(&markdown.stdout), row(&original.stdout));
}

#[test]
fn an_imported_run_can_be_shown_plotted_reported_and_exported() {
    let sandbox = Sandbox::new();
    measure_with_pyperf(&sandbox, "a.json.gz");
    measure_with_pyperf(&sandbox, "b.json");
    let output = sandbox.ftbench("import a.json.gz b.json --out both");
    output.exits_with(0);
    let shown = sandbox.ftbench("show both");
    shown.exits_with(0);
    for word in [
        "imported from a.json.gz, b.json of pyperf 2.10.0",
        "@a",
        "@b",
        "summing",
    ] {
        assert!(shown.stdout.contains(word), "no {word}:\n{}", shown.stdout);
    }
    for words in [
        "show both --format json",
        "show both --format csv",
        "show both --format markdown",
        "plot both",
        "plot both --chart interpreters",
        "plot both --chart spread",
        "plot both --chart memory",
        "plot both --chart time-line",
        "plot both --chart heat-map",
        "report both",
        "export both --format hyperfine",
        "export both --format pyperf --out again",
        "export both --format junit",
    ] {
        let output = sandbox.ftbench(words);
        assert_eq!(output.status, Some(0), "{words}:\n{}", output.stderr);
    }
    let files: Vec<String> = std::fs::read_dir(sandbox.path().join("again"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files.len(), 2, "{files:?}");
    let imported = store::read(&sandbox.path().join("both")).unwrap();
    let facts = imported.manifest.imported.unwrap();
    assert_eq!((facts.format.as_str(), facts.files.len()), ("pyperf", 2));
    assert_eq!(imported.trials.len(), 6);
    assert!(
        imported
            .trials
            .iter()
            .all(|trial| trial.units == 512 && trial.counted_samples().count() == 3)
    );
}

#[test]
fn a_file_name_that_is_not_utf8_is_recorded_with_replacements() {
    let golden = Golden::new();
    golden
        .sandbox
        .ftbench("export run --format pyperf --out out")
        .exits_with(0);
    let name = OsStr::from_bytes(b"caf\xe9.json");
    let file = golden.sandbox.path().join(name);
    std::fs::rename(golden.path("out/3.13.json"), &file).unwrap();
    let mut command = golden.sandbox.command("import --out back");
    command.arg(file);
    output_of(command).exits_with(0);
    let manifest = store::read(&golden.path("back")).unwrap().manifest;
    assert!(
        manifest
            .command_line
            .last()
            .unwrap()
            .ends_with("caf\u{fffd}.json")
    );
}

#[test]
fn a_failed_import_leaves_no_folder() {
    let sandbox = Sandbox::new();
    sandbox.file("empty.json", "");
    sandbox.file("old.json", "{\"version\": 6, \"benchmarks\": []}");
    sandbox.file("cut.json.gz", [0x1f, 0x8b, 8, 0, 0]);
    for (words, message) in [
        ("empty.json", "cannot import empty.json: it is not pyperf JSON"),
        ("old.json", "pyperf convert"),
        ("cut.json.gz", "cannot read cut.json.gz"),
        ("none.json", "cannot read none.json"),
        (".", "cannot read ."),
    ] {
        let output = sandbox.ftbench(&format!("import {words} --out out"));
        output.refuses(&[message], 2);
        assert!(!sandbox.path().join("out").exists());
    }
}
