//! How a command ends: its exit status, and the error that it reports.
//!
//! Every error type that can end a command is a [`Failure`]: it says itself what exit status it deserves. The rule is in
//! `docs/reliability.md`.

use std::io;
use std::process::ExitCode;

use rustix::io::Errno;

/// Exit statuses, the same for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// All is well.
    Success,
    /// ftbench worked and the answer is bad: a failed cell, or an interpreter that cannot be had.
    BadAnswer,
    /// The command or its input is wrong.
    WrongInput,
    /// The machine or the environment failed, or ftbench itself.
    MachineFailed,
    /// Stopped from outside, with what was measured kept.
    Interrupted,
    /// That of the program that was guarded, or of a hidden command.
    Guarded(u8),
}

impl ExitStatus {
    /// The number that the system is given.
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

    /// The status for something that the user named and that cannot be read: wrong input, unless the machine is short of
    /// what reading takes.
    #[must_use]
    pub fn of_reading(error: &io::Error) -> Self {
        if is_machines_fault(error) {
            Self::MachineFailed
        } else {
            Self::WrongInput
        }
    }

    /// The status for output that cannot be written. Where its reader has gone away, as `head` does, or a terminal that was
    /// closed, nobody needs to know.
    #[must_use]
    pub fn of_writing(error: &io::Error) -> Self {
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

/// Whether the system lacks processes, memory or open files, or a disk is broken: no other file or program would fare
/// better.
#[must_use]
pub fn is_machines_fault(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE | Errno::IO)
    )
}

/// An error that can end a command. Its message says what is wrong, where, and what to do now.
pub trait Failure: std::error::Error {
    /// The exit status that it gives; [`ExitStatus::Success`] where nobody is left to report it to.
    fn exit_status(&self) -> ExitStatus {
        ExitStatus::WrongInput
    }
}

/// The system refuses something, and no input is to blame.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action}: {source}; {remedy}")]
pub struct SystemError {
    action: String,
    source: io::Error,
    remedy: &'static str,
}

impl SystemError {
    /// Makes one of what the system said: what was tried, as it follows "cannot", and what to do now.
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
    fn a_file_that_cannot_be_read_is_wrong_input_unless_the_machine_is_short_of_something() {
        let of_reading = |errno: Errno| ExitStatus::of_reading(&errno.into());
        for errno in [
            Errno::NOENT,
            Errno::ACCESS,
            Errno::ISDIR,
            Errno::NOTDIR,
            Errno::LOOP,
        ] {
            assert_eq!(of_reading(errno), ExitStatus::WrongInput, "{errno}");
        }
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::AGAIN, Errno::IO] {
            assert_eq!(of_reading(errno), ExitStatus::MachineFailed, "{errno}");
        }
        let malformed = io::Error::new(io::ErrorKind::InvalidData, "not UTF-8");
        assert_eq!(ExitStatus::of_reading(&malformed), ExitStatus::WrongInput);
    }

    #[test]
    fn output_that_cannot_be_written_is_the_machines_fault_unless_its_reader_is_gone() {
        let of_writing = |errno: Errno| ExitStatus::of_writing(&errno.into());
        for errno in [Errno::NOSPC, Errno::DQUOT, Errno::FBIG, Errno::BADF] {
            assert_eq!(of_writing(errno), ExitStatus::MachineFailed, "{errno}");
        }
        // A pipe to `head`, and a terminal that was closed.
        for errno in [Errno::PIPE, Errno::IO] {
            assert_eq!(of_writing(errno), ExitStatus::Success, "{errno}");
        }
    }
}
