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

/// The product of the numbers of all levels, found where libhwloc finds them (`hwloc_backend_synthetic_init`,
/// hwloc/topology-synthetic.c): a level's number ends where its digits do, whatever stands up to the first colon. What
/// reads like a number and is none that can be followed counts as more than any machine has; all else is for hwloc to
/// judge.
pub(super) fn most_objects(description: &str) -> u64 {
    let mut product = 1_u64;
    let mut rest = description;
    while let Some((number, after)) = next_level(rest) {
        product = product.saturating_mul(number.max(1));
        rest = after;
    }
    product
}

/// The number of the first level and what stands after it; `None` where hwloc reads no further.
fn next_level(text: &str) -> Option<(u64, &str)> {
    let text = text.trim_start();
    // Memory attached to a level; attributes.
    for (opening, closing) in [('[', ']'), ('(', ')')] {
        if let Some(inside) = text.strip_prefix(opening) {
            return Some((1, inside.split_once(closing)?.1));
        }
    }
    let number = if text.starts_with(|first: char| first.is_ascii_digit()) {
        text
    } else {
        text.split_once(':')?.1.trim_start()
    };
    let end = number.find(|char: char| !char.is_ascii_digit());
    let (digits, after) = number.split_at(end.unwrap_or(number.len()));
    let is_octal_or_hexadecimal =
        digits.starts_with('0') && (digits.len() > 1 || after.starts_with(['x', 'X']));
    if is_octal_or_hexadecimal || number.starts_with(['+', '-']) {
        return Some((u64::MAX, ""));
    }
    (!digits.is_empty()).then(|| (digits.parse().unwrap_or(u64::MAX), after))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_numbers_multiply(numbers in prop::collection::vec(1..2_000_u64, 1..6), apart in "[ \n]{0,2}") {
            let levels: String = numbers.iter().map(|number| format!("group:{number}{apart}")).collect();
            prop_assert_eq!(most_objects(&levels), numbers.iter().product::<u64>());
        }

        #[test]
        fn any_text_has_a_number(text in "\\PC{0,40}") {
            prop_assert!(most_objects(&text) > 0);
        }
    }

    #[test]
    fn levels_multiply() {
        assert_eq!(most_objects("pack:2 [numa] die:2 l3:1 core:2 pu:2"), 16);
        assert_eq!(
            most_objects("pack:2 [numa(memory=1GB)] core:8 pu:2(indexes=2*8:8*1)"),
            32
        );
        assert_eq!(most_objects("2 3 4"), 24);
        assert_eq!(most_objects("garbage"), 1);
        assert_eq!(most_objects("pack:0 pu:3"), 3);
    }

    #[test]
    fn numbers_are_where_libhwloc_finds_them() {
        assert_eq!(most_objects("pack\u{5}uma] die:11190core:1 pu:2"), 22_380);
        assert_eq!(most_objects("pack(:60000 core:2 pu:1"), 120_000);
        assert_eq!(most_objects("pack:2((x) core:60000 pu:1"), 120_000);
        assert_eq!(most_objects("(memory=2) pack: 2 core:\t3pu:4"), 24);
    }

    #[test]
    fn what_cannot_be_followed_is_more_than_any_machine_has() {
        for huge in [
            "pu:0x7fffffff",
            "pu:-1",
            "pu: +7",
            "2 010 pu:1",
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
