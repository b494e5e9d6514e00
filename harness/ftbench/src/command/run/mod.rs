//! `ftbench run`: choose, plan, build, calibrate, measure, summarise, present.
//!
//! The states of a run are types: a [`PlannedRun`] has a plan, a [`StoppedRun`] can be resumed, a [`ReadyRun`] can be
//! measured, and a [`MeasuredRun`] is over. Each of them has the manifest that is written to the folder.

pub(super) mod builds;
mod changes;
pub mod code;
mod commit;
pub mod contract;
pub(super) mod environments;
pub(super) mod error;
mod folder;
pub(super) mod interpreters;
mod launches;
pub(super) mod listing;
mod measured;
mod narrow;
pub(super) mod packages;
pub(super) mod part;
pub(super) mod planned;
mod programs;
pub(super) mod ready;
mod recorder;
mod results;
pub(super) mod resumed;
pub(super) mod services;
mod sessions;
mod settings;
mod shard;

use std::path::Path;

use super::error::OutputError;
use super::explain::worth_explaining;
use super::{print, remark, style};
use crate::cli::{OutputOptions, RunArgs, RunRequest, SummaryFormat};
use crate::error::{Error, ExitStatus, Failure};
use crate::process::interrupt::Interrupt;
use crate::record::folder::RunFolder;
use crate::record::store::REPORT;
use crate::terminal::plan;
use ftbench_present::{json, markdown, noise, terminal, verdict};
use ftbench_schema::{Manifest, RunStatus, Summary};
use measured::MeasuredRun;
use planned::{PlannedRun, Purpose};
use ready::ReadyRun;
pub(crate) use results::write_figures;
use resumed::{Reopened, StoppedRun};
use shard::Shard;

/// How results are shown.
#[derive(Debug, Clone, Copy)]
struct Display {
    format: SummaryFormat,
    output: OutputOptions,
}

/// Starts or resumes the run that the arguments describe.
pub fn run(arguments: &RunArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let display = Display {
        format: arguments.resumption.format,
        output,
    };
    let interrupt;
    let shard = arguments.plan.as_deref().map(Shard::read).transpose()?;
    let of_this_shard = |folder: &&Path| shard.as_ref().is_some_and(|shard| shard.has_begun_in(folder));
    let begun = arguments
        .out
        .as_deref()
        .filter(of_this_shard)
        .filter(|_| !arguments.dry_run);
    let ready = match arguments.resumption.resume.as_deref().or(begun) {
        None => {
            let purpose = if arguments.dry_run {
                Purpose::Show
            } else {
                Purpose::Measure
            };
            let mut planned = match &shard {
                Some(shard) => shard.plan(&arguments.request, purpose, output)?,
                None => planned::plan(&arguments.request, None, purpose, output)?,
            };
            report_plan(&planned.manifest, output);
            if arguments.dry_run {
                return dry_run(&planned, display);
            }
            for hint in &planned.setup.hints {
                remark(output, &format!("warning: {hint}"));
            }
            if let (Some(_), Some(out)) = (&shard, &arguments.out) {
                // An engine starts a shard that was killed early with the same command.
                RunFolder::remove_unplanned(out);
            }
            let folder = open(&mut planned, arguments.out.as_deref(), output)?;
            interrupt = Interrupt::listen()?;
            ReadyRun::start(planned, folder, &interrupt, output)?
        }
        Some(path) => {
            let reopened = Reopened::open(path, output)?;
            if reopened.manifest.status == RunStatus::Complete {
                return present_complete(&reopened.folder, display);
            }
            let stopped = StoppedRun::check(reopened, output)?;
            interrupt = Interrupt::listen()?;
            ReadyRun::resume(stopped, &interrupt, output)?
        }
    };
    let measured = MeasuredRun::measure(ready, output)?;
    let summary = results::write(&measured.folder)?;
    present(&summary, &measured.folder, display)
}

