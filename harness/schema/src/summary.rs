//! `summary.json`: what the analysis made of a run.

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
    /// The value.
    pub estimate: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// Whether a ratio is called a difference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Two-sided probability of a ratio at least as far from 1 were there no difference.
    pub p_value: f64,
    /// Whether it is called one: after a correction for all the comparisons of the summary, with an interval that
    /// excludes 1, and larger than the smallest effect of interest.
    pub differs: bool,
}

/// What became of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellStatus {
    /// Measured.
    Ok,
    /// Not measured, on purpose.
    Skipped,
    /// Its trials crashed, raised, or answered nonsense.
    Failed,
    /// A step took longer than its limit.
    TimedOut,
    /// `check` found a result that is wrong.
    WrongResult,
    /// A module switched the GIL back on in a free-threaded build.
    GilReenabled,
}

impl CellStatus {
    /// The words for it in tables.
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

/// The run that a summary is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFacts {
    /// Name of the run's folder.
    pub name: String,
    /// Version of ftbench that measured.
    pub ftbench_version: String,
    /// When it began, RFC 3339, UTC.
    pub started_at: String,
    /// When it ended; `None` while it runs.
    pub ended_at: Option<String>,
    /// How far it came.
    pub status: RunStatus,
    /// Seed of every random choice.
    pub seed: u64,
    /// Name of the profile.
    pub profile: String,
    /// Whether more workers do the same work or more of it.
    pub scaling: Scaling,
    /// The placement policy, as it was given; `None` in summaries of versions that did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// How long a sample of the baseline with one worker should last, seconds; `None` likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_sample_s: Option<f64>,
    /// Tag of the interpreter whose `serial` cells others are compared with.
    pub baseline: String,
    /// The commit that was measured; `None` where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitFacts>,
    /// What the user knows the run by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// One cell's figures. Those without a value were not measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellSummary {
    /// The cell that the figures are of; its fields read as the summary's own.
    #[serde(flatten)]
    pub cell: Cell,
    /// GIL state while it was measured; `None` when it was not measured, and for the ceiling.
    pub gil: Option<GilState>,
    /// The PU (hwloc OS index) of each worker; empty when not pinned.
    pub placement: Vec<u32>,
    /// What became of it.
    pub status: CellStatus,
    /// Why, when it is not `ok`; several lines where a traceback belongs to it.
    pub reason: Option<String>,
    /// Rounds with a usable trial.
    pub rounds: u32,
    /// Counted samples in them.
    pub samples: u32,
    /// Units of work in one sample.
    pub units: Option<u64>,
    /// Makespan, seconds.
    pub makespan_s: Option<Estimate>,
    /// The cell's own time with one worker over its time (strong scaling), or the same times the number of
    /// workers (weak scaling).
    pub speedup: Option<Estimate>,
    /// Whether the speedup differs from 1; `None` for one worker, which is compared with itself, and where this cell or
    /// that one failed.
    #[serde(default)]
    pub speedup_difference: Option<Difference>,
    /// The speedup of samples that nothing disturbed, made of the fastest ones of each round. `None` where too few rounds had
    /// any, and in summaries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undisturbed_speedup: Option<Estimate>,
    /// The baseline interpreter's `serial` time over this cell's, with weak scaling times the number of workers.
    pub vs_baseline: Option<Estimate>,
    /// Whether it differs from the baseline; `None` for the baseline's own `serial` cell, and where this cell or that
    /// one failed.
    #[serde(default)]
    pub vs_baseline_difference: Option<Difference>,
    /// `speedup` over the number of workers.
    pub efficiency: Option<Estimate>,
    /// `speedup` over the ceiling's speedup at the same number of workers, paired by round; `None` where there is no
    /// ceiling, and for the ceiling itself.
    #[serde(default)]
    pub ceiling_fraction: Option<Estimate>,
    /// Time inside `work`, over workers times makespan.
    pub busy_fraction: Option<Estimate>,
    /// Time to create the pool, seconds.
    pub startup_s: Option<Estimate>,
    /// From the first worker's start to the last one's, seconds.
    pub start_skew_s: Option<Estimate>,
    /// Makespan less the longest share: handing out the work and collecting the results, seconds. Where trials take turns, the
    /// workers have slept meanwhile. `None` in summaries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handing_out_s: Option<Estimate>,
    /// Garbage collections in a sample, of any generation and in all of the cell's interpreters: the mean over the samples of a
    /// trial. `None` of native threads, and in summaries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collections: Option<Estimate>,
    /// Sum over processes of each one's peak resident set, bytes.
    pub rss_peak_bytes: Option<Estimate>,
    /// Largest proportional set size seen between samples, summed over processes, bytes. Where trials take turns, those
    /// that are alive at the same time share pages of files, and this is smaller.
    pub pss_peak_bytes: Option<Estimate>,
    /// Largest memory seen between samples: anonymous and shared memory of all processes, and pages of files once, bytes.
    /// `None` in summaries of versions that did not distinguish them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<Estimate>,
    /// Figures of its own that the workload's `report` gave, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reported: BTreeMap<String, Estimate>,
    /// Noise, and what it cost.
    #[serde(flatten)]
    pub cost: CellCost,
}

