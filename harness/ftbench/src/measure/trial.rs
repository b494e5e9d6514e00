//! Runs one trial on a real interpreter, from launch to record: a fresh process, which is bound, timed sample by
//! sample, and ended.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::binding;
use super::calibrate::{self, Calibration, Next};
use super::extra_threads;
use super::failure::TrialFailure;
use super::launch::Launches;
use super::protocol::{MeasuredShare, PROTOCOL_VERSION, Reply, Request, WorkerIdentity};
use super::rounds::{Assignment, FailureWithOutput};
use super::session::{Bounds, Session};
use super::stamps::{self, Span, monotonic_ns};
use super::worker_text;
use crate::machine::bind::{Binder, last_seen_pu};
use crate::machine::cost::extra_threads::ModelThreads;
use crate::machine::cost::processes::{cpu_time_between, cpu_times_ns};
use crate::machine::memory::{self, Moment};
use crate::machine::noise::{Meters, Observed, Watch};
use crate::process::guard::driver_side::GuardOptions;
use crate::process::interrupt::Interrupt;
use ftbench_schema::{
    Cell, CommandFacts, Memory, Model, PlannedCell, SCHEMA_VERSION, Sample, Scaling, Settings, Share, Trial,
    TrialStatus, Turn, Worker,
};

/// Maximum length of a record's traceback or output, bytes.
const OUTPUT_TAIL_BYTES: usize = 8 << 10;

/// The same at a timeout: the stacks of a worker, its fork server, resource tracker and one process of its pool. Since 3.14
/// each of them also prints its C stack, about 4 KiB.
const STACKS_BYTES: usize = 16 << 10;

/// Name of the step in reasons.
pub(super) const SAMPLE_STEP: &str = "a sample";

/// Share of the time in samples that may be spent on reading memory and the activity around samples: about thirty files
/// of /proc, 1 to 5 ms on a virtual machine with 2 cores.
const WATCHING_SHARE: f64 = 0.03;

/// Maximum number of unwatched samples between two watched ones, however long watching takes.
const MAX_UNWATCHED: u32 = 49;

/// CPU time that a trial may use between two of its samples: 1 ms, which going to sleep takes on a slow machine, and a
/// tenth of the time that passes.
const WAITING_CPU_NS: u64 = 1_000_000;
const WAITING_CPU_PART: u64 = 10;

/// Consecutive pauses in which a trial used more than that, after which it is ended. In a single pause, time that the
/// hypervisor took may have been counted as the trial's.
const BUSY_PAUSES_TO_END: u32 = 2;

/// Maximum number of warm-up samples, however short they are.
const MAX_WARMUPS: u32 = 1000;

/// The hash seed of calibrations, whose times are not compared.
const CALIBRATION_HASH_SEED: u32 = 1;

/// Everything that is needed to run a trial.
#[derive(Debug)]
pub struct Equipment<'run> {
    /// How each cell's process is started.
    pub launches: Launches,
    /// How to measure.
    pub settings: Settings,
    /// Binds workers; `None` when nothing is pinned.
    pub binder: Option<Binder>,
    /// Measure the activity around each sample, and its cost.
    pub meters: Meters,
    /// How trials are guarded.
    pub guard_options: GuardOptions,
    /// Signals when to stop.
    pub interrupt: &'run Interrupt,
}

/// A trial that is running or over.
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
    /// When its last sample was over, and the CPU time of its processes then.
    last_sample_end: (Instant, Vec<Option<u64>>),
    /// Consecutive pauses before this sample in which it used too much CPU time.
    busy_pauses: u32,
    /// Samples to take before the next watched one.
    unwatched: u32,
    /// Whether it starts a program for each sample and nothing else.
    is_command: bool,
    /// Whether that program is the interpreter.
    runs_python: bool,
}

/// A trial whose process starts, and which is not ready for samples yet.
#[derive(Debug)]
pub(super) struct LaunchedTrial<'e> {
    trial: LiveTrial<'e>,
    /// `None` if it could not be started.
    session: Option<Session<'e>>,
}

impl<'e> LaunchedTrial<'e> {
    /// Launches the process of a trial, without waiting for it.
    ///
    /// # Errors
    /// When a stop was requested, or the system cannot start a process.
    pub(super) fn launch(
        equipment: &'e Equipment<'e>,
        assignment: &Assignment<'_>,
    ) -> Result<Self, TrialFailure> {
        let mut trial = LiveTrial {
            equipment,
            launched: Instant::now(),
            record: empty_record(assignment),
            worker: None,
        };
        let session = match equipment.start(assignment.planned, assignment.hash_seed) {
            Err(failure @ TrialFailure::NoProcess(_)) => return Err(failure),
            Err(failure) => {
                trial.fail(&failure, String::new())?;
                None
            }
            Ok(session) => Some(session),
        };
        Ok(Self { trial, session })
    }

