//! `ftbench run`: prepare, measure, record, analyse, present.

pub(super) mod builds;
mod code;
mod commit;
mod contract;
mod environments;
pub(super) mod error;
mod keep;
mod launches;
pub(super) mod prepare;
mod results;
mod resume;
mod same;
mod sessions;

use std::collections::BTreeSet;

use super::error::OutputError;
use super::{no_server, print, remark, style};
use crate::cli::{OutputOptions, RunArgs, SummaryFormat};
use crate::error::{Error, ExitStatus, Failure};
use crate::measure::guarded::Guarding;
use crate::measure::interrupt::Interrupt;
use crate::measure::loopback::LoopbackServer;
use crate::measure::made::Made;
use crate::measure::rounds::{self, Calibrated, Course, Units};
use crate::measure::trial::RealRunner;
use crate::record::store::{REPORT, RunFolder};
use crate::terminal::plan;
use crate::terminal::progress::Progress;
use crate::workload::Service;
use error::RunError;
use ftbench_present::{json, markdown, noise, table};
use ftbench_schema::{Manifest, RunStatus, StoppedBy, Summary, Warning};
use keep::{Earlier, Keeper};
use prepare::Prepared;
pub(crate) use results::write_figures;

/// How results are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    format: SummaryFormat,
    output: OutputOptions,
}

/// Measures what the arguments ask for.
pub fn run(arguments: &RunArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let shown = Shown {
        format: arguments.resumption.format,
        output,
    };
    if let Some(folder) = &arguments.resumption.resume {
        return resume::resume(folder, shown);
    }
    let mut prepared = prepare::prepare(arguments)?;
    for warning in &prepared.manifest.warnings {
        remark(output, &format!("warning: {}", warning.message));
    }
    if output.verbose {
        remark(output, &noise::sources(&prepared.manifest.sources));
    }
    if arguments.dry_run {
        contract::check(&prepared)?;
        environments::foretell(&prepared, output)?;
        return dry_run(&prepared.manifest, shown);
    }
    builds::make(&mut prepared.manifest, output)?;
    let folder = match &arguments.out {
        Some(path) => RunFolder::create(path)?,
        None => RunFolder::create_new(&prepared.out)?,
    };
    folder.path().clone_into(&mut prepared.out);
    tell_lock(&folder, output);
    remark(output, &plan::one_line(&prepared.manifest));
    conduct(prepared, folder, None, shown)
}

/// Says so where nothing keeps a second ftbench from writing to the folder.
fn tell_lock(folder: &RunFolder, output: OutputOptions) {
    if !folder.is_locked() {
        let path = folder.path().display();
        remark(
            output,
            &format!(
                "warning: {path} is on a file system without locks, so a second ftbench is not kept from writing to it; \
                 do not resume this run while it goes on"
            ),
        );
    }
}

/// Measures, and shows what came of it. `earlier` is what earlier sittings of the run have made.
fn conduct(
    mut prepared: Prepared,
    mut folder: RunFolder,
    earlier: Option<Earlier>,
    shown: Shown,
) -> Result<ExitStatus, Error> {
    let server = start_services(&mut prepared)?;
    if earlier.is_none() {
        begin(&mut prepared, &mut folder)?;
    }
    let measured = measure(&mut prepared, &mut folder, earlier, shown.output);
    drop(server);
    // What an earlier sitting left stays as it is until this one has begun.
    let measured = match measured {
        Err(error) if !sessions::has_begun(&prepared.manifest) => return Err(error),
        other => other,
    };
    let manifest = &mut prepared.manifest;
    manifest.status = match measured {
        Ok(StoppedBy::Interrupt) | Err(_) => RunStatus::Interrupted,
        Ok(StoppedBy::Rounds | StoppedBy::Precision | StoppedBy::Budget) => RunStatus::Complete,
    };
    manifest.stopped_by = Some(*measured.as_ref().unwrap_or(&StoppedBy::Interrupt));
    manifest.ended_at = Some(jiff::Timestamp::now().to_string());
    sessions::end(manifest);
    let written = folder.write_manifest(manifest);
    // Of two errors the first one tells why.
    measured?;
    written?;
    let summary = results::write(&folder)?;
    match show(&summary, shown) {
        // Nobody reads it any more, and how the run went stays to be told.
        Err(error) if error.exit_status() == ExitStatus::Success => {}
        told => told?,
    }
    let path = folder.path().display();
    remark(
        shown.output,
        &format!("\nThe run is in {path}; open {path}/{REPORT} in a browser for its charts"),
    );
    let status = exit_status(&summary);
    if status == ExitStatus::Interrupted {
        remark(
            shown.output,
            &format!("It was interrupted; go on with 'ftbench run --resume {path}'"),
        );
    }
    Ok(status)
}

