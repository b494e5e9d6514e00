//! Checks that a stopped run is unchanged, so that it can be resumed as if it had not been stopped.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::code::{self, Code};
use super::error::RunError;
use super::folder::warn_of_missing_lock;
use super::packages::Packages;
use super::planned::{PlannedRun, Setup};
use super::sessions::{self, EarlierSessions};
use super::{builds, changes};
use crate::assets::{Assets, catalogue};
use crate::cli::OutputOptions;
use crate::command::{cache_folder, remark};
use crate::error::Error;
use crate::interpreter::{PROBE_TIME_LIMIT, probe_again, read_identities};
use crate::machine::bind::Binder;
use crate::machine::discovery::Discovered;
use crate::machine::facts;
use crate::machine::noise::sources;
use crate::process::quota;
use crate::record::folder::{OpenedRun, RecordEnd, RunFolder};
use crate::record::store::{self, StoreError, TRIALS};
use crate::workload::arm::{ArmWord, Arms};
use crate::workload::{Catalogue, Requirement, Workload};
use ftbench_schema::{CommitFacts, Manifest, Trial, WorkloadFacts, text};

/// A run whose folder was opened again.
#[derive(Debug)]
pub struct Reopened {
    /// The folder.
    pub folder: RunFolder,
    /// The manifest of the run.
    pub manifest: Manifest,
    trials: Vec<Trial>,
}

impl Reopened {
    /// Opens the folder of a run and reads its trials. Reports damage to the record.
    pub fn open(path: &Path, output: OutputOptions) -> Result<Self, StoreError> {
        let OpenedRun {
            folder,
            header,
            record_end,
        } = RunFolder::open(path)?;
        warn_of_missing_lock(&folder, output);
        if let RecordEnd::CutOff(bytes) = record_end {
            let text = format!("removed {bytes} bytes of an unfinished line from the end of {TRIALS}");
            remark(output, &text);
        }
        let manifest = header.manifest;
        let recorded = store::read_trials(&path.join(TRIALS), store::checksums(&manifest))?;
        for damage in store::damage(&recorded.warnings) {
            remark(output, &format!("warning: {damage}"));
        }
        Ok(Self {
            folder,
            manifest,
            trials: recorded.trials,
        })
    }
}

/// A run that can be resumed: its interpreters, workloads, builds and machine are the same as at its start.
#[derive(Debug)]
pub struct StoppedRun {
    /// The plan that it was started with.
    pub planned: PlannedRun,
    /// The folder, which has not been changed yet.
    pub folder: RunFolder,
    /// The sessions that measured it.
    pub earlier: EarlierSessions,
}

impl StoppedRun {
    /// Checks that no change would make the figures of the run incomparable, and builds what is missing.
    pub fn check(reopened: Reopened, output: OutputOptions) -> Result<Self, Error> {
        let Reopened {
            folder,
            manifest,
            trials,
        } = reopened;
        let mut planned = plan_again(manifest, output).map_err(|why| match why {
            NotAgain::Changed(changes) => RunError::Changed {
                folder: folder.path().to_owned(),
                changes,
            }
            .into(),
            NotAgain::Failed(error) => error,
        })?;
        record_unrecorded_sessions(&mut planned.manifest);
        let earlier = EarlierSessions::of_run(&planned.manifest, trials);
        let count = text::counted(earlier.trials.len(), "trial");
        remark(
            output,
            &format!("resuming {}, which has {count}", folder.path().display()),
        );
        Ok(Self {
            planned,
            folder,
            earlier,
        })
    }
}

/// Adds facts about sessions that older versions of ftbench did not record.
fn record_unrecorded_sessions(manifest: &mut Manifest) {
    if manifest.sessions.is_empty() {
        let unrecorded = sessions::unrecorded(manifest);
        manifest.sessions.push(unrecorded);
    }
    if let Some(first) = manifest.sessions.first_mut() {
        let detected = || code::detected_commit(manifest.commit.clone());
        first.commit = first.commit.take().or_else(detected);
    }
}

