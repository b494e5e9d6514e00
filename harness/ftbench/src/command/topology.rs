//! `ftbench topology`.

use super::{json, print, style};
use crate::cli::{ListFormat, OutputOptions, TopologyArgs};
use crate::error::{Error, ExitStatus};
use crate::machine::discovery::{Discovered, child};
use crate::plan::placement::Placer;
use crate::process::quota;
use crate::terminal::topology;

/// The width of a drawing when the terminal's width is unknown, columns.
const DEFAULT_WIDTH: u16 = 80;

/// Draws the machine and the order in which workers fill it.
pub fn topology(arguments: &TopologyArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let discovered = Discovered::load()?;
    let machine = discovered.topology();
    let placer = Placer::new(machine, arguments.pin.clone(), quota::of_this_process()?)?;
    match arguments.format {
        ListFormat::Json => {
            print(&json(&topology::report(machine, &placer))?)?;
        }
        ListFormat::Table => {
            let width = style(output).width.unwrap_or(DEFAULT_WIDTH);
            print(&topology::drawing(machine, &placer, width.into()))?;
        }
    }
    Ok(ExitStatus::Success)
}

/// Reads the machine's description in a process of its own, because that may crash. The caller reads it again.
pub fn try_topology() -> Result<ExitStatus, Error> {
    child::limit();
    match Discovered::load_unchecked() {
        Ok(_) => Ok(ExitStatus::Success),
        Err(error) => {
            print(&format!("{error}\n"))?;
            Ok(ExitStatus::Guarded(child::REFUSED))
        }
    }
}