    /// Waits for the process, prepares the trial and binds its workers. A trial that fails meanwhile is over.
    ///
    /// # Errors
    /// When a stop was requested.
    pub(super) fn prepare(self, assignment: &Assignment<'_>) -> Result<LiveTrial<'e>, TrialFailure> {
        let Self { mut trial, session } = self;
        let Some(mut session) = session else {
            return Ok(trial);
        };
        match trial.prepare(&mut session, assignment) {
            Ok((process_ids, watch)) => {
                let command = trial.equipment.command(&assignment.planned.cell);
                trial.worker = Some(LiveWorker {
                    session,
                    process_ids,
                    watch,
                    last_sample_end: (Instant::now(), Vec::new()),
                    busy_pauses: 0,
                    unwatched: 0,
                    is_command: command.is_some_and(|command| command.server.is_none()),
                    runs_python: command.is_some_and(CommandFacts::runs_python),
                });
            }
            Err(failure) => trial.fail_in(session, failure)?,
        }
        Ok(trial)
    }
}

impl<'e> LiveTrial<'e> {
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
        // Opened while the worker has a single thread, because threads that it starts later inherit the counters.
        let counters = meters.counters_of(session.process_id());
        binding::bind_process(binder, session.process_id(), &planned.placement)?;
        let ready = self.equipment.prepare(session, planned, assignment.units)?;
        let record = &mut self.record;
        record.gil_enabled = Some(ready.gil_enabled);
        record.gil_enabled_by = ready.gil_enabled_by;
        record.startup_ns = Some(ready.startup_ns);
        record.start_method = ready.start_method;
        (record.import_ns, record.import_threads) = (ready.import_ns, ready.import_threads);
        record.workers =
            binding::bind_workers(binder, session.process_id(), &planned.placement, &ready.workers)?;
        let process_ids = session.processes();
        let command = self.equipment.command(&planned.cell);
        let has_server = command.is_some_and(|command| command.server.is_some());
        let owns_pus = planned.cell.model != Model::Internal && !has_server;
        let pus = [planned.placement.as_slice(), &planned.client_placement].concat();
        let mut watch = meters.watch(process_ids.clone(), &pus, owns_pus, counters);
        if has_server {
            watch.leave_out_clients_of(session.process_id());
        } else if !planned.cell.is_native() {
            let workers = ready.workers.iter();
            let workers = workers.map(|worker| (worker.process_id, worker.thread_id));
            watch.count_extra_threads(ModelThreads::new(session.process_id(), workers));
        }
        record.extra_threads = extra_threads::before_work(&watch);
        Ok((process_ids, watch))
    }

    /// Warms the workers up, and reads the memory that they then have. A trial that fails meanwhile is over.
    ///
    /// # Errors
    /// When a stop was requested.
    pub(super) fn warm_up(&mut self) -> Result<(), TrialFailure> {
        let settings = &self.equipment.settings;
        let enough = Duration::try_from_secs_f64(settings.warmup_s).unwrap_or_default();
        let started = Instant::now();
        let mut taken_ns = 0_u64;
        for number in 0..settings.warmups.max(MAX_WARMUPS) {
            let is_warm = taken_ns >= nanoseconds(enough)
                || started.elapsed() >= enough.saturating_mul(calibrate::UNTIMED);
            if !self.is_alive() || (number >= settings.warmups && is_warm) {
                break;
            }
            self.sample(None, None)?;
            let last = self.record.samples.last();
            taken_ns = taken_ns.saturating_add(last.map_or(0, Sample::makespan_ns));
        }
        if let Some(worker) = &mut self.worker {
            // The work, or a server, may have started processes that stay.
            worker.process_ids = worker.session.processes();
            worker.watch.include_started(&worker.process_ids);
            worker.read_memory(&mut self.record, Moment::First);
        }
        Ok(())
    }

