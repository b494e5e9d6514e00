//! Runs a command that may hang, print without end or leave children behind, and bounds all of this.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::guarded_program::guarded;

/// How much of each output is kept, bytes; the rest is read and dropped.
const KEPT_BYTES: usize = 64 * 1024;

/// How often a silent process is checked, because it may have ended while a child of its own holds its output open.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Maximum number of reads after the process has ended: enough for what two pipes hold (64 KiB each on Linux), and
/// bounded in case a child that escaped from the group keeps printing.
const MAX_FINAL_READS: u32 = 32;

/// Maximum number of attempts to start, while another process holds the file open for writing.
const MAX_START_ATTEMPTS: u32 = 10;

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit status; `None` when it was ended from outside, as at the time limit.
    pub status: Option<ExitStatus>,
    /// What it printed, the first 64 KiB.
    pub output: Vec<u8>,
    /// What it printed to standard error, the first 64 KiB.
    pub errors: Vec<u8>,
}

/// Runs `command` without input in a process group of its own, and ends the whole group when the command has ended
/// or `time_limit` is over.
///
/// # Errors
///
/// When it cannot be started or watched.
pub(crate) fn run(command: &mut Command, time_limit: Duration) -> io::Result<Ended> {
    command.stdin(Stdio::null());
    watched(command, &time_is_over(time_limit), |child| {
        // Before the child is reaped, because until then its process id, which is the group's, cannot be reused.
        if let Some(group) = process_id(child) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        child.wait()
    })
}

/// Runs `command` without input below a guard, which also ends processes that left its process group. It ends early when
/// `is_stopped`, as at the time limit.
///
/// # Errors
///
/// When it cannot be started or watched.
pub(crate) fn run_guarded(
    command: &Command,
    time_limit: Duration,
    is_stopped: &dyn Fn() -> bool,
) -> io::Result<Ended> {
    let (mut command, program) = guarded(command)?;
    let time_is_over = time_is_over(time_limit);
    watched(&mut command, &|| is_stopped() || time_is_over(), |child| {
        drop(program);
        child.wait()
    })
}

/// Starts a command, reads its outputs until it ends or `is_over`, and ends it.
fn watched(
    command: &mut Command,
    is_over: &dyn Fn() -> bool,
    end: impl FnOnce(&mut Child) -> io::Result<ExitStatus>,
) -> io::Result<Ended> {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = start(command)?;
    let mut output = Output::new(child.stdout.take());
    let mut errors = Output::new(child.stderr.take());
    let watched = watch(&child, &mut output, &mut errors, is_over);
    let status = end(&mut child)?;
    Ok(Ended {
        status: watched?.then_some(status),
        output: output.kept,
        errors: errors.kept,
    })
}

