//! Sends a process ahead to read a description that libhwloc may crash over.

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::bounded;

/// What the process is told to do, a hidden command of ftbench.
pub const COMMAND: &str = "try-topology";

/// A description of the largest machines takes libhwloc a second.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Address space that the process has, bytes; ftbench itself takes less than a tenth.
const MOST_MEMORY_BYTES: u64 = 2 << 30;

/// Exit status of a Rust program that panics: of hwlocality's, or of ftbench's own, over what libhwloc made of it.
const PANICKED: i32 = 101;

/// How the process ended that went ahead; `None` when it came to an end, whatever it found, and when none can be started.
pub(super) fn crashes() -> Option<String> {
    let program = env::current_exe().ok()?;
    let ended = bounded::run(Command::new(program).arg(COMMAND), TIME_LIMIT).ok()?;
    let Some(status) = ended.status else {
        return Some(format!(
            "libhwloc takes more than {} s for it",
            TIME_LIMIT.as_secs()
        ));
    };
    if status.code() == Some(PANICKED) {
        return Some("it contradicts itself".to_owned());
    }
    let signal = status.signal()?;
    let name = signal_hook::low_level::signal_name(signal);
    let name = name.map_or_else(|| format!("signal {signal}"), str::to_owned);
    Some(format!("libhwloc crashes over it ({name})"))
}

/// Bounds the memory of this process, which is the one that goes ahead.
pub fn limit_memory() {
    // Without it, libhwloc may fill the memory, and no worse.
    let _ = setrlimit(
        Resource::As,
        Rlimit {
            current: Some(MOST_MEMORY_BYTES),
            maximum: Some(MOST_MEMORY_BYTES),
        },
    );
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    );
}
