//! `summary.json`: what the analysis made of a run.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

use super::arm::{ArmFacts, ArmRatio, CommitFacts};
use super::cell::Cell;
use super::interpreter::{GilState, InterpreterFacts};
use super::law::CurveLaws;
use super::manifest::{EnvironmentFacts, MachineFacts, RunStatus, Scaling, StoppedBy};
use super::noise::{Disturbance, Source};
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

/// What a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// The two builds of a pair differ in more than the GIL.
    BuildsDiffer,
    /// The interpreters of a workload have different versions of a package.
    PackagesDiffer,
    /// There is no free-threaded build to compare with.
    NoFreeThreadedBuild,
    /// There is no GIL build to compare with.
    NoGilBuild,
    /// An interpreter was left out.
    InterpreterSkipped,
    /// The control group's CPU quota is below the cores of the machine.
    CpuQuota,
    /// Workers were seen on PUs other than their own.
    WorkersMoved,
    /// A module switched the GIL back on.
    GilReenabled,
    /// Work starts threads or processes of its own, which share the PU of their worker.
    StartsThreads,
    /// Too few rounds for an interval that can be trusted.
    FewRounds,
    /// Many samples were disturbed.
    Disturbed,
    /// Embedded and spawned cells differ in more than the host.
    HostsDiffer,
    /// Two arms have the same contents.
    ArmsAlike,
    /// A part of the record cannot be read, or is there twice.
    DamagedRecord,
    /// The sittings of a resumed run differ in something that may move times.
    SessionsDiffer,
    /// Another tool measured, and did not tell all that ftbench does.
    Imported,
}

/// Something that a reader of the numbers must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What it is about.
    pub kind: WarningKind,
    /// A sentence or two.
    pub message: String,
    /// Names of the workloads that it is about; empty when it is about the whole run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workloads: Vec<String>,
}

impl Warning {
    /// About the whole run.
    #[must_use]
    pub fn of_run(kind: WarningKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            workloads: Vec::new(),
        }
    }

    /// About these workloads alone.
    #[must_use]
    pub fn of_workloads(kind: WarningKind, message: impl Into<String>, workloads: Vec<String>) -> Self {
        Self {
            workloads,
            ..Self::of_run(kind, message)
        }
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
    /// Sum over processes of each one's peak resident set, bytes.
    pub rss_peak_bytes: Option<Estimate>,
    /// Largest proportional set size seen between samples, summed over processes, bytes.
    pub pss_peak_bytes: Option<Estimate>,
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
