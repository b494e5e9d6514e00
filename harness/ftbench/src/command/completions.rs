//! `ftbench completions` and `ftbench man`.

use std::path::PathBuf;

use super::error::OutputError;
use super::write_out;
use crate::cli::{CompletionsArgs, ManArgs, write_manual};
use crate::error::{Error, ExitStatus, SystemError};

/// Prints the script by which a shell completes command lines.
pub(super) fn completions(arguments: &CompletionsArgs) -> Result<ExitStatus, Error> {
    let program = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    // A path has to hold in every folder; a name is looked up there.
    let program = if program.components().count() > 1 {
        std::path::absolute(&program).unwrap_or(program)
    } else {
        program
    };
    let script = arguments.shell.script(&program.to_string_lossy());
    script
        .and_then(|script| write_out(&script))
        .map_err(OutputError::Write)?;
    Ok(ExitStatus::Success)
}

/// Writes the manual pages.
pub(super) fn man(arguments: &ManArgs) -> Result<ExitStatus, Error> {
    let folder = &arguments.folder;
    write_manual(folder).map_err(SystemError::of(
        format!("write manual pages to {}", folder.display()),
        "name a folder that you may write to",
    ))?;
    Ok(ExitStatus::Success)
}
