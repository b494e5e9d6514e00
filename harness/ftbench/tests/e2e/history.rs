//! `ftbench history` on synthetic nights, made from the summary of a real run.

use std::path::Path;

use assert_cmd::Command;
use ftbench::record::store;
use ftbench_analyse::summary::summarise;
use ftbench_schema::{Estimate, RunStatus, Summary};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use resvg::tiny_skia::Pixmap;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::paths::two_cores;

/// The first night on which fib's threads on 3.13t are 10 % slower.
const SLOW_FROM: usize = 24;
const NIGHTS: usize = 30;

/// A folder of nightly runs.
struct Nights {
    folder: TempDir,
    template: Summary,
}

/// The commit hash of a night, which looks like a real one.
fn commit(night: usize) -> String {
    let digits = hex::encode(Sha256::digest(night.to_string()));
    digits.chars().take(40).collect()
}

fn times(value: &mut Option<Estimate>, factor: f64) {
    if let Some(value) = value {
        value.estimate *= factor;
        value.low *= factor;
        value.high *= factor;
    }
}

impl Nights {
    /// Writes the nights, each into the folder of its month. The whole machine varies by some per cent from night to
    /// night.
    fn new(nights: usize) -> Self {
        let run = store::read(&two_cores()).unwrap();
        let made = Self {
            folder: TempDir::new().unwrap(),
            template: summarise(&run.name, &run.manifest, &run.trials),
        };
        let mut source = ChaCha8Rng::seed_from_u64(6);
        // Sums of twelve uniform values are close enough to normally distributed ones.
        let mut normal = move || (0..12).map(|_| source.random::<f64>()).sum::<f64>() - 6.0;
        for night in 0..nights {
            let mut summary = made.template.clone();
            summary.run.started_at = format!("2026-{:02}-{:02}T02:00:00Z", 9 + night / 28, 1 + night % 28);
            let common = 0.04 * normal();
            for cell in &mut summary.cells {
                let slow =
                    cell.workload == "fib" && cell.interpreter == "3.13t" && cell.model.name() == "threads";
                let step = if slow && night >= SLOW_FROM { 1.1 } else { 1.0 };
                times(&mut cell.makespan_s, step * (common + 0.015 * normal()).exp());
            }
            let mut value = serde_json::to_value(&summary).unwrap();
            value["run"]["commit"] = serde_json::json!({"id": commit(night), "dirty": false});
            value["run"]["labels"] = serde_json::json!({"branch": "main"});
            made.write(&format!("month-{}/night-{night:02}", night / 28), &value);
        }
        made
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, summary: &Value) {
        let folder = self.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("summary.json"), serde_json::to_vec(summary).unwrap()).unwrap();
    }

    fn history(&self, words: &[&str]) -> Command {
        let mut command = Command::cargo_bin("ftbench").unwrap();
        command.arg("history").arg(self.path()).args(words);
        command
    }

    fn output(&self, words: &[&str], status: i32) -> String {
        let output = self.history(words).assert().code(status).get_output().clone();
        String::from_utf8(if status == 2 { output.stderr } else { output.stdout }).unwrap()
    }

    fn json(&self, words: &[&str]) -> Value {
        let words = [words, &["--format", "json"]].concat();
        serde_json::from_str(&self.output(&words, 0)).unwrap()
    }
}

/// The cells that changed, with the folder of the first run after the change.
fn changes(history: &Value) -> Vec<(String, String)> {
    let of = |change: &Value| {
        let series = &history["series"][change["series"].as_u64().unwrap() as usize];
        let run = &history["runs"][change["first_after"].as_u64().unwrap() as usize];
        let subject = &series["subject"];
        let name = format!(
            "{} {} {}",
            subject["workload"], subject["interpreter"], subject["model"]
        )
        .replace('"', "");
        (name, run["folder"].as_str().unwrap().to_owned())
    };
    let is_cell = |change: &&Value| {
        let series = change["series"].as_u64().unwrap() as usize;
        history["series"][series]["subject"]["of"] == "cell"
    };
    let changes = history["changes"].as_array().unwrap();
    changes.iter().filter(is_cell).map(of).collect()
}

