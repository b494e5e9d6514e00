//! `ftbench fleet`: plans for several machines, and one folder of their results.

mod collect;
pub mod compare;
mod plan;
pub mod read;
pub mod results;
mod slurm;

use super::{OutputOptions, print, remark, style};
use crate::cli::FleetCommand;
use crate::error::{Error, ExitStatus};

/// Executes a command of `ftbench fleet`.
pub fn fleet(command: &FleetCommand, output: OutputOptions) -> Result<ExitStatus, Error> {
    match command {
        FleetCommand::Plan(arguments) => plan::plan(arguments, output),
        FleetCommand::Submit(arguments) => slurm::submit(arguments, output),
        FleetCommand::Status(arguments) => slurm::status(arguments, output),
        FleetCommand::Cancel(arguments) => slurm::cancel(arguments, output),
        FleetCommand::Collect(arguments) => collect::collect(arguments, output),
    }
}
