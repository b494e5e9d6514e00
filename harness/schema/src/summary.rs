//! `summary.json`: the results of analysing a run.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

use super::cell::{Cell, Curve};
use super::interpreter::{GilState, InterpreterFacts};
use super::run::{
    ArmFacts, CommitFacts, EnvironmentFacts, MachineFacts, RunStatus, Scaling, StoppedBy, Warning,
};
use super::trial::{Disturbance, Source};
use super::workload::WorkloadFacts;

/// A value with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimated value.
    pub estimate: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Estimate {
    /// Returns how much is done in a second if `amount` takes this many seconds; `None` if it takes no time.
    #[must_use]
    pub fn rate_of(self, amount: f64) -> Option<Self> {
        (self.low > 0.0).then(|| Self {
            estimate: amount / self.estimate,
            low: amount / self.high,
            high: amount / self.low,
        })
    }
}

/// The significance of a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Two-sided probability of a ratio at least as far from 1 if there were no difference.
    pub p_value: f64,
    /// Whether the ratio counts as a difference: it is significant after a correction for all comparisons of the
    /// summary, its interval excludes 1, and it is larger than the smallest effect of interest.
    pub differs: bool,
}

/// How a cell ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellStatus {
    /// Measured.
    Ok,
    /// Left out on purpose.
    Skipped,
    /// Its trials crashed, raised an exception, or sent an invalid reply.
    Failed,
    /// A step took longer than its limit.
    TimedOut,
    /// `check` found a wrong result.
    WrongResult,
    /// A module switched the GIL back on in a free-threaded build.
    GilReenabled,
}

impl CellStatus {
    /// The status in tables.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::WrongResult => "wrong result",
            Self::GilReenabled => "GIL re-enabled",
        }
    }

    /// Whether this status makes a run's exit status 1.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::WrongResult)
    }
}

/// Facts about the summarised run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFacts {
    /// Name of the run's folder.
    pub name: String,
    /// Version of ftbench that measured.
    pub ftbench_version: String,
    /// When it began, RFC 3339, UTC.
    pub started_at: String,
    /// When it ended; `None` while it is running.
    pub ended_at: Option<String>,
    /// The state of the run.
    pub status: RunStatus,
    /// Seed of every random choice.
    pub seed: u64,
    /// Name of the profile.
    pub profile: String,
    /// Whether more workers share the same work or do more work.
    pub scaling: Scaling,
    /// The placement policy, as given; `None` in summaries of versions that did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// Target length of a sample of the baseline with one worker, seconds; `None` in summaries of versions that did not
    /// record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_sample_s: Option<f64>,
    /// Tag of the interpreter whose `serial` cells the others are compared with.
    pub baseline: String,
    /// The commit that was measured; `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitFacts>,
    /// Labels that the user gave the run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The name of its node, if it is a part of a fleet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

