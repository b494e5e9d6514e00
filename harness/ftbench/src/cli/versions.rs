//! Options that name versions of the user's code, and that label a run.

use std::str::FromStr;

use clap::Args;

use crate::workload::ArmWord;

/// Versions of the user's code, and labels of a run.
#[derive(Debug, Clone, Default, Args)]
pub struct VersionArgs {
    /// Version of your code to compare: a workload, folder or wheel
    #[arg(long, value_name = "NAME=PATH")]
    pub arm: Vec<ArmWord>,
    /// Commit that is measured [default: that of the code's git repository]
    #[arg(long, value_name = "ID", value_parser = commit)]
    pub commit: Option<String>,
    /// Label by which to find the run later
    #[arg(long, value_name = "KEY=VALUE")]
    pub label: Vec<Label>,
}

/// A label of a run, `KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The part before `=`.
    pub key: String,
    /// The part after `=`.
    pub value: String,
}

/// The longest key, value or commit, characters. Longer ones would widen every table that shows them.
const MAX_CHARACTERS: usize = 200;

impl FromStr for Label {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let (key, value) = word
            .split_once('=')
            .ok_or("write KEY=VALUE, such as branch=main")?;
        let is_key = !key.is_empty()
            && key
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char));
        if !is_key || !is_short_line(key) {
            return Err("give a key of letters, digits, '-', '_' and '.'".to_owned());
        }
        if !is_short_line(value) {
            return Err(format!(
                "give a value of one line, up to {MAX_CHARACTERS} characters"
            ));
        }
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

fn is_short_line(text: &str) -> bool {
    text.chars().count() <= MAX_CHARACTERS && !text.chars().any(char::is_control)
}

/// Parses the name of a commit, in any version control system.
fn commit(word: &str) -> Result<String, String> {
    let is_name = !word.is_empty() && is_short_line(word) && !word.contains(char::is_whitespace);
    if is_name {
        Ok(word.to_owned())
    } else {
        Err("give the name of a commit without spaces, such as a hash".to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn label_needs_a_key_and_takes_any_value() {
        let label: Label = "branch=a=b c".parse().unwrap();
        assert_eq!((label.key.as_str(), label.value.as_str()), ("branch", "a=b c"));
        assert!("empty=".parse::<Label>().is_ok());
        for word in ["", "key", "=value", "a b=c", "k=two\nlines"] {
            assert!(word.parse::<Label>().is_err(), "{word}");
        }
    }

    #[test]
    fn commit_with_whitespace_is_refused() {
        assert!(commit("0123abc").is_ok() && commit("r12").is_ok());
        for word in ["", "a b", "a\n", &"a".repeat(201)] {
            assert!(commit(word).is_err(), "{word:?}");
        }
    }
}
