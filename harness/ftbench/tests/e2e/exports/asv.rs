//! The real asv reads the results tree.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{Golden, tools};
use crate::support::{CommandOutput, output_of};

/// asv's configuration of the project.
const CONFIGURATION: &str = r#"{
    "version": 1, "project": "example", "repo": "repository", "branches": ["main"], "environment_type": "existing",
    "results_dir": "results", "html_dir": "html", "benchmark_dir": "benchmarks"
}"#;

/// The run, exported as the results of two commits of a repository.
struct Project {
    golden: Golden,
    commits: [String; 2],
}

impl Project {
    fn new() -> Self {
        let golden = Golden::new();
        golden.sandbox.file("asv.conf.json", CONFIGURATION);
        let commits = ["2026-11-19", "2026-11-20"].map(|day| {
            let hash = commit(&golden, day);
            let words = format!("--format asv --commit {hash} --commit-date {day}T10:00:00Z --out results");
            assert_eq!(golden.export(&words), "");
            hash
        });
        Self { golden, commits }
    }

    /// The points that asv publishes for a benchmark on the free-threaded build: the revision, and a value for each
    /// number of workers.
    fn points(&self, benchmark: &str) -> Vec<(u64, Vec<Option<f64>>)> {
        let file = format!("{benchmark}.json");
        let mut graphs = listing(&self.golden.path("html/graphs"))
            .into_iter()
            .filter(|path| path.ends_with(&file) && path.iter().any(|folder| folder == "python-3.13t"));
        let graph = graphs.next().unwrap_or_else(|| panic!("no graph of {benchmark}"));
        serde_json::from_slice(&std::fs::read(graph).unwrap()).unwrap()
    }

    /// Runs asv, which keeps a file about the machine in the home folder.
    fn asv(&self, words: &str) -> CommandOutput {
        let mut command = Command::new(tools::python());
        command
            .args(["-m", "asv"])
            .args(words.split_whitespace())
            .current_dir(self.golden.sandbox.path())
            .env("HOME", self.golden.sandbox.path())
            .env("COLUMNS", "200");
        let output = output_of(command);
        output.exits_with(0);
        output
    }
}

/// Makes a commit dated `day` and returns its hash.
fn commit(golden: &Golden, day: &str) -> String {
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        let identity = ["-c", "user.name=tests", "-c", "user.email=tests@example.org"];
        command
            .args(identity)
            .args(words)
            .current_dir(golden.path("repository"))
            .env("GIT_COMMITTER_DATE", format!("{day}T10:00:00Z"));
        let output = output_of(command);
        output.exits_with(0);
        output.stdout.trim().to_owned()
    };
    if !golden.path("repository").is_dir() {
        std::fs::create_dir(golden.path("repository")).unwrap();
        git(&["init", "--quiet", "--initial-branch", "main"]);
    }
    git(&["commit", "--quiet", "--allow-empty", "--message", day]);
    git(&["rev-parse", "HEAD"])
}

#[test]
fn asv_shows_compares_and_publishes_what_is_exported() {
    let project = Project::new();
    let [before, after] = &project.commits;
    let shown = project.asv(&format!("show {after} --details")).stdout;
    // Two builds, each with three models of two workloads and two models of the third workload.
    assert_eq!(shown.matches("\n  ok\n").count(), 16, "{shown}");
    assert!(
        shown.contains("ftbench.time_shared_counter_threads [two-cores/3.13t]"),
        "{shown}"
    );
    assert!(shown.contains("repeat: 5, 5\n  number: 126, 126\n"), "{shown}");
    let compared = project
        .asv(&format!("compare {before} {after} --machine two-cores"))
        .stdout;
    let rows = compared.lines().filter(|line| line.contains("ftbench.time_"));
    let ratios: Vec<&str> = rows
        .map(|row| row.split('|').nth(4).unwrap_or_default().trim())
        .collect();
    assert_eq!(ratios, ["1"; 26], "{compared}");
    project.asv("publish");
    let index = std::fs::read_to_string(project.golden.path("html/index.json")).unwrap();
    for word in ["ftbench.time_fib_threads", "\"two-cores\"", "3.13t"] {
        assert!(index.contains(word), "no {word}: {index}");
    }
}

