//! Labels of the interpreters in a list or a run: for each the shortest tag that identifies it. Pure.

use std::cmp::Reverse;
use std::collections::HashSet;

use ftbench_schema::{Tag, Version};

/// What an interpreter's label depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Labelled {
    /// Its tag with the patch version.
    pub full: Tag,
    /// Its version.
    pub version: Version,
    /// The name of its source.
    pub source: &'static str,
    /// The label that the user requested it by, which it keeps.
    pub requested: Option<String>,
}

/// Returns one label for each interpreter, in the same order.
///
/// Of several with the same short tag (`3.13`), the newest gets it and the others get the full tag (`3.13.0`). Of
/// several builds of exactly the same version and kind, only the first is labelled by its tag. No tag distinguishes the
/// others, so their labels add the source (`3.13.0@conda`, then `3.13.0@conda2`). Such labels do not work on the
/// command line, where these interpreters are given by path.
pub(super) fn labels(given: &[Labelled]) -> Vec<String> {
    let mut order: Vec<(usize, &Labelled)> = given.iter().enumerate().collect();
    order.sort_by_key(|(_, one)| (one.requested.is_none(), Reverse(one.version)));
    let mut taken: HashSet<String> = HashSet::new();
    let mut named: HashSet<Tag> = HashSet::new();
    let mut labels: Vec<(usize, String)> = order
        .into_iter()
        .map(|(index, one)| {
            let twin = !named.insert(one.full);
            let label = one.requested.clone().unwrap_or_else(|| name(one, twin, &taken));
            taken.insert(label.clone());
            (index, label)
        })
        .collect();
    labels.sort_by_key(|(index, _)| *index);
    labels.into_iter().map(|(_, label)| label).collect()
}

/// The first of its possible labels that is not taken.
fn name(one: &Labelled, twin: bool, taken: &HashSet<String>) -> String {
    let tags = [one.full.short().to_string(), one.full.to_string()];
    let own = tags.into_iter().filter(|_| !twin);
    let with_source = format!("{}@{}", one.full, one.source);
    let numbered = (2_u64..).map(|number| format!("{with_source}{number}"));
    own.chain([with_source.clone()])
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .unwrap_or_else(|| with_source.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use ftbench_fixtures::interpreters::facts;

    fn one(full_tag: &str, source: &'static str) -> Labelled {
        let facts = facts(full_tag);
        Labelled {
            full: Tag::of(&facts).unwrap(),
            version: facts.version.parse().unwrap(),
            source,
            requested: None,
        }
    }

    fn requested(full_tag: &str, name: &str) -> Labelled {
        Labelled {
            requested: Some(name.to_owned()),
            ..one(full_tag, "pyenv")
        }
    }

    #[test]
    fn the_newest_has_the_short_tag() {
        let given = [
            one("3.13.0", "pyenv"),
            one("3.13.15", "ftbench"),
            one("3.13.15t", "ftbench"),
        ];
        assert_eq!(labels(&given), ["3.13.0", "3.13", "3.13t"]);
    }

    #[test]
    fn twins_are_distinguished_by_their_source() {
        let given = ["uv", "conda", "conda", "conda"].map(|source| one("3.13.15", source));
        assert_eq!(
            labels(&given),
            ["3.13", "3.13.15@conda", "3.13.15@conda2", "3.13.15@conda3"]
        );
    }

    #[test]
    fn requested_label_is_kept() {
        let given = [
            one("3.13.15", "path"),
            requested("3.13.15", "3.13"),
            one("3.13.0", "path"),
        ];
        assert_eq!(labels(&given), ["3.13.15@path", "3.13", "3.13.0"]);
        assert_eq!(labels(&[requested("3.13.15", "3.13.15")]), ["3.13.15"]);
    }

    proptest! {
        #[test]
        fn labels_are_distinct(
            picked in proptest::collection::vec((0..6_usize, prop_oneof![Just("uv"), Just("path")]), 0..12)
        ) {
            let tags = ["3.13.0", "3.13.15", "3.13.15t", "3.14.0", "pypy3.13.0", "3.13.0d"];
            let given: Vec<Labelled> = picked.iter().map(|&(at, source)| one(tags[at], source)).collect();
            let labels = labels(&given);
            let distinct: HashSet<&String> = labels.iter().collect();
            prop_assert_eq!(distinct.len(), given.len());
        }
    }
}
