//! `ftbench run` on real interpreters: what the pair shows, what the folder holds, and that both agree.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on should stop, and one that says less than it could should say why"
)]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Instant;

use ftbench::record::schema::{
    CellStatus, Estimate, GilState, Model, RunStatus, Scaling, StoppedBy, Trial, TrialStatus, WarningKind,
};
use support::{Pair, Run, Sandbox, allowed_pus, machine_alone, machine_shared, pair};

/// How often the figures are measured before they are believed to be bad: another process on one of two cores is
/// enough to spoil them.
const ATTEMPTS: u32 = 3;

/// What a test of N workers needs at least.
fn two_pus() -> bool {
    let enough = allowed_pus().len() >= 2;
    if !enough {
        println!("nothing is shown here: this process may use one PU only, and the test needs two");
    }
    enough
}

fn estimate(value: Option<Estimate>) -> f64 {
    let value = value.unwrap_or_else(|| panic!("no estimate"));
    assert!(
        value.low <= value.estimate && value.estimate <= value.high,
        "{value:?}"
    );
    value.estimate
}

#[test]
fn threads_are_flat_with_the_gil_and_climb_without_it() {
    if !two_pus() {
        return;
    }
    let _alone = machine_alone();
    let pair = pair();
    let [gil, free_threaded] = pair.tags();
    let sandbox = Sandbox::new();
    for attempt in 1..=ATTEMPTS {
        let started = Instant::now();
        let name = format!("attempt-{attempt}");
        let arguments = [
            "fib",
            "nbody",
            "-p",
            gil,
            "-p",
            free_threaded,
            "-m",
            "serial",
            "-m",
            "threads",
            "-m",
            "processes",
            "-n",
            "1,2",
            "--seed",
            "7",
        ];
        let run = sandbox.run(&name, &arguments, 0);
        let took_s = started.elapsed().as_secs_f64();
        let figures = run.speedups_at_two(pair);
        println!("attempt {attempt}, {took_s:.1} s:\n{}", figures.join("\n"));
        if figures.iter().all(|line| line.ends_with("as it should be")) {
            return;
        }
    }
    panic!("speedups are not as they should be in {ATTEMPTS} attempts; see above");
}

/// What the tests here read out of a run.
trait Figures {
    /// A line for each speedup at two workers, and whether it is what the builds should give.
    fn speedups_at_two(&self, pair: &Pair) -> Vec<String>;

    fn order(&self) -> Vec<(u32, String, u32)>;
}

impl Figures for Run {
    fn speedups_at_two(&self, pair: &Pair) -> Vec<String> {
        let mut lines = Vec::new();
        for workload in ["fib", "nbody"] {
            for tag in pair.tags() {
                for model in [Model::Threads, Model::Processes] {
                    let flat = model == Model::Threads && tag == pair.gil;
                    let speedup = estimate(self.cell(workload, tag, model, 2).speedup);
                    let (good, bound) = if flat {
                        (speedup < 1.2, "below 1.2")
                    } else {
                        (speedup > 1.6, "above 1.6")
                    };
                    let verdict = if good {
                        "as it should be"
                    } else {
                        "NOT as it should be"
                    };
                    lines.push(format!(
                        "  {workload} {tag} {model} x2: {speedup:.2}, {bound} is wanted: {verdict}"
                    ));
                }
            }
        }
        lines
    }

    /// Round, cell and hash seed of each trial in turn.
    fn order(&self) -> Vec<(u32, String, u32)> {
        let trials = self.trials();
        trials
            .iter()
            .map(|trial| (trial.round, trial.cell.to_string(), trial.hash_seed))
            .collect()
    }
}

/// A short run that several tests read, made once and kept in the target folder.
static SHORT: LazyLock<(Sandbox, Run)> = LazyLock::new(|| {
    let _shared = machine_shared();
    let sandbox = Sandbox::new();
    let arguments = [
        "fib",
        "word_count",
        "-p",
        &pair().words(),
        "-m",
        "serial,threads,processes",
        "-n",
        counts(),
        "--rounds",
        "2",
        "--seed",
        "7",
        "--format",
        "json",
    ];
    let run = sandbox.run("short", &arguments, 0);
    (sandbox, run)
});

fn short() -> &'static Run {
    &SHORT.1
}

/// 1 and 2 where the machine has room for it.
fn counts() -> &'static str {
    static COUNTS: LazyLock<&str> = LazyLock::new(|| if allowed_pus().len() >= 2 { "1,2" } else { "1" });
    *COUNTS
}

