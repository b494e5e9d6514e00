//! The real pyperf reads exported runs.

use super::{Golden, tools};

/// Exports the files of both builds into the folder `out`.
fn exported() -> Golden {
    let golden = Golden::new();
    let output = golden.sandbox.ftbench("export run --format pyperf --out out");
    output.exits_with(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    golden
}

#[test]
fn pyperf_compares_the_builds_cell_by_cell() {
    let golden = exported();
    let output = tools::run(
        &golden.path("out"),
        "pyperf compare_to --table 3.13.json 3.13t.json",
    );
    output.exits_with(0);
    assert_eq!(output.stderr, "");
    for name in ["fib[serial,1]", "nbody[threads,2]", "shared_counter[threads,2]"] {
        assert!(output.stdout.contains(name), "{}", output.stdout);
    }
    // pyperf finds no difference in identical files, as it would with unequal numbers of values.
    let same = tools::run(&golden.path("out"), "pyperf compare_to 3.13.json 3.13.json");
    same.exits_with(0);
    assert!(same.stdout.contains("not significant"), "{}", same.stdout);
    assert!(!same.stdout.contains(": Mean"), "{}", same.stdout);
}

#[test]
fn pyperf_reads_every_file_without_warnings() {
    let golden = exported();
    for words in ["show", "stats", "hist", "metadata", "dump --verbose", "check"] {
        let output = tools::run(&golden.path("out"), &format!("pyperf {words} 3.13t.json"));
        assert_eq!(output.stderr, "", "{words}");
        output.exits_with(0);
        assert!(!output.stdout.is_empty());
    }
    let output = tools::run(
        &golden.path("out"),
        "pyperf metadata 3.13t.json -b fib[threads,2]",
    );
    for word in [
        "gil_enabled: False",
        "free_threaded: True",
        "workers: 2",
        "python_version: 3.13.15",
    ] {
        assert!(output.stdout.contains(word), "no {word}:\n{}", output.stdout);
    }
    let output = tools::run(&golden.path("out"), "pyperf stats 3.13t.json -b fib[threads,2]");
    for word in [
        "Number of run with values: 5",
        "Number of value per run: 3",
        "Loop iterations per value: 126",
    ] {
        assert!(output.stdout.contains(word), "no {word}:\n{}", output.stdout);
    }
}

#[test]
fn pyperf_converts_exported_files() {
    let golden = exported();
    let output = tools::run(
        &golden.path("out"),
        "pyperf convert 3.13.json -o again.json.gz --indent",
    );
    output.exits_with(0);
    let output = golden.sandbox.ftbench("import out/again.json.gz --out again");
    output.exits_with(0);
}

#[test]
fn one_interpreter_goes_to_standard_output_and_several_do_not() {
    let golden = Golden::new();
    let output = golden.sandbox.ftbench("export run --format pyperf");
    output.refuses(&["3.13, 3.13t", "--interpreter"], 2);
    let text = golden.export("--format pyperf --interpreter 3.13t --rounds 3");
    golden.sandbox.file("three.json", text);
    let output = tools::run(golden.sandbox.path(), "pyperf stats three.json -b fib[threads,2]");
    output.exits_with(0);
    assert!(
        output.stdout.contains("Number of run with values: 3"),
        "{}",
        output.stdout
    );
    let output = golden
        .sandbox
        .ftbench("export run --format pyperf --interpreter 3.13t --rounds 6");
    output.refuses(&["has 5 rounds, not 6"], 2);
}
