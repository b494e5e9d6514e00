//! Formats of tools that are in no package index, checked against what the tools' sources require.

use serde::Deserialize;
use serde_json::Value;

use super::Golden;

/// The keys and types that github-action-benchmark 1.22 accepts for its custom tools (`src/extract.ts`).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    unit: String,
    value: f64,
    #[serde(default)]
    range: Option<String>,
    #[serde(default)]
    extra: Option<String>,
}

/// The keys and types that hyperfine 1.20 writes (`src/benchmark/benchmark_result.rs`) and its plotting scripts read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HyperfineResult {
    command: String,
    mean: f64,
    stddev: Option<f64>,
    median: f64,
    #[allow(dead_code)]
    user: Option<f64>,
    #[allow(dead_code)]
    system: Option<f64>,
    min: f64,
    max: f64,
    times: Vec<f64>,
    memory_usage_byte: Option<Vec<u64>>,
    exit_codes: Vec<Option<i32>>,
    parameters: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HyperfineExport {
    results: Vec<HyperfineResult>,
}

#[test]
fn github_action_benchmark_entries_have_unique_names() {
    let golden = Golden::new();
    for (words, unit, entries) in [("", "us/iter", 26), (" --metric speedup", "x", 10)] {
        let text = golden.export(&format!("--format github-action-benchmark{words}"));
        let found: Vec<Entry> = serde_json::from_str(&text).unwrap();
        assert_eq!(found.len(), entries);
        let mut names: Vec<&str> = found.iter().map(|entry| entry.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), entries);
        for entry in &found {
            assert_eq!(entry.unit, unit);
            assert!(
                entry.value > 0.0 && entry.range.as_ref().unwrap().starts_with("± "),
                "{entry:?}"
            );
            assert!(entry.extra.as_ref().unwrap().contains("rounds: 5"));
        }
    }
}

#[test]
fn hyperfine_results_have_times_and_parameters() {
    let golden = Golden::new();
    let export: HyperfineExport = serde_json::from_str(&golden.export("--format hyperfine")).unwrap();
    assert_eq!(export.results.len(), 26);
    for result in export.results {
        assert_eq!((result.times.len(), result.exit_codes.len()), (5, 5));
        assert!(result.min <= result.median && result.median <= result.max);
        assert!(result.mean > 0.0 && result.stddev.unwrap() > 0.0);
        assert_eq!(result.memory_usage_byte.unwrap().len(), 5);
        assert!(result.exit_codes.iter().all(|code| *code == Some(0)));
        assert!(result.command.contains(&result.parameters["workload"]));
        assert!(result.parameters["workers"].parse::<u32>().unwrap() >= 1);
    }
}

#[test]
fn the_other_formats_are_those_of_show() {
    let golden = Golden::new();
    for format in ["csv", "markdown", "json"] {
        let output = golden.sandbox.ftbench(&format!("show run --format {format}"));
        assert_eq!(
            golden.export(&format!("--format {format}")),
            output.stdout,
            "{format}"
        );
    }
    let one: Value = serde_json::from_str(&golden.export("--format json --interpreter 3.13t")).unwrap();
    let cells = one["cells"].as_array().unwrap();
    assert!(!cells.is_empty() && cells.iter().all(|cell| cell["interpreter"] == "3.13t"));
    let bencher: Value = serde_json::from_str(&golden.export("--format bencher")).unwrap();
    assert!(
        bencher["fib[threads,2] 3.13t"]["latency"]["value"]
            .as_f64()
            .unwrap()
            > 1e5
    );
    let junit = golden.export("--format junit --out -");
    let (summed_up, _) = junit.split_once("    <testsuite ").unwrap();
    assert!(
        summed_up.ends_with(
            "<testsuites name=\"ftbench run\" tests=\"32\" skipped=\"0\" failures=\"0\" errors=\"0\">\n"
        ),
        "{summed_up}"
    );
    assert_eq!(junit.matches("<testcase ").count(), 32);
}

#[test]
fn an_option_of_another_format_is_refused() {
    let golden = Golden::new();
    for (words, message) in [
        (
            "--format csv --metric speedup",
            "--metric is for the format github-action-benchmark",
        ),
        ("--format csv --rounds 3", "--rounds is for the format pyperf"),
        ("--format csv --commit 01234567", "--commit is for the format asv"),
        (
            "--format hyperfine --interpreter 3.13x",
            "no interpreter or arm '3.13x'",
        ),
    ] {
        golden
            .sandbox
            .ftbench(&format!("export run {words}"))
            .refuses(&[message], 2);
    }
}
