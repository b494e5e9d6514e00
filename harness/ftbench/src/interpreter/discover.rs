//! Finds interpreters and probes them, a few at a time.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::answer::Answer;
use super::find::{Candidate, SearchPlaces, candidates};
use super::probe::{ProbeError, SECOND_TRY_FACTOR, probe};
use super::{Found, FoundInterpreter, Rejected};
use ftbench_schema::{InterpreterFacts, Switches};

/// How many executables are probed at the same time. A probe of a healthy one takes some tens of milliseconds of one
/// core; with more at a time those that hang delay the others less.
const PROBES_AT_ONCE: usize = 6;

/// Finds the interpreters in `places`, and those with the paths `given`; each may take `time_limit` to answer, and one
/// that was installed and does not is asked once more, alone and for longer.
///
/// With the default places nothing but `given` is looked at. Nothing that is wrong with an executable is an error here:
/// what cannot be measured with is in [`Found::rejected`], with the reason.
#[must_use]
pub fn discover(places: &SearchPlaces, given: &[PathBuf], time_limit: Duration) -> Found {
    let candidates = candidates(places, given);
    let mut answers = probe_all(&candidates, time_limit);
    for (candidate, answer) in candidates.iter().zip(&mut answers) {
        let slow = matches!(answer, Err(ProbeError::TimedOut { .. }));
        if slow && candidate.source.is_installed() {
            // One that was installed does not hang; on a loaded machine it may be slow.
            *answer = probe_candidate(candidate, time_limit * SECOND_TRY_FACTOR);
        }
    }
    let mut seen: HashSet<PathBuf> = HashSet::new();
    let mut interpreters = Vec::new();
    let mut rejected = Vec::new();
    for (candidate, answer) in candidates.into_iter().zip(answers) {
        match answer {
            Ok(probed) => {
                let new = seen.insert(probed.path.clone());
                if new || !candidate.given_as.is_empty() {
                    interpreters.push(found(candidate, probed));
                }
            }
            Err(reason) => rejected.push(Rejected {
                path: candidate.path,
                source: candidate.source,
                given_as: candidate.given_as,
                reason,
            }),
        }
    }
    Found::new(interpreters, rejected)
}

/// An executable that answered, and how to start what answered.
struct Probed {
    path: PathBuf,
    answer: Answer,
}

