//! Memory: enough of it, and left where it is.

use super::{Check, Finding};
use crate::doctor::Severity;
use crate::doctor::facts::{Activity, Memory};
use crate::machine::topology::Topology;
use ftbench_schema::{text::counted, units};

const MIB: u64 = 1024 * 1024;

/// A worker process of the standard suite peaks at 15 to 60 MiB; below this for each core, a trial with a process on every
/// core drives the machine into swap or into the out-of-memory killer, and the one with threads does not.
const SPOILING_BYTES_PER_CORE: u64 = 64 * MIB;

/// Four times that: room for workloads of one's own, and for the page cache that the interpreter is started from.
const COMFORTABLE_BYTES_PER_CORE: u64 = 256 * MIB;

/// Pages that swap moves in a second before samples must meet it: 256 are 1 MiB on most machines, and each costs the one
/// who waits for it 0.1 ms (flash) to 10 ms (disk) of a sample of 100 ms.
const SPOILING_PAGES_PER_SECOND: f64 = 256.0;

/// What could be had without swapping: `MemAvailable` in `Documentation/filesystems/proc.rst`.
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
            "A process on every core may not fit: cells with processes swap or are killed while those with threads run, \
             and the comparison is about memory.",
        )
        .remedy("close what holds memory ('ps aux --sort -rss | head'), or measure fewer workers with '-n'")
}

/// Swap in use is history; pages that move now are what samples meet. `pswpin` and `pswpout` count them in
/// `/proc/vmstat`; `Documentation/admin-guide/sysctl/vm.rst` has swappiness.
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
        .effect("A sample that meets a page on disk waits for it, for milliseconds: its time is the disk's.")
        .remedy(remedy);
    }
    if sizes.swap_used_bytes > 0 {
        return Finding::new(check, Severity::Note, found)
            .effect("Nothing moves now. What was swapped out comes back when it is touched, perhaps inside a sample.")
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

/// The kernel unmaps pages now and then to see who touches them; `Documentation/admin-guide/sysctl/kernel.rst`
/// (`numa_balancing`) advises to turn that off for what is bound to nodes anyway, as ftbench's workers are.
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
                "The kernel makes pages fault to see who uses them and moves them between nodes, in the middle of samples \
                 that span nodes.",
            )
            .remedy("'sudo sysctl kernel.numa_balancing=0'"),
    }
}

/// `Documentation/admin-guide/mm/transhuge.rst`.
pub fn huge_pages(memory: &Memory) -> Finding {
    let check = Check::TransparentHugePages;
    match &memory.huge_pages {
        Err(why) => Finding::unknown(check, why),
        Ok(mode) if mode == "always" => Finding::new(check, Severity::Note, mode.as_str())
            .effect(
                "Memory comes in 2 MiB pieces where it can: fewer TLB misses, but peaks of memory look larger, and which \
                 process gets huge pages is partly chance.",
            )
            .remedy("only if memory figures matter: 'echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled'"),
        Ok(mode) => Finding::ok(check, mode.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::facts::{MemorySizes, Untold};
    use crate::doctor::made_up;
    use crate::machine::discovery::samples;

    fn with(available_mib: u64, swap_total_mib: u64, swap_used_mib: u64) -> Memory {
        Memory {
            sizes: Ok(MemorySizes {
                total_bytes: 16_384 * MIB,
                available_bytes: available_mib * MIB,
                swap_total_bytes: swap_total_mib * MIB,
                swap_used_bytes: swap_used_mib * MIB,
            }),
            ..made_up::quiet_workstation().memory
        }
    }

    #[test]
    fn memory_is_judged_by_the_core() {
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
    fn swap_matters_when_pages_move() {
        let judged = |memory: Memory, pages: u64| {
            let mut activity = made_up::quiet_workstation().activity;
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
    fn balancing_needs_nodes_to_balance() {
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
        let why = Untold::NotThere {
            path: "/proc/sys/kernel/numa_balancing".to_owned(),
        };
        assert_eq!(judged(Err(why), samples::two_sockets()), Severity::Unknown);
    }

    #[test]
    fn huge_pages_for_all_are_noted() {
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
