//! Being stopped, at a terminal and by signals: what was measured is kept, and nothing is left running.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use ftbench_schema::{RunStatus, StoppedBy};
use rustix::process::Signal;

use crate::support::driver::{Driver, recorded, wait_until};
use crate::support::mark::Mark;
use crate::support::paths::package;
use crate::support::{FTBENCH, Run, Sandbox, Told, executable, pair, told};

/// Leaves a process in a session of its own behind in every trial, and takes its time.
const WORK: &str = "
import os, subprocess, sys, time

def setup(units):
    subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)'], start_new_session=True)

def work(data, units):
    time.sleep(units * 1e-3)
";

const WORDS: &str = "-m processes,threads -n 1 --rounds 500 --samples 1 --no-ceiling";

/// How long after a signal another one comes: long enough that the system does not make one of the two.
const BETWEEN_SIGNALS: Duration = Duration::from_millis(50);

fn words(sandbox: &Sandbox) -> String {
    let work = sandbox.file("work.py", WORK);
    format!(
        "run --profile quick --out out {work} -p {} {WORDS}",
        pair().free_threaded
    )
}

fn at_a_terminal(sandbox: &Sandbox, mark: &Mark, act: &str) -> Told {
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
    let told = told(command);
    told.ends_with(0);
    assert!(
        told.stdout.trim_end().ends_with("exit status 130"),
        "{}",
        told.stdout
    );
    told
}

/// Recorded trials can be read, nothing runs any more, and the manifest says that it was stopped.
fn is_kept(sandbox: &Sandbox, mark: &Mark) -> Run {
    assert_eq!(mark.processes(), Vec::<String>::new(), "left behind");
    let run = Run {
        folder: sandbox.path().join("out"),
        told: sandbox.ftbench("show out"),
    };
    run.told.ends_with(0);
    assert!(run.trials().len() >= 3);
    run
}

#[track_caller]
fn is_summed_up(run: &Run) {
    assert_eq!(run.manifest().status, RunStatus::Interrupted);
    assert_eq!(run.summary().stopped_by, Some(StoppedBy::Interrupt));
    assert!(!run.read("report.html").is_empty());
}

#[test]
fn ctrl_c_ends_a_run_with_a_summary() {
    let (sandbox, mark) = (Sandbox::new(), Mark::new("ctrl-c"));
    let told = at_a_terminal(&sandbox, &mark, "interrupt");
    is_summed_up(&is_kept(&sandbox, &mark));
    assert!(told.stdout.contains("processes"), "no table:\n{}", told.stdout);
}

#[test]
fn a_second_ctrl_c_ends_it_at_once() {
    let (sandbox, mark) = (Sandbox::new(), Mark::new("twice"));
    at_a_terminal(&sandbox, &mark, "twice");
    // Guards notice a moment later.
    wait_until("the end of all", || mark.processes().is_empty());
    is_kept(&sandbox, &mark);
}

#[test]
fn a_closed_terminal_loses_nothing() {
    let (sandbox, mark) = (Sandbox::new(), Mark::new("close"));
    at_a_terminal(&sandbox, &mark, "close");
    is_summed_up(&is_kept(&sandbox, &mark));
}

#[test]
fn a_window_closed_with_its_shell_loses_nothing() {
    let (sandbox, mark) = (Sandbox::new(), Mark::new("window"));
    at_a_terminal(&sandbox, &mark, "window");
    is_summed_up(&is_kept(&sandbox, &mark));
}

/// The run, started by another program.
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

/// Of a run that is being made.
fn trials_so_far(sandbox: &Sandbox) -> usize {
    recorded(&sandbox.path().join("out"))
}

/// A run that has measured something.
fn start(sandbox: &Sandbox, mark: &Mark) -> Driver {
    start_with(sandbox, mark, &[])
}

fn start_with(sandbox: &Sandbox, mark: &Mark, further: &[&str]) -> Driver {
    // These tests may run below nohup, which has hangups ignored.
    let mut command = through(&["env", "--default-signal=HUP"], sandbox, mark);
    command.args(further);
    let mut driver = Driver::start(command);
    driver.wait_for_trials(&sandbox.path().join("out"), 3);
    driver
}

#[test]
fn a_reader_that_went_away_loses_nothing() {
    let (sandbox, mark) = (Sandbox::new(), Mark::new("reader"));
    let mut driver = start(&sandbox, &mark);
    drop((driver.child().stdout.take(), driver.child().stderr.take()));
    driver.send(Signal::TERM);
    assert_eq!(driver.wait().code(), Some(130));
    is_summed_up(&is_kept(&sandbox, &mark));
}

#[test]
fn what_nobody_reads_does_not_stop_a_run() {
    let (sandbox, mark) = (Sandbox::new(), Mark::new("nobody"));
    // A line for each trial.
    let mut driver = start_with(&sandbox, &mark, &["-v"]);
    drop((driver.child().stdout.take(), driver.child().stderr.take()));
    let before = trials_so_far(&sandbox);
    driver.wait_for_trials(&sandbox.path().join("out"), before + 5);
    driver.send(Signal::TERM);
    assert_eq!(driver.wait().code(), Some(130));
    is_summed_up(&is_kept(&sandbox, &mark));
}

#[test]
fn a_full_disk_behind_standard_error_does_not_stop_a_run() {
    let (sandbox, mark) = (Sandbox::new(), Mark::new("full-log"));
    let mut command = through(&["env"], &sandbox, &mark);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    command.arg("-v").stdout(Stdio::null()).stderr(full);
    let mut driver = Driver::start_as_it_is(command);
    driver.wait_for_trials(&sandbox.path().join("out"), 5);
    driver.send(Signal::TERM);
    assert_eq!(driver.wait().code(), Some(130));
    is_summed_up(&is_kept(&sandbox, &mark));
}

#[test]
fn a_hangup_beside_another_signal_is_no_second_one() {
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
        let (sandbox, mark) = (Sandbox::new(), Mark::new(&format!("hangups-{number}")));
        let mut driver = start(&sandbox, &mark);
        for signal in signals {
            driver.send(signal);
            std::thread::sleep(BETWEEN_SIGNALS);
        }
        assert_eq!(driver.wait().code(), Some(130), "{signals:?}");
        is_summed_up(&is_kept(&sandbox, &mark));
    }
}

#[test]
fn a_hangup_ends_a_run_with_a_summary_and_no_word_of_panic() {
    let (sandbox, mark) = (Sandbox::new(), Mark::new("hangup"));
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
    is_summed_up(&is_kept(&sandbox, &mark));
}

#[test]
fn what_nohup_ignores_stays_ignored() {
    let (sandbox, mark) = (Sandbox::new(), Mark::new("nohup"));
    let mut command = through(&["nohup"], &sandbox, &mark);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut driver = Driver::start_as_it_is(command);
    let count = || trials_so_far(&sandbox);
    wait_until("a trial", || count() >= 1);
    driver.send(Signal::HUP);
    let before = count();
    wait_until("more trials", || count() >= before + 3);
    driver.send(Signal::TERM);
    assert_eq!(driver.wait().code(), Some(130));
    is_kept(&sandbox, &mark);
}

#[test]
fn nothing_outlives_a_driver_that_was_killed() {
    let (sandbox, mark) = (Sandbox::new(), Mark::new("sigkill"));
    let mut driver = start(&sandbox, &mark);
    driver.send(Signal::KILL);
    assert_eq!(driver.wait().code(), None);
    wait_until("the end of all", || mark.processes().is_empty());
    is_kept(&sandbox, &mark);
}
