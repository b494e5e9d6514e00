//! `ftbench guard`, which ftbench starts between itself and everything that must not outlive it.

use crate::cli::GuardArgs;
use crate::error::{Error, ExitStatus};
use crate::measure::guard::{Order, serve, serve_plain};

/// Stays until the program has ended, or ftbench.
///
/// # Errors
/// When the program cannot be guarded.
pub fn guard(arguments: GuardArgs) -> Result<ExitStatus, Error> {
    if arguments.plain {
        return serve_plain(&arguments.command)
            .map(ExitStatus::Guarded)
            .map_err(Error::Guard);
    }
    let order = Order {
        command: arguments.command,
        memory_bytes: arguments.memory_limit,
        processes: arguments.process_limit,
        control_group: arguments.control_group,
        scratch: arguments.scratch,
    };
    serve(&order).map(|()| ExitStatus::Success).map_err(Error::Guard)
}
