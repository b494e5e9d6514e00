//! Checks descriptions of other machines, which users give to hwloc through the environment. hwloc makes an object for
//! every PU in a description, so one that would fill the memory is refused before hwloc reads it.

use std::ffi::OsStr;
use std::path::Path;

use crate::outside;

/// The variable that names a file, as `lstopo machine.xml` writes it.
pub(super) const XML_FILE: &str = "HWLOC_XMLFILE";
/// The variable that holds a synthetic description, such as `pack:2 core:4 pu:2`.
pub(super) const SYNTHETIC: &str = "HWLOC_SYNTHETIC";

/// Largest XML file that hwloc may read, bytes. A machine of 1,024 PUs has about 1 MiB.
const LARGEST_XML_BYTES: u64 = 64 << 20;

/// Most PUs that a synthetic description may have: eight times those of the largest Linux kernels (`NR_CPUS`).
const MAX_PUS: u64 = 65_536;

/// Says what is wrong with the value of a variable; `None` when hwloc may read it.
pub(super) fn objection(variable: &str, value: &OsStr) -> Option<String> {
    match variable {
        XML_FILE => {
            let refused = outside::read(Path::new(value), LARGEST_XML_BYTES).err();
            refused.map(|error| error.to_string())
        }
        SYNTHETIC => {
            let pus = max_objects(&value.to_string_lossy());
            (pus > MAX_PUS).then(|| format!("it describes more than {MAX_PUS} PUs"))
        }
        _ => None,
    }
}

/// The most objects that a synthetic description may lead to: the product of the numbers of all levels, parsed as
/// libhwloc does (`hwloc_backend_synthetic_init`, hwloc/topology-synthetic.c). A level's number ends where its digits
/// end, whatever precedes the first colon. A number in a form that is not parsed here counts as `u64::MAX`; anything
/// else is left to hwloc.
pub(super) fn max_objects(description: &str) -> u64 {
    let mut product = 1_u64;
    let mut rest = description;
    while let Some((number, after)) = next_level(rest) {
        product = product.saturating_mul(number.max(1));
        rest = after;
    }
    product
}

/// The number of the first level and the text after it; `None` where hwloc reads no further.
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
        fn any_numbers_multiply(numbers in prop::collection::vec(1..2_000_u64, 1..6), separator in "[ \n]{0,2}") {
            let levels: String = numbers.iter().map(|number| format!("group:{number}{separator}")).collect();
            prop_assert_eq!(max_objects(&levels), numbers.iter().product::<u64>());
        }

        #[test]
        fn any_text_has_a_number(text in "\\PC{0,40}") {
            prop_assert!(max_objects(&text) > 0);
        }
    }

    #[test]
    fn levels_multiply() {
        assert_eq!(max_objects("pack:2 [numa] die:2 l3:1 core:2 pu:2"), 16);
        assert_eq!(
            max_objects("pack:2 [numa(memory=1GB)] core:8 pu:2(indexes=2*8:8*1)"),
            32
        );
        assert_eq!(max_objects("2 3 4"), 24);
        assert_eq!(max_objects("garbage"), 1);
        assert_eq!(max_objects("pack:0 pu:3"), 3);
    }

    #[test]
    fn numbers_are_parsed_as_libhwloc_does() {
        assert_eq!(max_objects("pack\u{5}uma] die:11190core:1 pu:2"), 22_380);
        assert_eq!(max_objects("pack(:60000 core:2 pu:1"), 120_000);
        assert_eq!(max_objects("pack:2((x) core:60000 pu:1"), 120_000);
        assert_eq!(max_objects("(memory=2) pack: 2 core:\t3pu:4"), 24);
    }

    #[test]
    fn numbers_in_other_forms_count_as_the_maximum() {
        for huge in [
            "pu:0x7fffffff",
            "pu:-1",
            "pu: +7",
            "2 010 pu:1",
            "pu:99999999999999999999",
            "4294967296 4294967296",
        ] {
            assert_eq!(max_objects(huge), u64::MAX, "{huge}");
        }
    }

    #[test]
    fn oversized_descriptions_are_refused() {
        let objection_to = |value: &str| objection(SYNTHETIC, OsStr::new(value));
        assert_eq!(objection_to("pack:2 core:64 pu:2"), None);
        assert_eq!(
            objection_to("pack:1000 core:1000 pu:1000").unwrap(),
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
                .contains("not a regular file")
        );
    }
}