/// The figures of one cell. Figures that were not measured are `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellSummary {
    /// The cell. The summary dereferences to it.
    #[serde(flatten)]
    pub cell: Cell,
    /// GIL state during the measurement; `None` if the cell was not measured, and for the ceiling.
    pub gil: Option<GilState>,
    /// The PU (hwloc OS index) of each worker; empty when not pinned.
    pub placement: Vec<u32>,
    /// How the cell ended.
    pub status: CellStatus,
    /// Why the status is not `ok`; several lines if there is a traceback.
    pub reason: Option<String>,
    /// Rounds with a usable trial.
    pub rounds: u32,
    /// Counted samples in them.
    pub samples: u32,
    /// Units of work in one sample.
    pub units: Option<u64>,
    /// Makespan, seconds.
    pub makespan_s: Option<Estimate>,
    /// Units of work per second, of all workers together; for the ceiling, the kernel's units. `None` in summaries of
    /// earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units_per_s: Option<Estimate>,
    /// The cell's own time with one worker divided by its time (strong scaling), and additionally multiplied by the
    /// number of workers for weak scaling.
    pub speedup: Option<Estimate>,
    /// Whether the speedup differs from 1; `None` for one worker, which would be compared with itself, and if either
    /// cell failed.
    #[serde(default)]
    pub speedup_difference: Option<Difference>,
    /// The speedup of undisturbed samples, from the fastest samples of each round. `None` if too few rounds have any,
    /// and in summaries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undisturbed_speedup: Option<Estimate>,
    /// The baseline interpreter's `serial` time divided by this cell's; for weak scaling multiplied by the number of
    /// workers.
    pub vs_baseline: Option<Estimate>,
    /// Whether the time differs from the baseline's; `None` for the baseline's own `serial` cell, and if either cell
    /// failed.
    #[serde(default)]
    pub vs_baseline_difference: Option<Difference>,
    /// `speedup` divided by the number of workers.
    pub efficiency: Option<Estimate>,
    /// `speedup` divided by the ceiling's speedup with the same number of workers, paired by round; `None` without a
    /// ceiling, and for the ceiling itself.
    #[serde(default)]
    pub ceiling_fraction: Option<Estimate>,
    /// Time inside `work` divided by workers times makespan.
    pub busy_fraction: Option<Estimate>,
    /// Time to create the pool, seconds.
    pub startup_s: Option<Estimate>,
    /// From the first worker's start to the last one's, seconds.
    pub start_skew_s: Option<Estimate>,
    /// Makespan minus the longest share, seconds: the time for handing out the work and collecting the results. If
    /// trials take turns, the workers were asleep before. `None` in summaries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handing_out_s: Option<Estimate>,
    /// Garbage collections in a sample, of any generation and in all interpreters of the cell: the mean over the
    /// samples of a trial. `None` for native threads, and in summaries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collections: Option<Estimate>,
    /// Time that garbage collections take divided by the makespan, over all samples of a trial. Above 1 if several
    /// interpreters collect at the same time. `None` as for `collections`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection_fraction: Option<Estimate>,
    /// The longest garbage collection of a trial's samples, seconds. `None` as for `collections`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_collection_s: Option<Estimate>,
    /// Sum of the processes' peak resident set sizes, bytes.
    pub rss_peak_bytes: Option<Estimate>,
    /// Largest proportional set size between samples, summed over the processes, bytes. If trials take turns, trials
    /// that are alive at the same time share file pages, which makes it smaller.
    pub pss_peak_bytes: Option<Estimate>,
    /// Largest memory between samples, bytes: anonymous and shared memory of all processes, with file pages counted
    /// once. `None` in summaries of versions that did not distinguish them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<Estimate>,
    /// Anonymous and shared memory that each sample of a trial adds, bytes: what all of them add divided by their number;
    /// negative if they give some back. `None` in summaries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_growth_bytes: Option<Estimate>,
    /// Figures returned by the workload's `report`, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reported: BTreeMap<String, Estimate>,
    /// Noise and cost.
    #[serde(flatten)]
    pub cost: CellCost,
}

/// Noise and cost figures of one cell, from the counted samples of each round and then over rounds. Keys without a
/// value are left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CellCost {
    /// Share of the PUs' time that the hypervisor and other processes used, summed over the samples of a round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<Estimate>,
    /// Number of counted samples around which noise was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched_samples: Option<u32>,
    /// Number of these that something disturbed. Estimates include them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbed_samples: Option<u32>,
    /// CPU time divided by the time available to the workers: to all of them during the makespan, to one thread around
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_utilisation: Option<Estimate>,
    /// CPU time of the trial's processes in a sample, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_time_s: Option<Estimate>,
    /// How many of the trial's threads were ready to run but waited for a CPU, on average over a sample. `None` also in
    /// summaries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_threads: Option<Estimate>,
    /// How often their threads gave up the CPU in a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voluntary_switches: Option<Estimate>,
    /// How often the CPU was taken from them in a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub involuntary_switches: Option<Estimate>,
    /// Page faults answered from memory, in a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minor_faults: Option<Estimate>,
    /// Page faults that needed a disk, in a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major_faults: Option<Estimate>,
    /// Energy of all processor packages in a sample, used by any process, joules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_joules: Option<Estimate>,
    /// Instructions retired in a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<Estimate>,
    /// Clock cycles of a sample, summed over threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycles: Option<Estimate>,
    /// Last-level cache misses of a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_misses: Option<Estimate>,
}

