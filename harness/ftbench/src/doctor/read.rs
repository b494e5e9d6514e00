//! Reads facts from the system. This is the only part of the doctor that reads files.
//!
//! The files are below a root folder, which is `/` except in tests, so that recorded files can represent any machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use procfs::prelude::*;
use procfs::{LoadAverage, Meminfo, VmStat};
use rustix::fs::Access;

use super::facts::{
    Activity, Cores, Folder, Frequency, FrequencyPolicy, Heat, Kernel, Known, Memory, MemorySizes, Moment,
    Power, Stat, ThermalZone, Ticks, Unknown,
};
use crate::machine::topology::Topology;
use crate::outside;
use crate::process::quota::QuotaError;

/// How much of a malformed file is quoted, characters.
const MAX_QUOTED_CHARACTERS: usize = 40;

/// The largest system file that is read, bytes. It has room for `/proc/cpuinfo` with thousands of PUs.
const LARGEST_FILE_BYTES: u64 = 16 << 20;

/// A system whose files can be read.
#[derive(Debug, Clone)]
pub struct System {
    root: PathBuf,
}

impl System {
    /// The system with its files below `root`.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Reads the limits of the cores of `topology`. The quota is given, from [`crate::process::quota`].
    #[must_use]
    pub fn cores(&self, topology: &Topology, quota: Result<Option<f64>, QuotaError>) -> Cores {
        Cores {
            topology: topology.clone(),
            quota: quota.map_err(|error| {
                Unknown::Other(error.to_string().lines().next().unwrap_or_default().to_owned())
            }),
            isolated: self.parsed("/sys/devices/system/cpu/isolated", pu_list),
            tickless: self.parsed("/sys/devices/system/cpu/nohz_full", pu_list),
        }
    }

    /// Reads how the frequency is set.
    #[must_use]
    pub fn frequency(&self) -> Frequency {
        let policies = self.entries("/sys/devices/system/cpu/cpufreq", "policy");
        Frequency {
            policies: policies.iter().filter_map(|path| self.policy(path)).collect(),
            intel_no_turbo: self
                .parsed("/sys/devices/system/cpu/intel_pstate/no_turbo", switch)
                .ok(),
            boost: self.parsed("/sys/devices/system/cpu/cpufreq/boost", switch).ok(),
        }
    }

    /// Reads one policy; `None` if it is gone or incomplete.
    fn policy(&self, path: &str) -> Option<FrequencyPolicy> {
        let word = |name: &str| self.word(&format!("{path}/{name}")).ok();
        let pus = self.parsed(&format!("{path}/affected_cpus"), |text| {
            text.split_ascii_whitespace()
                .map(|word| word.parse().ok())
                .collect::<Option<Vec<u32>>>()
        });
        Some(FrequencyPolicy {
            pus: pus.ok()?,
            driver: word("scaling_driver")?,
            governor: word("scaling_governor")?,
            preference: word("energy_performance_preference"),
        })
    }

    /// Combines moments with the load average and the product. `seconds` is the time from the first moment to the last.
    #[must_use]
    pub fn activity(&self, moments: Vec<Moment>, seconds: f64) -> Activity {
        let path = "/proc/loadavg";
        let cpuinfo = self.text("/proc/cpuinfo").unwrap_or_default();
        let product = ["sys_vendor", "product_name"].map(|name| {
            self.word(&format!("/sys/class/dmi/id/{name}"))
                .unwrap_or_default()
        });
        Activity {
            moments,
            seconds,
            load_average: self.text(path).and_then(|text| {
                let parsed = LoadAverage::from_read(text.as_bytes());
                parsed
                    .map(|load| f64::from(load.one))
                    .map_err(|_| malformed(path, &text))
            }),
            hypervisor: has_hypervisor_flag(&cpuinfo),
            product: product.join(" ").trim().to_owned(),
        }
    }

    /// Reads the counters now.
    #[must_use]
    pub fn moment(&self) -> Moment {
        Moment {
            stat: self.parsed("/proc/stat", stat),
            swapped_pages: self.parsed("/proc/vmstat", |text| {
                let counters = VmStat::from_buf_read(text.as_bytes()).ok()?.0;
                let count = |name: &str| u64::try_from(*counters.get(name)?).ok();
                Some(count("pswpin")?.saturating_add(count("pswpout")?))
            }),
            throttle_events: self.throttle_events(),
        }
    }

    /// Sums the throttle counters. Each PU has the counter of its package too, which inflates the sum but not whether
    /// it rises.
    fn throttle_events(&self) -> Option<u64> {
        let counts: Vec<u64> = self
            .entries("/sys/devices/system/cpu", "cpu")
            .iter()
            .flat_map(|path| {
                ["core", "package"].map(|part| format!("{path}/thermal_throttle/{part}_throttle_count"))
            })
            .filter_map(|path| self.number(&path).ok())
            .collect();
        (!counts.is_empty()).then(|| counts.into_iter().fold(0, u64::saturating_add))
    }

