//! `ftbench run --resume`: a run that was stopped is gone on with as if it had not been.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::error::RunError;
use super::keep::Earlier;
use super::prepare::{Packages, Prepared};
use super::{Shown, builds, code, conduct, exit_status, results, same, sessions, show, tell_lock};
use crate::assets::{Assets, catalogue};
use crate::cli::OutputOptions;
use crate::command::{cache_folder, remark};
use crate::error::{Error, ExitStatus};
use crate::interpreter::{PROBE_TIME_LIMIT, look_again, read_identities};
use crate::machine::bind::Binder;
use crate::machine::discovery::Discovered;
use crate::machine::noise::sources;
use crate::machine::{facts, quota};
use crate::record::store::{self, Ending, Opened, RunFolder, TRIALS};
use crate::workload::arm::{ArmWord, Arms};
use crate::workload::{Catalogue, Requirement, Workload};
use ftbench_schema::{CommitFacts, Manifest, RunStatus, WorkloadFacts, text};

/// Goes on with the run in this folder.
pub fn resume(path: &Path, shown: Shown) -> Result<ExitStatus, Error> {
    let output = shown.output;
    let Opened {
        folder,
        header,
        ending,
    } = RunFolder::open(path)?;
    tell_lock(&folder, output);
    if let Ending::CutOff(bytes) = ending {
        let text = format!("removed {bytes} bytes of an unfinished line from the end of {TRIALS}");
        remark(output, &text);
    }
    let manifest = header.manifest;
    let recorded = store::read_trials(&path.join(TRIALS), store::checksums(&manifest))?;
    for damage in store::damage(&recorded.warnings) {
        remark(output, &format!("warning: {damage}"));
    }
    if manifest.status == RunStatus::Complete {
        remark(
            output,
            &format!("{} is complete; nothing is left to measure", path.display()),
        );
        let summary = results::write(&folder)?;
        show(&summary, shown)?;
        return Ok(exit_status(&summary));
    }
    let mut prepared = again(manifest, path, output)?;
    let sessions = &mut prepared.manifest.sessions;
    if sessions.is_empty() {
        let unrecorded = sessions::unrecorded(&prepared.manifest);
        prepared.manifest.sessions.push(unrecorded);
    }
    if let Some(first) = prepared.manifest.sessions.first_mut() {
        let told = || code::told_by_git(prepared.manifest.commit.clone());
        first.commit = first.commit.take().or_else(told);
    }
    let earlier = Earlier {
        spent_s: sessions::spent_s(&prepared.manifest.sessions, &recorded.trials),
        trials: recorded.trials,
    };
    let trials = text::counted(earlier.trials.len(), "trial");
    remark(
        output,
        &format!("going on with {}, which has {trials}", path.display()),
    );
    conduct(prepared, folder, Some(earlier), shown)
}

/// Prepares what the manifest says, from the same interpreters, workloads and machine.
fn again(recorded: Manifest, folder: &Path, output: OutputOptions) -> Result<Prepared, Error> {
    let refused = |changes: Vec<String>| {
        if changes.is_empty() {
            return Ok(());
        }
        Err(RunError::NotTheSame {
            folder: folder.to_owned(),
            changes,
        })
    };
    let assets = Assets::unpack(&cache_folder()?)?;
    let discovered = Discovered::load()?;
    let machine = facts::of_this_machine(discovered.topology(), quota::of_this_process()?);
    let mut changes = same::machine(&recorded.machine, &machine);
    changes.extend(interpreters(&recorded));
    let mut manifest = recorded.clone();
    let mut arms = arms(&recorded, &mut changes);
    let known = Known {
        catalogue: catalogue(&assets.workloads)?,
        of_arms: arms.workloads(name_of_arms(&recorded)),
    };
    let workloads = workloads(&mut manifest, &known, &mut changes);
    // What is not there imports nothing, and has its own line.
    let all_there = workloads.len() == recorded.workloads.len() && arms.all.len() == recorded.arms.len();
    if let Some(before) = recorded.modules.as_ref().filter(|_| all_there) {
        let now = code::modules(&workloads, &arms, &assets.workloads);
        changes.extend(same::modules(before, &now));
    }
    let packages = packages(&manifest, &workloads);
    changes.extend(same::wheels(&recorded.packages.wheels, &packages.wheels()));
    refused(changes)?;
    // The worker is this ftbench's own, for the two must understand each other.
    let worker = assets.worker.display().to_string();
    manifest.environment.insert("PYTHONPATH".to_owned(), worker);
    (manifest.hosts, manifest.extensions) = Default::default();
    builds::make(&mut manifest, output)?;
    refused(same::builds(&recorded, &manifest))?;
    let commit = commit(&recorded, &arms, &workloads, &assets.workloads);
    manifest.warnings = recorded.warnings;
    let pinned = manifest
        .plan
        .cells
        .iter()
        .any(|planned| !planned.placement.is_empty());
    Ok(Prepared {
        commit,
        packages,
        workloads,
        arms,
        binder: pinned.then(|| Binder::new(discovered)).transpose()?,
        meters: sources::find(&machine.topology.allowed_pus).meters,
        out: folder.to_owned(),
        manifest,
    })
}

