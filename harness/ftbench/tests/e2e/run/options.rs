//! The effects of the options of `ftbench run`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ftbench_analyse::estimate::{Makespans, log_contrast};
use ftbench_schema::{Model, NATIVE, Scaling, Trial};
use serde_json::json;

use super::folder::files;
use super::{estimate, two_pus};
use crate::support::{Run, Sandbox, allowed_pus, newest_pair, output_of, pair};

/// The place of one trial in the order.
#[derive(Debug, Clone, PartialEq)]
struct Turn {
    round: u32,
    cell: String,
    hash_seed: u32,
}

#[test]
fn the_seed_gives_the_order_of_trials() {
    let sandbox = Sandbox::sharing_the_machine();
    let turns = |out: &str, seed: u32| -> Vec<Turn> {
        let tags = pair().words();
        let words = format!("fib sha256 -p {tags} -m serial,threads -n 1 --rounds 2 --seed {seed}");
        let trials = sandbox.run(out, &words, 0).trials();
        let turn = |trial: &Trial| Turn {
            round: trial.round,
            cell: trial.cell.to_string(),
            hash_seed: trial.hash_seed,
        };
        trials.iter().map(turn).collect()
    };
    let (first, other) = (turns("first", 7), turns("other", 8));
    assert_eq!(first, turns("again", 7));
    let cells = |turns: &[Turn]| -> Vec<String> { turns.iter().map(|turn| turn.cell.clone()).collect() };
    assert_ne!(cells(&first), cells(&other));
    for turns in [&first, &other] {
        assert_eq!(turns.len(), 16);
        let (one, two) = turns.split_at(8);
        assert!(one.iter().all(|turn| turn.round == 0) && two.iter().all(|turn| turn.round == 1));
        assert_ne!(cells(one), cells(two), "both rounds have the same order");
        let seeds: BTreeSet<u32> = turns.iter().map(|turn| turn.hash_seed).collect();
        assert_eq!(seeds.len(), 4, "one for each workload in each round");
        // Cells that are compared run together: a round changes its workload once.
        let workloads: Vec<&str> = one
            .iter()
            .filter_map(|turn| turn.cell.split(' ').next())
            .collect();
        assert_eq!(workloads.chunk_by(|a, b| a == b).count(), 2);
    }
}

/// A workload that writes into a file beside it how many units each worker was given.
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
    let gil = &pair().gil;
    for scaling in [Scaling::Strong, Scaling::Weak] {
        let name = if scaling == Scaling::Weak {
            "weak"
        } else {
            "strong"
        };
        let sandbox = Sandbox::sharing_the_machine();
        let workload = sandbox.file("noting.py", NOTING);
        let words = format!("{workload} -p {gil} -m threads -n 2 --rounds 3 --scaling {name} --no-ceiling");
        let run = sandbox.run("out", &words, 0);
        run.all_ok("noting");
        assert_eq!(run.summary().run.scaling, scaling);
        let units = run.trials()[0].units;
        let (of_two_workers, work) = match scaling {
            Scaling::Strong => (format!("{} {} {units}", units / 2, units / 2), 1.0),
            Scaling::Weak => (format!("{units} {units} {}", units * 2), 2.0),
        };
        let notes = std::fs::read_to_string(sandbox.path().join("notes")).unwrap();
        let notes: Vec<&str> = notes
            .lines()
            .filter(|note| note.split(' ').count() == 3)
            .collect();
        let trials = run.trials();
        let with_two = trials.iter().filter(|trial| trial.cell.workers == 2);
        let samples: usize = with_two.map(|trial| trial.samples.len()).sum();
        assert_eq!(notes, vec![of_two_workers.as_str(); samples]);
        let [one, two] = [1, 2].map(|workers| {
            let threads = trials.iter().filter(|trial| trial.cell.model == Model::Threads);
            let trials: Vec<&Trial> = threads.filter(|trial| trial.cell.workers == workers).collect();
            Makespans::of(&trials)
        });
        let speedups: Vec<f64> = log_contrast(&[&one], &[&two])
            .into_values()
            .map(|log| log.exp() * work)
            .collect();
        assert_eq!(speedups.len(), 3);
        let min = speedups.iter().copied().fold(f64::MAX, f64::min);
        let max = speedups.iter().copied().fold(0.0, f64::max);
        let speedup = estimate(run.cell("noting", gil, Model::Threads, 2).speedup);
        assert!(
            (min * 0.999..=max * 1.001).contains(&speedup),
            "{name}: {speedup} is not from {min} to {max}"
        );
    }
}

