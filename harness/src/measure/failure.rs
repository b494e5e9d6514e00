//! Why a trial has no result.

use std::path::PathBuf;
use std::time::Duration;

use crate::record::schema::TrialStatus;

/// Why a trial has no result. The messages follow the cell's name in reports.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrialFailure {
    /// The interpreter did not start.
    #[error("{} did not start: {error}", path.display())]
    Start {
        /// The executable.
        path: PathBuf,
        /// What the system said.
        error: String,
    },
    /// It cannot be measured on this machine as it is.
    #[error("{0}")]
    Unavailable(String),
    /// The process ended in the middle.
    #[error("the process {status} during {step}")]
    Ended {
        /// What it was doing.
        step: &'static str,
        /// How it ended.
        status: String,
    },
    /// A step took too long.
    #[error("{step} took longer than {} s (--timeout)", limit.as_secs_f64())]
    TimedOut {
        /// What it was doing.
        step: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The worker broke the protocol.
    #[error("the worker broke the protocol: {0}")]
    Nonsense(String),
    /// The workload raised, or its result is wrong.
    #[error("{error} (in {step})")]
    Workload {
        /// The step, such as `work`.
        step: String,
        /// Whether `check` found a wrong result.
        wrong_result: bool,
        /// The exception in a line.
        error: String,
        /// The end of its traceback.
        traceback: String,
    },
    /// A worker could not be bound, or its binding is not what was asked for.
    #[error("{0}")]
    Binding(String),
    /// The system refused something.
    #[error("the system refused to wait for the worker: {0}")]
    System(String),
    /// ftbench was told to stop.
    #[error("interrupted")]
    Interrupted,
}

impl TrialFailure {
    /// How the record calls it.
    #[must_use]
    pub const fn status(&self) -> TrialStatus {
        match self {
            Self::TimedOut { .. } => TrialStatus::TimedOut,
            Self::Workload {
                wrong_result: true, ..
            } => TrialStatus::WrongResult,
            _ => TrialStatus::Failed,
        }
    }

    /// The traceback that belongs to it.
    #[must_use]
    pub fn traceback(&self) -> &str {
        match self {
            Self::Workload { traceback, .. } => traceback,
            _ => "",
        }
    }
}
