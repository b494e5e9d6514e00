//! Checks that there is enough memory, and that the kernel does not move it.

use super::{Check, Finding};
use crate::doctor::Severity;
use crate::doctor::facts::{Activity, Memory};
use crate::machine::topology::Topology;
use ftbench_schema::{text::counted, units};

const MIB: u64 = 1024 * 1024;

/// Available memory per core below which memory spoils. A worker process of the standard suite peaks at 15 to 60 MiB.
/// With less, a trial with a process on every core makes the machine swap or run out of memory, and a trial with
/// threads does not.
const SPOILING_BYTES_PER_CORE: u64 = 64 * MIB;

/// Available memory per core below which memory is a warning: four times as much, for the user's own workloads and for
/// the page cache from which the interpreter is started.
const COMFORTABLE_BYTES_PER_CORE: u64 = 256 * MIB;

/// Pages swapped per second from which on samples are certain to be affected. 256 pages are 1 MiB on most machines, and
/// each of them delays a sample of 100 ms by 0.1 ms (flash) to 10 ms (disk).
const SPOILING_PAGES_PER_SECOND: f64 = 256.0;

/// Checks the memory that is available without swapping: `MemAvailable` in `Documentation/filesystems/proc.rst`.
pub fn memory(memory: &Memory, topology: &Topology) -> Finding {
    let check = Check::Memory;
    let sizes = match &memory.sizes {
        Ok(sizes) => sizes,
        Err(why) => return Finding::unknown(check, why),
    };
    let cores = topology.allowed_cores().max(1);
    let per_core = sizes.available_bytes / cores as u64;
    let found = format!(
        "{} of {} available for {}",
        units::bytes(sizes.available_bytes as f64),
        units::bytes(sizes.total_bytes as f64),
        counted(cores, "core")
    );
    let severity = if per_core < SPOILING_BYTES_PER_CORE {
        Severity::Spoils
    } else if per_core < COMFORTABLE_BYTES_PER_CORE {
        Severity::Warning
    } else {
        return Finding::ok(check, found);
    };
    Finding::new(check, severity, found)
        .effect(
            "A process on every core may not fit: cells with processes swap or are killed while those with threads \
             run, so the comparison is about memory.",
        )
        .remedy("close programs that use much memory ('ps aux --sort -rss | head'), or measure fewer workers with '-n'")
}

/// Checks swapping. Swap in use comes from the past; samples are affected by pages that move now. `pswpin` and
/// `pswpout` in `/proc/vmstat` count them; swappiness is in `Documentation/admin-guide/sysctl/vm.rst`.
pub fn swap(memory: &Memory, activity: &Activity) -> Finding {
    let check = Check::Swap;
    let sizes = match &memory.sizes {
        Ok(sizes) => sizes,
        Err(why) => return Finding::unknown(check, why),
    };
    if sizes.swap_total_bytes == 0 {
        return Finding::ok(check, "no swap space");
    }
    let mut found = format!(
        "{} of {} used",
        units::bytes(sizes.swap_used_bytes as f64),
        units::bytes(sizes.swap_total_bytes as f64)
    );
    if let Ok(swappiness) = memory.swappiness {
        found.push_str(&format!(", swappiness {swappiness}"));
    }
    let moved = moved_pages(activity);
    let remedy = "free memory, then 'sudo swapoff -a' (and 'sudo swapon -a' afterwards)";
    if moved > 0 {
        let pages = counted(moved, "page");
        let heavy = moved as f64 >= SPOILING_PAGES_PER_SECOND * activity.seconds;
        let severity = if heavy {
            Severity::Spoils
        } else {
            Severity::Warning
        };
        return Finding::new(
            check,
            severity,
            format!("{found}; {pages} moved in {:.1} s", activity.seconds),
        )
        .effect("A sample that needs a page on disk waits milliseconds for it: its time is that of the disk.")
        .remedy(remedy);
    }
    if sizes.swap_used_bytes > 0 {
        return Finding::new(check, Severity::Note, found)
            .effect(
                "No pages move now. Swapped pages are read back when they are used, perhaps during a sample.",
            )
            .remedy(remedy);
    }
    Finding::ok(check, found)
}

fn moved_pages(activity: &Activity) -> u64 {
    let mut counts = activity
        .moments
        .iter()
        .filter_map(|moment| moment.swapped_pages.as_ref().ok());
    match (counts.next(), counts.next_back()) {
        (Some(before), Some(after)) => after.saturating_sub(*before),
        _ => 0,
    }
}

