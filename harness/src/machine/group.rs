//! The processes of a trial.
//!
//! The driver makes the trial's process leader of a process group of its own, and what it starts stays in there.

use std::fs;
use std::path::PathBuf;

use procfs::ProcError;
use procfs::process::{Process, Stat, all_processes};

/// Why the processes are not known.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot list the processes of process group {process_group}: {source}\nSee whether /proc is mounted."
)]
pub struct GroupError {
    /// The process group.
    process_group: i32,
    /// What the system says.
    source: ProcError,
}

/// The ids of the living processes that the leader of a process group has started, directly or not, and its own, in
/// order. Where the kernel lists children (`CONFIG_PROC_CHILDREN`) this reads a file for each of their threads;
/// elsewhere it asks every process of the machine for its group, which takes some 50 us for each. A process whose
/// parent has ended is found only in the second way.
///
/// # Errors
///
/// When `/proc` cannot be read.
pub fn processes(leader: i32) -> Result<Vec<i32>, GroupError> {
    let mut found = match descendants(leader) {
        Some(found) => found,
        None => scanned(leader)?,
    };
    found.retain(|&process_id| Process::new(process_id).is_ok_and(|process| living(&process).is_some()));
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The process and all that it started; `None` where the kernel does not list children, or the process is gone.
fn descendants(leader: i32) -> Option<Vec<i32>> {
    fs::read_to_string(format!("/proc/{leader}/task/{leader}/children")).ok()?;
    let mut found = vec![leader];
    let mut asked = 0;
    while let Some(&process_id) = found.get(asked) {
        asked += 1;
        for thread_id in threads(process_id) {
            // A thread that ended meanwhile has none.
            let path = format!("/proc/{process_id}/task/{thread_id}/children");
            found.extend(parse_children(&fs::read_to_string(path).unwrap_or_default()));
        }
    }
    Some(found)
}

/// The process ids in a `children` file.
pub(super) fn parse_children(text: &str) -> impl Iterator<Item = i32> {
    text.split_ascii_whitespace().map_while(|word| word.parse().ok())
}

fn scanned(process_group: i32) -> Result<Vec<i32>, GroupError> {
    let listed = all_processes().map_err(|source| GroupError {
        process_group,
        source,
    })?;
    let is_member = |process: &Process| living(process).is_some_and(|stat| stat.pgrp == process_group);
    Ok(listed
        .filter_map(Result::ok)
        .filter(is_member)
        .map(|process| process.pid)
        .collect())
}

/// The ids of a process's threads; none when it is gone.
pub(super) fn threads(process_id: i32) -> Vec<i32> {
    let Ok(entries) = fs::read_dir(PathBuf::from(format!("/proc/{process_id}/task"))) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// The state of a process that still runs; `None` when it is gone or only waits to be reaped.
pub(super) fn living(process: &Process) -> Option<Stat> {
    process
        .stat()
        .ok()
        .filter(|stat| !matches!(stat.state, 'Z' | 'X'))
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A shell that leads a group of its own and has started a child.
    pub struct Group(Child);

    impl Group {
        pub fn start() -> Self {
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

        pub fn id(&self) -> i32 {
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
    fn both_ways_find_the_leader_and_its_child() {
        let group = Group::start();
        let found = processes(group.id()).unwrap();
        assert_eq!(found.len(), 2, "the shell and its child");
        assert!(found.contains(&group.id()));
        let mut scanned = scanned(group.id()).unwrap();
        scanned.sort_unstable();
        assert_eq!(scanned, found);
    }

    #[test]
    fn children_of_any_text() {
        assert_eq!(parse_children("12 345 \n").collect::<Vec<_>>(), [12, 345]);
        assert_eq!(parse_children("").count(), 0);
        assert_eq!(parse_children("x 1").count(), 0);
    }
}
