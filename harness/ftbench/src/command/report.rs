//! `ftbench report`.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fleet::results;
use super::remark;
use crate::cli::{OutputOptions, ReportArgs};
use crate::error::{Error, ExitStatus, Failure};
use crate::record::fleet::is_fleet;
use crate::record::samples::{self, RecordedSamples};
use crate::record::store::{self, REPORT};
use ftbench_analyse::summary::summarise;
use ftbench_present::page::{self, Report};
use ftbench_schema::{Manifest, SamplesByCell, Summary, WarningKind};

/// The largest record that is read completely and analysed again, bytes, which takes about a second. For a larger one,
/// the stored analysis is used if it belongs to this record, because a million samples in the form of the record need
/// more memory than a browser on a laptop leaves.
const ANALYSED_AGAIN_BYTES: u64 = 64 << 20;

/// How long to wait for an error of the program that opens pages.
const OPENER_TIME_LIMIT: Duration = Duration::from_secs(5);

/// The data of a report.
struct Read {
    summary: Summary,
    manifest: Manifest,
    samples: SamplesByCell,
}

/// The report of a run, as HTML.
fn of_run(folder: &Path, output: OutputOptions) -> Result<String, Error> {
    let Read {
        summary,
        manifest,
        samples,
    } = read(folder)?;
    for damage in store::damage(&summary.warnings) {
        remark(output, &format!("warning: {damage}"));
    }
    Ok(page::html(Report {
        summary: &summary,
        manifest: &manifest,
        samples: &samples,
    })?)
}

/// Writes the report of a run, or of a fleet.
pub fn report(arguments: &ReportArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let html = if is_fleet(&arguments.run) {
        results::html(&arguments.run, output)?
    } else {
        of_run(&arguments.run, output)?
    };
    let path = match &arguments.out {
        Some(path) => {
            store::write_bytes(path, html.as_bytes())?;
            path.clone()
        }
        None => {
            store::write_inside(&arguments.run, REPORT, html.as_bytes())?;
            arguments.run.join(REPORT)
        }
    };
    if arguments.open {
        remark(output, &format!("wrote the report to {}", path.display()));
        open_in_browser(path)?;
    } else {
        remark(
            output,
            &format!("wrote the report to {}; open it in a browser", path.display()),
        );
    }
    Ok(ExitStatus::Success)
}

/// Why the page is not open.
#[derive(Debug, thiserror::Error)]
enum NotOpened {
    /// The desktop has no program for it.
    #[error(
        "no program that opens pages was found, such as xdg-open; open {} in a browser yourself", .0.display()
    )]
    NoOpener(PathBuf),
    /// The program failed.
    #[error("cannot open {}: {error}; open it in a browser yourself", page.display())]
    Failed {
        /// The page.
        page: PathBuf,
        /// What went wrong.
        error: io::Error,
    },
}

impl Failure for NotOpened {
    fn exit_status(&self) -> ExitStatus {
        ExitStatus::MachineFailed
    }
}

/// Opens a page with the program that the desktop has for it. Does not wait for a browser to end.
fn open_in_browser(page: PathBuf) -> Result<(), NotOpened> {
    let opened = open::that_detached_with_timeout(&page, OPENER_TIME_LIMIT);
    opened.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => NotOpened::NoOpener(page),
        _ => NotOpened::Failed { page, error },
    })
}

fn read(folder: &Path) -> Result<Read, Error> {
    let trials = store::open_trials(folder)?;
    let header = store::read_header(folder)?;
    if trials.size_bytes() > ANALYSED_AGAIN_BYTES {
        let RecordedSamples { samples, warnings } =
            samples::read(&trials, store::checksums(&header.manifest))?;
        let stored = store::stored_summary(folder);
        if let Some(mut summary) = stored.filter(|summary| belongs_to(summary, &header.manifest, &samples)) {
            summary.run.name = header.name;
            summary
                .warnings
                .retain(|warning| warning.kind != WarningKind::DamagedRecord);
            summary.warnings.extend(warnings);
            return Ok(Read {
                summary,
                manifest: header.manifest,
                samples,
            });
        }
    }
    let run = store::read_run(header, &trials)?;
    Ok(Read {
        summary: summarise(&run.name, &run.manifest, &run.trials),
        samples: SamplesByCell::of_trials(&run.trials),
        manifest: run.manifest,
    })
}

/// Whether a summary belongs to a record: to the same run at its end, with the same cells and the same number of
/// samples in each.
fn belongs_to(summary: &Summary, manifest: &Manifest, samples: &SamplesByCell) -> bool {
    let run = &summary.run;
    let same_run = run.started_at == manifest.started_at
        && run.ended_at == manifest.ended_at
        && run.status == manifest.status
        && run.seed == manifest.seed;
    let planned = manifest.plan.cells.iter().map(|planned| &planned.cell);
    let same_cells = summary.cells.len() == manifest.plan.cells.len()
        && summary.cells.iter().zip(planned).all(|(cell, planned)| {
            let counted = samples
                .of_cell(planned)
                .map_or(0, |samples| samples.makespans_ns.len());
            cell.cell == *planned && usize::try_from(cell.samples) == Ok(counted)
        });
    same_run && same_cells
}
