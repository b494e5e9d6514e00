//! The driver's side of a guard: starts it, reads its reports on the worker, and has it end everything.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::guard_side::{ABORT, END, ENDING_LIMIT, Ending, REPLIES_FD, REQUESTS_FD, Report};
use crate::measure::launch::Launch;
use crate::process::tree;
use crate::process::trial_group::{DelegatedGroup, TrialGroup};
use crate::process::{reaper, scratch};
use ftbench_schema::Limits;

/// How long the guard may take to start a process.
const STARTING_LIMIT: Duration = Duration::from_secs(60);

/// How long the guard may take beyond [`ENDING_LIMIT`].
const GRACE: Duration = Duration::from_secs(5);

/// How guards are started.
#[derive(Debug, Clone)]
pub struct GuardOptions {
    /// The program of the guard: ftbench itself.
    pub executable: PathBuf,
    /// What a trial may use; `None` for no limits.
    pub limits: Option<Limits>,
    /// Where trials get control groups of their own.
    pub control_group: Option<Arc<DelegatedGroup>>,
}

impl GuardOptions {
    /// Guards that run this program itself: the path refers to it even if its file has been replaced since.
    #[must_use]
    pub fn by_this_program(limits: Option<Limits>) -> Self {
        Self {
            executable: PathBuf::from("/proc/self/exe"),
            limits,
            control_group: DelegatedGroup::find().map(Arc::new),
        }
    }
}

/// The guards of trials that have not been ended, children of this process. Held while a guard is started, so that no
/// other thread takes it for an orphan.
static GUARDS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn living_guards() -> MutexGuard<'static, BTreeSet<i32>> {
    GUARDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The worker's ends of its pipes.
#[derive(Debug)]
pub struct WorkerPipes {
    /// The end where the worker reads requests.
    pub requests: OwnedFd,
    /// The end where the worker writes replies.
    pub replies: OwnedFd,
    /// The worker's standard output and standard error.
    pub output: OwnedFd,
}

/// Why a worker did not start below a guard.
#[derive(Debug)]
pub enum NotStarted {
    /// The system lacks the resources to start a guard.
    System(io::Error),
    /// The guard started, but the worker did not.
    Worker(String),
}

impl From<io::Error> for NotStarted {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// A worker below its guard. Dropping it ends everything.
#[derive(Debug)]
pub struct GuardedWorker {
    guard: Child,
    control: BufReader<UnixStream>,
    process_id: i32,
    ending: Option<Ending>,
    /// Whether the guard has closed its end of the control socket.
    closed: bool,
    /// Children that this process had before, such as servers: they are not part of the trial.
    earlier_children: Vec<i32>,
    /// Processes that could not be ended; `None` before that was tried.
    unkillable: Option<Vec<i32>>,
    /// The trial's temporary folder.
    scratch: Option<PathBuf>,
    /// Where the trial's control group is made.
    control_group: Option<Arc<DelegatedGroup>>,
}

impl GuardedWorker {
    /// Starts a guard, and the worker below it.
    ///
    /// # Errors
    /// When one of the two does not start.
    pub fn start(
        guard_options: &GuardOptions,
        launch: &Launch,
        hash_seed: u32,
        pipes: WorkerPipes,
    ) -> Result<Self, NotStarted> {
        // If the guard is killed, the processes below it become children of this one.
        reaper::adopt_orphans().map_err(io::Error::from)?;
        let earlier_children = tree::children(reaper::own_id()).unwrap_or_default();
        let (own, guards) = UnixStream::pair()?;
        let scratch = scratch::choose(&launch.environment);
        let mut command = command(guard_options, launch, hash_seed, scratch.as_deref());
        command
            .stdin(OwnedFd::from(guards))
            .stdout(pipes.output.try_clone()?)
            .stderr(pipes.output)
            // Out of the terminal's foreground: Ctrl-C is for the driver.
            .process_group(0)
            .fd_mappings(vec![
                FdMapping {
                    parent_fd: pipes.requests,
                    child_fd: REQUESTS_FD,
                },
                FdMapping {
                    parent_fd: pipes.replies,
                    child_fd: REPLIES_FD,
                },
            ])
            .map_err(io::Error::other)?;
        let guard = {
            let mut living = living_guards();
            let guard = command.spawn()?;
            living.extend(i32::try_from(guard.id()));
            guard
        };
        // The command holds the worker's ends of the pipes. While they are open here, the pipes would not close with
        // the worker.
        drop(command);
        let mut guarded = Self {
            guard,
            control: BufReader::new(own),
            process_id: 0,
            ending: None,
            closed: false,
            earlier_children,
            unkillable: None,
            scratch,
            control_group: guard_options.control_group.clone(),
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
            .and_then(|guard| tree::descendants(guard).ok())
            .unwrap_or_default();
        if below.is_empty() {
            vec![self.process_id]
        } else {
            below
        }
    }

    /// Readable when the guard has sent a report.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.control.get_ref().as_fd()
    }