    /// Returns the memory of the trial's processes when it was last read, bytes. Shared memory counts for each process.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.record.memory.as_ref().map_or(0, Memory::rss_peak_bytes)
    }

    /// CPU time that it used while it waited for its turn, nanoseconds; `None` unless it was ended for that.
    pub(super) const fn waiting_cpu_ns(&self) -> Option<u64> {
        self.record.waiting_cpu_ns
    }

    /// Takes a counted sample. A trial that keeps computing while others have their turns is ended instead.
    ///
    /// # Errors
    /// When a stop was requested.
    pub(super) fn take_sample(&mut self, sweep: u32, position: Option<u32>) -> Result<(), TrialFailure> {
        let turn = position.map(|position| Turn { sweep, position });
        let waiting = self.worker.as_mut().filter(|_| turn.is_some());
        self.record.waiting_cpu_ns = waiting.and_then(LiveWorker::excess_waiting_cpu_ns);
        if self.record.waiting_cpu_ns.is_some() {
            self.worker = None;
            return Ok(());
        }
        let settings = &self.equipment.settings;
        self.sample(turn, Some(sweep / settings.window.max(1)))?;
        if let Some(worker) = self.worker.as_ref().filter(|_| sweep + 1 == settings.samples / 2) {
            worker.read_memory(&mut self.record, Moment::Middle);
        }
        Ok(())
    }

    /// Removes the turn of a sample whose sweep has just been abandoned and will be repeated.
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

    /// Ends the workers, and returns the record.
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
        let failure = with_unkillable(failure, session.end());
        self.fail(&failure, output)
    }

    /// Records the failure that ended the trial. An interrupt is returned instead, because it is not the trial's fault.
    fn fail(&mut self, failure: &TrialFailure, output: String) -> Result<(), TrialFailure> {
        if *failure == TrialFailure::Interrupted {
            return Err(failure.clone());
        }
        self.record.status = failure.status();
        self.record.reason = Some(failure.to_string());
        self.record.output_tail = output_tail(failure, &output);
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
                let taken = extra_threads::sample_while_looking(&self.watch, found, || {
                    take_sample(&mut self.session, number)
                })?;
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
                self.read_memory(record, Moment::Between);
                self.unwatched = unwatched_after(watching + begun.elapsed(), taken.makespan_ns());
                taken
            }
        };
        record.gil_enabled_by = record.gil_enabled_by.take().or(taken.gil_enabled_by.clone());
        let sample = sample_record(taken, number, &record.workers, observed.is_some())?;
        self.last_sample_end = (Instant::now(), cpu_times_ns(&self.process_ids));
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

    /// CPU time since the last sample, nanoseconds, if it exceeds what a waiting trial may use and did so before.
    fn excess_waiting_cpu_ns(&mut self) -> Option<u64> {
        let (since, before) = &self.last_sample_end;
        let used_ns = cpu_time_between(before, &cpu_times_ns(&self.process_ids))?;
        let allowed_ns = WAITING_CPU_NS + nanoseconds(since.elapsed()) / WAITING_CPU_PART;
        self.busy_pauses = if used_ns > allowed_ns {
            self.busy_pauses + 1
        } else {
            0
        };
        (self.busy_pauses >= BUSY_PAUSES_TO_END).then_some(used_ns)
    }

    /// Adds the memory of the processes to the record. If the system does not report it, it stays unknown and the times
    /// are kept.
    fn read_memory(&self, record: &mut Trial, moment: Moment) {
        if let Ok(reading) = memory::of_processes(&self.process_ids) {
            record.memory = Some(memory::joined(record.memory.take(), reading, moment));
        }
    }

    fn finish(&mut self, record: &mut Trial) -> Result<(), TrialFailure> {
        // The workload may have started processes meanwhile, in samples too short for a check.
        self.process_ids = self.session.processes();
        self.session.check_limits_of(&self.process_ids, SAMPLE_STEP)?;
        self.read_memory(record, Moment::Last);
        // The worker of a command is the only process that lives longer than a sample.
        if self.is_command && self.process_ids.len() > 1 {
            return Err(TrialFailure::Workload {
                step: "work".to_owned(),
                status: TrialStatus::Failed,
                error: "the program ended, but processes that it started did not; make it wait for them"
                    .to_owned(),
                traceback: String::new(),
            });
        }
        // What the worker reports is the state of the GIL in its own process.
        if self.runs_python
            && record.gil_enabled == Some(false)
            && let Some(module) = self.session.gil_enabled_by_program()
        {
            (record.gil_enabled, record.gil_enabled_by) = (Some(true), Some(module));
            for sample in &mut record.samples {
                sample.gil_enabled = true;
            }
        }
        record.thread_pools = self.session.finish()?;
        Ok(())
    }
}

