//! Glob patterns for names, as typed on the command line: `n*`, `cpu/*`, `{fib,nbody}`.

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Maximum length of a pattern, bytes. No file name is longer.
const MAX_BYTES: usize = 1024;

/// A glob pattern for names. `*` and `?` do not match a `/`.
#[derive(Debug, Clone)]
pub struct Pattern(GlobSet);

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A syntax error, such as an unclosed bracket or brace.
    #[error("{0}")]
    Malformed(String),
    /// The pattern is longer than any name.
    #[error("longer than {MAX_BYTES} bytes, the limit for a name")]
    TooLong,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// Returns an error if the pattern is malformed or too long.
    pub fn new(word: &str) -> Result<Self, PatternError> {
        if word.len() > MAX_BYTES {
            return Err(PatternError::TooLong);
        }
        let malformed = |error: globset::Error| PatternError::Malformed(error.kind().to_string());
        let glob = GlobBuilder::new(word)
            .literal_separator(true)
            .build()
            .map_err(malformed)?;
        // `Glob::compile_matcher` panics if the regular expression is too deep or too large; a set returns an error.
        let set = GlobSetBuilder::new().add(glob).build().map_err(malformed)?;
        Ok(Self(set))
    }

    /// Whether the pattern matches a name.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

/// Returns the names that a word selects: the name equal to it, or otherwise all names that it matches as a pattern. A
/// name may look like a pattern, for example `fib[threads,2]`. A case may be spelled as it is in `run`,
/// `folder/bench.py::case`; its name is `bench.case`, with some of the folders in front if other files are called so.
///
/// # Errors
/// Returns an error if the word is not a valid pattern.
pub fn matching<'a>(
    word: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeSet<&'a str>, PatternError> {
    let mut names: BTreeSet<&str> = names.into_iter().collect();
    let spellings = spellings(word);
    let is_exact = |name: &str| spellings.iter().any(|spelling| spelling == name);
    if names.iter().any(|name| is_exact(name)) {
        names.retain(|name| is_exact(name));
    } else {
        let patterns: Vec<Pattern> = spellings
            .iter()
            .map(|spelling| Pattern::new(spelling))
            .collect::<Result<_, _>>()?;
        names.retain(|name| patterns.iter().any(|pattern| pattern.matches(name)));
    }
    Ok(names)
}

/// Returns the names that a word may stand for: itself, or the case of a file with any of its folders in front.
fn spellings(word: &str) -> Vec<String> {
    let Some((file, case)) = word.split_once("::") else {
        return vec![word.to_owned()];
    };
    let file = file.strip_suffix(".py").unwrap_or(file);
    let starts = std::iter::once(0).chain(file.match_indices('/').map(|(at, _)| at + 1));
    starts
        .filter_map(|start| Some(format!("{}.{case}", file.get(start..)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wildcards_do_not_match_a_slash() {
        let matches = |pattern: &str, name: &str| Pattern::new(pattern).unwrap().matches(name);
        assert!(matches("n*", "nbody") && !matches("n*", "fib"));
        assert!(matches("*/fib", "cpu/fib") && !matches("*", "cpu/fib"));
        assert!(matches("{fib,nbody}", "fib") && matches("f[a-j]b", "fib"));
    }

    #[test]
    fn name_that_looks_like_a_pattern_selects_itself() {
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
    fn cases_may_be_spelled_with_their_file() {
        let names = ["bench.one", "bench.two", "a/other.one", "b/other.one"];
        let matching = |word: &str| matching(word, names).map(Vec::from_iter);
        assert_eq!(matching("bench.py::two").unwrap(), ["bench.two"]);
        assert_eq!(matching("./x/bench.py::*").unwrap(), ["bench.one", "bench.two"]);
        assert_eq!(matching("x/a/other.py::one").unwrap(), ["a/other.one"]);
        assert_eq!(matching("bench.py::three").unwrap(), [""; 0]);
    }

    #[test]
    fn malformed_and_long_patterns_are_rejected() {
        let error = |pattern: &str| Pattern::new(pattern).unwrap_err();
        assert!(matches!(error("["), PatternError::Malformed(_)));
        assert_eq!(error(&"?".repeat(2_000)), PatternError::TooLong);
        // Nested more deeply than a regular expression may be.
        let deep = "{a,".repeat(300) + &"}".repeat(300);
        assert!(matches!(
            error(deep.get(..MAX_BYTES).unwrap_or(&deep)),
            PatternError::Malformed(_)
        ));
        let closed = "{".repeat(400) + &"}".repeat(400);
        let _ = Pattern::new(&closed);
    }

    proptest! {
        #[test]
        fn no_word_causes_a_panic(word in r"[a-c*?\[\]{},!\\/:é-]{0,40}", name in "[a-c/]{0,8}") {
            let _ = matching(&word, [name.as_str()]);
            if let Ok(pattern) = Pattern::new(&word) {
                let _ = pattern.matches(&name);
            }
        }
    }
}