/// Checks NUMA balancing. The kernel unmaps pages from time to time to see which tasks use them.
/// `Documentation/admin-guide/sysctl/kernel.rst` (`numa_balancing`) advises turning that off for tasks that are bound
/// to nodes anyway, as ftbench's workers are.
pub fn numa_balancing(memory: &Memory, topology: &Topology) -> Finding {
    let check = Check::NumaBalancing;
    let nodes = counted(topology.numa_nodes, "NUMA node");
    if topology.numa_nodes < 2 {
        return Finding::ok(check, nodes);
    }
    match &memory.numa_balancing {
        Err(why) => Finding::unknown(check, why),
        Ok(0) => Finding::ok(check, format!("off, {nodes}")),
        Ok(_) => Finding::new(check, Severity::Warning, format!("on, {nodes}"))
            .effect(
                "The kernel makes pages fault to see which tasks use them, and moves them between nodes during samples \
                 that span nodes.",
            )
            .remedy("'sudo sysctl kernel.numa_balancing=0'"),
    }
}

/// Checks transparent huge pages: `Documentation/admin-guide/mm/transhuge.rst`.
pub fn huge_pages(memory: &Memory) -> Finding {
    let check = Check::TransparentHugePages;
    match &memory.huge_pages {
        Err(why) => Finding::unknown(check, why),
        Ok(mode) if mode == "always" => Finding::new(check, Severity::Note, mode.as_str())
            .effect(
                "Memory is allocated in pages of 2 MiB where possible: fewer TLB misses, but memory peaks look larger, \
                 and which process gets huge pages is partly chance.",
            )
            .remedy(
                "only if memory figures matter: 'echo madvise | sudo tee \
                 /sys/kernel/mm/transparent_hugepage/enabled'",
            ),
        Ok(mode) => Finding::ok(check, mode.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::facts::{MemorySizes, Unknown};
    use crate::doctor::fixtures;
    use crate::machine::discovery::samples;

    fn with(available_mib: u64, swap_total_mib: u64, swap_used_mib: u64) -> Memory {
        Memory {
            sizes: Ok(MemorySizes {
                total_bytes: 16_384 * MIB,
                available_bytes: available_mib * MIB,
                swap_total_bytes: swap_total_mib * MIB,
                swap_used_bytes: swap_used_mib * MIB,
            }),
            ..fixtures::quiet_workstation().memory
        }
    }

    #[test]
    fn memory_is_evaluated_per_core() {
        let judged = |available_mib| memory(&with(available_mib, 0, 0), &samples::two_sockets());
        assert_eq!(judged(8 * 256).severity, Severity::Ok);
        assert_eq!(
            judged(8 * 256).found,
            "2.00 GiB of 16.0 GiB available for 8 cores"
        );
        assert_eq!(judged(8 * 255).severity, Severity::Warning);
        assert_eq!(judged(8 * 63).severity, Severity::Spoils);
    }

    #[test]
    fn swap_spoils_only_if_many_pages_move() {
        let judged = |memory: Memory, pages: u64| {
            let mut activity = fixtures::quiet_workstation().activity;
            for moment in activity.moments.iter_mut().skip(1) {
                moment.swapped_pages = Ok(1000 + pages);
            }
            for moment in activity.moments.iter_mut().take(1) {
                moment.swapped_pages = Ok(1000);
            }
            activity.seconds = 0.5;
            swap(&memory, &activity)
        };
        assert_eq!(judged(with(8192, 0, 0), 0).severity, Severity::Ok);
        assert_eq!(judged(with(8192, 2048, 0), 0).severity, Severity::Ok);
        assert_eq!(judged(with(8192, 2048, 10), 0).severity, Severity::Note);
        let moving = judged(with(8192, 2048, 10), 127);
        assert_eq!(moving.severity, Severity::Warning);
        assert_eq!(
            moving.found,
            "10.0 MiB of 2.00 GiB used, swappiness 60; 127 pages moved in 0.5 s"
        );
        assert_eq!(judged(with(8192, 2048, 10), 128).severity, Severity::Spoils);
    }

    #[test]
    fn numa_balancing_is_ok_with_a_single_node() {
        let judged = |value, topology| {
            let numa_balancing = value;
            super::numa_balancing(
                &Memory {
                    numa_balancing,
                    ..with(8192, 0, 0)
                },
                &topology,
            )
            .severity
        };
        assert_eq!(judged(Ok(1), samples::one_pu()), Severity::Ok);
        assert_eq!(judged(Ok(1), samples::two_sockets()), Severity::Warning);
        assert_eq!(judged(Ok(0), samples::two_sockets()), Severity::Ok);
        let why = Unknown::Missing {
            path: "/proc/sys/kernel/numa_balancing".to_owned(),
        };
        assert_eq!(judged(Err(why), samples::two_sockets()), Severity::Unknown);
    }

    #[test]
    fn huge_pages_for_all_processes_are_noted() {
        let judged = |mode: &str| {
            huge_pages(&Memory {
                huge_pages: Ok(mode.to_owned()),
                ..with(8192, 0, 0)
            })
            .severity
        };
        assert_eq!(judged("always"), Severity::Note);
        assert_eq!(judged("madvise"), Severity::Ok);
        assert_eq!(judged("never"), Severity::Ok);
    }
}
