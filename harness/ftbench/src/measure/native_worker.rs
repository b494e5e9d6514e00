//! The worker of the ceiling's cells: threads of this program itself that run a native kernel.
//!
//! It answers the messages of [`super::protocol`] as the Python worker does. It distributes work as a
//! `ThreadPoolExecutor` would: to threads that already exist and wait, one share each, which send back their results. A
//! makespan, a share and a binding therefore mean the same in its records.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use super::protocol::{MeasuredShare, PROTOCOL_VERSION, Reply, Request, WorkerIdentity};
use super::stamps::monotonic_ns;
use crate::machine::cache;
use crate::native::{Workspace, WrongResult};
use ftbench_schema::{Kernel, Scaling, TrialStatus};

/// Size of all workers' arrays together, as a multiple of the last-level caches that they run under: large enough that
/// little of an array is still cached when it is needed again. STREAM requires this multiple for each array; here it
/// holds for all of them, because the fresh process of every trial has to write to them before its first sample.
const CACHE_MULTIPLE: u64 = 4;

/// Size of the caches that is assumed where the system does not report it, bytes: as on most servers.
const DEFAULT_CACHE_BYTES: u64 = 64 << 20;

/// Answers requests until the driver finishes or is gone.
///
/// # Errors
/// When the channel cannot be read or written.
pub fn serve(kernel: Kernel, requests: impl BufRead, mut replies: impl Write) -> io::Result<()> {
    let mut trial = Trial { kernel, pool: None };
    send(
        &mut replies,
        &Reply::Hello {
            protocol: PROTOCOL_VERSION,
            process_id: process_id(),
            python: String::new(),
            gil_enabled: false,
        },
    )?;
    for line in requests.lines() {
        let reply = match serde_json::from_str(&line?) {
            Ok(request) => trial.answer(&request),
            Err(error) => failed("start", TrialStatus::Failed, &error),
        };
        send(&mut replies, &reply)?;
        if matches!(reply, Reply::Finished { .. } | Reply::Failed { .. }) {
            break;
        }
    }
    Ok(())
}

fn send(replies: &mut impl Write, reply: &Reply) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    replies.write_all(&line)?;
    replies.flush()
}

fn failed(step: &str, status: TrialStatus, error: &dyn std::fmt::Display) -> Reply {
    Reply::Failed {
        step: step.to_owned(),
        status,
        error: error.to_string(),
        traceback: String::new(),
    }
}

struct Trial {
    kernel: Kernel,
    pool: Option<Pool>,
}

impl Trial {
    fn answer(&mut self, request: &Request) -> Reply {
        match *request {
            Request::Prepare {
                protocol,
                workers,
                units,
                scaling,
                ..
            } => {
                if protocol != PROTOCOL_VERSION {
                    let error =
                        format!("the driver speaks protocol {protocol}, the worker {PROTOCOL_VERSION}");
                    return failed("start", TrialStatus::Failed, &error);
                }
                self.prepare(split_units(units, workers, scaling))
            }
            Request::Sample { sample } => self.sample(sample),
            Request::OpenSampler { .. }
            | Request::SetSampling { .. }
            | Request::SaveSamples
            | Request::Resolve { .. } => {
                failed("start", TrialStatus::Failed, &"a native worker has no sampler")
            }
            Request::Finish => {
                self.pool = None;
                Reply::Finished {
                    thread_pools: Vec::new(),
                }
            }
        }
    }

    fn prepare(&mut self, units_by_worker: Vec<u64>) -> Reply {
        self.pool = None;
        let start_ns = monotonic_ns();
        let pool = match Pool::start(self.kernel, units_by_worker) {
            Ok(pool) => pool,
            Err(error) => return failed("start", TrialStatus::Failed, &error),
        };
        let startup_ns = monotonic_ns().saturating_sub(start_ns);
        let workers = pool.workers.iter().map(|worker| worker.identity).collect();
        self.pool = Some(pool);
        Reply::Ready {
            gil_enabled: false,
            gil_enabled_by: None,
            startup_ns,
            start_method: None,
            import_ns: None,
            import_threads: None,
            workers,
        }
    }

