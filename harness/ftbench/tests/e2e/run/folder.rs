//! The files that a run leaves behind, and that they agree. All of these tests share one run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use ftbench_schema::{CellStatus, GilState, RunStatus, Sample, StoppedBy, Trial, TrialStatus, WarningKind};

use super::estimate;
use crate::support::machine::{Use, lock};
use crate::support::paths::harness;
use crate::support::{FTBENCH, Run, Sandbox, counts, output_of, pair};

const ROUNDS: u32 = 3;

static SHORT: LazyLock<(Sandbox, Run)> = LazyLock::new(|| {
    let sandbox = Sandbox::new();
    let words = format!(
        "fib word_count -p {} -m serial,threads,processes -n {} --rounds {ROUNDS} --seed 7 --format json",
        pair().words(),
        counts()
    );
    let run = sandbox.run("short", &words, 0);
    (sandbox, run)
});

/// The run and its sandbox, made by the first test that asks for them. Every test takes the lock before it waits for
/// them.
fn shared() -> &'static (Sandbox, Run) {
    lock(Use::Alone);
    &SHORT
}

fn short() -> &'static Run {
    &shared().1
}

/// Every file below a folder.
pub fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path);
        }
    }
    found
}

#[test]
fn the_folder_holds_everything_and_nothing_else() {
    let run = short();
    let names: Vec<String> = files(&run.folder)
        .iter()
        .map(|path| path.strip_prefix(&run.folder).unwrap().display().to_string())
        .collect();
    let wanted = [
        "charts/_heat-map.png",
        "charts/_heat-map.svg",
        "charts/_overhead.png",
        "charts/_overhead.svg",
        "charts/fib.png",
        "charts/fib.svg",
        "charts/word_count.png",
        "charts/word_count.svg",
        "report.html",
        "run.json",
        "samples.csv",
        "summary.json",
        "trials.jsonl",
    ];
    assert_eq!(names, wanted);
    for workload in ["fib", "word_count"] {
        let png = run.read(&format!("charts/{workload}.png"));
        assert!(
            png.starts_with(b"\x89PNG\r\n\x1a\n") && png.len() > 10_000,
            "{} bytes",
            png.len()
        );
        let svg = run.text(&format!("charts/{workload}.svg"));
        assert!(svg.contains("<svg") && svg.trim_end().ends_with("</svg>"));
        assert!(svg.contains(workload) && svg.contains(&pair().free_threaded));
    }
}

#[test]
fn the_manifest_records_what_was_done() {
    let manifest = short().manifest();
    assert_eq!((manifest.status, manifest.seed), (RunStatus::Complete, 7));
    assert!(
        manifest
            .ended_at
            .is_some_and(|ended_at| ended_at > manifest.started_at)
    );
    assert!(manifest.command_line.contains(&"--seed".to_owned()));
    assert!(
        manifest
            .plan
            .cells
            .iter()
            .all(|planned| planned.skipped.is_none())
    );
    for workload in &manifest.workloads {
        assert!(workload.units.is_some() && workload.sha256.len() == 64);
    }
    let builds: Vec<_> = manifest
        .interpreters
        .iter()
        .map(|one| (one.free_threaded, one.gil))
        .collect();
    assert_eq!(builds, [(false, GilState::On), (true, GilState::Off)]);
}

#[test]
fn the_trials_follow_the_plan() {
    let (manifest, trials) = (short().manifest(), short().trials());
    let plan = &manifest.plan;
    assert_eq!(trials.len(), plan.cells.len() * ROUNDS as usize);
    for (number, trial) in (0..).zip(&trials) {
        assert_eq!((trial.trial, trial.status), (number, TrialStatus::Ok));
        let planned = plan.cells.iter().find(|planned| planned.cell == trial.cell);
        assert_eq!(trial.placement, planned.unwrap().placement);
        let mut workloads = manifest.workloads.iter();
        let workload = workloads.find(|one| one.name == trial.cell.workload);
        let (workload, native) = (workload.unwrap(), trial.cell.is_native());
        // The ceiling's kernel has its own units of work.
        let ceilings = workload.ceiling.as_ref().and_then(|ceiling| ceiling.units);
        let units = if native { ceilings } else { workload.units };
        assert_eq!(Some(trial.units), units, "{}", trial.cell);
        let planned_samples = plan.settings.samples as usize;
        assert_eq!(trial.counted_samples().count(), planned_samples);
        let warmups = trial.samples.len() - planned_samples;
        assert!(warmups >= plan.settings.warmups as usize);
        let warmup_ns: u64 = trial.samples[..warmups].iter().map(Sample::makespan_ns).sum();
        assert!(warmup_ns as f64 / 1e9 >= plan.settings.warmup_s, "{}", trial.cell);
        for sample in &trial.samples {
            assert_eq!(sample.shares.len(), trial.cell.workers as usize);
            assert!(sample.makespan_ns() > 0 && sample.makespan_ns() < trial.duration_ns);
            assert_eq!(sample.warmup, (sample.sample as usize) < warmups);
        }
        assert!(trial.startup_ns.is_some() && trial.memory.is_some());
    }
}

