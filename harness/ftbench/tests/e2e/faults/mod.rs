//! Faults in workloads: each is recorded with its cause, costs no other trial and leaves no process behind.

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
use crate::support::{Run, Sandbox, output_of, pair};

/// A workload that is correct during calibration and runs `fault` in every trial. `WORD` is on the command line of the
/// processes that it leaves behind.
const FAULTY: &str = "
import os, signal, subprocess, sys, threading, time

CALIBRATING = os.environ['PYTHONHASHSEED'] == '1'
WORD = os.path.dirname(os.path.abspath(__file__))
SLEEPER = [sys.executable, '-S', '-c', 'import time; time.sleep(600)', WORD]
# For starting many at once, which takes too long with Python on a loaded machine. Each is two processes: a shell that
# runs nothing but 'sleep' would replace itself by it, and WORD would be gone.
SHELL = ['sh', '-c', 'while :; do sleep 600; done', WORD]

def work(data, units):
    time.sleep(units * 1e-3)
    if not CALIBRATING:
        fault()
";

/// A correct workload that fails when it finds a process that another trial has left behind.
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

/// The result of measuring a faulty workload.
struct Outcome {
    /// The trials of its cell.
    trials: Vec<Trial>,
    /// Why its cell has no result, as in the table.
    reason: String,
}

impl Outcome {
    /// Checks that every trial has this status, a reason with the words `reason`, and an output tail with the words
    /// `output_tail`.
    #[track_caller]
    fn is(&self, status: TrialStatus, reason: &[&str], output_tail: &[&str]) {
        for trial in &self.trials {
            let found = trial.reason.as_deref().unwrap_or_default();
            assert_eq!(trial.status, status, "{found}");
            for word in reason {
                assert!(found.contains(word), "no {word:?} in the reason: {found}");
            }
            let kept = trial.output_tail.as_deref().unwrap_or_default();
            for word in output_tail {
                assert!(
                    kept.contains(word),
                    "no {word:?} in the output tail of {found:?}:\n{kept}"
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

/// Measures a workload with this function `fault`, together with a healthy one, on the free-threaded build.
#[track_caller]
fn with_fault(name: &str, fault: &str, words: &str) -> Outcome {
    let sandbox = Sandbox::sharing_the_machine();
    let faulty = sandbox.file(&format!("{name}.py"), format!("{FAULTY}\n{fault}\n"));
    let healthy = sandbox.file("healthy.py", HEALTHY);
    let mark = Mark::new(name);
    // The model `serial` is measured as well, because speedups are relative to it.
    let model = if words.contains("-m processes") {
        Model::Processes
    } else {
        Model::Threads
    };
    let words = words.replace("-m processes", "");
    // Long enough for faults that do not hang, even on a loaded machine.
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
        output: output_of(command),
        folder: sandbox.path().join("out"),
    };
    assert_eq!(mark.processes(), Vec::<String>::new(), "left behind");
    run.all_ok("healthy");
    let trials: Vec<Trial> = run
        .trials()
        .into_iter()
        .filter(|trial| trial.cell.workload == name && trial.cell.model == model)
        .collect();
    assert!(!trials.is_empty(), "{}", run.output.stderr);
    let cell = run.cell(name, &pair().free_threaded, model, 1);
    let failed = cell.status != CellStatus::Ok;
    run.output.exits_with(i32::from(failed));
    Outcome {
        trials,
        reason: cell.reason.unwrap_or_default(),
    }
}
