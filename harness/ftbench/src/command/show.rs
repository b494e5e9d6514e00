//! `ftbench show`.

use super::error::OutputError;
use super::{print, remark, style};
use crate::cli::{OutputOptions, ShowArgs, ShowFormat};
use crate::error::{Error, ExitStatus};
use crate::record::store;
use ftbench_analyse::summary::summarise;
use ftbench_present::{csv, json, markdown, terminal};

/// Analyses a run folder again and prints the results.
pub fn show(arguments: &ShowArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let run = store::read(&arguments.run)?;
    if arguments.format == ShowFormat::Csv {
        for damage in run.damage() {
            remark(output, &format!("warning: {damage}"));
        }
        let mut rows = Vec::new();
        csv::write_samples(&run.trials, run.manifest.plan.settings.scaling, &mut rows)?;
        print(&String::from_utf8_lossy(&rows))?;
        return Ok(ExitStatus::Success);
    }
    let summary = summarise(&run.name, &run.manifest, &run.trials);
    match arguments.format {
        ShowFormat::Json => print(&json::summary(&summary).map_err(OutputError::Json)?)?,
        ShowFormat::Markdown => print(&markdown::render(&summary))?,
        ShowFormat::Table | ShowFormat::Csv => print(&terminal::render(&summary, style(output)))?,
    }
    Ok(ExitStatus::Success)
}