#[test]
fn the_summary_follows_the_trials() {
    let (manifest, trials, summary) = (short().manifest(), short().trials(), short().summary());
    assert_eq!(summary.stopped_by, Some(StoppedBy::Rounds));
    let planned: Vec<_> = manifest
        .plan
        .cells
        .iter()
        .map(|planned| planned.cell.clone())
        .collect();
    let summarised: Vec<_> = summary.cells.iter().map(|cell| cell.cell.clone()).collect();
    assert_eq!(planned, summarised);
    for cell in &summary.cells {
        assert_eq!(
            (cell.status, cell.rounds, cell.samples),
            (CellStatus::Ok, ROUNDS, manifest.plan.settings.samples * ROUNDS)
        );
        let own = trials.iter().filter(|trial| trial.cell == cell.cell);
        let times_s: Vec<f64> = own
            .flat_map(Trial::counted_samples)
            .map(|sample| sample.makespan_ns() as f64 / 1e9)
            .collect();
        let min = times_s.iter().copied().fold(f64::MAX, f64::min);
        let max = times_s.iter().copied().fold(0.0, f64::max);
        let makespan_s = estimate(cell.makespan_s);
        assert!(
            (min..=max).contains(&makespan_s),
            "{}: {makespan_s} is not from {min} to {max}",
            cell.cell
        );
        if cell.workers == 1 {
            assert!((estimate(cell.speedup) - 1.0).abs() < 1e-9, "{}", cell.cell);
        }
    }
    let kinds: Vec<WarningKind> = summary.warnings.iter().map(|warning| warning.kind).collect();
    assert!(kinds.contains(&WarningKind::FewRounds), "{kinds:?}");
}