/// Builds what a planned run needs, and makes its folder.
fn open(planned: &mut PlannedRun, out: Option<&Path>, output: OutputOptions) -> Result<RunFolder, Error> {
    builds::make(&mut planned.manifest, output)?;
    let folder = folder::create(out, &planned.manifest, output)?;
    remark(output, &plan::one_line(&planned.manifest));
    Ok(folder)
}

/// Makes a run for another command, and returns its results, which are also in its folder.
pub(super) fn measure(
    request: &RunRequest,
    out: Option<&Path>,
    interrupt: &Interrupt,
    output: OutputOptions,
) -> Result<Summary, Error> {
    let mut planned = planned::plan(request, None, Purpose::Measure, output)?;
    report_plan(&planned.manifest, output);
    let folder = open(&mut planned, out, output)?;
    let ready = ReadyRun::start(planned, folder, interrupt, output)?;
    let measured = MeasuredRun::measure(ready, output)?;
    results::write(&measured.folder)
}

/// Prints the warnings of a plan, and with `--verbose` the sources of noise.
fn report_plan(manifest: &Manifest, output: OutputOptions) {
    for warning in &manifest.warnings {
        remark(output, &format!("warning: {}", warning.message));
    }
    if output.verbose {
        remark(output, &noise::sources(&manifest.sources));
    }
}

fn dry_run(planned: &PlannedRun, display: Display) -> Result<ExitStatus, Error> {
    contract::check(&planned.setup.code, &planned.manifest.interpreters)?;
    environments::preview(planned, display.output)?;
    let manifest = &planned.manifest;
    print(&match display.format {
        SummaryFormat::Json => super::json(&manifest.plan)?,
        SummaryFormat::Table | SummaryFormat::Markdown => plan::table(manifest, style(display.output)),
    })?;
    Ok(ExitStatus::Success)
}

/// Prints the results of a run that has just been measured, and where they are.
fn present(summary: &Summary, folder: &RunFolder, display: Display) -> Result<ExitStatus, Error> {
    let path = folder.path().display();
    match show(summary, &path.to_string(), display) {
        // The reader of standard output is gone, but the remarks below go to standard error.
        Err(error) if error.exit_status() == ExitStatus::Success => {}
        shown => shown?,
    }
    remark(
        display.output,
        &format!("\nwrote the run to {path}; open {path}/{REPORT} in a browser for its charts"),
    );
    let status = exit_status(summary);
    if status == ExitStatus::Interrupted {
        remark(
            display.output,
            &format!("interrupted; resume with 'ftbench run --resume {path}'"),
        );
    }
    Ok(status)
}

/// Prints the results of a run that was already complete.
fn present_complete(folder: &RunFolder, display: Display) -> Result<ExitStatus, Error> {
    let path = folder.path().display();
    remark(
        display.output,
        &format!("{path} is complete; nothing is left to measure"),
    );
    let summary = results::write(folder)?;
    show(&summary, &path.to_string(), display)?;
    Ok(exit_status(&summary))
}

fn show(summary: &Summary, run: &str, display: Display) -> Result<(), OutputError> {
    print(&match display.format {
        SummaryFormat::Table => table(summary, run, display.output),
        SummaryFormat::Json => json::summary(summary).map_err(OutputError::Json)?,
        SummaryFormat::Markdown => markdown::render(summary),
    })
}

/// The results of a run for a terminal, with the verdict on it last. `run` is the run's folder.
pub(super) fn table(summary: &Summary, run: &str, output: OutputOptions) -> String {
    let style = style(output);
    let unexplained = worth_explaining(summary);
    let verdict = verdict::render(summary, run, unexplained.as_deref(), style);
    let results = terminal::render(summary, style);
    if verdict.is_empty() {
        results
    } else {
        format!("{results}\n{verdict}")
    }
}

fn exit_status(summary: &Summary) -> ExitStatus {
    if summary.run.status == RunStatus::Interrupted {
        ExitStatus::Interrupted
    } else if summary.cells.iter().any(|cell| cell.status.is_failure()) {
        ExitStatus::BadAnswer
    } else {
        ExitStatus::Success
    }
}