    /// Reads facts about memory and swap.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let path = "/proc/meminfo";
        let sizes = self.text(path).and_then(|text| {
            let parsed = meminfo(&text).ok_or_else(|| malformed(path, &text))?;
            Ok(MemorySizes {
                total_bytes: parsed.mem_total,
                // Kernels before 3.14 do not report it. Free pages plus the cache come close.
                available_bytes: parsed
                    .mem_available
                    .unwrap_or(parsed.mem_free.saturating_add(parsed.cached)),
                swap_total_bytes: parsed.swap_total,
                swap_used_bytes: parsed.swap_total.saturating_sub(parsed.swap_free),
            })
        });
        Memory {
            sizes,
            swappiness: self.number("/proc/sys/vm/swappiness"),
            numa_balancing: self.number("/proc/sys/kernel/numa_balancing"),
            huge_pages: self.parsed("/sys/kernel/mm/transparent_hugepage/enabled", chosen),
        }
    }

    /// Reads settings of the kernel.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        /// `ADDR_NO_RANDOMIZE` in `include/uapi/linux/personality.h`.
        const FIXED_LAYOUT: u32 = 0x0004_0000;
        let personality = self.parsed("/proc/self/personality", |text| {
            u32::from_str_radix(text.trim(), 16).ok()
        });
        Kernel {
            randomize_va_space: self.number("/proc/sys/kernel/randomize_va_space"),
            layout_is_fixed: personality.is_ok_and(|flags| flags & FIXED_LAYOUT != 0),
            clock_source: self.word("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
            perf_event_paranoid: self.number("/proc/sys/kernel/perf_event_paranoid"),
            monitoring_units: self
                .entries("/sys/bus/event_source/devices", "")
                .iter()
                .filter_map(|path| Some(path.rsplit('/').next()?.to_owned()))
                .collect(),
            root: rustix::process::geteuid().is_root(),
        }
    }

    /// Reads temperatures and throttling.
    #[must_use]
    pub fn heat(&self) -> Heat {
        let coolers = self.entries("/sys/class/thermal", "cooling_device");
        Heat {
            zones: self
                .entries("/sys/class/thermal", "thermal_zone")
                .iter()
                .filter_map(|path| self.zone(path))
                .collect(),
            slowing: coolers.iter().filter_map(|path| self.slowing(path)).collect(),
        }
    }

    fn zone(&self, path: &str) -> Option<ThermalZone> {
        /// Lower limits are ignored, because firmware writes 0 or absolute zero for unused trip points.
        const COLDEST_LIMIT_CELSIUS: f64 = 1.0;
        let celsius = |path: &str| Some(self.number::<f64>(path).ok()? / 1000.0);
        let limits = self
            .entries(path, "trip_point_")
            .into_iter()
            .filter_map(|file| file.strip_suffix("_type").map(str::to_owned))
            .filter(|trip| {
                matches!(
                    self.word(&format!("{trip}_type")).as_deref(),
                    Ok("passive" | "hot" | "critical")
                )
            })
            .filter_map(|trip| celsius(&format!("{trip}_temp")))
            .filter(|limit| *limit >= COLDEST_LIMIT_CELSIUS);
        Some(ThermalZone {
            name: self.word(&format!("{path}/type")).ok()?,
            celsius: celsius(&format!("{path}/temp"))?,
            limit_celsius: limits.min_by(f64::total_cmp),
        })
    }

    /// The name of a cooling device if it is slowing the processor. ACPI's device is named `Processor`; device trees
    /// have `cpufreq-...`, or `thermal-cpufreq-0` with older kernels. The state of an idle `intel_powerclamp` is -1.
    fn slowing(&self, path: &str) -> Option<String> {
        let name = self.word(&format!("{path}/type")).ok()?;
        let slows_processor = name == "Processor" || name.contains("cpufreq") || name == "intel_powerclamp";
        let state: i64 = self.number(&format!("{path}/cur_state")).ok()?;
        (slows_processor && state > 0).then_some(name)
    }

    /// Reads facts about the power supply.
    #[must_use]
    pub fn power(&self) -> Power {
        let batteries: Vec<String> = self
            .entries("/sys/class/power_supply", "")
            .into_iter()
            .filter(|path| self.word(&format!("{path}/type")).as_deref() == Ok("Battery"))
            // Batteries of mice and keyboards have the scope `Device`.
            .filter(|path| self.word(&format!("{path}/scope")).as_deref() != Ok("Device"))
            .collect();
        let discharging =
            |path: &String| self.word(&format!("{path}/status")).as_deref() == Ok("Discharging");
        Power {
            battery: !batteries.is_empty(),
            discharging: batteries.iter().any(discharging),
            profile: self.word("/sys/firmware/acpi/platform_profile").ok(),
        }
    }

    fn text(&self, path: &str) -> Known<String> {
        let file = self.root.join(path.trim_start_matches('/'));
        outside::read(&file, LARGEST_FILE_BYTES)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .map_err(|error| {
                let path = path.to_owned();
                match error.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unknown::Missing { path },
                    _ => Unknown::Unreadable {
                        path,
                        reason: error.to_string(),
                    },
                }
            })
    }

    fn word(&self, path: &str) -> Known<String> {
        self.text(path).map(|text| text.trim().to_owned())
    }

    fn parsed<T>(&self, path: &str, parse: impl FnOnce(&str) -> Option<T>) -> Known<T> {
        let text = self.text(path)?;
        parse(&text).ok_or_else(|| malformed(path, &text))
    }

    fn number<T: std::str::FromStr>(&self, path: &str) -> Known<T> {
        self.parsed(path, |text| text.trim().parse().ok())
    }

    /// The sorted paths of the entries of a folder that begin with a prefix; empty if there is no such folder.
    fn entries(&self, folder: &str, prefix: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.root.join(folder.trim_start_matches('/'))) else {
            return Vec::new();
        };
        let mut paths: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with(prefix))
            .map(|name| format!("{folder}/{name}"))
            .collect();
        paths.sort();
        paths
    }
}

