//! Ends everything below this process, whatever it has done to get away.
//!
//! A process that adopts orphans (`PR_SET_CHILD_SUBREAPER`, prctl(2)) becomes the parent of everything below it whose
//! own parent ends, be it in another session. So what is not found at once is its own child a moment later. No other
//! process can be hit: a child that was not waited for keeps its process id, and what is further below is killed
//! through a descriptor, after a look at whose child it is.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, kill_process_group, pidfd_open,
    pidfd_send_signal, set_child_subreaper, waitpid,
};

use crate::process::tree;

/// The first wait between two rounds of killing; dying takes a process some hundred microseconds.
const SHORTEST_PAUSE: Duration = Duration::from_micros(200);

/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// Makes this process the parent of all orphans below it.
///
/// # Errors
/// When the kernel knows no sub-reapers (before Linux 3.4).
pub fn adopt_orphans() -> rustix::io::Result<()> {
    set_child_subreaper(Some(getpid()))
}

/// The process id of this process.
#[must_use]
pub fn own_id() -> i32 {
    getpid().as_raw_nonzero().get()
}

/// Kills and waits for everything below this process, apart from the children named and what is below those. Returns
/// the children that are still there at the time limit: processes that hang in the kernel.
#[must_use]
pub fn end_all(keep: &[i32], limit: Duration) -> Vec<i32> {
    let begun = Instant::now();
    let mut pause = SHORTEST_PAUSE;
    let mut left_before = Vec::new();
    loop {
        let children = children_but(keep);
        if children.is_empty() {
            return children;
        }
        children.iter().for_each(|&child| kill_below(child));
        let left: Vec<i32> = children.into_iter().filter(|&child| is_left(child)).collect();
        if begun.elapsed() >= limit {
            return left;
        }
        if left == left_before {
            thread::sleep(pause);
            pause = LONGEST_PAUSE.min(pause * 2);
        } else {
            // What forks on is only caught by being faster.
            pause = SHORTEST_PAUSE;
        }
        left_before = left;
    }
}

fn children_but(keep: &[i32]) -> Vec<i32> {
    // Without /proc nothing is known to be there, and no trial could have been watched.
    let mut children = tree::children(own_id()).unwrap_or_default();
    children.retain(|child| !keep.contains(child));
    children
}

/// Collects the child when it has ended, else kills it.
fn is_left(child: i32) -> bool {
    let Some(pid) = Pid::from_raw(child) else {
        return false;
    };
    match waitpid(Some(pid), WaitOptions::NOHANG) {
        Ok(Some(_)) | Err(rustix::io::Errno::CHILD) => false,
        Ok(None) | Err(_) => {
            // The group that it leads, if it does: all of it at one moment, so that none can fork meanwhile.
            let _ = kill_process_group(pid, Signal::KILL);
            let _ = kill_process(pid, Signal::KILL);
            true
        }
    }
}

/// Kills what is below a child.
fn kill_below(child: i32) {
    let below = tree::below(child).unwrap_or_default();
    let family: HashSet<i32> = below.iter().copied().chain([child, own_id()]).collect();
    for pid in below.into_iter().filter_map(Pid::from_raw) {
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
            continue;
        };
        // The descriptor means whoever has the process id now; one of the family's it is by its parent.
        if tree::parent(pid.as_raw_nonzero().get()).is_some_and(|parent| family.contains(&parent)) {
            let _ = pidfd_send_signal(&process, Signal::KILL);
        }
    }
}
