//! The part of each run that a history keeps: small enough that thousands of runs fit into memory.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;

use super::cell::Cell;
use super::summary::{CellStatus, Estimate};
use super::workload::{Kernel, WorkloadKind};

/// The figure that a history follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Time for one unit of work, seconds: the makespan divided by the units, because each run is calibrated
    /// separately.
    Time,
    /// Time with one worker divided by time.
    Speedup,
    /// Speedup divided by the number of workers.
    Efficiency,
    /// Peak memory, bytes: the proportional set size if it was read, otherwise the resident set size.
    Memory,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 4] = [Self::Time, Self::Speedup, Self::Efficiency, Self::Memory];

    /// The metric's name on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Speedup => "speedup",
            Self::Efficiency => "efficiency",
            Self::Memory => "memory",
        }
    }

    /// Returns the metric with this name on the command line and in JSON; `None` for an unknown name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// The metric's name in headings.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Time => "time per unit",
            Self::Speedup => "speedup",
            Self::Efficiency => "efficiency",
            Self::Memory => "peak memory",
        }
    }

    /// Whether smaller values are better.
    #[must_use]
    pub const fn lower_is_better(self) -> bool {
        matches!(self, Self::Time | Self::Memory)
    }
}

/// The key that groups the readings of many runs into one series. Ordered by workload first, as in tables.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct SeriesKey {
    /// The cell. The key dereferences to it.
    #[serde(flatten)]
    pub cell: Cell,
    /// Whether each worker does all of the work (weak scaling) rather than a share of it.
    pub weak: bool,
}

impl Deref for SeriesKey {
    type Target = Cell;

    fn deref(&self) -> &Cell {
        &self.cell
    }
}

impl Ord for SeriesKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_workload = self.workload.cmp(&other.workload);
        by_workload
            .then_with(|| self.cell.cmp(&other.cell))
            .then_with(|| self.weak.cmp(&other.weak))
    }
}

impl PartialOrd for SeriesKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for SeriesKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}{}",
            self.cell,
            if self.weak { " (weak)" } else { "" }
        )
    }
}

/// One cell of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The series that it belongs to.
    pub key: Arc<SeriesKey>,
    /// How the cell ended.
    pub status: CellStatus,
    /// The metric with its 95 % interval; `None` if it was not measured.
    pub value: Option<Estimate>,
}

/// The properties that distinguish machines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MachineKey {
    /// Host name; empty if host names do not identify machines, see `ftbench_analyse::history`.
    pub hostname: String,
    /// Processor model, as reported by the processor.
    pub cpu_model: String,
    /// Instruction set architecture.
    pub architecture: String,
    /// Physical cores.
    pub cores: u32,
    /// Processing units.
    pub pus: u32,
    /// How many CPUs' worth of time the control group may use; `None` when not limited.
    pub cpu_quota: Option<f64>,
}

/// The settings that affect figures. Runs with different settings are not compared. Weak scaling affects figures too,
/// but is part of [`SeriesKey`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSettings {
    /// The placement policy, as given.
    pub pin: String,
    /// Target length of a sample of the baseline with one worker, seconds. It matters because costs that are paid once
    /// per sample weigh more in short samples.
    pub target_sample_s: f64,
}

/// One run of a history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRun {
    /// Its folder, relative to the history's.
    pub folder: String,
    /// Name of its folder at the time of the run.
    pub name: String,
    /// When the run began, RFC 3339, UTC.
    pub started_at: String,
    /// The commit that was measured, if it was recorded.
    pub commit: Option<String>,
    /// The labels that were recorded with the run.
    pub labels: BTreeMap<String, String>,
    /// Version of ftbench that measured.
    pub ftbench_version: String,
    /// Name of the profile; empty if it was not recorded.
    pub profile: String,
    /// The settings that separate series; `None` if they were not recorded.
    pub settings: Option<RunSettings>,
    /// The machine.
    pub machine: MachineKey,
    /// Operating system and kernel.
    pub system: String,
    /// The version and build of each interpreter, by tag.
    pub builds: BTreeMap<String, String>,
    /// The packages that were installed for workloads.
    pub environments: Vec<HistoryEnvironment>,
    /// The workloads by name.
    pub workloads: BTreeMap<String, HistoryWorkload>,
    /// The readings of its cells.
    pub readings: Vec<Reading>,
}

/// A workload of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryWorkload {
    /// What kind of work it does.
    pub kind: WorkloadKind,
    /// SHA-256 of the file, hexadecimal; empty for a callable.
    pub sha256: String,
    /// The kernel of its ceiling; `None` without a ceiling.
    pub kernel: Option<Kernel>,
}

/// The packages that workloads ran with on one interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEnvironment {
    /// Tag of the interpreter.
    pub interpreter: String,
    /// Names of the workloads.
    pub workloads: Vec<String>,
    /// Names of the arms; empty if the environment belongs to all arms.
    pub arms: Vec<String>,
    /// All packages with their versions, sorted and separated by commas.
    pub packages: String,
}

/// A folder that is left out of the history, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SkippedFolder {
    /// The folder or file, relative to the history's.
    pub folder: String,
    /// The reason, and what to do about it.
    pub reason: String,
}
