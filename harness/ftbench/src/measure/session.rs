//! A worker process and the conversation with it.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::channel::{Channel, Silence};
use super::failure::TrialFailure;
use super::launch::Launch;
use super::protocol::{PROTOCOL_VERSION, Reply, Request};
use super::said::{self, quoted, unexpected};
use super::stamps::clock_ns;
use crate::machine::memory;
use crate::process::guard::driver_side::{Guarded, Guarding, NotStarted, WorkersEnds};
use crate::process::guard::guard_side::Ending;
use crate::process::interrupt::Interrupt;
use crate::process::limits::{FIRST_LOOK, pause_after};
use ftbench_schema::{Limits, units};

/// How long a worker that has closed its channel may take to end.
const DYING_LIMIT: Duration = Duration::from_secs(1);

/// How long a worker that took too long may take to tell where each of its threads is.
const TELLING_LIMIT: Duration = Duration::from_secs(5);

/// A started worker. Dropping it ends everything that it has started.
#[derive(Debug)]
pub struct Session<'run> {
    guarded: Guarded,
    requests: File,
    channel: Channel,
    interrupt: &'run Interrupt,
    step_limit: Duration,
    limits: Option<Limits>,
    driver_ns: u64,
}

/// How a worker is started and kept in bounds.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// How its guard is started, and what it may use.
    pub guarding: Guarding,
    /// How long any step may take.
    pub step_limit: Duration,
}