/// Reads facts about the folder for results.
#[must_use]
pub fn folder(path: &Path) -> Folder {
    let free = rustix::fs::statvfs(path).map(|system| system.f_bavail.saturating_mul(system.f_frsize));
    Folder {
        path: path.to_owned(),
        free_bytes: free.map_err(|error| Unknown::Unreadable {
            path: path.display().to_string(),
            reason: error.to_string(),
        }),
        writable: rustix::fs::access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok(),
    }
}

fn malformed(path: &str, text: &str) -> Unknown {
    Unknown::Malformed {
        path: path.to_owned(),
        text: text.trim().chars().take(MAX_QUOTED_CHARACTERS).collect(),
    }
}

/// Parses `/proc/meminfo`. Passes only text such as the kernel writes to the library, ASCII with sizes in kilobytes,
/// because the library multiplies by units without overflow checks and splits names at any byte.
fn meminfo(text: &str) -> Option<Meminfo> {
    const MAX_DIGITS: usize = 16;
    let is_sane = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let (number, unit) = (words.next(), words.next());
        number.is_none_or(|number| number.len() <= MAX_DIGITS) && unit.is_none_or(|unit| unit == "kB")
    };
    (text.is_ascii() && text.lines().all(is_sane)).then_some(())?;
    Meminfo::from_read(text.as_bytes()).ok()
}

/// Parses `0` or `1`.
pub fn switch(text: &str) -> Option<bool> {
    match text.trim() {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// Parses one of the kernel's lists of PUs, such as `0,2-4` (`Documentation/admin-guide/kernel-parameters.rst`, "cpu
/// lists"). It may be empty; an empty `nohz_full` is `(null)`.
pub fn pu_list(text: &str) -> Option<Vec<u32>> {
    /// More PUs than any Linux system has. It bounds the memory for a malformed list.
    const MAX_PUS: u32 = 1 << 16;
    let text = text.trim();
    if text.is_empty() || text == "(null)" {
        return Some(Vec::new());
    }
    let mut pus = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
        if first > last || last >= MAX_PUS {
            return None;
        }
        pus.extend(first..=last);
    }
    pus.sort_unstable();
    pus.dedup();
    Some(pus)
}

/// Returns the word in brackets, such as `madvise` in `always [madvise] never`.
pub fn chosen(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('[')?;
    let (word, _) = rest.split_once(']')?;
    Some(word.to_owned())
}

/// Whether the CPU flags in `/proc/cpuinfo` include `hypervisor`.
pub fn has_hypervisor_flag(cpuinfo: &str) -> bool {
    cpuinfo
        .lines()
        .filter(|line| line.starts_with("flags"))
        .any(|line| line.split_ascii_whitespace().any(|flag| flag == "hypervisor"))
}

/// Parses `/proc/stat`: user, nice, system, idle, iowait, irq, softirq and steal of each PU. User time includes guest
/// time (`Documentation/filesystems/proc.rst`, 1.7). The parser of procfs is not used, because it numbers the lines,
/// which is wrong if PUs are offline.
pub fn stat(text: &str) -> Option<Stat> {
    let mut stat = Stat::default();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let name = words.next()?;
        if name == "procs_running" {
            stat.runnable = Some(words.next()?.parse().ok()?);
        } else if let Some(Ok(pu)) = name.strip_prefix("cpu").map(str::parse) {
            let fields: Vec<u64> = words.map(str::parse).collect::<Result<_, _>>().ok()?;
            let field = |index: usize| fields.get(index).copied().unwrap_or(0);
            let ticks = Ticks {
                busy: [0, 1, 2, 5, 6]
                    .into_iter()
                    .map(field)
                    .fold(0, u64::saturating_add),
                idle: field(3).saturating_add(field(4)),
                steal: field(7),
            };
            stat.pus.insert(pu, ticks);
        }
    }
    (!stat.pus.is_empty()).then_some(stat)
}

#[cfg(test)]
mod tests;
