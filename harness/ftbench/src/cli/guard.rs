//! `ftbench guard`, which ftbench itself starts.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// `ftbench guard`.
#[derive(Debug, Args)]
pub struct GuardArgs {
    /// Most private memory of each process, bytes
    #[arg(long, value_name = "BYTES")]
    pub memory_limit: Option<u64>,
    /// Most processes
    #[arg(long, value_name = "N")]
    pub process_limit: Option<u32>,
    /// The control group to make another in
    #[arg(long, value_name = "DIR")]
    pub control_group: Option<PathBuf>,
    /// The temporary folder to make for it, and to remove in the end
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// Take no orders and give no reports; exit with the status of the program
    #[arg(long)]
    pub plain: bool,
    /// The program and its arguments
    #[arg(value_name = "PROGRAM", required = true, last = true)]
    pub command: Vec<OsString>,
}
