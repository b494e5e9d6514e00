//! The guard: a process between ftbench and the worker of a trial, which sleeps while the worker works.
//!
//! Everything that a trial starts is below its guard, even orphans, because the guard adopts them. It ends all of it
//! when the driver orders that, and when the driver is gone: the driver's end of the control socket, which is the
//! guard's standard input, is then closed, even after `SIGKILL`. The limits of the trial's processes are set here,
//! where they apply to all of them.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use procfs::process::Process;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, WaitOptions, getrlimit, kill_process, pidfd_open, setrlimit,
    waitpid,
};
use serde::{Deserialize, Serialize};

use crate::process::tree;
use crate::process::trial_group::TrialGroup;
use crate::process::{reaper, scratch};

/// The descriptor where the worker reads requests, as its command line names it. The guard passes it on.
pub const REQUESTS_FD: i32 = 3;
/// The descriptor where the worker writes replies.
pub const REPLIES_FD: i32 = 4;

/// How long aborted processes may take altogether, one after the other, to write their stacks. Since CPython 3.14 that
/// includes the C stack, for which a library is loaded.
const ABORTING_LIMIT: Duration = Duration::from_secs(3);

/// How long one of them may take: it may be stopped.
const ABORTING_LIMIT_OF_ONE: Duration = Duration::from_secs(1);

/// Between two looks at whether an aborted process is gone.
const ABORTING_PAUSE: Duration = Duration::from_millis(5);

/// How long the threads of a process may take to write their stacks. The driver waits longer for all of the output.
const STACKS_PAUSE: Duration = Duration::from_millis(200);

/// An order of the driver: send `SIGABRT` to every process of the trial, at which Python writes the stack of each
/// thread.
pub const ABORT: u8 = b'a';
/// An order of the driver: end everything.
pub const END: u8 = b'e';

/// How long ending everything may take. A process that takes longer hangs in the kernel.
pub const ENDING_LIMIT: Duration = Duration::from_secs(10);

/// The `oom_score_adj` of a trial's processes (proc(5), from -1000 to 1000), which makes the kernel kill them before
/// others when memory runs out: as if they used half of the machine's memory more than they do.
const OUT_OF_MEMORY_ADJUSTMENT: &str = "500";

/// What the guard reports to the driver, one JSON object per line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Report {
    /// The worker has started.
    Started {
        /// Its process id.
        process_id: i32,
    },
    /// The system did not start it.
    NotStarted {
        /// The system's error.
        error: String,
    },
    /// The worker has ended by itself.
    Ended(Ending),
    /// Everything was ended.
    Gone {
        /// Ids of the processes that could not be ended.
        left: Vec<i32>,
    },
}

/// How a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Its exit status, unless a signal killed it.
    pub exit_status: Option<i32>,
    /// The signal that killed it.
    pub signal: Option<i32>,
    /// Whether the kernel has killed a process of the trial at its control group's memory limit.
    pub out_of_memory: bool,
}

/// What a guard runs, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardedCommand {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Maximum private memory that one process may map, bytes.
    pub memory_bytes: Option<u64>,
    /// Maximum number of processes, where a control group can enforce it.
    pub processes: Option<u32>,
    /// The control group below which the trial gets one of its own.
    pub control_group: Option<PathBuf>,
    /// The trial's temporary folder, which does not exist yet.
    pub scratch: Option<PathBuf>,
}

