//! One line of `trials.jsonl`: one process launched for one cell in one round, with its samples, what disturbed them, and
//! what they cost. `docs/noise.md` explains the figures of noise and cost.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::cell::Cell;

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

/// When a sample was taken, among those of the trials that took turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The sweep, from 0: one sample of every trial of the group.
    pub sweep: u32,
    /// The place in the sweep's random order, from 0.
    pub position: u32,
}

/// One timed execution of all units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Its number in the trial, from 0; warm-ups come first.
    pub sample: u32,
    /// Its turn; `None` for warm-ups, in a trial that took no turns, and for a sample of a sweep that was broken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
    /// Samples of the same number are taken together: what counts is how long all of them took. `None` for warm-ups, and in
    /// records of earlier versions, whose samples were longer and stand for themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
    /// Whether it is a warm-up, which estimates leave out.
    pub warmup: bool,
    /// When the work was handed out, `CLOCK_MONOTONIC`, nanoseconds.
    pub start_ns: u64,
    /// When the last result was back, same clock.
    pub end_ns: u64,
    /// Whether the GIL was on in any of the trial's processes when it was over.
    pub gil_enabled: bool,
    /// Garbage collections meanwhile, of any generation, in the interpreters of the workers; `None` of native threads and
    /// imported samples, and in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collections: Option<u64>,
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

    /// The makespan less the longest share: what handing out the work and collecting the results took, nanoseconds.
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
    /// Its largest resident set so far (`VmHWM`), bytes.
    pub rss_peak_bytes: u64,
}

/// Memory of all of the trial's processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Each process that was alive after the last sample.
    pub processes: Vec<ProcessMemory>,
    /// Proportional set size summed over the processes, the largest of the readings taken between samples, bytes. Pages of
    /// files are divided among all processes of the machine that map them, those of trials alive at the same time too.
    pub pss_peak_bytes: Option<u64>,
    /// Anonymous and shared memory summed over the processes, each page once, the largest reading, bytes. No other trial
    /// shares any of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous_peak_bytes: Option<u64>,
    /// Pages of files in memory, of the process that has most, the largest reading, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_peak_bytes: Option<u64>,
}

impl Memory {
    /// What the trial would take by itself, bytes: its anonymous and shared memory, and pages of files once.
    #[must_use]
    pub fn peak_bytes(&self) -> Option<u64> {
        Some(self.anonymous_peak_bytes?.saturating_add(self.file_peak_bytes?))
    }

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
    /// The trials that it took turns with: the number of the first of them. Sweeps of one group are the same sweeps. `None`
    /// for a trial that took no turns, as in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u64>,
    /// CPU time that a trial of the cell used between two samples while others had their turns, when that was so much that
    /// this one took none, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_cpu_ns: Option<u64>,
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
    /// Time inside its samples, warm-ups too, nanoseconds: what it took of a run in which others had their turns meanwhile.
    #[must_use]
    pub fn in_samples_ns(&self) -> u64 {
        let each = self.samples.iter().map(Sample::makespan_ns);
        each.fold(0, u64::saturating_add)
    }

    /// The samples that estimates use.
    pub fn counted_samples(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(|sample| !sample.warmup)
    }
}

/// What can disturb a sample. Thresholds stand with the code that judges: `machine/noise/judge.rs` of the program for one
/// sample, `quiet.rs` of `ftbench-analyse` for what only a whole run shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disturbance {
    /// The hypervisor ran something else on the PUs in use.
    Steal,
    /// Other processes ran on the PUs in use.
    Others,
    /// The control group used up its CPU quota and was stopped.
    QuotaThrottled,
    /// A processor got too hot and slowed down.
    ThermalThrottled,
    /// Something on the machine waited for memory.
    MemoryPressure,
    /// The PUs in use ran slower than is usual for the cell in this run.
    Frequency,
}

impl Disturbance {
    /// The word for it in files.
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

