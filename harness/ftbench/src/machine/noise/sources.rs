//! Detects which figures of noise and cost this machine reports, and why it does not report the others.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{CPUS, Detected, Meters, SCHEDSTAT, STAT, pressure, pu_time, throttle};
use crate::machine::cost::counters::{self, Counters};
use crate::machine::cost::energy::{self, POWERCAP, Zone};
use crate::machine::cost::processes;
use crate::process::control_groups;
use ftbench_schema::Source;

/// Files with a PU's frequency, the measured one before the requested one (`Documentation/admin-guide/pm/cpufreq.rst`).
const FREQUENCY_FILES: [&str; 2] = ["cpuinfo_avg_freq", "scaling_cur_freq"];

/// Tries every source once. `allowed_pus` are the PUs that ftbench may use.
#[must_use]
pub fn find(allowed_pus: &[u32]) -> Detected {
    let ticks_per_second = procfs::ticks_per_second();
    let stat = read(STAT).map(|text| pu_time::parse_stat(&text, ticks_per_second));
    let has_stat = stat.is_ok_and(|pus| allowed_pus.iter().all(|pu| pus.contains_key(pu)));
    let schedstat = read(SCHEDSTAT).is_ok_and(|text| pu_time::parse_schedstat(&text).is_some());
    let own_groups = read(control_groups::OWN_GROUPS).unwrap_or_default();
    let cpu_stat_files = throttle::cpu_stat_files(Path::new(control_groups::MOUNT_POINT), &own_groups);
    let frequency_files = frequency_files(Path::new(CPUS), allowed_pus);
    let zones = energy::zones(Path::new(POWERCAP));
    let counting = own_id().and_then(Counters::attach);
    let tick_ms = 1_000 / ticks_per_second.max(1);
    let mut sources = of_pus(has_stat, schedstat, tick_ms).to_vec();
    sources.extend(of_processes());
    sources.extend([
        pressure(),
        source_if(
            "frequency",
            frequency_files.len() == allowed_pus.len() && !allowed_pus.is_empty(),
            "cpufreq in /sys/devices/system/cpu, read after the sample",
            "no cpufreq in /sys/devices/system/cpu, as in most virtual machines",
        ),
        source_if(
            "thermal_throttling",
            allowed_pus
                .iter()
                .any(|&pu| !throttle::thermal_files(Path::new(CPUS), pu).is_empty()),
            "thermal_throttle in /sys/devices/system/cpu",
            "no thermal_throttle in /sys/devices/system/cpu; only Intel processors outside virtual machines have it",
        ),
        source_if(
            "quota_throttling",
            !cpu_stat_files.is_empty(),
            "cpu.stat of ftbench's control group and its ancestors",
            "no visible control group can have a CPU quota",
        ),
        energy_source(&zones),
        match &counting {
            Ok(_) => readable("hardware_counters", "perf events, in user mode"),
            Err(error) => unreadable("hardware_counters", counters::reason(error)),
        },
    ]);
    let meters = Meters {
        allowed_pus: allowed_pus.to_vec(),
        ticks_per_second,
        schedstat,
        cpu_stat_files,
        frequency_files,
        zones: zones.unwrap_or_default(),
        counters: counting.is_ok(),
        helpers: Vec::new(),
    };
    Detected { meters, sources }
}

fn of_pus(has_stat: bool, schedstat: bool, tick_ms: u64) -> [Source; 2] {
    let no_stat = "/proc/stat does not list all PUs that may be used";
    let steal = format!("/proc/stat, in steps of {tick_ms} ms");
    let others = if schedstat {
        "/proc/schedstat, nanoseconds".to_owned()
    } else {
        format!("/proc/stat, in steps of {tick_ms} ms, because the kernel has no /proc/schedstat")
    };
    [
        source_if("steal", has_stat, &steal, no_stat),
        source_if("others", has_stat, &others, no_stat),
    ]
}

fn of_processes() -> [Source; 4] {
    let own = own_id().map(|id| (processes::cpu_times_ns(&[id]), processes::read(&[id])));
    let (cpu, own) = own.unwrap_or_default();
    let threads = || own.threads.values();
    [
        source_if(
            "run_queue",
            threads().any(|thread| thread.run_queue_ns.is_some()),
            "/proc/PID/task/TID/schedstat, nanoseconds",
            "/proc/PID/task/TID/schedstat has no figures: the kernel was built without CONFIG_SCHED_INFO",
        ),
        source_if(
            "cpu_time",
            cpu.iter().any(Option::is_some),
            "each process's CPU-time clock, nanoseconds",
            "the processes' CPU-time clocks cannot be read",
        ),
        source_if(
            "context_switches",
            threads().any(|thread| thread.involuntary_switches.is_some()),
            "/proc/PID/task/TID/status",
            "/proc/PID/task/TID/status cannot be read",
        ),
        source_if(
            "page_faults",
            !own.faults.is_empty(),
            "/proc/PID/stat",
            "/proc/PID/stat cannot be read",
        ),
    ]
}

