//! `ftbench guard` on the command line. Only ftbench itself starts it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// `ftbench guard`.
#[derive(Debug, Args)]
pub struct GuardArgs {
    /// Limit the private memory of each process to this many bytes
    #[arg(long, value_name = "BYTES")]
    pub memory_limit: Option<u64>,
    /// Limit the number of processes
    #[arg(long, value_name = "N")]
    pub process_limit: Option<u32>,
    /// Control group in which to create another one
    #[arg(long, value_name = "DIR")]
    pub control_group: Option<PathBuf>,
    /// Temporary folder to create for the program, and to remove at the end
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// Accept no orders and send no reports; exit with the status of the program
    #[arg(long)]
    pub plain: bool,
    /// Program to run, and its arguments
    #[arg(value_name = "PROGRAM", required = true, last = true)]
    pub command: Vec<OsString>,
}
