//! A run whose driver is killed at any moment, and that is gone on with each time.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ftbench::record::store::{self, Checksums};
use ftbench_schema::{Cell, RunStatus, Trial, TrialStatus};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rustix::process::Signal;

use super::{SLEEPS, ended, has_trials, manifest, send, start, trials, wait_until};
use crate::support::{Sandbox, pair};

/// A workload that fails in every other process, by its hash seed, which a trial that is made anew has again.
const FAILS: &str = "
import os

def work(data, units):
    if int(os.environ['PYTHONHASHSEED']) % 2 == 0:
        raise ValueError('even')
    sum(range(20000 * units))
";

/// Marks all processes of a test, which inherit it, so that those left over are found.
const MARK: &str = "LC_FTBENCH_TEST";

/// What does not depend on time, by number.
fn essence(trials: &[Trial]) -> BTreeMap<u64, (u32, Cell, u32, Vec<u32>, TrialStatus)> {
    let of = |trial: &Trial| {
        let placement = trial.placement.clone();
        let rest = (
            trial.round,
            trial.cell.clone(),
            trial.hash_seed,
            placement,
            trial.status,
        );
        (trial.trial, rest)
    };
    let essence: BTreeMap<_, _> = trials.iter().map(of).collect();
    assert_eq!(essence.len(), trials.len(), "a number was given twice");
    essence
}

/// Every trial of a workload has the units that the manifest says.
fn assert_units(folder: &Path, trials: &[Trial]) {
    let manifest = manifest(folder);
    for trial in trials {
        let workload = manifest
            .workloads
            .iter()
            .find(|one| one.name == trial.cell.workload);
        assert_eq!(Some(trial.units), workload.unwrap().units);
    }
}

fn marked(mark: &str) -> usize {
    let variable = format!("{MARK}={mark}").into_bytes();
    let folders = std::fs::read_dir("/proc").unwrap().flatten();
    folders
        .filter(|folder| {
            let environment = std::fs::read(folder.path().join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|one| one == variable)
        })
        .count()
}

/// How often it is killed, how many of these come at any moment, and within which time of its start or of a trial's end.
const KILLS: usize = 20;
const KILLS_AT_FIRST: usize = 4;
const LONGEST_WAIT_MS: u32 = 700;

#[test]
fn killed_twenty_times_and_gone_on_with_makes_the_trials_of_a_run_left_alone() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    println!("moments drawn with seed {seed}");
    let mut moments = ChaCha8Rng::seed_from_u64(seed);
    let sandbox = Sandbox::new();
    let (sleeps, fails) = (sandbox.file("sleeps.py", SLEEPS), sandbox.file("fails.py", FAILS));
    let words = format!(
        "{sleeps} {fails} -p {} -m serial,threads -n 1 --rounds 24 --samples 1 --no-ceiling --seed 7 --profile quick",
        pair().words()
    );
    let alone = sandbox.ftbench(&format!("run {words} --out alone"));
    let ending = alone.status.unwrap();
    assert!(ending == 0 || ending == 1, "{}", alone.stderr);
    let killed = sandbox.path().join("killed");
    let mark = format!("resume-{}", std::process::id());
    let command = |words: &str| {
        let mut command = sandbox.command(words);
        command.env(MARK, &mark);
        command
    };
    let mut driver = start(command(&format!("run {words} --out killed")));
    wait_until("the manifest", || killed.join("run.json").exists());
    let mut counts = Vec::new();
    for kill in 0..KILLS {
        // The first ones are likely to hit calibration. Of the others every second one waits for a further trial, so that
        // the run gets on between them.
        if kill >= KILLS_AT_FIRST && kill % 2 == 0 {
            let so_far = counts.last().copied().unwrap_or_default();
            wait_until("a further trial", || has_trials(&killed, so_far + 1));
        }
        std::thread::sleep(Duration::from_millis(u64::from(
            moments.next_u32() % LONGEST_WAIT_MS,
        )));
        let is_over = driver.try_wait().unwrap().is_some();
        assert!(!is_over, "it ended after {kill} kills; give it more rounds");
        send(&driver, Signal::KILL);
        ended(driver);
        // A line may be torn at its end now, which costs its trial alone.
        let recorded = store::read_trials(&killed.join("trials.jsonl"), Checksums::Required);
        counts.push(recorded.unwrap().trials.len());
        driver = start(command("run --resume killed"));
    }
    println!("trials at each kill: {counts:?}");
    ended(driver).ends_with(ending);
    // No recorded trial is lost.
    assert!(counts.is_sorted(), "{counts:?}");
    let told = sandbox.ftbench("run --resume killed");
    told.ends_with(ending);
    told.says(&["killed is complete"]);
    let (whole, resumed) = (sandbox.path().join("alone"), &killed);
    let whole = trials(&whole, Checksums::Required);
    let resumed_trials = trials(resumed, Checksums::Required);
    assert_eq!(essence(&resumed_trials), essence(&whole));
    assert_units(resumed, &resumed_trials);
    let manifest = manifest(resumed);
    assert_eq!(manifest.status, RunStatus::Complete);
    assert!(manifest.sessions.len() > 1);
    assert!(manifest.sessions.iter().all(|session| session.checksums));
    wait_until("the end of all processes", || marked(&mark) == 0);
    let names = std::fs::read_dir(resumed).unwrap().flatten();
    let staging = names.filter(|entry| entry.file_name().to_string_lossy().starts_with('.'));
    assert_eq!(staging.count(), 0, "a file that was being written is left");
}
