//! The driver's end of a guard: starts it, hears how the worker goes, and has everything ended.

use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::guard_side::{ABORT, END, ENDING_LIMIT, Ending, REPLIES_FD, REQUESTS_FD, Report};
use crate::measure::launch::Launch;
use crate::process::tree;
use crate::process::trial_group::{Delegated, TrialGroup};
use crate::process::{reaper, scratch};
use ftbench_schema::Limits;

/// How long the guard may take to start a process.
const STARTING_LIMIT: Duration = Duration::from_secs(60);

/// How long it may take beyond what ending processes may.
const GRACE: Duration = Duration::from_secs(5);

/// How guards are started.
#[derive(Debug, Clone)]
pub struct Guarding {
    /// ftbench itself.
    pub executable: PathBuf,
    /// What a trial may use; `None` for no limits.
    pub limits: Option<Limits>,
    /// Where trials get control groups of their own.
    pub control_group: Option<Arc<Delegated>>,
}

impl Guarding {
    /// By this very program: the name means that also when its file has been replaced since.
    #[must_use]
    pub fn by_this_program(limits: Option<Limits>) -> Self {
        Self {
            executable: PathBuf::from("/proc/self/exe"),
            limits,
            control_group: Delegated::find().map(Arc::new),
        }
    }
}

/// The worker's ends of the channel and of what it prints.
#[derive(Debug)]
pub struct WorkersEnds {
    /// Where requests come from.
    pub requests: OwnedFd,
    /// Where replies go.
    pub replies: OwnedFd,
    /// Where it prints.
    pub output: OwnedFd,
}

/// Why there is no worker below a guard.
#[derive(Debug)]
pub enum NotStarted {
    /// The system does not give this process what it takes to start a guard.
    System(io::Error),
    /// There is a guard, and no worker.
    Worker(String),
}

impl From<io::Error> for NotStarted {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// A worker below its guard. Dropping it ends everything.
#[derive(Debug)]
pub struct Guarded {
    guard: Child,
    control: BufReader<UnixStream>,
    process_id: i32,
    ending: Option<Ending>,
    /// Whether the guard has said its last word, or is gone without one.
    closed: bool,
    /// Children of this process that were there before: they are no part of the trial.
    known: Vec<i32>,
    /// What could not be ended; `None` before that was tried.
    left: Option<Vec<i32>>,
    /// The trial's temporary folder.
    scratch: Option<PathBuf>,
    /// Where the trial's control group is made.
    control_group: Option<Arc<Delegated>>,
}

impl Guarded {
    /// Starts a guard, and the worker below it.
    ///
    /// # Errors
    /// When one of the two does not start.
    pub fn start(
        guarding: &Guarding,
        launch: &Launch,
        hash_seed: u32,
        ends: WorkersEnds,
    ) -> Result<Self, NotStarted> {
        // Should the guard be killed, what is below it comes here.
        reaper::adopt_orphans().map_err(io::Error::from)?;
        let known = tree::children(reaper::own_id()).unwrap_or_default();
        let (own, guards) = UnixStream::pair()?;
        let scratch = scratch::choose(&launch.environment);
        let mut command = command(guarding, launch, hash_seed, scratch.as_deref());
        command
            .stdin(OwnedFd::from(guards))
            .stdout(ends.output.try_clone()?)
            .stderr(ends.output)
            // Out of the terminal's foreground: Ctrl-C is for the driver.
            .process_group(0)
            .fd_mappings(vec![
                FdMapping {
                    parent_fd: ends.requests,
                    child_fd: REQUESTS_FD,
                },
                FdMapping {
                    parent_fd: ends.replies,
                    child_fd: REPLIES_FD,
                },
            ])
            .map_err(io::Error::other)?;
        let guard = command.spawn()?;
        // The command holds the worker's ends: with them open here, its end would never be seen.
        drop(command);
        let mut guarded = Self {
            guard,
            control: BufReader::new(own),
            process_id: 0,
            ending: None,
            closed: false,
            known,
            left: None,
            scratch,
            control_group: guarding.control_group.clone(),
        };
        match guarded.next_report(Instant::now() + STARTING_LIMIT) {
            Ok(Some(Report::Started { process_id })) => guarded.process_id = process_id,
            Ok(Some(Report::NotStarted { error })) => return Err(NotStarted::Worker(error)),
            Ok(_) => return Err(NotStarted::Worker("its guard ended".to_owned())),
            Err(error) => return Err(NotStarted::Worker(error.to_string())),
        }
        Ok(guarded)
    }

    /// Process id of the worker.
    #[must_use]
    pub const fn process_id(&self) -> i32 {
        self.process_id
    }