    fn sample(&mut self, sample: u32) -> Reply {
        let Some(pool) = &mut self.pool else {
            return failed(
                "start",
                TrialStatus::Failed,
                &"the driver asked for a sample before it sent 'prepare'",
            );
        };
        let taken = match pool.take_sample() {
            Ok(taken) => taken,
            Err(error) => return failed("work", TrialStatus::Failed, &error),
        };
        if let Some(wrong) = taken.shares.iter().find_map(|share| share.result.as_ref().err()) {
            return failed("check", TrialStatus::WrongResult, wrong);
        }
        Reply::Sample {
            sample,
            start_ns: taken.start_ns,
            end_ns: taken.end_ns,
            gil_enabled: false,
            gil_enabled_by: None,
            collections: None,
            collection_ns: None,
            longest_collection_ns: None,
            shares: taken.shares.iter().map(|share| share.measured).collect(),
            reported: BTreeMap::new(),
        }
    }
}

/// The units of each worker, split as the Python worker does: as evenly as possible, with one more for the first
/// workers.
fn split_units(units: u64, workers: u32, scaling: Scaling) -> Vec<u64> {
    let count = u64::from(workers);
    (0..count)
        .map(|worker| match scaling {
            Scaling::Strong => units / count + u64::from(worker < units % count),
            Scaling::Weak => units,
        })
        .collect()
}

/// An order to a thread.
enum Order {
    /// Make a workspace with this much memory, bytes.
    SetUp(u64),
    /// Do this many units of work.
    Work(u64),
}

/// A thread's answer when it has started or carried out an order.
enum Answer {
    Started { worker: usize, thread_id: i32 },
    SetUp,
    Worked { worker: usize, share: Share },
}

struct Share {
    measured: MeasuredShare,
    result: Result<(), WrongResult>,
}

/// One sample as it was taken.
struct TakenSample {
    start_ns: u64,
    end_ns: u64,
    /// In the order of the workers.
    shares: Vec<Share>,
}

struct PoolWorker {
    identity: WorkerIdentity,
    orders: Sender<Order>,
    thread: Option<JoinHandle<()>>,
    units: u64,
}

/// Threads that wait for work. Dropping the pool ends them.
struct Pool {
    kernel: Kernel,
    workers: Vec<PoolWorker>,
    answers: Receiver<Answer>,
    is_set_up: bool,
}

impl Pool {
    /// Starts one thread for each share, and waits until every one has reported.
    fn start(kernel: Kernel, units_by_worker: Vec<u64>) -> io::Result<Self> {
        let (answer, answers) = channel();
        let process_id = process_id();
        let mut workers = Vec::with_capacity(units_by_worker.len());
        for (number, units) in units_by_worker.into_iter().enumerate() {
            let (orders, orders_of_thread) = channel();
            let answer = answer.clone();
            let thread = Builder::new()
                .name(format!("worker {number}"))
                .spawn(move || run_thread(number, kernel, &orders_of_thread, &answer))?;
            workers.push(PoolWorker {
                identity: WorkerIdentity {
                    process_id,
                    thread_id: 0,
                },
                orders,
                thread: Some(thread),
                units,
            });
        }
        let mut pool = Self {
            kernel,
            workers,
            answers,
            is_set_up: false,
        };
        for _ in 0..pool.workers.len() {
            if let Answer::Started { worker, thread_id } = pool.next_answer()?
                && let Some(worker) = pool.workers.get_mut(worker)
            {
                worker.identity.thread_id = thread_id;
            }
        }
        Ok(pool)
    }

