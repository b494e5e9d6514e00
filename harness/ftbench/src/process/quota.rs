//! Reads how much CPU time the control group may use.
//!
//! Sources: `Documentation/admin-guide/cgroup-v2.rst` (`cpu.max`) and `Documentation/scheduler/sched-bwc.rst`
//! (`cpu.cfs_quota_us`, `cpu.cfs_period_us`) of the Linux kernel.

use std::io;
use std::path::{Path, PathBuf};

use super::control_groups::{Group, MOUNT_POINT, OWN_GROUPS, Version, groups};
use crate::error::{ExitStatus, Failure};

/// Why the quota is not known.
#[derive(Debug, thiserror::Error)]
pub enum QuotaError {
    /// A file exists but cannot be read.
    #[error(
        "cannot read the CPU quota from {path}: {source}\nFix its permissions, or bind nothing with '--pin none'."
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file does not have the format that the kernel writes.
    #[error("cannot parse the CPU quota in {path}: {text:?}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Its contents.
        text: String,
    },
}

impl Failure for QuotaError {
    fn exit_status(&self) -> ExitStatus {
        ExitStatus::MachineFailed
    }
}

/// The CPU quota of this process, in CPUs' worth of time; `None` when nothing limits it.
///
/// # Errors
///
/// When a file with a quota cannot be read or parsed. Without control groups there is no limit and no error.
pub fn of_this_process() -> Result<Option<f64>, QuotaError> {
    let own_groups = read_if_exists(Path::new(OWN_GROUPS))?.unwrap_or_default();
    in_groups(Path::new(MOUNT_POINT), &own_groups)
}

/// The smallest quota of the groups named in `own_groups` (the contents of `/proc/self/cgroup`) and of all their
/// ancestors, below the mount point `root`, in CPUs' worth of time; `None` without a limit.
///
/// # Errors
///
/// When a file with a quota cannot be read or parsed.
pub fn in_groups(root: &Path, own_groups: &str) -> Result<Option<f64>, QuotaError> {
    let mut smallest: Option<f64> = None;
    for Group { version, folder } in groups(root, own_groups, "cpu") {
        let quota = match version {
            Version::One => version_1(&folder)?,
            Version::Two => version_2(&folder)?,
        };
        if let Some(quota) = quota {
            smallest = Some(smallest.map_or(quota, |other| other.min(quota)));
        }
    }
    Ok(smallest)
}

fn version_2(folder: &Path) -> Result<Option<f64>, QuotaError> {
    let path = folder.join("cpu.max");
    let Some(text) = read_if_exists(&path)? else {
        return Ok(None);
    };
    parse_cpu_max(&text)
        .ok_or(QuotaError::Malformed { path, text })
        .map(Limit::cpus)
}

fn version_1(folder: &Path) -> Result<Option<f64>, QuotaError> {
    let path = folder.join("cpu.cfs_quota_us");
    let Some(quota) = read_if_exists(&path)? else {
        return Ok(None);
    };
    let period = read_if_exists(&folder.join("cpu.cfs_period_us"))?.unwrap_or_default();
    match parse_cfs(&quota, &period) {
        Some(limit) => Ok(limit.cpus()),
        None => Err(QuotaError::Malformed {
            path,
            text: format!("{quota} of {period}"),
        }),
    }
}

fn read_if_exists(path: &Path) -> Result<Option<String>, QuotaError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(source) => Err(QuotaError::Unreadable {
            path: path.to_owned(),
            source,
        }),
    }
}

/// The limit of one group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// No limit.
    Unlimited,
    /// This many CPUs' worth of time.
    Cpus(f64),
}

impl Limit {
    const fn cpus(self) -> Option<f64> {
        match self {
            Self::Unlimited => None,
            Self::Cpus(cpus) => Some(cpus),
        }
    }
}

/// Parses `cpu.max`: `$QUOTA $PERIOD`, microseconds, where the quota may be `max`.
pub fn parse_cpu_max(text: &str) -> Option<Limit> {
    let mut words = text.split_ascii_whitespace();
    let (quota, period, rest) = (words.next()?, words.next()?, words.next());
    if rest.is_some() {
        return None;
    }
    if quota == "max" {
        return Some(Limit::Unlimited);
    }
    share(quota.parse().ok()?, period.parse().ok()?)
}

/// Parses `cpu.cfs_quota_us` and `cpu.cfs_period_us`, microseconds; a quota of -1 means no limit.
pub fn parse_cfs(quota: &str, period: &str) -> Option<Limit> {
    let quota: i64 = quota.trim().parse().ok()?;
    if quota < 0 {
        return Some(Limit::Unlimited);
    }
    share(u64::try_from(quota).ok()?, period.trim().parse().ok()?)
}

