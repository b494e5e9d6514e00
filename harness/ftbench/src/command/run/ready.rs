//! A run that can be measured, whether it is new or resumed.

use std::collections::BTreeSet;
use std::process::Command;

use super::environments::{self, Installed};
use super::planned::{PlannedRun, Setup};
use super::resumed::StoppedRun;
use super::sessions::{EarlierSessions, RunRecord};
use super::{changes, launches, services};
use crate::cli::OutputOptions;
use crate::error::Error;
use crate::interpreter::PROBE_TIME_LIMIT;
use crate::measure::runner::RealRunner;
use crate::measure::trial::Equipment;
use crate::process::bounded;
use crate::process::guard::driver_side::GuardOptions;
use crate::process::interrupt::Interrupt;
use crate::record::folder::RunFolder;
use crate::services::loopback::LoopbackServer;
use ftbench_schema::tag::distinct_builds;
use ftbench_schema::{EnvironmentFacts, Manifest, StoppedBy};

/// A run that can be measured. Its folder is open, its programs are built, its packages are installed, and its record
/// says that it is running.
#[derive(Debug)]
pub struct ReadyRun<'run> {
    /// The folder and the manifest in it.
    pub record: RunRecord,
    /// Makes the trials.
    pub runner: RealRunner<'run>,
    /// Workloads that may turn out to divide their work themselves.
    pub open_models: BTreeSet<String>,
    /// The trials that earlier sessions made.
    pub earlier: EarlierSessions,
    /// The server that workloads need; it stops when it is dropped.
    pub server: Option<LoopbackServer>,
}

impl<'run> ReadyRun<'run> {
    /// Starts a new run. Writes the plan to the disk before packages are installed, so that the run can be resumed if
    /// it is stopped meanwhile.
    pub fn start(
        planned: PlannedRun,
        folder: RunFolder,
        interrupt: &'run Interrupt,
        output: OutputOptions,
    ) -> Result<Self, Error> {
        let PlannedRun { mut manifest, setup } = planned;
        let server = services::start(&setup.code.workloads, &mut manifest.environment)?;
        let mut record = RunRecord { folder, manifest };
        let open_models = setup.open_models.clone();
        record.begin_session(setup.code.commit.clone())?;
        let (runner, environments) = match runner(&record.manifest, setup, server.as_ref(), interrupt, output)
        {
            Ok(made) => made,
            Err(error) => {
                // If both are errors, the first one is the cause.
                let _ = record.end_session(StoppedBy::Interrupt);
                return Err(error);
            }
        };
        record.manifest.environments = environments;
        environments::warn_of_differing(&mut record.manifest, output);
        Ok(Self {
            record,
            runner,
            open_models,
            earlier: EarlierSessions::default(),
            server,
        })
    }

    /// Resumes a run. Leaves its folder unchanged until the packages are known to be the same as before.
    pub fn resume(
        stopped: StoppedRun,
        interrupt: &'run Interrupt,
        output: OutputOptions,
    ) -> Result<Self, Error> {
        let StoppedRun {
            planned: PlannedRun { mut manifest, setup },
            folder,
            earlier,
        } = stopped;
        let server = services::start(&setup.code.workloads, &mut manifest.environment)?;
        let commit = setup.code.commit.clone();
        let (runner, environments) = runner(&manifest, setup, server.as_ref(), interrupt, output)?;
        // Packages that are missing because the installation was interrupted have not changed.
        if !interrupt.is_requested() {
            let changed = changes::environments(&manifest.environments, &environments);
            changes::refuse_if_changed(folder.path(), changed)?;
            manifest.environments = environments;
        }
        environments::warn_of_differing(&mut manifest, output);
        let mut record = RunRecord { folder, manifest };
        record.begin_session(commit)?;
        Ok(Self {
            record,
            runner,
            open_models: BTreeSet::new(),
            earlier,
            server,
        })
    }
}

/// Installs the packages that workloads need, unless they are installed. Returns the runner of the trials, and the
/// environments for the record.
pub fn runner<'run>(
    manifest: &Manifest,
    setup: Setup,
    server: Option<&LoopbackServer>,
    interrupt: &'run Interrupt,
    output: OutputOptions,
) -> Result<(RealRunner<'run>, Vec<EnvironmentFacts>), Error> {
    let Installed {
        pythons,
        environments,
    } = environments::install(manifest, &setup, &|| interrupt.is_requested(), output)?;
    compile_worker(manifest);
    let server_process = server.and_then(LoopbackServer::process_id);
    let equipment = Equipment {
        launches: launches::of_run(manifest, &pythons)?,
        settings: manifest.plan.settings.clone(),
        binder: setup.binder,
        meters: setup.meters.with_helpers(server_process.into_iter().collect()),
        guard_options: GuardOptions::by_this_program(manifest.plan.settings.limits),
        interrupt,
    };
    Ok((RealRunner::new(equipment), environments))
}

/// Compiles the worker with each interpreter of the run, unless that has been done. Trials write no bytecode, so each
/// would have to compile the worker's modules, which takes longer than starting Python does. They do so where this
/// fails, as in a cache that cannot be written.
fn compile_worker(manifest: &Manifest) {
    let Some(worker) = manifest.environment.get("PYTHONPATH") else {
        return;
    };
    for interpreter in distinct_builds(&manifest.interpreters) {
        let mut command = Command::new(&interpreter.path);
        command
            .args(["-s", "-m", "compileall", "-q", worker])
            .env_clear()
            .envs(&manifest.environment);
        let _ = bounded::run(&mut command, PROBE_TIME_LIMIT);
    }
}