fn most_workers() -> u32 {
    if counts() == "1,2" { 2 } else { 1 }
}

fn files(folder: &Path) -> BTreeSet<PathBuf> {
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
        "charts/fib.png",
        "charts/fib.svg",
        "charts/word_count.png",
        "charts/word_count.svg",
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
        assert!(svg.contains(workload) && svg.contains(pair().free_threaded.as_str()));
    }
}

#[test]
fn manifest_trials_samples_and_summary_agree() {
    let run = short();
    let (manifest, trials, summary) = (run.manifest(), run.trials(), run.summary());
    assert_eq!((manifest.status, manifest.seed), (RunStatus::Complete, 7));
    assert!(
        manifest
            .ended_at
            .is_some_and(|ended_at| ended_at > manifest.started_at)
    );
    assert!(manifest.command_line.contains(&"--seed".to_owned()));
    assert_eq!(summary.stopped_by, Some(StoppedBy::Rounds));
    let live = &manifest.plan.cells;
    assert!(live.iter().all(|planned| planned.skipped.is_none()));
    assert_eq!(trials.len(), live.len() * 2);
    for (number, trial) in (0..).zip(&trials) {
        assert_eq!((trial.trial, trial.status), (number, TrialStatus::Ok));
        let planned = live.iter().find(|planned| planned.cell == trial.cell).unwrap();
        assert_eq!(trial.placement, planned.placement);
        let workload = manifest
            .workloads
            .iter()
            .find(|one| one.name == trial.cell.workload);
        assert_eq!(Some(trial.units), workload.unwrap().units);
        let settings = &manifest.plan.settings;
        assert_eq!(
            trial.samples.len(),
            (settings.warmups + settings.samples) as usize
        );
        assert!(
            trial
                .samples
                .iter()
                .all(|sample| sample.shares.len() == trial.cell.workers as usize)
        );
        assert!(trial.startup_ns.is_some() && trial.memory.is_some());
        let longest = trial
            .samples
            .iter()
            .map(|sample| sample.makespan_ns())
            .max()
            .unwrap();
        assert!(longest > 0 && longest < trial.duration_ns);
    }
    let planned: Vec<_> = live.iter().map(|planned| planned.cell.clone()).collect();
    let summarised: Vec<_> = summary.cells.iter().map(|cell| cell.cell()).collect();
    assert_eq!(planned, summarised);
    for cell in &summary.cells {
        assert_eq!(
            (cell.status, cell.rounds, cell.samples),
            (CellStatus::Ok, 2, 6),
            "{}",
            cell.cell()
        );
        let slowest = trials.iter().filter(|trial| trial.cell == cell.cell());
        let times_s = slowest
            .flat_map(Trial::counted_samples)
            .map(|sample| sample.makespan_ns() as f64 / 1e9);
        let (least, most) = times_s.fold((f64::MAX, 0.0_f64), |(least, most), time| {
            (least.min(time), most.max(time))
        });
        let makespan_s = estimate(cell.makespan_s);
        assert!(
            (least..=most).contains(&makespan_s),
            "{makespan_s} is not from {least} to {most}"
        );
        if cell.workers == 1 {
            assert!((estimate(cell.speedup) - 1.0).abs() < 1e-9, "{}", cell.cell());
        }
    }
}

