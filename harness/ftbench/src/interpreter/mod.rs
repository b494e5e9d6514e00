//! Python executables: finding, probing and naming them.
//!
//! [`discover`] looks in the [`SearchPlaces`], probes what it finds there and gives every interpreter its tag;
//! [`resolve`] picks those that were asked for, or the best pair, and probes those again that have run-time switches.
//! Finding and probing touch files and processes, all the rest is pure.

mod answer;
pub mod configure;
mod discover;
mod find;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod identity;
mod label;
#[cfg(test)]
pub(crate) mod made_up;
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
pub use probe::{PROBE_TIME_LIMIT, ProbeError, answer_to, probe};
pub use resolve::{look_again, resolve};
pub use select::Selection;
pub use select_error::SelectError;
pub use variant::available_switches;

use ftbench_schema::{Implementation, InterpreterFacts, Tag, Version};
use label::{Labelled, labels};

/// An interpreter that can be measured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundInterpreter {
    /// What it is. Its tag is right among all that were found with it.
    pub facts: InterpreterFacts,
    /// Its version, as in the facts.
    pub version: Version,
    /// Where it came from.
    pub source: Source,
    /// The paths by which it was given, as they were given; empty for one that was only found.
    pub given_as: Vec<PathBuf>,
}

impl FoundInterpreter {
    /// Its tag with the patch version.
    #[must_use]
    pub fn full_tag(&self) -> Tag {
        Tag::of_build(&self.facts, self.version)
    }

    /// Whether it is known only because its path was given.
    fn is_only_given(&self) -> bool {
        self.source == Source::ExplicitPath
    }

    fn labelled(&self, asked: Option<String>) -> Labelled {
        Labelled {
            full: self.full_tag(),
            version: self.version,
            source: self.source.name(),
            asked,
        }
    }
}

/// An executable that was looked at and cannot be measured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The executable.
    pub path: PathBuf,
    /// Where it came from.
    pub source: Source,
    /// The paths by which it was given, as they were given. Empty for one that was only found, which is a detail that
    /// nobody asked about; one that was given is to be named to the user.
    pub given_as: Vec<PathBuf>,
    /// Why.
    pub reason: ProbeError,
}

impl Rejected {
    /// Whether it was installed as an interpreter and did not answer as one: it may be what is asked for. One that
    /// answers and is too old, or none of those that ftbench knows, is not.
    #[must_use]
    pub const fn is_failed_interpreter(&self) -> bool {
        let answered = matches!(
            self.reason,
            ProbeError::TooOld { .. } | ProbeError::UnknownImplementation { .. }
        );
        self.source.is_installed() && !answered
    }
}

/// What discovery found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The interpreters: CPython first, from new to old, release before debug, GIL before free-threaded, then in order
    /// of preference of their sources.
    pub interpreters: Vec<FoundInterpreter>,
    /// What else was looked at.
    pub rejected: Vec<Rejected>,
}

impl Found {
    /// Sorts the interpreters and gives each its tag: the shortest that is right, see [`Tag`]; of several builds of the
    /// very same version and kind the first by source has it, and the others are shown as `3.13.15@pyenv`.
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

    /// Why interpreters that were installed are not among those found, see [`Rejected::is_failed_interpreter`].
    pub fn failed_interpreters(&self) -> impl Iterator<Item = &ProbeError> {
        let failed = self.rejected.iter().filter(|one| one.is_failed_interpreter());
        failed.map(|one| &one.reason)
    }

    /// Why an executable could not be asked, where that says nothing of the executable.
    fn not_asked(&self) -> Option<&ProbeError> {
        let mut reasons = self.rejected.iter().map(|one| &one.reason);
        reasons.find(|reason| matches!(reason, ProbeError::NoProcess { .. }))
    }

    /// How all interpreters are shown.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.interpreters.iter().map(|one| one.facts.tag.as_str())
    }

    /// The tags that interpreters can be asked for by.
    fn usable_tags(&self) -> impl Iterator<Item = &str> {
        self.tags().filter(|tag| tag.parse::<Tag>().is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_sorted_and_tagged() {
        let found = made_up::found(&[
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
    fn of_the_same_build_the_best_source_has_the_tag() {
        let of = |source: Source| FoundInterpreter {
            source,
            ..made_up::found_one("3.13.15")
        };
        let found = Found::new(
            vec![of(Source::ExplicitPath), of(Source::Pyenv), of(Source::Ftbench)],
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
