//! Why a workload does not scale: what `ftbench explain` prints as JSON.

use serde::{Deserialize, Serialize};

use super::summary::Estimate;

/// What the workers of one workload on one interpreter spend their time on, and what they contend for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The workload's name.
    pub workload: String,
    /// The interpreter's tag.
    pub interpreter: String,
    /// The arm, one of several versions of the code; `None` if there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<String>,
    /// Whether the GIL was on.
    pub gil_enabled: bool,
    /// The module that switched it on; `None` if it was on from the start, or off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gil_enabled_by: Option<String>,
    /// Whether the names of all functions of the interpreter are known, which a stripped one has lost.
    pub has_symbols: bool,
    /// How many workers are compared with one.
    pub workers: u32,
    /// Rounds, with new processes in each.
    pub rounds: u32,
    /// Total time of the workers per unit of work. All categories together.
    pub total: CategoryTime,
    /// The same by category; those whose time rises most come first.
    pub time: Vec<CategoryTime>,
    /// What several workers use, or wait for, at the same time; the most costly first.
    pub contended: Vec<Contended>,
    /// The cost of sampling.
    pub cost: SamplingCost,
}

/// The workers' time per unit of work in one category: with N workers it is N times the makespan over the units, so
/// without any loss it is the same for each number of workers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CategoryTime {
    /// The category.
    pub category: String,
    /// The C function that takes the lock, or the library; `None` for other categories.
    pub detail: Option<String>,
    /// With one worker, nanoseconds.
    pub one_worker_ns: Estimate,
    /// With all workers, nanoseconds.
    pub all_workers_ns: Estimate,
    /// The difference, nanoseconds.
    pub rise_ns: Estimate,
}

/// Something that several workers use, or wait for, at the same time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contended {
    /// How it is reached, such as `module.NAME.attribute`; `None` if it is not an object, or not known to have
    /// lived all the time.
    pub object: Option<String>,
    /// Its type; `None` if it is not an object.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// Its size, bytes; `None` if it is not an object.
    pub size_bytes: Option<u64>,
    /// The part of it that is contended.
    pub field: String,
    /// Share of the looks at workers in which they used it or waited for it.
    pub share: f64,
    /// How many of them did.
    pub workers: u32,
    /// The Python functions that did, most frequent first.
    pub functions: Vec<String>,
}

/// How much longer samples take while workers are interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SamplingCost {
    /// Makespan with sampling over that without, one worker.
    pub one_worker: Estimate,
    /// The same with all workers.
    pub all_workers: Estimate,
    /// Number of looks at workers.
    pub samples: u64,
    /// Number of looks for which there was no room.
    pub lost: u64,
}

/// An object in a worker's memory, as the worker describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectFacts {
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its size as `sys.getsizeof` reports it, bytes.
    pub size: u64,
    /// The part at the address.
    pub field: String,
    /// How it is reached; `None` unless it lived before the samples and after them.
    pub path: Option<String>,
}
