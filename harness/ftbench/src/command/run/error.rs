//! Why a run is not made, or not to its end.

use std::io;
use std::path::PathBuf;

use crate::cargo_build::BuildError;
use crate::error::{ExitStatus, Failure};
use crate::measure::failure::TrialFailure;

/// Why a run is not made, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// One label with two values.
    #[error("the label '{0}' is given twice; give each key once")]
    LabelTwice(String),
    /// A wheel that is not there.
    #[error("cannot read the wheel {}: {source}; see --with", path.display())]
    Wheel {
        /// As it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A workload that no interpreter can run.
    #[error("{workload} cannot be measured: {fault} (in import)")]
    Unmeasurable {
        /// The workload.
        workload: String,
        /// What is wrong with its file.
        fault: String,
    },
    /// Nothing that was asked for can be measured.
    #[error("{0}")]
    NothingToMeasure(String),
    /// Nothing of it can be measured without a tool that this machine lacks.
    #[error("{0}")]
    NoTool(String),
    /// The extension of the only workloads cannot be built.
    #[error(transparent)]
    Extension(BuildError),
    /// The run cannot be resumed, because something has changed.
    #[error(
        "cannot go on with {}, for its figures would not be comparable:\n{}\nPut it back, or begin a new run",
        folder.display(),
        changes.join("\n")
    )]
    NotTheSame {
        /// The run's folder.
        folder: PathBuf,
        /// What has changed, a line each.
        changes: Vec<String>,
    },
    /// The system refuses what trials need, in the middle of a run.
    #[error(
        "cannot go on measuring: {failure}\nWhat was measured is kept: raise the limit ('ulimit -a'), then go on with \
         'ftbench run --resume {}'",
        folder.display()
    )]
    Refused {
        /// What was refused.
        failure: TrialFailure,
        /// The run's folder.
        folder: PathBuf,
    },
}

impl Failure for RunError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Wheel { source, .. } => ExitStatus::of_reading(source),
            // The user's own code does not compile.
            Self::Extension(BuildError::Cargo { .. }) => ExitStatus::WrongInput,
            Self::Extension(error) => error.exit_status(),
            Self::NoTool(_) | Self::Refused { .. } => ExitStatus::MachineFailed,
            Self::LabelTwice(_)
            | Self::Unmeasurable { .. }
            | Self::NothingToMeasure(_)
            | Self::NotTheSame { .. } => ExitStatus::WrongInput,
        }
    }
}