    /// The living processes of the trial; the worker alone where the system does not list them.
    #[must_use]
    pub fn processes(&self) -> Vec<i32> {
        let below = i32::try_from(self.guard.id())
            .ok()
            .and_then(|guard| tree::below(guard).ok())
            .unwrap_or_default();
        if below.is_empty() {
            vec![self.process_id]
        } else {
            below
        }
    }

    /// Readable when the guard has something to say.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.control.get_ref().as_fd()
    }

    /// Whether the worker has ended, as far as was heard; so it is when its guard has.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.ending.is_some() || self.closed
    }

    /// Whether the guard is gone without a word.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.closed
    }

    /// Hears what there is to hear; the control socket is readable.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn hear(&mut self) -> io::Result<()> {
        self.next_report(Instant::now() + GRACE).map(drop)
    }

    /// How the worker ended, waiting a little: it may have closed its channel and have some milliseconds of dying left.
    pub fn ending_within(&mut self, limit: Duration) -> Option<Ending> {
        let deadline = Instant::now() + limit;
        while !self.has_ended() {
            if !matches!(self.next_report(deadline), Ok(Some(_))) {
                break;
            }
        }
        self.ending
    }

    /// Has every process of the trial sent `SIGABRT`, at which Python's fault handler writes where each thread is.
    pub fn abort(&mut self) {
        // A guard that is gone sends nothing.
        let _ = self.control.get_mut().write_all(&[ABORT]);
    }

    /// Ends everything that belongs to the trial. Returns what could not be ended.
    pub fn end(&mut self) -> &[i32] {
        if self.left.is_none() {
            self.left = Some(self.end_all());
        }
        self.left.as_deref().unwrap_or_default()
    }

    fn end_all(&mut self) -> Vec<i32> {
        let _ = self.control.get_mut().write_all(&[END]);
        let deadline = Instant::now() + ENDING_LIMIT + GRACE;
        let mut told = None;
        while told.is_none() {
            match self.next_report(deadline) {
                Ok(Some(Report::Gone { left })) => told = Some(left),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        let Some(left) = told else {
            let _ = self.guard.kill();
            let _ = self.guard.wait();
            return self.end_without_guard();
        };
        let _ = self.guard.wait();
        if left.is_empty() {
            left
        } else {
            self.end_what_came_here()
        }
    }

    /// What was below the guard is below this process now.
    fn end_what_came_here(&self) -> Vec<i32> {
        reaper::end_all(&self.known, GRACE)
    }

    /// Does what the guard would have done, had it not been killed.
    fn end_without_guard(&self) -> Vec<i32> {
        let parent = self.control_group.as_ref().map(|delegated| delegated.group());
        let group = parent.and_then(|parent| TrialGroup::left_by(self.guard.id(), parent));
        if let Some(group) = &group {
            group.kill();
        }
        let left = self.end_what_came_here();
        drop(group);
        if let Some(scratch) = &self.scratch {
            // It may not have been made yet.
            let _ = std::fs::remove_dir_all(scratch);
        }
        left
    }

    /// The next report, and what it says of the worker's end taken down; `None` at the deadline, or when the guard is
    /// gone.
    fn next_report(&mut self, deadline: Instant) -> io::Result<Option<Report>> {
        if self.control.buffer().is_empty() && !readable_before(self.as_fd(), deadline)? {
            return Ok(None);
        }
        let mut line = String::new();
        // The guard writes a line at a time: what has begun is complete.
        if self.control.read_line(&mut line)? == 0 {
            self.closed = true;
            return Ok(None);
        }
        let report: Report = serde_json::from_str(&line)?;
        if let Report::Ended(ending) = report {
            self.ending = Some(ending);
        }
        Ok(Some(report))
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.end();
    }
}

fn readable_before(fd: BorrowedFd<'_>, deadline: Instant) -> io::Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The guard gets the worker's environment, and hands it on.
fn command(guarding: &Guarding, launch: &Launch, hash_seed: u32, scratch: Option<&Path>) -> Command {
    let mut command = Command::new(&guarding.executable);
    command
        .arg0("ftbench")
        .arg("guard")
        .env_clear()
        .envs(&launch.environment)
        .env("PYTHONHASHSEED", hash_seed.to_string());
    if let Some(limits) = &guarding.limits {
        command.args(["--memory-limit", &limits.memory_bytes.to_string()]);
        command.args(["--process-limit", &limits.processes.to_string()]);
    }
    if let Some(control_group) = &guarding.control_group {
        command.arg("--control-group").arg(control_group.group());
    }
    if let Some(scratch) = scratch {
        command.arg("--scratch").arg(scratch);
    }
    command
        .arg("--")
        .arg(&launch.executable)
        .args(&launch.arguments)
        .arg("--channel")
        .args([REQUESTS_FD.to_string(), REPLIES_FD.to_string()]);
    command
}
