//! `ftbench compare` on runs of real interpreters: which cells it matches, what it refuses, its verdicts and its exit
//! status.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::support::machine::{Use, lock};
use crate::support::{Sandbox, pair};
use ftbench::record::line;
use ftbench_schema::Trial;
use serde_json::Value;

fn workload(times: u32) -> String {
    format!(
        "def work(data, units):\n    total = 0\n    for _ in range(units * {times} * 500):\n        total += 1\n    return units\n"
    )
}

/// The runs that all tests look at.
struct Runs {
    sandbox: Sandbox,
}

impl Runs {
    /// Makes the runs once. `first` and `second` measure the same; in `slowed` the workload `changing` is another file,
    /// which takes 1.4 times as long; in `broken` it fails.
    fn shared() -> &'static Self {
        static RUNS: OnceLock<Runs> = OnceLock::new();
        // Every test takes this lock before it waits for the one that makes the runs.
        lock(Use::Alone);
        RUNS.get_or_init(|| {
            let sandbox = Sandbox::new();
            let steady = sandbox.file("steady.py", workload(1));
            let changing = sandbox.file("a/changing.py", workload(1));
            let slowed = sandbox.file("b/changing.py", workload(2));
            let broken = sandbox.file(
                "c/changing.py",
                "def work(data, units):\n    raise ValueError('no')\n",
            );
            let both = pair().words();
            for (out, file, status) in [
                ("set/first", &changing, 0),
                ("set/second", &changing, 0),
                ("slowed", &slowed, 0),
                ("broken", &broken, 1),
            ] {
                sandbox.run(
                    out,
                    &format!("{steady} {file} -p {both} -m threads -n 1 --rounds 5"),
                    status,
                );
            }
            for (run, slowdown) in [("set/first", 1.0), ("set/second", 1.0), ("slowed", 1.4)] {
                steady_times(&sandbox.path().join(run), slowdown);
            }
            Self { sandbox }
        })
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.sandbox.path().join(name)
    }

    fn json(&self, words: &str) -> Value {
        let output = self
            .sandbox
            .ftbench(&format!("compare {words} --format json --fail-on never"));
        output.exits_with(0);
        output.json()
    }
}

/// Replaces the measured times, which depend on what else the machine does, with those of a quiet machine: 0.1 s with
/// half a per cent of noise, times `slowdown` in the workload `changing`.
fn steady_times(folder: &Path, slowdown: f64) {
    let path = folder.join("trials.jsonl");
    let trials = std::fs::read_to_string(&path).unwrap();
    let mut steady = Vec::new();
    for line in trials.lines() {
        let mut trial: Trial = serde_json::from_str(line).unwrap();
        let factor = if trial.cell.workload == "changing" {
            slowdown
        } else {
            1.0
        };
        let noise = [0.0, 0.004, -0.003, 0.002, -0.004][trial.round as usize % 5];
        // In proportion to the units, because each run calibrates on its own.
        let makespan_ns = 1e4 * trial.units as f64 * factor * (1.0 + noise);
        for sample in &mut trial.samples {
            sample.end_ns = sample.start_ns + makespan_ns as u64;
            sample.noise = None;
        }
        steady.extend(line::encode(&trial).unwrap());
    }
    std::fs::write(path, steady).unwrap();
}

