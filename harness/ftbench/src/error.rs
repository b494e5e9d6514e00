//! How a command ends: its exit status, and the error that it reports.
//!
//! Every error type that can end a command implements [`Failure`], which returns its exit status. The rules are in
//! `docs/reliability.md`.

use std::io;
use std::process::ExitCode;

use rustix::io::Errno;

/// Exit statuses, the same for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// The command succeeded.
    Success,
    /// ftbench worked, and the answer is bad: a failed cell, or an interpreter that is not available.
    BadAnswer,
    /// The command or its input is wrong.
    WrongInput,
    /// The machine or the environment failed, or ftbench itself.
    MachineFailed,
    /// Stopped from outside, with what was measured kept.
    Interrupted,
    /// The exit status of a guarded program or of a hidden command.
    Guarded(u8),
}

impl ExitStatus {
    /// The number that the process exits with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::BadAnswer => 1,
            Self::WrongInput => 2,
            Self::MachineFailed => 3,
            Self::Interrupted => 130,
            Self::Guarded(status) => status,
        }
    }

    /// The status for a file or folder that the user named and that cannot be read: wrong input, unless the machine
    /// lacks a resource that reading needs.
    #[must_use]
    pub fn for_read_error(error: &io::Error) -> Self {
        if is_machine_failure(error) {
            Self::MachineFailed
        } else {
            Self::WrongInput
        }
    }

    /// The status for output that cannot be written: success if its reader is gone, such as `head` or a closed
    /// terminal, because an error would reach no reader.
    #[must_use]
    pub fn for_write_error(error: &io::Error) -> Self {
        let is_gone =
            error.kind() == io::ErrorKind::BrokenPipe || Errno::from_io_error(error) == Some(Errno::IO);
        if is_gone {
            Self::Success
        } else {
            Self::MachineFailed
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// Whether the system lacks processes, memory or open files, or a disk is broken, so that any other file or program
/// would fail too.
#[must_use]
pub fn is_machine_failure(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE | Errno::IO)
    )
}

/// An error that can end a command. Its message says what is wrong, where, and how to fix it.
pub trait Failure: std::error::Error {
    /// The exit status of the command; [`ExitStatus::Success`] if the reader of the output is gone.
    fn exit_status(&self) -> ExitStatus {
        ExitStatus::WrongInput
    }
}

/// The system refused an operation, and the input is not the cause.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action}: {source}; {remedy}")]
pub struct SystemError {
    action: String,
    source: io::Error,
    remedy: &'static str,
}

impl SystemError {
    /// Returns a function that turns the system's error into this one. `action` is what was tried, as it follows
    /// "cannot"; `remedy` is what to do about it.
    pub fn of(action: impl Into<String>, remedy: &'static str) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self {
            action,
            source,
            remedy,
        }
    }
}

impl Failure for SystemError {
    fn exit_status(&self) -> ExitStatus {
        ExitStatus::MachineFailed
    }
}

impl Failure for ftbench_schema::TagError {}

/// What ended a command, as `main` reports it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    message: String,
    status: ExitStatus,
}

impl Error {
    /// The command's exit status; with [`ExitStatus::Success`] there is nothing to report.
    #[must_use]
    pub const fn exit_status(&self) -> ExitStatus {
        self.status
    }
}

impl<F: Failure> From<F> for Error {
    fn from(failure: F) -> Self {
        Self {
            message: failure.to_string(),
            status: failure.exit_status(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn help_and_readme_name_every_status() {
        let help = Cli::command()
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let readme = include_str!("../../../README.md");
        for (status, code) in [
            (ExitStatus::Success, 0),
            (ExitStatus::BadAnswer, 1),
            (ExitStatus::WrongInput, 2),
            (ExitStatus::MachineFailed, 3),
            (ExitStatus::Interrupted, 130),
            (ExitStatus::Guarded(7), 7),
        ] {
            assert_eq!(status.code(), code);
            if status != ExitStatus::Guarded(7) {
                assert!(help.contains(&format!(" {code} ")), "{code} in {help}");
                assert!(readme.contains(&format!("| {code} |")), "{code} in README.md");
            }
        }
    }

    #[test]
    fn unreadable_file_is_wrong_input_unless_the_machine_failed() {
        let status = |errno: Errno| ExitStatus::for_read_error(&errno.into());
        for errno in [
            Errno::NOENT,
            Errno::ACCESS,
            Errno::ISDIR,
            Errno::NOTDIR,
            Errno::LOOP,
        ] {
            assert_eq!(status(errno), ExitStatus::WrongInput, "{errno}");
        }
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::AGAIN, Errno::IO] {
            assert_eq!(status(errno), ExitStatus::MachineFailed, "{errno}");
        }
        let malformed = io::Error::new(io::ErrorKind::InvalidData, "not UTF-8");
        assert_eq!(ExitStatus::for_read_error(&malformed), ExitStatus::WrongInput);
    }

    #[test]
    fn unwritable_output_is_a_machine_failure_unless_the_reader_is_gone() {
        let status = |errno: Errno| ExitStatus::for_write_error(&errno.into());
        for errno in [Errno::NOSPC, Errno::DQUOT, Errno::FBIG, Errno::BADF] {
            assert_eq!(status(errno), ExitStatus::MachineFailed, "{errno}");
        }
        // A pipe to `head`, and a closed terminal.
        for errno in [Errno::PIPE, Errno::IO] {
            assert_eq!(status(errno), ExitStatus::Success, "{errno}");
        }
    }
}
