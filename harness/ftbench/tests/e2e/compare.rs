//! `ftbench compare` on runs of real interpreters: what is matched, what is refused, what comes out and with which
//! status.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::support::machine::measure_alone;
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
    /// `first` and `second` are of the same thing; in `slowed` one of the two workloads is another file, which takes 1.4
    /// times as long; in `broken` it fails.
    fn made() -> &'static Self {
        static RUNS: OnceLock<Runs> = OnceLock::new();
        // All wait for the lock before they wait for the test that makes the runs.
        measure_alone();
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
        let told = self
            .sandbox
            .ftbench(&format!("compare {words} --format json --fail-on never"));
        told.ends_with(0);
        told.json()
    }
}

/// Puts times of a quiet machine in the place of those that were measured here, which may be busy with anything: 0.1 s
/// with half a per cent of noise, more in the workload that changes.
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
        // So that samples of two runs, which calibrate on their own, take the same time for a unit.
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
    let runs = Runs::made();
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
fn a_history_tells_how_far_runs_lie_apart() {
    let runs = Runs::made();
    let estimated_from = |words: &str| runs.json(words)["between_runs"]["runs"].clone();
    assert_eq!(estimated_from("slowed broken --anyway"), 0);
    assert_eq!(estimated_from("slowed broken --anyway --history set"), 2);
    // `first` is on a side already, and a single run tells nothing.
    assert_eq!(estimated_from("set/first slowed --anyway --history set"), 0);
    let set = runs.json("set slowed --anyway");
    assert_eq!(set["base"]["runs"], serde_json::json!(["first", "second"]));
    assert_eq!(set["between_runs"]["runs"], 2);
}

/// Copies what was recorded of a run into a folder of another name.
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
fn a_folder_is_every_finished_run_below_it() {
    let runs = Runs::made();
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
    let told = runs
        .sandbox
        .ftbench("compare nights slowed --anyway --format json --fail-on never");
    told.ends_with(0);
    assert_eq!(
        told.json()["base"]["runs"],
        serde_json::json!(["first", "second"])
    );
    told.says(&[
        "left out of BASE: 2026-11/third did not end",
        "left out of BASE: 2026-11/fourth was interrupted",
    ]);
    let told = runs
        .sandbox
        .ftbench("compare slowed broken --anyway --history nights --format json --fail-on never");
    told.ends_with(0);
    assert_eq!(told.json()["between_runs"]["runs"], 2);
    told.says(&["left out of the history: 2026-11/third"]);
    // A run that is named is compared, with a caution.
    let named = runs.json("set/first nights/2026-11/third --anyway");
    let cautions = named["cautions"].to_string();
    assert!(
        cautions.contains("third was killed, or is still under way"),
        "{cautions}"
    );
    copy(runs, "slowed", "unfinished/run", with_status("running"));
    runs.sandbox
        .ftbench("compare unfinished slowed")
        .refuses(&["unfinished", "1 passed over", "did not end"], 2);
}

/// A file as `pyperf timeit` writes one, cut down: six processes, each loop of which takes this many milliseconds.
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
fn what_pyperf_measured_is_compared() {
    let sandbox = Sandbox::new();
    sandbox.file("old.json", pyperf_file(2.0));
    sandbox.file("new.json", pyperf_file(2.8));
    sandbox.ftbench("import old.json --out old").ends_with(0);
    sandbox.ftbench("import new.json --out new").ends_with(0);
    let told = sandbox.ftbench("compare old new --format json");
    told.ends_with(1);
    let comparison = told.json();
    assert_eq!(comparison["pairing"], "different_times");
    assert_eq!(verdicts(&comparison, "summing"), ["slower"]);
    let ratio = comparison["cells"][0]["ratio"]["estimate"].as_f64().unwrap();
    assert!((ratio - 1.4).abs() < 0.01, "{ratio}");
    assert!(comparison["cautions"][0].as_str().unwrap().contains("summing"));
    // Two files of one run were measured one after the other.
    sandbox
        .ftbench("import old.json new.json --out both")
        .ends_with(0);
    sandbox
        .ftbench("compare both#3.13@old both#3.13@new")
        .refuses(&["no cell can be compared", "no round in common"], 2);
}

#[test]
fn where_nothing_is_compared_there_is_no_success() {
    let runs = Runs::made();
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
    let runs = Runs::made();
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
fn other_work_is_refused_and_a_slowdown_is_a_regression() {
    let runs = Runs::made();
    let told = runs.sandbox.ftbench("compare set/first slowed --format json");
    told.ends_with(0);
    let comparison = told.json();
    assert_eq!(verdicts(&comparison, "changing").len(), 0);
    assert_eq!(comparison["counts"]["not_compared"], 3);
    let insisted = runs
        .sandbox
        .ftbench("compare set/first slowed --anyway --format json");
    insisted.ends_with(1);
    let comparison = insisted.json();
    assert_eq!(verdicts(&comparison, "changing"), ["slower"; 3]);
    assert_eq!(comparison["overridden"].as_array().unwrap().len(), 1);
    runs.sandbox
        .ftbench("compare set/first slowed --anyway --fail-on never")
        .ends_with(0);
    let back = runs.json("slowed set/first --anyway");
    assert_eq!(verdicts(&back, "changing"), ["faster"; 3]);
}

#[test]
fn what_fails_and_did_not_is_a_regression() {
    let runs = Runs::made();
    let told = runs.sandbox.ftbench("compare set/first broken --anyway");
    told.ends_with(1);
    assert!(
        told.stdout.contains("regression: ") && told.stdout.contains("broken: changing"),
        "{}",
        told.stdout
    );
    let back = runs.json("broken set/first --anyway");
    assert_eq!(back["unmatched"][0]["change"], "mended");
}

#[test]
fn junit_and_markdown_tell_the_same() {
    let runs = Runs::made();
    let told = runs
        .sandbox
        .ftbench("compare set/first slowed --anyway --format junit");
    told.ends_with(1);
    let report = quick_junit::Report::deserialize_from_str(&told.stdout).unwrap();
    // Six cells and two workloads as a whole, of which one and three of its cells got slower.
    assert_eq!((report.tests, report.failures, report.errors), (8, 4, 0));
    let told = runs
        .sandbox
        .ftbench("compare set/first slowed --anyway --format markdown");
    told.ends_with(1);
    assert!(
        told.stdout
            .starts_with("**Regression: 1 workload slower as a whole; of 6 cells 3 slower"),
        "{}",
        told.stdout
    );
    assert_eq!(
        told.stdout.matches("<details>").count(),
        told.stdout.matches("</details>").count()
    );
}

#[test]
fn runs_of_another_machine_are_refused() {
    let runs = Runs::made();
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
fn what_is_no_run_and_no_interpreter_is_said() {
    let runs = Runs::made();
    runs.sandbox.file("empty/readme.txt", "nothing");
    let refused = |words: &str, told: &[&str]| {
        runs.sandbox.ftbench(&format!("compare {words}")).refuses(told, 2);
    };
    refused("set/first nowhere", &["nowhere", "folder"]);
    refused("set/first empty", &["empty", "holds none"]);
    refused("set/first#3.99 set/second", &["3.99", pair().tags()[0]]);
    refused("set/first set/first", &["both sides", "#"]);
    refused("set/first set", &["both sides"]);
    runs.sandbox.ftbench("compare set/first").ends_with(2);
}
