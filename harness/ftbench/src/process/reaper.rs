//! Ends everything below this process, even processes that try to escape.
//!
//! A process that adopts orphans (`PR_SET_CHILD_SUBREAPER`, prctl(2)) becomes the parent of every process below it
//! whose own parent ends, even in another session. A process that is not found at once is therefore a child a moment
//! later. No other process can be hit: a child that was not waited for keeps its process id, and a process further
//! below is killed through a descriptor, after a check of its parent.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, kill_process_group, pidfd_open,
    pidfd_send_signal, set_child_subreaper, waitpid,
};

use crate::process::tree;

/// The first pause between two passes of killing. A process takes some hundred microseconds to end.
const SHORTEST_PAUSE: Duration = Duration::from_micros(200);

/// The longest pause between two passes.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// Makes this process the parent of all orphans below it.
///
/// # Errors
/// When the kernel does not support sub-reapers (before Linux 3.4).
pub fn adopt_orphans() -> rustix::io::Result<()> {
    set_child_subreaper(Some(getpid()))
}

/// The process id of this process.
#[must_use]
pub fn own_id() -> i32 {
    getpid().as_raw_nonzero().get()
}

/// Kills and waits for everything below this process, except the children in `keep` and the processes below them.
/// Returns the children that are left at the time limit: processes that hang in the kernel.
#[must_use]
pub fn end_all(keep: &[i32], limit: Duration) -> Vec<i32> {
    let begun = Instant::now();
    let mut pause = SHORTEST_PAUSE;
    let mut left_before = Vec::new();
    loop {
        let children = children_except(keep);
        if children.is_empty() {
            return children;
        }
        children.iter().for_each(|&child| kill_below(child));
        let left: Vec<i32> = children
            .into_iter()
            .filter(|&child| !reap_or_kill(child))
            .collect();
        if begun.elapsed() >= limit {
            return left;
        }
        if left == left_before {
            thread::sleep(pause);
            pause = LONGEST_PAUSE.min(pause * 2);
        } else {
            // Processes that keep forking can only be caught by being faster.
            pause = SHORTEST_PAUSE;
        }
        left_before = left;
    }
}

fn children_except(keep: &[i32]) -> Vec<i32> {
    // Without /proc no children are known, and no trial could have been watched.
    let mut children = tree::children(own_id()).unwrap_or_default();
    children.retain(|child| !keep.contains(child));
    children
}

/// Reaps a child if it has ended, otherwise kills it. Returns whether the child is gone.
fn reap_or_kill(child: i32) -> bool {
    let Some(pid) = Pid::from_raw(child) else {
        return true;
    };
    match waitpid(Some(pid), WaitOptions::NOHANG) {
        Ok(Some(_)) | Err(rustix::io::Errno::CHILD) => true,
        Ok(None) | Err(_) => {
            // If the child leads a group, this kills all of it at once, so that no process can fork meanwhile.
            let _ = kill_process_group(pid, Signal::KILL);
            let _ = kill_process(pid, Signal::KILL);
            false
        }
    }
}

/// Kills everything below a child.
fn kill_below(child: i32) {
    let below = tree::descendants(child).unwrap_or_default();
    let family: HashSet<i32> = below.iter().copied().chain([child, own_id()]).collect();
    for pid in below.into_iter().filter_map(Pid::from_raw) {
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
            continue;
        };
        // The descriptor refers to the process that has the id now. Its parent shows whether it belongs to the family.
        if tree::parent(pid.as_raw_nonzero().get()).is_some_and(|parent| family.contains(&parent)) {
            let _ = pidfd_send_signal(&process, Signal::KILL);
        }
    }
}