fn interpreters(recorded: &Manifest) -> Vec<String> {
    recorded
        .interpreters
        .iter()
        .flat_map(|was| match look_again(was, PROBE_TIME_LIMIT) {
            Ok(mut is) => {
                read_identities(std::slice::from_mut(&mut is));
                same::interpreter(was, &is)
            }
            Err(error) => vec![format!(
                "  {}: {}",
                text::line(&was.tag),
                text::line(&error.to_string())
            )],
        })
        .collect()
}

/// The arms of the record, as they are now.
fn arms(recorded: &Manifest, changes: &mut Vec<String>) -> Arms {
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
            changes.extend(pairs.flat_map(|(was, is)| same::arm(was, &is.facts)));
            arms
        }
        Err(error) => {
            changes.push(format!("  {}", text::line(&error.to_string())));
            Arms::default()
        }
    }
}

/// The commit that the code is of now. Where the user had named one, what git tells is of something else.
fn commit(recorded: &Manifest, arms: &Arms, workloads: &[Workload], suite: &Path) -> Option<CommitFacts> {
    let was_named = recorded.commit.is_some() && code::told_by_git(recorded.commit.clone()).is_none();
    if was_named {
        return None;
    }
    code::told_by_git(code::commit_of(arms, workloads, suite))
}

/// What the workload is called whose files are the arms, without its cases.
fn name_of_arms(recorded: &Manifest) -> Option<&str> {
    let first = recorded.workloads.first()?;
    let case = first.case.as_ref().map(|case| format!(".{case}"));
    Some(case.map_or(first.name.as_str(), |case| {
        first.name.strip_suffix(&case).unwrap_or(&first.name)
    }))
}

/// Where workloads may be, other than at the path that the record has.
struct Known {
    catalogue: Catalogue,
    /// Those of arms that are files, which may be called otherwise than their files.
    of_arms: Vec<Workload>,
}

impl Known {
    fn find(&self, was: &WorkloadFacts) -> Option<Workload> {
        let is_it = |one: &&Workload| one.name == was.name && one.sha256 == was.sha256;
        let mut all = self.of_arms.iter().chain(self.catalogue.all());
        all.find(is_it).cloned()
    }
}

/// The workloads of the record. One of the suite may have moved, with ftbench's cache.
fn workloads(manifest: &mut Manifest, known: &Known, changes: &mut Vec<String>) -> Vec<Workload> {
    let mut found = Vec::new();
    for was in &mut manifest.workloads {
        let workload = match workload(was) {
            Ok(workload) if workload.sha256 == was.sha256 => Ok(workload),
            other => known.find(was).map_or(other, Ok),
        };
        match workload {
            Ok(workload) => {
                let is = workload.facts();
                changes.extend(same::workload(was, &is));
                (was.path, was.extension) = (is.path, is.extension);
                found.push(workload);
            }
            Err(reason) => changes.push(format!("  {}: {}", text::line(&was.name), text::line(&reason))),
        }
    }
    found
}

fn workload(was: &WorkloadFacts) -> Result<Workload, String> {
    let path = Path::new(&was.path);
    if let Some(callable) = &was.callable {
        let callable = callable.parse().map_err(|error| format!("{error}"))?;
        return Ok(Workload::of_callable(&callable, path));
    }
    let found = Workload::read(path).map_err(|error| error.to_string())?;
    // Other files of the run may have put folders before its name. Older versions of ftbench did not record the case.
    let is_it = |workload: &Workload| workload.name == was.name || workload.case == was.case;
    let its = found.into_iter().find(is_it).map(|workload| Workload {
        name: was.name.clone(),
        ..workload
    });
    its.ok_or_else(|| format!("{} has no such case any more", was.path))
}

/// What was asked for of packages. Versions of ftbench that did not record it recorded what came of it.
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
