//! What is known of a workload.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ceiling::CeilingFacts;
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
