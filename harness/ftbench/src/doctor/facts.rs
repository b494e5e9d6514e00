//! What the system says about itself, as plain values. [`super::read`] fills them, [`super::checks`] judges them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::machine::topology::Topology;
use ftbench_schema::InterpreterFacts;

/// What the system tells, or why it does not.
pub type Told<T> = Result<T, Untold>;

/// Why something is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untold {
    /// The kernel, the hardware or the container does not have it.
    #[error("there is no {path}")]
    NotThere {
        /// The file.
        path: String,
    },
    /// It is there and cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// It does not hold what the kernel writes there.
    #[error("cannot understand {path}: {text:?}")]
    Malformed {
        /// The file.
        path: String,
        /// What it holds, the beginning of it.
        text: String,
    },
    /// Another part of ftbench could not find out.
    #[error("{0}")]
    Other(String),
}

/// Everything that the checks judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Cores and what limits them.
    pub cores: Cores,
    /// How the frequency is set.
    pub frequency: Frequency,
    /// What the machine did while ftbench looked.
    pub activity: Activity,
    /// Memory and swap.
    pub memory: Memory,
    /// Settings of the kernel.
    pub kernel: Kernel,
    /// Temperatures and what is done about them.
    pub heat: Heat,
    /// Where the current comes from.
    pub power: Power,
    /// Where results go.
    pub folder: Folder,
    /// The interpreters that would be compared.
    pub builds: Builds,
}

/// Cores and what limits them.
#[derive(Debug, Clone, PartialEq)]
pub struct Cores {
    /// The machine's shape, and what this process may use of it.
    pub topology: Topology,
    /// The control group's quota, CPUs' worth of time; `None` when nothing limits.
    pub quota: Told<Option<f64>>,
    /// PUs that the scheduler leaves alone (`isolcpus`), ascending.
    pub isolated: Told<Vec<u32>>,
    /// PUs without a periodic timer tick while they run one task (`nohz_full`), ascending.
    pub tickless: Told<Vec<u32>>,
}

/// How the frequency is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frequency {
    /// One for every group of PUs that change frequency together; empty where the kernel does not set frequencies.
    pub policies: Vec<FrequencyPolicy>,
    /// `intel_pstate/no_turbo`: frequencies above the nominal one are forbidden.
    pub intel_no_turbo: Option<bool>,
    /// `cpufreq/boost`: frequencies above the nominal one are allowed.
    pub boost: Option<bool>,
}

/// One cpufreq policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrequencyPolicy {
    /// PUs that it governs, ascending.
    pub pus: Vec<u32>,
    /// Scaling driver, such as `intel_pstate` or `acpi-cpufreq`.
    pub driver: String,
    /// Scaling governor, such as `performance`.
    pub governor: String,
    /// Energy and performance preference, where the hardware decides (`balance_performance`).
    pub preference: Option<String>,
}

/// What the machine did while ftbench looked.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// What was seen at equal distances, oldest first.
    pub moments: Vec<Moment>,
    /// From the first moment to the last, seconds.
    pub seconds: f64,
    /// Load average of the last minute: tasks that run, want to run or wait for a disk.
    pub load_average: Told<f64>,
    /// Whether the processor says that it is a virtual one.
    pub hypervisor: bool,
    /// Maker and product that the firmware names, as far as it does.
    pub product: String,
}

/// Counters at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// `/proc/stat`.
    pub stat: Told<Stat>,
    /// Pages swapped in and out since boot.
    pub swapped_pages: Told<u64>,
    /// Times that a core or package was throttled for heat since boot; `None` where nothing counts them.
    pub throttle_events: Option<u64>,
}

/// What is needed of `/proc/stat`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stat {
    /// Time since boot by PU.
    pub pus: BTreeMap<u32, Ticks>,
    /// Tasks that run or want to, on the whole machine, ourselves included.
    pub runnable: Option<u32>,
}

/// Where the time of a PU went, clock ticks (`USER_HZ`, 10 ms nearly everywhere).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticks {
    /// In processes, the kernel and interrupts.
    pub busy: u64,
    /// With nothing to do, or waiting for a disk.
    pub idle: u64,
    /// Wanted, and given to another guest by the hypervisor.
    pub steal: u64,
}

/// Memory and swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// What `/proc/meminfo` says.
    pub sizes: Told<MemorySizes>,
    /// How readily the kernel swaps, 0 to 200 (`vm.swappiness`).
    pub swappiness: Told<u32>,
    /// Whether the kernel moves pages between NUMA nodes on its own (`kernel.numa_balancing`).
    pub numa_balancing: Told<u32>,
    /// The mode of transparent huge pages: `always`, `madvise` or `never`.
    pub huge_pages: Told<String>,
}

/// Sizes, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemorySizes {
    /// Physical memory.
    pub total_bytes: u64,
    /// What can be had without swapping.
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
    pub randomize_va_space: Told<u32>,
    /// Whether this process, and all that it starts, is exempt from it (`setarch -R`).
    pub layout_is_fixed: bool,
    /// The clock source in use, such as `tsc`.
    pub clock_source: Told<String>,
    /// What may be counted without privileges (`kernel.perf_event_paranoid`).
    pub perf_event_paranoid: Told<i32>,
    /// Names of the performance monitoring units that the kernel found.
    pub monitoring_units: Vec<String>,
    /// Whether ftbench runs as root.
    pub root: bool,
}

/// Temperatures and what is done about them.
#[derive(Debug, Clone, PartialEq)]
pub struct Heat {
    /// Thermal zones.
    pub zones: Vec<ThermalZone>,
    /// Devices that cool by slowing the processor, and are doing so.
    pub slowing: Vec<String>,
}

/// One thermal zone.
#[derive(Debug, Clone, PartialEq)]
pub struct ThermalZone {
    /// What it measures, such as `x86_pkg_temp`.
    pub name: String,
    /// Its temperature, degrees Celsius.
    pub celsius: f64,
    /// Temperature at which the kernel or the firmware acts (`passive`, `hot` or `critical`, the lowest); `None`
    /// where the zone has none.
    pub limit_celsius: Option<f64>,
}

/// Where the current comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Power {
    /// Whether there is a battery that feeds the machine.
    pub battery: bool,
    /// Whether such a battery is being discharged.
    pub discharging: bool,
    /// The firmware's profile, such as `balanced` or `low-power`; `None` where it has none.
    pub profile: Option<String>,
}

/// Where results go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// The folder.
    pub path: PathBuf,
    /// What is free for us in its file system, bytes.
    pub free_bytes: Told<u64>,
    /// Whether files can be made in it.
    pub writable: bool,
}

/// The interpreters that would be compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Builds {
    /// The interpreters; empty when none was found.
    pub interpreters: Vec<InterpreterFacts>,
    /// Why some that were asked for cannot be used.
    pub skipped: Vec<String>,
}