#[test]
fn a_slowdown_is_found_in_its_night_only() {
    let nights = Nights::new(NIGHTS);
    let history = nights.json(&[]);
    let changes = changes(&history);
    assert!(!changes.is_empty());
    for (cell, folder) in &changes {
        assert_eq!(cell, "fib 3.13t threads");
        assert!(
            ["night-23", "night-24", "night-25"]
                .iter()
                .any(|night| folder.ends_with(night)),
            "{folder}"
        );
    }
    let change = &history["changes"][0];
    let ratio = change["ratio"]["estimate"].as_f64().unwrap();
    assert!((1.05..1.15).contains(&ratio), "{ratio}");
    let run = &history["runs"][SLOW_FROM];
    assert_eq!(run["commit"], commit(SLOW_FROM));
    let since = history["runs"][change["first_after"].as_u64().unwrap() as usize]["commit"]
        .as_str()
        .unwrap();
    assert_eq!(run["labels"]["branch"], "main");
    let table = nights.output(&[], 0);
    assert!(
        table.contains("slower") && table.contains("fib 3.13t threads"),
        "{table}"
    );
    assert!(table.contains(&format!("commit {}", &since[..10])), "{table}");
    assert!(
        nights
            .output(&["--format", "markdown"], 0)
            .contains("| since | cell |")
    );
    // The regression is six nights old; without those nights there is none.
    nights.output(&["--fail-on", "regression"], 1);
    nights.output(&["--fail-on", "regression", "--workload", "nbody"], 0);
}