/// One result for every candidate, in the same order.
fn probe_all(candidates: &[Candidate], time_limit: Duration) -> Vec<Result<Probed, ProbeError>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(candidates.len()));
    let probe_some = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(candidate) = candidates.get(index) else {
                break;
            };
            let result = probe_candidate(candidate, time_limit);
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            results.push((index, result));
        }
    };
    thread::scope(|scope| {
        for _ in 1..PROBES_AT_ONCE.min(candidates.len()) {
            // Where the system has no thread left, there are fewer at once.
            let _ = thread::Builder::new().spawn_scoped(scope, probe_some);
        }
        probe_some();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// A candidate that was only found may be another program's stand-in for the interpreter: a version manager's shim,
/// which chooses anew by folder and environment each time it is started, or a copy made for a virtual environment.
/// Then what it starts takes its place, if that starts by itself and is the same.
fn probe_candidate(candidate: &Candidate, time_limit: Duration) -> Result<Probed, ProbeError> {
    let answer = probe(&candidate.path, time_limit)?;
    if candidate.given_as.is_empty()
        && let Some(real) = answer.executable.as_deref()
        && real != candidate.path
        && is_the_same(real, &answer, time_limit)
    {
        let path = real.to_owned();
        return Ok(Probed { path, answer });
    }
    let path = candidate.path.clone();
    Ok(Probed { path, answer })
}

fn is_the_same(executable: &Path, answer: &Answer, time_limit: Duration) -> bool {
    probe(executable, time_limit).is_ok_and(|other| other == *answer)
}

fn found(candidate: Candidate, probed: Probed) -> FoundInterpreter {
    let Probed { path, answer } = probed;
    FoundInterpreter {
        version: answer.version,
        facts: facts(&path, answer, Switches::NONE),
        source: candidate.source,
        given_as: candidate.given_as,
    }
}

/// What an answer says of the executable with these switches on, still without a tag, which depends on what else there
/// is.
pub(super) fn facts(path: &Path, answer: Answer, switches: Switches) -> InterpreterFacts {
    InterpreterFacts {
        tag: String::new(),
        path: path.display().to_string(),
        version: answer.version.to_string(),
        implementation: answer.implementation,
        free_threaded: answer.free_threaded,
        gil: answer.gil,
        jit: answer.jit,
        switches: switches.iter().collect(),
        build: answer.build,
        runtime: answer.runtime,
        identity: answer.identity,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::interpreter::Source;
    use crate::interpreter::made_up::{Folder, answering};

    /// Long enough for anything that ends by itself.
    const LONG: Duration = Duration::from_secs(120);

    /// What pyenv's shim of a version that is not selected does.
    const SHIM: &str =
        "echo 'pyenv: python3.11: command not found' >&2\nyes 'try another' | head -n 60 >&2\nexit 127";

    fn places_in(folder: &Folder) -> SearchPlaces {
        SearchPlaces {
            pyenv_root: Some(folder.path().join("pyenv")),
            path: vec![folder.path().join("bin")],
            ..SearchPlaces::default()
        }
    }

    fn shown(found: &Found) -> Vec<String> {
        let shown = |one: &FoundInterpreter| format!("{} from {}", one.facts.tag, one.source);
        found.interpreters.iter().map(shown).collect()
    }

    #[test]
    fn what_answers_is_found_and_the_rest_has_a_reason() {
        let folder = Folder::new();
        folder.script("pyenv/versions/3.13.0/bin/python3.13", &answering("3.13.0"));
        folder.script("pyenv/versions/2.7.18/bin/python", &answering("2.7.18"));
        folder.script("bin/python3.13t", &answering("3.13.15t"));
        folder.script("bin/python3.13", &answering("3.13.15"));
        folder.script("bin/pypy3.11", &answering("pypy3.11.13"));
        folder.script("bin/python3.11", SHIM);
        folder.script("bin/python3.12", "echo hello");
        let found = discover(&places_in(&folder), &[], LONG);
        assert_eq!(
            shown(&found),
            [
                "3.13 from PATH",
                "3.13t from PATH",
                "3.13.0 from pyenv",
                "pypy3.11 from PATH"
            ]
        );
        let reasons: Vec<String> = found.rejected.iter().map(|one| one.reason.to_string()).collect();
        let reasons = reasons
            .join("\n")
            .replace(&folder.path().display().to_string(), "");
        insta::assert_snapshot!(reasons, @"
        /pyenv/versions/2.7.18/bin/python is Python 2.7.18, which is too old: ftbench measures Python 3.9 and newer
        /bin/python3.11 does not start: it exited with status 127 and said 'pyenv: python3.11: command not found'
        /bin/python3.12 is not a Python interpreter: it exited with status 0 and said 'hello'
        ");
        assert!(found.rejected.iter().all(|one| one.given_as.is_empty()));
    }

    #[test]
    fn those_that_hang_do_not_keep_others_from_being_found() {
        let folder = Folder::new();
        for minor in 14..19 {
            folder.script(&format!("bin/python3.{minor}"), "sleep 1000");
        }
        folder.script("pyenv/versions/3.13.0/bin/python3.13", &answering("3.13.0"));
        let found = discover(&places_in(&folder), &[], Duration::from_secs(3));
        assert_eq!(shown(&found), ["3.13 from pyenv"]);
        let hung = found
            .rejected
            .iter()
            .filter(|one| matches!(one.reason, ProbeError::TimedOut { .. }));
        assert_eq!(hung.count(), 5);
    }

    #[test]
    fn one_that_was_installed_is_asked_once_more() {
        let folder = Folder::new();
        let asked = folder.path().join("asked");
        let late = format!(
            "if [ ! -e {0} ]; then : >{0}; sleep 1000; fi\n{1}",
            asked.display(),
            answering("3.13.15t")
        );
        folder.script("own/3.13.15t/bin/python3.13t", &late);
        let places = SearchPlaces {
            ftbench: Some(folder.path().join("own")),
            ..SearchPlaces::default()
        };
        let found = discover(&places, &[], Duration::from_secs(3));
        assert_eq!(shown(&found), ["3.13t from ftbench"]);
    }

    #[test]
    fn given_paths_are_found_wherever_they_are() {
        let folder = Folder::new();
        let mine = folder.script("mine/python", &answering("3.13.15t"));
        let hello = folder.script("hello", "echo hello");
        let found = discover(&SearchPlaces::default(), &[mine.clone(), hello.clone()], LONG);
        assert_eq!(shown(&found), ["3.13t from path"]);
        assert_eq!(found.interpreters.first().unwrap().given_as, [mine]);
        let rejected = found.rejected.first().unwrap();
        assert_eq!(
            (rejected.source, rejected.given_as.as_slice()),
            (Source::ExplicitPath, &[hello][..])
        );
    }

    #[test]
    fn a_stand_in_is_the_interpreter_behind_it_unless_it_is_given() {
        let folder = Folder::new();
        let real = folder.path().join("real/python3.13");
        let mut answer = answering("3.13.15");
        answer.insert_str(
            answer.len() - 2,
            &format!(", \"executable\": \"{}\"", real.display()),
        );
        folder.script("real/python3.13", &answer);
        let shim = folder.script("bin/python3.13", &format!("exec {} \"$@\"", real.display()));
        folder.script(
            "pyenv/versions/3.13.15/bin/python3.13",
            &format!("exec {} \"$@\"", real.display()),
        );
        let paths = |found: &Found| -> Vec<PathBuf> {
            found
                .interpreters
                .iter()
                .map(|one| one.facts.path.clone().into())
                .collect()
        };
        assert_eq!(paths(&discover(&places_in(&folder), &[], LONG)), [real.as_path()]);
        let given = discover(&places_in(&folder), std::slice::from_ref(&shim), LONG);
        assert_eq!(paths(&given), [real, shim]);
    }
}
