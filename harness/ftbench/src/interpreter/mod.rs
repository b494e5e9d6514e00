//! Python executables: finding, probing and naming them.
//!
//! [`discover`] searches the [`SearchPlaces`], probes what it finds and gives every interpreter its tag. [`resolve`]
//! picks the requested interpreters, or the best pair, and probes those with run-time switches again. Only finding and
//! probing touch files and processes; the rest is pure.

mod answer;
pub mod archive;
pub mod configure;
mod discover;
mod find;
#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod identity;
mod label;
mod probe;
mod resolve;
mod select;
mod select_error;
mod variant;
mod wanted;

use std::cmp::Reverse;
use std::path::PathBuf;

pub use answer::Answer;
pub use discover::discover;
pub use find::{Candidate, SearchPlaces, Source, UserFolders, candidates};
pub use identity::read_identities;
pub use probe::{PROBE_TIME_LIMIT, ProbeError, probe, run_script};
pub use resolve::{probe_again, resolve};
pub use select::Selection;
pub use select_error::SelectError;
pub use variant::available_switches;

use ftbench_schema::{Implementation, InterpreterFacts, Tag, Version};
use label::{Labelled, labels};

/// An interpreter that can be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundInterpreter {
    /// The facts about it. Its tag is unique among all interpreters that were found with it.
    pub facts: InterpreterFacts,
    /// Its version, as in the facts.
    pub version: Version,
    /// Where the executable was found.
    pub source: Source,
    /// The paths that the user gave for it, verbatim; empty for one that was only discovered.
    pub given_as: Vec<PathBuf>,
}

impl FoundInterpreter {
    /// Returns the interpreter's tag with the patch version.
    #[must_use]
    pub fn full_tag(&self) -> Tag {
        Tag::of_build(&self.facts, self.version)
    }

    /// Whether it is known only from a path that the user gave.
    fn is_only_given(&self) -> bool {
        self.source == Source::ExplicitPath
    }

    fn labelled(&self, requested: Option<String>) -> Labelled {
        Labelled {
            full: self.full_tag(),
            version: self.version,
            source: self.source.name(),
            requested,
        }
    }
}

/// An executable that was probed and cannot be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The executable.
    pub path: PathBuf,
    /// Where the executable was found.
    pub source: Source,
    /// The paths that the user gave for it, verbatim; empty for one that was only discovered. Report only the former:
    /// the user did not ask about the others.
    pub given_as: Vec<PathBuf>,
    /// Why it cannot be measured.
    pub reason: ProbeError,
}

impl Rejected {
    /// Whether the executable may be the requested interpreter: it was installed as one and failed to answer, or was found
    /// elsewhere and was too slow, as on a loaded machine. One that answers is not a failed interpreter, even if it is
    /// too old or of an unknown implementation.
    #[must_use]
    pub const fn is_failed_interpreter(&self) -> bool {
        match self.reason {
            ProbeError::TooOld { .. } | ProbeError::UnknownImplementation { .. } => false,
            ProbeError::TimedOut { .. } => true,
            _ => self.source.is_installed(),
        }
    }
}

/// The result of discovery.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The interpreters: CPython first, newest first, release before debug, GIL before free-threaded, then in order
    /// of preference of their sources.
    pub interpreters: Vec<FoundInterpreter>,
    /// The executables that were probed and cannot be measured.
    pub rejected: Vec<Rejected>,
}

impl Found {
    /// Sorts the interpreters and gives each the shortest tag that identifies it; see [`Tag`]. Of several builds of
    /// exactly the same version and kind, the first by source gets that tag and the others are shown as
    /// `3.13.15@pyenv`.
    #[must_use]
    pub fn new(mut interpreters: Vec<FoundInterpreter>, rejected: Vec<Rejected>) -> Self {
        interpreters.sort_by_key(|one| {
            let not_cpython = one.facts.implementation != Implementation::CPython;
            let kind = (one.facts.build.debug, one.facts.free_threaded);
            (not_cpython, Reverse(one.version), kind, one.source)
        });
        let labelled: Vec<Labelled> = interpreters.iter().map(|one| one.labelled(None)).collect();
        for (one, tag) in interpreters.iter_mut().zip(labels(&labelled)) {
            one.facts.tag = tag;
        }
        Self {
            interpreters,
            rejected,
        }
    }

    /// Why each installed interpreter that failed did so; see [`Rejected::is_failed_interpreter`].
    pub fn failed_interpreters(&self) -> impl Iterator<Item = &ProbeError> {
        let failed = self.rejected.iter().filter(|one| one.is_failed_interpreter());
        failed.map(|one| &one.reason)
    }

    /// The error of a probe for which the system could not start a process. It says nothing about the executable.
    fn no_process_error(&self) -> Option<&ProbeError> {
        let mut reasons = self.rejected.iter().map(|one| &one.reason);
        reasons.find(|reason| matches!(reason, ProbeError::NoProcess { .. }))
    }

    /// The tags of all interpreters, as they are shown.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.interpreters.iter().map(|one| one.facts.tag.as_str())
    }

    /// The tags that can be used on the command line.
    fn usable_tags(&self) -> impl Iterator<Item = &str> {
        self.tags().filter(|tag| tag.parse::<Tag>().is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_are_sorted_and_tagged() {
        let found = fixtures::found(&[
            "pypy3.11.13",
            "3.13.0",
            "3.14.2t",
            "3.13.15t",
            "3.13.15",
            "3.14.2",
            "3.14.2d",
        ]);
        let tags: Vec<&str> = found.tags().collect();
        assert_eq!(
            tags,
            ["3.14", "3.14t", "3.14d", "3.13", "3.13t", "3.13.0", "pypy3.11"]
        );
    }

    #[test]
    fn preferred_source_of_a_build_has_the_tag() {
        let from = |source: Source| FoundInterpreter {
            source,
            ..fixtures::found_one("3.13.15")
        };
        let found = Found::new(
            vec![
                from(Source::ExplicitPath),
                from(Source::Pyenv),
                from(Source::Ftbench),
            ],
            Vec::new(),
        );
        let tags: Vec<&str> = found.tags().collect();
        assert_eq!(tags, ["3.13", "3.13.15@pyenv", "3.13.15@path"]);
        assert_eq!(
            found.interpreters.first().map(|one| one.source),
            Some(Source::Ftbench)
        );
    }
}
