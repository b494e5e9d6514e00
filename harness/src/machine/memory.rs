//! Memory of a trial's processes, from `/proc`.
//!
//! The driver makes the trial's process leader of a process group of its own, and what it starts stays in there.

use procfs::process::{Process, Stat, all_processes};
use procfs::{ProcError, ProcResult};

use crate::record::schema::{Memory, ProcessMemory};

/// Bytes in the unit that `/proc/PID/status` calls kB.
const BYTES_PER_KIB: u64 = 1024;

/// Why memory is not known.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The processes cannot be listed.
    #[error(
        "cannot list the processes of process group {process_group}: {source}\nSee whether /proc is mounted."
    )]
    Processes {
        /// The process group.
        process_group: i32,
        /// What the system says.
        source: ProcError,
    },
    /// A process is there and does not tell.
    #[error("cannot read the memory of process {process_id}: {source}")]
    Process {
        /// The process.
        process_id: i32,
        /// What the system says.
        source: ProcError,
    },
}

/// One process's memory at one moment.
struct Reading {
    rss_peak_bytes: u64,
    /// `None` where the system does not let us see it.
    pss_bytes: Option<u64>,
}

/// Memory of all processes of a process group at this moment: the peak RSS of each so far, and the sum of their PSS
/// now, which counts shared pages once. Processes that end meanwhile are left out.
///
/// # Errors
///
/// When `/proc` cannot be read, or a process's own `status` cannot.
pub fn of_process_group(process_group: i32) -> Result<Memory, MemoryError> {
    let listed = all_processes().map_err(|source| MemoryError::Processes {
        process_group,
        source,
    })?;
    let mut processes = Vec::new();
    let mut pss_bytes = Some(0_u64);
    for process in listed.filter_map(Result::ok) {
        if living(&process).is_none_or(|stat| stat.pgrp != process_group) {
            continue;
        }
        match read(&process) {
            Ok(Some(reading)) => {
                processes.push(ProcessMemory {
                    process_id: process.pid,
                    rss_peak_bytes: reading.rss_peak_bytes,
                });
                pss_bytes = pss_bytes
                    .zip(reading.pss_bytes)
                    .map(|(sum, more)| sum.saturating_add(more));
            }
            // It has given its memory back and is about to end.
            Ok(None) => {}
            Err(_) if living(&process).is_none() => {}
            Err(source) => {
                return Err(MemoryError::Process {
                    process_id: process.pid,
                    source,
                });
            }
        }
    }
    processes.sort_by_key(|process| process.process_id);
    let pss_peak_bytes = pss_bytes.filter(|_| !processes.is_empty());
    Ok(Memory {
        processes,
        pss_peak_bytes,
    })
}

/// Joins a reading with those before it: the processes of the later one, and the larger PSS.
#[must_use]
pub fn joined(earlier: Option<Memory>, later: Memory) -> Memory {
    let earlier_pss = earlier.and_then(|memory| memory.pss_peak_bytes);
    Memory {
        pss_peak_bytes: later.pss_peak_bytes.max(earlier_pss),
        ..later
    }
}

fn read(process: &Process) -> ProcResult<Option<Reading>> {
    // `VmHWM` is missing when the process has no memory of its own left.
    let Some(peak_kib) = process.status()?.vmhwm else {
        return Ok(None);
    };
    let pss_bytes = match process.smaps_rollup() {
        Ok(rollup) => {
            let parts = rollup
                .memory_map_rollup
                .iter()
                .filter_map(|map| map.extension.map.get("Pss"));
            Some(parts.sum())
        }
        Err(ProcError::PermissionDenied(_) | ProcError::NotFound(_)) if living(process).is_some() => None,
        Err(error) => return Err(error),
    };
    Ok(Some(Reading {
        rss_peak_bytes: peak_kib.saturating_mul(BYTES_PER_KIB),
        pss_bytes,
    }))
}

/// The state of a process that still runs; `None` when it is gone or only waits to be reaped.
fn living(process: &Process) -> Option<Stat> {
    process
        .stat()
        .ok()
        .filter(|stat| !matches!(stat.state, 'Z' | 'X'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A shell that leads a group of its own and has started a child.
    struct Group(Child);

    impl Group {
        fn start() -> Self {
            let mut shell = Command::new("sh");
            shell
                .args(["-c", "sleep 60 & echo started; wait"])
                .stdout(Stdio::piped())
                .process_group(0);
            let mut child = shell.spawn().unwrap();
            let mut word = [0; 8];
            std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut word).unwrap();
            Self(child)
        }

        fn id(&self) -> i32 {
            i32::try_from(self.0.id()).unwrap()
        }
    }

    impl Drop for Group {
        fn drop(&mut self) {
            let group = rustix::process::Pid::from_child(&self.0);
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            let _ = self.0.wait();
        }
    }

    #[test]
    fn every_process_of_the_group_is_counted() {
        let group = Group::start();
        let memory = of_process_group(group.id()).unwrap();
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
    }

    #[test]
    fn processes_that_ended_are_left_out() {
        let mut child = Command::new("true").process_group(0).spawn().unwrap();
        let group = i32::try_from(child.id()).unwrap();
        // Wait for its end without reaping it: what remains is a process without memory.
        let id = rustix::process::WaitId::Pid(rustix::process::Pid::from_child(&child));
        let options = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        rustix::process::waitid(id, options).unwrap();
        let unreaped = of_process_group(group).unwrap();
        child.wait().unwrap();
        let reaped = of_process_group(group).unwrap();
        let nothing = Memory {
            processes: vec![],
            pss_peak_bytes: None,
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
        };
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
    }
}
