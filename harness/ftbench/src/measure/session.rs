//! A worker process and the conversation with it.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::channel::{Channel, NoReply};
use super::failure::TrialFailure;
use super::launch::Launch;
use super::protocol::{PROTOCOL_VERSION, Reply, Request};
use super::stamps::clock_ns;
use super::worker_text::{self, quoted, unexpected};
use crate::machine::memory;
use crate::process::guard::driver_side::{GuardOptions, GuardedWorker, NotStarted, WorkerPipes};
use crate::process::guard::guard_side::Ending;
use crate::process::interrupt::Interrupt;
use crate::process::limits::{FIRST_CHECK, pause_after};
use ftbench_schema::{Limits, ThreadPool, units};

/// How long after a worker failed a signal to this process may come that ended both. A batch system signals all processes
/// of a job, one after the other.
const SIGNALS_LIMIT: Duration = Duration::from_millis(50);

/// How long a worker that has closed its channel may take to end.
const EXIT_LIMIT: Duration = Duration::from_secs(1);

/// How long a worker that has timed out may take to write the stacks of its threads.
const STACKS_LIMIT: Duration = Duration::from_secs(5);

/// A started worker. Dropping it ends everything that it has started.
#[derive(Debug)]
pub struct Session<'run> {
    guarded: GuardedWorker,
    requests: File,
    channel: Channel,
    interrupt: &'run Interrupt,
    step_limit: Duration,
    limits: Option<Limits>,
    driver_ns: u64,
}

