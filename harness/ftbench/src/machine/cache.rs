//! Sizes of the last-level caches, from sysfs.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Where the kernel describes the caches above each PU (Documentation/ABI/testing/sysfs-devices-system-cpu).
const SYSFS_CPUS: &str = "/sys/devices/system/cpu";

/// Most `index` folders of a PU. Separate data and instruction caches have one each; no machine has more than this.
const MAX_INDICES: u32 = 10;

/// Total size of the last-level caches above these PUs (OS indices), bytes. Each cache is counted once. `None` where
/// the system does not report it.
#[must_use]
pub fn last_level_bytes(pus: &[u32]) -> Option<u64> {
    last_level_bytes_in(Path::new(SYSFS_CPUS), pus)
}

fn last_level_bytes_in(cpus: &Path, pus: &[u32]) -> Option<u64> {
    // The key is the PUs that share the cache, because last-level caches do not overlap.
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
    let index = (0..MAX_INDICES)
        .filter(|&index| level(index).is_some())
        .max_by_key(|&index| level(index))?;
    Some((word(index, "shared_cpu_list")?, bytes(&word(index, "size")?)?))
}

/// Parses a size as the kernel writes it: `32768K`.
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
        let bytes = |pus: &[u32]| last_level_bytes_in(machine.path(), pus);
        assert_eq!(bytes(&[0]), Some(32 << 20));
        assert_eq!(bytes(&[0, 1]), Some(32 << 20));
        assert_eq!(bytes(&[1, 2]), Some(64 << 20));
    }

    #[test]
    fn missing_figures_make_the_size_unknown() {
        let machine = machine();
        assert_eq!(last_level_bytes_in(machine.path(), &[0, 9]), None);
        assert_eq!(last_level_bytes_in(machine.path(), &[]), None);
        fs::write(machine.path().join("cpu0/cache/index1/size"), "lots").unwrap();
        assert_eq!(last_level_bytes_in(machine.path(), &[0]), None);
    }
}
