//! Errors of selecting interpreters, worded for the user. Pure.

use std::path::PathBuf;

use super::probe::ProbeError;
use crate::error::{ExitStatus, Failure};
use ftbench_schema::{Implementation, Tag, TagError, text};

/// The first minor version of Python 3 that can be built without the GIL (PEP 703).
pub(super) const FIRST_FREE_THREADED_MINOR: u16 = 13;

/// The newest minor version of Python 3 of which there is any build. Newer ones can be given by path.
pub(super) const NEWEST_MINOR: u16 = 16;

/// Why no interpreters can be selected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// No interpreter has this tag.
    #[error(
        "no interpreter {tag} was found{}\n{}{}", nearest_words(nearest), left_out(failed), how_to_get(*tag)
    )]
    UnknownTag {
        /// The requested tag.
        tag: Tag,
        /// Tags of available interpreters, the nearest first.
        nearest: Vec<String>,
        /// Why installed interpreters failed; one of them may be the requested one.
        failed: Vec<String>,
    },
    /// No build can have this tag.
    #[error(
        "{tag} does not exist: CPython has free-threaded builds from 3.{minor} on\nask for {}, or get the newest pair \
         with 'ftbench python install'", gil_build(*tag), minor = FIRST_FREE_THREADED_MINOR
    )]
    NeverFreeThreaded {
        /// The requested tag.
        tag: Tag,
    },
    /// The build exists but does not have the switches.
    #[error("{requested} cannot be measured: {reason}\n{remedy}")]
    Switches {
        /// The requested tag or path, with its switches.
        requested: String,
        /// Why it cannot be measured.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
    /// The request is not a tag.
    #[error("{error}{}", nearest_words(nearest))]
    NotATag {
        /// What is wrong with it.
        error: TagError,
        /// Tags of available interpreters, the nearest first.
        nearest: Vec<String>,
    },
    /// Two interpreters have the same name.
    #[error(
        "two interpreters would be called '{0}'; give each its own name, because results are identified by it"
    )]
    SameName(String),
    /// Every requested interpreter was skipped.
    #[error("no interpreter is left to measure with: {}", reasons.join("; "))]
    NothingLeft {
        /// Why each one was skipped.
        reasons: Vec<String>,
    },
    /// There is no interpreter at all.
    #[error(
        "no Python interpreter was found\n{}get a pair with 'ftbench python install', or give one with '-p PATH'",
        left_out(failed)
    )]
    NothingFound {
        /// Why installed interpreters failed.
        failed: Vec<String>,
    },
    /// The system cannot start a process to probe an interpreter.
    #[error("{0}\nraise the limit on processes, memory or open files ('ulimit -a')")]
    NoProcess(ProbeError),
    /// A path that was not given to [`discover`](super::discover).
    #[error("{} was not probed; please report this bug", .0.display())]
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
        names => format!("; similar ones here: {}", text::one_of(names)),
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
    if tag.major != 3 || tag.minor > NEWEST_MINOR {
        format!(
            "ftbench knows of CPython up to 3.{NEWEST_MINOR}; see what there is with 'ftbench python list', or give the path \
             of one"
        )
    } else if tag.implementation == Implementation::CPython && !tag.debug {
        format!("get it with 'ftbench python install {tag}', or give the path of one")
    } else {
        "see what there is with 'ftbench python list', or give the path of one".to_owned()
    }
}
