//! Why a run cannot be started, resumed or completed.

use std::io;
use std::path::PathBuf;

use crate::cargo_build::BuildError;
use crate::error::{ExitStatus, Failure};
use crate::measure::failure::TrialFailure;

/// Maximum number of figures of a sample, which the worker enforces for workloads that report some.
pub const MAX_FIGURES: usize = 16;

/// Why a run cannot be started, resumed or completed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A label with two values.
    #[error("the label '{0}' is given twice; give each key once")]
    DuplicateLabel(String),
    /// Two figures with the same name.
    #[error("the figure '{0}' is given twice; give each --figure a name of its own")]
    DuplicateFigure(String),
    /// More figures than a sample can have.
    #[error("{0} figures are given; --figure may be given {MAX_FIGURES} times")]
    TooManyFigures(usize),
    /// A program that does not exist.
    #[error("cannot start '{line}': no program '{program}' was found{hint}; give its path, or install it")]
    NoProgram {
        /// The command line, as given.
        line: String,
        /// Its program.
        program: String,
        /// A suggestion, or empty.
        hint: String,
    },
    /// Arguments for scripts, but no script.
    #[error("--script-args are for scripts that use pyperf, and none of the workloads is one")]
    NoScript,
    /// No benchmark of another tool's files is selected.
    #[error("--bench '{0}' selects no benchmark; 'ftbench workloads list FILE' shows those of a file")]
    NoBenchmark(String),
    /// A selection that is not a regular expression.
    #[error("--bench '{expression}' is not a regular expression: {reason}")]
    Expression {
        /// As it was given.
        expression: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A wheel that cannot be read.
    #[error("cannot read the wheel {}: {source}; see --with", path.display())]
    Wheel {
        /// The path, as given.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A workload that no interpreter can run.
    #[error("{workload} cannot be measured: {fault}")]
    Unmeasurable {
        /// The workload.
        workload: String,
        /// What is wrong with its file.
        fault: String,
    },
    /// Nothing that was requested can be measured.
    #[error("{0}")]
    NothingToMeasure(String),
    /// Nothing that was requested can be measured without a tool that this machine lacks.
    #[error("{0}")]
    NoTool(String),
    /// The extension that all of the workloads need cannot be built.
    #[error(transparent)]
    Extension(BuildError),
    /// The run cannot be resumed, because something has changed.
    #[error(
        "cannot resume {}, because its figures would not be comparable:\n{}\nRestore what has changed, or start a new \
         run",
        folder.display(),
        changes.join("\n")
    )]
    Changed {
        /// The run's folder.
        folder: PathBuf,
        /// What has changed, one line each.
        changes: Vec<String>,
    },
    /// A plan of another version of ftbench.
    #[error(
        "{} was planned by ftbench {version}, and this is {}; use the same version, or plan the fleet again",
        plan.display(),
        env!("CARGO_PKG_VERSION")
    )]
    PlanOfOtherVersion {
        /// The plan file.
        plan: PathBuf,
        /// The version that planned.
        version: String,
    },
    /// The machine has other builds or other code than the plan of a shard.
    #[error(
        "cannot measure {} here, because its figures would not be comparable with those of other shards:\n{}\n\
         Use the same files on every machine, or plan the fleet again; '--builds version' allows other builds",
        plan.display(),
        differences.join("\n")
    )]
    UnlikePlan {
        /// The plan file.
        plan: PathBuf,
        /// What differs, one line each.
        differences: Vec<String>,
    },
    /// During a run, the system refuses a resource that trials need.
    #[error(
        "cannot continue measuring: {failure}\nWhat was measured is kept: raise the limit ('ulimit -a'), then resume \
         with 'ftbench run --resume {}'",
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
            Self::Wheel { source, .. } => ExitStatus::for_read_error(source),
            // The user's own code does not compile.
            Self::Extension(BuildError::Cargo { .. }) => ExitStatus::WrongInput,
            Self::Extension(error) => error.exit_status(),
            Self::NoTool(_) | Self::Refused { .. } => ExitStatus::MachineFailed,
            Self::DuplicateLabel(_)
            | Self::DuplicateFigure(_)
            | Self::TooManyFigures(_)
            | Self::NoProgram { .. }
            | Self::NoScript
            | Self::NoBenchmark(_)
            | Self::Expression { .. }
            | Self::Unmeasurable { .. }
            | Self::NothingToMeasure(_)
            | Self::Changed { .. }
            | Self::PlanOfOtherVersion { .. }
            | Self::UnlikePlan { .. } => ExitStatus::WrongInput,
        }
    }
}
