//! Selects the interpreters of a run, and offers to install those that are missing.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::Stdio;

use crate::command::python;
use crate::error::{Error, ExitStatus};
use crate::interpreter::{PROBE_TIME_LIMIT, SearchPlaces, SelectError, Selection, resolve};
use ftbench_schema::{Implementation, WarningKind, text};

/// When interpreters that are missing are installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Install {
    /// Never.
    Never,
    /// If the user agrees, who can be asked on a terminal only.
    Ask,
    /// Always.
    Always,
}

/// Selects the interpreters that the words name, or the newest pair.
///
/// # Errors
/// Says which of them is missing and how to get it.
pub fn interpreters(words: &[String], install: Install) -> Result<Selection, Error> {
    let places = SearchPlaces::from_environment();
    let mut installed: Vec<Vec<String>> = Vec::new();
    loop {
        let selected = resolve(&places, words, PROBE_TIME_LIMIT);
        match missing(words, &selected) {
            Some(tags) if !installed.contains(&tags) && agrees(&tags, install) => {
                if python::install(&tags, Stdio::null())? != ExitStatus::Success {
                    return Ok(selected?);
                }
                installed.push(tags);
            }
            _ => return Ok(selected?),
        }
    }
}

/// The tags to install, none of them for the newest pair; `None` if nothing that can be installed is missing.
fn missing(words: &[String], selected: &Result<Selection, SelectError>) -> Option<Vec<String>> {
    let is_half = |kind| matches!(kind, WarningKind::NoFreeThreadedBuild | WarningKind::NoGilBuild);
    match selected {
        Ok(selection) if words.is_empty() => {
            let mut warnings = selection.warnings.iter();
            warnings.any(|warning| is_half(warning.kind)).then(Vec::new)
        }
        Err(SelectError::NothingFound { .. }) if words.is_empty() => Some(Vec::new()),
        Err(SelectError::UnknownTag { tag, .. })
            if tag.implementation == Implementation::CPython && !tag.debug =>
        {
            Some(vec![tag.build().to_string()])
        }
        _ => None,
    }
}

fn agrees(tags: &[String], install: Install) -> bool {
    match install {
        Install::Never => false,
        Install::Always => true,
        Install::Ask => io::stdin().is_terminal() && io::stderr().is_terminal() && ask(tags),
    }
}

/// Asks the user, who agrees by the enter key.
fn ask(tags: &[String]) -> bool {
    let what = match tags {
        [] => "No GIL and free-threaded build of the same version of CPython was".to_owned(),
        tags => format!("No CPython {} was", text::one_of(tags)),
    };
    let mut answer = String::new();
    let asked = write!(io::stderr(), "{what} found. Install it now? [Y/n] ");
    let read = asked.and_then(|()| io::stdin().lock().read_line(&mut answer));
    // The end of the input is no answer.
    read.is_ok_and(|bytes| bytes > 0) && matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ftbench_schema::Warning;

    #[test]
    fn what_is_missing_follows_from_what_was_requested() {
        let words = ["3.14t".to_owned()];
        let with = |warnings: Vec<Warning>| {
            Ok(Selection {
                interpreters: Vec::new(),
                baseline: "3.14".to_owned(),
                warnings,
            })
        };
        let half = || {
            vec![Warning::of_run(
                WarningKind::NoFreeThreadedBuild,
                "none".to_owned(),
            )]
        };
        assert_eq!(missing(&[], &with(Vec::new())), None);
        assert_eq!(missing(&[], &with(half())), Some(Vec::new()));
        assert_eq!(missing(&words, &with(half())), None);
        let nothing = || Err(SelectError::NothingFound { failed: Vec::new() });
        assert_eq!(missing(&[], &nothing()), Some(Vec::new()));
        let unknown = |text: &str| {
            Err(SelectError::UnknownTag {
                tag: text.parse().unwrap(),
                nearest: Vec::new(),
                failed: Vec::new(),
            })
        };
        assert_eq!(missing(&words, &unknown("3.14t+gil")), Some(words.to_vec()));
        assert_eq!(missing(&words, &unknown("pypy3.11")), None);
        assert_eq!(missing(&words, &unknown("3.14d")), None);
    }
}