#[test]
fn a_benchmark_missing_in_one_night_keeps_its_other_points() {
    let project = Project::new();
    let golden = &project.golden;
    let record = std::fs::read_to_string(golden.path("run/trials.jsonl")).unwrap();
    let measured = record.lines().filter(|line| {
        let trial: Value = serde_json::from_str(line).unwrap();
        let cell = &trial["cell"];
        cell["workload"] != "fib" && (cell["workload"] != "nbody" || cell["workers"] == 1)
    });
    let measured: Vec<&str> = measured.collect();
    golden
        .sandbox
        .file("third/trials.jsonl", measured.join("\n") + "\n");
    let manifest = std::fs::read(golden.path("run/run.json")).unwrap();
    golden.sandbox.file("third/run.json", manifest);
    let hash = commit(golden, "2026-11-21");
    let words =
        format!("export third --format asv --commit {hash} --commit-date 2026-11-21T10:00:00Z --out results");
    golden.sandbox.ftbench(&words).exits_with(0);
    project.asv("publish");
    let has_values = |points: Vec<(u64, Vec<Option<f64>>)>| -> Vec<Vec<bool>> {
        let values = points.into_iter().map(|(_, values)| values);
        values
            .map(|values| values.iter().map(Option::is_some).collect())
            .collect()
    };
    assert_eq!(
        has_values(project.points("ftbench.time_fib_threads")),
        [[true, true], [true, true]]
    );
    assert_eq!(
        has_values(project.points("ftbench.time_nbody_threads")),
        [[true, true], [true, true], [true, false]]
    );
}

#[test]
fn a_foreign_list_of_benchmarks_is_not_overwritten() {
    let golden = Golden::new();
    for (text, why) in [
        ("{\"version\": 2", "not JSON"),
        ("{\"version\": 1}", "asv's format 2"),
        (
            "{\"version\": 2, \"ftbench.time_fib_threads\": {}}",
            "was not written by ftbench",
        ),
    ] {
        golden.sandbox.file("results/benchmarks.json", text);
        let output = golden
            .sandbox
            .ftbench("export run --format asv --commit 01234567 --out results");
        output.refuses(&["results/benchmarks.json", why, "move it away"], 2);
        let names: Vec<PathBuf> = listing(&golden.path("results"));
        assert_eq!(names, [golden.path("results/benchmarks.json")]);
        assert_eq!(std::fs::read_to_string(&names[0]).unwrap(), text);
    }
    let list = std::fs::File::create(golden.path("results/benchmarks.json")).unwrap();
    list.set_len((64 << 20) + 1).unwrap();
    let output = golden
        .sandbox
        .ftbench("export run --format asv --commit 01234567 --out results");
    output.refuses(&["results/benchmarks.json", "65536 KiB", "move it away"], 2);
}

#[test]
fn the_asv_format_requires_a_commit_and_a_folder() {
    let golden = Golden::new();
    let output = golden.sandbox.ftbench("export run --format asv");
    output.refuses(&["--out"], 3);
    let output = golden.sandbox.ftbench("export run --format asv --out results");
    output.refuses(&["run recorded none", "--commit"], 2);
    let output = golden
        .sandbox
        .ftbench("export run --format junit --commit-date 2026-11-19T10:00:00Z");
    output.refuses(&["--commit-date is for the format asv"], 2);
    let output = golden
        .sandbox
        .ftbench("export run --format asv --commit main --out results");
    output.refuses(&["'main' is not a commit"], 2);
    let output = golden
        .sandbox
        .ftbench("export run --format asv --commit 01234567 --out run/run.json");
    output.refuses(&["is a file"], 2);
}

#[test]
fn the_recorded_commit_is_the_default() {
    let golden = Golden::new();
    let path = golden.path("run/run.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest["commit"] = json!({
        "id": "0123456789abcdef0123456789abcdef01234567",
        "committed_at": "2026-11-20T10:00:00Z",
        "dirty": true,
    });
    std::fs::write(&path, manifest.to_string()).unwrap();
    let output = golden.sandbox.ftbench("export run --format asv --out results");
    output.exits_with(0);
    output.stderr_has(&["differ from commit 0123456789abcdef"]);
    let results = golden.path("results");
    let file = listing(&results)
        .into_iter()
        .find(|path| path.display().to_string().contains("01234567-"))
        .unwrap();
    let results: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    // 2026-11-20T10:00:00Z in milliseconds, by `date -d 2026-11-20T10:00:00Z +%s`.
    assert_eq!(results["date"], json!(1_795_168_800_000_u64));
}

/// All files below a folder.
fn listing(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() { listing(&path) } else { vec![path] }
        })
        .collect()
}
