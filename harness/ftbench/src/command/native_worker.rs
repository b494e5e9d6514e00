//! `ftbench native-worker`, which `ftbench run` starts for cells of the ceiling.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader};

use crate::cli::NativeWorkerArgs;
use crate::error::{Error, ExitStatus, SystemError};
use crate::measure::native_worker::serve;

/// The remedy in errors of a command that users do not type.
const STARTED_BY_FTBENCH: &str = "ftbench itself starts this command";

/// Serves requests until the driver closes the channel.
pub fn native_worker(arguments: &NativeWorkerArgs) -> Result<ExitStatus, Error> {
    if let [requests, replies] = *arguments.channel.as_slice() {
        let requests = open(requests, OpenOptions::new().read(true))?;
        let replies = open(replies, OpenOptions::new().write(true))?;
        match serve(arguments.kernel, BufReader::new(requests), replies) {
            // The driver is gone.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            served => served.map_err(SystemError::of("use the channel", STARTED_BY_FTBENCH))?,
        }
    }
    Ok(ExitStatus::Success)
}

/// Opens an inherited descriptor by its name in `/proc`, which needs no unsafe code.
fn open(descriptor: u32, options: &OpenOptions) -> Result<File, SystemError> {
    let path = format!("/proc/self/fd/{descriptor}");
    let opened = options.open(&path);
    opened.map_err(SystemError::of(
        format!("open the channel {path}"),
        STARTED_BY_FTBENCH,
    ))
}
