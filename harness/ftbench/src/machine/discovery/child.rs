//! Tries a description in a child process first, because libhwloc may crash on it.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::process::bounded;

/// The hidden command of ftbench that the child runs.
pub const COMMAND: &str = "try-topology";

/// This program, even if its file was replaced in the meantime.
const PROGRAM: &str = "/proc/self/exe";

/// Time limit of the child. libhwloc takes a second for descriptions of the largest machines.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// CPU time limit of the child, seconds. It ends the child if ftbench is gone before the time limit.
const MAX_CPU_S: u64 = TIME_LIMIT.as_secs();

/// Address space limit of the child, bytes; ftbench itself takes less than a tenth.
const MAX_MEMORY_BYTES: u64 = 2 << 30;

/// Exit status of the child for a description that was read and cannot be used; the reason is on standard output. None
/// of ftbench's own errors has this status.
pub const REFUSED: u8 = 4;

/// How the child ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ChildOutcome {
    /// The description can be used.
    Usable,
    /// The description was read and cannot be used, for this reason.
    Unusable(String),
    /// The child crashed, ran out of time or did not start, as this text says.
    Failed(String),
}

/// Lets a child process read the description in the environment.
pub(super) fn try_in_child() -> ChildOutcome {
    let ended = match bounded::run(Command::new(PROGRAM).arg(COMMAND), TIME_LIMIT) {
        Ok(ended) => ended,
        Err(error) => return ChildOutcome::Failed(format!("cannot start a process to try it: {error}")),
    };
    let Some(status) = ended.status else {
        return ChildOutcome::Failed(format!(
            "libhwloc takes more than {} s for it",
            TIME_LIMIT.as_secs()
        ));
    };
    match (status.code(), status.signal()) {
        (Some(0), _) => ChildOutcome::Usable,
        (Some(code), _) if code == i32::from(REFUSED) => {
            ChildOutcome::Unusable(String::from_utf8_lossy(&ended.output).trim_end().to_owned())
        }
        (_, Some(signal)) => ChildOutcome::Failed(format!(
            "libhwloc crashes on it ({})",
            bounded::signal_name(signal)
        )),
        // hwlocality or ftbench panicked on what libhwloc made of it.
        (code, None) => ChildOutcome::Failed(format!(
            "it contradicts itself (exit status {})",
            code.unwrap_or_default()
        )),
    }
}

/// Limits the resources of this process, which is the child.
pub fn limit() {
    let at_most = |limit| Rlimit {
        current: Some(limit),
        maximum: Some(limit),
    };
    // A limit that cannot be set only lets libhwloc take more.
    let _ = setrlimit(Resource::As, at_most(MAX_MEMORY_BYTES));
    let _ = setrlimit(Resource::Cpu, at_most(MAX_CPU_S));
    let _ = setrlimit(Resource::Core, at_most(0));
}