impl<'run> Equipment<'run> {
    /// The command of a cell that measures a program.
    fn command(&self, cell: &Cell) -> Option<&CommandFacts> {
        self.launches.of(cell).ok()?.entry.command.as_ref()
    }

    /// Memory that trials which are alive together may use, bytes: as much as one trial alone.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.settings
            .limits
            .map_or(u64::MAX, |limits| limits.memory_bytes)
    }

    /// Finds how many units make a sample of the target length in the given cell.
    ///
    /// # Errors
    /// When the cell cannot be timed, with the reason and the end of its output.
    pub(super) fn calibrate(
        &self,
        planned: &PlannedCell,
        worker_counts: &[u32],
    ) -> Result<u64, FailureWithOutput> {
        let mut session =
            self.start(planned, CALIBRATION_HASH_SEED)
                .map_err(|failure| FailureWithOutput {
                    failure,
                    output_tail: None,
                })?;
        self.calibrate_in(&mut session, planned, worker_counts)
            .map_err(|failure| {
                let output_tail = output_tail(&failure, &session.last_output(&failure));
                FailureWithOutput { failure, output_tail }
            })
    }

    pub(super) fn start(&self, planned: &PlannedCell, hash_seed: u32) -> Result<Session<'run>, TrialFailure> {
        let launch = self
            .launches
            .of(&planned.cell)
            .map_err(TrialFailure::Unavailable)?
            .for_workers(&planned.cell);
        let bounds = Bounds {
            guard_options: self.guard_options.clone(),
            step_limit: Duration::from_secs_f64(self.settings.step_time_limit_s),
        };
        Session::start(&launch, hash_seed, &bounds, self.interrupt)
    }

    pub(super) fn prepare(
        &self,
        session: &mut Session<'run>,
        planned: &PlannedCell,
        units: u64,
    ) -> Result<ReadyReply, TrialFailure> {
        let cell = &planned.cell;
        let launch = self.launches.of(cell).map_err(TrialFailure::Unavailable)?;
        let request = Request::Prepare {
            protocol: PROTOCOL_VERSION,
            workload: cell.workload.clone(),
            entry: Box::new(launch.entry.clone()),
            model: cell.model,
            workers: cell.workers,
            units,
            scaling: self.settings.scaling,
            client_pus: planned.client_placement.clone(),
            time_limit_s: self.settings.step_time_limit_s,
        };
        match session.ask(&request, "import and set-up")? {
            Reply::Ready {
                gil_enabled,
                gil_enabled_by,
                startup_ns,
                start_method,
                import_ns,
                import_threads,
                workers,
            } => {
                let expected = cell.model.calls_in_sample(cell.workers);
                if workers.len() != usize::try_from(expected).unwrap_or(usize::MAX) {
                    let reason = format!("{} of {expected} workers are ready", workers.len());
                    return Err(TrialFailure::ProtocolViolation(reason));
                }
                Ok(ReadyReply {
                    gil_enabled,
                    gil_enabled_by: gil_enabled_by.map(worker_text::name),
                    startup_ns,
                    start_method: start_method.map(worker_text::name),
                    import_ns,
                    import_threads,
                    workers,
                })
            }
            other => Err(worker_text::unexpected(&other, "'ready'")),
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
        // With weak scaling nothing is divided.
        let divided_among = match self.settings.scaling {
            Scaling::Strong => worker_counts,
            Scaling::Weak => &[1],
        };
        let mut calibration = Calibration::new(target_ns, divided_among);
        let mut next = calibration.first();
        loop {
            match next {
                Next::Use(units) => return session.finish().map(|_| units),
                Next::GiveUp => {
                    return Err(TrialFailure::Workload {
                        step: "calibration".to_owned(),
                        status: TrialStatus::Failed,
                        error: "more units do not make a sample longer; does 'work' use its 'units'?"
                            .to_owned(),
                        traceback: String::new(),
                    });
                }
                Next::Try(units) => {
                    self.prepare(session, planned, units)?;
                    let started = Instant::now();
                    let taken = take_sample(session, 0)?;
                    next = calibration.next_after(taken.makespan_ns(), nanoseconds(started.elapsed()));
                }
            }
        }
    }
}

/// The `ready` reply.
pub(super) struct ReadyReply {
    pub(super) gil_enabled: bool,
    gil_enabled_by: Option<String>,
    startup_ns: u64,
    start_method: Option<String>,
    import_ns: Option<u64>,
    import_threads: Option<u32>,
    pub(super) workers: Vec<WorkerIdentity>,
}

