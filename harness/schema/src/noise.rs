//! What disturbed a sample, what it cost, and where such figures come from. `docs/noise.md` tells more of each.

use serde::{Deserialize, Serialize};

/// What can disturb a sample. Thresholds stand with the code that judges: `machine/noise/judge.rs` for one sample,
/// `analyse/quiet.rs` for what only a whole run shows.
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
