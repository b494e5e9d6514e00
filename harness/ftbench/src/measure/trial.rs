//! Trials on real interpreters: one fresh process each, bound, timed, and gone before the next one starts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rustix::time::ClockId;

use super::binding;
use super::calibrate::{Calibration, Next};
use super::extra_threads;
use super::failure::TrialFailure;
use super::launch::Launches;
use super::protocol::{MeasuredShare, PROTOCOL_VERSION, Reply, Request, WorkerIdentity};
use super::rounds::{Assignment, TrialRunner, Unsuccessful};
use super::said;
use super::session::{Bounds, Session};
use super::stamps::{self, Span, clock_ns, monotonic_ns};
use crate::machine::bind::{Binder, last_seen_pu};
use crate::machine::cost::extra_threads::ModelThreads;
use crate::machine::memory;
use crate::machine::noise::{Meters, Observed, Watch};
use crate::process::guard::driver_side::Guarding;
use crate::process::interrupt::Interrupt;
use ftbench_schema::{
    ExtraThreads, PlannedCell, SCHEMA_VERSION, Sample, Settings, Share, Trial, TrialStatus, Worker,
};

/// Most bytes of traceback and output that a record keeps: where a worker and two processes of its pool were when the time
/// was up.
const LAST_WORDS_BYTES: usize = 8 << 10;

/// What reasons call the step.
const SAMPLE: &str = "a sample";

/// The hash seed while calibrating, when nothing is compared.
const CALIBRATION_HASH_SEED: u32 = 1;

/// Makes trials on this machine.
#[derive(Debug)]
pub struct RealRunner<'run> {
    /// How each cell's process is started.
    pub launches: Launches,
    /// How to measure.
    pub settings: Settings,
    /// Binds workers; `None` when nothing is pinned.
    pub binder: Option<Binder>,
    /// Tell what goes on around each sample, and what it costs.
    pub meters: Meters,
    /// How trials are guarded.
    pub guarding: Guarding,
    /// Tells when to stop.
    pub interrupt: &'run Interrupt,
    /// Why the system started no process for a trial. There are no further trials then, as if ftbench had been stopped.
    pub refused: Option<TrialFailure>,
}

impl TrialRunner for RealRunner<'_> {
    fn calibrate(&mut self, planned: &PlannedCell, worker_counts: &[u32]) -> Result<u64, Unsuccessful> {
        let mut session = self
            .start(planned, CALIBRATION_HASH_SEED)
            .map_err(|failure| Unsuccessful {
                failure,
                last_words: None,
            })?;
        self.calibrate_in(&mut session, planned, worker_counts)
            .map_err(|failure| {
                let last_words = last_words(&failure, &session.last_output(&failure));
                Unsuccessful { failure, last_words }
            })
    }

    fn run(&mut self, assignment: &Assignment<'_>) -> Option<Trial> {
        let launched = Instant::now();
        let mut trial = blank(assignment);
        let outcome = match self.start(assignment.planned, assignment.hash_seed) {
            Err(failure) => Err((failure, String::new())),
            Ok(mut session) => self
                .measure(&mut session, assignment, &mut trial)
                .map_err(|failure| {
                    let output = session.last_output(&failure);
                    (with_left_over(failure, session.left_over()), output)
                }),
        };
        if let Err((failure, output)) = outcome {
            if failure == TrialFailure::Interrupted || self.refused.is_some() {
                return None;
            }
            trial.status = failure.status();
            trial.reason = Some(failure.to_string());
            trial.last_words = last_words(&failure, &output);
        }
        trial.duration_ns = nanoseconds(launched.elapsed());
        Some(trial)
    }

    fn is_interrupted(&self) -> bool {
        self.interrupt.is_asked() || self.refused.is_some()
    }
}

