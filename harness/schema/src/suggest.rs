//! Suggestions of existing names for messages about mistyped names.

use std::cmp::Ordering;

use itertools::Itertools;

use crate::{Summary, text};

/// Minimum similarity at which a name counts as a likely typo of another: 1 is equal, 0 has nothing in common. Names of
/// three to five letters score 0.67 or more with one letter wrong, and 0.5 with half their letters wrong.
const MIN_SIMILARITY: f64 = 0.5;

/// How much less similar than the best suggestion another one may be.
const MARGIN: f64 = 0.25;

/// Maximum number of suggestions.
const MAX_SUGGESTIONS: usize = 3;

/// Returns up to three names of `existing` that are most similar to `given`, best first.
///
/// These are the likely typos, if there are any, and otherwise still the most similar names, so that the reader
/// sees what names look like. Empty only if `existing` is empty. Names that are equally similar keep their order.
#[must_use]
pub fn nearest<'a>(given: &str, existing: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let given = given.to_lowercase();
    let mut scored: Vec<(f64, &str)> = existing
        .into_iter()
        .map(|name| (similarity(&given, &name.to_lowercase()), name))
        .collect();
    scored.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal));
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    let enough = MIN_SIMILARITY.max(best - MARGIN);
    let likely = scored.iter().filter(|(score, _)| *score >= enough).count();
    let count = if likely == 0 {
        MAX_SUGGESTIONS
    } else {
        likely.min(MAX_SUGGESTIONS)
    };
    scored
        .into_iter()
        .take(count)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// Returns up to three names of `existing` of which `given` is likely a typo, best first. For messages that list all names
/// anyway, and for names from so many that the nearest one means nothing.
#[must_use]
pub fn likely<'a>(given: &str, existing: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let lower = given.to_lowercase();
    let is_likely = |name: &&str| similarity(&lower, &name.to_lowercase()) >= MIN_SIMILARITY;
    nearest(given, existing.into_iter().filter(is_likely))
}

/// Minimum similarity at which an unknown word is taken for a typo, where words that mean something else are valid.
const LIKELY_TYPO: f64 = 0.8;

/// Returns whether `given` is nearly one of these names: a letter or two wrong.
#[must_use]
pub fn is_likely_typo<'a>(given: &str, existing: impl IntoIterator<Item = &'a str>) -> bool {
    existing
        .into_iter()
        .any(|name| similarity(&given.to_lowercase(), name) >= LIKELY_TYPO)
}

/// Returns a clause that follows the unknown name in a message: ` (did you mean 'a' or 'b'?)`, or nothing.
#[must_use]
pub fn did_you_mean(nearest: &[String]) -> String {
    let quoted: Vec<String> = nearest.iter().map(|name| format!("'{name}'")).collect();
    if quoted.is_empty() {
        return String::new();
    }
    format!(" (did you mean {}?)", text::one_of(&quoted))
}

/// The error for an interpreter or arm that a run does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{run} has no interpreter or arm '{name}'{}; it has {}",
    did_you_mean(&likely(name, known.iter().map(String::as_str))),
    known.join(", ")
)]
pub struct UnknownInterpreter {
    /// The run's name.
    pub run: String,
    /// The name that was asked for.
    pub name: String,
    /// All names that exist.
    pub known: Vec<String>,
}

impl UnknownInterpreter {
    /// Creates the error for a run in which no cell has this name.
    #[must_use]
    pub fn new(summary: &Summary, name: &str) -> Self {
        let cells = || summary.cells.iter().filter(|cell| !cell.is_native());
        let interpreters = cells().map(|cell| cell.host.label(&cell.interpreter, None));
        let arms = cells().filter_map(|cell| cell.arm.clone());
        Self {
            run: summary.run.name.clone(),
            name: name.to_owned(),
            known: interpreters.chain(arms).unique().collect(),
        }
    }
}

/// Similarity from 0 to 1. A prefix counts as a likely typo, however much of the name is missing.
fn similarity(given: &str, name: &str) -> f64 {
    let edits = strsim::normalized_damerau_levenshtein(given, name);
    if !given.is_empty() && name.starts_with(given) {
        edits.max(MIN_SIMILARITY)
    } else {
        edits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKLOADS: [&str; 7] = [
        "fib",
        "nbody",
        "sha256",
        "word_count",
        "counter_lock",
        "counter_race",
        "http_fetch",
    ];

    #[test]
    fn typo_finds_its_name() {
        assert_eq!(nearest("nbdoy", WORKLOADS), ["nbody"]);
        assert_eq!(nearest("word-count", WORKLOADS), ["word_count"]);
        assert_eq!(nearest("FIB", WORKLOADS), ["fib"]);
    }

    #[test]
    fn prefix_finds_its_names() {
        assert_eq!(nearest("sha", WORKLOADS), ["sha256"]);
        assert_eq!(nearest("counter", WORKLOADS), ["counter_lock", "counter_race"]);
    }

    #[test]
    fn name_unlike_any_other_still_gets_suggestions() {
        assert_eq!(nearest("qqqqqqqq", WORKLOADS).len(), 3);
        assert!(nearest("fib", []).is_empty());
    }

    #[test]
    fn dissimilar_name_is_not_a_likely_typo() {
        assert_eq!(likely("bass", ["base", "new"]), ["base"]);
        assert!(likely("base", ["3.13", "3.13t"]).is_empty());
        let unknown = UnknownInterpreter {
            run: "RUN".to_owned(),
            name: "base".to_owned(),
            known: vec!["3.13".to_owned()],
        };
        assert_eq!(
            unknown.to_string(),
            "RUN has no interpreter or arm 'base'; it has 3.13"
        );
    }
}
