//! Finds the control groups that a process is in.
//!
//! Sources: cgroups(7) for `/proc/self/cgroup`; `Documentation/admin-guide/cgroup-v2.rst` (`memory.max`) and
//! `Documentation/admin-guide/cgroup-v1/memory.rst` (`memory.stat`, `hierarchical_memory_limit`) of the Linux kernel.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// Where control groups are mounted.
pub const MOUNT_POINT: &str = "/sys/fs/cgroup";
/// The file that lists the groups of this process.
pub const OWN_GROUPS: &str = "/proc/self/cgroup";

/// The two control group interfaces of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// A hierarchy for each controller, or for a few of them.
    One,
    /// One hierarchy for all.
    Two,
}

/// A group that may limit something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The interface, which determines its files.
    pub version: Version,
    /// The folder of its files, which need not exist.
    pub folder: PathBuf,
}

/// The groups named in `own_groups` (the contents of `/proc/self/cgroup`) and all of their ancestors that `controller`
/// may limit, below the mount point `root`.
#[must_use]
pub fn groups(root: &Path, own_groups: &str, controller: &str) -> Vec<Group> {
    own_groups
        .lines()
        .filter_map(|line| hierarchy(root, line, controller))
        .flat_map(|(version, mounts, group)| {
            let folders = mounts.into_iter().flat_map(|mount| with_ancestors(&mount, group));
            folders
                .map(|folder| Group { version, folder })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The memory limit of this process's groups, bytes; `None` without one. A file that cannot be read counts as no limit.
#[must_use]
pub fn memory_limit_bytes() -> Option<u64> {
    let own_groups = fs::read_to_string(OWN_GROUPS).ok()?;
    memory_limit_in_groups(Path::new(MOUNT_POINT), &own_groups)
}

fn memory_limit_in_groups(root: &Path, own_groups: &str) -> Option<u64> {
    let groups = groups(root, own_groups, "memory");
    let read = |group: &Group, name: &str| fs::read_to_string(group.folder.join(name)).ok();
    let of_version = |version: Version| groups.iter().filter(move |group| group.version == version);
    // In version 1 a switch decides whether the ancestors of a group limit it, so the result is read from the kernel.
    // No limit is a number of bytes that no machine has.
    let version_1 = of_version(Version::One)
        .find_map(|group| read(group, "memory.stat"))
        .and_then(|text| hierarchical_limit_bytes(&text));
    let version_2 =
        of_version(Version::Two).filter_map(|group| read(group, "memory.max")?.trim().parse().ok());
    version_2.chain(version_1).min()
}

fn hierarchical_limit_bytes(memory_stat: &str) -> Option<u64> {
    let mut lines = memory_stat.lines();
    let limit = lines.find_map(|line| line.strip_prefix("hierarchical_memory_limit "))?;
    limit.trim().parse().ok()
}

/// Parses a line `ID:CONTROLLERS:GROUP`. Returns where the hierarchy may be mounted and the process's group in it, or
/// `None` if the controller cannot be there. Version 2 has the id 0 and no controllers.
fn hierarchy<'line>(
    root: &Path,
    line: &'line str,
    controller: &str,
) -> Option<(Version, Vec<PathBuf>, &'line str)> {
    let mut parts = line.splitn(3, ':');
    let (id, controllers, group) = (parts.next()?, parts.next()?, parts.next()?);
    if id == "0" && controllers.is_empty() {
        // systemd's "hybrid" layout mounts version 2 one folder down.
        let mounts = vec![root.to_owned(), root.join("unified")];
        return Some((Version::Two, mounts, group));
    }
    let is_here = controllers.split(',').any(|one| one == controller);
    is_here.then(|| (Version::One, vec![root.join(controllers)], group))
}

/// The group's folder and those above it, up to the mount point. They need not exist: in a container the path may be
/// the host's, and the mount point the container's own group.
fn with_ancestors(mount: &Path, group: &str) -> Vec<PathBuf> {
    // A group outside the namespace begins with "..": of its ancestors, only the mount point is visible here.
    if Path::new(group)
        .components()
        .any(|part| part == Component::ParentDir)
    {
        return vec![mount.to_owned()];
    }
    let inside = Path::new(group)
        .components()
        .filter(|part| matches!(part, Component::Normal(_)));
    let own = mount.join(inside.collect::<PathBuf>());
    own.ancestors()
        .take_while(|folder| folder.starts_with(mount))
        .map(Path::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::file_tree::file_tree;

    fn limit(files: &[(&str, &str)], own_groups: &str) -> Option<u64> {
        memory_limit_in_groups(file_tree(files).path(), own_groups)
    }

    #[test]
    fn the_smallest_limit_on_the_way_up_wins() {
        let files = [
            ("user/run/memory.max", "max\n"),
            ("user/memory.max", "4096\n"),
            ("memory.max", "9000\n"),
        ];
        assert_eq!(limit(&files, "0::/user/run\n"), Some(4096));
        assert_eq!(limit(&files, "0::/../user/run\n"), Some(9000));
        assert_eq!(limit(&files, "0::/elsewhere\n"), Some(9000));
        assert_eq!(limit(&files, "4:cpu:/user/run\n"), None);
        assert_eq!(limit(&files, ""), None);
    }

    #[test]
    fn version_1_limits_are_read_from_the_memory_hierarchy() {
        let files = [
            ("memory/memory.stat", "cache 5\nhierarchical_memory_limit 4096\n"),
            (
                "memory/docker/c1/memory.stat",
                "cache 5\nhierarchical_memory_limit 536870912\n",
            ),
            ("cpu/docker/c1/memory.stat", "hierarchical_memory_limit 1\n"),
        ];
        let own_groups = "5:cpu:/docker/c1\n4:memory:/docker/c1\n0::/\n";
        assert_eq!(limit(&files, own_groups), Some(512 << 20));
        // In a container whose mount is its own group, known by the host's name.
        assert_eq!(limit(&files, "4:memory:/kubepods/p1\n"), Some(4096));
        assert_eq!(limit(&[("memory/memory.stat", "cache 5\n")], own_groups), None);
    }

    proptest! {
        #[test]
        fn groups_of_any_text_are_below_the_root(own_groups in "([0-9]{0,2}:(memory|cpu)?:[/.a-z]{0,9}\n){0,4}|\\PC{0,40}") {
            let root = Path::new("/nowhere");
            for group in groups(root, &own_groups, "memory") {
                prop_assert!(group.folder.starts_with(root));
            }
        }
    }
}
