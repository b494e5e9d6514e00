//! Machine fixtures for tests.

use super::facts::{
    Activity, Builds, Cores, Facts, Folder, Frequency, FrequencyPolicy, Heat, Kernel, Known, Memory,
    MemorySizes, Moment, Power, Stat, ThermalZone, Ticks, Unknown,
};
use crate::machine::discovery::samples;
use ftbench_fixtures::interpreters::facts;
use ftbench_schema::MachineFacts;

const GIB: u64 = 1024 * 1024 * 1024;

fn moment(ticks: Ticks, runnable: u32) -> Moment {
    Moment {
        stat: Ok(Stat {
            pus: (0..4).map(|pu| (pu, ticks)).collect(),
            runnable: Some(runnable),
        }),
        swapped_pages: Ok(0),
        throttle_events: Some(0),
    }
}

/// Four cores without other load, and a pair of builds that differ only in the GIL.
pub(crate) fn quiet_workstation() -> Facts {
    let ticks = |half_seconds: u64| Ticks {
        busy: 900,
        idle: 100_000 + 50 * half_seconds,
        steal: 0,
    };
    Facts {
        cores: Cores {
            topology: samples::synthetic("pack:1 [numa] core:4 pu:1"),
            quota: Ok(None),
            isolated: Ok(Vec::new()),
            tickless: Ok(Vec::new()),
        },
        frequency: Frequency {
            policies: vec![FrequencyPolicy {
                pus: vec![0, 1, 2, 3],
                driver: "acpi-cpufreq".to_owned(),
                governor: "performance".to_owned(),
                preference: None,
            }],
            intel_no_turbo: None,
            boost: Some(false),
        },
        activity: Activity {
            moments: (0..6).map(|index| moment(ticks(index), 1)).collect(),
            seconds: 0.5,
            load_average: Ok(0.05),
            hypervisor: false,
            product: "Maker Workstation 1".to_owned(),
        },
        memory: Memory {
            sizes: Ok(MemorySizes {
                total_bytes: 32 * GIB,
                available_bytes: 24 * GIB,
                swap_total_bytes: 0,
                swap_used_bytes: 0,
            }),
            swappiness: Ok(60),
            numa_balancing: Ok(0),
            huge_pages: Ok("madvise".to_owned()),
        },
        kernel: Kernel {
            randomize_va_space: Ok(2),
            layout_is_fixed: false,
            clock_source: Ok("tsc".to_owned()),
            perf_event_paranoid: Ok(2),
            monitoring_units: vec!["cpu".to_owned(), "software".to_owned()],
            root: false,
        },
        heat: Heat {
            zones: vec![ThermalZone {
                name: "x86_pkg_temp".to_owned(),
                celsius: 41.0,
                limit_celsius: Some(100.0),
            }],
            slowing: Vec::new(),
        },
        power: Power {
            battery: false,
            discharging: false,
            profile: None,
        },
        folder: Folder {
            path: "/home/a/bench".into(),
            free_bytes: Ok(100 * GIB),
            writable: true,
        },
        builds: Builds {
            interpreters: ["3.14.2", "3.14.2t"].map(facts).to_vec(),
            skipped: Vec::new(),
        },
    }
}

/// A machine with most of the problems that the checks detect.
pub(crate) fn busy_virtual_machine() -> Facts {
    let quiet = quiet_workstation();
    let mut builds = quiet.builds.clone();
    for interpreter in builds.interpreters.iter_mut().take(1) {
        interpreter.build.pgo = true;
    }
    let ticks = |half_seconds: u64| Ticks {
        busy: 5_000 + 40 * half_seconds,
        idle: 9_000 + 6 * half_seconds,
        steal: 300 + 4 * half_seconds,
    };
    Facts {
        cores: Cores {
            quota: Ok(Some(1.5)),
            ..quiet.cores
        },
        frequency: Frequency {
            policies: Vec::new(),
            intel_no_turbo: Some(false),
            boost: None,
        },
        activity: Activity {
            moments: (0..6).map(|index| moment(ticks(index), 4)).collect(),
            load_average: Ok(3.2),
            hypervisor: true,
            product: "QEMU Standard PC".to_owned(),
            ..quiet.activity
        },
        memory: Memory {
            huge_pages: Ok("always".to_owned()),
            ..quiet.memory
        },
        kernel: Kernel {
            monitoring_units: vec!["software".to_owned()],
            ..quiet.kernel
        },
        builds,
        ..quiet
    }
}

/// A system on which no file can be read, without interpreters.
pub(crate) fn unreadable_system() -> Facts {
    fn missing<T>(path: &str) -> Known<T> {
        Err(Unknown::Missing {
            path: path.to_owned(),
        })
    }
    let quiet = quiet_workstation();
    Facts {
        cores: Cores {
            topology: samples::two_sockets(),
            quota: missing("/sys/fs/cgroup/cpu.max"),
            isolated: missing("/sys/devices/system/cpu/isolated"),
            tickless: missing("/sys/devices/system/cpu/nohz_full"),
        },
        frequency: Frequency {
            policies: Vec::new(),
            intel_no_turbo: None,
            boost: None,
        },
        activity: Activity {
            moments: vec![
                Moment {
                    stat: missing("/proc/stat"),
                    swapped_pages: missing("/proc/vmstat"),
                    throttle_events: None,
                };
                2
            ],
            seconds: 0.5,
            load_average: missing("/proc/loadavg"),
            hypervisor: false,
            product: String::new(),
        },
        memory: Memory {
            sizes: missing("/proc/meminfo"),
            swappiness: missing("/proc/sys/vm/swappiness"),
            numa_balancing: missing("/proc/sys/kernel/numa_balancing"),
            huge_pages: missing("/sys/kernel/mm/transparent_hugepage/enabled"),
        },
        kernel: Kernel {
            randomize_va_space: missing("/proc/sys/kernel/randomize_va_space"),
            layout_is_fixed: false,
            clock_source: missing("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
            perf_event_paranoid: missing("/proc/sys/kernel/perf_event_paranoid"),
            monitoring_units: vec!["cpu".to_owned()],
            root: false,
        },
        heat: Heat {
            zones: Vec::new(),
            slowing: Vec::new(),
        },
        folder: Folder {
            free_bytes: missing("/home/a/bench"),
            ..quiet.folder
        },
        builds: Builds {
            interpreters: Vec::new(),
            skipped: Vec::new(),
        },
        ..quiet
    }
}

/// The facts about the machine itself.
pub(crate) fn machine() -> MachineFacts {
    MachineFacts {
        hostname: "bench-1".to_owned(),
        cpu_model: "Example CPU 4-Core".to_owned(),
        memory_bytes: 32 * GIB,
        ..ftbench_fixtures::records::machine(4)
    }
}