/// Whether this much time has passed from now on.
fn time_is_over(time_limit: Duration) -> impl Fn() -> bool {
    let deadline = Instant::now().checked_add(time_limit);
    move || deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

/// The name of a signal, such as "SIGKILL", or its number if it has none.
pub(crate) fn signal_name(signal: i32) -> String {
    signal_hook::low_level::signal_name(signal).map_or_else(|| format!("signal {signal}"), str::to_owned)
}

/// Starts the command, and retries while its file is busy: a file that was written a moment ago can still be open for
/// writing in a child that another thread has forked and that has not reached its `exec` yet.
fn start(command: &mut Command) -> io::Result<Child> {
    let mut attempts = 1;
    loop {
        match command.spawn() {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy && attempts < MAX_START_ATTEMPTS =>
            {
                attempts += 1;
                thread::sleep(POLL_INTERVAL);
            }
            started => return started,
        }
    }
}

/// Reads both outputs until the child has ended; false when it is over before.
fn watch(
    child: &Child,
    output: &mut Output<impl Read + AsFd>,
    errors: &mut Output<impl Read + AsFd>,
    is_over: &dyn Fn() -> bool,
) -> io::Result<bool> {
    loop {
        read_available(output, errors, POLL_INTERVAL)?;
        if has_ended(child)? {
            // What it printed before it ended is in the pipes by now.
            for _ in 0..MAX_FINAL_READS {
                if !read_available(output, errors, Duration::ZERO)? {
                    break;
                }
            }
            return Ok(true);
        }
        if is_over() {
            return Ok(false);
        }
    }
}

/// Waits up to `at_most` for output, and reads it. Returns whether anything was read. With both pipes at their end, it
/// only sleeps.
fn read_available(
    output: &mut Output<impl Read + AsFd>,
    errors: &mut Output<impl Read + AsFd>,
    at_most: Duration,
) -> io::Result<bool> {
    let (output_ready, errors_ready) = {
        let mut polled: Vec<PollFd<'_>> = Vec::with_capacity(2);
        polled.extend(output.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        polled.extend(errors.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let timeout = Timespec::try_from(at_most).map_err(|_| io::ErrorKind::InvalidInput)?;
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ready = polled.iter().map(|polled| !polled.revents().is_empty());
        let output_ready = output.pipe.is_some() && ready.next() == Some(true);
        let errors_ready = errors.pipe.is_some() && ready.next() == Some(true);
        (output_ready, errors_ready)
    };
    let mut any = false;
    if output_ready {
        any |= output.read_once()?;
    }
    if errors_ready {
        any |= errors.read_once()?;
    }
    Ok(any)
}

/// Whether the child has ended; it is not reaped.
fn has_ended(child: &Child) -> io::Result<bool> {
    let Some(process) = process_id(child) else {
        return Ok(true);
    };
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    match waitid(WaitId::Pid(process), look) {
        Ok(status) => Ok(status.is_some()),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn process_id(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// One pipe, and the beginning of what came through it.
struct Output<P> {
    pipe: Option<P>,
    kept: Vec<u8>,
}

impl<P: Read> Output<P> {
    const fn new(pipe: Option<P>) -> Self {
        Self {
            pipe,
            kept: Vec::new(),
        }
    }

    /// Reads once, which does not block if the pipe is ready. Returns false at the end of the pipe.
    fn read_once(&mut self) -> io::Result<bool> {
        let Some(pipe) = self.pipe.as_mut() else {
            return Ok(false);
        };
        let mut buffer = [0; 8192];
        let count = match pipe.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(true),
            Err(error) => return Err(error),
        };
        if count == 0 {
            self.pipe = None;
            return Ok(false);
        }
        let room = KEPT_BYTES.saturating_sub(self.kept.len());
        self.kept.extend(buffer.iter().take(count.min(room)));
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Long enough for anything that ends by itself.
    const LONG: Duration = Duration::from_secs(120);

    fn shell(script: &str, time_limit: Duration) -> Ended {
        run(Command::new("sh").args(["-c", script]), time_limit).unwrap()
    }

    #[test]
    fn both_outputs_and_the_status_come_back() {
        let ended = shell("echo one; echo two >&2; exit 3", LONG);
        assert_eq!(ended.status.unwrap().code(), Some(3));
        assert_eq!(
            (ended.output.as_slice(), ended.errors.as_slice()),
            (&b"one\n"[..], &b"two\n"[..])
        );
    }

    #[test]
    fn a_hanging_command_is_killed_with_its_children() {
        let ended = shell("sleep 1000 & echo $!; wait", Duration::from_millis(300));
        assert!(ended.status.is_none());
        let sleeper = String::from_utf8(ended.output).unwrap().trim().to_owned();
        // The signal has been sent, and takes effect soon. Until its new parent reaps it, it has no command line.
        let command_line = || std::fs::read(format!("/proc/{sleeper}/cmdline")).unwrap_or_default();
        while command_line().starts_with(b"sleep") {
            thread::sleep(POLL_INTERVAL);
        }
    }

    #[test]
    fn a_child_that_keeps_the_output_open_is_not_waited_for() {
        let ended = shell("sleep 1000 & echo done", LONG);
        assert!(ended.status.unwrap().success());
        assert_eq!(ended.output, b"done\n");
    }

    #[test]
    fn long_output_is_cut_off() {
        let ended = shell("yes | head -c 1000000", LONG);
        assert!(ended.status.unwrap().success());
        assert_eq!(ended.output.len(), KEPT_BYTES);
    }

    #[test]
    fn endless_output_does_not_keep_a_command_running() {
        assert!(shell("yes", Duration::from_millis(200)).status.is_none());
        assert!(shell("yes & sleep 0.1", LONG).status.is_some());
    }

    #[test]
    fn a_missing_program_is_an_error() {
        let missing = run(&mut Command::new("/nowhere/python"), LONG);
        assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
