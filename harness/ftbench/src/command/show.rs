//! `ftbench show`.

use super::error::OutputError;
use super::fleet::results;
use super::selector::Selector;
use super::{print, remark, run};
use crate::cli::{OutputOptions, ShowArgs, ShowFormat};
use crate::error::{Error, ExitStatus};
use crate::record::fleet::is_fleet;
use crate::record::store::{self, Run};
use ftbench_analyse::summary::summarise;
use ftbench_present::{csv, export, json, markdown};
use ftbench_schema::Summary;

/// Analyses a run folder again and prints the results, or those of one interpreter or arm.
pub fn show(arguments: &ShowArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let selected = Selector::of(&arguments.run);
    if is_fleet(selected.folder) {
        return results::show(selected, arguments.format, output);
    }
    let mut recorded = store::read(selected.folder)?;
    match arguments.format {
        ShowFormat::Csv => {
            for damage in recorded.damage() {
                remark(output, &format!("warning: {damage}"));
            }
            if let Some(name) = selected.name {
                summary(&recorded, selected.name)?;
                recorded.trials.retain(|trial| trial.cell.is_named(name));
            }
            let mut rows = Vec::new();
            csv::write_samples(
                &recorded.trials,
                recorded.manifest.plan.settings.scaling,
                &mut rows,
            )?;
            print(&String::from_utf8_lossy(&rows))?;
        }
        ShowFormat::Json => {
            let summary = summary(&recorded, selected.name)?;
            print(&json::summary(&summary).map_err(OutputError::Json)?)?;
        }
        ShowFormat::Markdown => print(&markdown::render(&summary(&recorded, selected.name)?))?,
        ShowFormat::Table => {
            let folder = selected.folder.display().to_string();
            print(&run::table(&summary(&recorded, selected.name)?, &folder, output))?;
        }
    }
    Ok(ExitStatus::Success)
}

/// The summary of a run, or of the cells of one interpreter or arm.
fn summary(recorded: &Run, name: Option<&str>) -> Result<Summary, Error> {
    let mut summary = summarise(&recorded.name, &recorded.manifest, &recorded.trials);
    if let Some(name) = name {
        export::narrow(&mut summary, name)?;
        let cells = &summary.cells;
        summary
            .laws
            .retain(|law| cells.iter().any(|cell| cell.curve == law.curve));
    }
    Ok(summary)
}
