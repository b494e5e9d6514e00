//! One trial on a real interpreter, from its launch to the record: a fresh process, bound, timed sample by sample, and gone
//! when it is over.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::binding;
use super::calibrate::{Calibration, Next};
use super::extra_threads;
use super::failure::TrialFailure;
use super::launch::Launches;
use super::protocol::{MeasuredShare, PROTOCOL_VERSION, Reply, Request, WorkerIdentity};
use super::rounds::{Assignment, Unsuccessful};
use super::said;
use super::session::{Bounds, Session};
use super::stamps::{self, Span, monotonic_ns};
use crate::machine::bind::{Binder, last_seen_pu};
use crate::machine::cost::extra_threads::ModelThreads;
use crate::machine::cost::processes::{cpu_time_between, cpu_times_ns};
use crate::machine::memory;
use crate::machine::noise::{Meters, Observed, Watch};
use crate::process::guard::driver_side::Guarding;
use crate::process::interrupt::Interrupt;
use ftbench_schema::{
    Memory, PlannedCell, SCHEMA_VERSION, Sample, Settings, Share, Trial, TrialStatus, Turn, Worker,
};

/// Most bytes of traceback and output that a record keeps: where a worker and two processes of its pool were when the time
/// was up.
const LAST_WORDS_BYTES: usize = 8 << 10;

/// What reasons call the step.
const SAMPLE: &str = "a sample";

/// Share of a trial's time in samples that may be spent on reading memory and what goes on around them: some thirty files of
/// /proc, 1 to 5 ms on a virtual machine with 2 cores.
const WATCHING_SHARE: f64 = 0.03;

/// However long that takes, no more samples than this are left unwatched before the next one that is.
const MOST_UNWATCHED: u32 = 49;

/// CPU time that a trial may use between two of its samples: 1 ms, which going to sleep takes on a slow machine, and a tenth
/// of the time that passes.
const WAITING_CPU_NS: u64 = 1_000_000;
const WAITING_CPU_PART: u64 = 10;

/// A trial is ended after so many pauses in a row in which it used more. In a single one, time that the hypervisor took may have
/// been counted as its own.
const PAUSES_TO_END: u32 = 2;

/// Warm-up samples are no more than this, however short they are.
const MOST_WARMUPS: u32 = 1000;

/// The hash seed while calibrating, when nothing is compared.
const CALIBRATION_HASH_SEED: u32 = 1;

/// What trials are made with.
#[derive(Debug)]
pub struct Equipment<'run> {
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
}

/// A trial that is under way, or over.
#[derive(Debug)]
pub(super) struct LiveTrial<'e> {
    equipment: &'e Equipment<'e>,
    launched: Instant,
    record: Trial,
    /// `None` once it is over.
    worker: Option<LiveWorker<'e>>,
}

/// A worker that is ready for samples.
#[derive(Debug)]
struct LiveWorker<'e> {
    session: Session<'e>,
    process_ids: Vec<i32>,
    watch: Watch<'e>,
    /// CPU time of its processes when its last sample was over, and when that was.
    at_rest: (Instant, Vec<Option<u64>>),
    /// Pauses before this sample, in a row, in which it used too much of it.
    busy_pauses: u32,
    /// Samples to be taken before the next one that is watched.
    unwatched: u32,
}

impl<'e> LiveTrial<'e> {
    /// Launches and prepares a trial, binds its workers and warms them up; one that goes wrong is over.
    ///
    /// # Errors
    /// When a stop was requested, or the system starts no process.
    pub(super) fn start(
        equipment: &'e Equipment<'e>,
        assignment: &Assignment<'_>,
    ) -> Result<Self, TrialFailure> {
        let mut trial = Self {
            equipment,
            launched: Instant::now(),
            record: blank(assignment),
            worker: None,
        };
        match equipment.start(assignment.planned, assignment.hash_seed) {
            Err(refused @ TrialFailure::NoProcess(_)) => return Err(refused),
            Err(failure) => trial.fail(&failure, String::new())?,
            Ok(mut session) => match trial.prepare(&mut session, assignment) {
                Ok((process_ids, watch)) => {
                    trial.worker = Some(LiveWorker {
                        session,
                        process_ids,
                        watch,
                        at_rest: (Instant::now(), Vec::new()),
                        busy_pauses: 0,
                        unwatched: 0,
                    });
                    trial.warm_up()?;
                    if let Some(worker) = &trial.worker {
                        worker.read_memory(&mut trial.record);
                    }
                }
                Err(failure) => trial.fail_in(session, failure)?,
            },
        }
        Ok(trial)
    }

