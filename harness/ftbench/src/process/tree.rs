//! Lists the processes of a trial.
//!
//! Each trial has a guard of its own, which adopts orphans, so all processes of the trial are below it.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use procfs::ProcError;
use procfs::process::{Process, Stat, all_processes};

/// The processes could not be listed.
#[derive(Debug, thiserror::Error)]
#[error("cannot list the processes below process {process_id}: {source}; check whether /proc is mounted")]
pub struct ListError {
    /// The process.
    process_id: i32,
    /// The system's error.
    source: ProcError,
}

/// The ids of a process's living descendants, in ascending order. Where the kernel lists children
/// (`CONFIG_PROC_CHILDREN`) this reads a file for each of their threads; elsewhere it reads the parent of every process
/// of the machine, which takes about 50 us each. A process whose parent has ended is below the one that adopted it.
///
/// # Errors
///
/// When `/proc` cannot be read.
pub fn descendants(process_id: i32) -> Result<Vec<i32>, ListError> {
    let mut found = match listed_children(process_id) {
        Some(children) => closure(children, |process_id| {
            listed_children(process_id).unwrap_or_default()
        }),
        None => {
            let mut children = children_of_all(process_id)?;
            let mut of = |process_id| children.remove(&process_id).unwrap_or_default();
            let own = of(process_id);
            closure(own, of)
        }
    };
    found.retain(|&process_id| is_alive(process_id));
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The ids of a process's children, including those that have ended and wait to be reaped.
///
/// # Errors
///
/// When `/proc` cannot be read.
pub fn children(process_id: i32) -> Result<Vec<i32>, ListError> {
    match listed_children(process_id) {
        Some(children) => Ok(children),
        None => Ok(children_of_all(process_id)?
            .remove(&process_id)
            .unwrap_or_default()),
    }
}

/// The parent of a living process; `None` when it has ended.
#[must_use]
pub fn parent(process_id: i32) -> Option<i32> {
    let process = Process::new(process_id).ok()?;
    living_stat(&process).map(|stat| stat.ppid)
}

/// These processes and all their descendants.
fn closure(mut found: Vec<i32>, mut children: impl FnMut(i32) -> Vec<i32>) -> Vec<i32> {
    let mut next = 0;
    while let Some(&process_id) = found.get(next) {
        next += 1;
        found.extend(children(process_id));
    }
    found
}

/// The children of a process as the kernel lists them; `None` if it does not, or if the process is gone.
fn listed_children(process_id: i32) -> Option<Vec<i32>> {
    fs::read_to_string(format!("/proc/{process_id}/task/{process_id}/children")).ok()?;
    let mut found = Vec::new();
    for thread_id in threads(process_id) {
        // A thread that ended meanwhile has none.
        let path = format!("/proc/{process_id}/task/{thread_id}/children");
        found.extend(parse_children(&fs::read_to_string(path).unwrap_or_default()));
    }
    Some(found)
}

/// The process ids in a `children` file.
pub fn parse_children(text: &str) -> impl Iterator<Item = i32> {
    text.split_ascii_whitespace().map_while(|word| word.parse().ok())
}

/// The children of every process of the machine. An error names `process_id`.
fn children_of_all(process_id: i32) -> Result<HashMap<i32, Vec<i32>>, ListError> {
    let listed = all_processes().map_err(|source| ListError { process_id, source })?;
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for stat in listed.filter_map(|process| process.ok()?.stat().ok()) {
        children.entry(stat.ppid).or_default().push(stat.pid);
    }
    Ok(children)
}

/// The ids of a process's threads; empty when it is gone.
pub fn threads(process_id: i32) -> Vec<i32> {
    let Ok(entries) = fs::read_dir(PathBuf::from(format!("/proc/{process_id}/task"))) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// Returns whether a process exists and is not a zombie.
#[must_use]
pub fn is_alive(process_id: i32) -> bool {
    Process::new(process_id).is_ok_and(|process| living_stat(&process).is_some())
}

/// The status of a living process; `None` when it is gone or only waits to be reaped.
#[must_use]
pub fn living_stat(process: &Process) -> Option<Stat> {
    process
        .stat()
        .ok()
        .filter(|stat| !matches!(stat.state, 'Z' | 'X'))
}

#[cfg(test)]
pub(crate) mod tests {
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
    fn both_ways_find_a_child() {
        let group = Group::start();
        let found = descendants(group.id()).unwrap();
        assert_eq!(found.len(), 1, "the shell's child");
        assert_eq!(children(group.id()).unwrap(), found);
        assert_eq!(
            children_of_all(group.id()).unwrap().remove(&group.id()),
            Some(found)
        );
        let me = i32::try_from(std::process::id()).unwrap();
        assert!(descendants(me).unwrap().contains(&group.id()));
    }

    #[test]
    fn children_files_are_parsed_up_to_the_first_other_word() {
        assert_eq!(parse_children("12 345 \n").collect::<Vec<_>>(), [12, 345]);
        assert_eq!(parse_children("").count(), 0);
        assert_eq!(parse_children("x 1").count(), 0);
    }
}