impl<'run> Session<'run> {
    /// Starts the worker, with this `PYTHONHASHSEED`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(
        launch: &Launch,
        hash_seed: u32,
        bounds: &Bounds,
        interrupt: &'run Interrupt,
    ) -> Result<Self, TrialFailure> {
        spawn(launch, hash_seed, bounds, interrupt).map_err(|error| match error {
            NotStarted::System(error) => TrialFailure::NoProcess(error.to_string()),
            NotStarted::Worker(error) => TrialFailure::Start {
                path: launch.executable.clone(),
                error,
            },
        })
    }

    /// Waits for the worker's greeting.
    ///
    /// # Errors
    /// When it does not greet as it should.
    pub fn greet(&mut self) -> Result<(), TrialFailure> {
        match self.receive("start-up")? {
            Reply::Hello {
                protocol: PROTOCOL_VERSION,
                ..
            } => Ok(()),
            Reply::Hello { protocol, .. } => Err(TrialFailure::Nonsense(format!(
                "it speaks version {protocol} of the protocol; this ftbench speaks {PROTOCOL_VERSION}"
            ))),
            other => Err(unexpected(&other, "'hello'")),
        }
    }

    /// Process id of the worker, which leads its process group.
    #[must_use]
    pub const fn process_id(&self) -> i32 {
        self.guarded.process_id()
    }

    /// The living processes of the trial; the worker alone where the system does not list them.
    #[must_use]
    pub fn processes(&self) -> Vec<i32> {
        self.guarded.processes()
    }

    /// Sends a request and waits for the answer; `step` says in words what is waited for.
    ///
    /// # Errors
    /// When there is no answer in time, or it says that the workload failed.
    pub fn ask(&mut self, request: &Request, step: &'static str) -> Result<Reply, TrialFailure> {
        if self.channel.has_unasked() && !self.guarded.has_ended() {
            // Its end looks the same until it is read.
            return Err(match self.receive(step) {
                Ok(reply) => TrialFailure::Nonsense(format!(
                    "it answered before it was asked: {}",
                    said::described(&reply)
                )),
                Err(failure) => failure,
            });
        }
        let mut line =
            serde_json::to_vec(request).map_err(|error| TrialFailure::Nonsense(error.to_string()))?;
        line.push(b'\n');
        let before_ns = clock_ns(ClockId::ProcessCPUTime);
        if self.requests.write_all(&line).is_err() {
            return Err(self.ended_during(step));
        }
        let line = self.receive_line(step)?;
        self.driver_ns = clock_ns(ClockId::ProcessCPUTime).saturating_sub(before_ns);
        self.understood(&line)
    }

    /// CPU time that ftbench used from sending the last request until its answer was there, nanoseconds.
    #[must_use]
    pub const fn driver_ns(&self) -> u64 {
        self.driver_ns
    }

    /// Lets the worker go and waits until it and all that it has started are gone.
    ///
    /// # Errors
    /// When it does not go in time, or not with exit status 0, or something cannot be ended.
    pub fn finish(&mut self) -> Result<(), TrialFailure> {
        match self.ask(&Request::Finish, "ending the workers")? {
            Reply::Finished => {}
            other => return Err(unexpected(&other, "'finished'")),
        }
        let ending = match self.receive_until_silence("exit") {
            Ok(Ok(_)) => return Err(TrialFailure::Nonsense("it went on after its end".to_owned())),
            Ok(Err(failure)) => return Err(failure),
            Err(Silence::Ended) => self.guarded.ending_within(self.step_limit),
            Err(silence) => return Err(self.failure(silence, "exit")),
        };
        let left = self.guarded.end();
        if !left.is_empty() {
            return Err(TrialFailure::LeftOver(left.to_vec()));
        }
        match ending {
            Some(Ending {
                exit_status: Some(0), ..
            }) => Ok(()),
            ending => Err(TrialFailure::ended("exit", ending)),
        }
    }

    /// Ends everything after a failure, and returns the end of what was printed. A worker that took too long tells
    /// first where each of its threads is.
    pub fn last_output(&mut self, failure: &TrialFailure) -> String {
        let timed_out = matches!(failure, TrialFailure::TimedOut { .. });
        if timed_out && let Ok(never) = Interrupt::never() {
            self.guarded.abort();
            let deadline = Instant::now() + TELLING_LIMIT;
            self.channel.listen(deadline, &never, &mut self.guarded);
        }
        self.guarded.end();
        let output = self.channel.last_output();
        if timed_out {
            said::where_it_was(&output)
        } else {
            output
        }
    }

    /// Process ids of what could not be ended; everything is ended first.
    pub fn left_over(&mut self) -> &[i32] {
        self.guarded.end()
    }

    fn receive(&mut self, step: &'static str) -> Result<Reply, TrialFailure> {
        let line = self.receive_line(step)?;
        self.understood(&line)
    }

    fn receive_line(&mut self, step: &'static str) -> Result<Vec<u8>, TrialFailure> {
        match self.receive_until_silence(step) {
            Ok(line) => line,
            Err(silence) => Err(self.failure(silence, step)),
        }
    }

    fn understood(&self, line: &[u8]) -> Result<Reply, TrialFailure> {
        match serde_json::from_slice(line) {
            Ok(Reply::Failed {
                step,
                wrong_result,
                error,
                traceback,
            }) => Err(TrialFailure::Workload {
                step: said::name(step),
                wrong_result,
                error: self.explained(said::error(error)),
                traceback,
            }),
            Ok(reply) => Ok(reply),
            Err(error) => Err(TrialFailure::Nonsense(format!(
                "its answer is no message ({}): {}",
                // serde_json quotes the whole of a word that it does not know.
                quoted(error.to_string().as_bytes()),
                quoted(line)
            ))),
        }
    }

    /// The next line, or why there is none; once the step has lasted for a while, the limits are looked after.
    fn receive_until_silence(
        &mut self,
        step: &'static str,
    ) -> Result<Result<Vec<u8>, TrialFailure>, Silence> {
        let begun = Instant::now();
        let deadline = begun + self.step_limit;
        let mut next_look = begun + FIRST_LOOK;
        loop {
            let until = deadline.min(next_look);
            match self.channel.receive(until, self.interrupt, &mut self.guarded) {
                Err(Silence::TimedOut) => {
                    let used_before = thread_cpu_time();
                    // Also when the time is up: a limit that was exceeded meanwhile tells more than that.
                    if let Err(failure) = self.look(step) {
                        return Ok(Err(failure));
                    }
                    if until == deadline {
                        return Err(Silence::TimedOut);
                    }
                    next_look = Instant::now() + pause_after(thread_cpu_time().saturating_sub(used_before));
                }
                Err(silence) => return Err(silence),
                Ok(line) => return Ok(Ok(line)),
            }
        }
    }

    /// Whether the trial keeps within its limits.
    fn look(&self, step: &'static str) -> Result<(), TrialFailure> {
        // Listing processes takes its time.
        match self.limits {
            Some(_) => self.look_at(&self.processes(), step),
            None => Ok(()),
        }
    }

    /// Whether these, which are the processes of the trial, keep within its limits.
    ///
    /// # Errors
    /// Which limit they exceed.
    pub fn look_at(&self, processes: &[i32], step: &'static str) -> Result<(), TrialFailure> {
        let Some(limits) = self.limits else { return Ok(()) };
        if processes.len() > usize::try_from(limits.processes).unwrap_or(usize::MAX) {
            return Err(TrialFailure::TooManyProcesses {
                step,
                limit: limits.processes,
            });
        }
        match memory::more_than(limits.memory_bytes, processes) {
            None => Ok(()),
            Some(used_bytes) => Err(TrialFailure::TooMuchMemory {
                step,
                used_bytes,
                limit_bytes: limits.memory_bytes,
            }),
        }
    }

    fn failure(&mut self, silence: Silence, step: &'static str) -> TrialFailure {
        match silence {
            Silence::Ended => self.ended_during(step),
            Silence::TimedOut => TrialFailure::TimedOut {
                step,
                limit: self.step_limit,
                half_said: self.channel.has_begun(),
            },
            Silence::Interrupted => TrialFailure::Interrupted,
            Silence::TooLong => TrialFailure::Nonsense("it sent a message of several megabytes".to_owned()),
            Silence::TooMuchOutput => TrialFailure::TooMuchOutput {
                step,
                limit_bytes: self.limits.map_or(u64::MAX, |limits| limits.output_bytes),
            },
            Silence::System(errno) => TrialFailure::System(errno.to_string()),
        }
    }

    /// The worker's end of a pipe is closed: either it has ended, or it does something that no worker should.
    fn ended_during(&mut self, step: &'static str) -> TrialFailure {
        let ending = self.guarded.ending_within(DYING_LIMIT);
        if ending.is_none() && self.guarded.is_lost() {
            return TrialFailure::GuardLost { step };
        }
        TrialFailure::ended(step, ending)
    }

    /// Says what limit may be behind an error of Python.
    fn explained(&self, error: String) -> String {
        match self.limits {
            Some(limits) if error.starts_with("MemoryError") => format!(
                "{error}; the limit is {} for each process (--memory-limit)",
                units::bytes(limits.memory_bytes as f64)
            ),
            _ => error,
        }
    }
}

/// CPU time of this thread so far.
fn thread_cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

fn spawn<'run>(
    launch: &Launch,
    hash_seed: u32,
    bounds: &Bounds,
    interrupt: &'run Interrupt,
) -> Result<Session<'run>, NotStarted> {
    let (requests_read, requests_write) = io::pipe()?;
    let (replies_read, replies_write) = io::pipe()?;
    let (output_read, output_write) = io::pipe()?;
    let ends = WorkersEnds {
        requests: requests_read.into(),
        replies: replies_write.into(),
        output: output_write.into(),
    };
    let limits = bounds.guarding.limits;
    let output_limit = limits.map_or(u64::MAX, |limits| limits.output_bytes);
    Ok(Session {
        guarded: Guarded::start(&bounds.guarding, launch, hash_seed, ends)?,
        requests: File::from(OwnedFd::from(requests_write)),
        channel: Channel::new(replies_read.into(), output_read.into(), output_limit),
        interrupt,
        step_limit: bounds.step_limit,
        limits,
        driver_ns: 0,
    })
}