impl<'run> RealRunner<'run> {
    fn start(&mut self, planned: &PlannedCell, hash_seed: u32) -> Result<Session<'run>, TrialFailure> {
        let launch = self
            .launches
            .of(&planned.cell)
            .map_err(TrialFailure::Unavailable)?;
        let bounds = Bounds {
            guarding: self.guarding.clone(),
            step_limit: Duration::from_secs_f64(self.settings.step_time_limit_s),
        };
        let started = Session::start(launch, hash_seed, &bounds, self.interrupt);
        if let Err(refused @ TrialFailure::NoProcess(_)) = &started {
            self.refused = Some(refused.clone());
        }
        started
    }

    fn measure(
        &self,
        session: &mut Session<'run>,
        assignment: &Assignment<'_>,
        trial: &mut Trial,
    ) -> Result<(), TrialFailure> {
        let planned = assignment.planned;
        session.greet()?;
        // While it has a single thread: those that it starts later inherit the counters.
        let counters = self.meters.counters_of(session.process_id());
        binding::bind_process(self.binder.as_ref(), session.process_id(), &planned.placement)?;
        let ready = self.prepare(session, planned, assignment.units)?;
        trial.gil_enabled = Some(ready.gil_enabled);
        trial.gil_enabled_by = ready.gil_enabled_by;
        trial.startup_ns = Some(ready.startup_ns);
        trial.start_method = ready.start_method;
        let binder = self.binder.as_ref();
        trial.workers =
            binding::bind_workers(binder, session.process_id(), &planned.placement, &ready.workers)?;
        let mut process_ids = session.processes();
        let mut watch = self
            .meters
            .watch(process_ids.clone(), &planned.placement, counters);
        if !planned.cell.is_native() {
            let workers = ready.workers.iter();
            let workers = workers.map(|worker| (worker.process_id, worker.thread_id));
            watch.count_extra_threads(ModelThreads::new(session.process_id(), workers));
        }
        trial.extra_threads = extra_threads::before_work(&watch);
        let samples = self.settings.warmups + self.settings.samples;
        for number in 0..samples {
            let is_warmup = number < self.settings.warmups;
            let looks = trial.extra_threads.as_mut().filter(|_| is_warmup);
            let (taken, observed) = watched_sample(session, number, &mut watch, looks)?;
            trial.gil_enabled_by = trial.gil_enabled_by.take().or(taken.gil_enabled_by.clone());
            let sample = self.recorded(taken, number, &trial.workers)?;
            trial.samples.push(Sample {
                noise: Some(observed.noise),
                cost: Some(observed.cost),
                ..sample
            });
            match &mut trial.extra_threads {
                Some(_) if is_warmup => watch.include_started(&session.processes()),
                Some(extra) => extra_threads::add_sample(extra, observed.extra_cpu_time_ns),
                None => {}
            }
            if number + 1 == samples {
                // The workload may have started processes meanwhile, in samples too short to be looked at.
                process_ids = session.processes();
                session.look_at(&process_ids, SAMPLE)?;
            }
            // Memory that the system does not tell is unknown, which is no reason to lose the times.
            if let Ok(reading) = memory::of_processes(&process_ids) {
                trial.memory = Some(memory::joined(trial.memory.take(), reading));
            }
        }
        session.finish()
    }

    fn prepare(
        &self,
        session: &mut Session<'run>,
        planned: &PlannedCell,
        units: u64,
    ) -> Result<Ready, TrialFailure> {
        let cell = &planned.cell;
        let launch = self.launches.of(cell).map_err(TrialFailure::Unavailable)?;
        let request = Request::Prepare {
            protocol: PROTOCOL_VERSION,
            workload: cell.workload.clone(),
            entry: launch.entry.clone(),
            model: cell.model,
            workers: cell.workers,
            units,
            scaling: self.settings.scaling,
        };
        match session.ask(&request, "import and set-up")? {
            Reply::Ready {
                gil_enabled,
                gil_enabled_by,
                startup_ns,
                start_method,
                workers,
            } => {
                if workers.len() != usize::try_from(cell.workers).unwrap_or(usize::MAX) {
                    let reason = format!("{} of {} workers are ready", workers.len(), cell.workers);
                    return Err(TrialFailure::Nonsense(reason));
                }
                Ok(Ready {
                    gil_enabled,
                    gil_enabled_by: gil_enabled_by.map(said::name),
                    startup_ns,
                    start_method: start_method.map(said::name),
                    workers,
                })
            }
            other => Err(said::unexpected(&other, "'ready'")),
        }
    }

    fn recorded(&self, taken: Taken, number: u32, workers: &[Worker]) -> Result<Sample, TrialFailure> {
        let mut shares = Vec::with_capacity(taken.shares.len());
        for (index, share) in taken.shares.iter().enumerate() {
            let worker = binding::worker_of(share, index, workers).ok_or_else(|| {
                TrialFailure::Nonsense(format!("thread {} is none of its workers", share.thread_id))
            })?;
            shares.push((worker, share));
        }
        if shares.len() != workers.len() {
            return Err(TrialFailure::Nonsense("a sample with shares missing".to_owned()));
        }
        let shares: Vec<(Share, bool)> = shares
            .into_iter()
            .map(|(worker, share)| {
                let pu = last_seen_pu(share.process_id, share.thread_id);
                let elsewhere =
                    pu.is_some_and(|pu| !worker.bound_to.is_empty() && !worker.bound_to.contains(&pu));
                let MeasuredShare { start_ns, end_ns, .. } = *share;
                (
                    Share {
                        worker: worker.worker,
                        start_ns,
                        end_ns,
                        pu,
                    },
                    elsewhere,
                )
            })
            .collect();
        Ok(Sample {
            sample: number,
            warmup: number < self.settings.warmups,
            start_ns: taken.start_ns,
            end_ns: taken.end_ns,
            gil_enabled: taken.gil_enabled,
            moved: shares.iter().any(|(_, elsewhere)| *elsewhere),
            shares: shares.into_iter().map(|(share, _)| share).collect(),
            reported: taken.reported,
            noise: None,
            cost: None,
        })
    }

    fn calibrate_in(
        &self,
        session: &mut Session<'run>,
        planned: &PlannedCell,
        worker_counts: &[u32],
    ) -> Result<u64, TrialFailure> {
        session.greet()?;
        binding::bind_process(self.binder.as_ref(), session.process_id(), &planned.placement)?;
        let target_ns = nanoseconds(Duration::from_secs_f64(self.settings.target_sample_s));
        let mut calibration = Calibration::new(target_ns, worker_counts);
        let mut next = calibration.first();
        loop {
            match next {
                Next::Use(units) => return session.finish().map(|()| units),
                Next::Hopeless => {
                    return Err(TrialFailure::Nonsense(
                        "no number of units makes it last; does 'work' use its 'units'?".to_owned(),
                    ));
                }
                Next::Try(units) => {
                    self.prepare(session, planned, units)?;
                    let taken = take_sample(session, 0)?;
                    next = calibration.took(taken.end_ns.saturating_sub(taken.start_ns));
                }
            }
        }
    }
}

