//! One line of `trials.jsonl`: one process launched for one cell in one round.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::noise::{Cost, Noise};

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialStatus {
    /// Every sample was taken and every check passed.
    Ok,
    /// It crashed, raised, or answered nonsense.
    Failed,
    /// A step took longer than its limit.
    TimedOut,
    /// `check` found a result that is wrong.
    WrongResult,
}

/// One worker, and where it was bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// Its number, from 0.
    pub worker: u32,
    /// Operating-system process id.
    pub process_id: i32,
    /// Operating-system thread id.
    pub thread_id: i32,
    /// The PUs (hwloc OS index) that its binding named when read back; empty when not pinned.
    pub bound_to: Vec<u32>,
}

/// One worker's part of one sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The worker that did it.
    pub worker: u32,
    /// When `work` was entered, `CLOCK_MONOTONIC`, nanoseconds.
    pub start_ns: u64,
    /// When `work` returned, same clock.
    pub end_ns: u64,
    /// The PU that the worker last ran on when the sample was over; `None` where the system did not tell.
    pub pu: Option<u32>,
}

/// One timed execution of all units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Its number in the trial, from 0; warm-ups come first.
    pub sample: u32,
    /// Whether it is a warm-up, which estimates leave out.
    pub warmup: bool,
    /// When the work was handed out, `CLOCK_MONOTONIC`, nanoseconds.
    pub start_ns: u64,
    /// When the last result was back, same clock.
    pub end_ns: u64,
    /// Whether the GIL was on in any of the trial's processes when it was over.
    pub gil_enabled: bool,
    /// Whether a worker was seen on a PU other than its own.
    pub moved: bool,
    /// One entry per worker's share.
    pub shares: Vec<Share>,
    /// Figures of its own that the workload's `report` gave, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reported: BTreeMap<String, f64>,
    /// What went on around it; `None` where it was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<Noise>,
    /// What it used; `None` where it was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

impl Sample {
    /// From the moment the work was handed out to the moment the last result was back, nanoseconds.
    #[must_use]
    pub fn makespan_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }

    /// From the first worker's start to the last one's, nanoseconds.
    #[must_use]
    pub fn start_skew_ns(&self) -> u64 {
        let starts = self.shares.iter().map(|share| share.start_ns);
        let first = starts.clone().min().unwrap_or(0);
        starts.max().unwrap_or(0).saturating_sub(first)
    }

    /// Time spent inside `work`, summed over the shares, nanoseconds.
    #[must_use]
    pub fn busy_ns(&self) -> u64 {
        self.shares
            .iter()
            .map(|share| share.end_ns.saturating_sub(share.start_ns))
            .fold(0, u64::saturating_add)
    }
}

/// Memory of one of the trial's processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessMemory {
    /// Operating-system process id.
    pub process_id: i32,
    /// Its largest resident set so far (`VmHWM`), bytes.
    pub rss_peak_bytes: u64,
}

/// Memory of all of the trial's processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Each process that was alive after the last sample.
    pub processes: Vec<ProcessMemory>,
    /// Proportional set size summed over the processes, the largest of the readings taken between samples, bytes.
    pub pss_peak_bytes: Option<u64>,
}

impl Memory {
    /// Sum of the processes' peaks, bytes; pages that they share are counted once for each.
    #[must_use]
    pub fn rss_peak_bytes(&self) -> u64 {
        let peaks = self.processes.iter().map(|process| process.rss_peak_bytes);
        peaks.fold(0, u64::saturating_add)
    }
}

/// Threads and processes of a trial beside those of its model: what `work`, its set-up or an import has started. They share
/// the PU of the worker that started them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExtraThreads {
    /// Threads that were there when the workers were ready, before `work` was called.
    pub before_work: u32,
    /// The most that were seen at once, a process with one thread counting as one.
    pub most: u32,
    /// CPU time that they used in counted samples, nanoseconds; `None` where the system does not report it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_time_ns: Option<u64>,
    /// How often ftbench looked at the trial's threads while a warm-up sample ran.
    pub looks: u32,
    /// Looks at which one of them was ready to run on a PU where another one, or a worker, was too.
    pub contended_looks: u32,
}

/// One process launched for one cell in one round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Version of the record's format.
    pub schema: u32,
    /// Its number in the run, from 0, in the order in which trials ran.
    pub trial: u64,
    /// The round, from 0.
    pub round: u32,
    /// What was measured.
    pub cell: Cell,
    /// The PU (hwloc OS index) of each worker, in the order of workers; empty when not pinned.
    pub placement: Vec<u32>,
    /// Units of work in one sample.
    pub units: u64,
    /// When the process was launched, RFC 3339, UTC.
    pub started_at: String,
    /// From launch until the process was gone, nanoseconds.
    pub duration_ns: u64,
    /// The trial's `PYTHONHASHSEED`.
    pub hash_seed: u32,
    /// How it ended.
    pub status: TrialStatus,
    /// What went wrong, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The end of the traceback and of what the process printed, when it did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_words: Option<String>,
    /// Whether the GIL was on after imports; `None` when it did not get so far.
    pub gil_enabled: Option<bool>,
    /// The module that switched the GIL back on in a free-threaded build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gil_enabled_by: Option<String>,
    /// Start method of the process pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_method: Option<String>,
    /// Time to create the pool until every worker was ready, nanoseconds.
    pub startup_ns: Option<u64>,
    /// The workers, once they were bound.
    pub workers: Vec<Worker>,
    /// Every sample that was completed, warm-ups too.
    pub samples: Vec<Sample>,
    /// Memory; `None` when it did not get so far.
    pub memory: Option<Memory>,
    /// Threads beside the model's; `None` where ftbench did not look, as in the ceiling's trials and in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_threads: Option<ExtraThreads>,
}

impl Trial {
    /// The samples that estimates use.
    pub fn counted_samples(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(|sample| !sample.warmup)
    }
}
