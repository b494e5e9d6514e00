//! Names of files in a run folder that come from workloads, interpreters and runs.

use sha2::{Digest, Sha256};

/// Turns a name into the stem of a file name that every system takes. A longer one is cut and ends with a digest,
/// because file systems limit names to 255 bytes, and an extension is still to be added.
#[must_use]
pub fn file_name(name: &str) -> String {
    const MAX_BYTES: usize = 160;
    let stem: String = name
        .chars()
        .map(|char| {
            if char.is_alphanumeric() || "-_.".contains(char) {
                char
            } else {
                '_'
            }
        })
        .collect();
    if stem.len() <= MAX_BYTES {
        return stem;
    }
    let beginning = stem
        .get(..stem.floor_char_boundary(MAX_BYTES))
        .unwrap_or_default();
    let digest = Sha256::digest(name);
    let digest: String = hex::encode(digest).chars().take(8).collect();
    format!("{beginning}-{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_leaves_its_folder() {
        assert_eq!(file_name("../../etc/<b>"), ".._.._etc__b_");
        assert_eq!(file_name("n-body_2.x"), "n-body_2.x");
        let long = |end: char| file_name(&("ä".repeat(130) + &end.to_string()));
        assert!(
            long('a').len() < 200 && long('a').starts_with("ää"),
            "{}",
            long('a')
        );
        assert_ne!(long('a'), long('b'));
    }
}
