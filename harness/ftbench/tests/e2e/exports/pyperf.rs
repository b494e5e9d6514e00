//! The real pyperf reads what ftbench exports.

use super::{Golden, tools};

/// Both builds' files, in the folder `out`.
fn exported() -> Golden {
    let golden = Golden::new();
    let told = golden.sandbox.ftbench("export run --format pyperf --out out");
    told.ends_with(0);
    assert_eq!((told.stdout.as_str(), told.stderr.as_str()), ("", ""));
    golden
}

#[test]
fn pyperf_compares_the_builds_cell_by_cell() {
    let golden = exported();
    let told = tools::run(
        &golden.path("out"),
        "pyperf compare_to --table 3.13.json 3.13t.json",
    );
    told.ends_with(0);
    assert_eq!(told.stderr, "");
    for name in ["fib[serial,1]", "nbody[threads,2]", "shared_counter[threads,2]"] {
        assert!(told.stdout.contains(name), "{}", told.stdout);
    }
    // Equal things are not called different, which unequal numbers of values would be.
    let same = tools::run(&golden.path("out"), "pyperf compare_to 3.13.json 3.13.json");
    same.ends_with(0);
    assert!(same.stdout.contains("not significant"), "{}", same.stdout);
    assert!(!same.stdout.contains(": Mean"), "{}", same.stdout);
}

#[test]
fn pyperf_tells_of_every_file_without_complaint() {
    let golden = exported();
    for words in ["show", "stats", "hist", "metadata", "dump --verbose", "check"] {
        let told = tools::run(&golden.path("out"), &format!("pyperf {words} 3.13t.json"));
        assert_eq!(told.stderr, "", "{words}");
        told.ends_with(0);
        assert!(!told.stdout.is_empty());
    }
    let told = tools::run(
        &golden.path("out"),
        "pyperf metadata 3.13t.json -b fib[threads,2]",
    );
    for word in [
        "gil_enabled: False",
        "free_threaded: True",
        "workers: 2",
        "python_version: 3.13.15",
    ] {
        assert!(told.stdout.contains(word), "no {word}:\n{}", told.stdout);
    }
    let told = tools::run(&golden.path("out"), "pyperf stats 3.13t.json -b fib[threads,2]");
    for word in [
        "Number of run with values: 5",
        "Number of value per run: 3",
        "Loop iterations per value: 126",
    ] {
        assert!(told.stdout.contains(word), "no {word}:\n{}", told.stdout);
    }
}

#[test]
fn pyperf_converts_and_merges_what_is_exported() {
    let golden = exported();
    let told = tools::run(
        &golden.path("out"),
        "pyperf convert 3.13.json -o again.json.gz --indent",
    );
    told.ends_with(0);
    let told = golden.sandbox.ftbench("import out/again.json.gz --out again");
    told.ends_with(0);
}

#[test]
fn one_interpreter_goes_to_standard_output_and_several_do_not() {
    let golden = Golden::new();
    let told = golden.sandbox.ftbench("export run --format pyperf");
    told.refuses(&["3.13, 3.13t", "--interpreter"], 2);
    let text = golden.export("--format pyperf --interpreter 3.13t --rounds 3");
    golden.sandbox.file("three.json", text);
    let told = tools::run(golden.sandbox.path(), "pyperf stats three.json -b fib[threads,2]");
    told.ends_with(0);
    assert!(
        told.stdout.contains("Number of run with values: 3"),
        "{}",
        told.stdout
    );
    let told = golden
        .sandbox
        .ftbench("export run --format pyperf --interpreter 3.13t --rounds 6");
    told.refuses(&["has 5 rounds, not 6"], 2);
}
