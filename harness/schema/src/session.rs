//! The sittings in which a run was made, and what a later one needs to go on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::arm::CommitFacts;

/// One process of ftbench that made a part of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// When it began to measure, RFC 3339, UTC.
    pub started_at: String,
    /// When it ended; `None` while it runs, and when it was killed.
    pub ended_at: Option<String>,
    /// Version of ftbench that measured.
    pub ftbench_version: String,
    /// Kernel version; empty where it is not known.
    #[serde(default)]
    pub kernel: String,
    /// Operating-system process id; `None` where it is not known.
    #[serde(default)]
    pub process_id: Option<u32>,
    /// The kernel's mark of this start of the computer (`/proc/sys/kernel/random/boot_id`): stamps of `CLOCK_MONOTONIC`
    /// mean something within one start only. `None` where it is not known.
    #[serde(default)]
    pub boot_id: Option<String>,
    /// Whether the lines that it added to the record carry checksums.
    #[serde(default)]
    pub checksums: bool,
    /// The commit that the code was of when it began, where git tells it; `None` where it is not known, or the user had
    /// named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitFacts>,
}

/// What was asked for of packages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageWishes {
    /// Requirements of every workload, beside its own dependencies: PEP 508, or the path of a wheel.
    pub with: Vec<String>,
    /// Whether packages without a wheel may be built from source.
    pub source_builds: bool,
    /// SHA-256, hexadecimal, of each wheel among them, by its path; runs of earlier versions of ftbench have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub wheels: BTreeMap<String, String>,
}

impl PackageWishes {
    /// Whether nothing was asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