#[test]
fn unusable_runs_are_reported_and_skipped() {
    let nights = Nights::new(8);
    let mut unfinished = nights.template.clone();
    unfinished.run.status = RunStatus::Running;
    nights.write("unfinished", &serde_json::to_value(&unfinished).unwrap());
    let mut newer = serde_json::to_value(&nights.template).unwrap();
    newer["schema"] = 99.into();
    nights.write("newer", &newer);
    std::fs::create_dir(nights.path().join("damaged")).unwrap();
    std::fs::write(nights.path().join("damaged/summary.json"), "{\"schema\": 1, ").unwrap();
    std::fs::create_dir(nights.path().join("empty")).unwrap();
    // A run without a summary is analysed on the fly.
    let without = nights.path().join("without-summary");
    std::fs::create_dir(&without).unwrap();
    for name in ["run.json", "trials.jsonl"] {
        std::fs::copy(two_cores().join(name), without.join(name)).unwrap();
    }
    // A loop of symbolic links is not followed.
    std::os::unix::fs::symlink(nights.path(), nights.path().join("loop")).unwrap();
    let history = nights.json(&[]);
    assert_eq!(history["runs"].as_array().unwrap().len(), 9);
    let passed_over = history["passed_over"].as_array().unwrap();
    let reason = |folder: &str| {
        let found = passed_over.iter().find(|one| one["folder"] == folder);
        found.unwrap()["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(passed_over.len(), 3);
    assert!(reason("damaged").contains("is damaged"));
    assert!(reason("newer").contains("use a newer ftbench"));
    assert!(reason("unfinished").contains("did not end"));
    assert!(nights.output(&[], 0).contains("unfinished: did not end"));
}

#[test]
fn the_suggested_command_rebuilds_a_damaged_summary() {
    let nights = Nights::new(0);
    let run = nights.path().join("damaged");
    std::fs::create_dir(&run).unwrap();
    for name in ["run.json", "trials.jsonl"] {
        std::fs::copy(two_cores().join(name), run.join(name)).unwrap();
    }
    std::fs::write(run.join("summary.json"), "{\"schema\": 1, ").unwrap();
    let refused = nights.output(&[], 2);
    let (_, command) = refused.split_once("regenerate it with '").unwrap();
    let command = command.split_once('\'').unwrap().0;
    let shell = command
        .replacen("ftbench", env!("CARGO_BIN_EXE_ftbench"), 1)
        .replace("RUN", run.to_str().unwrap());
    Command::new("sh").args(["-c", &shell]).assert().success();
    assert_eq!(nights.json(&[])["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn runs_and_series_can_be_filtered() {
    let nights = Nights::new(8);
    let all = nights.json(&[]);
    let fib = nights.json(&["--workload", "f*", "--interpreter", "3.13t", "--last", "5"]);
    assert_eq!(fib["runs"].as_array().unwrap().len(), 5);
    let series = fib["series"].as_array().unwrap();
    assert!(!series.is_empty() && series.len() < all["series"].as_array().unwrap().len());
    let is_other_workload =
        |series: &&Value| series["subject"]["of"] == "cell" && series["subject"]["workload"] != "fib";
    assert!(!series.iter().any(|series| is_other_workload(&series)));
    let since = nights.json(&["--since", "2026-09-06"]);
    assert_eq!(since["runs"].as_array().unwrap().len(), 3);
    for metric in ["speedup", "efficiency", "memory"] {
        let history = nights.json(&["--metric", metric]);
        assert_eq!(history["metric"], metric);
        assert!(!history["series"].as_array().unwrap().is_empty(), "{metric}");
        assert!(history["changes"].as_array().unwrap().is_empty(), "{metric}");
    }
}

#[test]
fn a_pattern_stops_at_a_slash_and_an_exact_name_takes_precedence() {
    let mut nights = Nights::new(0);
    for cell in &mut nights.template.cells {
        if cell.workload == "fib" {
            cell.workload = "mine/fib[1]".to_owned();
        }
    }
    for night in ["one", "two"] {
        nights.write(night, &serde_json::to_value(&nights.template).unwrap());
    }
    let workloads = |word: &str| {
        let history = nights.json(&["--workload", word]);
        let series = history["series"].as_array().unwrap().iter();
        let names = series.filter_map(|series| series["subject"]["workload"].as_str().map(str::to_owned));
        names.collect::<std::collections::BTreeSet<_>>()
    };
    assert!(!workloads("*").contains("mine/fib[1]"));
    for word in ["mine/fib[1]", "mine/*"] {
        assert_eq!(Vec::from_iter(workloads(word)), ["mine/fib[1]"]);
    }
}

#[test]
fn charts_and_a_page_are_written() {
    let nights = Nights::new(NIGHTS);
    let out = TempDir::new().unwrap();
    let file = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
    let (svg, png, means, page) = (
        file("fib.svg"),
        file("fib.png"),
        file("means.svg"),
        file("history.html"),
    );
    nights.output(&["--workload", "fib", "--chart", &svg, "--report", &page], 0);
    nights.output(&["--workload", "fib", "--chart", &png, "--theme", "dark"], 0);
    nights.output(&["--chart", &means], 0);
    assert!(std::fs::read_to_string(svg).unwrap().starts_with("<svg "));
    assert!(
        std::fs::read_to_string(means)
            .unwrap()
            .contains("geometric means")
    );
    assert!(Pixmap::load_png(png).unwrap().width() > 1000);
    let html = std::fs::read_to_string(page).unwrap();
    assert!(html.contains("What changed") && html.contains("<svg ") && !html.contains("<script"));
    let refused = nights.output(&["--workload", "*", "--chart", &file("all.svg")], 2);
    assert!(refused.contains("name one with --workload"), "{refused}");
    let refused = nights.output(&["--workload", "fib", "--chart", &file("fib.pdf")], 2);
    assert!(
        refused.contains("is neither an .svg nor a .png file"),
        "{refused}"
    );
}

#[test]
fn invalid_input_is_refused_with_a_remedy() {
    let nights = Nights::new(2);
    let unknown = nights.output(&["--workload", "fibb"], 2);
    assert!(
        unknown.contains("no workload of these runs") && unknown.contains("fib"),
        "{unknown}"
    );
    // Nested more deeply than a regular expression may be.
    let deep = format!("{}{}", "{a,".repeat(255), "}".repeat(255));
    for (option, word) in [("--workload", "["), ("--interpreter", deep.as_str())] {
        let malformed = nights.output(&[option, word], 2);
        assert!(malformed.contains("is not a pattern of names: "), "{malformed}");
    }
    assert!(nights.output(&["--since", "yesterday"], 2).contains("2026-11-01"));
    assert!(
        nights
            .output(&["--since", "2030-01-01"], 2)
            .contains("since that day")
    );
    let empty = TempDir::new().unwrap();
    let mut command = Command::cargo_bin("ftbench").unwrap();
    let output = command
        .arg("history")
        .arg(empty.path())
        .assert()
        .code(2)
        .get_output()
        .clone();
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("no run to show below")
    );
    let mut command = Command::cargo_bin("ftbench").unwrap();
    command
        .arg("history")
        .arg(empty.path().join("none"))
        .assert()
        .code(2);
}
