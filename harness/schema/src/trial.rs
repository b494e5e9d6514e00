//! One line of `trials.jsonl`: one process that was launched for one cell in one round, with its samples, what
//! disturbed them, and what they cost. `docs/noise.md` explains the noise and cost figures.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::cell::Cell;

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialStatus {
    /// Every sample was taken and every check passed.
    Ok,
    /// It crashed, raised an exception, or sent an invalid reply.
    Failed,
    /// A step took longer than its limit.
    TimedOut,
    /// `check` found a wrong result.
    WrongResult,
    /// The benchmark asked to be left out, as those of asv and pytest can.
    Skipped,
}

/// One worker and its binding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// Its number, from 0.
    pub worker: u32,
    /// Operating-system process id.
    pub process_id: i32,
    /// Operating-system thread id.
    pub thread_id: i32,
    /// The PUs (hwloc OS index) that it is bound to, as read back from the system; empty when not pinned.
    pub bound_to: Vec<u32>,
}

/// One worker's part of one sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The worker that did the share.
    pub worker: u32,
    /// When `work` was entered, `CLOCK_MONOTONIC`, nanoseconds.
    pub start_ns: u64,
    /// When `work` returned, same clock.
    pub end_ns: u64,
    /// The PU that the worker last ran on when the sample ended; `None` if the system does not report it.
    pub pu: Option<u32>,
}

/// The place of a sample among those of the trials that took turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The sweep, from 0: one sample of every trial of the group.
    pub sweep: u32,
    /// The position in the sweep's random order, from 0.
    pub position: u32,
}

/// One timed execution of all units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Its number in the trial, from 0; warm-ups come first.
    pub sample: u32,
    /// Its turn; `None` for warm-ups, in a trial that did not take turns, and for a sample of an aborted sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
    /// The number of its window. The samples of a window count as one measurement, of their total time. `None` for
    /// warm-ups, and in records of earlier versions, whose samples were longer and are measurements of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
    /// Whether it is a warm-up, which estimates exclude.
    pub warmup: bool,
    /// When the work was handed out, `CLOCK_MONOTONIC`, nanoseconds.
    pub start_ns: u64,
    /// When the last result had been returned, same clock.
    pub end_ns: u64,
    /// Whether the GIL was on in any of the trial's processes when the sample ended.
    pub gil_enabled: bool,
    /// Garbage collections during the sample, of any generation, in the interpreters of the workers; `None` for native
    /// threads and imported samples, and in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collections: Option<u64>,
    /// Time that these collections took, summed, nanoseconds. `None` as for `collections`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection_ns: Option<u64>,
    /// Time of the longest of them, nanoseconds; 0 without any. `None` as for `collections`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_collection_ns: Option<u64>,
    /// Whether a worker was seen on a PU other than its own.
    pub moved: bool,
    /// The workers' shares, one entry for each.
    pub shares: Vec<Share>,
    /// Figures returned by the workload's `report`, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reported: BTreeMap<String, f64>,
    /// The noise around the sample; `None` if it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<Noise>,
    /// The resources that it used; `None` if they were not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

impl Sample {
    /// The time from handing out the work until the last result was returned, nanoseconds.
    #[must_use]
    pub fn makespan_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }

    /// The time from the first worker's start to the last one's, nanoseconds.
    #[must_use]
    pub fn start_skew_ns(&self) -> u64 {
        let starts = self.shares.iter().map(|share| share.start_ns);
        let first = starts.clone().min().unwrap_or(0);
        starts.max().unwrap_or(0).saturating_sub(first)
    }

    /// The makespan minus the longest share, nanoseconds: the time for handing out the work and collecting the results.
    #[must_use]
    pub fn handing_out_ns(&self) -> u64 {
        let shares = self.shares.iter();
        let longest_ns = shares
            .map(|share| share.end_ns.saturating_sub(share.start_ns))
            .max();
        self.makespan_ns().saturating_sub(longest_ns.unwrap_or(0))
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
    /// Its largest resident set size so far (`VmHWM`), bytes.
    pub rss_peak_bytes: u64,
}

/// Memory of all of the trial's processes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The processes that were alive after the last sample.
    pub processes: Vec<ProcessMemory>,
    /// Proportional set size summed over the processes, the largest of the readings between samples, bytes. File pages
    /// are divided among all processes on the machine that map them, including those of trials alive at the same time.
    pub pss_peak_bytes: Option<u64>,
    /// Anonymous and shared memory summed over the processes, each page counted once, the largest of the readings,
    /// bytes. Not shared with other trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous_peak_bytes: Option<u64>,
    /// File pages in memory, for the process that has the most, the largest of the readings, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_peak_bytes: Option<u64>,
    /// Anonymous and shared memory before the first counted sample, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous_first_bytes: Option<u64>,
    /// The same in the middle of the counted samples, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous_middle_bytes: Option<u64>,
    /// The same after the last counted sample, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous_last_bytes: Option<u64>,
}