/// Runs a worker and reports to the driver, until everything below has ended.
///
/// # Errors
/// When standard input is not a socket, or the system refuses something that a guard needs.
pub fn serve(guarded: &GuardedCommand) -> io::Result<()> {
    let mut control = control()?;
    reaper::adopt_orphans()?;
    set_limits(guarded.memory_bytes);
    // Python's pools, for example, leave folders behind when they are killed.
    let scratch = guarded
        .scratch
        .as_deref()
        .and_then(|path| scratch::make(path).ok());
    let group = guarded
        .control_group
        .as_deref()
        .and_then(|parent| TrialGroup::make(parent, guarded.memory_bytes, guarded.processes).ok());
    let mut command = command(&guarded.command)?;
    if let Some(scratch) = &scratch {
        command.env("TMPDIR", scratch.path());
    }
    let spawned = match &group {
        Some(group) => group.inside(|| command.spawn()),
        None => command.spawn(),
    };
    // While the worker's ends of the channel are open here, the channel would not close with the worker.
    for descriptor in [REQUESTS_FD, REPLIES_FD] {
        let _ = nix::unistd::close(descriptor);
    }
    match spawned {
        Ok(worker) => {
            let worker = i32::try_from(worker.id()).map_err(io::Error::other)?;
            // This matters only when memory runs out, so it is not an error if it cannot be set.
            let _ = std::fs::write(format!("/proc/{worker}/oom_score_adj"), OUT_OF_MEMORY_ADJUSTMENT);
            // If the driver is gone and reads nothing, everything is ended all the same.
            let _ = send_report(&mut control, &Report::Started { process_id: worker });
            let _ = supervise(&mut control, worker, group.as_ref());
        }
        Err(error) => {
            let error = error.to_string();
            let _ = send_report(&mut control, &Report::NotStarted { error });
        }
    }
    let left = end_everything(group);
    drop(scratch);
    let _ = send_report(&mut control, &Report::Gone { left });
    Ok(())
}

/// Runs a command that does not speak the protocol, such as an installer, and ends everything that it has started when
/// it has ended or the driver is gone. Returns its exit status, or 128 plus the signal that killed it.
///
/// # Errors
/// When it cannot be started or watched.
pub fn serve_plain(words: &[OsString]) -> io::Result<u8> {
    let mut control = control()?;
    reaper::adopt_orphans()?;
    let child = command(words)?.spawn()?;
    let child = i32::try_from(child.id()).map_err(io::Error::other)?;
    let ending = watch(&mut control, child, |_, _| Ok(false));
    let _ = reaper::end_all(&[], ENDING_LIMIT);
    let status = match ending? {
        Some(Ending {
            exit_status: Some(status),
            ..
        }) => status,
        Some(Ending {
            signal: Some(signal), ..
        }) => 128 + signal,
        _ => 1,
    };
    Ok(u8::try_from(status).unwrap_or(u8::MAX))
}

/// The control socket, which is standard input.
fn control() -> io::Result<UnixStream> {
    Ok(UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?))
}

fn command(words: &[OsString]) -> io::Result<Command> {
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| io::Error::other("no program to guard"))?;
    let mut command = Command::new(program);
    // A group of its own, so that all of it can be killed at once.
    command.args(arguments).stdin(Stdio::null()).process_group(0);
    Ok(command)
}

/// Sets limits for this process and everything that it starts. A limit that the system refuses is left out.
fn set_limits(memory_bytes: Option<u64>) {
    // A crash is reported by its signal and traceback. Writing a core into the user's folder would take seconds.
    lower(Resource::Core, 0);
    if let Some(bytes) = memory_bytes {
        // Of all limits of setrlimit(2), this is the closest to used memory: it counts what is private and writable
        // (Linux 4.7 and later), not the address space, of which allocators and free-threaded builds reserve a lot.
        lower(Resource::Data, bytes);
    }
}

fn lower(resource: Resource, limit: u64) {
    let maximum = getrlimit(resource).maximum;
    let limit = maximum.map_or(limit, |maximum| limit.min(maximum));
    let _ = setrlimit(
        resource,
        Rlimit {
            current: Some(limit),
            maximum,
        },
    );
}

/// Reports the worker's end and follows orders, until the order to end everything or the end of the driver.
fn supervise(control: &mut UnixStream, worker: i32, group: Option<&TrialGroup>) -> io::Result<()> {
    watch(control, worker, |control, event| match event {
        Event::Ended(ending) => {
            let out_of_memory = group.is_some_and(TrialGroup::was_out_of_memory);
            let report = Report::Ended(Ending {
                out_of_memory,
                ..ending
            });
            send_report(control, &report).map(|()| true)
        }
        Event::Order(ABORT) => {
            abort_all();
            Ok(true)
        }
        Event::Order(_) => Ok(false),
    })
    .map(drop)
}

