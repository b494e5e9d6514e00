//! Descriptions of other machines, which people hand to hwloc through the environment. hwloc makes an object of each PU
//! that it is told of, so what would fill the memory is refused before it sees it.

use std::ffi::OsStr;
use std::path::Path;

use crate::outside;

/// The variable that names a file, as `lstopo machine.xml` writes it.
pub(super) const XML_FILE: &str = "HWLOC_XMLFILE";
/// The variable that holds a description in words, such as `pack:2 core:4 pu:2`.
pub(super) const SYNTHETIC: &str = "HWLOC_SYNTHETIC";

/// Largest XML file that hwloc is given, bytes. A machine of 1,024 PUs has about 1 MiB.
const LARGEST_XML_BYTES: u64 = 64 << 20;

/// Most PUs that a description in words may come to: eight times those of the largest Linux kernels (`NR_CPUS`).
const MOST_PUS: u64 = 65_536;

/// What is wrong with what a variable holds; `None` when hwloc may look at it.
pub(super) fn objection(variable: &str, value: &OsStr) -> Option<String> {
    match variable {
        XML_FILE => {
            let refused = outside::read(Path::new(value), LARGEST_XML_BYTES).err();
            refused.map(|error| error.to_string())
        }
        SYNTHETIC => {
            let pus = most_objects(&value.to_string_lossy());
            (pus > MOST_PUS).then(|| format!("it describes more than {MOST_PUS} PUs"))
        }
        _ => None,
    }
}

/// The product of the numbers of all levels. What reads like a number and is none that can be followed counts as more
/// than any machine has; all else is for hwloc to judge.
pub(super) fn most_objects(description: &str) -> u64 {
    let mut depth = 0_u32;
    let outside_brackets: String = description
        .chars()
        .map(|char| match char {
            '(' | '[' => {
                depth += 1;
                ' '
            }
            ')' | ']' => {
                depth = depth.saturating_sub(1);
                ' '
            }
            other if depth == 0 => other,
            _ => ' ',
        })
        .collect();
    outside_brackets
        .split_whitespace()
        .map(|level| level.rsplit_once(':').map_or(level, |(_, number)| number))
        .filter(|number| number.starts_with(|first: char| first.is_ascii_digit() || "+-".contains(first)))
        .map(|number| number.parse::<u64>().unwrap_or(u64::MAX))
        .fold(1, u64::saturating_mul)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn levels_multiply() {
        assert_eq!(most_objects("pack:2 [numa] die:2 l3:1 core:2 pu:2"), 16);
        assert_eq!(
            most_objects("pack:2 [numa(memory=1GB)] core:8 pu:2(indexes=2*8:8*1)"),
            32
        );
        assert_eq!(most_objects("2 3 4"), 24);
        assert_eq!(most_objects("garbage"), 1);
        for huge in [
            "pu:0x7fffffff",
            "pu:-1",
            "pu:99999999999999999999",
            "4294967296 4294967296",
        ] {
            assert_eq!(most_objects(huge), u64::MAX, "{huge}");
        }
    }

    #[test]
    fn what_would_fill_the_memory_is_refused() {
        let of = |value: &str| objection(SYNTHETIC, OsStr::new(value));
        assert_eq!(of("pack:2 core:64 pu:2"), None);
        assert_eq!(
            of("pack:1000 core:1000 pu:1000").unwrap(),
            "it describes more than 65536 PUs"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("machine.xml");
        assert!(objection(XML_FILE, path.as_os_str()).is_some());
        std::fs::write(&path, "<topology/>").unwrap();
        assert_eq!(objection(XML_FILE, path.as_os_str()), None);
        std::fs::File::create(&path)
            .unwrap()
            .set_len(LARGEST_XML_BYTES + 1)
            .unwrap();
        assert!(objection(XML_FILE, path.as_os_str()).unwrap().contains("KiB"));
        assert!(
            objection(XML_FILE, OsStr::new("/dev/zero"))
                .unwrap()
                .contains("no plain file")
        );
    }
}
