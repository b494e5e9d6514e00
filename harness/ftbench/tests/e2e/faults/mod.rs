//! Faults: each becomes a record that says what happened, costs no other trial, and leaves no process behind.

mod calibration;
mod channel;
mod checks;
mod children;
mod crashes;
mod hangs;
mod limits;
mod protocol;
mod terminal;

use ftbench_schema::{CellStatus, Model, Trial, TrialStatus};

use crate::support::mark::Mark;
use crate::support::{Run, Sandbox, pair, told};

/// Does its work while its units are found, and has its fault in every trial. `WORD` is on the command line of the
/// processes that it leaves behind.
const FAULTY: &str = "
import os, signal, subprocess, sys, threading, time

CALIBRATING = os.environ['PYTHONHASHSEED'] == '1'
WORD = os.path.dirname(os.path.abspath(__file__))
SLEEPER = [sys.executable, '-S', '-c', 'import time; time.sleep(600)', WORD]
# Many of them are started at once: Python would take a loaded machine too long. Two processes each, for a shell with
# nothing but 'sleep' to do becomes it, and WORD is gone.
SHELL = ['sh', '-c', 'while :; do sleep 600; done', WORD]

def work(data, units):
    time.sleep(units * 1e-3)
    if not CALIBRATING:
        fault()
";

/// Nothing wrong, and it fails when it finds a process that another trial has left behind.
const HEALTHY: &str = "
import os, time

WORD = os.path.dirname(os.path.abspath(__file__)).encode()

def setup(units):
    for name in os.listdir('/proc'):
        try:
            with open(f'/proc/{name}/cmdline', 'rb') as file:
                words = file.read().split(b'\\0')
        except OSError:
            continue
        assert WORD not in words, f'process {name} is left over'

def work(data, units):
    time.sleep(units * 1e-3)
";

/// What became of a faulty workload.
struct Outcome {
    /// Its trials.
    trials: Vec<Trial>,
    /// Why its cell has no result, as the table says.
    reason: String,
}

impl Outcome {
    /// Every trial has this status, a reason with these words, and, in what is kept of its output, those.
    #[track_caller]
    fn is(&self, status: TrialStatus, reason: &[&str], last_words: &[&str]) {
        for trial in &self.trials {
            let told = trial.reason.as_deref().unwrap_or_default();
            assert_eq!(trial.status, status, "{told}");
            for word in reason {
                assert!(told.contains(word), "no {word:?} in the reason: {told}");
            }
            let kept = trial.last_words.as_deref().unwrap_or_default();
            for word in last_words {
                assert!(
                    kept.contains(word),
                    "no {word:?} in the last words of {told:?}:\n{kept}"
                );
            }
        }
        for word in reason {
            assert!(
                self.reason.contains(word),
                "no {word:?} in the cell's reason: {}",
                self.reason
            );
        }
    }
}

/// Measures a workload with this function `fault`, between trials of a healthy one, on the free-threaded build.
#[track_caller]
fn with_fault(name: &str, fault: &str, words: &str) -> Outcome {
    let sandbox = Sandbox::new();
    let faulty = sandbox.file(&format!("{name}.py"), format!("{FAULTY}\n{fault}\n"));
    let healthy = sandbox.file("healthy.py", HEALTHY);
    let mark = Mark::new(name);
    // Speedups are relative to `serial`, which is measured as well.
    let model = if words.contains("-m processes") {
        Model::Processes
    } else {
        Model::Threads
    };
    let words = words.replace("-m processes", "");
    // What does not hang is to have its own end, on a loaded machine too.
    let timeout = if words.contains("--timeout") {
        ""
    } else {
        "--timeout 40"
    };
    let mut command = sandbox.command(&format!(
        "run --profile quick --out out {faulty} {healthy} -p {} -m {model} -n 1 --rounds 2 --samples 1 --sample-time 100ms --no-ceiling \
         {timeout} {words}",
        pair().free_threaded
    ));
    mark.set_on(&mut command);
    let run = Run {
        told: told(command),
        folder: sandbox.path().join("out"),
    };
    assert_eq!(mark.processes(), Vec::<String>::new(), "left behind");
    run.all_ok("healthy");
    let trials: Vec<Trial> = run
        .trials()
        .into_iter()
        .filter(|trial| trial.cell.workload == name && trial.cell.model == model)
        .collect();
    assert!(!trials.is_empty(), "{}", run.told.stderr);
    let cell = run.cell(name, &pair().free_threaded, model, 1);
    let failed = cell.status != CellStatus::Ok;
    run.told.ends_with(i32::from(failed));
    Outcome {
        trials,
        reason: cell.reason.unwrap_or_default(),
    }
}
