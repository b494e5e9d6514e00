//! The command line program: parse, do, tell what went wrong, exit.

use std::io::Write;
use std::process::ExitCode;

use ftbench::cli;
use ftbench::command;
use ftbench::error::ExitStatus;
use ftbench_schema::text;

fn main() -> ExitCode {
    match command::execute(cli::parse()) {
        Ok(status) => status.into(),
        Err(error) if error.is_broken_pipe() => ExitStatus::Success.into(),
        Err(error) => {
            // What it quotes may hold anything, such as what moves a terminal's cursor.
            let lines: Vec<String> = text::lines(&error.to_string()).collect();
            // Nothing can be said when standard error is closed.
            let _ = writeln!(std::io::stderr(), "error: {}", lines.join("\n"));
            ExitStatus::WrongInput.into()
        }
    }
}
