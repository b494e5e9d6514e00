//! Why interpreters cannot be selected, in words for the user. Pure.

use std::path::PathBuf;

use super::probe::ProbeError;
use crate::error::{ExitStatus, Failure};
use ftbench_schema::suggest::one_of;
use ftbench_schema::{Implementation, Tag, TagError};

/// The first minor version of Python 3 that can be built without the GIL (PEP 703).
pub(super) const FIRST_FREE_THREADED_MINOR: u16 = 13;

/// Why there is nothing to measure with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// There is no such interpreter here.
    #[error(
        "no interpreter {tag} was found{}\n{}{}", nearest_words(nearest), left_out(failed), how_to_get(*tag)
    )]
    UnknownTag {
        /// What was asked for.
        tag: Tag,
        /// Tags of what there is, the nearest first.
        nearest: Vec<String>,
        /// What was installed and did not answer as it should: it may be the one.
        failed: Vec<String>,
    },
    /// There can be no such build.
    #[error(
        "{tag} does not exist: CPython has free-threaded builds from 3.{minor} on\nask for {}, or get the newest pair \
         with 'ftbench python install'", gil_build(*tag), minor = FIRST_FREE_THREADED_MINOR
    )]
    NeverFreeThreaded {
        /// What was asked for.
        tag: Tag,
    },
    /// The build is there and does not have the switches.
    #[error("{asked} cannot be measured: {reason}\n{way_out}")]
    Switches {
        /// What was asked for.
        asked: String,
        /// Why.
        reason: String,
        /// What to do about it.
        way_out: String,
    },
    /// What was asked for is not a tag.
    #[error("{error}{}", nearest_words(nearest))]
    NotATag {
        /// What is wrong with it.
        error: TagError,
        /// Tags of what there is, the nearest first.
        nearest: Vec<String>,
    },
    /// Two are given the same name.
    #[error(
        "two interpreters would be called '{0}'; results are told apart by that name, so give each one of its own"
    )]
    SameName(String),
    /// Everything that was asked for had to be left out.
    #[error("no interpreter is left to measure with: {}", reasons.join("; "))]
    NothingLeft {
        /// Why, for each.
        reasons: Vec<String>,
    },
    /// There is no interpreter at all.
    #[error(
        "no Python interpreter was found\n{}get a pair with 'ftbench python install', or give one with '-p PATH'",
        left_out(failed)
    )]
    NothingFound {
        /// What was installed and did not answer as it should.
        failed: Vec<String>,
    },
    /// The system starts no process to ask an interpreter with.
    #[error("{0}\nRaise the limit on processes, memory or open files ('ulimit -a')")]
    NoProcess(ProbeError),
    /// A path that was not given to [`discover`](super::discover).
    #[error("{} was not looked at; this is a fault of ftbench, please report it", .0.display())]
    NotProbed(PathBuf),
}

impl Failure for SelectError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::UnknownTag { .. } | Self::NothingLeft { .. } | Self::NothingFound { .. } => {
                ExitStatus::BadAnswer
            }
            Self::NeverFreeThreaded { .. }
            | Self::Switches { .. }
            | Self::NotATag { .. }
            | Self::SameName(_) => ExitStatus::WrongInput,
            Self::NoProcess(_) | Self::NotProbed(_) => ExitStatus::MachineFailed,
        }
    }
}

fn nearest_words(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        names => format!("; nearest here: {}", one_of(names)),
    }
}

fn left_out(failed: &[String]) -> String {
    let lines = failed.iter().map(|reason| format!("left out: {reason}\n"));
    lines.collect()
}

const fn gil_build(tag: Tag) -> Tag {
    Tag {
        free_threaded: false,
        ..tag
    }
}

fn how_to_get(tag: Tag) -> String {
    if tag.implementation == Implementation::CPython && !tag.debug {
        format!("get it with 'ftbench python install {tag}', or give the path of one")
    } else {
        "see what there is with 'ftbench python list', or give the path of one".to_owned()
    }
}