/// One cell's figures of noise and cost: of each round's counted samples, then over rounds. Keys without a value are
/// left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CellCost {
    /// Share of the time of its PUs that the hypervisor and other processes took: their sum over the round's
    /// samples, over the PUs' time in them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<Estimate>,
    /// Counted samples that something disturbed; estimates use them like all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbed_samples: Option<u32>,
    /// CPU time over the time that the workers had: all of them during the makespan, one thread around it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_utilisation: Option<Estimate>,
    /// CPU time of the trial's processes in a sample, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_time_s: Option<Estimate>,
    /// How often their threads gave up the CPU in a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voluntary_switches: Option<Estimate>,
    /// How often it was taken from them in a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub involuntary_switches: Option<Estimate>,
    /// Page faults answered from memory, in a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minor_faults: Option<Estimate>,
    /// Page faults that needed a disk, in a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major_faults: Option<Estimate>,
    /// Energy of all processor packages in a sample, whoever used it, joules.
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

/// How quiet a run was, over its counted samples. Estimates use all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quietness {
    /// Counted samples around which noise was read.
    pub samples: u32,
    /// Those of them that something disturbed.
    pub disturbed: u32,
    /// How many each cause disturbed; a sample may have several.
    pub by: BTreeMap<Disturbance, u32>,
    /// Share of the time of the PUs in use that the hypervisor gave to others; `None` where it is not told.
    pub steal: Option<f64>,
    /// Share of it that other processes used; `None` where it is not told.
    pub others: Option<f64>,
    /// Share of it for which the trials' threads were ready and waited; can be above 1, since threads add up.
    pub run_queue: Option<f64>,
}

/// What the free-threaded build costs on one worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overhead {
    /// Tag of the build with the GIL.
    pub gil: String,
    /// Tag of the free-threaded build of the same minor version.
    pub free_threaded: String,
    /// The version of the code, the first of several; `None` where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<String>,
    /// The workload; `None` for the geometric mean over the workloads that compute.
    pub workload: Option<String>,
    /// How many workloads it is of.
    pub workloads: u32,
    /// The free-threaded build's time with one worker over the GIL build's, paired by round.
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

/// The whole of `summary.json`.
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
    /// The versions of the code that are compared, the one that others are compared with first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<ArmFacts>,
    /// How each other arm compares with the first one, cell by cell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arm_ratios: Vec<ArmRatio>,
    /// Where figures of noise and cost come from on this machine, or why they are not told.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// How quiet the run was; `None` where noise was not read.
    #[serde(default)]
    pub quiet: Option<Quietness>,
    /// How small a difference the run could have found; `None` where it compares nothing, and in summaries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
    /// What free-threaded builds cost on one worker.
    #[serde(default)]
    pub free_threading_overhead: Vec<Overhead>,
    /// Scaling laws, one entry for each curve: workload, model and interpreter.
    #[serde(default)]
    pub laws: Vec<CurveLaws>,
    /// What ended the run; `None` while it runs, or when it was killed.
    pub stopped_by: Option<StoppedBy>,
    /// What a reader must know.
    pub warnings: Vec<Warning>,
    /// The cells, in the order of the plan.
    pub cells: Vec<CellSummary>,
}

