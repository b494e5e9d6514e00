//! The code that is measured: workloads, functions and versions of them, with their commit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::Regex;

use super::commit;
use super::error::{MAX_FIGURES, RunError};
use crate::assets::catalogue;
use crate::cli::{ForeignArgs, Label, RunRequest};
use crate::command::working_directory;
use crate::error::Error;
use crate::workload::arm::{ArmWord, is_name};
use crate::workload::modules::imported_by;
use crate::workload::{ArmError, Arms, Catalogue, Lister, Workload, WorkloadError};
use ftbench_schema::{ArmKind, CommitFacts, FigureFacts, Format, ModuleFacts, Tag};

/// The code that a run measures: workloads, callables, calls, programs and arms.
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
    /// Returns the user's modules that are measured, with that of the loop factory, except arms. The suite's workloads
    /// import none of them.
    pub fn modules(&self, suite: &Path, loop_factory: Option<&str>) -> Vec<ModuleFacts> {
        let own = self
            .workloads
            .iter()
            .filter(|workload| !workload.path.starts_with(suite));
        imported_by(own.chain(self.arms.files()), &self.arms.folders(), loop_factory)
    }
}

/// Finds the code that the arguments name. `suite` is the folder of the standard suite.
pub fn choose(
    arguments: &RunRequest,
    suite: &Path,
    mut arms: Arms,
    lister: &dyn Lister,
) -> Result<Code, Error> {
    let workloads = match arms.kind() {
        Some(ArmKind::File) => arms.workloads(name_of_files(arguments)?),
        Some(ArmKind::Folder | ArmKind::Wheel) if selects_nothing(arguments) => {
            return Err(ArmError::NoWorkload.into());
        }
        _ => chosen(
            workloads(&catalogue(suite)?, arguments, lister)?,
            &arguments.foreign,
        )?,
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

/// The versions of the code that the arguments name.
pub fn arms(arguments: &RunRequest) -> Result<Arms, ArmError> {
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

fn selects_nothing(arguments: &RunRequest) -> bool {
    arguments.workloads.is_empty() && arguments.code.is_empty()
}

/// The only workload argument that is allowed beside arms that are workload files: a name for them.
fn name_of_files(arguments: &RunRequest) -> Result<Option<&str>, ArmError> {
    if let Some(option) = arguments.code.first_option() {
        return Err(ArmError::BesideFiles(option));
    }
    match arguments.workloads.as_slice() {
        [] => Ok(None),
        [name] if is_name(name) && !name.ends_with(".py") => Ok(Some(name)),
        [word] | [_, word, ..] => Err(ArmError::BesideFiles(word.clone())),
    }
}

/// The workloads without those that are not to be measured, and with the arguments of scripts. pytest has chosen already
/// which of its tests are listed.
pub fn chosen(mut workloads: Vec<Workload>, options: &ForeignArgs) -> Result<Vec<Workload>, RunError> {
    let is_script = |workload: &Workload| workload.format() == Some(Format::Pyperf);
    if let Some(arguments) = &options.script_args {
        if !workloads.iter().any(is_script) {
            return Err(RunError::NoScript);
        }
        for workload in workloads
            .iter_mut()
            .filter(|workload| workload.arguments().is_empty())
        {
            *workload = workload.clone().with_arguments(&arguments.0);
        }
    }
    if let Some(expression) = &options.bench {
        let is_listed_by_us = |workload: &Workload| !matches!(workload.format(), None | Some(Format::Pytest));
        if workloads.iter().any(is_listed_by_us) {
            let pattern = Regex::new(expression).map_err(|error| RunError::Expression {
                expression: expression.clone(),
                reason: last_line(&error.to_string()),
            })?;
            workloads.retain(|workload| {
                let asv_name = workload.asv_name();
                let mut names = asv_name.iter().chain([&workload.name]);
                !is_listed_by_us(workload) || names.any(|name| pattern.is_match(name))
            });
        }
        if !workloads.iter().any(|workload| workload.format().is_some()) {
            return Err(RunError::NoBenchmark(expression.clone()));
        }
    }
    Ok(workloads)
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().to_owned()
}

/// The workloads that words name, then callables, calls and commands. If there are only these, the suite is not included.
fn workloads(
    catalogue: &Catalogue,
    arguments: &RunRequest,
    lister: &dyn Lister,
) -> Result<Vec<Workload>, Error> {
    let code = &arguments.code;
    if code.is_empty() {
        return Ok(catalogue.resolve(&arguments.workloads, lister)?);
    }
    let mut workloads = match arguments.workloads.as_slice() {
        [] => Vec::new(),
        words => catalogue.resolve(words, lister)?,
    };
    let folder = working_directory()?;
    let callables = code
        .callable
        .iter()
        .map(|name| Workload::of_callable(name, &folder));
    let calls = code.calls();
    let calls = calls.iter().map(|call| Workload::of_call(call, &folder));
    check_figures(&code.figure)?;
    let commands = code.commands();
    let commands = commands
        .iter()
        .map(|command| Workload::of_command(command, &folder));
    for workload in callables.chain(calls).chain(commands) {
        match workloads.iter().find(|other| other.name == workload.name) {
            None => workloads.push(workload),
            Some(other) if other.sha256 == workload.sha256 => {}
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

fn check_figures(figures: &[FigureFacts]) -> Result<(), RunError> {
    let mut names = BTreeSet::new();
    if let Some(twice) = figures.iter().find(|figure| !names.insert(&figure.name)) {
        return Err(RunError::DuplicateFigure(twice.name.clone()));
    }
    if figures.len() > MAX_FIGURES {
        return Err(RunError::TooManyFigures(figures.len()));
    }
    Ok(())
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
