//! Turns the words of the command line into the interpreters of a run.

use std::path::Path;
use std::time::Duration;

use super::discover::{discover, facts};
use super::find::SearchPlaces;
use super::probe::{ProbeError, probe_with_retry};
use super::select::{Selection, default_pair, select};
use super::select_error::SelectError;
use super::wanted::{Wanted, wanted_paths};
use crate::error::{ExitStatus, Failure};
use ftbench_schema::{InterpreterFacts, Switches};

/// Selects the interpreters that these words (tags or paths) request; without words, the best pair of a GIL and a
/// free-threaded build in `places`. Each executable may take `time_limit` to answer; see [`discover`] and
/// [`probe_with_retry`].
///
/// # Errors
///
/// When a requested interpreter is missing or does not have the requested switches, or when no interpreter is left.
pub fn resolve(
    places: &SearchPlaces,
    words: &[String],
    time_limit: Duration,
) -> Result<Selection, SelectError> {
    let wanted: Vec<Wanted> = words.iter().map(|word| Wanted::new(word, Path::exists)).collect();
    let found = discover(places, &wanted_paths(&wanted), time_limit);
    let selected = if wanted.is_empty() {
        default_pair(&found)
    } else {
        select(&found, &wanted, &|one, switches| {
            let path = Path::new(&one.facts.path);
            let answer = probe_with_retry(path, switches, time_limit)?;
            Ok(facts(path, answer, switches))
        })
    };
    selected.map_err(|error| match found.no_process_error() {
        // The executable that could not be probed may be the one that is missing.
        Some(reason) if error.exit_status() == ExitStatus::BadAnswer => {
            SelectError::NoProcess(reason.clone())
        }
        _ => error,
    })
}

/// Probes a recorded interpreter again, with its switches on, and keeps its recorded tag.
///
/// # Errors
///
/// When the executable is no longer a Python that can be measured.
pub fn probe_again(
    recorded: &InterpreterFacts,
    time_limit: Duration,
) -> Result<InterpreterFacts, ProbeError> {
    let path = Path::new(&recorded.path);
    let switches = Switches::of(&recorded.switches);
    let answer = probe_with_retry(path, switches, time_limit)?;
    Ok(InterpreterFacts {
        tag: recorded.tag.clone(),
        ..facts(path, answer, switches)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::interpreter::fixtures::{Folder, answering};
    use crate::interpreter::read_identities;
    use ftbench_schema::{GilState, Switch, WarningKind};

    const LONG: Duration = Duration::from_secs(120);

    /// A script that answers like a free-threaded build that respects `PYTHON_GIL`.
    fn respecting_python_gil() -> String {
        let off = answering("3.13.15t");
        let on = off.replace("\"gil_enabled\":false", "\"gil_enabled\":true");
        assert_ne!(on, off);
        format!("if [ \"$PYTHON_GIL\" = 1 ]; then {on}; else {off}; fi")
    }

    fn resolved(words: &[&str]) -> Result<Selection, SelectError> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        resolve(&SearchPlaces::default(), &words, LONG)
    }

    #[test]
    fn unreleased_version_is_selected_and_labelled() {
        let folder = Folder::new();
        let paths = ["3.16.0a0", "3.16.0a0t", "3.15.2"].map(|full_tag| {
            let path = folder.script(&format!("{full_tag}/python3"), &answering(full_tag));
            path.display().to_string()
        });
        let selection = resolved(&[&paths[0], &paths[1], &paths[2]]).unwrap();
        let shown = selection
            .interpreters
            .iter()
            .map(|one| (one.tag.as_str(), one.version.as_str()));
        let expected = [("3.16", "3.16.0a0"), ("3.16t", "3.16.0a0"), ("3.15", "3.15.2")];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        let messages: Vec<_> = selection
            .warnings
            .iter()
            .map(|one| (one.kind, one.message.as_str()))
            .collect();
        let beginnings = ["3.16 is a pre-release", "3.16t is a pre-release"];
        assert_eq!(messages.len(), 2);
        for ((kind, message), beginning) in messages.iter().zip(beginnings) {
            assert_eq!(*kind, WarningKind::PreRelease);
            assert!(
                message.starts_with(&format!("{beginning}, 3.16.0a0: ")),
                "{message}"
            );
        }
    }

    #[test]
    fn path_with_switches_selects_a_variant_of_the_build() {
        let folder = Folder::new();
        let path = folder
            .script("python3", &respecting_python_gil())
            .display()
            .to_string();
        let with_gil = format!("{path}+gil");
        let selection = resolved(&[&path, &with_gil, &with_gil]).unwrap();
        let shown: Vec<_> = selection
            .interpreters
            .iter()
            .map(|one| (one.tag.as_str(), one.gil, one.switches.as_slice()))
            .collect();
        assert_eq!(
            shown,
            [
                ("3.13t", GilState::Off, &[][..]),
                ("3.13t+gil", GilState::On, &[Switch::Gil][..])
            ]
        );
        assert!(selection.interpreters.iter().all(|one| one.path == path));
        let error = resolved(&[&format!("{path}+gli")]).unwrap_err();
        assert!(error.to_string().contains("did you mean 'gil'"), "{error}");
    }

    #[test]
    fn rebuilding_in_place_changes_the_identity() {
        let folder = Folder::new();
        let path = folder.path().join("python3");
        let build = |date: &str| {
            let identity = format!(
                ", \"version_text\": \"3.13.15 ({date})\", \"executable\": \"{}\"",
                path.display()
            );
            let mut answer = answering("3.13.15");
            answer.insert_str(answer.len() - 2, &identity);
            folder.script("python3", &answer)
        };
        let word = build("Nov 21").display().to_string();
        let mut was = resolved(&[&word]).unwrap().interpreters.remove(0);
        let identity = was.identity.as_ref().unwrap();
        assert_eq!(identity.version_text, "3.13.15 (Nov 21)");
        assert_eq!((identity.file.as_ref(), &identity.sha256), (Some(&word), &None));
        read_identities(std::slice::from_mut(&mut was));
        let again = || {
            let mut is = probe_again(&was, LONG).unwrap();
            read_identities(std::slice::from_mut(&mut is));
            is
        };
        assert_eq!(again(), was);
        build("Nov 22");
        let [before, now] = [&was, &again()].map(|one| one.identity.clone().unwrap());
        assert_ne!(now.version_text, before.version_text);
        assert_ne!(now.sha256, before.sha256);
        assert!(now.sha256.is_some());
    }

    #[test]
    fn plus_in_the_name_of_a_file_is_not_a_switch() {
        let folder = Folder::new();
        folder.script("python3", &respecting_python_gil());
        let path = folder
            .script("python3+gil", &respecting_python_gil())
            .display()
            .to_string();
        let selection = resolved(&[&path]).unwrap();
        let one = selection.interpreters.first().unwrap();
        assert_eq!((one.path.as_str(), one.switches.len()), (path.as_str(), 0));
    }

    #[test]
    fn interpreter_that_ignores_its_switch_is_refused() {
        let folder = Folder::new();
        let path = folder.script("python3", &answering("3.13.15t"));
        let error = resolved(&[&format!("{}+gil", path.display())]).unwrap_err();
        let message = error
            .to_string()
            .replace(&folder.path().display().to_string(), "");
        insta::assert_snapshot!(message, @"
        /python3+gil cannot be measured: with PYTHON_GIL=1 it still reports that its GIL is off
        leave '+gil' out
        ");
    }
}
