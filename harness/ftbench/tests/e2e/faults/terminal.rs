//! Stopping a run at a terminal and by signals: recorded trials are kept, and no process is left running.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use ftbench_schema::{RunStatus, StoppedBy};
use rustix::process::Signal;

use crate::support::driver::{Driver, recorded, wait_until};
use crate::support::mark::Mark;
use crate::support::paths::package;
use crate::support::{CommandOutput, FTBENCH, Run, Sandbox, executable, output_of, pair};

/// A slow workload that leaves a process in a session of its own behind in every trial.
const WORK: &str = "
import os, subprocess, sys, time

def setup(units):
    subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)'], start_new_session=True)

def work(data, units):
    time.sleep(units * 1e-3)
";

const WORDS: &str = "-m processes,threads -n 1 --rounds 500 --samples 1 --no-ceiling";

/// The time between two signals: long enough that the system does not merge them.
const BETWEEN_SIGNALS: Duration = Duration::from_millis(50);

fn words(sandbox: &Sandbox) -> String {
    let work = sandbox.file("work.py", WORK);
    format!(
        "run --profile quick --out out {work} -p {} {WORDS}",
        pair().free_threaded
    )
}

fn at_a_terminal(sandbox: &Sandbox, mark: &Mark, act: &str) -> CommandOutput {
    let python = executable(&pair().gil);
    let script = package().join("tests/e2e/faults/terminal.py");
    let ftbench = sandbox.command(&words(sandbox));
    let mut command = Command::new(python);
    command
        .arg(script)
        .args([act, "out/trials.jsonl", FTBENCH])
        .args(ftbench.get_args())
        .current_dir(sandbox.path())
        .env_clear()
        .env("TERM", "xterm");
    for (name, value) in ftbench.get_envs() {
        command.env(name, value.unwrap());
    }
    mark.set_on(&mut command);
    let output = output_of(command);
    output.exits_with(0);
    assert!(
        output.stdout.trim_end().ends_with("exit status 130"),
        "{}",
        output.stdout
    );
    output
}

/// Checks that no process is left and that the recorded trials can be read.
fn assert_kept(sandbox: &Sandbox, mark: &Mark) -> Run {
    assert_eq!(mark.processes(), Vec::<String>::new(), "left behind");
    let run = Run {
        folder: sandbox.path().join("out"),
        output: sandbox.ftbench("show out"),
    };
    run.output.exits_with(0);
    assert!(run.trials().len() >= 3);
    run
}

/// Checks that the run is recorded as interrupted and has a summary and a report.
#[track_caller]
fn assert_summed_up(run: &Run) {
    assert_eq!(run.manifest().status, RunStatus::Interrupted);
    assert_eq!(run.summary().stopped_by, Some(StoppedBy::Interrupt));
    assert!(!run.read("report.html").is_empty());
}

#[test]
fn ctrl_c_ends_a_run_with_a_summary() {
    let (sandbox, mark) = (Sandbox::sharing_the_machine(), Mark::new("ctrl-c"));
    let output = at_a_terminal(&sandbox, &mark, "interrupt");
    assert_summed_up(&assert_kept(&sandbox, &mark));
    assert!(
        output.stdout.contains("processes"),
        "no table:\n{}",
        output.stdout
    );
}

#[test]
fn a_terminal_that_gets_smaller_keeps_showing_figures_so_far() {
    let (sandbox, mark) = (Sandbox::sharing_the_machine(), Mark::new("resize"));
    let output = at_a_terminal(&sandbox, &mark, "resize");
    assert_summed_up(&assert_kept(&sandbox, &mark));
    let shown = output.stdout;
    let (_, after) = shown.rsplit_once(" so far, ").unwrap();
    // The final table stays, without a mark.
    assert!(
        after.contains("interp") && after.contains("wrote the run to"),
        "{shown}"
    );
}

#[test]
fn a_second_ctrl_c_ends_a_run_at_once() {
    let (sandbox, mark) = (Sandbox::sharing_the_machine(), Mark::new("twice"));
    at_a_terminal(&sandbox, &mark, "twice");
    // Guards notice a moment later.
    wait_until("the end of all processes", || mark.processes().is_empty());
    assert_kept(&sandbox, &mark);
}

#[test]
fn a_closed_terminal_loses_nothing() {
    let (sandbox, mark) = (Sandbox::sharing_the_machine(), Mark::new("close"));
    at_a_terminal(&sandbox, &mark, "close");
    assert_summed_up(&assert_kept(&sandbox, &mark));
}

#[test]
fn a_window_closed_with_its_shell_loses_nothing() {
    let (sandbox, mark) = (Sandbox::sharing_the_machine(), Mark::new("window"));
    at_a_terminal(&sandbox, &mark, "window");
    assert_summed_up(&assert_kept(&sandbox, &mark));
}

/// The command that starts the run through another program.
fn through(program: &[&str], sandbox: &Sandbox, mark: &Mark) -> Command {
    let ftbench = sandbox.command(&words(sandbox));
    let mut command = Command::new(program[0]);
    command
        .args(&program[1..])
        .arg(FTBENCH)
        .args(ftbench.get_args())
        .current_dir(sandbox.path())
        .env_clear()
        .stdin(Stdio::null());
    for (name, value) in ftbench.get_envs() {
        command.env(name, value.unwrap());
    }
    mark.set_on(&mut command);
    command
}

