//! Binds workers to their PUs and reads the bindings back.

use super::failure::TrialFailure;
use super::protocol::{MeasuredShare, WorkerIdentity};
use crate::machine::bind::Binder;
use ftbench_schema::Worker;

/// Binds everything that a process starts from now on to the union of the PUs. Does nothing without a binder.
pub(super) fn bind_process(
    binder: Option<&Binder>,
    process_id: i32,
    placement: &[u32],
) -> Result<(), TrialFailure> {
    let Some(binder) = binder else { return Ok(()) };
    binder
        .bind_process(process_id, &union(placement))
        .map_err(|error| TrialFailure::Binding(error.to_string()))
}

/// Binds each worker to its own PU, or a single one to all of them, and reads the binding back. Without a binder, only
/// lists the workers.
pub(super) fn bind_workers(
    binder: Option<&Binder>,
    main_process: i32,
    placement: &[u32],
    identities: &[WorkerIdentity],
) -> Result<Vec<Worker>, TrialFailure> {
    let mut workers = Vec::with_capacity(identities.len());
    for (number, identity) in (0..).zip(identities) {
        let pus = if identities.len() == 1 {
            union(placement)
        } else {
            placement.get(workers.len()).copied().into_iter().collect()
        };
        let bound_to = match binder {
            Some(binder) if !pus.is_empty() => bind_worker(binder, main_process, *identity, &pus)?,
            _ => Vec::new(),
        };
        let WorkerIdentity {
            process_id,
            thread_id,
        } = *identity;
        workers.push(Worker {
            worker: number,
            process_id,
            thread_id,
            bound_to,
        });
    }
    Ok(workers)
}

fn bind_worker(
    binder: &Binder,
    main_process: i32,
    identity: WorkerIdentity,
    pus: &[u32],
) -> Result<Vec<u32>, TrialFailure> {
    let failed = |error: &dyn std::fmt::Display| TrialFailure::Binding(error.to_string());
    if identity.process_id != main_process {
        // A process of a pool has helper threads too, and all of them belong on its PU.
        binder
            .bind_process(identity.process_id, pus)
            .map_err(|error| failed(&error))?;
    }
    binder
        .bind_thread(identity.thread_id, pus)
        .map_err(|error| failed(&error))?;
    let bound_to = binder
        .thread_binding(identity.thread_id)
        .map_err(|error| failed(&error))?;
    if bound_to != pus {
        let reason = format!(
            "thread {} was bound to PUs {pus:?}, but its binding reads back as {bound_to:?}",
            identity.thread_id
        );
        return Err(TrialFailure::Binding(reason));
    }
    Ok(bound_to)
}

/// The worker that did a share: the one of the same index if the thread matches (tasks of one loop share a thread),
/// otherwise the first one with that thread.
pub(super) fn worker_of<'w>(
    share: &MeasuredShare,
    index: usize,
    workers: &'w [Worker],
) -> Option<&'w Worker> {
    let matches =
        |worker: &&Worker| worker.thread_id == share.thread_id && worker.process_id == share.process_id;
    workers
        .get(index)
        .filter(matches)
        .or_else(|| workers.iter().find(matches))
}

fn union(placement: &[u32]) -> Vec<u32> {
    let mut union = placement.to_vec();
    union.sort_unstable();
    union.dedup();
    union
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(number: u32, thread_id: i32) -> Worker {
        Worker {
            worker: number,
            process_id: 7,
            thread_id,
            bound_to: vec![],
        }
    }

    fn share(thread_id: i32) -> MeasuredShare {
        MeasuredShare {
            process_id: 7,
            thread_id,
            start_ns: 1,
            end_ns: 2,
        }
    }

    #[test]
    fn a_share_belongs_to_the_thread_that_did_it() {
        let threads = [worker(0, 70), worker(1, 71)];
        let of = |share: &MeasuredShare, index| worker_of(share, index, &threads).map(|worker| worker.worker);
        assert_eq!(of(&share(71), 1), Some(1));
        // A fast thread took two shares.
        assert_eq!(of(&share(70), 1), Some(0));
        assert_eq!(of(&share(99), 1), None);
    }

    #[test]
    fn tasks_of_one_loop_are_distinguished_by_their_index() {
        let tasks = [worker(0, 70), worker(1, 70)];
        assert_eq!(
            worker_of(&share(70), 1, &tasks).map(|worker| worker.worker),
            Some(1)
        );
    }

    #[test]
    fn a_union_names_each_pu_once() {
        assert_eq!(union(&[1, 0, 1, 0]), [0, 1]);
    }
}
