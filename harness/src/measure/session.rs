//! A worker process and the conversation with it.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::channel::{Channel, Silence};
use super::failure::TrialFailure;
use super::interrupt::Interrupt;
use super::launch::Launch;
use super::protocol::{PROTOCOL_VERSION, Reply, Request};

/// The worker's descriptors, as its command line names them.
const REQUESTS_FD: i32 = 3;
const REPLIES_FD: i32 = 4;

/// A started worker. Dropping it ends its whole process group.
#[derive(Debug)]
pub struct Session<'run> {
    child: Child,
    process_id: i32,
    requests: File,
    channel: Channel,
    interrupt: &'run Interrupt,
    step_limit: Duration,
    ended: Option<ExitStatus>,
}

impl<'run> Session<'run> {
    /// Starts the worker, with this `PYTHONHASHSEED`, and waits for its greeting.
    ///
    /// # Errors
    /// When it does not start, or does not greet as it should.
    pub fn start(
        launch: &Launch,
        hash_seed: u32,
        step_limit: Duration,
        interrupt: &'run Interrupt,
    ) -> Result<Self, TrialFailure> {
        let mut session = spawn(command(launch, hash_seed), step_limit, interrupt).map_err(|error| {
            TrialFailure::Start {
                path: launch.executable.clone(),
                error: error.to_string(),
            }
        })?;
        match session.receive("start-up")? {
            Reply::Hello {
                protocol: PROTOCOL_VERSION,
                ..
            } => Ok(session),
            Reply::Hello { protocol, .. } => Err(TrialFailure::Nonsense(format!(
                "it speaks version {protocol} of the protocol; this ftbench speaks {PROTOCOL_VERSION}"
            ))),
            other => Err(unexpected(&other, "hello")),
        }
    }

    /// Process id of the worker, which leads its process group.
    #[must_use]
    pub const fn process_id(&self) -> i32 {
        self.process_id
    }

    /// Sends a request and waits for the answer; `step` says in words what is waited for.
    ///
    /// # Errors
    /// When there is no answer in time, or it says that the workload failed.
    pub fn ask(&mut self, request: &Request, step: &'static str) -> Result<Reply, TrialFailure> {
        let mut line =
            serde_json::to_vec(request).map_err(|error| TrialFailure::Nonsense(error.to_string()))?;
        line.push(b'\n');
        if self.requests.write_all(&line).is_err() {
            return Err(self.ended_during(step));
        }
        self.receive(step)
    }

    /// Lets the worker go and waits until it is gone.
    ///
    /// # Errors
    /// When it does not go in time, or not with exit status 0.
    pub fn finish(&mut self) -> Result<(), TrialFailure> {
        match self.ask(&Request::Finish, "ending the workers")? {
            Reply::Finished => {}
            other => return Err(unexpected(&other, "finished")),
        }
        let deadline = Instant::now() + self.step_limit;
        match self.channel.receive(deadline, self.interrupt) {
            Err(Silence::Ended) => {}
            Err(Silence::Interrupted) => return Err(TrialFailure::Interrupted),
            Ok(_) => return Err(TrialFailure::Nonsense("it went on after its end".to_owned())),
            Err(_) => {
                return Err(TrialFailure::TimedOut {
                    step: "exit",
                    limit: self.step_limit,
                });
            }
        }
        let status = self.reap();
        if status.is_some_and(|status| status.success()) {
            Ok(())
        } else {
            Err(TrialFailure::Ended {
                step: "exit",
                status: describe(status),
            })
        }
    }

    /// The end of what the workload printed.
    pub fn last_output(&mut self) -> String {
        self.channel.last_output()
    }

    fn receive(&mut self, step: &'static str) -> Result<Reply, TrialFailure> {
        let deadline = Instant::now() + self.step_limit;
        let line = match self.channel.receive(deadline, self.interrupt) {
            Ok(line) => line,
            Err(Silence::Ended) => return Err(self.ended_during(step)),
            Err(Silence::TimedOut) => {
                return Err(TrialFailure::TimedOut {
                    step,
                    limit: self.step_limit,
                });
            }
            Err(Silence::Interrupted) => return Err(TrialFailure::Interrupted),
            Err(Silence::TooLong) => {
                return Err(TrialFailure::Nonsense(
                    "it sent a message of several megabytes".to_owned(),
                ));
            }
            Err(Silence::System(errno)) => return Err(TrialFailure::System(errno.to_string())),
        };
        match serde_json::from_slice(&line) {
            Ok(Reply::Failed {
                step,
                wrong_result,
                error,
                traceback,
            }) => Err(TrialFailure::Workload {
                step,
                wrong_result,
                error,
                traceback,
            }),
            Ok(reply) => Ok(reply),
            Err(error) => Err(TrialFailure::Nonsense(format!(
                "its answer is no message ({error}): {}",
                String::from_utf8_lossy(line.get(..120).unwrap_or(&line))
            ))),
        }
    }

