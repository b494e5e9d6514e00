//! Memory of a trial's processes, from `/proc`.

use procfs::process::Process;
use procfs::{ProcError, ProcResult};

use crate::process::tree::living_stat;
use ftbench_schema::{Memory, ProcessMemory};

/// Bytes in the unit that `/proc/PID/status` calls kB.
const BYTES_PER_KIB: u64 = 1024;

/// Why memory is not known: that of a living process cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot read the memory of process {process_id}: {source}\nsee whether /proc is mounted with hidepid"
)]
pub struct MemoryError {
    /// The process.
    process_id: i32,
    /// The system's error.
    source: ProcError,
}

/// One process's memory at one moment.
struct Reading {
    rss_peak_bytes: u64,
    file_bytes: Option<u64>,
    /// `None` where the system does not let us read it.
    mapped: Option<Mapped>,
}

/// Sizes of a process's mappings, each page divided by the number of processes that map it, bytes.
#[derive(Clone, Copy)]
struct Mapped {
    pss_bytes: u64,
    /// `None` on kernels that do not distinguish kinds of pages, before 5.4.
    anonymous_bytes: Option<u64>,
}

/// Memory of these processes at this moment: the peak RSS of each so far, and the sum of their PSS now, which counts
/// shared pages once. Processes that ended are left out.
///
/// # Errors
///
/// When a living process's own `status` cannot be read.
pub fn of_processes(process_ids: &[i32]) -> Result<Memory, MemoryError> {
    let mut readings = Vec::new();
    for &process_id in process_ids {
        let Ok(process) = Process::new(process_id) else {
            continue;
        };
        match read(&process) {
            Ok(Some(reading)) => readings.push((process_id, reading)),
            // It has given its memory back and is about to end.
            Ok(None) => {}
            Err(_) if living_stat(&process).is_none() => {}
            Err(source) => return Err(MemoryError { process_id, source }),
        }
    }
    readings.sort_by_key(|(process_id, _)| *process_id);
    let over_processes = |of: &dyn Fn(&Reading) -> Option<u64>, join: fn(u64, u64) -> u64| -> Option<u64> {
        let each = readings.iter().map(|(_, reading)| of(reading));
        each.reduce(|a, b| Some(join(a?, b?))).flatten()
    };
    Ok(Memory {
        pss_peak_bytes: over_processes(&|one| Some(one.mapped?.pss_bytes), u64::saturating_add),
        anonymous_peak_bytes: over_processes(&|one| one.mapped?.anonymous_bytes, u64::saturating_add),
        file_peak_bytes: over_processes(&|one| one.file_bytes, u64::max),
        anonymous_first_bytes: None,
        anonymous_middle_bytes: None,
        anonymous_last_bytes: None,
        processes: readings
            .iter()
            .map(|(process_id, reading)| ProcessMemory {
                process_id: *process_id,
                rss_peak_bytes: reading.rss_peak_bytes,
            })
            .collect(),
    })
}

/// The memory that these processes use now, bytes, if it is above a limit. Shared pages are counted once. That takes
/// milliseconds for each process, so it is done only if counting them for every process gives too much.
#[must_use]
pub fn usage_above(limit_bytes: u64, process_ids: &[i32]) -> Option<u64> {
    let page_bytes = procfs::page_size();
    let rss_bytes: u64 = process_ids
        .iter()
        .filter_map(|&process_id| Process::new(process_id).ok()?.statm().ok())
        .map(|statm| statm.resident.saturating_mul(page_bytes))
        .fold(0, u64::saturating_add);
    if rss_bytes <= limit_bytes {
        return None;
    }
    let pss_bytes = of_processes(process_ids)
        .ok()
        .and_then(|memory| memory.pss_peak_bytes);
    Some(pss_bytes.unwrap_or(rss_bytes)).filter(|&used_bytes| used_bytes > limit_bytes)
}

/// When memory is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the first counted sample.
    First,
    /// After half of the counted samples.
    Middle,
    /// After the last counted sample.
    Last,
    /// After any other sample.
    Between,
}

/// Merges a reading with the earlier ones: the processes of the later one, the larger of each peak, and the reading
/// itself if it is of a moment that is recorded.
#[must_use]
pub fn joined(earlier: Option<Memory>, later: Memory, moment: Moment) -> Memory {
    let largest = |of: fn(&Memory) -> Option<u64>| of(&later).max(earlier.as_ref().and_then(of));
    let at = |wanted: Moment, of: fn(&Memory) -> Option<u64>| {
        if moment == wanted {
            later.anonymous_peak_bytes
        } else {
            earlier.as_ref().and_then(of)
        }
    };
    Memory {
        anonymous_first_bytes: at(Moment::First, |memory| memory.anonymous_first_bytes),
        anonymous_middle_bytes: at(Moment::Middle, |memory| memory.anonymous_middle_bytes),
        anonymous_last_bytes: at(Moment::Last, |memory| memory.anonymous_last_bytes),
        pss_peak_bytes: largest(|memory| memory.pss_peak_bytes),
        anonymous_peak_bytes: largest(|memory| memory.anonymous_peak_bytes),
        file_peak_bytes: largest(|memory| memory.file_peak_bytes),
        processes: later.processes,
    }
}

