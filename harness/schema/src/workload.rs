//! What is known of a workload, and of its ceiling: what the machine itself gives, measured with a native kernel beside
//! the workload.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cell::Model;
use super::trial::TrialStatus;

/// What kind of work a workload does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkloadKind {
    /// Computes, sharing nothing.
    Cpu,
    /// Waits for the outside.
    Io,
    /// Computes and waits.
    Mixed,
    /// Workers share objects.
    Shared,
    /// Bound by memory.
    Memory,
}

impl WorkloadKind {
    /// The word for it in metadata and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Io => "io",
            Self::Mixed => "mixed",
            Self::Shared => "shared",
            Self::Memory => "memory",
        }
    }
}

impl fmt::Display for WorkloadKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// One workload of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadFacts {
    /// Its name.
    pub name: String,
    /// What kind of work it does.
    pub kind: WorkloadKind,
    /// One line on what it does.
    pub summary: String,
    /// Models that make sense for it; empty when it does not say.
    pub models: Vec<Model>,
    /// Packages that it needs, as PEP 508 requirements.
    pub dependencies: Vec<String>,
    /// Where problem, algorithm or known answer come from; empty when it does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// One line on what its scaling shows; empty when it does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub shows: String,
    /// The file; of a callable, the folder that came first on `sys.path`.
    pub path: String,
    /// SHA-256 of the file, hexadecimal; empty for a callable.
    pub sha256: String,
    /// The case of the file that it is; `None` for a file without cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// `package.module:function`, when that is what is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callable: Option<String>,
    /// Folder of the Cargo package whose modules it imports; `None` when it needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// Units of work in one sample; `None` until calibrated, or when calibration failed.
    pub units: Option<u64>,
    /// Why it could not be calibrated, and so not be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<CalibrationFailure>,
    /// The ceiling that its speedups are held against; `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<CeilingFacts>,
}

/// Why a workload could not be calibrated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalibrationFailure {
    /// How the attempt ended.
    pub status: TrialStatus,
    /// What went wrong, in a line.
    pub reason: String,
    /// The end of the traceback and of what the process printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_words: Option<String>,
}

/// What a native kernel is bound by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// Integer arithmetic and branches.
    Integer,
    /// Floating-point arithmetic.
    FloatingPoint,
    /// How fast memory can be read and written.
    MemoryBandwidth,
}

impl Kernel {
    /// Every kernel.
    pub const ALL: [Self; 3] = [Self::Integer, Self::FloatingPoint, Self::MemoryBandwidth];

    /// The word for it in metadata and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::FloatingPoint => "floating_point",
            Self::MemoryBandwidth => "memory_bandwidth",
        }
    }

    /// The kernel called so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kernel| kernel.name() == name)
    }

    /// The kernel for workloads of a kind that name none; `None` for those that wait rather than compute.
    #[must_use]
    pub const fn usual(kind: WorkloadKind) -> Option<Self> {
        match kind {
            WorkloadKind::Cpu | WorkloadKind::Mixed | WorkloadKind::Shared => Some(Self::Integer),
            WorkloadKind::Memory => Some(Self::MemoryBandwidth),
            WorkloadKind::Io => None,
        }
    }
}

/// Kernels that a machine speeds up and slows down together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernels {
    /// Those that keep cores busy, and live from the clock and from what others leave of a core.
    Computing,
    /// Memory bandwidth, which neighbours share.
    Memory,
}

impl Kernels {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Computing, Self::Memory];

    /// Those that a kernel belongs to.
    #[must_use]
    pub const fn of(kernel: Kernel) -> Self {
        match kernel {
            Kernel::Integer | Kernel::FloatingPoint => Self::Computing,
            Kernel::MemoryBandwidth => Self::Memory,
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A workload's ceiling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CeilingFacts {
    /// The kernel.
    pub kernel: Kernel,
    /// Units of work of the kernel in one sample, which are not the workload's; `None` until calibrated, or when
    /// calibration failed.
    pub units: Option<u64>,
    /// Why it could not be calibrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<CalibrationFailure>,
}

impl CeilingFacts {
    /// Before calibration.
    #[must_use]
    pub const fn of(kernel: Kernel) -> Self {
        Self {
            kernel,
            units: None,
            failure: None,
        }
    }
}
