//! Options that say which versions of the user's code are measured, and what a run is known by.

use std::str::FromStr;

use clap::Args;

use crate::workload::ArmWord;

/// Versions of the user's code, and what a run is known by.
#[derive(Debug, Clone, Default, Args)]
pub struct VersionArgs {
    /// A version of your code, to be compared: workload, folder or wheel
    #[arg(long, value_name = "NAME=PATH")]
    pub arm: Vec<ArmWord>,
    /// The commit measured [default: that of the code's git repository]
    #[arg(long, value_name = "ID", value_parser = commit)]
    pub commit: Option<String>,
    /// Something to know the run by later
    #[arg(long, value_name = "KEY=VALUE")]
    pub label: Vec<LabelWord>,
}

/// `KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelWord {
    /// What is told.
    pub key: String,
    /// What is told of it.
    pub value: String,
}

/// Longer texts are no names; they would swell every table that shows them.
const LONGEST_TEXT: usize = 200;

impl FromStr for LabelWord {
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
            return Err("a key has letters, digits, '-', '_' and '.'".to_owned());
        }
        if !is_short_line(value) {
            return Err(format!("a value is one line of up to {LONGEST_TEXT} characters"));
        }
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

fn is_short_line(text: &str) -> bool {
    text.chars().count() <= LONGEST_TEXT && !text.chars().any(char::is_control)
}

/// The name of a commit, in whatever version control.
fn commit(word: &str) -> Result<String, String> {
    let is_name = !word.is_empty() && is_short_line(word) && !word.contains(char::is_whitespace);
    if is_name {
        Ok(word.to_owned())
    } else {
        Err("give the commit's name, without blanks, such as a hash".to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn labels_have_a_key_and_any_value() {
        let label: LabelWord = "branch=a=b c".parse().unwrap();
        assert_eq!((label.key.as_str(), label.value.as_str()), ("branch", "a=b c"));
        assert!("empty=".parse::<LabelWord>().is_ok());
        for word in ["", "key", "=value", "a b=c", "k=two\nlines"] {
            assert!(word.parse::<LabelWord>().is_err(), "{word}");
        }
    }

    #[test]
    fn a_commit_is_one_word() {
        assert!(commit("0123abc").is_ok() && commit("r12").is_ok());
        for word in ["", "a b", "a\n", &"a".repeat(201)] {
            assert!(commit(word).is_err(), "{word:?}");
        }
    }
}