    /// The words for it in messages.
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

/// What went on around a sample, from just before it was asked for to just after its answer was there. A figure that
/// the machine does not tell is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noise {
    /// Length of that time, nanoseconds: the makespan, and splitting, collecting garbage and checking around it.
    pub interval_ns: u64,
    /// The PUs (OS index) that the figures are of: those that the cell uses, or all that it may use.
    pub pus: Vec<u32>,
    /// Time that the hypervisor gave to others, summed over the PUs, nanoseconds; in steps of 10 ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steal_ns: Option<u64>,
    /// CPU time of others than the trial's processes, summed over the PUs, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_ns: Option<u64>,
    /// How far `others_ns` may be off in one sample, nanoseconds; `None` where it counts nanoseconds itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_resolution_ns: Option<u64>,
    /// Time for which the trial's threads were ready to run and did not, summed over threads, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_queue_ns: Option<u64>,
    /// Time for which some task of the machine waited for a CPU, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_pressure_ns: Option<u64>,
    /// Time for which some task of the machine waited for memory, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_pressure_ns: Option<u64>,
    /// Time for which some task of the machine waited for input or output, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_pressure_ns: Option<u64>,
    /// Mean clock frequency of the PUs when the sample was over, hertz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency_hz: Option<u64>,
    /// How many times the PUs told that their core or package was slowed down for its heat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thermal_throttles: Option<u64>,
    /// Periods in which the control group, or one that holds it, was stopped for its CPU quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_throttled_periods: Option<u64>,
    /// Time for which it was stopped, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_throttled_ns: Option<u64>,
    /// The driver's own CPU time while it waited for the sample, nanoseconds: what ftbench takes from what it measures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_ns: Option<u64>,
    /// What was above its threshold. Nothing is left out of an estimate for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disturbed_by: Vec<Disturbance>,
}

impl Noise {
    /// Time that the PUs had, nanoseconds: what shares are shares of.
    #[must_use]
    pub fn capacity_ns(&self) -> u64 {
        let pus = u64::try_from(self.pus.len()).unwrap_or(u64::MAX);
        self.interval_ns.saturating_mul(pus)
    }
}

/// What a sample used, over the same time as its [`Noise`]. A figure that the machine does not tell is `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// CPU time of the trial's processes, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_time_ns: Option<u64>,
    /// How often their threads gave up the CPU, waiting for something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voluntary_switches: Option<u64>,
    /// How often it was taken from them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub involuntary_switches: Option<u64>,
    /// Page faults that were answered from memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minor_faults: Option<u64>,
    /// Page faults that needed a disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major_faults: Option<u64>,
    /// Energy of all processor packages, whoever used it, joules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_joules: Option<f64>,
    /// Instructions that the trial's processes retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<u64>,
    /// Clock cycles that they took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycles: Option<u64>,
    /// Times that they missed the last-level cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_misses: Option<u64>,
}

/// Where a kind of figure comes from on the machine of the run, or why it is not told there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// What it tells: `steal`, `others`, `run_queue`, `pressure`, `frequency`, `thermal_throttling`,
    /// `quota_throttling`, `cpu_time`, `context_switches`, `page_faults`, `energy` or `hardware_counters`.
    pub name: String,
    /// Whether it can be read.
    pub readable: bool,
    /// What is read, and in which steps it counts where these are coarse; `None` when it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Why it cannot be read, and what would mend that; `None` when it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Names of reported figures beyond this many are dropped: a workload that makes up a new name for each sample would
/// otherwise fill the memory.
const MOST_REPORTED_NAMES: usize = 16;

/// The counted samples of one cell's usable trials, in the order of the record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CellSamples {
    /// Makespans, nanoseconds.
    pub makespans_ns: Vec<u64>,
    /// Whether something disturbed the sample, in the same order.
    pub disturbed: Vec<bool>,
    /// Figures that the workload's `report` gave, by name, one for each sample that had it.
    pub reported: BTreeMap<String, Vec<f64>>,
}

impl CellSamples {
    /// Takes in a counted sample.
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
            } else if self.reported.len() < MOST_REPORTED_NAMES {
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
            } else if self.reported.len() < MOST_REPORTED_NAMES {
                self.reported.insert(name, figures);
            }
        }
    }
}

/// The counted samples of every cell that has any: makespans and reported figures, for a picture of their spread.
///
/// A run may have a million samples. This holds nine bytes of each, and eight for each figure that it reported, where a
/// whole [`Sample`] takes hundreds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SamplesByCell(HashMap<Cell, CellSamples>);

impl SamplesByCell {
    /// Those of trials in memory.
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

    /// Those of a cell; `None` when it has none.
    #[must_use]
    pub fn of_cell(&self, cell: &Cell) -> Option<&CellSamples> {
        self.0.get(cell)
    }

    /// Those of a cell, to add to.
    pub fn of_cell_mut(&mut self, cell: &Cell) -> &mut CellSamples {
        self.0.entry(cell.clone()).or_default()
    }

    /// Puts what was read later behind what was read before.
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
    fn what_is_not_in_the_longest_share_is_handing_out() {
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
