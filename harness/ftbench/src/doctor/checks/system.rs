//! Checks settings of the kernel, and the folder for results.

use super::{Check, Finding};
use crate::doctor::Severity;
use crate::doctor::facts::{Folder, Kernel};
use ftbench_schema::units;

/// Free space below which disk space is a warning. A thorough run of a large plan writes some tens of megabytes,
/// including charts, so this is enough for several runs.
const COMFORTABLE_FREE_BYTES: u64 = 512 * 1024 * 1024;

/// The highest level at which unprivileged processes may count events. `Documentation/admin-guide/sysctl/kernel.rst`
/// ends at 2, which still allows a process's own user-space events; Debian and Ubuntu add higher levels that allow
/// nothing.
const STRICTEST_USABLE: i32 = 2;

/// Checks address space layout randomisation. The location of code and data changes the time of the same program by
/// several percent: Mytkowicz, Diwan, Hauswirth and Sweeney, "Producing Wrong Data Without Doing Anything Obviously
/// Wrong!" (ASPLOS 2009). Guides that measure one process, such as LLVM's tips, turn randomisation off to get the same
/// layout each time. ftbench starts a fresh process for every trial. With randomisation, layouts average out and are
/// part of the interval; without it, each build keeps one layout in all rounds, and a lucky layout looks like a fast
/// build. The levels are in `Documentation/admin-guide/sysctl/kernel.rst` (`randomize_va_space`); `setarch -R` is
/// personality(2), `ADDR_NO_RANDOMIZE`.
pub fn aslr(kernel: &Kernel) -> Finding {
    let check = Check::Aslr;
    let level = match &kernel.randomize_va_space {
        Ok(level) => *level,
        Err(why) => return Finding::unknown(check, why),
    };
    let effect = "All processes of a build have the same memory layout: its effect of a few percent is the same in \
                  every round and looks like the build's own speed.";
    if kernel.layout_is_fixed {
        return Finding::new(check, Severity::Warning, "off for this process (setarch -R)")
            .effect(effect)
            .remedy("start ftbench without 'setarch -R'");
    }
    match level {
        0 => Finding::new(check, Severity::Warning, "off")
            .effect(effect)
            .remedy("'sudo sysctl kernel.randomize_va_space=2'"),
        1 => Finding::new(check, Severity::Note, "on, but not for the heap")
            .effect("Fresh processes average over layouts of stack and libraries, not of the heap.")
            .remedy("'sudo sysctl kernel.randomize_va_space=2'"),
        _ => Finding::ok(check, "on")
            .effect("Good here: every trial is a fresh process, so layouts average out."),
    }
}

/// Checks the source of `CLOCK_MONOTONIC`. Fast sources are read in user space in some 20 to 50 ns (vDSO; vdso(7)). The
/// others need a system call or a slow read from a device: about 1 µs, which is 0.001 % of a sample of 100 ms. They are
/// a warning because the kernel abandons `tsc` only if it is unstable (`Documentation/timers/timekeeping.rst`,
/// `Documentation/virt/kvm/x86/timekeeping.rst`). `jiffies` has the resolution of the timer tick, 1 to 10 ms: up to a
/// tenth of a sample, so it spoils.
pub fn clock_source(kernel: &Kernel) -> Finding {
    /// The names of fast sources in the kernel's drivers for x86, arm64, riscv, powerpc and s390.
    const FAST: [&str; 8] = [
        "tsc",
        "kvm-clock",
        "hyperv_clocksource_tsc_page",
        "arch_sys_counter",
        "riscv_clocksource",
        "timebase",
        "tod",
        "stable counter",
    ];
    let check = Check::ClockSource;
    let source = match &kernel.clock_source {
        Ok(source) => source.as_str(),
        Err(why) => return Finding::unknown(check, why),
    };
    if FAST.contains(&source) {
        return Finding::ok(check, source);
    }
    let remedy = "see 'dmesg | grep -i -e tsc -e clocksource' for why it was chosen; 'tsc=reliable' on the kernel's \
                  command line if the hardware is known to be good";
    if source == "jiffies" {
        return Finding::new(check, Severity::Spoils, source)
            .effect("Times come in steps of the timer tick, 1 to 10 ms: short samples are rounded by several percent.")
            .remedy(remedy);
    }
    Finding::new(check, Severity::Warning, source)
        .effect(
            "Reading the clock takes about a microsecond instead of some 30 ns. That is negligible for samples of 100 \
             ms, but not for workloads that read clocks, such as asyncio's loop.",
        )
        .remedy(remedy)
}