    /// The worker's end of a pipe is closed: either it has ended, or it does something that no worker should.
    fn ended_during(&mut self, step: &'static str) -> TrialFailure {
        let status = self.reap();
        TrialFailure::Ended {
            step,
            status: describe(status),
        }
    }

    /// Ends the process group and collects the worker's exit status, which is its own if it had ended already.
    fn reap(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            let ended_by_itself = wait_briefly(&mut self.child);
            self.kill_group();
            self.ended = ended_by_itself.or_else(|| self.child.wait().ok());
        }
        self.ended
    }

    fn kill_group(&self) {
        if let Some(group) = Pid::from_raw(self.process_id) {
            // Fails only when everything in it is gone, which is what is wanted.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.kill_group();
        if self.ended.is_none() {
            let _ = self.child.wait();
        }
    }
}

fn spawn<'run>(
    mut command: Command,
    step_limit: Duration,
    interrupt: &'run Interrupt,
) -> io::Result<Session<'run>> {
    let (requests_read, requests_write) = io::pipe()?;
    let (replies_read, replies_write) = io::pipe()?;
    let (output_read, output_write) = io::pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(output_write.try_clone()?)
        .stderr(output_write)
        .process_group(0)
        .fd_mappings(vec![
            FdMapping {
                parent_fd: requests_read.into(),
                child_fd: REQUESTS_FD,
            },
            FdMapping {
                parent_fd: replies_write.into(),
                child_fd: REPLIES_FD,
            },
        ])
        .map_err(io::Error::other)?;
    let mut child = command.spawn()?;
    // The command holds the worker's ends: with them open here, its end would never be seen.
    drop(command);
    let process_id = i32::try_from(child.id()).map_err(io::Error::other)?;
    let process = Pid::from_raw(process_id)
        .ok_or_else(|| io::Error::other("no process id"))
        .and_then(|pid| Ok(pidfd_open(pid, PidfdFlags::empty())?));
    let process = match process {
        Ok(process) => process,
        Err(error) => {
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
    };
    Ok(Session {
        child,
        process_id,
        requests: File::from(std::os::fd::OwnedFd::from(requests_write)),
        channel: Channel::new(replies_read.into(), output_read.into(), process),
        interrupt,
        step_limit,
        ended: None,
    })
}

fn command(launch: &Launch, hash_seed: u32) -> Command {
    let mut command = Command::new(&launch.executable);
    command
        .env_clear()
        .envs(&launch.environment)
        .env("PYTHONHASHSEED", hash_seed.to_string())
        .args(&launch.arguments)
        .arg("--channel")
        .args([REQUESTS_FD.to_string(), REPLIES_FD.to_string()]);
    command
}

/// A process that has closed its pipes has some milliseconds of dying left, in which its status is not known yet.
fn wait_briefly(child: &mut Child) -> Option<ExitStatus> {
    for _ in 0..50 {
        match child.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(2)),
            Ok(status) => return status,
            Err(_) => return None,
        }
    }
    None
}

fn describe(status: Option<ExitStatus>) -> String {
    match status {
        None => "closed its channel without ending".to_owned(),
        Some(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with exit status {code}"),
            (None, Some(signal)) => format!("was killed by {}", signal_name(signal)),
            (None, None) => status.to_string(),
        },
    }
}

fn signal_name(signal: i32) -> String {
    signal_hook::low_level::signal_name(signal).map_or_else(|| format!("signal {signal}"), str::to_owned)
}

fn unexpected(reply: &Reply, wanted: &str) -> TrialFailure {
    TrialFailure::Nonsense(format!("it answered {reply:?} where '{wanted}' was due"))
}
