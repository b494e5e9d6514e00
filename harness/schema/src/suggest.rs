//! The names that exist and are nearest to one that does not, for messages about mistyped input.

use std::cmp::Ordering;

use crate::Summary;

/// How alike two names must be for one to be taken for a slip of the other: 1 is equal, 0 has nothing in common.
/// Names of three to five letters with one letter wrong lie at 0.67 and above; half their letters wrong, at 0.5.
const ALIKE: f64 = 0.5;

/// How much less alike than the best one a name may be and still be offered beside it.
const MARGIN: f64 = 0.25;

/// How many names are offered at most.
const OFFERED: usize = 3;

/// The names of `existing` that are nearest to `given`, best first, at most three.
///
/// Those that could be a slip of the keyboard, if there are any; otherwise the nearest all the same, so that the
/// reader sees what names look like. Empty only if nothing exists. Equally near ones keep the order of `existing`.
#[must_use]
pub fn nearest<'a>(given: &str, existing: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let given = given.to_lowercase();
    let mut scored: Vec<(f64, &str)> = existing
        .into_iter()
        .map(|name| (likeness(&given, &name.to_lowercase()), name))
        .collect();
    scored.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal));
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    let enough = ALIKE.max(best - MARGIN);
    let alike = scored.iter().filter(|(score, _)| *score >= enough).count();
    let offered = if alike == 0 { OFFERED } else { alike.min(OFFERED) };
    scored
        .into_iter()
        .take(offered)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// `names` as a phrase: `a`, `a or b`, `a, b or c`; empty for none.
#[must_use]
pub fn one_of(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A clause to follow the naming of the unknown word: empty, or ` (did you mean 'a' or 'b'?)`.
#[must_use]
pub fn did_you_mean(nearest: &[String]) -> String {
    let quoted: Vec<String> = nearest.iter().map(|name| format!("'{name}'")).collect();
    if quoted.is_empty() {
        return String::new();
    }
    format!(" (did you mean {}?)", one_of(&quoted))
}

/// A run was asked for an interpreter or an arm that it does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{run} has no interpreter and no arm '{name}'{}; it has {}",
    did_you_mean(&nearest(name, known.iter().map(String::as_str))),
    known.join(", ")
)]
pub struct UnknownInterpreter {
    /// The run's name.
    pub run: String,
    /// What was asked for.
    pub name: String,
    /// All there are.
    pub known: Vec<String>,
}

impl UnknownInterpreter {
    /// For a run in which no cell has this name.
    #[must_use]
    pub fn new(summary: &Summary, name: &str) -> Self {
        let cells = || summary.cells.iter().filter(|cell| !cell.is_native());
        let interpreters = cells().map(|cell| cell.host.label(&cell.interpreter, None));
        let arms = cells().filter_map(|cell| cell.arm.clone());
        let mut known: Vec<String> = Vec::new();
        for each in interpreters.chain(arms) {
            if !known.contains(&each) {
                known.push(each);
            }
        }
        Self {
            run: summary.run.name.clone(),
            name: name.to_owned(),
            known,
        }
    }
}

/// From 0 to 1. A beginning counts as a likely slip, however much of the name is missing.
fn likeness(given: &str, name: &str) -> f64 {
    let edits = strsim::normalized_damerau_levenshtein(given, name);
    if !given.is_empty() && name.starts_with(given) {
        edits.max(ALIKE)
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
    fn a_slip_finds_its_name() {
        assert_eq!(nearest("nbdoy", WORKLOADS), ["nbody"]);
        assert_eq!(nearest("word-count", WORKLOADS), ["word_count"]);
        assert_eq!(nearest("FIB", WORKLOADS), ["fib"]);
    }

    #[test]
    fn a_beginning_finds_its_name() {
        assert_eq!(nearest("sha", WORKLOADS), ["sha256"]);
        assert_eq!(nearest("counter", WORKLOADS), ["counter_lock", "counter_race"]);
    }

    #[test]
    fn what_is_like_nothing_still_gets_an_answer() {
        assert_eq!(nearest("qqqqqqqq", WORKLOADS).len(), 3);
        assert!(nearest("fib", []).is_empty());
    }

    #[test]
    fn names_make_a_phrase() {
        let names = |given: &[&str]| given.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(one_of(&names(&[])), "");
        assert_eq!(one_of(&names(&["a"])), "a");
        assert_eq!(one_of(&names(&["a", "b"])), "a or b");
        assert_eq!(one_of(&names(&["a", "b", "c"])), "a, b or c");
    }
}
