//! The command line program: parse, execute, report errors, exit.

use std::io::Write;
use std::process::ExitCode;

use ftbench::cli;
use ftbench::command;
use ftbench::error::ExitStatus;
use ftbench_schema::text;

fn main() -> ExitCode {
    command::execute(cli::parse())
        .unwrap_or_else(|error| {
            if error.exit_status() != ExitStatus::Success {
                // The message may quote anything, such as control sequences for a terminal.
                let lines: Vec<String> = text::lines(&error.to_string()).collect();
                // Nothing can be reported when standard error is closed.
                let _ = writeln!(std::io::stderr(), "error: {}", lines.join("\n"));
            }
            error.exit_status()
        })
        .into()
}