    /// Whether further samples can be taken.
    pub(super) const fn is_alive(&self) -> bool {
        self.worker.is_some()
    }

    fn prepare(
        &mut self,
        session: &mut Session<'e>,
        assignment: &Assignment<'_>,
    ) -> Result<(Vec<i32>, Watch<'e>), TrialFailure> {
        let Equipment { meters, binder, .. } = self.equipment;
        let (planned, binder) = (assignment.planned, binder.as_ref());
        session.greet()?;
        // While it has a single thread: those that it starts later inherit the counters.
        let counters = meters.counters_of(session.process_id());
        binding::bind_process(binder, session.process_id(), &planned.placement)?;
        let ready = self.equipment.prepare(session, planned, assignment.units)?;
        let record = &mut self.record;
        record.gil_enabled = Some(ready.gil_enabled);
        record.gil_enabled_by = ready.gil_enabled_by;
        record.startup_ns = Some(ready.startup_ns);
        record.start_method = ready.start_method;
        record.workers =
            binding::bind_workers(binder, session.process_id(), &planned.placement, &ready.workers)?;
        let process_ids = session.processes();
        let mut watch = meters.watch(process_ids.clone(), &planned.placement, counters);
        if !planned.cell.is_native() {
            let workers = ready.workers.iter();
            let workers = workers.map(|worker| (worker.process_id, worker.thread_id));
            watch.count_extra_threads(ModelThreads::new(session.process_id(), workers));
        }
        record.extra_threads = extra_threads::before_work(&watch);
        Ok((process_ids, watch))
    }

    fn warm_up(&mut self) -> Result<(), TrialFailure> {
        let settings = &self.equipment.settings;
        let enough = Duration::try_from_secs_f64(settings.warmup_s).unwrap_or_default();
        let mut taken_ns = 0_u64;
        for number in 0..settings.warmups.max(MOST_WARMUPS) {
            if !self.is_alive() || (number >= settings.warmups && taken_ns >= nanoseconds(enough)) {
                break;
            }
            self.sample(None, None)?;
            let last = self.record.samples.last();
            taken_ns = taken_ns.saturating_add(last.map_or(0, Sample::makespan_ns));
        }
        Ok(())
    }

    /// Memory of its processes when they were last looked at, bytes; what they share counts for each.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.record.memory.as_ref().map_or(0, Memory::rss_peak_bytes)
    }

    /// CPU time that it used while it waited for its turn, nanoseconds, when that was so much that it was ended.
    pub(super) const fn waiting_cpu_ns(&self) -> Option<u64> {
        self.record.waiting_cpu_ns
    }

    /// Takes a counted sample. A trial that goes on computing while others have their turns is ended instead.
    ///
    /// # Errors
    /// When a stop was requested.
    pub(super) fn take_sample(&mut self, sweep: u32, position: Option<u32>) -> Result<(), TrialFailure> {
        let turn = position.map(|position| Turn { sweep, position });
        let waiting = self.worker.as_mut().filter(|_| turn.is_some());
        self.record.waiting_cpu_ns = waiting.and_then(LiveWorker::too_much_cpu_ns);
        if self.record.waiting_cpu_ns.is_some() {
            self.worker = None;
            return Ok(());
        }
        self.sample(turn, Some(sweep / self.equipment.settings.window.max(1)))
    }

    /// A sample of the sweep that has just been broken off stands alone: there will be another one.
    pub(super) fn forget_turn(&mut self, sweep: u32) {
        let last = self.record.samples.last_mut();
        if let Some(last) = last.filter(|last| last.turn.is_some_and(|turn| turn.sweep == sweep)) {
            last.turn = None;
        }
    }

    /// Takes a sample; a warm-up belongs to no window.
    fn sample(&mut self, turn: Option<Turn>, window: Option<u32>) -> Result<(), TrialFailure> {
        let Some(mut worker) = self.worker.take() else {
            return Ok(());
        };
        match worker.sample(&mut self.record, turn, window) {
            Ok(()) => {
                self.worker = Some(worker);
                Ok(())
            }
            Err(failure) => self.fail_in(worker.session, failure),
        }
    }

    /// Lets the workers go, and returns the record.
    ///
    /// # Errors
    /// When a stop was requested.
    pub(super) fn finish(mut self) -> Result<Trial, TrialFailure> {
        if let Some(mut worker) = self.worker.take() {
            if let Err(failure) = worker.finish(&mut self.record) {
                self.fail_in(worker.session, failure)?;
            }
            self.record.duration_ns = nanoseconds(self.launched.elapsed());
        }
        Ok(self.record)
    }

    fn fail_in(&mut self, mut session: Session<'e>, failure: TrialFailure) -> Result<(), TrialFailure> {
        let output = session.last_output(&failure);
        let failure = with_left_over(failure, session.left_over());
        self.fail(&failure, output)
    }

    /// It is over. An interrupt is no fault of the trial's.
    fn fail(&mut self, failure: &TrialFailure, output: String) -> Result<(), TrialFailure> {
        if *failure == TrialFailure::Interrupted {
            return Err(failure.clone());
        }
        self.record.status = failure.status();
        self.record.reason = Some(failure.to_string());
        self.record.last_words = last_words(failure, &output);
        self.record.duration_ns = nanoseconds(self.launched.elapsed());
        Ok(())
    }
}