impl CellSummary {
    /// A cell of which nothing is known but how it was placed and how it ended.
    #[must_use]
    pub fn without_figures(cell: Cell, placement: Vec<u32>, status: CellStatus) -> Self {
        Self {
            cell,
            gil: None,
            placement,
            status,
            reason: None,
            rounds: 0,
            samples: 0,
            units: None,
            makespan_s: None,
            units_per_s: None,
            speedup: None,
            speedup_difference: None,
            undisturbed_speedup: None,
            vs_baseline: None,
            vs_baseline_difference: None,
            efficiency: None,
            ceiling_fraction: None,
            busy_fraction: None,
            startup_s: None,
            start_skew_s: None,
            handing_out_s: None,
            collections: None,
            collection_fraction: None,
            longest_collection_s: None,
            rss_peak_bytes: None,
            pss_peak_bytes: None,
            memory_peak_bytes: None,
            memory_growth_bytes: None,
            reported: BTreeMap::new(),
            cost: CellCost::default(),
        }
    }
}

/// How quiet a run was, over its counted samples. Estimates include disturbed samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quietness {
    /// Number of counted samples for which noise was read.
    pub samples: u32,
    /// Number of them that something disturbed.
    pub disturbed: u32,
    /// Number of samples disturbed by each cause; a sample may have several causes.
    pub by: BTreeMap<Disturbance, u32>,
    /// Share of the time of the PUs in use that the hypervisor gave to others; `None` if unknown.
    pub steal: Option<f64>,
    /// Share of that time that other processes used; `None` if unknown.
    pub others: Option<f64>,
    /// Share of that time for which the trials' threads were ready to run but waited; can exceed 1 because threads add
    /// up.
    pub run_queue: Option<f64>,
}

/// The cost of the free-threaded build with one worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overhead {
    /// Tag of the build with the GIL.
    pub gil: String,
    /// Tag of the free-threaded build of the same minor version.
    pub free_threaded: String,
    /// The arm, which is the first of several; `None` if there is only one version of the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<String>,
    /// The workload; `None` for the geometric mean over the workloads that compute.
    pub workload: Option<String>,
    /// Number of workloads that it covers.
    pub workloads: u32,
    /// The free-threaded build's time with one worker divided by the GIL build's, paired by round.
    pub ratio: Estimate,
}

impl Deref for CellSummary {
    type Target = Cell;

    fn deref(&self) -> &Cell {
        &self.cell
    }
}

impl DerefMut for CellSummary {
    fn deref_mut(&mut self) -> &mut Cell {
        &mut self.cell
    }
}

/// The contents of `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of the format.
    pub schema: u32,
    /// The run.
    pub run: RunFacts,
    /// The computer.
    pub machine: MachineFacts,
    /// The interpreters.
    pub interpreters: Vec<InterpreterFacts>,
    /// The workloads.
    pub workloads: Vec<WorkloadFacts>,
    /// The packages that were installed for workloads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<EnvironmentFacts>,
    /// The versions of the code that are compared, with the base arm first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<ArmFacts>,
    /// The comparison of each other arm with the base arm, cell by cell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arm_ratios: Vec<ArmRatio>,
    /// The source of each kind of noise and cost figure on this machine, or why there is none.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// How quiet the run was; `None` if noise was not read.
    #[serde(default)]
    pub quiet: Option<Quietness>,
    /// How small a difference the run could have detected; `None` if it compares nothing, and in summaries of earlier
    /// versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
    /// The cost of free-threaded builds with one worker.
    #[serde(default)]
    pub free_threading_overhead: Vec<Overhead>,
    /// Scaling laws, one entry for each curve: workload, model and interpreter.
    #[serde(default)]
    pub laws: Vec<CurveLaws>,
    /// Why the run ended; `None` while it is running and if it was killed.
    pub stopped_by: Option<StoppedBy>,
    /// Warnings for the reader.
    pub warnings: Vec<Warning>,
    /// The cells, in the order of the plan.
    pub cells: Vec<CellSummary>,
}

/// How small a difference a run can detect.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sensitivity {
    /// The true difference, as a share, that is detected in four of five such runs; the median over the comparisons.
    pub difference: f64,
    /// Number of comparisons: of cells with the baseline, and of arms.
    pub comparisons: u32,
}

