//! `ftbench native-worker`, which `ftbench run` starts for the ceiling's cells.

use std::fs::{File, OpenOptions};
use std::io::BufReader;

use crate::cli::NativeWorkerArgs;
use crate::error::{Error, ExitStatus};
use crate::measure::native_worker::serve;

/// Serves the channel until the driver is done with it.
pub fn native_worker(arguments: &NativeWorkerArgs) -> Result<ExitStatus, Error> {
    if let [requests, replies] = *arguments.channel.as_slice() {
        let requests = open(requests, OpenOptions::new().read(true))?;
        let replies = open(replies, OpenOptions::new().write(true))?;
        serve(arguments.kernel, BufReader::new(requests), replies)?;
    }
    Ok(ExitStatus::Success)
}

/// Opens a descriptor that was handed down by its name, which takes no unsafe code.
fn open(descriptor: u32, options: &OpenOptions) -> Result<File, Error> {
    let path = format!("/proc/self/fd/{descriptor}");
    options
        .open(&path)
        .map_err(|source| Error::Channel { path, source })
}