/// How a worker is started, and its limits.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// How its guard is started, and what it may use.
    pub guard_options: GuardOptions,
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
    /// When there is no valid greeting.
    pub fn greet(&mut self) -> Result<(), TrialFailure> {
        match self.receive("start-up")? {
            Reply::Hello {
                protocol: PROTOCOL_VERSION,
                ..
            } => Ok(()),
            Reply::Hello { protocol, .. } => Err(TrialFailure::ProtocolViolation(format!(
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

    /// Sends a request and waits for the reply; `step` says in words what the worker does meanwhile.
    ///
    /// # Errors
    /// When there is no reply in time, or it reports that the workload failed.
    pub fn ask(&mut self, request: &Request, step: &'static str) -> Result<Reply, TrialFailure> {
        if self.channel.has_unsolicited_reply() && !self.guarded.has_ended() {
            // The end of the worker looks the same until it is read.
            return Err(match self.receive(step) {
                Ok(reply) => TrialFailure::ProtocolViolation(format!(
                    "it answered before it was asked: {}",
                    worker_text::describe(&reply)
                )),
                Err(failure) => failure,
            });
        }
        let mut line = serde_json::to_vec(request)
            .map_err(|error| TrialFailure::ProtocolViolation(error.to_string()))?;
        line.push(b'\n');
        let before_ns = clock_ns(ClockId::ProcessCPUTime);
        if self.requests.write_all(&line).is_err() {
            return Err(self.ended_during(step));
        }
        let line = self.receive_line(step)?;
        self.driver_ns = clock_ns(ClockId::ProcessCPUTime).saturating_sub(before_ns);
        self.parse_reply(&line)
    }

    /// CPU time that ftbench used from sending the last request until the reply had arrived, nanoseconds.
    #[must_use]
    pub const fn driver_ns(&self) -> u64 {
        self.driver_ns
    }

    /// Asks the worker to finish, and waits until it and everything that it has started are gone. Returns the thread
    /// pools that it has reported.
    ///
    /// # Errors
    /// When it does not end in time and with exit status 0, or a process cannot be ended.
    pub fn finish(&mut self) -> Result<Vec<ThreadPool>, TrialFailure> {
        let thread_pools = match self.ask(&Request::Finish, "ending the workers")? {
            Reply::Finished { thread_pools } => worker_text::thread_pools(thread_pools),
            other => return Err(unexpected(&other, "'finished'")),
        };
        let ending = match self.try_receive_line("exit") {
            Ok(Ok(_)) => {
                return Err(TrialFailure::ProtocolViolation(
                    "it sent a message after 'finished'".to_owned(),
                ));
            }
            Ok(Err(failure)) => return Err(failure),
            Err(NoReply::Ended) => self.guarded.ending_within(self.step_limit),
            Err(no_reply) => return Err(self.failure(no_reply, "exit")),
        };
        let unkillable = self.guarded.end();
        if !unkillable.is_empty() {
            return Err(TrialFailure::Unkillable(unkillable.to_vec()));
        }
        match ending {
            Some(Ending {
                exit_status: Some(0), ..
            }) => Ok(thread_pools),
            ending => Err(TrialFailure::ended("exit", ending)),
        }
    }

    /// Ends everything after a failure, and returns the end of what was printed. A worker that has timed out first
    /// writes the stacks of its threads.
    pub fn last_output(&mut self, failure: &TrialFailure) -> String {
        let timed_out = matches!(failure, TrialFailure::TimedOut { .. });
        if timed_out && let Ok(never) = Interrupt::never() {
            self.guarded.abort();
            let deadline = Instant::now() + STACKS_LIMIT;
            self.channel.read_until_end(deadline, &never, &mut self.guarded);
        }
        self.guarded.end();
        let output = self.channel.last_output();
        if timed_out {
            worker_text::rewrite_stacks(&output)
        } else {
            output
        }
    }

    /// The module that switched the GIL on in the last program that the worker ran, if CPython's warning about it is at
    /// the end of what was printed. Call this while the worker waits for a request.
    pub fn gil_enabled_by_program(&mut self) -> Option<String> {
        worker_text::gil_enabled_by(&self.channel.last_output())
    }

    /// Ends everything, and returns the ids of the processes that could not be ended.
    pub fn end(&mut self) -> &[i32] {
        self.guarded.end()
    }

    fn receive(&mut self, step: &'static str) -> Result<Reply, TrialFailure> {
        let line = self.receive_line(step)?;
        self.parse_reply(&line)
    }

    fn receive_line(&mut self, step: &'static str) -> Result<Vec<u8>, TrialFailure> {
        match self.try_receive_line(step) {
            Ok(line) => line,
            Err(no_reply) => {
                let failure = self.failure(no_reply, step);
                Err(self.unless_interrupted(failure))
            }
        }
    }

    /// The failure, or an interrupt if that ended the worker or one of its processes.
    fn unless_interrupted(&self, failure: TrialFailure) -> TrialFailure {
        if self.interrupt.is_requested_within(SIGNALS_LIMIT) {
            TrialFailure::Interrupted
        } else {
            failure
        }
    }

    fn parse_reply(&self, line: &[u8]) -> Result<Reply, TrialFailure> {
        match serde_json::from_slice(line) {
            Ok(Reply::Failed {
                step,
                status,
                error,
                traceback,
            }) => Err(self.unless_interrupted(TrialFailure::Workload {
                step: worker_text::name(step),
                status,
                error: self.with_memory_limit(worker_text::error(error)),
                traceback,
            })),
            Ok(reply) => Ok(reply),
            Err(error) => Err(TrialFailure::ProtocolViolation(format!(
                "its answer is not a valid message ({}): {}",
                // serde_json quotes unknown words in full, however long they are.
                quoted(error.to_string().as_bytes()),
                quoted(line)
            ))),
        }
    }

    /// The next line, or why there is none. Once the step has lasted for a while, the limits are checked.
    fn try_receive_line(&mut self, step: &'static str) -> Result<Result<Vec<u8>, TrialFailure>, NoReply> {
        let begun = Instant::now();
        let deadline = begun + self.step_limit;
        let mut next_check = begun + FIRST_CHECK;
        loop {
            let until = deadline.min(next_check);
            match self.channel.receive(until, self.interrupt, &mut self.guarded) {
                Err(NoReply::TimedOut) => {
                    let used_before = thread_cpu_time();
                    // Also at the deadline: an exceeded limit is a better explanation than a timeout.
                    if let Err(failure) = self.check_limits(step) {
                        return Ok(Err(failure));
                    }
                    if until == deadline {
                        return Err(NoReply::TimedOut);
                    }
                    next_check = Instant::now() + pause_after(thread_cpu_time().saturating_sub(used_before));
                }
                Err(no_reply) => return Err(no_reply),
                Ok(line) => return Ok(Ok(line)),
            }
        }
    }

    /// Checks that the trial keeps within its limits.
    fn check_limits(&self, step: &'static str) -> Result<(), TrialFailure> {
        // Listing processes takes time, so it is left out without limits.
        match self.limits {
            Some(_) => self.check_limits_of(&self.processes(), step),
            None => Ok(()),
        }
    }

    /// Checks that these processes, which are those of the trial, keep within its limits.
    ///
    /// # Errors
    /// When they exceed a limit; the error names it.
    pub fn check_limits_of(&self, processes: &[i32], step: &'static str) -> Result<(), TrialFailure> {
        let Some(limits) = self.limits else { return Ok(()) };
        if processes.len() > usize::try_from(limits.processes).unwrap_or(usize::MAX) {
            return Err(TrialFailure::TooManyProcesses {
                step,
                limit: limits.processes,
            });
        }
        match memory::usage_above(limits.memory_bytes, processes) {
            None => Ok(()),
            Some(used_bytes) => Err(TrialFailure::TooMuchMemory {
                step,
                used_bytes,
                limit_bytes: limits.memory_bytes,
            }),
        }
    }

    fn failure(&mut self, no_reply: NoReply, step: &'static str) -> TrialFailure {
        match no_reply {
            NoReply::Ended => self.ended_during(step),
            NoReply::TimedOut => TrialFailure::TimedOut {
                step,
                limit: self.step_limit,
                has_partial_reply: self.channel.has_partial_reply(),
            },
            NoReply::Interrupted => TrialFailure::Interrupted,
            NoReply::TooLong => {
                TrialFailure::ProtocolViolation("it sent a message of several megabytes".to_owned())
            }
            NoReply::TooMuchOutput => TrialFailure::TooMuchOutput {
                step,
                limit_bytes: self.limits.map_or(u64::MAX, |limits| limits.output_bytes),
            },
            NoReply::System(errno) => TrialFailure::System(errno.to_string()),
        }
    }

    /// The failure of a worker whose end of a pipe is closed: it has ended, or it does something that no worker should.
    fn ended_during(&mut self, step: &'static str) -> TrialFailure {
        let ending = self.guarded.ending_within(EXIT_LIMIT);
        if ending.is_none() && self.guarded.is_lost() {
            return TrialFailure::GuardLost { step };
        }
        TrialFailure::ended(step, ending)
    }

    /// Adds the memory limit to a Python error that it may have caused.
    fn with_memory_limit(&self, error: String) -> String {
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
    let pipes = WorkerPipes {
        requests: requests_read.into(),
        replies: replies_write.into(),
        output: output_write.into(),
    };
    let limits = bounds.guard_options.limits;
    let output_limit = limits.map_or(u64::MAX, |limits| limits.output_bytes);
    Ok(Session {
        guarded: GuardedWorker::start(&bounds.guard_options, launch, hash_seed, pipes)?,
        requests: File::from(OwnedFd::from(requests_write)),
        channel: Channel::new(replies_read.into(), output_read.into(), output_limit),
        interrupt,
        step_limit: bounds.step_limit,
        limits,
        driver_ns: 0,
    })
}