fn pressure() -> Source {
    let pressure = pressure::read();
    source_if(
        "pressure",
        pressure
            .cpu_ns
            .or(pressure.memory_ns)
            .or(pressure.io_ns)
            .is_some(),
        "/proc/pressure, of the whole machine, microseconds",
        "no /proc/pressure: the kernel was built without CONFIG_PSI, or needs 'psi=1' on its command line",
    )
}

fn energy_source(zones: &io::Result<Vec<Zone>>) -> Source {
    match zones {
        Ok(_) => readable(
            "energy",
            "RAPL in /sys/class/powercap, of whole processor packages",
        ),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => unreadable(
            "energy",
            "only root may read energy_uj in /sys/class/powercap".to_owned(),
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => unreadable(
            "energy",
            "no RAPL zone in /sys/class/powercap: the processor has none, or this is a virtual machine"
                .to_owned(),
        ),
        Err(error) => unreadable("energy", format!("the RAPL counters cannot be read: {error}")),
    }
}

fn frequency_files(cpus: &Path, pus: &[u32]) -> BTreeMap<u32, PathBuf> {
    let file = |pu: u32| {
        FREQUENCY_FILES
            .iter()
            .map(|name| cpus.join(format!("cpu{pu}/cpufreq/{name}")))
            .find(|path| super::number(path).is_some_and(|khz| khz > 0))
    };
    pus.iter().filter_map(|&pu| Some((pu, file(pu)?))).collect()
}

fn source_if(name: &str, is_readable: bool, from: &str, reason: &str) -> Source {
    if is_readable {
        readable(name, from)
    } else {
        unreadable(name, reason.to_owned())
    }
}

fn readable(name: &str, from: &str) -> Source {
    Source {
        name: name.to_owned(),
        readable: true,
        from: Some(from.to_owned()),
        reason: None,
    }
}

fn unreadable(name: &str, reason: String) -> Source {
    Source {
        name: name.to_owned(),
        readable: false,
        from: None,
        reason: Some(reason),
    }
}

fn own_id() -> io::Result<i32> {
    i32::try_from(std::process::id()).map_err(io::Error::other)
}

fn read(path: &str) -> io::Result<String> {
    fs::read_to_string(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::file_tree::file_tree;

    #[test]
    fn every_source_names_its_origin_or_a_reason() {
        let found = find(&[0]);
        let names: Vec<&str> = found.sources.iter().map(|source| source.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "steal",
                "others",
                "run_queue",
                "cpu_time",
                "context_switches",
                "page_faults",
                "pressure",
                "frequency",
                "thermal_throttling",
                "quota_throttling",
                "energy",
                "hardware_counters"
            ]
        );
        for source in &found.sources {
            assert_eq!(source.readable, source.from.is_some(), "{source:?}");
            assert_eq!(source.readable, source.reason.is_none(), "{source:?}");
        }
    }

    #[test]
    fn a_measured_frequency_is_preferred() {
        let cpus = file_tree(&[
            ("cpu0/cpufreq/scaling_cur_freq", "2400000\n"),
            ("cpu1/cpufreq/scaling_cur_freq", "2400000\n"),
            ("cpu1/cpufreq/cpuinfo_avg_freq", "3100000\n"),
            ("cpu2/cpufreq/scaling_cur_freq", "<unknown>\n"),
        ]);
        let files = frequency_files(cpus.path(), &[0, 1, 2, 3]);
        let names: Vec<_> = files
            .iter()
            .map(|(pu, path)| (*pu, path.file_name().unwrap()))
            .collect();
        assert_eq!(
            names,
            [(0, "scaling_cur_freq".as_ref()), (1, "cpuinfo_avg_freq".as_ref())]
        );
    }

    #[test]
    fn unreadable_energy_has_a_reason() {
        let reason = |kind: io::ErrorKind| energy_source(&Err(kind.into())).reason.unwrap();
        assert!(reason(io::ErrorKind::PermissionDenied).contains("only root"));
        assert!(reason(io::ErrorKind::NotFound).contains("no RAPL zone"));
        assert!(reason(io::ErrorKind::InvalidData).contains("cannot be read"));
    }
}