/// The number of trials recorded so far.
fn trials_so_far(sandbox: &Sandbox) -> usize {
    recorded(&sandbox.path().join("out"))
}

/// Starts a run and waits for its first trials.
fn start(sandbox: &Sandbox, mark: &Mark) -> Driver {
    start_with(sandbox, mark, &[])
}

fn start_with(sandbox: &Sandbox, mark: &Mark, further: &[&str]) -> Driver {
    // These tests may themselves run under nohup, where hangups are ignored.
    let mut command = through(&["env", "--default-signal=HUP"], sandbox, mark);
    command.args(further);
    let mut driver = Driver::start(command);
    driver.wait_for_trials(&sandbox.path().join("out"), 3);
    driver
}

#[test]
fn a_closed_output_pipe_loses_nothing() {
    let (sandbox, mark) = (Sandbox::sharing_the_machine(), Mark::new("reader"));
    let mut driver = start(&sandbox, &mark);
    drop((driver.child().stdout.take(), driver.child().stderr.take()));
    driver.send(Signal::TERM);
    assert_eq!(driver.wait().code(), Some(130));
    assert_summed_up(&assert_kept(&sandbox, &mark));
}

#[test]
fn output_without_a_reader_does_not_stop_a_run() {
    let (sandbox, mark) = (Sandbox::sharing_the_machine(), Mark::new("unread"));
    // A line for each trial.
    let mut driver = start_with(&sandbox, &mark, &["-v"]);
    drop((driver.child().stdout.take(), driver.child().stderr.take()));
    let before = trials_so_far(&sandbox);
    driver.wait_for_trials(&sandbox.path().join("out"), before + 5);
    driver.send(Signal::TERM);
    assert_eq!(driver.wait().code(), Some(130));
    assert_summed_up(&assert_kept(&sandbox, &mark));
}

#[test]
fn a_full_disk_behind_standard_error_does_not_stop_a_run() {
    let (sandbox, mark) = (Sandbox::sharing_the_machine(), Mark::new("full-log"));
    let mut command = through(&["env"], &sandbox, &mark);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    command.arg("-v").stdout(Stdio::null()).stderr(full);
    let mut driver = Driver::start_uncaptured(command);
    driver.wait_for_trials(&sandbox.path().join("out"), 5);
    driver.send(Signal::TERM);
    assert_eq!(driver.wait().code(), Some(130));
    assert_summed_up(&assert_kept(&sandbox, &mark));
}

#[test]
fn a_hangup_beside_another_signal_is_not_a_second_interrupt() {
    for (number, signals) in [
        // The kernel, then the shell or the kernel again.
        [Signal::HUP, Signal::HUP],
        // systemd with SendSIGHUP=yes.
        [Signal::TERM, Signal::HUP],
        [Signal::HUP, Signal::TERM],
    ]
    .into_iter()
    .enumerate()
    {
        let (sandbox, mark) = (
            Sandbox::sharing_the_machine(),
            Mark::new(&format!("hangups-{number}")),
        );
        let mut driver = start(&sandbox, &mark);
        for signal in signals {
            driver.send(signal);
            std::thread::sleep(BETWEEN_SIGNALS);
        }
        assert_eq!(driver.wait().code(), Some(130), "{signals:?}");
        assert_summed_up(&assert_kept(&sandbox, &mark));
    }
}

#[test]
fn a_hangup_ends_a_run_with_a_summary_and_no_panic() {
    let (sandbox, mark) = (Sandbox::sharing_the_machine(), Mark::new("hangup"));
    let mut driver = start(&sandbox, &mark);
    driver.send(Signal::HUP);
    let mut errors = String::new();
    driver
        .child()
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    assert_eq!(driver.wait().code(), Some(130));
    assert!(!errors.contains("panicked"), "{errors}");
    assert_summed_up(&assert_kept(&sandbox, &mark));
}

#[test]
fn a_hangup_ignored_under_nohup_stays_ignored() {
    let (sandbox, mark) = (Sandbox::sharing_the_machine(), Mark::new("nohup"));
    let mut command = through(&["nohup"], &sandbox, &mark);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut driver = Driver::start_uncaptured(command);
    let count = || trials_so_far(&sandbox);
    wait_until("a trial", || count() >= 1);
    driver.send(Signal::HUP);
    let before = count();
    wait_until("more trials", || count() >= before + 3);
    driver.send(Signal::TERM);
    assert_eq!(driver.wait().code(), Some(130));
    assert_kept(&sandbox, &mark);
}

#[test]
fn no_process_outlives_a_killed_driver() {
    let (sandbox, mark) = (Sandbox::sharing_the_machine(), Mark::new("sigkill"));
    let mut driver = start(&sandbox, &mark);
    driver.send(Signal::KILL);
    assert_eq!(driver.wait().code(), None);
    wait_until("the end of all processes", || mark.processes().is_empty());
    assert_kept(&sandbox, &mark);
}