/// How small a difference a run could have found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sensitivity {
    /// A true difference of this size is called in four of five such runs, as a share; the median over the comparisons.
    pub difference: f64,
    /// How many comparisons there are: cells with the baseline, and arms.
    pub comparisons: u32,
}

/// How an arm compares with the first one, everything else being equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmRatio {
    /// The cell of the arm; its fields read as the ratio's own.
    #[serde(flatten)]
    pub cell: Cell,
    /// The first arm, which others are compared with.
    pub base: String,
    /// Rounds in which both have a usable trial.
    pub rounds: u32,
    /// The base's time over the arm's, paired by round: above 1 the arm is faster.
    pub ratio: Estimate,
    /// Whether that is called a difference.
    pub difference: Difference,
}

impl ArmRatio {
    /// The name of the arm that is compared; empty in a damaged summary.
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

/// A law of how speedup grows with the number of workers N.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Law {
    /// N / (1 + s (N - 1)): a serial fraction s of the work takes turns. G. M. Amdahl, "Validity of the single processor
    /// approach to achieving large scale computing capabilities", AFIPS 1967.
    Amdahl,
    /// N / (1 + s (N - 1) + k N (N - 1)): besides, every pair of workers costs k, so that more workers can be slower. The
    /// Universal Scalability Law: N. J. Gunther, "Guerrilla Capacity Planning", Springer 2007, equation 4.31.
    Usl,
    /// N - s (N - 1): the work grows with the workers (weak scaling), and only the serial fraction s of the time does not.
    /// J. L. Gustafson, "Reevaluating Amdahl's Law", Communications of the ACM 31(5), 1988.
    Gustafson,
}

impl Law {
    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Amdahl => "Amdahl",
            Self::Usl => "USL",
            Self::Gustafson => "Gustafson",
        }
    }

    /// The speedup that it foretells for so many workers.
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

/// One law, fitted to one curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LawFit {
    /// The law.
    pub law: Law,
    /// Share of the work (Gustafson: of the time) that workers do not share, from 0 to 1.
    pub serial_fraction: Estimate,
    /// Cost of one more worker to each other one, as a share of the work; `None` for the laws without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crosstalk: Option<Estimate>,
    /// The number of workers with the largest speedup, sqrt((1 - s) / k), at least 1; `None` unless crosstalk's interval
    /// excludes 0. It may lie beyond the workers that were measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_workers: Option<Estimate>,
    /// The speedup that no number of workers exceeds by Amdahl's law, 1/s; `None` for the other laws, and where the
    /// interval of s holds 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speedup_limit: Option<Estimate>,
    /// Root mean square over the numbers of workers of log(measured / fitted): 0.03 is a law that misses by 3 %.
    pub relative_error: f64,
}

impl LawFit {
    /// The speedup that the fitted law foretells for so many workers.
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
        /// How many there are, one worker included.
        counts: u32,
        /// How many it takes.
        needed: u32,
    },
    /// Too few rounds that have all of the curve's cells.
    FewRounds {
        /// How many there are.
        rounds: u32,
        /// How many it takes.
        needed: u32,
    },
    /// The machine has fewer cores than the numbers of workers that it takes.
    FewCores,
    /// Its largest number of workers has fewer cores than that, and a law would take their lack for the program's; too few
    /// numbers of workers have a core for each.
    SharedCores,
}

/// What is found of a curve at its largest number of workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CurveVerdict {
    /// It gains what native code gains on the same cores.
    AsTheMachine,
    /// It is faster than one worker, at least by the lower end of the interval of its speedup.
    Scales,
    /// It gains no more than 10 %, or its workers take turns on one CPU.
    DoesNotScale,
    /// It is slower than one worker, by more than 10 %.
    Slower,
    /// The interval of its speedup has 1 inside and is wider than 10 % to either side, and nothing else tells. So are the
    /// curves of earlier versions, which had no verdict.
    #[default]
    CannotTell,
}

