//! `ftbench guard`, a process between ftbench and a program that must not outlive it.

use crate::cli::GuardArgs;
use crate::error::{Error, ExitStatus, SystemError};
use crate::process::guard::guard_side::{GuardedCommand, serve, serve_plain};

/// Runs until the program or ftbench has ended.
///
/// # Errors
/// When the program cannot be guarded.
pub fn guard(arguments: GuardArgs) -> Result<ExitStatus, Error> {
    let failed = SystemError::of("guard the program", "ftbench itself starts this command");
    if arguments.plain {
        let status = serve_plain(&arguments.command).map_err(failed)?;
        return Ok(ExitStatus::Guarded(status));
    }
    let guarded = GuardedCommand {
        command: arguments.command,
        memory_bytes: arguments.memory_limit,
        processes: arguments.process_limit,
        control_group: arguments.control_group,
        scratch: arguments.scratch,
    };
    serve(&guarded).map_err(failed)?;
    Ok(ExitStatus::Success)
}