/// The comparison of an arm with the base arm, everything else being equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmRatio {
    /// The arm's cell. The ratio dereferences to it.
    #[serde(flatten)]
    pub cell: Cell,
    /// The base arm, which is the first one.
    pub base: String,
    /// Rounds in which both have a usable trial.
    pub rounds: u32,
    /// The base arm's time divided by the arm's, paired by round. Above 1, the arm is faster.
    pub ratio: Estimate,
    /// Whether the ratio counts as a difference.
    pub difference: Difference,
}

impl ArmRatio {
    /// Returns the name of the arm; empty in a damaged summary.
    #[must_use]
    pub fn arm_name(&self) -> &str {
        self.cell.arm.as_deref().unwrap_or_default()
    }
}

impl Deref for ArmRatio {
    type Target = Cell;

    fn deref(&self) -> &Cell {
        &self.cell
    }
}

/// A law for the speedup as a function of the number of workers N.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Law {
    /// N / (1 + s (N - 1)): a serial fraction s of the work is done by one worker at a time. G. M. Amdahl, "Validity of
    /// the single processor approach to achieving large scale computing capabilities", AFIPS 1967.
    Amdahl,
    /// N / (1 + s (N - 1) + k N (N - 1)): in addition, every pair of workers costs k, so that more workers can be
    /// slower. The Universal Scalability Law: N. J. Gunther, "Guerrilla Capacity Planning", Springer 2007, equation
    /// 4.31.
    Usl,
    /// N - s (N - 1): the work grows with the workers (weak scaling), except for the serial fraction s of the time. J.
    /// L. Gustafson, "Reevaluating Amdahl's Law", Communications of the ACM 31(5), 1988.
    Gustafson,
}

impl Law {
    /// The law's name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Amdahl => "Amdahl",
            Self::Usl => "USL",
            Self::Gustafson => "Gustafson",
        }
    }

    /// Predicts the speedup with this many workers.
    #[must_use]
    pub fn speedup(self, serial_fraction: f64, crosstalk: f64, workers: f64) -> f64 {
        let others = workers - 1.0;
        match self {
            Self::Amdahl => workers / (1.0 + serial_fraction * others),
            Self::Usl => workers / (1.0 + serial_fraction * others + crosstalk * workers * others),
            Self::Gustafson => workers - serial_fraction * others,
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// One law fitted to one curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LawFit {
    /// The law that was fitted.
    pub law: Law,
    /// Share of the work (Gustafson: of the time) that is not parallel, from 0 to 1.
    pub serial_fraction: Estimate,
    /// Cost of each pair of workers, as a share of the work; `None` for laws without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crosstalk: Option<Estimate>,
    /// The number of workers with the largest speedup, sqrt((1 - s) / k), at least 1; `None` unless crosstalk's
    /// interval excludes 0. It may exceed the measured numbers of workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_workers: Option<Estimate>,
    /// The largest possible speedup by Amdahl's law, 1/s; `None` for the other laws, and if the interval of s contains
    /// 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speedup_limit: Option<Estimate>,
    /// Root mean square of log(measured / fitted) over the numbers of workers. At 0.03 the law is off by 3 %.
    pub relative_error: f64,
}

impl LawFit {
    /// Predicts the speedup with this many workers.
    #[must_use]
    pub fn speedup(&self, workers: f64) -> f64 {
        let crosstalk = self.crosstalk.map_or(0.0, |crosstalk| crosstalk.estimate);
        self.law
            .speedup(self.serial_fraction.estimate, crosstalk, workers)
    }
}

/// Why no law was fitted to a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NotFitted {
    /// Too few numbers of workers.
    FewWorkerCounts {
        /// How many there are, including one worker.
        counts: u32,
        /// How many are needed.
        needed: u32,
    },
    /// Too few rounds that contain all of the curve's cells.
    FewRounds {
        /// How many there are.
        rounds: u32,
        /// How many are needed.
        needed: u32,
    },
    /// The machine has fewer cores than the number of worker counts that a fit needs.
    FewCores,
    /// The curve extends beyond the number of cores, where a law would mistake the lack of cores for a property of the
    /// program, and too few numbers of workers have a core for each worker.
    SharedCores,
}