fn read(process: &Process) -> ProcResult<Option<Reading>> {
    let status = process.status()?;
    // `VmHWM` is missing when the process has no memory of its own left.
    let Some(peak_kib) = status.vmhwm else {
        return Ok(None);
    };
    let mapped = match process.smaps_rollup() {
        Ok(rollup) => {
            let sum = |key: &str| {
                let maps = rollup.memory_map_rollup.iter();
                maps.filter_map(|map| map.extension.map.get(key).copied())
                    .reduce(u64::saturating_add)
            };
            Some(Mapped {
                pss_bytes: sum("Pss").unwrap_or(0),
                anonymous_bytes: sum("Pss_Anon")
                    .zip(sum("Pss_Shmem"))
                    .map(|(anonymous, shared)| anonymous.saturating_add(shared)),
            })
        }
        Err(ProcError::PermissionDenied(_) | ProcError::NotFound(_)) if living_stat(process).is_some() => {
            None
        }
        Err(error) => return Err(error),
    };
    Ok(Some(Reading {
        rss_peak_bytes: peak_kib.saturating_mul(BYTES_PER_KIB),
        file_bytes: status.rssfile.map(|kib| kib.saturating_mul(BYTES_PER_KIB)),
        mapped,
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::*;
    use crate::process::tree::{descendants, tests::Group};

    #[test]
    fn every_process_of_the_group_is_counted() {
        let group = Group::start();
        let mut all = descendants(group.id()).unwrap();
        all.push(group.id());
        let memory = of_processes(&all).unwrap();
        assert_eq!(memory.processes.len(), 2, "the shell and its child");
        assert!(
            memory
                .processes
                .iter()
                .any(|process| process.process_id == group.id())
        );
        assert!(memory.processes.iter().all(|process| process.rss_peak_bytes > 0));
        if let Some(pss) = memory.pss_peak_bytes {
            assert!(pss > 0 && pss <= memory.rss_peak_bytes());
        }
        if let Some(peak) = memory.peak_bytes() {
            let anonymous = memory.anonymous_peak_bytes.unwrap();
            assert!(anonymous > 0 && anonymous <= peak, "{memory:?}");
        }
    }

    #[test]
    fn a_limit_is_exceeded_or_not() {
        let me = i32::try_from(std::process::id()).unwrap();
        assert_eq!(usage_above(1 << 50, &[me]), None);
        assert!(usage_above(1, &[me]).unwrap() > 1 << 16);
        assert_eq!(usage_above(0, &[]), None);
    }

    #[test]
    fn processes_that_ended_are_left_out() {
        let mut child = Command::new("true").process_group(0).spawn().unwrap();
        let group = i32::try_from(child.id()).unwrap();
        // Wait for its end without reaping it: what remains is a process without memory.
        let id = rustix::process::WaitId::Pid(rustix::process::Pid::from_child(&child));
        let options = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        rustix::process::waitid(id, options).unwrap();
        let unreaped = of_processes(&[group]).unwrap();
        child.wait().unwrap();
        let reaped = of_processes(&[group]).unwrap();
        let nothing = Memory {
            processes: vec![],
            pss_peak_bytes: None,
            anonymous_peak_bytes: None,
            file_peak_bytes: None,
            anonymous_first_bytes: None,
            anonymous_middle_bytes: None,
            anonymous_last_bytes: None,
        };
        assert_eq!((unreaped, reaped), (nothing.clone(), nothing));
    }

    #[test]
    fn readings_keep_the_last_processes_and_the_largest_pss() {
        let reading = |process_id, pss_peak_bytes| Memory {
            processes: vec![ProcessMemory {
                process_id,
                rss_peak_bytes: 1,
            }],
            pss_peak_bytes,
            anonymous_peak_bytes: pss_peak_bytes.map(|bytes| 2 * bytes),
            file_peak_bytes: None,
            anonymous_first_bytes: None,
            anonymous_middle_bytes: None,
            anonymous_last_bytes: None,
        };
        let joined = |earlier, later| joined(earlier, later, Moment::Between);
        assert_eq!(joined(None, reading(1, Some(5))), reading(1, Some(5)));
        assert_eq!(
            joined(Some(reading(1, Some(7))), reading(2, Some(5))),
            reading(2, Some(7))
        );
        assert_eq!(
            joined(Some(reading(1, Some(7))), reading(2, None)),
            reading(2, Some(7))
        );
        assert_eq!(joined(None, reading(1, None)), reading(1, None));
        let mut memory = None;
        for (moment, bytes) in [
            (Moment::First, 9),
            (Moment::Between, 1),
            (Moment::Middle, 3),
            (Moment::Last, 4),
        ] {
            memory = Some(super::joined(memory, reading(1, Some(bytes)), moment));
        }
        let memory = memory.unwrap();
        assert_eq!(
            [
                memory.anonymous_first_bytes,
                memory.anonymous_middle_bytes,
                memory.anonymous_last_bytes,
                memory.anonymous_peak_bytes
            ],
            [Some(18), Some(6), Some(8), Some(18)]
        );
        assert_eq!(memory.growth_bytes(), Some(-10.0));
    }
}