/// The `sample` reply.
pub(super) struct SampleReply {
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    pub(super) gil_enabled: bool,
    pub(super) gil_enabled_by: Option<String>,
    collections: Option<u64>,
    collection_ns: Option<u64>,
    longest_collection_ns: Option<u64>,
    pub(super) shares: Vec<MeasuredShare>,
    reported: BTreeMap<String, f64>,
}

impl SampleReply {
    pub(super) fn makespan_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }
}

/// Replaces the failure if processes of the trial cannot be ended, because they will disturb later trials.
fn with_unkillable(failure: TrialFailure, unkillable: &[i32]) -> TrialFailure {
    if unkillable.is_empty() || failure == TrialFailure::Interrupted {
        failure
    } else {
        TrialFailure::Unkillable(unkillable.to_vec())
    }
}

/// Takes a sample, and reads the machine's activity right before and right after it. The last value is the time that
/// the readings took.
fn watched_sample(
    session: &mut Session<'_>,
    number: u32,
    watch: &mut Watch<'_>,
) -> Result<(SampleReply, Observed, Duration), TrialFailure> {
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

/// How many samples of this length to take before the next watched one, so that watching takes at most its share.
fn unwatched_after(cost: Duration, makespan_ns: u64) -> u32 {
    let share = cost.as_nanos() as f64 / makespan_ns.max(1) as f64;
    // The cast saturates.
    ((share / WATCHING_SHARE).ceil() as u32)
        .saturating_sub(1)
        .min(MAX_UNWATCHED)
}

pub(super) fn take_sample(session: &mut Session<'_>, number: u32) -> Result<SampleReply, TrialFailure> {
    let asked_ns = monotonic_ns();
    let reply = session.ask(&Request::Sample { sample: number }, SAMPLE_STEP)?;
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
            collection_ns,
            longest_collection_ns,
            shares,
            reported,
        } if sample == number => {
            stamps::check(waited, Span { start_ns, end_ns }, &shares)
                .map_err(TrialFailure::ProtocolViolation)?;
            Ok(SampleReply {
                start_ns,
                end_ns,
                gil_enabled,
                gil_enabled_by: gil_enabled_by.map(worker_text::name),
                collections,
                collection_ns,
                longest_collection_ns,
                shares,
                reported,
            })
        }
        other => Err(worker_text::unexpected(&other, &format!("sample {number}"))),
    }
}

/// Makes the record of a sample, without the activity around it.
fn sample_record(
    taken: SampleReply,
    number: u32,
    workers: &[Worker],
    is_watched: bool,
) -> Result<Sample, TrialFailure> {
    let mut shares = Vec::with_capacity(taken.shares.len());
    for (index, share) in taken.shares.iter().enumerate() {
        let worker = binding::worker_of(share, index, workers).ok_or_else(|| {
            TrialFailure::ProtocolViolation(format!("thread {} is not one of its workers", share.thread_id))
        })?;
        shares.push((worker, share));
    }
    if shares.len() != workers.len() {
        return Err(TrialFailure::ProtocolViolation(
            "shares of a sample are missing".to_owned(),
        ));
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
        collection_ns: taken.collection_ns,
        longest_collection_ns: taken.longest_collection_ns,
        moved: shares.iter().any(|(_, elsewhere)| *elsewhere),
        shares: shares.into_iter().map(|(share, _)| share).collect(),
        reported: taken.reported,
        noise: None,
        cost: None,
    })
}

fn empty_record(assignment: &Assignment<'_>) -> Trial {
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
        output_tail: None,
        gil_enabled: None,
        gil_enabled_by: None,
        start_method: None,
        startup_ns: None,
        import_ns: None,
        import_threads: None,
        workers: Vec::new(),
        samples: Vec::new(),
        memory: None,
        extra_threads: None,
        thread_pools: Vec::new(),
    }
}

/// The end of the traceback or, without one, of the output; `None` when it is empty.
pub(super) fn output_tail(failure: &TrialFailure, output: &str) -> Option<String> {
    let text = if failure.traceback().is_empty() {
        output
    } else {
        failure.traceback()
    };
    let text = text.trim();
    let limit = match failure {
        TrialFailure::TimedOut { .. } => STACKS_BYTES,
        _ => OUTPUT_TAIL_BYTES,
    };
    let mut start = text.len().saturating_sub(limit);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let tail = text.get(start..).unwrap_or_default();
    (!tail.is_empty()).then(|| tail.to_owned())
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