/// The verdict on a curve at its largest number of workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CurveVerdict {
    /// It scales as well as native code on the same cores.
    AsTheMachine,
    /// It is faster than one worker, even by the lower end of the interval of its speedup.
    Scales,
    /// It gains at most 10 %, or its workers take turns on one CPU.
    DoesNotScale,
    /// It is slower than one worker by more than 10 %.
    Slower,
    /// The interval of its speedup contains 1 and is wider than 10 % on either side, and no other evidence decides.
    /// Also assumed for curves of earlier versions, which had no verdict.
    #[default]
    CannotTell,
}

/// The cause that limits the scaling of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitCause {
    /// Only one thread at a time runs Python code.
    Gil,
    /// A part of the work is done by one worker at a time, and the GIL is on, which may be the reason.
    GilInPart,
    /// All workers are tasks of one thread.
    OneThread,
    /// Only one worker at a time computes although the GIL is off: a lock, a serial part or waiting.
    OneAtATime,
    /// There are no more cores.
    Cores,
    /// The ceiling does not scale any further either.
    Machine,
    /// Workers slow each other down: more of them are slower, or will be.
    Crosstalk,
    /// A part of the work is not parallel.
    SerialFraction,
    /// The speedup is less than the number of workers, and there are too few worker counts to determine the cause.
    #[serde(rename = "untold")]
    Unexplained,
    /// The speedup exceeds the number of workers.
    Superlinear,
    /// It scales with its workers as far as it was measured.
    NothingSeen,
    /// The interval of the speedup is too wide to determine the cause.
    Unclear,
}

/// What limits the scaling of a curve, with the evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// The cause.
    pub cause: LimitCause,
    /// The largest number of workers with a speedup. The figures below belong to that cell.
    pub workers: u32,
    /// The curve's speedup at the largest number of workers.
    pub speedup: Estimate,
    /// The curve's undisturbed speedup there; `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undisturbed_speedup: Option<Estimate>,
    /// The number of workers with the largest measured speedup.
    pub best_workers: u32,
    /// The largest measured speedup.
    pub best_speedup: Estimate,
    /// The number of cores that its workers can use.
    pub cores: f64,
    /// The ceiling's speedup with that number of workers; `None` without a ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_speedup: Option<Estimate>,
    /// The speedup divided by the ceiling's; `None` without a ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_fraction: Option<Estimate>,
    /// How many CPUs' worth of time its processes used during the makespan; `None` if the CPU time is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_cpus: Option<f64>,
    /// Share of its samples with readings of noise that something disturbed; `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbed_share: Option<f64>,
}

/// How one workload scales with one model on one interpreter: the laws fitted to its speedups, and what limits it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurveLaws {
    /// The curve. The laws dereference to it.
    #[serde(flatten)]
    pub curve: Curve,
    /// GIL state of its cells; `None` for the ceiling.
    pub gil: Option<GilState>,
    /// The numbers of workers of the curve, 1 first.
    pub workers: Vec<u32>,
    /// Number of rounds that contain all of the numbers of workers that laws were fitted to.
    pub rounds: u32,
    /// The fitted laws; empty if there are none, see [`CurveLaws::not_fitted`].
    pub fits: Vec<LawFit>,
    /// The largest number of workers that the laws were fitted to, if it is less than the curve's because workers share
    /// cores beyond it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fitted_up_to: Option<u32>,
    /// The simplest law that explains the curve; `None` if none was fitted.
    #[serde(rename = "enough")]
    pub simplest_law: Option<Law>,
    /// Why no law was fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_fitted: Option<NotFitted>,
    /// The verdict on the curve.
    #[serde(default)]
    pub verdict: CurveVerdict,
    /// If the verdict is open, how much longer the rounds of the workload would have to run, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_s: Option<f64>,
    /// What limits its scaling.
    pub limit: Limit,
}

impl Deref for CurveLaws {
    type Target = Curve;

    fn deref(&self) -> &Curve {
        &self.curve
    }
}

impl CurveLaws {
    /// Returns the fit of the simplest law that explains the curve.
    #[must_use]
    pub fn best_fit(&self) -> Option<&LawFit> {
        self.fits.iter().find(|fit| Some(fit.law) == self.simplest_law)
    }
}
