//! A run whose driver is killed again and again, at chosen places, and that is gone on with each time.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use ftbench::record::store::{self, Checksums};
use ftbench_schema::{Cell, RunStatus, Trial, TrialStatus};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::process::Signal;

use super::{manifest, trials};
use crate::support::driver::{Driver, HOLDABLE, Hold, recorded, wait_until};
use crate::support::mark::Mark;
use crate::support::{Sandbox, pair};

/// After [`HOLDABLE`]: can be held at each of its steps.
const STEPS: &str = "
wait_at('import')

def setup(units):
    wait_at('setup')

def check(results, units):
    wait_at('check')
";

const SLEEPS: &str = "
def work(data, units):
    wait_at('work')
    time.sleep(0.02 * units)
";

/// A workload that fails in every other process, by its hash seed, which a trial that is made anew has again.
const FAILS: &str = "
def work(data, units):
    wait_at('work')
    if int(os.environ['PYTHONHASHSEED']) % 2 == 0:
        raise ValueError('even')
    sum(range(20000 * units))
";

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

/// Where a driver is killed, and what the kill leaves behind.
struct Kill {
    /// How many trials are recorded by then.
    trials: usize,
    /// What its worker is doing, as [`Hold`] takes it.
    step: String,
    /// How many bytes of a further line are in the record.
    torn_bytes: usize,
}

/// The same kills every time: first in the calibration of both workloads, then in trials that lie up to three apart.
fn kills() -> Vec<Kill> {
    const STEPS: [&str; 4] = ["import", "setup", "work", "check"];
    let mut chance = ChaCha8Rng::seed_from_u64(7);
    let mut kills = Vec::new();
    for workload in ["sleeps", "fails"] {
        for step in ["import", "work"] {
            kills.push(Kill {
                trials: 0,
                step: format!("{workload}:calibration:{step}"),
                torn_bytes: 0,
            });
        }
    }
    let mut trials = 0;
    for _ in 0..16 {
        trials += chance.random_range(0..=3);
        kills.push(Kill {
            trials,
            step: format!("*:trial:{}", STEPS.choose(&mut chance).unwrap()),
            torn_bytes: *[0, 1, 40, 400].choose(&mut chance).unwrap(),
        });
    }
    kills
}

#[test]
fn killed_twenty_times_and_gone_on_with_makes_the_trials_of_a_run_left_alone() {
    let sandbox = Sandbox::new();
    let [sleeps, fails] = [("sleeps.py", SLEEPS), ("fails.py", FAILS)]
        .map(|(name, work)| sandbox.file(name, format!("{HOLDABLE}{STEPS}{work}")));
    let words = format!(
        "{sleeps} {fails} -p {} -m serial,threads -n 1 --rounds 10 --samples 1 --no-ceiling --seed 7 --profile quick",
        pair().words()
    );
    let alone = sandbox.ftbench(&format!("run {words} --out alone"));
    let ending = alone.status.unwrap();
    assert!(ending == 0 || ending == 1, "{}", alone.stderr);
    let (alone, killed) = (sandbox.path().join("alone"), sandbox.path().join("killed"));
    let a_line = std::fs::read(alone.join("trials.jsonl")).unwrap();
    let mark = Mark::new("resume");
    let start = |words: &str| {
        let mut command = sandbox.command(words);
        mark.set_on(&mut command);
        Driver::start(command)
    };
    let mut words = format!("run {words} --out killed");
    for kill in kills() {
        let hold = Hold::at(&sandbox, "killed", kill.trials, &kill.step);
        let mut driver = start(&words);
        hold.wait(&mut driver);
        driver.send(Signal::KILL);
        assert_eq!(driver.wait().code(), None);
        // The next hold is for the next driver's workers.
        wait_until("the end of all workers", || mark.processes().is_empty());
        hold.release();
        // No recorded trial is lost, and each was on the disk before the next one began.
        let path = killed.join("trials.jsonl");
        assert!(recorded(&killed) >= kill.trials, "{}", kill.step);
        let whole = store::read_trials(&path, Checksums::Required).unwrap();
        assert_eq!((whole.trials.len(), whole.warnings), (recorded(&killed), vec![]));
        let mut record = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        record.write_all(&a_line[..kill.torn_bytes]).unwrap();
        words = "run --resume killed".to_owned();
    }
    start(&words).end().ends_with(ending);
    assert_eq!(mark.processes(), Vec::<String>::new(), "left behind");
    let told = sandbox.ftbench("run --resume killed");
    told.ends_with(ending);
    told.says(&["killed is complete"]);
    let resumed = trials(&killed, Checksums::Required);
    assert_eq!(essence(&resumed), essence(&trials(&alone, Checksums::Required)));
    assert_units(&killed, &resumed);
    let manifest = manifest(&killed);
    assert_eq!(manifest.status, RunStatus::Complete);
    assert!(manifest.sessions.len() > 1);
    assert!(manifest.sessions.iter().all(|session| session.checksums));
    let names = std::fs::read_dir(&killed).unwrap().flatten();
    let staging = names.filter(|entry| entry.file_name().to_string_lossy().starts_with('.'));
    assert_eq!(staging.count(), 0, "a file that was being written is left");
}