impl Memory {
    /// The anonymous and shared memory that the counted samples added, bytes; negative if they gave some back.
    #[must_use]
    pub fn growth_bytes(&self) -> Option<f64> {
        Some(self.anonymous_last_bytes? as f64 - self.anonymous_first_bytes? as f64)
    }

    /// The memory that the trial would need by itself, bytes: anonymous and shared memory, with file pages counted
    /// once.
    #[must_use]
    pub fn peak_bytes(&self) -> Option<u64> {
        Some(self.anonymous_peak_bytes?.saturating_add(self.file_peak_bytes?))
    }

    /// Sum of the processes' peaks, bytes. Pages that they share are counted once for each process.
    #[must_use]
    pub fn rss_peak_bytes(&self) -> u64 {
        let peaks = self.processes.iter().map(|process| process.rss_peak_bytes);
        peaks.fold(0, u64::saturating_add)
    }
}

/// Threads and processes of a trial in addition to those of its model, started by `work`, its set-up or an import. They
/// share the PU of the worker that started them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExtraThreads {
    /// Number of extra threads when the workers were ready, before `work` was called.
    pub before_work: u32,
    /// Maximum number observed at the same time; a process with one thread counts as one.
    #[serde(rename = "most")]
    pub max_at_once: u32,
    /// CPU time that they used in counted samples, nanoseconds; `None` if the system does not report it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_time_ns: Option<u64>,
    /// How often ftbench inspected the trial's threads while a warm-up sample ran.
    pub looks: u32,
    /// Number of inspections in which an extra thread was ready to run on a PU together with another one or a worker.
    pub contended_looks: u32,
}

/// The thread pool of a native library that a trial's main process has loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadPool {
    /// The kind of library: `openblas`, `mkl`, `blis` or `openmp`.
    pub library: String,
    /// The name of its file.
    pub file: String,
    /// Its version; `None` if it does not report one.
    pub version: Option<String>,
    /// The number of threads that it uses, the calling one included.
    pub threads: u32,
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
    /// The group of trials that it took turns with: the number of the first one. All trials of a group have the same
    /// sweeps. `None` for a trial that did not take turns, as in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u64>,
    /// CPU time that a trial of the cell used between two samples while it was not its turn, nanoseconds; present if it
    /// was so much that this trial did not take turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_cpu_ns: Option<u64>,
    /// The measured cell.
    pub cell: Cell,
    /// The PU (hwloc OS index) of each worker, in the order of workers; empty when not pinned.
    pub placement: Vec<u32>,
    /// Units of work in one sample.
    pub units: u64,
    /// When the process was launched, RFC 3339, UTC.
    pub started_at: String,
    /// Time from launch until the process was gone, nanoseconds.
    pub duration_ns: u64,
    /// The trial's `PYTHONHASHSEED`.
    pub hash_seed: u32,
    /// How it ended.
    pub status: TrialStatus,
    /// What went wrong, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The end of the traceback and of the process's output, if the trial did not end well.
    #[serde(rename = "last_words", default, skip_serializing_if = "Option::is_none")]
    pub output_tail: Option<String>,
    /// Whether the GIL was on after imports; `None` if the trial did not get that far.
    pub gil_enabled: Option<bool>,
    /// The module that switched the GIL back on in a free-threaded build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gil_enabled_by: Option<String>,
    /// Start method of the process pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_method: Option<String>,
    /// Time to create the pool until every worker was ready, nanoseconds.
    pub startup_ns: Option<u64>,
    /// Time that importing the user's module took in the main process, without the modules that it imports,
    /// nanoseconds; `None` for calls and commands, and in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import_ns: Option<u64>,
    /// Number of Python threads that the import left running; `None` where `import_ns` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import_threads: Option<u32>,
    /// The workers, once they were bound.
    pub workers: Vec<Worker>,
    /// All completed samples, including warm-ups.
    pub samples: Vec<Sample>,
    /// Memory; `None` if the trial did not get that far.
    pub memory: Option<Memory>,
    /// Threads in addition to the model's; `None` if ftbench did not inspect them, as in the ceiling's trials and in
    /// older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_threads: Option<ExtraThreads>,
    /// Thread pools of native libraries in the main process after the last sample.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thread_pools: Vec<ThreadPool>,
}

