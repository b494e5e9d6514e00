//! Binds processes and threads to PUs through hwloc, and reads back where they are.

use std::fmt;

use hwlocality::cpu::binding::CpuBindingFlags;
use hwlocality::cpu::cpuset::CpuSet;
use hwlocality::errors::{HybridError, RawHwlocError};
use hwlocality::ffi::PositiveInt;
use procfs::process::Process;

use super::discovery::Discovered;
use super::topology::{Topology, list_of_pus};
use crate::error::{ExitStatus, Failure};

/// What is to be bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bound {
    /// All threads of the process with this id.
    Process(i32),
    /// The thread with this operating-system id.
    Thread(i32),
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(process_id) => write!(formatter, "process {process_id}"),
            Self::Thread(thread_id) => write!(formatter, "thread {thread_id}"),
        }
    }
}

/// Why something is not bound, or why its binding is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// The topology describes another machine.
    #[error(
        "cannot bind anything: the topology is that of HWLOC_SYNTHETIC or HWLOC_XMLFILE, not this machine's\n\
         unset the variable to measure here, or bind nothing with '--pin none'"
    )]
    NotThisSystem,
    /// There is nothing to bind to.
    #[error("no PUs given for {0}; give at least one")]
    NoPus(Bound),
    /// The system refused.
    #[error("cannot bind {bound} to PUs {pus}: {cause}\n{}", advice(*.bound))]
    Refused {
        /// What was to be bound.
        bound: Bound,
        /// The PUs.
        pus: String,
        /// The system's error.
        cause: String,
    },
    /// The system does not report the binding.
    #[error("cannot read back what {bound} is bound to: {cause}\nit has most likely ended")]
    Unknown {
        /// What is bound.
        bound: Bound,
        /// The system's error.
        cause: String,
    },
}

impl Failure for BindError {
    fn exit_status(&self) -> ExitStatus {
        ExitStatus::MachineFailed
    }
}

/// Binds threads and processes to PUs through hwloc's topology of this machine.
#[derive(Debug)]
pub struct Binder {
    discovered: Discovered,
}

impl Binder {
    /// Takes the topology that hwloc found.
    ///
    /// # Errors
    ///
    /// When it is not this machine's.
    pub fn new(discovered: Discovered) -> Result<Self, BindError> {
        if !discovered.topology().is_this_system {
            return Err(BindError::NotThisSystem);
        }
        Ok(Self { discovered })
    }

    /// The topology as a plain value.
    #[must_use]
    pub const fn topology(&self) -> &Topology {
        self.discovered.topology()
    }

    /// Binds every thread of a process to the PUs `pus` (OS indices), and so the threads and processes that it
    /// starts later.
    ///
    /// # Errors
    ///
    /// When `pus` is empty, the process is gone, or the system forbids it.
    pub fn bind_process(&self, process_id: i32, pus: &[u32]) -> Result<(), BindError> {
        let bound = Bound::Process(process_id);
        let refused = |cause: String| BindError::Refused {
            bound,
            pus: list_of_pus(pus),
            cause,
        };
        let set = cpuset(bound, pus)?;
        // hwloc reports a missing process as an invalid argument.
        Process::new(process_id).map_err(|_| refused("No such process".to_owned()))?;
        let unsigned = u32::try_from(process_id).map_err(|error| refused(error.to_string()))?;
        let done = self
            .discovered
            .hwloc()
            .bind_process_cpu(unsigned, &set, CpuBindingFlags::empty());
        done.map_err(|error| match error {
            HybridError::Hwloc(error) => refused(cause(error)),
            HybridError::Rust(error) => refused(error.to_string()),
        })
    }

    /// Binds a thread to the PUs `pus` (OS indices).
    ///
    /// # Errors
    ///
    /// When `pus` is empty, the thread is gone, or the system forbids it.
    pub fn bind_thread(&self, thread_id: i32, pus: &[u32]) -> Result<(), BindError> {
        let bound = Bound::Thread(thread_id);
        let refused = |cause: String| BindError::Refused {
            bound,
            pus: list_of_pus(pus),
            cause,
        };
        let set = cpuset(bound, pus)?;
        check_thread_id(thread_id).map_err(refused)?;
        let done = self.discovered.hwloc().bind_tid_cpu(thread_id, &set);
        done.map_err(|error| refused(cause(error)))
    }

    /// The PUs (OS indices, ascending) that a thread is bound to.
    ///
    /// # Errors
    ///
    /// When the thread is gone.
    pub fn thread_binding(&self, thread_id: i32) -> Result<Vec<u32>, BindError> {
        let unknown = |cause: String| BindError::Unknown {
            bound: Bound::Thread(thread_id),
            cause,
        };
        check_thread_id(thread_id).map_err(unknown)?;
        let hwloc = self.discovered.hwloc();
        let set = hwloc
            .tid_cpu_binding(thread_id)
            .map_err(|error| unknown(cause(error)))?;
        // The mask may name PUs that the machine does not have.
        let present = hwloc.cpuset() & &set;
        Ok(present
            .iter_set()
            .filter_map(|index| u32::try_from(usize::from(index)).ok())
            .collect())
    }
}

