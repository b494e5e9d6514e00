//! The code that is measured: workloads, functions and versions of them, with their commit.

use std::collections::BTreeMap;
use std::path::Path;

use super::commit;
use super::error::RunError;
use crate::assets::catalogue;
use crate::cli::{Label, RunArgs};
use crate::command::working_directory;
use crate::error::Error;
use crate::workload::arm::{ArmWord, is_name};
use crate::workload::modules::imported_by;
use crate::workload::{ArmError, Arms, Catalogue, Workload, WorkloadError};
use ftbench_schema::{ArmKind, CommitFacts, ModuleFacts, Tag};

/// The code that a run measures.
#[derive(Debug)]
pub struct Code {
    /// The workloads; those of the first arm if they differ between arms.
    pub workloads: Vec<Workload>,
    /// The versions of the code.
    pub arms: Arms,
    /// The commit that is measured.
    pub commit: Option<CommitFacts>,
}

impl Code {
    /// The user's modules that are measured, except arms. The suite is part of ftbench and has none of them.
    pub fn modules(&self, suite: &Path) -> Vec<ModuleFacts> {
        let own = self
            .workloads
            .iter()
            .filter(|workload| !workload.path.starts_with(suite));
        imported_by(own.chain(self.arms.files()), &self.arms.folders())
    }
}

/// Finds the code that the arguments name. `suite` is the folder of the standard suite.
pub fn choose(arguments: &RunArgs, suite: &Path) -> Result<Code, Error> {
    let mut arms = arms(arguments)?;
    let workloads = match arms.kind() {
        Some(ArmKind::File) => arms.workloads(name_of_files(arguments)?),
        Some(ArmKind::Folder | ArmKind::Wheel) if names_nothing(arguments) => {
            return Err(ArmError::NoWorkload.into());
        }
        _ => workloads(&catalogue(suite)?, arguments)?,
    };
    let commit = match &arguments.versions.commit {
        Some(id) => Some(commit::named(id)),
        None => commit_of(&arms, &workloads, suite),
    };
    Ok(Code {
        workloads,
        arms,
        commit,
    })
}

fn arms(arguments: &RunArgs) -> Result<Arms, ArmError> {
    let words = &arguments.versions.arm;
    if let Some(word) = words.iter().find(|word| word.name.parse::<Tag>().is_ok()) {
        return Err(ArmError::Tag(word.name.clone()));
    }
    read_arms(words)
}

/// Reads arms, with their commits.
pub fn read_arms(words: &[ArmWord]) -> Result<Arms, ArmError> {
    let mut arms = Arms::read(words)?;
    for arm in &mut arms.all {
        // The commit of the folder that a wheel lies in need not be the one that it was built from.
        if arm.facts.kind != ArmKind::Wheel {
            arm.facts.commit = commit::of_path(Path::new(&arm.facts.path));
        }
    }
    Ok(arms)
}

/// The commit if git reported it. A commit that the user named may belong to other code.
pub fn detected_commit(commit: Option<CommitFacts>) -> Option<CommitFacts> {
    commit.filter(|commit| commit.dirty.is_some())
}

fn names_nothing(arguments: &RunArgs) -> bool {
    arguments.workloads.is_empty() && arguments.callable.is_empty()
}

/// The only workload argument that is allowed beside arms that are workload files: a name for them.
fn name_of_files(arguments: &RunArgs) -> Result<Option<&str>, ArmError> {
    if let Some(callable) = arguments.callable.first() {
        return Err(ArmError::BesideFiles(format!("--callable {callable}")));
    }
    match arguments.workloads.as_slice() {
        [] => Ok(None),
        [name] if is_name(name) && !name.ends_with(".py") => Ok(Some(name)),
        [word] | [_, word, ..] => Err(ArmError::BesideFiles(word.clone())),
    }
}

/// The workloads that words name, then the callables. If there are only callables, the suite is not included.
fn workloads(catalogue: &Catalogue, arguments: &RunArgs) -> Result<Vec<Workload>, Error> {
    let mut workloads = match (arguments.workloads.as_slice(), arguments.callable.as_slice()) {
        ([], [_, ..]) => Vec::new(),
        (words, _) => catalogue.resolve(words)?,
    };
    if arguments.callable.is_empty() {
        return Ok(workloads);
    }
    let folder = working_directory()?;
    for callable in &arguments.callable {
        let workload = Workload::of_callable(callable, &folder);
        match workloads.iter().find(|other| other.name == workload.name) {
            None => workloads.push(workload),
            Some(other) if other.callable.is_some() => {}
            Some(other) => {
                return Err(WorkloadError::SameName {
                    name: workload.name,
                    first: other.path.clone(),
                    second: workload.path,
                }
                .into());
            }
        }
    }
    Ok(workloads)
}

/// The commit of the last arm, because the other arms are what it is compared with, or else of the user's workloads.
/// The suite is part of ftbench and has no commit.
pub fn commit_of(arms: &Arms, workloads: &[Workload], suite: &Path) -> Option<CommitFacts> {
    if let Some(last) = arms.all.last() {
        return last.facts.commit.clone();
    }
    let mut paths: Vec<&Path> = workloads
        .iter()
        .map(|workload| workload.path.as_path())
        .filter(|path| !path.starts_with(suite))
        .collect();
    paths.dedup();
    let mut found: Option<CommitFacts> = None;
    for of_path in paths.into_iter().filter_map(commit::of_path) {
        match &mut found {
            None => found = Some(of_path),
            Some(first) if first.id == of_path.id => {
                first.dirty = first.dirty.max(of_path.dirty);
            }
            // Another repository: a run records only the commit of its first workload.
            Some(_) => {}
        }
    }
    found
}

/// The labels by key. Fails if a key is given twice.
pub fn labels(words: &[Label]) -> Result<BTreeMap<String, String>, RunError> {
    let mut labels = BTreeMap::new();
    for word in words {
        if labels.insert(word.key.clone(), word.value.clone()).is_some() {
            return Err(RunError::DuplicateLabel(word.key.clone()));
        }
    }
    Ok(labels)
}