impl LiveWorker<'_> {
    fn sample(
        &mut self,
        record: &mut Trial,
        turn: Option<Turn>,
        window: Option<u32>,
    ) -> Result<(), TrialFailure> {
        let warmup = window.is_none();
        let number = u32::try_from(record.samples.len()).unwrap_or(u32::MAX);
        let mut observed = None;
        let taken = match &mut record.extra_threads {
            Some(found) if warmup => {
                let taken =
                    extra_threads::looking(&self.watch, found, || take_sample(&mut self.session, number))?;
                self.watch.include_started(&self.session.processes());
                taken
            }
            _ if warmup || self.unwatched > 0 => {
                self.unwatched = self.unwatched.saturating_sub(1);
                take_sample(&mut self.session, number)?
            }
            extra_threads => {
                let (taken, seen, watching) = watched_sample(&mut self.session, number, &mut self.watch)?;
                if let Some(extra) = extra_threads {
                    extra_threads::add_sample(extra, seen.extra_cpu_time_ns);
                }
                observed = Some(seen);
                let begun = Instant::now();
                self.read_memory(record);
                self.unwatched = unwatched_after(watching + begun.elapsed(), taken.makespan_ns());
                taken
            }
        };
        record.gil_enabled_by = record.gil_enabled_by.take().or(taken.gil_enabled_by.clone());
        let sample = recorded(taken, number, &record.workers, observed.is_some())?;
        self.at_rest = (Instant::now(), cpu_times_ns(&self.process_ids));
        let (noise, cost) = observed.map(|seen| (seen.noise, seen.cost)).unzip();
        record.samples.push(Sample {
            turn,
            window,
            warmup,
            noise,
            cost,
            ..sample
        });
        Ok(())
    }

    /// CPU time since the last sample, nanoseconds, when that is more than a waiting trial may use, and was so before.
    fn too_much_cpu_ns(&mut self) -> Option<u64> {
        let (since, before) = &self.at_rest;
        let used_ns = cpu_time_between(before, &cpu_times_ns(&self.process_ids))?;
        let allowed_ns = WAITING_CPU_NS + nanoseconds(since.elapsed()) / WAITING_CPU_PART;
        self.busy_pauses = if used_ns > allowed_ns {
            self.busy_pauses + 1
        } else {
            0
        };
        (self.busy_pauses >= PAUSES_TO_END).then_some(used_ns)
    }

    /// Memory that the system does not report is unknown, which is no reason to lose the times.
    fn read_memory(&self, record: &mut Trial) {
        if let Ok(reading) = memory::of_processes(&self.process_ids) {
            record.memory = Some(memory::joined(record.memory.take(), reading));
        }
    }

    fn finish(&mut self, record: &mut Trial) -> Result<(), TrialFailure> {
        // The workload may have started processes meanwhile, in samples too short to be looked at.
        self.process_ids = self.session.processes();
        self.session.look_at(&self.process_ids, SAMPLE)?;
        self.read_memory(record);
        self.session.finish()
    }
}

