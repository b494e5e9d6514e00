//! `ftbench show` and `ftbench report` of a fleet.

use std::path::{Path, PathBuf};

use super::read::{self, FullRun};
use super::{print, style};
use crate::cli::{OutputOptions, ShowFormat};
use crate::command::json;
use crate::command::selector::Selector;
use crate::error::{Error, ExitStatus, Failure};
use ftbench_analyse::fleet::{Fleet, Member, analyse};
use ftbench_present::export::{self, ExportError};
use ftbench_present::fleet::page::{self, FleetPageError};
use ftbench_present::fleet::{markdown, table};

/// Why the results of a fleet cannot be shown.
#[derive(Debug, thiserror::Error)]
enum ResultsError {
    /// Samples of several runs.
    #[error("samples are those of one run; give one of the runs in {}", .0.display())]
    Csv(PathBuf),
    /// No run can be read.
    #[error("no run of {} can be read; see the warnings above", .0.display())]
    NoRun(PathBuf),
    /// The page could not be made.
    #[error("cannot make the page: {0}")]
    Page(#[from] FleetPageError),
}

impl Failure for ResultsError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Csv(_) | Self::NoRun(_) => ExitStatus::WrongInput,
            Self::Page(_) => ExitStatus::MachineFailed,
        }
    }
}

fn analysed(
    Selector { folder, name }: Selector<'_>,
    output: OutputOptions,
) -> Result<(Fleet, Vec<Member>), Error> {
    let (index, runs) = read::read(folder, false, output)?;
    let mut members: Vec<Member> = runs.into_iter().map(|FullRun { member, .. }| member).collect();
    if members.is_empty() {
        return Err(ResultsError::NoRun(folder.to_owned()).into());
    }
    if let Some(name) = name {
        narrow(&mut members, name)?;
    }
    Ok((analyse(&index, &members), members))
}

/// Leaves only the cells of one interpreter or arm, which not every shard of a plan has.
fn narrow(members: &mut [Member], name: &str) -> Result<(), ExportError> {
    let mut unknown = None;
    for Member { summary, .. } in members.iter_mut() {
        if let Err(error) = export::narrow(summary, name) {
            summary.cells.clear();
            unknown.get_or_insert(error);
        }
    }
    match unknown {
        Some(error) if members.iter().all(|member| member.summary.cells.is_empty()) => Err(error),
        _ => Ok(()),
    }
}

/// Prints the results of a fleet, or those of one interpreter or arm.
pub fn show(selected: Selector<'_>, format: ShowFormat, output: OutputOptions) -> Result<ExitStatus, Error> {
    if format == ShowFormat::Csv {
        return Err(ResultsError::Csv(selected.folder.to_owned()).into());
    }
    let (fleet, _) = analysed(selected, output)?;
    print(&match format {
        ShowFormat::Json => json(&fleet)?,
        ShowFormat::Markdown => markdown::render(&fleet),
        ShowFormat::Table | ShowFormat::Csv => table::render(&fleet, style(output)),
    })?;
    Ok(ExitStatus::Success)
}

/// The report of a fleet, as HTML.
pub fn html(folder: &Path, output: OutputOptions) -> Result<String, Error> {
    let (fleet, members) = analysed(Selector { folder, name: None }, output)?;
    Ok(page::html(&fleet, &members).map_err(ResultsError::from)?)
}
