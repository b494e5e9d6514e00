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

/// How many executables are probed at the same time. A probe of a healthy one takes tens of milliseconds of one core;
/// the more run at once, the less those that hang delay the others.
const PROBES_AT_ONCE: usize = 6;

/// Finds the interpreters in `places` and at the paths in `given`. Each may take `time_limit` to answer; an installed
/// one that does not is probed once more, alone and with a longer limit.
///
/// With the default places, only `given` is probed. A faulty executable is not an error here: it is listed in
/// [`Found::rejected`] with the reason.
#[must_use]
pub fn discover(places: &SearchPlaces, given: &[PathBuf], time_limit: Duration) -> Found {
    let candidates = candidates(places, given);
    let mut answers = probe_all(&candidates, time_limit);
    for (candidate, answer) in candidates.iter().zip(&mut answers) {
        let slow = matches!(answer, Err(ProbeError::TimedOut { .. }));
        if slow && candidate.source.is_installed() {
            // An installed interpreter does not hang, but may be slow on a loaded machine.
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

/// An answer, and the executable to start for it.
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
            // If the system has no thread left, fewer probes run at once.
            let _ = thread::Builder::new().spawn_scoped(scope, probe_some);
        }
        probe_some();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Probes a candidate. One that was discovered may be a stand-in for the interpreter: a version manager's shim, which
/// chooses by folder and environment each time it starts, or a copy made for a virtual environment. It is replaced by
/// the executable that it starts, if that one starts by itself and answers the same.
fn probe_candidate(candidate: &Candidate, time_limit: Duration) -> Result<Probed, ProbeError> {
    let answer = probe(&candidate.path, time_limit)?;
    if candidate.given_as.is_empty()
        && let Some(real) = answer.executable.as_deref()
        && real != candidate.path
        && answers_the_same(real, &answer, time_limit)
    {
        let path = real.to_owned();
        return Ok(Probed { path, answer });
    }
    let path = candidate.path.clone();
    Ok(Probed { path, answer })
}

fn answers_the_same(executable: &Path, answer: &Answer, time_limit: Duration) -> bool {
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

/// The facts of an executable that answered with these switches on. The tag is left empty, because it depends on the
/// other interpreters.
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
    use crate::interpreter::fixtures::{Folder, answering};

    /// Long enough for anything that ends by itself.
    const LONG: Duration = Duration::from_secs(120);

    /// Behaves like pyenv's shim of a version that is not selected.
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
    fn executables_are_found_or_rejected_with_a_reason() {
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
        /bin/python3.11 does not start: it exited with status 127 and printed 'pyenv: python3.11: command not found'
        /bin/python3.12 is not a Python interpreter: it exited with status 0 and printed 'hello'
        ");
        assert!(found.rejected.iter().all(|one| one.given_as.is_empty()));
    }

    #[test]
    fn hanging_executables_do_not_hide_others() {
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
    fn installed_interpreter_is_probed_once_more() {
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
    fn stand_in_is_replaced_by_its_interpreter_unless_given_by_path() {
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