/// An event that a guard waits for.
enum Event {
    Ended(Ending),
    Order(u8),
}

/// Waits for events until `handle` returns false or the driver is gone. Returns how the child ended, if it did.
fn watch(
    control: &mut UnixStream,
    child: i32,
    mut handle: impl FnMut(&mut UnixStream, Event) -> io::Result<bool>,
) -> io::Result<Option<Ending>> {
    let pid = Pid::from_raw(child).ok_or_else(|| io::Error::other("no process id"))?;
    let mut process: Option<OwnedFd> = Some(pidfd_open(pid, PidfdFlags::empty())?);
    let mut ended = None;
    loop {
        let (child_ready, control_ready) = wait(control, process.as_ref())?;
        if child_ready {
            process = None;
            ended = Some(ending(pid)?);
            if let Some(ending) = ended
                && !handle(control, Event::Ended(ending))?
            {
                return Ok(ended);
            }
        }
        if control_ready {
            let mut order = [0];
            let continues = match control.read(&mut order) {
                Ok(0) => false,
                Ok(_) => handle(control, Event::Order(order[0]))?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => true,
                Err(error) => return Err(error),
            };
            if !continues {
                return Ok(ended);
            }
        }
    }
}

/// Sleeps until the child has ended, or the driver has sent an order or is gone. Returns which of the two has happened.
fn wait(control: &UnixStream, process: Option<&OwnedFd>) -> io::Result<(bool, bool)> {
    let mut fds = vec![PollFd::new(control, PollFlags::IN)];
    fds.extend(process.map(|process| PollFd::new(process, PollFlags::IN)));
    match poll(&mut fds, None) {
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return Ok((false, false)),
        Err(error) => return Err(error.into()),
    }
    let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
    let control_ready = ready.next() == Some(true);
    Ok((ready.next() == Some(true), control_ready))
}

fn ending(pid: Pid) -> io::Result<Ending> {
    let status = waitpid(Some(pid), WaitOptions::empty())?.map(|(_, status)| status);
    Ok(Ending {
        exit_status: status.and_then(|status| status.exit_status()),
        signal: status.and_then(|status| status.terminating_signal()),
        out_of_memory: false,
    })
}

fn send_report(control: &mut UnixStream, report: &Report) -> io::Result<()> {
    let mut line = serde_json::to_vec(report)?;
    line.push(b'\n');
    control.write_all(&line)
}

/// Aborts all processes below, children before their parents, so that each writes its stacks before it notices that
/// another is gone.
fn abort_all() {
    let mut below = tree::descendants(reaper::own_id()).unwrap_or_default();
    below.sort_unstable_by(|a, b| b.cmp(a));
    let request = |&&process_id: &&i32| handles(process_id, Signal::USR1) && send(process_id, Signal::USR1);
    let requested = below.iter().filter(request).count();
    if requested > 0 {
        std::thread::sleep(STACKS_PAUSE);
    }
    let deadline = Instant::now() + ABORTING_LIMIT;
    for process_id in below {
        send(process_id, Signal::ABORT);
        let deadline = deadline.min(Instant::now() + ABORTING_LIMIT_OF_ONE);
        // The trial is over for the driver when its first process is, which is the last one here.
        while tree::is_alive(process_id) && Instant::now() < deadline {
            std::thread::sleep(ABORTING_PAUSE);
        }
    }
}

fn send(process_id: i32, signal: Signal) -> bool {
    Pid::from_raw(process_id).is_some_and(|pid| kill_process(pid, signal).is_ok())
}

/// Whether a process has its own handler for a signal that would otherwise end it.
fn handles(process_id: i32, signal: Signal) -> bool {
    let status = Process::new(process_id).and_then(|process| process.status());
    status.is_ok_and(|status| status.sigcgt >> (signal.as_raw() - 1) & 1 == 1)
}

fn end_everything(group: Option<TrialGroup>) -> Vec<i32> {
    if let Some(group) = &group {
        group.kill();
    }
    let left = reaper::end_all(&[], ENDING_LIMIT);
    drop(group);
    left
}
