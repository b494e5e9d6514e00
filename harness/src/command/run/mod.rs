//! `ftbench run`: prepare, measure, record, analyse, present.

pub(super) mod builds;
mod environments;
mod keep;
mod launches;
pub(super) mod prepare;
mod results;

use std::collections::BTreeSet;

use super::{print, remark, style};
use crate::cli::{OutputOptions, RunArgs, SummaryFormat};
use crate::error::{Error, ExitStatus};
use crate::measure::interrupt::Interrupt;
use crate::measure::loopback::LoopbackServer;
use crate::measure::rounds::{self, Units};
use crate::measure::trial::RealRunner;
use crate::present::progress::Progress;
use crate::present::{json, markdown, noise, plan, table};
use crate::record::schema::{Manifest, RunStatus, StoppedBy, Summary};
use crate::record::store::{REPORT, RunFolder};
use crate::workload::Service;
use keep::Keeper;
use prepare::Prepared;
pub(crate) use results::file_name;

/// Measures what the arguments ask for.
pub fn run(arguments: &RunArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let mut prepared = prepare::prepare(arguments)?;
    for warning in &prepared.manifest.warnings {
        remark(output, &format!("warning: {}", warning.message));
    }
    if output.verbose {
        remark(output, &noise::sources(&prepared.manifest.sources));
    }
    if arguments.dry_run {
        environments::foretell(&prepared, output)?;
        return dry_run(&prepared.manifest, arguments.format, output);
    }
    builds::make(&mut prepared.manifest, output)?;
    let mut folder = RunFolder::create(&prepared.out)?;
    remark(output, &plan::one_line(&prepared.manifest));
    let server = start_services(&mut prepared)?;
    folder.write_manifest(&prepared.manifest)?;
    let measured = measure(&mut prepared, &mut folder, output);
    drop(server);
    let manifest = &mut prepared.manifest;
    manifest.status = match measured {
        Ok(StoppedBy::Interrupt) | Err(_) => RunStatus::Interrupted,
        Ok(StoppedBy::Rounds | StoppedBy::Precision | StoppedBy::Budget) => RunStatus::Complete,
    };
    manifest.stopped_by = Some(*measured.as_ref().unwrap_or(&StoppedBy::Interrupt));
    manifest.ended_at = Some(jiff::Timestamp::now().to_string());
    folder.write_manifest(manifest)?;
    measured?;
    let summary = results::write(&folder)?;
    show(&summary, arguments.format, output)?;
    let path = folder.path().display();
    remark(
        output,
        &format!("\nThe run is in {path}; open {path}/{REPORT} in a browser for its charts"),
    );
    Ok(exit_status(&summary))
}

fn dry_run(manifest: &Manifest, format: SummaryFormat, output: OutputOptions) -> Result<ExitStatus, Error> {
    let text = match format {
        SummaryFormat::Json => format!("{}\n", serde_json::to_string_pretty(&manifest.plan)?),
        SummaryFormat::Table | SummaryFormat::Markdown => plan::table(manifest, style(output)),
    };
    print(&text)?;
    Ok(ExitStatus::Success)
}

/// Starts what the workloads need beside them, tells trials where it is, and the meters that it belongs to the run.
pub(super) fn start_services(prepared: &mut Prepared) -> Result<Option<LoopbackServer>, Error> {
    let needed: BTreeSet<Service> = prepared
        .workloads
        .iter()
        .flat_map(|workload| workload.metadata.services.iter().copied())
        .collect();
    if needed.is_empty() {
        return Ok(None);
    }
    let executable = std::env::current_exe().map_err(Error::LoopbackServer)?;
    let server = LoopbackServer::start(&executable, &["loopback-server"]).map_err(Error::LoopbackServer)?;
    for service in needed {
        let address = server.addresses().value(service);
        let environment = &mut prepared.manifest.environment;
        environment.insert(service.variable().to_owned(), address);
    }
    let beside = server.process_id().into_iter().collect();
    prepared.meters = std::mem::take(&mut prepared.meters).beside(beside);
    Ok(Some(server))
}

/// Calibrates, then makes the rounds. Everything that was measured is in the folder, however it ends.
fn measure(
    prepared: &mut Prepared,
    folder: &mut RunFolder,
    output: OutputOptions,
) -> Result<StoppedBy, Error> {
    let interrupt = Interrupt::listen().map_err(Error::Signals)?;
    let mut runner = runner(prepared, &interrupt, output)?;
    let manifest = &mut prepared.manifest;
    let mut keeper = Keeper::new(
        folder,
        Progress::new(output.quiet, output.verbose),
        &manifest.plan,
    );
    let cells = manifest.plan.cells.clone();
    let units = rounds::calibrate(&cells, &manifest.plan.baseline, &mut runner, &mut keeper);
    let Some(units) = units else {
        return Ok(StoppedBy::Interrupt);
    };
    take_over(&units, manifest);
    keeper.folder().write_manifest(manifest)?;
    keeper.begin(manifest, &units);
    let ending = rounds::rounds(&cells, &units, manifest.seed, &mut runner, &mut keeper);
    keeper.end();
    Ok(ending?)
}

/// What makes the trials of a run. The packages that workloads need are installed now, unless they are there.
pub(super) fn runner<'run>(
    prepared: &mut Prepared,
    interrupt: &'run Interrupt,
    output: OutputOptions,
) -> Result<RealRunner<'run>, Error> {
    let pythons = environments::install(prepared, &|| interrupt.is_asked(), output)?;
    let manifest = &prepared.manifest;
    Ok(RealRunner {
        launches: launches::of_run(manifest, &pythons)?,
        settings: manifest.plan.settings.clone(),
        binder: prepared.binder.take(),
        meters: std::mem::take(&mut prepared.meters),
        interrupt,
    })
}

/// Writes what calibration found into the manifest.
fn take_over(units: &Units, manifest: &mut Manifest) {
    for workload in &mut manifest.workloads {
        match units.workloads.get(&workload.name) {
            Some(Ok(units)) => workload.units = Some(*units),
            Some(Err(failure)) => workload.failure = Some(failure.clone()),
            None => {}
        }
        let Some(ceiling) = &mut workload.ceiling else {
            continue;
        };
        match units.ceilings.get(&workload.name) {
            Some(Ok(units)) => ceiling.units = Some(*units),
            Some(Err(failure)) => ceiling.failure = Some(failure.clone()),
            None => {}
        }
    }
}

fn show(summary: &Summary, format: SummaryFormat, output: OutputOptions) -> Result<(), Error> {
    let text = match format {
        SummaryFormat::Table => table::render(summary, style(output)),
        SummaryFormat::Json => json::summary(summary)?,
        SummaryFormat::Markdown => markdown::render(summary),
    };
    Ok(print(&text)?)
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