/// Why a recorded plan cannot be measured again.
#[derive(Debug)]
pub enum NotAgain {
    /// Something has changed. One line for each change, as in [`changes`].
    Changed(Vec<String>),
    /// Anything else.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for NotAgain {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl NotAgain {
    /// Fails if something has changed.
    pub fn if_changed(changes: Vec<String>) -> Result<(), Self> {
        if changes.is_empty() {
            Ok(())
        } else {
            Err(Self::Changed(changes))
        }
    }
}

/// Plans the run of the manifest again, and checks that the interpreters, workloads and machine are the same.
pub(super) fn plan_again(recorded: Manifest, output: OutputOptions) -> Result<PlannedRun, NotAgain> {
    let assets = Assets::unpack(&cache_folder()?)?;
    let discovered = Discovered::load()?;
    let machine = facts::of_this_machine(discovered.topology(), quota::of_this_process()?);
    let mut changed = changes::machine(&recorded.machine, &machine);
    changed.extend(interpreters(&recorded));
    let mut manifest = recorded.clone();
    let code = code(&mut manifest, &assets.workloads, &mut changed)?;
    let packages = packages(&manifest, &code.workloads);
    changed.extend(changes::wheels(&recorded.packages.wheels, &packages.wheels()));
    NotAgain::if_changed(changed)?;
    // The worker is that of this ftbench, because both must use the same protocol.
    let worker = assets.worker.display().to_string();
    manifest.environment.insert("PYTHONPATH".to_owned(), worker);
    (manifest.hosts, manifest.extensions) = Default::default();
    builds::make(&mut manifest, output)?;
    NotAgain::if_changed(changes::builds(&recorded, &manifest))?;
    manifest.warnings = recorded.warnings;
    let mut cells = manifest.plan.cells.iter();
    let pinned = cells.any(|planned| !planned.placement.is_empty());
    Ok(PlannedRun {
        setup: Setup {
            open_models: BTreeSet::new(),
            hints: Vec::new(),
            code,
            packages,
            binder: pinned.then(|| Binder::new(discovered)).transpose()?,
            meters: sources::find(&machine.topology.allowed_pus).meters,
        },
        manifest,
    })
}

/// The recorded code, as it is now. Adds its changes to `changed`.
fn code(manifest: &mut Manifest, suite: &Path, changed: &mut Vec<String>) -> Result<Code, Error> {
    let mut arms = arms(manifest, changed);
    let known = KnownWorkloads {
        catalogue: catalogue(suite)?,
        from_arms: arms.workloads(name_of_arms(manifest)),
    };
    let workloads = workloads(manifest, &known, changed);
    let mut code = Code {
        commit: None,
        workloads,
        arms,
    };
    // A missing workload or arm imports nothing and already has its own line.
    let all_there =
        code.workloads.len() == manifest.workloads.len() && code.arms.all.len() == manifest.arms.len();
    if let Some(before) = manifest.modules.as_ref().filter(|_| all_there) {
        let now = code.modules(suite, manifest.plan.settings.loop_factory.as_deref());
        changed.extend(changes::modules(before, &now));
    }
    code.commit = commit(manifest, &code, suite);
    Ok(code)
}

fn interpreters(recorded: &Manifest) -> Vec<String> {
    recorded
        .interpreters
        .iter()
        .flat_map(|was| match probe_again(was, PROBE_TIME_LIMIT) {
            Ok(mut is) => {
                read_identities(std::slice::from_mut(&mut is));
                changes::interpreter(was, &is)
            }
            Err(error) => vec![format!(
                "  {}: {}",
                text::line(&was.tag),
                text::line(&error.to_string())
            )],
        })
        .collect()
}

/// The recorded arms, as they are now. Adds their changes to `changed`.
fn arms(recorded: &Manifest, changed: &mut Vec<String>) -> Arms {
    let words: Vec<ArmWord> = recorded
        .arms
        .iter()
        .map(|arm| ArmWord {
            name: arm.name.clone(),
            path: PathBuf::from(&arm.path),
        })
        .collect();
    match code::read_arms(&words) {
        Ok(arms) => {
            let pairs = recorded.arms.iter().zip(&arms.all);
            changed.extend(pairs.flat_map(|(was, is)| changes::arm(was, &is.facts)));
            arms
        }
        Err(error) => {
            changed.push(format!("  {}", text::line(&error.to_string())));
            Arms::default()
        }
    }
}

