//! The ceiling: what the machine itself gives, measured with a native kernel beside a workload.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::workload::{CalibrationFailure, WorkloadKind};

/// What stands in the place of an interpreter's tag in the ceiling's cells.
pub const NATIVE: &str = "native";

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
