//! A control group for each trial, where the system lets us make one (cgroup v2, a delegated subtree).
//!
//! Source: `Documentation/admin-guide/cgroup-v2.rst` of the Linux kernel: `cgroup.procs`, `cgroup.subtree_control`,
//! `cgroup.kill` (Linux 5.14), `memory.max`, `memory.events`, `pids.max`, and the rule that a group whose controllers
//! are handed down to its children has no processes of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::reaper;
use crate::process::control_groups::{MOUNT_POINT, OWN_GROUPS};
use crate::process::tree;

/// The child group that ftbench moves to when its own group has to be empty.
const OWN_LEAF: &str = "ftbench-driver";

/// The control group in which trials get their own. Dropping it moves this process back to where it was.
#[derive(Debug)]
pub struct DelegatedGroup {
    group: PathBuf,
    leaf: Option<PathBuf>,
}

impl DelegatedGroup {
    /// The group of this process, if groups can be made in it.
    #[must_use]
    pub fn find() -> Option<Self> {
        let own = fs::read_to_string(OWN_GROUPS).ok()?;
        Self::in_tree(Path::new(MOUNT_POINT), &own)
    }

    /// Like [`Self::find`], below another mount point and for a process in the groups that `own` (the contents of
    /// `/proc/self/cgroup`) names.
    #[must_use]
    pub fn in_tree(root: &Path, own: &str) -> Option<Self> {
        let group = own_group(root, own)?;
        let controllers = fs::read_to_string(group.join("cgroup.controllers")).ok()?;
        let wanted: Vec<&str> = ["memory", "pids"]
            .into_iter()
            .filter(|name| controllers.split_whitespace().any(|one| one == *name))
            .collect();
        // Checks whether a group can be made at all. Killing one needs no controllers.
        let trial = group.join(format!("ftbench-try-{}", std::process::id()));
        fs::create_dir(&trial).ok()?;
        fs::remove_dir(&trial).ok()?;
        let mut delegated = Self { group, leaf: None };
        if !wanted.is_empty() && !delegated.delegates_controllers(&wanted) {
            delegated.delegate_controllers(&wanted);
        }
        Some(delegated)
    }

    /// Where trials' groups are made.
    #[must_use]
    pub fn group(&self) -> &Path {
        &self.group
    }

    fn delegates_controllers(&self, wanted: &[&str]) -> bool {
        let handed_down = fs::read_to_string(self.group.join("cgroup.subtree_control")).unwrap_or_default();
        wanted
            .iter()
            .all(|name| handed_down.split_whitespace().any(|one| one == *name))
    }

    /// Hands controllers down, after moving this process to a leaf. If other processes are in the group, it stays as it
    /// is.
    fn delegate_controllers(&mut self, wanted: &[&str]) {
        let leaf = self.group.join(OWN_LEAF);
        let words: Vec<String> = wanted.iter().map(|name| format!("+{name}")).collect();
        let handed_down = fs::create_dir_all(&leaf)
            .and_then(|()| move_own(&leaf))
            .and_then(|()| write(&self.group.join("cgroup.subtree_control"), &words.join(" ")));
        self.leaf = Some(leaf);
        if handed_down.is_err() {
            self.move_back();
        }
    }

    fn move_back(&mut self) {
        if let Some(leaf) = self.leaf.take() {
            let _ = move_own(&self.group);
            let _ = fs::remove_dir(leaf);
        }
    }
}

impl Drop for DelegatedGroup {
    fn drop(&mut self) {
        if self.leaf.is_some() {
            // A group that has processes again must not hand controllers down.
            let _ = write(&self.group.join("cgroup.subtree_control"), "-memory -pids");
            self.move_back();
        }
    }
}

/// The folder of the group that a process is in, from its `/proc/PID/cgroup`; `None` without version 2.
fn own_group(root: &Path, own: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let outside = path.split('/').any(|part| part == "..");
    (!outside).then(|| root.join(path))
}

/// The group of one trial. Dropping it removes it.
#[derive(Debug)]
pub struct TrialGroup {
    folder: PathBuf,
    parent: PathBuf,
}

impl TrialGroup {
    /// Makes a group with these limits, as far as their controllers are available.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(parent: &Path, memory_bytes: Option<u64>, processes: Option<u32>) -> io::Result<Self> {
        let folder = made_by(std::process::id(), parent);
        fs::create_dir(&folder)?;
        let group = Self {
            folder,
            parent: own_parent(parent),
        };
        let limits = [
            ("memory.max", memory_bytes.map(|bytes| bytes.to_string())),
            ("pids.max", processes.map(|processes| processes.to_string())),
        ];
        for (name, limit) in limits {
            if let Some(limit) = limit {
                // Without the controller there is no such file, and the other limits have to suffice.
                let _ = write(&group.folder.join(name), &limit);
            }
        }
        Ok(group)
    }

    /// The group that a guard has left behind because it was killed; `None` when there is none.
    #[must_use]
    pub fn left_behind_by(guard: u32, parent: &Path) -> Option<Self> {
        let folder = made_by(guard, parent);
        folder.is_dir().then(|| Self {
            folder,
            parent: own_parent(parent),
        })
    }

    /// Calls `start` inside the group. The processes that it starts stay there; this process leaves again.
    ///
    /// # Errors
    /// The errors of `start` and of leaving the group. If the group cannot be entered, `start` is called outside.
    pub fn inside<T>(&self, start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let entered = enter(&self.folder);
        let started = start();
        if entered.is_ok() {
            enter(&self.parent)?;
        }
        started
    }

    /// Kills every process in it at once.
    pub fn kill(&self) {
        let _ = write(&self.folder.join("cgroup.kill"), "1");
    }

    /// Whether the kernel has killed a process of it at its memory limit.
    #[must_use]
    pub fn was_out_of_memory(&self) -> bool {
        let events = fs::read_to_string(self.folder.join("memory.events")).unwrap_or_default();
        out_of_memory_kills(&events) > 0
    }
}

