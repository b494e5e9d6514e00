//! A run whose driver is killed again and again, at chosen steps, and that is resumed each time.

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
use crate::support::driver::{Checkpoint, Driver, HOLDABLE, recorded, wait_until};
use crate::support::mark::Mark;
use crate::support::{Sandbox, pair};

/// A part of a workload, to be appended to [`HOLDABLE`], that can be held at each of its steps.
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

/// The `work` of a workload that fails in every other process, by its hash seed. A repeated trial has the same seed.
const FAILS: &str = "
def work(data, units):
    wait_at('work')
    if int(os.environ['PYTHONHASHSEED']) % 2 == 0:
        raise ValueError('even')
    sum(range(20000 * units))
";

/// The parts of trials that do not depend on time, by trial number.
fn timeless(trials: &[Trial]) -> BTreeMap<u64, (u32, Cell, u32, Vec<u32>, TrialStatus)> {
    let entry = |trial: &Trial| {
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
    let timeless: BTreeMap<_, _> = trials.iter().map(entry).collect();
    assert_eq!(timeless.len(), trials.len(), "a number was used twice");
    timeless
}

/// Checks that every trial has the units that the manifest gives for its workload.
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

/// The step at which a driver is killed, and the state that the kill leaves behind.
struct Kill {
    /// The number of trials recorded before.
    trials: usize,
    /// The step of its worker, as a pattern for [`Checkpoint`].
    step: String,
    /// The number of bytes of an unfinished line that are appended to the record.
    torn_bytes: usize,
}

/// The kills, the same every time: first in the calibration of both workloads, then in trials up to three apart.
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
fn a_run_killed_twenty_times_and_resumed_has_the_trials_of_an_undisturbed_run() {
    let sandbox = Sandbox::sharing_the_machine();
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
        let hold = Checkpoint::at(&sandbox, "killed", kill.trials, &kill.step);
        let mut driver = start(&words);
        hold.wait(&mut driver);
        driver.send(Signal::KILL);
        assert_eq!(driver.wait().code(), None);
        // The next hold is meant for the next driver's workers.
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
    start(&words).end().exits_with(ending);
    assert_eq!(mark.processes(), Vec::<String>::new(), "left behind");
    let output = sandbox.ftbench("run --resume killed");
    output.exits_with(ending);
    output.stderr_has(&["killed is complete"]);
    let resumed = trials(&killed, Checksums::Required);
    assert_eq!(timeless(&resumed), timeless(&trials(&alone, Checksums::Required)));
    assert_units(&killed, &resumed);
    let manifest = manifest(&killed);
    assert_eq!(manifest.status, RunStatus::Complete);
    assert!(manifest.sessions.len() > 1);
    assert!(manifest.sessions.iter().all(|session| session.checksums));
    let names = std::fs::read_dir(&killed).unwrap().flatten();
    let staging = names.filter(|entry| entry.file_name().to_string_lossy().starts_with('.'));
    assert_eq!(staging.count(), 0, "an unfinished file is left");
}
