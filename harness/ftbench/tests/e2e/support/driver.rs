//! A run that goes on while a test looks at it.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Told;

/// A driver in the background. It is killed when it is dropped, so that a test that fails leaves nothing running.
pub struct Driver {
    child: Option<Child>,
}

impl Driver {
    /// Starts a driver whose output is kept for [`Driver::end`].
    pub fn start(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self::start_as_it_is(command)
    }

    /// Starts a driver whose input and output the command says.
    pub fn start_as_it_is(mut command: Command) -> Self {
        Self {
            child: Some(command.spawn().unwrap()),
        }
    }

    pub fn child(&mut self) -> &mut Child {
        self.child.as_mut().unwrap()
    }

    pub fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), signal).unwrap();
    }

    /// Waits for its end; returns what it printed.
    pub fn end(mut self) -> Told {
        Told::of(self.child.take().unwrap().wait_with_output().unwrap())
    }

    /// Waits for its end, whatever becomes of its output.
    pub fn wait(&mut self) -> ExitStatus {
        self.child().wait().unwrap()
    }

    /// Waits until a file holds so many trials, while the run goes on.
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
            // It may have ended already.
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

/// Waits until something is so, and fails when that takes too long.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
