//! Facts that the system reports about itself, as plain values. [`super::read`] reads them, [`super::checks`] evaluates
//! them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::machine::topology::Topology;
use ftbench_schema::InterpreterFacts;

/// A fact, or the reason why it is unknown.
pub type Known<T> = Result<T, Unknown>;

/// Why a fact is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// The kernel, the hardware or the container does not provide the file.
    #[error("{path} does not exist")]
    Missing {
        /// The file.
        path: String,
    },
    /// The file exists and cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's error.
        reason: String,
    },
    /// The file does not have the format that the kernel writes.
    #[error("cannot parse {path}: {text:?}")]
    Malformed {
        /// The file.
        path: String,
        /// The beginning of its contents.
        text: String,
    },
    /// Another reason.
    #[error("{0}")]
    Other(String),
}

/// Everything that the checks evaluate.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Cores and what limits them.
    pub cores: Cores,
    /// How the frequency is set.
    pub frequency: Frequency,
    /// The activity of the machine during the check.
    pub activity: Activity,
    /// Memory and swap.
    pub memory: Memory,
    /// Settings of the kernel.
    pub kernel: Kernel,
    /// Temperatures and throttling.
    pub heat: Heat,
    /// The power supply.
    pub power: Power,
    /// The folder for results.
    pub folder: Folder,
    /// The interpreters that would be compared.
    pub builds: Builds,
}

/// Cores and what limits them.
#[derive(Debug, Clone, PartialEq)]
pub struct Cores {
    /// The machine's topology, and the part of it that this process may use.
    pub topology: Topology,
    /// The control group's quota, CPUs' worth of time; `None` if there is no limit.
    pub quota: Known<Option<f64>>,
    /// PUs on which the scheduler places no tasks by itself (`isolcpus`), ascending.
    pub isolated: Known<Vec<u32>>,
    /// PUs without a periodic timer tick while they run one task (`nohz_full`), ascending.
    pub tickless: Known<Vec<u32>>,
}

/// How the frequency is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frequency {
    /// One policy for each group of PUs that change frequency together; empty if the kernel does not set frequencies.
    pub policies: Vec<FrequencyPolicy>,
    /// `intel_pstate/no_turbo`: frequencies above the nominal one are forbidden.
    pub intel_no_turbo: Option<bool>,
    /// `cpufreq/boost`: frequencies above the nominal one are allowed.
    pub boost: Option<bool>,
}

/// One cpufreq policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrequencyPolicy {
    /// The PUs of the policy, ascending.
    pub pus: Vec<u32>,
    /// Scaling driver, such as `intel_pstate` or `acpi-cpufreq`.
    pub driver: String,
    /// Scaling governor, such as `performance`.
    pub governor: String,
    /// Energy and performance preference, such as `balance_performance`, if the hardware selects the frequency.
    pub preference: Option<String>,
}

/// The activity of the machine during the check.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Readings of the counters at equal intervals, oldest first.
    pub moments: Vec<Moment>,
    /// From the first moment to the last, seconds.
    pub seconds: f64,
    /// Load average of the last minute: tasks that are running, runnable or waiting for a disk.
    pub load_average: Known<f64>,
    /// Whether the processor reports that it is virtual.
    pub hypervisor: bool,
    /// Vendor and product, as far as the firmware names them.
    pub product: String,
}

/// Counters at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// `/proc/stat`.
    pub stat: Known<Stat>,
    /// Pages swapped in and out since boot.
    pub swapped_pages: Known<u64>,
    /// How many times a core or package was throttled because of heat since boot; `None` if nothing counts that.
    pub throttle_events: Option<u64>,
}

/// The part of `/proc/stat` that the checks need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stat {
    /// Time since boot by PU.
    pub pus: BTreeMap<u32, Ticks>,
    /// Runnable tasks on the whole machine, including ftbench.
    pub runnable: Option<u32>,
}

/// How a PU spent its time, clock ticks (`USER_HZ`, 10 ms on nearly every system).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticks {
    /// Ticks in processes, the kernel and interrupts.
    pub busy: u64,
    /// Ticks idle, or waiting for a disk.
    pub idle: u64,
    /// Ticks in which the PU had work, but the hypervisor ran another guest.
    pub steal: u64,
}

/// Memory and swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// The sizes in `/proc/meminfo`.
    pub sizes: Known<MemorySizes>,
    /// How readily the kernel swaps, 0 to 200 (`vm.swappiness`).
    pub swappiness: Known<u32>,
    /// Whether the kernel moves pages between NUMA nodes by itself (`kernel.numa_balancing`).
    pub numa_balancing: Known<u32>,
    /// The mode of transparent huge pages: `always`, `madvise` or `never`.
    pub huge_pages: Known<String>,
}

/// Sizes, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemorySizes {
    /// Physical memory.
    pub total_bytes: u64,
    /// Memory that is available without swapping.
    pub available_bytes: u64,
    /// Swap space.
    pub swap_total_bytes: u64,
    /// Swap space in use.
    pub swap_used_bytes: u64,
}

/// Settings of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// Address space layout randomisation, 0 to 2 (`kernel.randomize_va_space`).
    pub randomize_va_space: Known<u32>,
    /// Whether this process and its children are exempt from randomisation (`setarch -R`).
    pub layout_is_fixed: bool,
    /// The clock source in use, such as `tsc`.
    pub clock_source: Known<String>,
    /// The level that limits counting without privileges (`kernel.perf_event_paranoid`).
    pub perf_event_paranoid: Known<i32>,
    /// Names of the performance monitoring units that the kernel found.
    pub monitoring_units: Vec<String>,
    /// Whether ftbench runs as root.
    pub root: bool,
}

/// Temperatures and throttling.
#[derive(Debug, Clone, PartialEq)]
pub struct Heat {
    /// Thermal zones.
    pub zones: Vec<ThermalZone>,
    /// Active cooling devices that work by slowing the processor.
    pub slowing: Vec<String>,
}

/// One thermal zone.
#[derive(Debug, Clone, PartialEq)]
pub struct ThermalZone {
    /// What it measures, such as `x86_pkg_temp`.
    pub name: String,
    /// Its temperature, degrees Celsius.
    pub celsius: f64,
    /// The lowest temperature at which the kernel or the firmware acts (`passive`, `hot` or `critical`); `None` if the
    /// zone has none.
    pub limit_celsius: Option<f64>,
}

/// The power supply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Power {
    /// Whether there is a battery that feeds the machine.
    pub battery: bool,
    /// Whether such a battery is being discharged.
    pub discharging: bool,
    /// The firmware's profile, such as `balanced` or `low-power`; `None` if it has none.
    pub profile: Option<String>,
}

/// The folder for results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// The folder.
    pub path: PathBuf,
    /// Free space in its file system that this user may use, bytes.
    pub free_bytes: Known<u64>,
    /// Whether files can be created in it.
    pub writable: bool,
}

/// The interpreters that would be compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Builds {
    /// The interpreters; empty if none was found.
    pub interpreters: Vec<InterpreterFacts>,
    /// Why requested interpreters cannot be used, one reason for each.
    pub skipped: Vec<String>,
}