/// The `ready` reply.
struct Ready {
    gil_enabled: bool,
    gil_enabled_by: Option<String>,
    startup_ns: u64,
    start_method: Option<String>,
    workers: Vec<WorkerIdentity>,
}

/// The `sample` reply.
struct Taken {
    start_ns: u64,
    end_ns: u64,
    gil_enabled: bool,
    gil_enabled_by: Option<String>,
    shares: Vec<MeasuredShare>,
    reported: BTreeMap<String, f64>,
}

/// Says so when a failed trial leaves processes behind that nothing ends: they will be in the way of those to come.
fn with_left_over(failure: TrialFailure, left: &[i32]) -> TrialFailure {
    if left.is_empty() || failure == TrialFailure::Interrupted {
        failure
    } else {
        TrialFailure::LeftOver(left.to_vec())
    }
}

/// Takes a sample and looks at the machine right before and right after it.
fn watched_sample(
    session: &mut Session<'_>,
    number: u32,
    watch: &mut Watch<'_>,
    looks: Option<&mut ExtraThreads>,
) -> Result<(Taken, Observed), TrialFailure> {
    let before = watch.before();
    let driver_before_ns = clock_ns(ClockId::ProcessCPUTime);
    let taken = match looks {
        Some(looks) => extra_threads::looking(watch, looks, || take_sample(session, number)),
        None => take_sample(session, number),
    }?;
    let driver_ns = clock_ns(ClockId::ProcessCPUTime).saturating_sub(driver_before_ns);
    let mut observed = watch.since(&before);
    observed.noise.driver_ns = Some(driver_ns);
    Ok((taken, observed))
}

fn take_sample(session: &mut Session<'_>, number: u32) -> Result<Taken, TrialFailure> {
    let asked_ns = monotonic_ns();
    let reply = session.ask(&Request::Sample { sample: number }, SAMPLE)?;
    let waited = Span {
        start_ns: asked_ns,
        end_ns: monotonic_ns(),
    };
    match reply {
        Reply::Sample {
            sample,
            start_ns,
            end_ns,
            gil_enabled,
            gil_enabled_by,
            shares,
            reported,
        } if sample == number => {
            stamps::check(waited, Span { start_ns, end_ns }, &shares).map_err(TrialFailure::Nonsense)?;
            Ok(Taken {
                start_ns,
                end_ns,
                gil_enabled,
                gil_enabled_by: gil_enabled_by.map(said::name),
                shares,
                reported,
            })
        }
        other => Err(said::unexpected(&other, &format!("sample {number}"))),
    }
}

fn blank(assignment: &Assignment<'_>) -> Trial {
    Trial {
        schema: SCHEMA_VERSION,
        trial: assignment.trial,
        round: assignment.round,
        cell: assignment.planned.cell.clone(),
        placement: assignment.planned.placement.clone(),
        units: assignment.units,
        started_at: jiff::Timestamp::now().to_string(),
        duration_ns: 0,
        hash_seed: assignment.hash_seed,
        status: TrialStatus::Ok,
        reason: None,
        last_words: None,
        gil_enabled: None,
        gil_enabled_by: None,
        start_method: None,
        startup_ns: None,
        workers: Vec::new(),
        samples: Vec::new(),
        memory: None,
        extra_threads: None,
    }
}

/// The end of the traceback, or of what was printed where there is none.
fn last_words(failure: &TrialFailure, output: &str) -> Option<String> {
    let words = if failure.traceback().is_empty() {
        output
    } else {
        failure.traceback()
    };
    let words = words.trim();
    let mut start = words.len().saturating_sub(LAST_WORDS_BYTES);
    while !words.is_char_boundary(start) {
        start += 1;
    }
    let end = words.get(start..).unwrap_or_default();
    (!end.is_empty()).then(|| end.to_owned())
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