    /// Takes a sample.
    fn take_sample(&mut self) -> io::Result<TakenSample> {
        self.set_up()?;
        let mut done: Vec<(usize, Share)> = Vec::with_capacity(self.workers.len());
        let start_ns = monotonic_ns();
        for worker in &self.workers {
            worker
                .orders
                .send(Order::Work(worker.units))
                .map_err(|_| thread_is_gone())?;
        }
        while done.len() < self.workers.len() {
            if let Answer::Worked { worker, share } = self.next_answer()? {
                done.push((worker, share));
            }
        }
        let end_ns = monotonic_ns();
        done.sort_by_key(|(worker, _)| *worker);
        Ok(TakenSample {
            start_ns,
            end_ns,
            shares: done.into_iter().map(|(_, share)| share).collect(),
        })
    }

    /// Has every thread make its workspace. This comes before the first sample rather than at the start, because only
    /// now are the threads bound, and memory is taken from the NUMA node of the thread that first writes to it.
    fn set_up(&mut self) -> io::Result<()> {
        if self.is_set_up {
            return Ok(());
        }
        let memory_bytes = match self.kernel {
            Kernel::MemoryBandwidth => self.memory_bytes(),
            Kernel::Integer | Kernel::FloatingPoint => 0,
        };
        for worker in &self.workers {
            worker
                .orders
                .send(Order::SetUp(memory_bytes))
                .map_err(|_| thread_is_gone())?;
        }
        for _ in 0..self.workers.len() {
            self.next_answer()?;
        }
        self.is_set_up = true;
        Ok(())
    }

    /// Memory of each worker, bytes.
    fn memory_bytes(&self) -> u64 {
        let caches = cache::last_level_bytes(&own_pus()).unwrap_or(DEFAULT_CACHE_BYTES);
        let workers = u64::try_from(self.workers.len()).unwrap_or(u64::MAX);
        caches.saturating_mul(CACHE_MULTIPLE).div_ceil(workers.max(1))
    }

    fn next_answer(&self) -> io::Result<Answer> {
        self.answers.recv().map_err(|_| thread_is_gone())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for worker in self.workers.drain(..) {
            // The thread ends when the channel of its orders closes.
            drop(worker.orders);
            if let Some(thread) = worker.thread {
                let _ = thread.join();
            }
        }
    }
}

fn thread_is_gone() -> io::Error {
    io::Error::other("a native thread ended unexpectedly")
}

/// Runs one thread: reports that it has started, then carries out orders until there are no more.
fn run_thread(worker: usize, kernel: Kernel, orders: &Receiver<Order>, answers: &Sender<Answer>) {
    let thread_id = rustix::thread::gettid().as_raw_nonzero().get();
    let mut workspace = None;
    let mut answer = Answer::Started { worker, thread_id };
    while answers.send(answer).is_ok() {
        answer = match orders.recv() {
            Ok(Order::SetUp(memory_bytes)) => {
                workspace = Some(Workspace::new(kernel, memory_bytes));
                Answer::SetUp
            }
            Ok(Order::Work(units)) => {
                let Some(workspace) = &mut workspace else { return };
                let start_ns = monotonic_ns();
                let result = workspace.work(units);
                let end_ns = monotonic_ns();
                let measured = MeasuredShare {
                    process_id: process_id(),
                    thread_id,
                    start_ns,
                    end_ns,
                };
                Answer::Worked {
                    worker,
                    share: Share { measured, result },
                }
            }
            Err(_) => return,
        };
    }
}

fn process_id() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

/// The PUs that this thread may run on; empty where the system does not report them.
fn own_pus() -> Vec<u32> {
    let Ok(set) = rustix::thread::sched_getaffinity(None) else {
        return Vec::new();
    };
    (0..rustix::thread::CpuSet::MAX_CPU)
        .filter(|&pu| set.is_set(pu))
        .filter_map(|pu| u32::try_from(pu).ok())
        .collect()
}

#[cfg(test)]
#[path = "native_worker_tests.rs"]
mod tests;
