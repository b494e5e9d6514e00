//! A run that can be measured, whether it is new or resumed.

use super::environments::{self, Installed};
use super::planned::{PlannedRun, Setup};
use super::resumed::StoppedRun;
use super::sessions::{EarlierSessions, RunRecord};
use super::{changes, launches, services};
use crate::cli::OutputOptions;
use crate::error::Error;
use crate::measure::runner::RealRunner;
use crate::measure::trial::Equipment;
use crate::process::guard::driver_side::Guarding;
use crate::process::interrupt::Interrupt;
use crate::record::folder::RunFolder;
use crate::services::loopback::LoopbackServer;
use ftbench_schema::{EnvironmentFacts, Manifest, StoppedBy};

/// A run that can be measured: its folder is open, its programs are built, its packages are installed, and its record says
/// that it is running.
#[derive(Debug)]
pub struct ReadyRun<'run> {
    /// The folder and the manifest in it.
    pub record: RunRecord,
    /// Makes the trials.
    pub runner: RealRunner<'run>,
    /// The trials that earlier sessions made.
    pub earlier: EarlierSessions,
    /// The server that workloads need; it stops when it is dropped.
    pub server: Option<LoopbackServer>,
}

impl<'run> ReadyRun<'run> {
    /// Starts a new run. The plan is on the disk before packages are installed, so that a run that is stopped meanwhile can
    /// be resumed.
    pub fn start(
        planned: PlannedRun,
        folder: RunFolder,
        interrupt: &'run Interrupt,
        output: OutputOptions,
    ) -> Result<Self, Error> {
        let PlannedRun { mut manifest, setup } = planned;
        let server = services::start(&setup.code.workloads, &mut manifest.environment)?;
        let mut record = RunRecord { folder, manifest };
        record.begin_session(setup.code.commit.clone())?;
        let (runner, environments) = match runner(&record.manifest, setup, server.as_ref(), interrupt, output)
        {
            Ok(made) => made,
            Err(error) => {
                // Of two errors the first one says why.
                let _ = record.end_session(StoppedBy::Interrupt);
                return Err(error);
            }
        };
        record.manifest.environments = environments;
        environments::warn_of_differing(&mut record.manifest, output);
        Ok(Self {
            record,
            runner,
            earlier: EarlierSessions::default(),
            server,
        })
    }

    /// Resumes a run. Its folder stays as it is until its packages are known to be those that it has had.
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
        // What an interrupted installation has left out has not changed.
        if !interrupt.is_asked() {
            let changed = changes::environments(&manifest.environments, &environments);
            changes::refuse(folder.path(), changed)?;
            manifest.environments = environments;
        }
        environments::warn_of_differing(&mut manifest, output);
        let mut record = RunRecord { folder, manifest };
        record.begin_session(commit)?;
        Ok(Self {
            record,
            runner,
            earlier,
            server,
        })
    }
}

/// Installs the packages that workloads need, unless they are there, and returns what makes the trials, with the
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
    } = environments::install(manifest, &setup, &|| interrupt.is_asked(), output)?;
    let of_server = server.and_then(LoopbackServer::process_id);
    let equipment = Equipment {
        launches: launches::of_run(manifest, &pythons)?,
        settings: manifest.plan.settings.clone(),
        binder: setup.binder,
        meters: setup.meters.beside(of_server.into_iter().collect()),
        guarding: Guarding::by_this_program(manifest.plan.settings.limits),
        interrupt,
    };
    Ok((RealRunner::new(equipment), environments))
}
