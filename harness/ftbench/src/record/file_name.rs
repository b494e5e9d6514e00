//! Makes file names in a run folder from the names of workloads, interpreters and runs.

use sha2::{Digest, Sha256};

/// Names files for these workloads, in their order, see [`file_name`]. If two would have the same name, as `a/bench`
/// and `a_bench` would, a digest is added to those that differ from the workload's own name.
pub fn file_names<'a>(workloads: impl IntoIterator<Item = &'a str>) -> Vec<(&'a str, String)> {
    let names: Vec<(&str, String)> = workloads
        .into_iter()
        .map(|workload| (workload, file_name(workload)))
        .collect();
    let is_shared = |name: &str| names.iter().filter(|(_, other)| other == name).count() > 1;
    let distinct = |(workload, name): &(&'a str, String)| {
        let name = if name != workload && is_shared(name) {
            with_digest(name, workload)
        } else {
            name.clone()
        };
        (*workload, name)
    };
    names.iter().map(distinct).collect()
}

/// Turns a name into the stem of a file name that every system accepts. A long one is cut off and ends with a digest,
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
    with_digest(beginning, name)
}

fn with_digest(beginning: &str, name: &str) -> String {
    let digest = Sha256::digest(name);
    let digest: String = hex::encode(digest).chars().take(8).collect();
    format!("{beginning}-{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_workloads_share_the_file_of_a_chart() {
        let names = file_names(["a/bench", "a_bench", "a:bench", "b/bench"]);
        let names: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(
            names,
            ["a_bench-1bd04485", "a_bench", "a_bench-c649bf04", "b_bench"]
        );
    }

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