#[test]
fn a_dry_run_prints_the_plan_and_measures_nothing() {
    let sandbox = Sandbox::sharing_the_machine();
    let [gil, free_threaded] = pair().tags();
    let words = format!("run fib -p {gil},{free_threaded} -m threads -n 1 --dry-run --out out");
    let table = sandbox.ftbench(&words);
    table.exits_with(0);
    for word in ["fib", "threads", "serial", gil, free_threaded] {
        assert!(table.stdout.contains(word), "no {word} in:\n{}", table.stdout);
    }
    let plan = sandbox.ftbench(&format!("{words} --format json"));
    plan.exits_with(0);
    let cells: Vec<(String, String)> = plan.json()["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| (cell["interpreter"].to_string(), cell["model"].to_string()))
        .collect();
    let cell = |tag: &str, model: &str| (format!("\"{tag}\""), format!("\"{model}\""));
    let wanted = [
        cell(gil, "serial"),
        cell(gil, "threads"),
        cell(free_threaded, "threads"),
    ];
    assert_eq!(cells, wanted);
    assert!(files(sandbox.path()).is_empty() && !sandbox.path().join("out").exists());
}

#[test]
fn the_ceiling_is_planned_unless_it_is_left_out() {
    let sandbox = Sandbox::sharing_the_machine();
    let native = |options: &str| {
        let words = format!(
            "run fib -p {} -m threads -n 2 --dry-run --format json {options}",
            pair().gil
        );
        let mut command = sandbox.command(&words);
        command.env("HWLOC_SYNTHETIC", "core:2 pu:1");
        let output = output_of(command);
        output.exits_with(0);
        let plan = output.json();
        let cells = plan["cells"].as_array().unwrap().iter();
        let native = cells.filter(|cell| cell["interpreter"] == NATIVE);
        native.map(|cell| cell["placement"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(native(""), [json!([0]), json!([0, 1])]);
    assert!(native("--no-ceiling").is_empty());
}

#[test]
fn a_dry_run_plans_for_any_machine() {
    let sandbox = Sandbox::sharing_the_machine();
    let gil = &pair().gil;
    let words = format!("run fib -p {gil} -m threads -n 8 --pin scatter --dry-run --format json");
    let mut command = sandbox.command(&words);
    command.env("HWLOC_SYNTHETIC", "pack:2 [numa] die:2 l3:1 core:2 pu:2");
    let output = output_of(command);
    output.exits_with(0);
    let plan = output.json();
    let widest = plan["cells"].as_array().unwrap().last().unwrap();
    assert_eq!(widest["workers"], 8);
    assert_eq!(widest["placement"], json!([0, 8, 4, 12, 2, 10, 6, 14]));
}

#[test]
fn unpinned_workers_are_not_bound() {
    let sandbox = Sandbox::sharing_the_machine();
    let tag = &pair().free_threaded;
    let words = format!("fib -p {tag} -m serial,threads,processes -n 2 --pin none --rounds 1");
    let run = sandbox.run("free", &words, 0);
    run.all_ok("fib");
    assert_eq!(run.manifest().plan.settings.pin, "none");
    for trial in run.trials() {
        assert!(trial.placement.is_empty(), "{}", trial.cell);
        assert!(trial.workers.iter().all(|worker| worker.bound_to.is_empty()));
        assert!(trial.samples.iter().all(|sample| !sample.moved));
    }
    assert!(run.summary().cells.iter().all(|cell| cell.placement.is_empty()));
}

#[test]
fn workers_run_on_the_pu_given() {
    let pus = allowed_pus();
    // Not the first, which is the default.
    let pu = *pus.get(1).or(pus.first()).unwrap();
    let sandbox = Sandbox::sharing_the_machine();
    let words = format!(
        "fib -p {} -m serial,processes -n 1 --pin {pu} --rounds 1",
        pair().gil
    );
    let run = sandbox.run("named", &words, 0);
    run.all_ok("fib");
    for trial in run.trials() {
        let shares = trial.counted_samples().flat_map(|sample| &sample.shares);
        let seen: BTreeSet<u32> = shares.filter_map(|share| share.pu).collect();
        assert_eq!(trial.placement, [pu], "{}", trial.cell);
        assert_eq!(seen, BTreeSet::from([pu]), "{}", trial.cell);
    }
}

#[test]
fn without_options_the_pair_is_chosen_and_the_folder_named() {
    let sandbox = Sandbox::sharing_the_machine();
    let output = sandbox.ftbench("run fib -m serial -n 1 --rounds 3 --profile quick");
    output.exits_with(0);
    let folders: Vec<PathBuf> = std::fs::read_dir(sandbox.path().join("results"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let [folder] = folders.as_slice() else {
        panic!("not one folder: {folders:?}")
    };
    let name = folder.file_name().unwrap().to_str().unwrap();
    output.stderr_has(&[&format!("results/{name}")]);
    let run = Run {
        folder: folder.clone(),
        output,
    };
    let manifest = run.manifest();
    let tags: Vec<&str> = manifest.interpreters.iter().map(|one| one.tag.as_str()).collect();
    // Not the pair that the tests run on, if that is a pre-release.
    let chosen = newest_pair();
    assert_eq!(tags, chosen.tags());
    assert_eq!(manifest.plan.baseline, chosen.gil);
    let time: String = manifest.started_at.chars().take(19).collect();
    assert!(
        name.starts_with(&format!("{}Z-", time.replace(':', "-"))),
        "{name}"
    );
    for word in ["fib", "serial", "makespan", "[", &chosen.free_threaded] {
        assert!(
            run.output.stdout.contains(word),
            "no {word} in:\n{}",
            run.output.stdout
        );
    }
    assert!(!run.output.stdout.contains('\u{1b}'), "colour without a terminal");
}

#[test]
fn quiet_prints_only_results_and_verbose_prints_every_trial() {
    let sandbox = Sandbox::sharing_the_machine();
    let gil = &pair().gil;
    let words = format!("fib -p {gil} -m serial -n 1 --rounds 1");
    let quiet = sandbox.run("quiet", &format!("{words} -q"), 0);
    assert_eq!(quiet.output.stderr, "");
    assert!(quiet.output.stdout.contains("fib"));
    let verbose = sandbox.run("verbose", &format!("{words} -v"), 0);
    let trial = format!("round 1 fib {gil} serial x1: ");
    verbose.output.stderr_has(&["calibrating fib", &trial]);
}