fn share(quota_us: u64, period_us: u64) -> Option<Limit> {
    // Below 2^53 both are exact; the kernel allows periods up to a second and quotas up to days.
    (quota_us > 0 && period_us > 0).then(|| Limit::Cpus(quota_us as f64 / period_us as f64))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::file_tree::file_tree;

    fn quota(files: &[(&str, &str)], own_groups: &str) -> Option<f64> {
        in_groups(file_tree(files).path(), own_groups).unwrap()
    }

    #[test]
    fn version_2_reads_the_own_group() {
        let files = [("user.slice/job/cpu.max", "150000 100000\n")];
        assert_eq!(quota(&files, "0::/user.slice/job\n"), Some(1.5));
    }

    #[test]
    fn the_smallest_quota_on_the_way_up_wins() {
        let files = [
            ("cpu.max", "max 100000\n"),
            ("a/cpu.max", "200000 100000\n"),
            ("a/b/cpu.max", "max 100000\n"),
            ("a/b/c/cpu.max", "400000 100000\n"),
            ("a/other/cpu.max", "1000 100000\n"),
        ];
        assert_eq!(quota(&files, "0::/a/b/c\n"), Some(2.0));
        assert_eq!(quota(&files, "0::/\n"), None);
    }

    #[test]
    fn a_container_sees_its_own_group_at_the_mount_point() {
        // With a cgroup namespace, without one, and with a group outside of it.
        let files = [("cpu.max", "50000 100000\n")];
        for own_groups in [
            "0::/\n",
            "0::/system.slice/docker-0123.scope\n",
            "0::/../sibling\n",
        ] {
            assert_eq!(quota(&files, own_groups), Some(0.5), "{own_groups}");
        }
    }

    #[test]
    fn version_1_quotas_are_read_from_the_cpu_hierarchy() {
        let own_groups = "7:memory:/m\n4:cpu,cpuacct:/docker/0123\n1:name=systemd:/s\n";
        let files = [
            ("cpu,cpuacct/cpu.cfs_quota_us", "-1\n"),
            ("cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
            ("cpu,cpuacct/docker/0123/cpu.cfs_quota_us", "250000\n"),
            ("cpu,cpuacct/docker/0123/cpu.cfs_period_us", "100000\n"),
            ("memory/m/cpu.cfs_quota_us", "1\n"),
        ];
        assert_eq!(quota(&files, own_groups), Some(2.5));
        let unlimited = [
            ("cpu/cpu.cfs_quota_us", "-1\n"),
            ("cpu/cpu.cfs_period_us", "100000\n"),
        ];
        assert_eq!(quota(&unlimited, "1:cpu:/\n0::/\n"), None);
    }

    #[test]
    fn hybrid_layouts_are_read_on_both_sides() {
        let files = [
            ("cpu/g/cpu.cfs_quota_us", "300000\n"),
            ("cpu/g/cpu.cfs_period_us", "100000\n"),
            ("unified/g/cpu.max", "200000 100000\n"),
        ];
        assert_eq!(quota(&files, "2:cpu:/g\n0::/g\n"), Some(2.0));
    }

    #[test]
    fn no_control_groups_means_no_limit() {
        assert_eq!(quota(&[], ""), None);
        assert_eq!(quota(&[], "0::/a\nnonsense\n1:cpuset:/\n"), None);
    }

    #[test]
    fn the_error_for_a_malformed_file_names_the_file_and_its_contents() {
        for text in [
            "",
            "max",
            "0 100000",
            "100000 0",
            "abc 100000",
            "1 2 3",
            "-1 100000",
        ] {
            let root = file_tree(&[("cpu.max", text)]);
            let error = in_groups(root.path(), "0::/\n").unwrap_err().to_string();
            assert!(
                error.contains("cpu.max") && error.contains(&format!("{text:?}")),
                "{error}"
            );
        }
        let root = file_tree(&[("cpu/cpu.cfs_quota_us", "100000\n")]);
        assert!(in_groups(root.path(), "1:cpu:/\n").is_err());
    }

    #[test]
    fn the_quota_of_this_process_is_positive_if_there_is_one() {
        let quota = of_this_process().unwrap();
        assert!(quota.is_none_or(|cpus| cpus > 0.0));
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in ".{0,30}", period in ".{0,10}") {
            let _ = parse_cpu_max(&text);
            let _ = parse_cfs(&text, &period);
        }

        #[test]
        fn quotas_are_read_back(hundredths in 1_u32..100_000) {
            let text = format!("{} 100000\n", u64::from(hundredths) * 1000);
            prop_assert_eq!(parse_cpu_max(&text), Some(Limit::Cpus(f64::from(hundredths) / 100.0)));
            prop_assert_eq!(parse_cfs(&format!("{}\n", u64::from(hundredths) * 1000), "100000\n"),
                Some(Limit::Cpus(f64::from(hundredths) / 100.0)));
        }
    }
}
