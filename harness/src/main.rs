//! The command line program: parse, do, tell what went wrong, exit.

use std::io::Write;
use std::process::ExitCode;

use ftbench::cli;
use ftbench::command;
use ftbench::error::ExitStatus;

fn main() -> ExitCode {
    match command::execute(cli::parse()) {
        Ok(status) => status.into(),
        Err(error) if error.is_broken_pipe() => ExitStatus::Success.into(),
        Err(error) => {
            // Nothing can be said when standard error is closed.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitStatus::WrongInput.into()
        }
    }
}
