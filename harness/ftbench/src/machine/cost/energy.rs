//! Energy of the processor packages, from the running average power limit's counters (RAPL).
//!
//! Source: `Documentation/power/powercap/powercap.rst` of the Linux kernel. Intel and AMD processors have them; since
//! Linux 5.10 only root may read them, because they leak other users' secrets (CVE-2020-8694).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the kernel shows power zones.
pub const POWERCAP: &str = "/sys/class/powercap";

const MICROJOULES_PER_JOULE: f64 = 1e6;

/// One processor package's counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    counter: PathBuf,
    /// The largest value of the counter, after which it continues at 0, microjoules.
    range_microjoules: u64,
}

/// The zones of processor packages below `powercap`, if all can be read. `psys` and the zones inside a package count
/// some of the same energy again and are left out.
///
/// # Errors
///
/// When there is none, or one cannot be read.
pub fn zones(powercap: &Path) -> io::Result<Vec<Zone>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(powercap)? {
        let folder = entry?.path();
        let name = fs::read_to_string(folder.join("name")).unwrap_or_default();
        if name.trim().starts_with("package-") {
            let zone = Zone {
                counter: folder.join("energy_uj"),
                range_microjoules: number(&folder.join("max_energy_range_uj"))?,
            };
            number(&zone.counter)?;
            found.push(zone);
        }
    }
    found.sort_by(|a, b| a.counter.cmp(&b.counter));
    if found.is_empty() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(found)
}

/// Each zone's counter now, microjoules; `None` where it cannot be read.
#[must_use]
pub fn read(zones: &[Zone]) -> Vec<Option<u64>> {
    zones.iter().map(|zone| number(&zone.counter).ok()).collect()
}

/// Joules between two readings, summed over the zones; `None` with no zone, or when one is not known at both ends.
#[must_use]
pub fn joules_between(zones: &[Zone], before: &[Option<u64>], after: &[Option<u64>]) -> Option<f64> {
    if zones.is_empty() || before.len() != zones.len() || after.len() != zones.len() {
        return None;
    }
    let each = zones.iter().zip(before).zip(after);
    each.map(|((zone, before), after)| {
        let microjoules = advance((*before)?, (*after)?, zone.range_microjoules)?;
        Some(microjoules as f64 / MICROJOULES_PER_JOULE)
    })
    .sum()
}

/// How far a counter advanced that continues at 0 after `range`. It is assumed to have done so at most once, because a
/// package needs minutes for one range. `None` when the counter was above its range, which is impossible.
fn advance(before: u64, after: u64, range: u64) -> Option<u64> {
    if after >= before {
        Some(after - before)
    } else {
        range.checked_sub(before)?.checked_add(after)
    }
}

fn number(path: &Path) -> io::Result<u64> {
    let text = fs::read_to_string(path)?;
    text.trim().parse().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    /// The range that Intel's server processors show, microjoules.
    const RANGE: u64 = 262_143_328_850;

    /// The zones of one package with its cores, and of the whole platform.
    fn powercap(package_microjoules: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (zone, name, energy) in [
            ("intel-rapl", "", ""),
            ("intel-rapl:0", "package-0\n", package_microjoules),
            ("intel-rapl:0:0", "core\n", "5\n"),
            ("intel-rapl:1", "psys\n", "7\n"),
        ] {
            let folder = root.path().join(zone);
            fs::create_dir(&folder).unwrap();
            for (file, text) in [
                ("name", name),
                ("energy_uj", energy),
                ("max_energy_range_uj", "262143328850\n"),
            ] {
                if !text.is_empty() {
                    fs::write(folder.join(file), text).unwrap();
                }
            }
        }
        root
    }

    #[test]
    fn packages_are_counted_once() {
        let root = powercap("96422081512\n");
        let zones = zones(root.path()).unwrap();
        assert_eq!(zones.len(), 1);
        let before = read(&zones);
        fs::write(root.path().join("intel-rapl:0/energy_uj"), "96424581512\n").unwrap();
        assert_eq!(joules_between(&zones, &before, &read(&zones)), Some(2.5));
        fs::remove_file(root.path().join("intel-rapl:0/energy_uj")).unwrap();
        assert_eq!(joules_between(&zones, &before, &read(&zones)), None);
    }

    #[test]
    fn counter_wraps_at_its_range() {
        assert_eq!(advance(RANGE - 1_000_000, 500_000, RANGE), Some(1_500_000));
        assert_eq!(advance(5, 5, RANGE), Some(0));
        assert_eq!(advance(RANGE + 7, 3, RANGE), None);
    }

    #[test]
    fn unreadable_zones_are_an_error() {
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(zones(empty.path()).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(zones(&empty.path().join("none")).is_err());
        assert!(zones(powercap("many\n").path()).is_err());
        assert_eq!(joules_between(&[], &[], &[]), None);
    }

    proptest! {
        #[test]
        fn any_advance_below_the_range_is_found(before in 0..=RANGE, advanced in 0..RANGE) {
            let after = (before + advanced) % RANGE;
            // A counter at its range and one at 0 are the same moment.
            let found = advance(before, after, RANGE).unwrap();
            prop_assert_eq!(found % RANGE, advanced % RANGE);
        }
    }
}