/// The current commit of the code; `None` if the user named the recorded one, because git may report another.
fn commit(recorded: &Manifest, code: &Code, suite: &Path) -> Option<CommitFacts> {
    let was_named = recorded.commit.is_some() && code::detected_commit(recorded.commit.clone()).is_none();
    if was_named {
        return None;
    }
    code::detected_commit(code::commit_of(&code.arms, &code.workloads, suite))
}

/// The name of the workload whose files are the arms, without its cases.
fn name_of_arms(recorded: &Manifest) -> Option<&str> {
    let first = recorded.workloads.first()?;
    let case = first.case.as_ref().map(|case| format!(".{case}"));
    Some(case.map_or(first.name.as_str(), |case| {
        first.name.strip_suffix(&case).unwrap_or(&first.name)
    }))
}

/// Workloads that may have moved from the recorded path.
struct KnownWorkloads {
    catalogue: Catalogue,
    /// The workloads of arms that are files. Their names may differ from their file names.
    from_arms: Vec<Workload>,
}

impl KnownWorkloads {
    fn find(&self, was: &WorkloadFacts) -> Option<Workload> {
        let is_same = |one: &&Workload| one.name == was.name && one.sha256 == was.sha256;
        let mut all = self.from_arms.iter().chain(self.catalogue.all());
        all.find(is_same).cloned()
    }
}

/// The recorded workloads, as they are now. Those of the suite may have moved with ftbench's cache. Adds changes to
/// `changed`.
fn workloads(manifest: &mut Manifest, known: &KnownWorkloads, changed: &mut Vec<String>) -> Vec<Workload> {
    let mut found = Vec::new();
    for was in &mut manifest.workloads {
        let workload = match workload(was) {
            Ok(workload) if workload.sha256 == was.sha256 => Ok(workload),
            other => known.find(was).map_or(other, Ok),
        };
        match workload {
            Ok(workload) => {
                let is = workload.facts();
                changed.extend(changes::workload(was, &is));
                (was.path, was.extension) = (is.path, is.extension);
                found.push(workload);
            }
            Err(reason) => changed.push(format!("  {}: {}", text::line(&was.name), text::line(&reason))),
        }
    }
    found
}

fn workload(was: &WorkloadFacts) -> Result<Workload, String> {
    let path = Path::new(&was.path);
    if let Some(workload) = Workload::recorded(was) {
        return workload.map_err(|error| error.to_string());
    }
    let mut found = Workload::read(path).map_err(|error| error.to_string())?;
    if let (Some(_), Some(case)) = (was.format, &was.case) {
        found = found
            .into_iter()
            .map(|workload| {
                let mut workload = workload.with_case(case).with_arguments(&was.arguments);
                workload.metadata.dependencies.clone_from(&was.dependencies);
                workload
            })
            .collect();
    }
    // Its name may have folders in front because of other files of the run. Older versions of ftbench did not record
    // the case.
    let is_same = |workload: &Workload| workload.name == was.name || workload.case == was.case;
    let same = found.into_iter().find(is_same).map(|workload| Workload {
        name: was.name.clone(),
        ..workload
    });
    same.ok_or_else(|| format!("{} no longer has this case", was.path))
}

/// The requested packages. Older versions of ftbench recorded only the resulting environments.
fn packages(manifest: &Manifest, workloads: &[Workload]) -> Packages {
    let mut with: BTreeSet<Requirement> = BTreeSet::new();
    with.extend(manifest.packages.with.iter().filter_map(|word| word.parse().ok()));
    for environment in manifest
        .environments
        .iter()
        .filter(|_| manifest.sessions.is_empty())
    {
        let own: BTreeSet<Requirement> = workloads
            .iter()
            .filter(|workload| environment.workloads.contains(&workload.name))
            .flat_map(|workload| &workload.metadata.dependencies)
            .filter_map(|word| word.parse().ok())
            .collect();
        let all = environment
            .requirements
            .iter()
            .filter_map(|word| word.parse().ok());
        with.extend(all.filter(|requirement| !own.contains(requirement)));
    }
    Packages {
        with: with.into_iter().collect(),
        source_builds: manifest.packages.source_builds,
    }
}
