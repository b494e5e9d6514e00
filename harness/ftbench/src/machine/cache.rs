//! How large the last-level caches are, from sysfs.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Where the kernel describes the caches above each PU (Documentation/ABI/testing/sysfs-devices-system-cpu).
const SYSFS_CPUS: &str = "/sys/devices/system/cpu";

/// Cache levels with data and instructions apart have an index each; no machine has more than this.
const MOST_INDICES: u32 = 10;

/// Bytes of the last-level caches above some PUs (OS indices), each cache counted once; `None` where the system does
/// not tell.
#[must_use]
pub fn last_level_bytes(pus: &[u32]) -> Option<u64> {
    of_folder(Path::new(SYSFS_CPUS), pus)
}

fn of_folder(cpus: &Path, pus: &[u32]) -> Option<u64> {
    // By the PUs that share it, which no two caches of the last level have in common.
    let mut caches: HashMap<String, u64> = HashMap::new();
    for pu in pus {
        let (sharers, bytes) = last_level(&cpus.join(format!("cpu{pu}/cache")))?;
        caches.insert(sharers, bytes);
    }
    let all = caches.into_values().fold(0, u64::saturating_add);
    Some(all).filter(|&bytes| bytes > 0)
}

/// The PUs under the last-level cache of one PU, and its size, bytes.
fn last_level(folder: &Path) -> Option<(String, u64)> {
    let word = |index: u32, file: &str| {
        let text = fs::read_to_string(folder.join(format!("index{index}/{file}"))).ok()?;
        Some(text.trim().to_owned())
    };
    let level = |index: u32| word(index, "level")?.parse::<u32>().ok();
    let index = (0..MOST_INDICES)
        .filter(|&index| level(index).is_some())
        .max_by_key(|&index| level(index))?;
    Some((word(index, "shared_cpu_list")?, bytes(&word(index, "size")?)?))
}

/// The kernel writes `32768K`.
pub(super) fn bytes(size: &str) -> Option<u64> {
    let kibibytes: u64 = size.strip_suffix('K')?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::file_tree::write_in;

    /// Two pairs of PUs with a cache of 32 MiB for each pair, and 1 MiB for each PU below it.
    fn machine() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (pu, pair) in [(0, "0-1"), (1, "0-1"), (2, "2-3"), (3, "2-3")] {
            let caches = [
                ("1", "64K", pu.to_string()),
                ("3", "32768K", pair.to_owned()),
                ("2", "1024K", pu.to_string()),
            ];
            for (index, (level, size, sharers)) in caches.into_iter().enumerate() {
                for (name, value) in [("level", level), ("size", size), ("shared_cpu_list", &sharers)] {
                    let name = format!("cpu{pu}/cache/index{index}/{name}");
                    write_in(folder.path(), &name, &format!("{value}\n"));
                }
            }
        }
        folder
    }

    #[test]
    fn shared_caches_count_once() {
        let machine = machine();
        let of = |pus: &[u32]| of_folder(machine.path(), pus);
        assert_eq!(of(&[0]), Some(32 << 20));
        assert_eq!(of(&[0, 1]), Some(32 << 20));
        assert_eq!(of(&[1, 2]), Some(64 << 20));
    }

    #[test]
    fn what_is_not_told_is_not_made_up() {
        let machine = machine();
        assert_eq!(of_folder(machine.path(), &[0, 9]), None);
        assert_eq!(of_folder(machine.path(), &[]), None);
        fs::write(machine.path().join("cpu0/cache/index1/size"), "lots").unwrap();
        assert_eq!(of_folder(machine.path(), &[0]), None);
    }
}