impl Drop for TrialGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

/// The folder of the group that a guard makes.
fn made_by(guard: u32, parent: &Path) -> PathBuf {
    parent.join(format!("ftbench-{guard}"))
}

/// Where the guard belongs: beside the driver.
fn own_parent(group: &Path) -> PathBuf {
    let leaf = group.join(OWN_LEAF);
    if leaf.is_dir() { leaf } else { group.to_owned() }
}

/// The count of `oom_kill` in `memory.events`.
fn out_of_memory_kills(events: &str) -> u64 {
    let of_kind = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
    of_kind.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

fn enter(group: &Path) -> io::Result<()> {
    write(&group.join("cgroup.procs"), "0")
}

/// Moves this process and its children, such as the loopback server.
fn move_own(group: &Path) -> io::Result<()> {
    for child in tree::children(reaper::own_id()).unwrap_or_default() {
        // It may have ended.
        let _ = write(&group.join("cgroup.procs"), &child.to_string());
    }
    enter(group)
}

/// Writes to a file only if it exists, because the kernel makes these files.
fn write(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    fs::OpenOptions::new()
        .write(true)
        .open(path)?
        .write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::file_tree::file_tree;

    const OWN: &str = "0::/user/run\n";

    #[test]
    fn controllers_are_handed_down_from_a_leaf() {
        let root = file_tree(&[
            ("user/run/cgroup.controllers", "cpu memory pids\n"),
            ("user/run/cgroup.subtree_control", ""),
            ("user/run/cgroup.procs", ""),
            ("user/run/ftbench-driver/cgroup.procs", ""),
        ]);
        let group = root.path().join("user/run");
        let delegated = DelegatedGroup::in_tree(root.path(), OWN).unwrap();
        let read = |name: &str| fs::read_to_string(group.join(name)).unwrap();
        assert_eq!(delegated.group(), group);
        assert_eq!(read("cgroup.subtree_control"), "+memory +pids");
        // Writing here only overwrites: the ids of processes that other tests started meanwhile may follow.
        assert!(read("ftbench-driver/cgroup.procs").starts_with('0'));
        // The guards of later trials go back to the driver's group.
        assert_eq!(own_parent(&group), group.join("ftbench-driver"));
        drop(delegated);
        assert!(read("cgroup.subtree_control").starts_with("-memory"));
        assert!(read("cgroup.procs").starts_with('0'));
    }

    #[test]
    fn controllers_that_are_handed_down_already_are_used_as_they_are() {
        let root = file_tree(&[
            ("user/run/cgroup.controllers", "memory pids\n"),
            ("user/run/cgroup.subtree_control", "memory pids\n"),
            ("user/run/cgroup.procs", ""),
        ]);
        let delegated = DelegatedGroup::in_tree(root.path(), OWN).unwrap();
        assert!(delegated.leaf.is_none());
        assert!(DelegatedGroup::in_tree(root.path(), "0::/elsewhere\n").is_none());
    }

    #[test]
    fn a_trials_group_is_limited_entered_left_and_killed() {
        let root = file_tree(&[("cgroup.procs", "")]);
        let folder = root.path().join(format!("ftbench-{}", std::process::id()));
        let group = TrialGroup::make(root.path(), Some(1 << 30), Some(50)).unwrap();
        assert!(folder.is_dir());
        // A group of the same name that exists already is not ours.
        assert!(TrialGroup::make(root.path(), None, None).is_err());
        assert!(TrialGroup::left_behind_by(std::process::id() + 1, root.path()).is_none());
        for name in ["cgroup.procs", "cgroup.kill"] {
            fs::write(folder.join(name), "").unwrap();
        }
        let inside = group.inside(|| fs::read_to_string(folder.join("cgroup.procs")));
        assert_eq!(inside.unwrap(), "0");
        assert_eq!(fs::read_to_string(root.path().join("cgroup.procs")).unwrap(), "0");
        group.kill();
        assert_eq!(fs::read_to_string(folder.join("cgroup.kill")).unwrap(), "1");
        assert!(!group.was_out_of_memory());
        fs::write(folder.join("memory.events"), "low 0\noom 2\noom_kill 1\n").unwrap();
        assert!(group.was_out_of_memory());
        assert_eq!(out_of_memory_kills("oom_kill x"), 0);
    }

    #[test]
    fn a_group_that_was_left_behind_is_removed() {
        let root = file_tree(&[("cgroup.procs", "")]);
        // As if its guard had been killed.
        std::mem::forget(TrialGroup::make(root.path(), None, None).unwrap());
        let left = TrialGroup::left_behind_by(std::process::id(), root.path()).unwrap();
        left.kill();
        drop(left);
        assert!(TrialGroup::left_behind_by(std::process::id(), root.path()).is_none());
    }
}