/// The PU (OS index) that a thread ran on last, from `/proc/PID/task/TID/stat`; `None` when it is gone or the system
/// does not report it.
#[must_use]
pub fn last_seen_pu(process_id: i32, thread_id: i32) -> Option<u32> {
    let thread = Process::new(process_id)
        .and_then(|process| process.task_from_tid(thread_id))
        .ok()?;
    u32::try_from(thread.stat().ok()?.processor?).ok()
}

/// Refuses ids that no thread has. The system takes 0 for the caller itself, which a trial must never move.
fn check_thread_id(thread_id: i32) -> Result<(), String> {
    if thread_id > 0 {
        return Ok(());
    }
    Err("No such thread".to_owned())
}

fn cpuset(bound: Bound, pus: &[u32]) -> Result<CpuSet, BindError> {
    if pus.is_empty() {
        return Err(BindError::NoPus(bound));
    }
    let index = |&pu: &u32| {
        usize::try_from(pu)
            .ok()
            .and_then(|pu| PositiveInt::try_from(pu).ok())
    };
    pus.iter()
        .map(index)
        .collect::<Option<CpuSet>>()
        .ok_or_else(|| BindError::Refused {
            bound,
            pus: list_of_pus(pus),
            cause: "No such PU".to_owned(),
        })
}

fn cause(error: RawHwlocError) -> String {
    error
        .errno
        .map_or_else(|| error.to_string(), |errno| errno.to_string())
}

fn advice(bound: Bound) -> String {
    format!(
        "either {bound} has ended, or its cpuset forbids these PUs; see 'ftbench topology', or use '--pin none'"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::discovery::samples;
    use super::*;

    /// Above the largest process id that Linux gives (2^22).
    const MISSING_ID: i32 = 1 << 23;

    fn binder() -> Binder {
        Binder::new(Discovered::load().unwrap()).unwrap()
    }

    fn own_ids() -> (i32, i32) {
        let process_id = rustix::process::getpid().as_raw_nonzero().get();
        let thread_id = rustix::thread::gettid().as_raw_nonzero().get();
        (process_id, thread_id)
    }

    #[test]
    fn a_thread_is_bound_to_one_pu_and_back() {
        let binder = binder();
        let (process_id, thread_id) = own_ids();
        let before = binder.thread_binding(thread_id).unwrap();
        let target = *binder.topology().allowed_pus().last().unwrap();

        binder.bind_thread(thread_id, &[target]).unwrap();
        let bound_to = binder.thread_binding(thread_id);
        // Linux moves a thread off a forbidden PU before the call that forbids it returns.
        let seen_on = last_seen_pu(process_id, thread_id);
        binder.bind_thread(thread_id, &before).unwrap();

        assert_eq!(bound_to, Ok(vec![target]));
        assert_eq!(seen_on, Some(target));
        assert_eq!(binder.thread_binding(thread_id), Ok(before));
    }

    #[test]
    fn a_process_is_bound_with_all_its_threads() {
        let binder = binder();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process_id = i32::try_from(child.id()).unwrap();
        let target = binder.topology().allowed_pus()[0];
        let done = binder.bind_process(process_id, &[target]);
        let bound_to = binder.thread_binding(process_id);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!((done, bound_to), (Ok(()), Ok(vec![target])));
    }

    #[test]
    fn errors_name_what_was_to_be_bound_and_the_cause() {
        let binder = binder();
        insta::assert_snapshot!(binder.bind_thread(MISSING_ID, &[0]).unwrap_err(), @r"
        cannot bind thread 8388608 to PUs 0: No such process
        either thread 8388608 has ended, or its cpuset forbids these PUs; see 'ftbench topology', or use '--pin none'
        ");
        insta::assert_snapshot!(binder.bind_process(MISSING_ID, &[0]).unwrap_err(), @r"
        cannot bind process 8388608 to PUs 0: No such process
        either process 8388608 has ended, or its cpuset forbids these PUs; see 'ftbench topology', or use '--pin none'
        ");
        insta::assert_snapshot!(binder.thread_binding(MISSING_ID).unwrap_err(), @r"
        cannot read back what thread 8388608 is bound to: No such process
        it has most likely ended
        ");
        insta::assert_snapshot!(binder.bind_thread(MISSING_ID, &[]).unwrap_err(), @"no PUs given for thread 8388608; give at least one");
        // A PU that the machine does not have.
        let (_, thread_id) = own_ids();
        assert!(binder.bind_thread(thread_id, &[60_000]).is_err());
        assert!(binder.bind_thread(thread_id, &[u32::MAX]).is_err());
        // To the system, 0 means the caller.
        for invalid in [-1, 0] {
            assert!(binder.bind_process(invalid, &[0]).is_err());
            assert!(binder.bind_thread(invalid, &[0]).is_err());
            assert!(binder.thread_binding(invalid).is_err());
        }
        assert_eq!(last_seen_pu(MISSING_ID, MISSING_ID), None);
    }

    #[test]
    fn another_machines_topology_binds_nothing() {
        let discovered = Discovered::from_hwloc(samples::hwloc("pack:1 core:1 pu:1")).unwrap();
        assert_eq!(Binder::new(discovered).unwrap_err(), BindError::NotThisSystem);
    }
}