impl Trial {
    /// Total time inside its samples, including warm-ups, nanoseconds: its part of a run in which trials take turns.
    #[must_use]
    pub fn time_in_samples_ns(&self) -> u64 {
        let each = self.samples.iter().map(Sample::makespan_ns);
        each.fold(0, u64::saturating_add)
    }

    /// The samples that estimates include.
    pub fn counted_samples(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(|sample| !sample.warmup)
    }
}

/// A cause that can disturb a sample. The thresholds are next to the code that applies them: `machine/noise/judge.rs`
/// of the program for single samples, `quiet.rs` of `ftbench-analyse` for what only a whole run shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disturbance {
    /// The hypervisor ran something else on the PUs in use.
    Steal,
    /// Other processes ran on the PUs in use.
    Others,
    /// The control group used up its CPU quota and was throttled.
    QuotaThrottled,
    /// A processor overheated and was throttled.
    ThermalThrottled,
    /// A task on the machine waited for memory.
    MemoryPressure,
    /// The PUs in use ran slower than is usual for the cell in this run.
    Frequency,
}

impl Disturbance {
    /// The cause's name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Steal => "steal",
            Self::Others => "others",
            Self::QuotaThrottled => "quota_throttled",
            Self::ThermalThrottled => "thermal_throttled",
            Self::MemoryPressure => "memory_pressure",
            Self::Frequency => "frequency",
        }
    }

    /// The cause in words, for messages.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Steal => "steal",
            Self::Others => "other processes",
            Self::QuotaThrottled => "the CPU quota",
            Self::ThermalThrottled => "heat",
            Self::MemoryPressure => "memory pressure",
            Self::Frequency => "a lower frequency",
        }
    }
}

/// Noise around a sample, from just before the request to just after the reply. A figure that the machine does not
/// report is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noise {
    /// Length of that interval, nanoseconds: the makespan, and splitting, collecting garbage and checking around it.
    pub interval_ns: u64,
    /// The PUs (OS index) that the figures cover: those that the cell uses, or all that it may use.
    pub pus: Vec<u32>,
    /// Time that the hypervisor gave to others, summed over the PUs, nanoseconds; in steps of 10 ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steal_ns: Option<u64>,
    /// CPU time of processes other than the trial's, summed over the PUs, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_ns: Option<u64>,
    /// Resolution of `others_ns` in one sample, nanoseconds; `None` if it is exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_resolution_ns: Option<u64>,
    /// Time for which the trial's threads were ready to run but waited, summed over threads, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_queue_ns: Option<u64>,
    /// Time for which any task on the machine waited for a CPU, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_pressure_ns: Option<u64>,
    /// Time for which any task on the machine waited for memory, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_pressure_ns: Option<u64>,
    /// Time for which any task on the machine waited for input or output, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_pressure_ns: Option<u64>,
    /// Mean clock frequency of the PUs at the end of the sample, hertz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency_hz: Option<u64>,
    /// How often the PUs reported that their core or package was throttled because of heat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thermal_throttles: Option<u64>,
    /// Number of periods in which the control group, or one of its ancestors, was throttled by its CPU quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_throttled_periods: Option<u64>,
    /// Time for which it was throttled, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_throttled_ns: Option<u64>,
    /// The driver's own CPU time while it waited for the sample, nanoseconds: the overhead of ftbench itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_ns: Option<u64>,
    /// The causes that exceeded their thresholds. Disturbed samples are still included in estimates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disturbed_by: Vec<Disturbance>,
}

impl Noise {
    /// Total time of the PUs in the interval, nanoseconds: the denominator of shares.
    #[must_use]
    pub fn capacity_ns(&self) -> u64 {
        let pus = u64::try_from(self.pus.len()).unwrap_or(u64::MAX);
        self.interval_ns.saturating_mul(pus)
    }
}

/// The resources that a sample used, over the same interval as its [`Noise`]. A figure that the machine does not report
/// is `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// CPU time of the trial's processes, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_time_ns: Option<u64>,
    /// How often their threads gave up the CPU to wait for something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voluntary_switches: Option<u64>,
    /// How often the CPU was taken from them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub involuntary_switches: Option<u64>,
    /// Page faults that were answered from memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minor_faults: Option<u64>,
    /// Page faults that needed a disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major_faults: Option<u64>,
    /// Energy of all processor packages, used by any process, joules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_joules: Option<f64>,
    /// Instructions that the trial's processes retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<u64>,
    /// Clock cycles of the trial's processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycles: Option<u64>,
    /// Last-level cache misses of the trial's processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_misses: Option<u64>,
}

