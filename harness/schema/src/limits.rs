//! What a trial may use.

use serde::{Deserialize, Serialize};

/// What a trial may use; one that uses more is ended, and is a record that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory of its processes together, and of each, bytes.
    pub memory_bytes: u64,
    /// Processes at one time.
    pub processes: u32,
    /// What it may print, bytes.
    pub output_bytes: u64,
}
