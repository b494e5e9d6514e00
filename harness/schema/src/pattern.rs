//! Patterns of names, as people type them: `n*`, `cpu/*`, `{fib,nbody}`.

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Longest pattern that is taken, bytes: no file has a longer name.
const LONGEST_BYTES: usize = 1024;

/// A pattern that names are held against. `*` and `?` stop at a `/`.
#[derive(Debug, Clone)]
pub struct Pattern(GlobSet);

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A bracket or brace without its other half, or the like.
    #[error("{0}")]
    Malformed(String),
    /// Longer than any name.
    #[error("it has more than {LONGEST_BYTES} bytes, and no name has")]
    TooLong,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn new(word: &str) -> Result<Self, PatternError> {
        if word.len() > LONGEST_BYTES {
            return Err(PatternError::TooLong);
        }
        let malformed = |error: globset::Error| PatternError::Malformed(error.kind().to_string());
        let glob = GlobBuilder::new(word)
            .literal_separator(true)
            .build()
            .map_err(malformed)?;
        // `Glob::compile_matcher` panics where the regular expression is too deep or too large; a set says so.
        let set = GlobSetBuilder::new().add(glob).build().map_err(malformed)?;
        Ok(Self(set))
    }

    /// Whether a name fits.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

/// Returns the names that a word stands for: the name that it is, or else those that match it as a pattern. A name may look
/// like a pattern, as `fib[threads,2]` does.
///
/// # Errors
/// Says what is wrong with a pattern.
pub fn matching<'a>(
    word: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeSet<&'a str>, PatternError> {
    let mut names: BTreeSet<&str> = names.into_iter().collect();
    if names.contains(word) {
        names.retain(|name| *name == word);
    } else {
        let pattern = Pattern::new(word)?;
        names.retain(|name| pattern.fits(name));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_fit_or_do_not() {
        let fits = |pattern: &str, name: &str| Pattern::new(pattern).unwrap().fits(name);
        assert!(fits("n*", "nbody") && !fits("n*", "fib"));
        assert!(fits("*/fib", "cpu/fib") && !fits("*", "cpu/fib"));
        assert!(fits("{fib,nbody}", "fib") && fits("f[a-j]b", "fib"));
    }

    #[test]
    fn a_name_that_looks_like_a_pattern_stands_for_itself() {
        let names = ["fib[threads,2]", "fib2", "[", "a/fib2"];
        let matching = |word: &str| matching(word, names).map(Vec::from_iter);
        assert_eq!(matching("fib[threads,2]").unwrap(), ["fib[threads,2]"]);
        assert_eq!(matching("fib[a-z0-9]").unwrap(), ["fib2"]);
        assert_eq!(matching("[").unwrap(), ["["]);
        assert_eq!(matching("*2").unwrap(), ["fib2"]);
        assert_eq!(matching("none").unwrap(), [""; 0]);
        assert!(matching("{").is_err());
    }

    #[test]
    fn what_cannot_be_compiled_is_refused() {
        let error = |pattern: &str| Pattern::new(pattern).unwrap_err();
        assert!(matches!(error("["), PatternError::Malformed(_)));
        assert_eq!(error(&"?".repeat(2_000)), PatternError::TooLong);
        // Deeper than a regular expression may nest.
        let deep = "{a,".repeat(300) + &"}".repeat(300);
        assert!(matches!(
            error(deep.get(..LONGEST_BYTES).unwrap_or(&deep)),
            PatternError::Malformed(_)
        ));
        let closed = "{".repeat(400) + &"}".repeat(400);
        let _ = Pattern::new(&closed);
    }

    proptest! {
        #[test]
        fn any_word_is_read_or_refused(word in r"[a-c*?\[\]{},!\\/-]{0,40}", name in "[a-c/]{0,8}") {
            if let Ok(pattern) = Pattern::new(&word) {
                let _ = pattern.fits(&name);
            }
        }
    }
}
