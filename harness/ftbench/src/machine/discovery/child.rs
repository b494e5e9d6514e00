//! Sends a process ahead to read a description that libhwloc may crash over.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::process::bounded;

/// What the process is told to do, a hidden command of ftbench.
pub const COMMAND: &str = "try-topology";

/// This very program, also where its file was replaced in the meantime.
const PROGRAM: &str = "/proc/self/exe";

/// A description of the largest machines takes libhwloc a second.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// CPU time that the process has, seconds: an end to it when ftbench is gone before its time is.
const MOST_CPU_S: u64 = TIME_LIMIT.as_secs();

/// Address space that the process has, bytes; ftbench itself takes less than a tenth.
const MOST_MEMORY_BYTES: u64 = 2 << 30;

/// Exit status of a description that was read and is of no use; the reason is on standard output. None of ftbench's own
/// errors has it.
pub const REFUSED: u8 = 4;

/// What came of going ahead.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ahead {
    /// The description can be read.
    Passed,
    /// It can be read and is of no use.
    OfNoUse(String),
    /// The process did not live to tell.
    Ended(String),
}

/// Lets a process read what the environment describes.
pub(super) fn go_ahead() -> Ahead {
    let ended = match bounded::run(Command::new(PROGRAM).arg(COMMAND), TIME_LIMIT) {
        Ok(ended) => ended,
        Err(error) => return Ahead::Ended(format!("no process can be started to try it: {error}")),
    };
    let Some(status) = ended.status else {
        return Ahead::Ended(format!(
            "libhwloc takes more than {} s for it",
            TIME_LIMIT.as_secs()
        ));
    };
    match (status.code(), status.signal()) {
        (Some(0), _) => Ahead::Passed,
        (Some(code), _) if code == i32::from(REFUSED) => {
            Ahead::OfNoUse(String::from_utf8_lossy(&ended.output).trim_end().to_owned())
        }
        (_, Some(signal)) => Ahead::Ended(format!(
            "libhwloc crashes over it ({})",
            bounded::signal_name(signal)
        )),
        // A panic of hwlocality's or ftbench's own over what libhwloc made of it.
        (code, None) => Ahead::Ended(format!(
            "it contradicts itself (exit status {})",
            code.unwrap_or_default()
        )),
    }
}

/// Bounds what this process, which is the one that goes ahead, may take.
pub fn limit() {
    let most = |limit| Rlimit {
        current: Some(limit),
        maximum: Some(limit),
    };
    // Where one cannot be set, libhwloc may take more, and no worse.
    let _ = setrlimit(Resource::As, most(MOST_MEMORY_BYTES));
    let _ = setrlimit(Resource::Cpu, most(MOST_CPU_S));
    let _ = setrlimit(Resource::Core, most(0));
}