/// Where a kind of figure comes from on the machine of the run, or why it is missing there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The kind of figure: `steal`, `others`, `run_queue`, `pressure`, `frequency`, `thermal_throttling`,
    /// `quota_throttling`, `cpu_time`, `context_switches`, `page_faults`, `energy` or `hardware_counters`.
    pub name: String,
    /// Whether it can be read.
    pub readable: bool,
    /// What is read, and its resolution if that is coarse; `None` if it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Why it cannot be read, and how to fix that; `None` if it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Maximum number of names of reported figures; further names are dropped. A workload that uses a new name for each
/// sample would otherwise fill the memory.
const MAX_REPORTED_NAMES: usize = 16;

/// The counted samples of one cell's usable trials, in the order of the record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CellSamples {
    /// Makespans, nanoseconds.
    pub makespans_ns: Vec<u64>,
    /// Whether something disturbed the sample, in the same order.
    pub disturbed: Vec<bool>,
    /// Figures returned by the workload's `report`, by name, one for each sample that has it.
    pub reported: BTreeMap<String, Vec<f64>>,
}

impl CellSamples {
    /// Adds a counted sample. Reported figures beyond the first 16 names are left out.
    pub fn add<'n>(
        &mut self,
        makespan_ns: u64,
        disturbed: bool,
        reported: impl IntoIterator<Item = (&'n str, f64)>,
    ) {
        self.makespans_ns.push(makespan_ns);
        self.disturbed.push(disturbed);
        for (name, figure) in reported {
            if let Some(figures) = self.reported.get_mut(name) {
                figures.push(figure);
            } else if self.reported.len() < MAX_REPORTED_NAMES {
                self.reported.insert(name.to_owned(), vec![figure]);
            }
        }
    }

    fn append(&mut self, mut later: Self) {
        self.makespans_ns.append(&mut later.makespans_ns);
        self.disturbed.append(&mut later.disturbed);
        for (name, mut figures) in later.reported {
            if let Some(known) = self.reported.get_mut(&name) {
                known.append(&mut figures);
            } else if self.reported.len() < MAX_REPORTED_NAMES {
                self.reported.insert(name, figures);
            }
        }
    }
}

/// The counted samples of every cell that has any: makespans and reported figures, for charts of their distribution.
///
/// A run may have a million samples. This type stores nine bytes for each, and eight for each figure that it reported,
/// whereas a whole [`Sample`] takes hundreds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SamplesByCell(HashMap<Cell, CellSamples>);

impl SamplesByCell {
    /// Collects the samples of trials in memory.
    #[must_use]
    pub fn of_trials(trials: &[Trial]) -> Self {
        let mut samples = Self::default();
        for trial in trials.iter().filter(|trial| trial.status == TrialStatus::Ok) {
            let of_cell = samples.of_cell_mut(&trial.cell);
            for sample in trial.counted_samples() {
                let disturbed = sample
                    .noise
                    .as_ref()
                    .is_some_and(|noise| !noise.disturbed_by.is_empty());
                let reported = sample
                    .reported
                    .iter()
                    .map(|(name, figure)| (name.as_str(), *figure));
                of_cell.add(sample.makespan_ns(), disturbed, reported);
            }
        }
        samples
    }

    /// Returns the samples of a cell; `None` if it has none.
    #[must_use]
    pub fn of_cell(&self, cell: &Cell) -> Option<&CellSamples> {
        self.0.get(cell)
    }

    /// Returns the samples of a cell for adding to them.
    pub fn of_cell_mut(&mut self, cell: &Cell) -> &mut CellSamples {
        self.0.entry(cell.clone()).or_default()
    }

    /// Appends samples that were read later.
    pub fn append(&mut self, later: Self) {
        for (cell, samples) in later.0 {
            self.0.entry(cell).or_default().append(samples);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handing_out_is_the_makespan_minus_the_longest_share() {
        let share = |worker, start_ns, end_ns| Share {
            worker,
            start_ns,
            end_ns,
            pu: None,
        };
        let mut sample = Sample {
            sample: 0,
            turn: None,
            window: None,
            warmup: false,
            start_ns: 100,
            end_ns: 200,
            gil_enabled: false,
            collections: None,
            collection_ns: None,
            longest_collection_ns: None,
            moved: false,
            shares: vec![share(0, 110, 160), share(1, 120, 190)],
            reported: BTreeMap::new(),
            noise: None,
            cost: None,
        };
        assert_eq!(
            (sample.handing_out_ns(), sample.start_skew_ns(), sample.busy_ns()),
            (30, 10, 120)
        );
        sample.shares.clear();
        assert_eq!(
            (sample.handing_out_ns(), sample.start_skew_ns(), sample.busy_ns()),
            (100, 0, 0)
        );
    }
}