#[test]
fn the_table_of_samples_has_a_row_for_each() {
    let text = short().text("samples.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let column = |name: &str| headings.iter().position(|heading| heading == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let trials = short().trials();
    let samples: Vec<_> = trials
        .iter()
        .flat_map(|trial| trial.samples.iter().map(move |sample| (trial, sample)))
        .collect();
    assert_eq!(rows.len(), samples.len());
    for (row, (trial, sample)) in rows.iter().zip(samples) {
        let field = |name: &str| row.get(column(name)).unwrap();
        assert_eq!(field("trial"), trial.trial.to_string());
        assert_eq!(field("model"), trial.cell.model.name());
        assert_eq!(field("warmup"), sample.warmup.to_string());
        let makespan_s: f64 = field("makespan_s").parse().unwrap();
        assert!((makespan_s * 1e9 - sample.makespan_ns() as f64).abs() < 1.0);
        let pus: Vec<String> = sample
            .shares
            .iter()
            .filter_map(|share| Some(share.pu?.to_string()))
            .collect();
        assert_eq!(field("pus"), pus.join(" "));
        assert_eq!(pus.is_empty(), sample.noise.is_none());
    }
}

#[test]
fn every_worker_is_bound_to_its_pu_and_every_sample_ran_there() {
    for trial in short().trials() {
        assert_eq!(trial.workers.len(), trial.cell.workers as usize);
        assert_eq!(trial.placement.len(), trial.workers.len());
        let distinct: BTreeSet<u32> = trial.placement.iter().copied().collect();
        assert_eq!(distinct.len(), trial.placement.len(), "two workers on one PU");
        for (worker, &pu) in trial.workers.iter().zip(&trial.placement) {
            assert_eq!(worker.bound_to, [pu], "{}", trial.cell);
        }
        for sample in trial.counted_samples() {
            assert!(!sample.moved, "{}", trial.cell);
            for share in &sample.shares {
                let bound_to = &trial.workers[share.worker as usize].bound_to;
                assert!(share.pu.is_none_or(|pu| bound_to == &[pu]), "{}", trial.cell);
            }
        }
    }
}

#[test]
fn the_gils_state_is_recorded_on_and_off() {
    // The ceiling has no Python in it.
    let mut trials = short().trials();
    trials.retain(|trial| !trial.cell.is_native());
    for trial in trials {
        let on = trial.cell.interpreter == pair().gil;
        assert_eq!(trial.gil_enabled, Some(on), "{}", trial.cell);
        let mut states = trial.samples.iter().map(|sample| sample.gil_enabled);
        assert!(states.all(|state| state == on), "{}", trial.cell);
    }
    for cell in short().summary().cells {
        let on = cell.interpreter == pair().gil;
        let state = (!cell.is_native()).then(|| GilState::from_enabled(on));
        assert_eq!(cell.gil, state, "{}", cell.cell);
    }
}

#[test]
fn printed_stored_and_shown_results_are_the_same() {
    let (sandbox, run) = shared();
    assert_eq!(run.output.stdout, run.text("summary.json"));
    let shown = |format: &str| {
        let output = sandbox.ftbench(&format!("show short --format {format}"));
        output.exits_with(0);
        output.stdout
    };
    assert_eq!(shown("json"), run.text("summary.json"));
    assert_eq!(shown("csv"), run.text("samples.csv"));
    let (table, markdown) = (shown("table"), shown("markdown"));
    for text in [&table, &markdown] {
        for word in [
            "fib",
            "count",
            "serial",
            "threads",
            "processes",
            &pair().free_threaded,
        ] {
            assert!(text.contains(word), "no {word} in:\n{text}");
        }
        assert!(
            text.contains(" [") && text.contains(']'),
            "no interval in:\n{text}"
        );
    }
    assert!(markdown.contains("\n| --- |"), "{markdown}");
}

/// Tests a run as it is archived: without the files that can be regenerated, and with its record compressed.
#[test]
fn a_run_with_a_compressed_record_can_be_read_but_not_resumed() {
    let (_, run) = shared();
    let sandbox = Sandbox::new();
    sandbox.file("short/run.json", run.read("run.json"));
    let trials = sandbox.file("short/trials.jsonl", run.read("trials.jsonl"));
    assert!(Command::new("gzip").arg(&trials).status().unwrap().success());
    let shown = sandbox.ftbench("show short --format json");
    shown.exits_with(0);
    assert_eq!(shown.stdout, run.text("summary.json"));
    assert_eq!(shown.stderr, "");
    sandbox.ftbench("report short").exits_with(0);
    assert_eq!(
        std::fs::read(sandbox.path().join("short/report.html")).unwrap(),
        run.read("report.html")
    );
    sandbox.ftbench("run --resume short").refuses(
        &["trials.jsonl.gz is compressed", "gunzip short/trials.jsonl.gz"],
        2,
    );
    let packed = sandbox.path().join("short/trials.jsonl.gz");
    let bytes = std::fs::read(&packed).unwrap();
    std::fs::write(&packed, &bytes[..bytes.len() / 2]).unwrap();
    let damaged = sandbox.ftbench("show short --format json");
    damaged.exits_with(0);
    let warned = &damaged.stdout;
    assert!(
        warned.contains("trials.jsonl.gz is damaged") && warned.contains("bytes could be unpacked"),
        "{warned}"
    );
}

#[test]
fn a_published_run_has_the_same_cells_and_not_the_home_folder() {
    let (_, run) = shared();
    let home = std::env::var("HOME").unwrap();
    let sandbox = Sandbox::new();
    let published = sandbox.path().join("short");
    let script = harness().join("../scripts/publish-run.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(&run.folder).arg(&published);
    command.args(["--home", &home, "--ftbench", FTBENCH]);
    output_of(command).exits_with(0);
    let names: Vec<String> = files(&published)
        .iter()
        .map(|path| path.strip_prefix(&published).unwrap().display().to_string())
        .filter(|name| !name.starts_with("charts/"))
        .collect();
    assert_eq!(names, ["report.html", "run.json", "trials.jsonl.gz"]);
    let manifest = std::fs::read_to_string(published.join("run.json")).unwrap();
    assert!(!manifest.contains(&format!("{home}/")), "{manifest}");
    let shown = sandbox.ftbench("show short --format json");
    shown.exits_with(0);
    let cells = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["cells"].clone();
    assert_eq!(cells(&shown.stdout), cells(&run.text("summary.json")));
}