/// Checks whether instructions, cycles and cache misses can be counted. `kernel.perf_event_paranoid` limits what may be
/// counted without privileges, and the kernel lists what can be counted at all under `/sys/bus/event_source/devices`.
/// Times do not depend on this.
pub fn hardware_counters(kernel: &Kernel) -> Finding {
    let check = Check::HardwareCounters;
    let effect = "Times are not affected. Instructions, cycles and cache misses cannot be shown beside them.";
    // The unit is named cpu on x86, or cpu_core and cpu_atom on hybrids; armv8_... and apple_... on Arm; cpum_cf on
    // s390; cpu on riscv.
    let has_unit = kernel
        .monitoring_units
        .iter()
        .any(|unit| unit.starts_with("cpu") || unit.starts_with("armv") || unit.starts_with("apple_"));
    if !has_unit {
        return Finding::new(
            check,
            Severity::Note,
            "the kernel found no performance monitoring unit",
        )
        .effect(effect)
        .remedy("in a virtual machine, let the host provide one (libvirt: <pmu state='on'/>)");
    }
    match &kernel.perf_event_paranoid {
        Err(why) => Finding::unknown(check, why).effect(effect),
        Ok(level) if *level <= STRICTEST_USABLE || kernel.root => {
            Finding::ok(check, format!("can be read (perf_event_paranoid {level})"))
        }
        Ok(level) => Finding::new(
            check,
            Severity::Note,
            format!("forbidden (perf_event_paranoid {level})"),
        )
        .effect(effect)
        .remedy(format!(
            "'sudo sysctl kernel.perf_event_paranoid={STRICTEST_USABLE}'"
        )),
    }
}

/// Checks the folder for results, which is `results/` in the current folder by default. A full disk ends a run but
/// loses no trial, so this is only a warning.
pub fn disk_space(folder: &Folder) -> Finding {
    let check = Check::DiskSpace;
    let shown = folder.path.display();
    if !folder.writable {
        return Finding::new(check, Severity::Warning, format!("{shown} cannot be written to"))
            .effect("A run cannot write its results, and does not start.")
            .remedy("change to another folder, or give one with '--out DIR'");
    }
    match &folder.free_bytes {
        Err(why) => Finding::unknown(check, why),
        Ok(free) => {
            let found = format!("{} free in {shown}", units::bytes(*free as f64));
            if *free >= COMFORTABLE_FREE_BYTES {
                return Finding::ok(check, found);
            }
            Finding::new(check, Severity::Warning, found)
                .effect("A run may end because the disk is full. What was measured until then is kept.")
                .remedy("free some space, or give a folder on another disk with '--out DIR'")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::doctor::facts::Unknown;
    use crate::doctor::fixtures;

    fn kernel() -> Kernel {
        fixtures::quiet_workstation().kernel
    }

    #[test]
    fn disabled_randomisation_is_a_warning() {
        let judged = |level| {
            aslr(&Kernel {
                randomize_va_space: Ok(level),
                ..kernel()
            })
        };
        assert_eq!(judged(2).severity, Severity::Ok);
        assert_eq!(judged(1).severity, Severity::Note);
        assert_eq!(judged(0).severity, Severity::Warning);
        let fixed = aslr(&Kernel {
            layout_is_fixed: true,
            ..kernel()
        });
        assert_eq!(fixed.severity, Severity::Warning);
        assert!(fixed.remedy.unwrap().contains("setarch"));
    }

    #[test]
    fn severity_of_a_clock_depends_on_cost_and_resolution() {
        let severity = |source: &str| {
            clock_source(&Kernel {
                clock_source: Ok(source.to_owned()),
                ..kernel()
            })
            .severity
        };
        assert_eq!(severity("tsc"), Severity::Ok);
        assert_eq!(severity("kvm-clock"), Severity::Ok);
        assert_eq!(severity("hpet"), Severity::Warning);
        assert_eq!(severity("jiffies"), Severity::Spoils);
    }

    #[test]
    fn hardware_counters_need_a_unit_and_permission() {
        let judged = |level, root, units: &[&str]| {
            hardware_counters(&Kernel {
                perf_event_paranoid: Ok(level),
                root,
                monitoring_units: units.iter().map(|&unit| unit.to_owned()).collect(),
                ..kernel()
            })
            .severity
        };
        assert_eq!(judged(2, false, &["cpu", "software"]), Severity::Ok);
        assert_eq!(judged(4, false, &["cpu_core"]), Severity::Note);
        assert_eq!(judged(4, true, &["armv8_pmuv3_0"]), Severity::Ok);
        assert_eq!(judged(-1, true, &["software", "tracepoint"]), Severity::Note);
    }

    #[test]
    fn low_disk_space_is_a_warning() {
        let folder = |free_bytes, writable| Folder {
            path: "/home/a".into(),
            free_bytes,
            writable,
        };
        assert_eq!(disk_space(&folder(Ok(600 << 20), true)).severity, Severity::Ok);
        assert_eq!(
            disk_space(&folder(Ok(600 << 20), false)).severity,
            Severity::Warning
        );
        let full = disk_space(&folder(Ok(3 << 20), true));
        assert_eq!(
            (full.severity, full.found.as_str()),
            (Severity::Warning, "3.00 MiB free in /home/a")
        );
        let why = Unknown::Other("statvfs failed".to_owned());
        assert_eq!(disk_space(&folder(Err(why), true)).severity, Severity::Unknown);
    }
}