impl<'run> Equipment<'run> {
    /// Memory that trials which are alive together may use, bytes: as much as one alone.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.settings
            .limits
            .map_or(u64::MAX, |limits| limits.memory_bytes)
    }

    /// Finds out how many units make a sample of the target length, in the given cell.
    ///
    /// # Errors
    /// Says why the cell cannot be timed, with the end of what it printed.
    pub(super) fn calibrate(
        &self,
        planned: &PlannedCell,
        worker_counts: &[u32],
    ) -> Result<u64, Unsuccessful> {
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

    fn start(&self, planned: &PlannedCell, hash_seed: u32) -> Result<Session<'run>, TrialFailure> {
        let launch = self
            .launches
            .of(&planned.cell)
            .map_err(TrialFailure::Unavailable)?;
        let bounds = Bounds {
            guarding: self.guarding.clone(),
            step_limit: Duration::from_secs_f64(self.settings.step_time_limit_s),
        };
        Session::start(launch, hash_seed, &bounds, self.interrupt)
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
                    next = calibration.took(taken.makespan_ns());
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
    collections: Option<u64>,
    shares: Vec<MeasuredShare>,
    reported: BTreeMap<String, f64>,
}

impl Taken {
    fn makespan_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }
}

/// Says so when a failed trial leaves processes behind that nothing ends: they will be in the way of those to come.
fn with_left_over(failure: TrialFailure, left: &[i32]) -> TrialFailure {
    if left.is_empty() || failure == TrialFailure::Interrupted {
        failure
    } else {
        TrialFailure::LeftOver(left.to_vec())
    }
}

/// Takes a sample and looks at the machine right before and right after it. The last value is the time that the looking took.
fn watched_sample(
    session: &mut Session<'_>,
    number: u32,
    watch: &mut Watch<'_>,
) -> Result<(Taken, Observed, Duration), TrialFailure> {
    let begun = Instant::now();
    let before = watch.before();
    let asked = Instant::now();
    let taken = take_sample(session, number)?;
    let answered = Instant::now();
    let mut observed = watch.since(&before);
    observed.noise.driver_ns = Some(session.driver_ns());
    let cost = asked.duration_since(begun) + answered.elapsed();
    Ok((taken, observed, cost))
}

/// How many samples of this length to take before the next one that is watched, so that watching takes no more than its
/// share.
fn unwatched_after(cost: Duration, makespan_ns: u64) -> u32 {
    let share = cost.as_nanos() as f64 / makespan_ns.max(1) as f64;
    // A cast saturates.
    ((share / WATCHING_SHARE).ceil() as u32)
        .saturating_sub(1)
        .min(MOST_UNWATCHED)
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
            collections,
            shares,
            reported,
        } if sample == number => {
            stamps::check(waited, Span { start_ns, end_ns }, &shares).map_err(TrialFailure::Nonsense)?;
            Ok(Taken {
                start_ns,
                end_ns,
                gil_enabled,
                gil_enabled_by: gil_enabled_by.map(said::name),
                collections,
                shares,
                reported,
            })
        }
        other => Err(said::unexpected(&other, &format!("sample {number}"))),
    }
}

/// A sample as it is recorded, but for what was seen around it.
fn recorded(taken: Taken, number: u32, workers: &[Worker], is_watched: bool) -> Result<Sample, TrialFailure> {
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
            let pu = is_watched
                .then(|| last_seen_pu(share.process_id, share.thread_id))
                .flatten();
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
        turn: None,
        window: None,
        warmup: false,
        start_ns: taken.start_ns,
        end_ns: taken.end_ns,
        gil_enabled: taken.gil_enabled,
        collections: taken.collections,
        moved: shares.iter().any(|(_, elsewhere)| *elsewhere),
        shares: shares.into_iter().map(|(share, _)| share).collect(),
        reported: taken.reported,
        noise: None,
        cost: None,
    })
}

fn blank(assignment: &Assignment<'_>) -> Trial {
    Trial {
        schema: SCHEMA_VERSION,
        trial: assignment.trial,
        round: assignment.round,
        group: None,
        waiting_cpu_ns: None,
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