fn verdicts(comparison: &Value, workload: &str) -> Vec<String> {
    let cells = comparison["cells"].as_array().unwrap().iter();
    cells
        .filter(|cell| cell["workload"] == workload)
        .map(|cell| cell["verdict"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn two_runs_are_compared_cell_by_cell() {
    let runs = Runs::shared();
    let comparison = runs.json("set/first set/second");
    assert_eq!(comparison["schema"], 2);
    assert_eq!(comparison["pairing"], "different_times");
    assert_eq!(comparison["base"]["runs"], serde_json::json!(["first"]));
    let cells = comparison["cells"].as_array().unwrap();
    // The baseline's serial cells are measured too.
    assert_eq!(cells.len(), 6);
    for cell in cells {
        let ratio = &cell["ratio"];
        let [low, estimate, high] = ["low", "estimate", "high"].map(|end| ratio[end].as_f64().unwrap());
        assert!(low <= estimate && estimate <= high, "{cell}");
        assert!(pair().tags().contains(&cell["interpreter"].as_str().unwrap()));
        // Only runs with several numbers of workers have a ceiling, and only on two PUs.
        let mut drifts = comparison["drift"].as_array().unwrap().iter();
        let drift = drifts.find(|drift| drift["pus"] == cell["workers"] && drift["taken_out"] == true);
        if let Some(drift) = drift {
            let drift = drift["ratio"]["estimate"].as_f64().unwrap();
            let product = estimate * drift / cell["ratio_as_measured"].as_f64().unwrap();
            assert!((product - 1.0).abs() < 1e-6, "{cell}");
        }
    }
    assert_eq!(comparison["between_runs"]["runs"], 0);
    assert!(comparison["unmatched"].as_array().unwrap().is_empty());
}

#[test]
fn a_history_gives_the_spread_between_runs() {
    let runs = Runs::shared();
    let estimated_from = |words: &str| runs.json(words)["between_runs"]["runs"].clone();
    assert_eq!(estimated_from("slowed broken --anyway"), 0);
    assert_eq!(estimated_from("slowed broken --anyway --history set"), 2);
    // `first` is one side of the comparison already, and a single run has no spread.
    assert_eq!(estimated_from("set/first slowed --anyway --history set"), 0);
    let set = runs.json("set slowed --anyway");
    assert_eq!(set["base"]["runs"], serde_json::json!(["first", "second"]));
    assert_eq!(set["between_runs"]["runs"], 2);
}

/// Copies a run's record into another folder and changes its manifest.
fn copy(runs: &Runs, from: &str, to: &str, change: impl Fn(&mut Value)) {
    let [from, to] = [from, to].map(|name| runs.folder(name));
    std::fs::create_dir_all(&to).unwrap();
    let manifest = std::fs::read_to_string(from.join("run.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    change(&mut manifest);
    std::fs::write(to.join("run.json"), manifest.to_string()).unwrap();
    std::fs::copy(from.join("trials.jsonl"), to.join("trials.jsonl")).unwrap();
}

#[test]
fn a_folder_stands_for_every_finished_run_below_it() {
    let runs = Runs::shared();
    let with_status = |status: &'static str| move |manifest: &mut Value| manifest["status"] = status.into();
    copy(runs, "set/first", "nights/2026-10/first", |_| ());
    copy(runs, "set/second", "nights/2026-11/second", |_| ());
    copy(runs, "slowed", "nights/2026-11/third", with_status("running"));
    copy(
        runs,
        "slowed",
        "nights/2026-11/fourth",
        with_status("interrupted"),
    );
    let output = runs
        .sandbox
        .ftbench("compare nights slowed --anyway --format json --fail-on never");
    output.exits_with(0);
    assert_eq!(
        output.json()["base"]["runs"],
        serde_json::json!(["first", "second"])
    );
    output.stderr_has(&[
        "left out of BASE: 2026-11/third did not end",
        "left out of BASE: 2026-11/fourth was interrupted",
    ]);
    let output = runs
        .sandbox
        .ftbench("compare slowed broken --anyway --history nights --format json --fail-on never");
    output.exits_with(0);
    assert_eq!(output.json()["between_runs"]["runs"], 2);
    output.stderr_has(&["left out of the history: 2026-11/third"]);
    // An unfinished run that is named explicitly is compared, with a caution.
    let named = runs.json("set/first nights/2026-11/third --anyway");
    let cautions = named["cautions"].to_string();
    assert!(
        cautions.contains("third was killed or is still running"),
        "{cautions}"
    );
    copy(runs, "slowed", "unfinished/run", with_status("running"));
    runs.sandbox
        .ftbench("compare unfinished slowed")
        .refuses(&["unfinished", "1 skipped", "did not end"], 2);
}

/// A file as `pyperf timeit` writes it, shortened: six processes, with `loop_ms` milliseconds for each loop.
fn pyperf_file(loop_ms: f64) -> String {
    let runs: Vec<Value> = [0.0, 0.003, -0.002, 0.001, -0.003, 0.002]
        .iter()
        .map(|noise| {
            let value_s = loop_ms / 1000.0 * (1.0 + noise);
            serde_json::json!({
                "metadata": {"date": "2026-11-21 08:00:01.5", "duration": 0.25},
                "warmups": [[8, value_s]],
                "values": [value_s, value_s * 1.001, value_s * 0.999],
            })
        })
        .collect();
    let file = serde_json::json!({
        "version": "1.0",
        "metadata": {
            "hostname": "bench", "cpu_model_name": "Some CPU", "cpu_count": 8, "platform": "Linux-6.1-x86_64",
            "python_version": "3.13.15 (64-bit) revision 0123abc", "python_implementation": "cpython",
            "python_executable": "/opt/python/bin/python3.13", "perf_version": "2.10.0",
            "unit": "second", "loops": 8, "name": "summing",
        },
        "benchmarks": [{"runs": runs}],
    });
    file.to_string()
}

#[test]
fn imported_pyperf_runs_are_compared() {
    let sandbox = Sandbox::new();
    sandbox.file("old.json", pyperf_file(2.0));
    sandbox.file("new.json", pyperf_file(2.8));
    sandbox.ftbench("import old.json --out old").exits_with(0);
    sandbox.ftbench("import new.json --out new").exits_with(0);
    let output = sandbox.ftbench("compare old new --format json");
    output.exits_with(1);
    let comparison = output.json();
    assert_eq!(comparison["pairing"], "different_times");
    assert_eq!(verdicts(&comparison, "summing"), ["slower"]);
    let ratio = comparison["cells"][0]["ratio"]["estimate"].as_f64().unwrap();
    assert!((ratio - 1.4).abs() < 0.01, "{ratio}");
    assert!(comparison["cautions"][0].as_str().unwrap().contains("summing"));
    // Two files of one run were measured one after the other.
    sandbox
        .ftbench("import old.json new.json --out both")
        .exits_with(0);
    sandbox
        .ftbench("compare both#3.13@old both#3.13@new")
        .refuses(&["no cell can be compared", "no rounds in common"], 2);
}

#[test]
fn comparing_no_cell_is_an_error() {
    let runs = Runs::shared();
    copy(runs, "set/second", "skipped", |manifest| {
        for cell in manifest["plan"]["cells"].as_array_mut().unwrap() {
            cell["skipped"] = "needs a package".into();
        }
    });
    std::fs::write(runs.folder("skipped/trials.jsonl"), "").unwrap();
    for fail_on in ["regression", "never"] {
        runs.sandbox
            .ftbench(&format!("compare set/first skipped --fail-on {fail_on}"))
            .refuses(&["no cell can be compared", "needs a package"], 2);
    }
}

#[test]
fn interpreters_of_one_run_are_paired() {
    let runs = Runs::shared();
    let [gil, free_threaded] = pair().tags();
    let comparison = runs.json(&format!("set/first#{gil} set/first#{free_threaded}"));
    assert_eq!(comparison["pairing"], "same_rounds");
    assert_eq!(comparison["cells"].as_array().unwrap().len(), 2);
    assert_eq!(comparison["cells"][0]["interpreter"], Value::Null);
    assert_eq!(comparison["drift"], serde_json::json!([]));
    let apart = runs.json(&format!("set/first#{gil} set/second#{free_threaded}"));
    assert_eq!(apart["pairing"], "different_times");
}

#[test]
fn changed_workloads_are_refused_and_a_slowdown_is_a_regression() {
    let runs = Runs::shared();
    let output = runs.sandbox.ftbench("compare set/first slowed --format json");
    output.exits_with(0);
    let comparison = output.json();
    assert_eq!(verdicts(&comparison, "changing").len(), 0);
    assert_eq!(comparison["counts"]["not_compared"], 3);
    let insisted = runs
        .sandbox
        .ftbench("compare set/first slowed --anyway --format json");
    insisted.exits_with(1);
    let comparison = insisted.json();
    assert_eq!(verdicts(&comparison, "changing"), ["slower"; 3]);
    assert_eq!(comparison["overridden"].as_array().unwrap().len(), 1);
    runs.sandbox
        .ftbench("compare set/first slowed --anyway --fail-on never")
        .exits_with(0);
    let back = runs.json("slowed set/first --anyway");
    assert_eq!(verdicts(&back, "changing"), ["faster"; 3]);
}

#[test]
fn a_workload_that_newly_fails_is_a_regression() {
    let runs = Runs::shared();
    let output = runs.sandbox.ftbench("compare set/first broken --anyway");
    output.exits_with(1);
    assert!(
        output.stdout.contains("regression: ") && output.stdout.contains("broken: changing"),
        "{}",
        output.stdout
    );
    let back = runs.json("broken set/first --anyway");
    assert_eq!(back["unmatched"][0]["change"], "mended");
}

#[test]
fn junit_and_markdown_report_the_same_changes() {
    let runs = Runs::shared();
    let output = runs
        .sandbox
        .ftbench("compare set/first slowed --anyway --format junit");
    output.exits_with(1);
    let report = quick_junit::Report::deserialize_from_str(&output.stdout).unwrap();
    // Six cells and two workloads as a whole. One workload and three of its cells got slower.
    assert_eq!((report.tests, report.failures, report.errors), (8, 4, 0));
    let output = runs
        .sandbox
        .ftbench("compare set/first slowed --anyway --format markdown");
    output.exits_with(1);
    assert!(
        output
            .stdout
            .starts_with("**Regression: 1 workload slower as a whole; of 6 cells 3 slower"),
        "{}",
        output.stdout
    );
    assert_eq!(
        output.stdout.matches("<details>").count(),
        output.stdout.matches("</details>").count()
    );
}

#[test]
fn runs_of_another_machine_are_refused() {
    let runs = Runs::shared();
    copy(runs, "set/second", "other", |manifest| {
        manifest["machine"]["cpu_model"] = "Another CPU".into();
    });
    runs.sandbox
        .ftbench("compare set/first other")
        .refuses(&["Another CPU", "--anyway"], 2);
    let insisted = runs.json("set/first other --anyway");
    assert_eq!(insisted["overridden"].as_array().unwrap().len(), 1);
}

#[test]
fn unknown_runs_and_interpreters_are_refused() {
    let runs = Runs::shared();
    runs.sandbox.file("empty/readme.txt", "nothing");
    let refused = |words: &str, expected: &[&str]| {
        runs.sandbox
            .ftbench(&format!("compare {words}"))
            .refuses(expected, 2);
    };
    refused("set/first nowhere", &["nowhere", "folder"]);
    refused("set/first empty", &["empty", "contains none"]);
    refused("set/first#3.99 set/second", &["3.99", pair().tags()[0]]);
    refused("set/first set/first", &["both sides", "#"]);
    refused("set/first set", &["both sides"]);
    runs.sandbox.ftbench("compare set/first").exits_with(2);
}
