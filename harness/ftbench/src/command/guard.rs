//! `ftbench guard`, which ftbench starts between itself and everything that must not outlive it.

use crate::cli::GuardArgs;
use crate::error::{Error, ExitStatus, SystemError};
use crate::process::guard::guard_side::{Order, serve, serve_plain};

/// Stays until the program has ended, or ftbench.
///
/// # Errors
/// When the program cannot be guarded.
pub fn guard(arguments: GuardArgs) -> Result<ExitStatus, Error> {
    let failed = SystemError::of("guard the program", "ftbench itself starts this command");
    if arguments.plain {
        let status = serve_plain(&arguments.command).map_err(failed)?;
        return Ok(ExitStatus::Guarded(status));
    }
    let order = Order {
        command: arguments.command,
        memory_bytes: arguments.memory_limit,
        processes: arguments.process_limit,
        control_group: arguments.control_group,
        scratch: arguments.scratch,
    };
    serve(&order).map_err(failed)?;
    Ok(ExitStatus::Success)
}
