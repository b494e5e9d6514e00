//! Stopping a run: recorded trials are kept, and no process is left behind.

use ftbench_schema::{RunStatus, StoppedBy, TrialStatus};
use rustix::process::Signal;

use super::{GOOD, SHORT};
use crate::support::driver::{Driver, wait_until};
use crate::support::mark::Mark;
use crate::support::{CommandOutput, Run, Sandbox, pair};

fn start(sandbox: &Sandbox, mark: &Mark, words: &str) -> Driver {
    let mut command = sandbox.command(&format!("run --profile quick --out out {words}"));
    mark.set_on(&mut command);
    Driver::start(command)
}

/// Sends the driver a signal and waits until it exits.
fn stop(driver: Driver, signal: Signal) -> CommandOutput {
    driver.send(signal);
    driver.end()
}

#[test]
fn an_interrupted_run_keeps_its_trials_and_leaves_no_process() {
    let sandbox = Sandbox::sharing_the_machine();
    let good = sandbox.file("good.py", GOOD);
    let tags = pair().words();
    let mark = Mark::new("interrupt");
    let words = format!("{good} -p {tags} -m serial,threads,processes -n 1 --rounds 500");
    let mut driver = start(&sandbox, &mark, &words);
    driver.wait_for_trials(&sandbox.path().join("out"), 10);
    wait_until("a worker", || mark.has_a_worker());
    let run = Run {
        output: stop(driver, Signal::INT),
        folder: sandbox.path().join("out"),
    };
    run.output.exits_with(130);
    assert_eq!(mark.processes(), Vec::<String>::new(), "left behind");
    assert_eq!(run.manifest().status, RunStatus::Interrupted);
    let (trials, summary) = (run.trials(), run.summary());
    assert!(trials.len() >= 10);
    assert!(trials.iter().all(|trial| trial.status == TrialStatus::Ok));
    assert_eq!(summary.run.status, RunStatus::Interrupted);
    assert_eq!(summary.stopped_by, Some(StoppedBy::Interrupt));
    let rounds: u32 = summary.cells.iter().map(|cell| cell.rounds).sum();
    assert_eq!(rounds as usize, trials.len());
    for name in ["samples.csv", "charts/good.svg", "charts/good.png"] {
        assert!(!run.read(name).is_empty());
    }
    for word in ["good", "serial", "processes"] {
        assert!(run.output.stdout.contains(word), "{}", run.output.stdout);
    }
}

#[test]
fn a_run_stopped_during_calibration_exits() {
    let sandbox = Sandbox::sharing_the_machine();
    let sleeping = "import time\ndef work(data, units):\n    time.sleep(1e6)\n";
    let sleeping = sandbox.file("sleeping.py", sleeping);
    let mark = Mark::new("calibration");
    let driver = start(&sandbox, &mark, &format!("{sleeping} -p {} {SHORT}", pair().gil));
    wait_until("a worker", || mark.has_a_worker());
    stop(driver, Signal::TERM).exits_with(130);
    assert_eq!(mark.processes(), Vec::<String>::new(), "left behind");
    let shown = sandbox.ftbench("show out --format json");
    shown.exits_with(0);
    assert_eq!(shown.json()["run"]["status"], "interrupted");
}

#[test]
fn workers_exit_when_the_driver_is_killed() {
    let sandbox = Sandbox::sharing_the_machine();
    let good = sandbox.file("good.py", GOOD);
    let mark = Mark::new("killed");
    let words = format!("{good} -p {} -m processes -n 1 --rounds 500", pair().gil);
    let mut driver = start(&sandbox, &mark, &words);
    driver.wait_for_trials(&sandbox.path().join("out"), 1);
    wait_until("a worker", || mark.has_a_worker());
    assert_eq!(stop(driver, Signal::KILL).status, None);
    wait_until("the workers' end", || mark.processes().is_empty());
    // The recorded trials can be shown.
    let shown = sandbox.ftbench("show out --format json");
    shown.exits_with(0);
    assert_eq!(shown.json()["run"]["status"], "running");
}
