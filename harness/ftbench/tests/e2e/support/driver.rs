//! A run in the background while a test looks at it, and workloads that wait for the test.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{CommandOutput, Sandbox};

/// A driver in the background. It is killed when it is dropped, so that a test that fails leaves nothing running.
pub struct Driver {
    child: Option<Child>,
}

impl Driver {
    /// Starts a driver and captures its output for [`Driver::end`].
    pub fn start(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self::start_uncaptured(command)
    }

    /// Starts a driver with the input and output that the command sets.
    pub fn start_uncaptured(mut command: Command) -> Self {
        Self {
            child: Some(command.spawn().unwrap()),
        }
    }

    pub fn child(&mut self) -> &mut Child {
        self.child.as_mut().unwrap()
    }

    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), signal).unwrap();
    }

    /// Waits for the driver to exit and returns its output.
    pub fn end(mut self) -> CommandOutput {
        CommandOutput::of(self.child.take().unwrap().wait_with_output().unwrap())
    }

    /// Waits for the driver to exit; its output is not read.
    pub fn wait(&mut self) -> ExitStatus {
        self.child().wait().unwrap()
    }

    /// Waits until the run in `folder` has recorded `count` trials; fails when the run ends first.
    #[track_caller]
    pub fn wait_for_trials(&mut self, folder: &Path, count: usize) {
        wait_until("trials", || {
            assert!(
                self.child().try_wait().unwrap().is_none(),
                "the run ended by itself"
            );
            recorded(folder) >= count
        });
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have exited already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The number of complete lines in a run's record.
pub fn recorded(folder: &Path) -> usize {
    let text = std::fs::read(folder.join("trials.jsonl")).unwrap_or_default();
    text.iter().filter(|&&byte| byte == b'\n').count()
}

/// Waits until a condition holds; fails after two minutes.
#[track_caller]
pub fn wait_until(what: &str, mut is_met: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is_met() {
        assert!(Instant::now() < deadline, "timed out waiting for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The beginning of a workload that a [`Checkpoint`] can stop: `wait_at(step)` marks a step at which it may be held.
pub const HOLDABLE: &str = "
import fnmatch, os, time

FOLDER = os.path.dirname(os.path.abspath(__file__))
NAME = os.path.splitext(os.path.basename(__file__))[0]
WHEN = 'calibration' if os.environ['PYTHONHASHSEED'] == '1' else 'trial'

def wait_at(step):
    while True:
        try:
            with open(os.path.join(FOLDER, 'hold')) as file:
                record, trials, pattern = file.read().split()
            with open(os.path.join(FOLDER, record)) as file:
                recorded = file.read().count('\\n')
        except FileNotFoundError:
            return
        if recorded < int(trials) or not fnmatch.fnmatchcase(f'{NAME}:{WHEN}:{step}', pattern):
            return
        with open(os.path.join(FOLDER, 'held'), 'w'):
            pass
        time.sleep(0.01)

";

/// A point in a run at which its workloads, whose files are in the sandbox's own folder, wait until this is released.
pub struct Checkpoint<'a> {
    sandbox: &'a Sandbox,
}

impl<'a> Checkpoint<'a> {
    /// Holds the run in the folder `out` once `trials` trials are recorded, at the first step that matches
    /// `WORKLOAD:WHEN:STEP`, where WHEN is `calibration` or `trial`.
    pub fn at(sandbox: &'a Sandbox, out: &str, trials: usize, pattern: &str) -> Self {
        let _ = std::fs::remove_file(sandbox.path().join("held"));
        // Renamed into place, so that a workload never reads half of it.
        let written = sandbox.file("hold.new", format!("{out}/trials.jsonl {trials} {pattern}"));
        std::fs::rename(written, sandbox.path().join("hold")).unwrap();
        Self { sandbox }
    }

    /// Waits until a workload is held.
    #[track_caller]
    pub fn wait(&self, driver: &mut Driver) {
        wait_until("the run to reach its hold", || {
            assert!(
                driver.child().try_wait().unwrap().is_none(),
                "the run ended before its hold"
            );
            self.sandbox.path().join("held").exists()
        });
    }

    /// Lets the run continue.
    pub fn release(self) {
        std::fs::remove_file(self.sandbox.path().join("hold")).unwrap();
    }
}