#[test]
fn the_table_of_samples_has_a_row_for_each() {
    let run = short();
    let text = run.text("samples.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let column = |name: &str| headings.iter().position(|heading| heading == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let samples: Vec<_> = run
        .trials()
        .into_iter()
        .flat_map(|trial| {
            trial
                .samples
                .clone()
                .into_iter()
                .map(move |sample| (trial.trial, sample))
        })
        .collect();
    assert_eq!(rows.len(), samples.len());
    for (row, (trial, sample)) in rows.iter().zip(&samples) {
        let field = |name: &str| row.get(column(name)).unwrap();
        assert_eq!(field("trial"), trial.to_string());
        assert_eq!(field("warmup"), sample.warmup.to_string());
        let makespan_s: f64 = field("makespan_s").parse().unwrap();
        assert!((makespan_s * 1e9 - sample.makespan_ns() as f64).abs() < 1.0);
        let pus: Vec<String> = sample
            .shares
            .iter()
            .map(|share| share.pu.unwrap().to_string())
            .collect();
        assert_eq!(field("pus"), pus.join(" "));
    }
}

#[test]
fn every_worker_is_bound_to_its_pu_and_every_sample_ran_there() {
    let run = short();
    for trial in run.trials() {
        assert_eq!(trial.workers.len(), trial.cell.workers as usize);
        assert_eq!(trial.placement.len(), trial.workers.len());
        let distinct: BTreeSet<u32> = trial.placement.iter().copied().collect();
        assert_eq!(distinct.len(), trial.placement.len(), "two workers on one PU");
        for (worker, &pu) in trial.workers.iter().zip(&trial.placement) {
            assert_eq!(worker.bound_to, [pu], "{}", trial.cell);
        }
        for sample in trial.counted_samples() {
            for share in &sample.shares {
                let bound_to = &trial.workers[share.worker as usize].bound_to;
                assert_eq!(
                    share.pu.map(|pu| vec![pu]).as_ref(),
                    Some(bound_to),
                    "{}",
                    trial.cell
                );
            }
            assert!(!sample.moved);
        }
    }
}

#[test]
fn the_gils_state_is_recorded_on_and_off() {
    let run = short();
    let pair = pair();
    for trial in run.trials() {
        let on = trial.cell.interpreter == pair.gil;
        assert_eq!(trial.gil_enabled, Some(on), "{}", trial.cell);
        assert!(
            trial.samples.iter().all(|sample| sample.gil_enabled == on),
            "{}",
            trial.cell
        );
    }
    for cell in run.summary().cells {
        let state = if cell.interpreter == pair.gil {
            GilState::On
        } else {
            GilState::Off
        };
        assert_eq!(cell.gil, Some(state), "{}", cell.cell());
    }
    let builds: Vec<_> = run
        .manifest()
        .interpreters
        .iter()
        .map(|one| (one.free_threaded, one.gil))
        .collect();
    assert_eq!(builds, [(false, GilState::On), (true, GilState::Off)]);
}

#[test]
fn what_is_printed_kept_and_shown_again_is_the_same() {
    let (sandbox, run) = &*SHORT;
    assert_eq!(run.told.stdout, run.text("summary.json"));
    let shown = |format: &str| {
        let told = sandbox.ftbench(&["show", "short", "--format", format]);
        told.ends_with(0);
        told.stdout
    };
    assert_eq!(shown("json"), run.text("summary.json"));
    assert_eq!(shown("csv"), run.text("samples.csv"));
    let (table, markdown) = (shown("table"), shown("markdown"));
    for text in [&table, &markdown] {
        for word in [
            "fib",
            "word_count",
            "serial",
            "threads",
            "processes",
            &pair().free_threaded,
        ] {
            assert!(text.contains(word), "no {word} in:\n{text}");
        }
    }
    assert!(
        markdown
            .lines()
            .any(|line| line.starts_with('|') && line.contains("---")),
        "{markdown}"
    );
}

#[test]
fn few_rounds_are_warned_of() {
    let kinds: Vec<WarningKind> = short()
        .summary()
        .warnings
        .iter()
        .map(|warning| warning.kind)
        .collect();
    assert!(kinds.contains(&WarningKind::FewRounds), "{kinds:?}");
}

#[test]
fn the_seed_gives_the_order_of_trials() {
    let _shared = machine_shared();
    let sandbox = Sandbox::new();
    let order = |name: &str, seed: &str| {
        let arguments = [
            "fib",
            "sha256",
            "-p",
            &pair().words(),
            "-m",
            "serial,threads",
            "-n",
            "1",
            "--rounds",
            "2",
            "--seed",
            seed,
        ];
        sandbox.run(name, &arguments, 0).order()
    };
    let first = order("first", "7");
    assert_eq!(first.len(), 16);
    assert_eq!(first, order("again", "7"));
    let other = order("other", "8");
    let cells =
        |order: &[(u32, String, u32)]| order.iter().map(|(_, cell, _)| cell.clone()).collect::<Vec<_>>();
    assert_ne!(cells(&first), cells(&other));
    assert_ne!(
        cells(&first)[..8],
        cells(&first)[8..],
        "both rounds have the same order"
    );
    let seeds: BTreeSet<u32> = first.iter().map(|(.., hash_seed)| *hash_seed).collect();
    assert_eq!(seeds.len(), first.len(), "two trials with one hash seed");
    for order in [&first, &other] {
        // One block after the other: a round changes its workload once.
        let workload = |index: usize| order[index].1.split(' ').next();
        let changes = (1..8)
            .filter(|&index| workload(index) != workload(index - 1))
            .count();
        assert_eq!(changes, 1);
    }
}

#[test]
fn waiting_overlaps_in_threads_and_tasks_in_spite_of_the_gil() {
    let _alone = machine_alone();
    let gil = pair().gil.as_str();
    let sandbox = Sandbox::new();
    let arguments = [
        "http_fetch",
        "-p",
        gil,
        "-m",
        "threads",
        "-m",
        "asyncio",
        "--rounds",
        "2",
    ];
    let run = sandbox.run("fetch", &arguments, 0);
    run.all_ok("http_fetch");
    for model in [Model::Threads, Model::Asyncio] {
        let cells = run.cells("http_fetch");
        let largest = cells
            .iter()
            .filter(|cell| cell.model == model)
            .max_by_key(|cell| cell.workers)
            .unwrap();
        assert!(largest.workers >= 16);
        let vs_baseline = estimate(largest.vs_baseline);
        println!("{}: {vs_baseline:.1} times the serial one", largest.cell());
        assert!(vs_baseline > 3.0, "{}: {vs_baseline}", largest.cell());
    }
}

#[test]
fn every_model_runs_on_both_builds() {
    let _shared = machine_shared();
    let sandbox = Sandbox::new();
    let names: Vec<&str> = Model::ALL.iter().map(|model| model.name()).collect();
    let workers = most_workers();
    let arguments = [
        "fib",
        "-p",
        &pair().words(),
        "-m",
        &names.join(","),
        "-n",
        &workers.to_string(),
        "--rounds",
        "1",
    ];
    let run = sandbox.run("models", &arguments, 0);
    run.all_ok("fib");
    for tag in pair().tags() {
        for model in Model::ALL {
            let most = if model == Model::Serial { 1 } else { workers };
            assert_eq!(run.cell("fib", tag, model, most).status, CellStatus::Ok);
        }
    }
    for trial in run.trials() {
        let Trial {
            cell,
            workers,
            start_method,
            samples,
            ..
        } = &trial;
        let processes: BTreeSet<i32> = workers.iter().map(|worker| worker.process_id).collect();
        let threads: BTreeSet<i32> = workers.iter().map(|worker| worker.thread_id).collect();
        let many = cell.workers as usize;
        let (own_processes, own_threads) = match cell.model.family() {
            Model::Processes => (many, many),
            Model::Threads | Model::AsyncioThreads => (1, many),
            _ => (1, 1),
        };
        assert_eq!(
            (processes.len(), threads.len()),
            (own_processes, own_threads),
            "{cell}"
        );
        let named = cell.model.name().strip_prefix("processes:");
        match (named, cell.model) {
            (Some(named), _) => assert_eq!(start_method.as_deref(), Some(named), "{cell}"),
            (None, Model::Processes) => assert!(start_method.is_some(), "{cell}"),
            (None, _) => assert_eq!(*start_method, None, "{cell}"),
        }
        assert!(samples.iter().all(|sample| sample.shares.len() == many), "{cell}");
    }
}

#[test]
fn the_whole_suite_passes_its_checks() {
    let _shared = machine_shared();
    let sandbox = Sandbox::new();
    let arguments = ["-p", &pair().words(), "-n", counts(), "--rounds", "1"];
    let run = sandbox.run("suite", &arguments, 0);
    for workload in [
        "fib",
        "nbody",
        "sha256",
        "word_count",
        "shared_counter",
        "http_fetch",
    ] {
        run.all_ok(workload);
    }
    let models =
        |workload: &str| -> BTreeSet<Model> { run.cells(workload).iter().map(|cell| cell.model).collect() };
    assert!(models("http_fetch").contains(&Model::AsyncioThreads));
    assert!(
        !models("shared_counter").contains(&Model::Processes),
        "processes share no counter"
    );
}

#[test]
fn a_model_that_makes_no_sense_for_a_workload_is_skipped_with_the_reason() {
    let _shared = machine_shared();
    let sandbox = Sandbox::new();
    let arguments = [
        "shared_counter",
        "-p",
        &pair().gil,
        "-m",
        "serial,processes",
        "-n",
        "1",
        "--rounds",
        "1",
    ];
    let run = sandbox.run("skipped", &arguments, 0);
    let skipped = run.cell("shared_counter", &pair().gil, Model::Processes, 1);
    assert_eq!(skipped.status, CellStatus::Skipped);
    assert!(
        skipped
            .reason
            .unwrap()
            .contains("names the models serial, threads, asyncio-threads only")
    );
    assert_eq!(
        run.cell("shared_counter", &pair().gil, Model::Serial, 1).status,
        CellStatus::Ok
    );
    assert!(run.trials().iter().all(|trial| trial.cell.model == Model::Serial));
}

/// A workload that notes, beside itself, how many units each worker was given.
const NOTING: &str = "
import os

def work(data, units):
    total = 0
    for index in range(units * 1000):
        total += index
    return units

def check(results, units):
    with open(os.path.join(os.path.dirname(__file__), 'notes'), 'a') as notes:
        print(*results, units, file=notes)
";

#[test]
fn strong_scaling_splits_the_units_and_weak_scaling_gives_each_worker_all() {
    if !two_pus() {
        return;
    }
    let _shared = machine_shared();
    for (scaling, expected) in [("strong", Scaling::Strong), ("weak", Scaling::Weak)] {
        let sandbox = Sandbox::new();
        let workload = sandbox.file("noting.py", NOTING);
        let arguments = [
            &workload,
            "-p",
            &pair().gil,
            "-m",
            "threads",
            "-n",
            "2",
            "--rounds",
            "2",
            "--scaling",
            scaling,
        ];
        let run = sandbox.run("out", &arguments, 0);
        run.all_ok("noting");
        assert_eq!(run.summary().run.scaling, expected);
        let units = run.trials()[0].units;
        let of_two_workers = match expected {
            Scaling::Strong => format!("{} {} {units}", units / 2, units / 2),
            Scaling::Weak => format!("{units} {units} {}", units * 2),
        };
        let notes = std::fs::read_to_string(sandbox.path().join("notes")).unwrap();
        let notes: Vec<&str> = notes
            .lines()
            .filter(|note| note.split(' ').count() == 3)
            .collect();
        // Two rounds of a warm-up and three samples.
        assert_eq!(notes, vec![of_two_workers.as_str(); 8]);
        let two = run.cell("noting", &pair().gil, Model::Threads, 2);
        let one = run.cell("noting", &pair().gil, Model::Threads, 1);
        let gained = estimate(one.makespan_s) / estimate(two.makespan_s);
        let work = if expected == Scaling::Weak { 2.0 } else { 1.0 };
        // Median of two rounds against their geometric mean: near, and far from a factor of two.
        let speedup = estimate(two.speedup) / (gained * work);
        assert!((0.7..1.4).contains(&speedup), "{scaling}: {speedup}");
    }
}

#[test]
fn a_dry_run_prints_the_plan_and_measures_nothing() {
    let sandbox = Sandbox::new();
    let pair = pair();
    let arguments = [
        "run",
        "fib",
        "-p",
        &pair.words(),
        "-m",
        "threads",
        "-n",
        "1",
        "--dry-run",
        "--out",
        "out",
    ];
    let told = sandbox.ftbench(&arguments);
    told.ends_with(0);
    for word in ["fib", "threads", "serial", &pair.gil, &pair.free_threaded] {
        assert!(told.stdout.contains(word), "no {word} in:\n{}", told.stdout);
    }
    let told = sandbox.ftbench(&[&arguments[..], &["--format", "json"]].concat());
    told.ends_with(0);
    let cells: Vec<(String, String)> = told.json()["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| {
            (
                cell["interpreter"].as_str().unwrap().to_owned(),
                cell["model"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let cell = |tag: &str, model: &str| (tag.to_owned(), model.to_owned());
    let wanted = [
        cell(&pair.gil, "serial"),
        cell(&pair.gil, "threads"),
        cell(&pair.free_threaded, "threads"),
    ];
    assert_eq!(cells, wanted);
    assert_eq!(
        files(sandbox.path()),
        BTreeSet::new(),
        "a dry run leaves nothing behind"
    );
}

#[test]
fn a_dry_run_plans_for_any_machine() {
    let sandbox = Sandbox::new();
    let arguments = [
        "run",
        "fib",
        "-p",
        &pair().gil,
        "-m",
        "threads",
        "-n",
        "8",
        "--pin",
        "scatter",
        "--dry-run",
        "--format",
        "json",
    ];
    let mut command = sandbox.command(arguments);
    command.env("HWLOC_SYNTHETIC", "pack:2 [numa] die:2 l3:1 core:2 pu:2");
    let told = support::told(command);
    told.ends_with(0);
    let plan = told.json();
    let widest = plan["cells"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(widest["workers"], 8);
    assert_eq!(
        widest["placement"],
        serde_json::json!([0, 8, 4, 12, 2, 10, 6, 14])
    );
}

#[test]
fn workers_that_are_not_pinned_are_not_bound() {
    let _shared = machine_shared();
    let sandbox = Sandbox::new();
    let arguments = [
        "fib",
        "-p",
        &pair().free_threaded,
        "-m",
        "serial,threads,processes",
        "-n",
        "2",
        "--pin",
        "none",
        "--rounds",
        "1",
    ];
    let run = sandbox.run("free", &arguments, 0);
    run.all_ok("fib");
    assert_eq!(run.manifest().plan.settings.pin, "none");
    for trial in run.trials() {
        assert_eq!(trial.placement, Vec::<u32>::new());
        assert!(trial.workers.iter().all(|worker| worker.bound_to.is_empty()));
        assert!(trial.samples.iter().all(|sample| !sample.moved));
    }
    assert!(run.summary().cells.iter().all(|cell| cell.placement.is_empty()));
}

#[test]
fn a_pu_can_be_named() {
    let pus = allowed_pus();
    let Some(pu) = pus.get(1).or(pus.first()) else {
        panic!("no PU is allowed")
    };
    let _shared = machine_shared();
    let sandbox = Sandbox::new();
    let arguments = [
        "fib",
        "-p",
        &pair().gil,
        "-m",
        "serial,processes",
        "-n",
        "1",
        "--pin",
        &pu.to_string(),
        "--rounds",
        "1",
    ];
    let run = sandbox.run("named", &arguments, 0);
    run.all_ok("fib");
    for trial in run.trials() {
        let seen: BTreeSet<Option<u32>> = trial
            .counted_samples()
            .flat_map(|sample| &sample.shares)
            .map(|share| share.pu)
            .collect();
        let pu = u32::try_from(*pu).unwrap();
        assert_eq!(
            (trial.placement, seen),
            (vec![pu], BTreeSet::from([Some(pu)])),
            "{}",
            trial.cell
        );
    }
}

#[test]
fn without_options_the_pair_is_chosen_and_the_folder_named() {
    let _shared = machine_shared();
    let sandbox = Sandbox::new();
    let told = sandbox.ftbench(&[
        "run",
        "fib",
        "-m",
        "serial",
        "-n",
        "1",
        "--rounds",
        "2",
        "--profile",
        "quick",
    ]);
    told.ends_with(0);
    let results = sandbox.path().join("results");
    let folders: Vec<PathBuf> = std::fs::read_dir(&results)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let [folder] = folders.as_slice() else {
        panic!("not one folder: {folders:?}")
    };
    let name = folder.file_name().unwrap().to_str().unwrap();
    assert!(
        told.stderr.contains(&format!("results/{name}")),
        "{}",
        told.stderr
    );
    let run = Run {
        folder: folder.clone(),
        told,
    };
    let manifest = run.manifest();
    let tags: Vec<&str> = manifest.interpreters.iter().map(|one| one.tag.as_str()).collect();
    assert_eq!(tags, pair().tags());
    assert_eq!(manifest.plan.baseline, pair().gil);
    let time: String = manifest
        .started_at
        .chars()
        .take(19)
        .map(|char| if char == ':' { '-' } else { char })
        .collect();
    assert!(
        name.starts_with(&format!("{time}Z-")),
        "{name} for {}",
        manifest.started_at
    );
    for word in ["fib", "serial", "makespan", "[", &pair().free_threaded] {
        assert!(
            run.told.stdout.contains(word),
            "no {word} in:\n{}",
            run.told.stdout
        );
    }
    assert!(!run.told.stdout.contains('\u{1b}'), "colour where no terminal is");
}

#[test]
fn quiet_says_nothing_but_results_and_verbose_tells_of_every_trial() {
    let _shared = machine_shared();
    let sandbox = Sandbox::new();
    let arguments = [
        "fib",
        "-p",
        &pair().gil,
        "-m",
        "serial",
        "-n",
        "1",
        "--rounds",
        "1",
    ];
    let quiet = sandbox.run("quiet", &[&arguments[..], &["-q"]].concat(), 0);
    assert_eq!(quiet.told.stderr, "");
    assert!(quiet.told.stdout.contains("fib"));
    let verbose = sandbox.run("verbose", &[&arguments[..], &["-v"]].concat(), 0);
    verbose.told.says(&[
        "calibrating fib",
        &format!("round 1 fib {} serial x1: ", pair().gil),
    ]);
}
