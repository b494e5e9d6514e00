//! `ftbench workloads`.

use serde::Serialize;

use super::{cache_folder, print, style};
use crate::assets::{Assets, catalogue};
use crate::cli::{ListFormat, OutputOptions, WorkloadsCommand};
use crate::error::{Error, ExitStatus};
use crate::present::listing;
use crate::record::schema::{Model, WorkloadKind};
use crate::workload::Workload;

/// A workload as `--format json` shows it.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    name: &'a str,
    kind: WorkloadKind,
    summary: &'a str,
    models: &'a [Model],
    dependencies: &'a [String],
    requires_python: String,
    path: String,
}

impl<'a> From<&'a Workload> for Entry<'a> {
    fn from(workload: &'a Workload) -> Self {
        Self {
            name: &workload.name,
            kind: workload.metadata.kind,
            summary: &workload.metadata.summary,
            models: &workload.metadata.models,
            dependencies: &workload.metadata.dependencies,
            requires_python: workload.metadata.requires_python.to_string(),
            path: workload.path.display().to_string(),
        }
    }
}

/// Lists the suite, or shows one workload.
pub fn workloads(command: WorkloadsCommand, output: OutputOptions) -> Result<ExitStatus, Error> {
    let assets = Assets::unpack(&cache_folder()?)?;
    let catalogue = catalogue(&assets.workloads)?;
    match command {
        WorkloadsCommand::List {
            format: ListFormat::Json,
        } => {
            let entries: Vec<Entry<'_>> = catalogue.all().iter().map(Entry::from).collect();
            print(&format!("{}\n", serde_json::to_string_pretty(&entries)?))?;
        }
        WorkloadsCommand::List {
            format: ListFormat::Table,
        } => {
            let rows = catalogue.all().iter().map(|workload| {
                let metadata = &workload.metadata;
                vec![
                    workload.name.clone(),
                    metadata.kind.to_string(),
                    metadata.summary.clone(),
                ]
            });
            print(&listing::render(
                &["workload", "kind", "what it does"],
                rows,
                style(output),
            ))?;
        }
        WorkloadsCommand::Show { workload, format } => {
            for workload in catalogue.resolve(&[workload])? {
                match format {
                    ListFormat::Json => {
                        print(&format!(
                            "{}\n",
                            serde_json::to_string_pretty(&Entry::from(&workload))?
                        ))?;
                    }
                    ListFormat::Table => print(&shown(&workload)?)?,
                }
            }
        }
    }
    Ok(ExitStatus::Success)
}

/// The file itself says more about a workload than a table could: its metadata stand at its head.
fn shown(workload: &Workload) -> Result<String, Error> {
    let source = std::fs::read_to_string(&workload.path)?;
    Ok(format!("# {}\n{source}", workload.path.display()))
}
