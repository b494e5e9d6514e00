//! How often the control group was throttled for its CPU quota, and the processor for its heat.
//!
//! Sources: `Documentation/admin-guide/cgroup-v2.rst` (`cpu.stat`) and `Documentation/scheduler/sched-bwc.rst`
//! (version 1) of the Linux kernel; `Documentation/ABI/testing/sysfs-devices-system-cpu` (`thermal_throttle`).

use std::fs;
use std::path::{Path, PathBuf};

use crate::process::control_groups::groups;

/// Throttling of a control group, or of several, by their CPU quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QuotaThrottling {
    /// Periods in which the group was throttled.
    pub periods: u64,
    /// Time for which the group was stopped, nanoseconds.
    pub duration_ns: u64,
}

/// Parses `cpu.stat`; `None` where no quota can be set, as in the root group.
#[must_use]
pub fn parse_cpu_stat(text: &str) -> Option<QuotaThrottling> {
    let figure = |name: &str| {
        let mut words = text.lines().map(str::split_ascii_whitespace);
        words.find_map(|mut line| (line.next()? == name).then(|| line.next()?.parse::<u64>().ok())?)
    };
    let periods = figure("nr_throttled")?;
    // Version 2 counts microseconds, version 1 nanoseconds.
    let duration_ns = figure("throttled_usec")
        .map(|us| us.saturating_mul(1_000))
        .or_else(|| figure("throttled_time"))?;
    Some(QuotaThrottling { periods, duration_ns })
}

/// The `cpu.stat` files of ftbench's control group and its ancestors.
#[must_use]
pub fn cpu_stat_files(root: &Path, own_groups: &str) -> Vec<PathBuf> {
    groups(root, own_groups, "cpu")
        .into_iter()
        .map(|group| group.folder.join("cpu.stat"))
        .filter(|path| fs::read_to_string(path).is_ok_and(|text| parse_cpu_stat(&text).is_some()))
        .collect()
}

/// The sums over the groups: each may be throttled for its own quota. `None` without files, or when one cannot be read.
#[must_use]
pub fn quota_throttling(files: &[PathBuf]) -> Option<QuotaThrottling> {
    let each = files
        .iter()
        .map(|path| parse_cpu_stat(&fs::read_to_string(path).ok()?));
    let sum = |a: QuotaThrottling, b: QuotaThrottling| QuotaThrottling {
        periods: a.periods.saturating_add(b.periods),
        duration_ns: a.duration_ns.saturating_add(b.duration_ns),
    };
    each.reduce(|a, b| Some(sum(a?, b?))).flatten()
}

/// The files of a PU that count how often its core and its package were throttled.
#[must_use]
pub fn thermal_files(cpus: &Path, pu: u32) -> Vec<PathBuf> {
    ["core_throttle_count", "package_throttle_count"]
        .iter()
        .map(|name| cpus.join(format!("cpu{pu}/thermal_throttle/{name}")))
        .filter(|path| path.is_file())
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::file_tree::file_tree;

    /// Linux 6.1, a container with a quota.
    const VERSION_2: &str = "usage_usec 5169041\nuser_usec 3830915\nsystem_usec 1338125\nnr_periods 61\n\
        nr_throttled 17\nthrottled_usec 1604521\nnr_bursts 0\nburst_usec 0\n";
    const VERSION_1: &str = "nr_periods 61\nnr_throttled 17\nthrottled_time 1604521000\n";
    const ROOT: &str = "usage_usec 5169041\nuser_usec 3830915\nsystem_usec 1338125\n";

    #[test]
    fn both_versions_give_the_same_figures() {
        let expected = QuotaThrottling {
            periods: 17,
            duration_ns: 1_604_521_000,
        };
        assert_eq!(parse_cpu_stat(VERSION_2), Some(expected));
        assert_eq!(parse_cpu_stat(VERSION_1), Some(expected));
        assert_eq!(parse_cpu_stat(ROOT), None);
    }

    #[test]
    fn group_and_its_ancestors_are_added_up() {
        let root = file_tree(&[
            ("jobs/one/cpu.stat", VERSION_2),
            ("jobs/cpu.stat", VERSION_2),
            ("cpu.stat", ROOT),
        ]);
        let files = cpu_stat_files(root.path(), "0::/jobs/one\n");
        assert_eq!(files.len(), 2);
        assert_eq!(quota_throttling(&files).unwrap().periods, 34);
        assert_eq!(quota_throttling(&[]), None);
        assert_eq!(quota_throttling(&[root.path().join("gone")]), None);
    }

    proptest! {
        #[test]
        fn any_text_is_parsed(text in "((nr_throttled|throttled_usec|throttled_time|x) ?[0-9]{0,25}\n){0,4}.{0,20}") {
            let _ = parse_cpu_stat(&text);
        }
    }
}