    /// Whether the worker has ended, according to the reports read so far, or its guard has.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.ending.is_some() || self.closed
    }

    /// Whether the guard is gone.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.closed
    }

    /// Reads a report; the control socket must be readable.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_report(&mut self) -> io::Result<()> {
        self.next_report(Instant::now() + GRACE).map(drop)
    }

    /// How the worker ended. Waits for that, up to a limit, because a worker that has closed its channel may take some
    /// milliseconds to end.
    pub fn ending_within(&mut self, limit: Duration) -> Option<Ending> {
        let deadline = Instant::now() + limit;
        while !self.has_ended() {
            if !matches!(self.next_report(deadline), Ok(Some(_))) {
                break;
            }
        }
        self.ending
    }

    /// Has the guard send `SIGABRT` to every process of the trial, at which Python's fault handler writes the stack of
    /// each thread.
    pub fn abort(&mut self) {
        // If the guard is gone, there is nothing to do.
        let _ = self.control.get_mut().write_all(&[ABORT]);
    }

    /// Ends everything that belongs to the trial. Returns the processes that could not be ended.
    pub fn end(&mut self) -> &[i32] {
        if self.unkillable.is_none() {
            self.unkillable = Some(self.end_all());
        }
        self.unkillable.as_deref().unwrap_or_default()
    }

    fn end_all(&mut self) -> Vec<i32> {
        let _ = self.control.get_mut().write_all(&[END]);
        let deadline = Instant::now() + ENDING_LIMIT + GRACE;
        let mut reported = None;
        while reported.is_none() {
            match self.next_report(deadline) {
                Ok(Some(Report::Gone { left })) => reported = Some(left),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        let Some(left) = reported else {
            let _ = self.guard.kill();
            self.reap_guard();
            return self.end_without_guard();
        };
        self.reap_guard();
        if left.is_empty() { left } else { self.end_adopted() }
    }

    /// Waits for the guard, which has ended or was killed.
    fn reap_guard(&mut self) {
        // Before its number can be that of another guard.
        living_guards().retain(|&guard| i32::try_from(self.guard.id()) != Ok(guard));
        let _ = self.guard.wait();
    }

    /// Ends the processes below the guard, which this process adopted when the guard ended. Other trials stay.
    fn end_adopted(&self) -> Vec<i32> {
        let living = living_guards();
        let keep: Vec<i32> = self.earlier_children.iter().chain(&*living).copied().collect();
        reaper::end_all(&keep, GRACE)
    }

    /// Does what the guard would have done if it had not been killed.
    fn end_without_guard(&self) -> Vec<i32> {
        let parent = self.control_group.as_ref().map(|delegated| delegated.group());
        let group = parent.and_then(|parent| TrialGroup::left_behind_by(self.guard.id(), parent));
        if let Some(group) = &group {
            group.kill();
        }
        let left = self.end_adopted();
        drop(group);
        if let Some(scratch) = &self.scratch {
            // It may not have been made yet.
            let _ = std::fs::remove_dir_all(scratch);
        }
        left
    }

    /// The next report; `None` at the deadline or when the guard is gone. Remembers how the worker ended if it reports
    /// that.
    fn next_report(&mut self, deadline: Instant) -> io::Result<Option<Report>> {
        if self.control.buffer().is_empty() && !readable_before(self.as_fd(), deadline)? {
            return Ok(None);
        }
        let mut line = String::new();
        // The guard writes one line at a time, so a line that has begun is complete.
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

impl Drop for GuardedWorker {
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

/// The command that starts the guard, which gets the worker's environment and passes it on.
fn command(guard_options: &GuardOptions, launch: &Launch, hash_seed: u32, scratch: Option<&Path>) -> Command {
    let mut command = Command::new(&guard_options.executable);
    command
        .arg0("ftbench")
        .arg("guard")
        .env_clear()
        .envs(&launch.environment)
        .env("PYTHONHASHSEED", hash_seed.to_string());
    if let Some(limits) = &guard_options.limits {
        command.args(["--memory-limit", &limits.memory_bytes.to_string()]);
        command.args(["--process-limit", &limits.processes.to_string()]);
    }
    if let Some(control_group) = &guard_options.control_group {
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