/// Writes down that this process goes on with the run.
fn begin(prepared: &mut Prepared, folder: &mut RunFolder) -> Result<(), Error> {
    let manifest = &mut prepared.manifest;
    let own = sessions::own(prepared.commit.clone());
    let difference = sessions::difference(&manifest.sessions, &own);
    let is_new = |warning: &Warning| !manifest.warnings.contains(warning);
    let difference = difference.filter(is_new);
    manifest.warnings.extend(difference);
    manifest.sessions.push(own);
    manifest.status = RunStatus::Running;
    (manifest.stopped_by, manifest.ended_at) = (None, None);
    Ok(folder.write_manifest(manifest)?)
}

fn dry_run(manifest: &Manifest, shown: Shown) -> Result<ExitStatus, Error> {
    print(&match shown.format {
        SummaryFormat::Json => super::json(&manifest.plan)?,
        SummaryFormat::Table | SummaryFormat::Markdown => plan::table(manifest, style(shown.output)),
    })?;
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
    let server = std::env::current_exe()
        .and_then(|executable| LoopbackServer::start(&executable, &["loopback-server"]))
        .map_err(no_server())?;
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
    earlier: Option<Earlier>,
    output: OutputOptions,
) -> Result<StoppedBy, Error> {
    let interrupt = Interrupt::listen()?;
    let Some(mut runner) = ready(prepared, earlier.is_some(), &interrupt, output)? else {
        return Ok(StoppedBy::Interrupt);
    };
    if earlier.is_some() {
        begin(prepared, folder)?;
    }
    let manifest = &mut prepared.manifest;
    let earlier = earlier.unwrap_or_default();
    let mut keeper = Keeper::new(folder, Progress::new(output.quiet, output.verbose), manifest);
    keeper.take_over(&earlier);
    if let Some(session) = manifest.sessions.last_mut() {
        // The time that a run may take begins here, not when packages were installed.
        session.started_at = jiff::Timestamp::now().to_string();
    }
    let cells = manifest.plan.cells.clone();
    let known = Units::recorded(manifest);
    let baseline = &manifest.plan.baseline;
    let found = rounds::calibrate(&cells, baseline, known, &mut runner, &mut keeper);
    let refusal = |runner: &mut RealRunner<'_>| {
        let folder = prepared.out.clone();
        let refused = runner.refused.take();
        refused.map(|failure| RunError::Refused { failure, folder })
    };
    let Some(units) = found else {
        return refusal(&mut runner).map_or(Ok(StoppedBy::Interrupt), |refused| Err(refused.into()));
    };
    take_over(&units, manifest);
    keeper.folder().write_manifest(manifest)?;
    keeper.begin(manifest, &units);
    let course = Course {
        cells: &cells,
        units: &units,
        seed: manifest.seed,
        made: &Made::of(&earlier.trials),
    };
    let ending = rounds::rounds(&course, &mut runner, &mut keeper);
    keeper.end();
    refusal(&mut runner).map_or(Ok(ending?), |refused| Err(refused.into()))
}

/// Makes ready what makes the trials; `None` when ftbench was told to stop meanwhile. The packages of a run that is gone
/// on with have to be those that it has had.
fn ready<'run>(
    prepared: &mut Prepared,
    goes_on: bool,
    interrupt: &'run Interrupt,
    output: OutputOptions,
) -> Result<Option<RealRunner<'run>>, Error> {
    let recorded = std::mem::take(&mut prepared.manifest.environments);
    let made = runner(prepared, interrupt, output);
    // What was recorded stays until the new ones are known to be the same.
    let now = goes_on.then(|| std::mem::replace(&mut prepared.manifest.environments, recorded));
    let runner = made?;
    if let Some(now) = now {
        if interrupt.is_asked() {
            return Ok(None);
        }
        let changes = same::environments(&prepared.manifest.environments, &now);
        if !changes.is_empty() {
            return Err(RunError::NotTheSame {
                folder: prepared.out.clone(),
                changes,
            }
            .into());
        }
        prepared.manifest.environments = now;
    }
    environments::warn_of_differing(&mut prepared.manifest, output);
    Ok(Some(runner))
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
        guarding: Guarding::by_this_program(manifest.plan.settings.limits),
        interrupt,
        refused: None,
    })
}

/// Writes what calibration found into the manifest, over what an earlier sitting may have found.
fn take_over(units: &Units, manifest: &mut Manifest) {
    let parted = |found: &Calibrated| {
        let found = found.as_ref();
        (found.ok().copied(), found.err().cloned())
    };
    for workload in &mut manifest.workloads {
        if let Some(found) = units.workloads.get(&workload.name) {
            (workload.units, workload.failure) = parted(found);
        }
        let found = units.ceilings.get(&workload.name);
        if let Some((ceiling, found)) = workload.ceiling.as_mut().zip(found) {
            (ceiling.units, ceiling.failure) = parted(found);
        }
    }
}

fn show(summary: &Summary, shown: Shown) -> Result<(), OutputError> {
    print(&match shown.format {
        SummaryFormat::Table => table::render(summary, style(shown.output)),
        SummaryFormat::Json => json::summary(summary).map_err(OutputError::Json)?,
        SummaryFormat::Markdown => markdown::render(summary),
    })
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
