//! What a history takes from each run: little enough that thousands of runs fit into memory.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;

use super::cell::Cell;
use super::summary::{CellStatus, Estimate};
use super::workload::{Kernel, WorkloadKind};

/// What a history is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Time for one unit of work, seconds: makespan over units, since each run calibrates on its own.
    Time,
    /// Speedup over one worker.
    Speedup,
    /// Speedup over the number of workers.
    Efficiency,
    /// Peak memory, bytes: the proportional set size where it was read, else the resident set.
    Memory,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 4] = [Self::Time, Self::Speedup, Self::Efficiency, Self::Memory];

    /// The word for it on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Speedup => "speedup",
            Self::Efficiency => "efficiency",
            Self::Memory => "memory",
        }
    }

    /// The metric called so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// What it is, for headings.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Time => "time per unit",
            Self::Speedup => "speedup",
            Self::Efficiency => "efficiency",
            Self::Memory => "peak memory",
        }
    }

    /// Whether less of it is better.
    #[must_use]
    pub const fn lower_is_better(self) -> bool {
        matches!(self, Self::Time | Self::Memory)
    }
}

/// What makes the readings of many runs one series. Ordered by workload first, as tables show them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct SeriesKey {
    /// The cell; its fields read as the key's own.
    #[serde(flatten)]
    pub cell: Cell,
    /// Whether each worker does all of the work (weak scaling) rather than its share.
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
    /// What became of the cell.
    pub status: CellStatus,
    /// The metric with its 95 % interval; `None` when it was not measured.
    pub value: Option<Estimate>,
}

/// What tells machines apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MachineKey {
    /// Network name; empty where it says nothing, see `ftbench_analyse::history`.
    pub hostname: String,
    /// Processor model, as it names itself.
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

/// Settings that move figures: runs with different ones are not held against each other. Whether scaling is weak, which
/// moves them too, is in [`SeriesKey`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSettings {
    /// The placement policy, as it was given.
    pub pin: String,
    /// How long a sample of the baseline with one worker should last, seconds: what is paid once for each sample weighs
    /// more in a short one.
    pub target_sample_s: f64,
}

/// One run of a history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRun {
    /// Its folder, as found below the history's.
    pub folder: String,
    /// Name of its folder when it was measured.
    pub name: String,
    /// When it began, RFC 3339, UTC.
    pub started_at: String,
    /// The commit that was measured, where it was recorded.
    pub commit: Option<String>,
    /// What else was recorded with it.
    pub labels: BTreeMap<String, String>,
    /// Version of ftbench that measured.
    pub ftbench_version: String,
    /// Name of the profile; empty where it is not recorded.
    pub profile: String,
    /// The settings that tell series apart; `None` where they are not recorded.
    pub settings: Option<RunSettings>,
    /// The machine.
    pub machine: MachineKey,
    /// Operating system and kernel.
    pub system: String,
    /// Each interpreter's version and build by its tag.
    pub builds: BTreeMap<String, String>,
    /// The packages that were installed for workloads.
    pub environments: Vec<HistoryEnvironment>,
    /// The workloads by name.
    pub workloads: BTreeMap<String, HistoryWorkload>,
    /// Its cells.
    pub readings: Vec<Reading>,
}

/// A workload of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryWorkload {
    /// What kind of work it does.
    pub kind: WorkloadKind,
    /// SHA-256 of the file, hexadecimal; empty for a callable.
    pub sha256: String,
    /// The kernel of its ceiling; `None` where it has none.
    pub kernel: Option<Kernel>,
}

/// The packages that workloads ran with on one interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEnvironment {
    /// Tag of the interpreter.
    pub interpreter: String,
    /// Names of the workloads.
    pub workloads: Vec<String>,
    /// Names of the arms; empty where it is that of all of them.
    pub arms: Vec<String>,
    /// Each package with its version, sorted, with commas between them.
    pub packages: String,
}

/// A folder that is not in the history, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    /// The folder or file, as found below the history's.
    pub folder: String,
    /// Why, and what to do.
    pub reason: String,
}