/// What keeps a curve from growing with its workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitCause {
    /// One thread at a time runs Python code.
    Gil,
    /// The workers take turns in part, and the GIL is on: it may be why.
    GilInPart,
    /// All workers are tasks of one thread.
    OneThread,
    /// One worker at a time computes, with the GIL off: a lock, a serial part or waiting.
    OneAtATime,
    /// There are no more cores.
    Cores,
    /// The ceiling grows no more either.
    Machine,
    /// Workers cost each other time: more of them are, or will be, slower.
    Crosstalk,
    /// A part of the work does not spread over the workers.
    SerialFraction,
    /// It falls short of its number of workers, and there are too few counts to tell why.
    Untold,
    /// More speedup than workers.
    Superlinear,
    /// It grows with its workers as far as was measured.
    NothingSeen,
    /// The interval of the speedup is too wide to say.
    Unclear,
}

/// What keeps a curve from growing, with the facts that say so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// What it is.
    pub cause: LimitCause,
    /// The largest number of workers with a speedup; the figures below are of that cell.
    pub workers: u32,
    /// Its speedup.
    pub speedup: Estimate,
    /// Its undisturbed speedup; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undisturbed_speedup: Option<Estimate>,
    /// The number of workers with the largest speedup measured.
    pub best_workers: u32,
    /// Theirs.
    pub best_speedup: Estimate,
    /// The cores that its workers had at most.
    pub cores: f64,
    /// The ceiling's speedup at that number of workers; `None` without a ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_speedup: Option<Estimate>,
    /// The speedup over the ceiling's; `None` without a ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_fraction: Option<Estimate>,
    /// How many CPUs' worth of time its processes used while it ran; `None` where CPU time is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_cpus: Option<f64>,
    /// Share of its counted samples that something disturbed; `None` where that is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbed_share: Option<f64>,
}

/// How one workload scales with one model on one interpreter: the laws fitted to its speedups, and what limits it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurveLaws {
    /// The curve; its fields read as these laws' own.
    #[serde(flatten)]
    pub curve: Curve,
    /// GIL state of its cells; `None` for the ceiling.
    pub gil: Option<GilState>,
    /// The numbers of workers of the curve, 1 first.
    pub workers: Vec<u32>,
    /// Rounds that have all of them, or of those that laws were fitted to.
    pub rounds: u32,
    /// The laws that were fitted; none for [`CurveLaws::not_fitted`].
    pub fits: Vec<LawFit>,
    /// The largest number of workers that they were fitted to, where that is not the curve's: beyond it workers share
    /// cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fitted_up_to: Option<u32>,
    /// The simplest law that explains the curve; `None` where none was fitted.
    pub enough: Option<Law>,
    /// Why none was fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_fitted: Option<NotFitted>,
    /// What is found of it.
    #[serde(default)]
    pub verdict: CurveVerdict,
    /// Where the verdict cannot be told: how much longer its workload's rounds would have to go on, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_s: Option<f64>,
    /// What keeps it from growing.
    pub limit: Limit,
}

impl Deref for CurveLaws {
    type Target = Curve;

    fn deref(&self) -> &Curve {
        &self.curve
    }
}

impl CurveLaws {
    /// The numbers of workers that laws were fitted to, 1 first.
    #[must_use]
    pub fn fitted_workers(&self) -> &[u32] {
        let most = self.fitted_up_to.unwrap_or(u32::MAX);
        let count = self
            .workers
            .iter()
            .take_while(|workers| **workers <= most)
            .count();
        self.workers.get(..count).unwrap_or_default()
    }

    /// The fit of the law that is enough.
    #[must_use]
    pub fn best_fit(&self) -> Option<&LawFit> {
        self.fits.iter().find(|fit| Some(fit.law) == self.enough)
    }
}
