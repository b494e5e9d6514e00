//! Settings of the kernel, and where results go.

use super::{Check, Finding};
use crate::doctor::Severity;
use crate::doctor::facts::{Folder, Kernel};
use ftbench_schema::units;

/// A thorough run of a large plan writes some tens of megabytes, its charts included; this is room for several.
const COMFORTABLE_FREE_BYTES: u64 = 512 * 1024 * 1024;

/// Above this level only privileged processes may count anything: `Documentation/admin-guide/sysctl/kernel.rst` ends at
/// 2, which still allows a process's own user-space events; Debian and Ubuntu add higher ones that allow nothing.
const STRICTEST_USABLE: i32 = 2;

/// Where code and data lie changes the time of the same program by several percent: Mytkowicz, Diwan, Hauswirth and
/// Sweeney, "Producing Wrong Data Without Doing Anything Obviously Wrong!" (ASPLOS 2009). Guides that measure one process
/// turn randomisation off to get the same layout each time (LLVM's tips do). ftbench starts a fresh process for every
/// trial, so that with randomisation layouts average out and are part of the interval; without it, each build keeps one
/// layout in all rounds, and a lucky one is taken for a fast build. The levels are in
/// `Documentation/admin-guide/sysctl/kernel.rst` (`randomize_va_space`); `setarch -R` is personality(2),
/// `ADDR_NO_RANDOMIZE`.
pub fn aslr(kernel: &Kernel) -> Finding {
    let check = Check::Aslr;
    let level = match &kernel.randomize_va_space {
        Ok(level) => *level,
        Err(why) => return Finding::unknown(check, why),
    };
    let effect = "All processes of a build have the same layout of memory: its luck, a few percent, is repeated in every \
                  round and looks like the build's own speed.";
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

/// What `CLOCK_MONOTONIC` is read from. The first group is read in user space, in some 20 to 50 ns (vDSO; vdso(7)); the
/// others take a system call, or a slow read from a device: about 1 µs, which is 0.001 % of a sample of 100 ms. The
/// kernel leaves `tsc` only when it finds it unstable (`Documentation/timers/timekeeping.rst`,
/// `Documentation/virt/kvm/x86/timekeeping.rst`), which is the part worth a warning. `jiffies` has the resolution of the
/// timer tick, 1 to 10 ms: up to a tenth of a sample, so it spoils.
pub fn clock_source(kernel: &Kernel) -> Finding {
    /// Names in the kernel's drivers for x86, arm64, riscv, powerpc and s390.
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
            "Reading the clock takes about a microsecond instead of some 30 ns. That is nothing for samples of 100 ms and \
             much for workloads that read clocks, asyncio's loop among them.",
        )
        .remedy(remedy)
}

/// Instructions, cycles and cache misses beside the times: what may be counted without privileges is
/// `kernel.perf_event_paranoid`, and what can be counted at all is what the kernel lists under
/// `/sys/bus/event_source/devices`. Times need none of it.
pub fn hardware_counters(kernel: &Kernel) -> Finding {
    let check = Check::HardwareCounters;
    let effect = "Times are not affected. Instructions, cycles and cache misses cannot be shown beside them.";
    // x86 calls it cpu, or cpu_core and cpu_atom on hybrids; Arm armv8_... and apple_...; s390 cpum_cf; riscv the same.
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
        .remedy("in a virtual machine, the host must pass one on (libvirt: <pmu state='on'/>)");
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

/// Runs are kept in `results/` of the current folder unless `--out` says otherwise. A full disk ends a run and loses no
/// trial, so this warns.
pub fn disk_space(folder: &Folder) -> Finding {
    let check = Check::DiskSpace;
    let shown = folder.path.display();
    if !folder.writable {
        return Finding::new(check, Severity::Warning, format!("{shown} cannot be written to"))
            .effect("A run has nowhere to keep its results, and does not start.")
            .remedy("go to another folder, or give one with '--out DIR'");
    }
    match &folder.free_bytes {
        Err(why) => Finding::unknown(check, why),
        Ok(free) => {
            let found = format!("{} free in {shown}", units::bytes(*free as f64));
            if *free >= COMFORTABLE_FREE_BYTES {
                return Finding::ok(check, found);
            }
            Finding::new(check, Severity::Warning, found)
                .effect("A run may end for want of room. What was measured until then is kept.")
                .remedy("free some, or give a folder elsewhere with '--out DIR'")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::doctor::facts::Untold;
    use crate::doctor::made_up;

    fn kernel() -> Kernel {
        made_up::quiet_workstation().kernel
    }

    #[test]
    fn randomisation_is_good() {
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
    fn clocks_are_judged_by_cost_and_resolution() {
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
    fn counters_need_a_unit_and_a_right() {
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
    fn room_for_results_is_needed() {
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
        let why = Untold::Other("statvfs failed".to_owned());
        assert_eq!(disk_space(&folder(Err(why), true)).severity, Severity::Unknown);
    }
}
