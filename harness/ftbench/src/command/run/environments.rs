//! The packages that a run's workloads need on each interpreter, and their installation.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use itertools::Itertools;

use super::packages::{names, obtain, wanted};
use super::planned::{PlannedRun, Setup};
use crate::cli::OutputOptions;
use crate::command::{cache_folder, remark};
use crate::error::Error;
use crate::measure::launch::Launch;
use crate::workload::environment::{Environment, EnvironmentError, Environments, Hooks, Wanted};
use ftbench_schema::{Cell, EnvironmentFacts, Manifest, Warning, WarningKind, text};

/// An interpreter, workload and arm that run in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct EnvironmentUser {
    /// The interpreter's tag.
    interpreter: String,
    workload: String,
    arm: Option<String>,
}

/// The Python executables of environments, or the reason why there is none.
#[derive(Debug, Default)]
pub(super) struct Pythons(HashMap<EnvironmentUser, Result<PathBuf, String>>);

impl Pythons {
    /// Makes a launch start the environment's Python, if the cell has an environment.
    pub(super) fn apply(&self, cell: &Cell, launch: Launch) -> Result<Launch, String> {
        let user = EnvironmentUser {
            interpreter: cell.interpreter.clone(),
            workload: cell.workload.clone(),
            arm: cell.arm.clone(),
        };
        match self.0.get(&user) {
            None => Ok(launch),
            Some(Ok(python)) => Ok(Launch {
                executable: python.clone(),
                ..launch
            }),
            Some(Err(reason)) => Err(reason.clone()),
        }
    }

    fn insert(&mut self, needed: &NeededEnvironment, python: &Result<PathBuf, String>) {
        for user in &needed.users {
            self.0.insert(user.clone(), python.clone());
        }
    }
}

/// An environment that a run needs, and its users.
struct NeededEnvironment {
    /// The interpreter's tag.
    interpreter: String,
    users: Vec<EnvironmentUser>,
    /// Whether only some of the arms use it.
    is_for_some_arms: bool,
    wanted: Result<Wanted, EnvironmentError>,
}

impl NeededEnvironment {
    /// Its packages and what they are for, such as `numpy, six for 3.13t`.
    fn description(&self) -> String {
        let names = self.wanted.as_ref().map_or_else(|_| String::new(), names);
        let arms = match self.arms().join(", ") {
            arms if arms.is_empty() => arms,
            arms => format!(" {arms}"),
        };
        format!("{names} for {}{arms}", text::line(&self.interpreter))
    }

    fn workloads(&self) -> Vec<String> {
        self.users
            .iter()
            .map(|user| user.workload.clone())
            .unique()
            .collect()
    }

    /// The arms that use it; empty if all of them do.
    fn arms(&self) -> Vec<String> {
        let arms = self.users.iter().filter_map(|user| user.arm.clone());
        arms.filter(|_| self.is_for_some_arms).unique().collect()
    }
}

/// The environments of a run's workloads, on this machine and in the record.
#[derive(Debug, Default)]
pub(super) struct Installed {
    pub(super) pythons: Pythons,
    pub(super) environments: Vec<EnvironmentFacts>,
}

/// Installs the environments of a planned run that do not exist yet, and returns them with what was wanted. One that
/// cannot be installed is left out, with the reason on standard error: each machine tries it again.
pub fn obtain_all(planned: &PlannedRun, output: OutputOptions) -> Result<Vec<(Wanted, Environment)>, Error> {
    let environments = Environments::below(&cache_folder()?);
    let report = |line: &str| remark(output, line);
    let hooks = Hooks {
        report: &report,
        is_stopped: &|| false,
    };
    let mut made = Vec::new();
    for needed in needed_environments(&planned.manifest, &planned.setup) {
        let description = needed.description();
        let found = needed.wanted.map_err(|error| error.to_string());
        let found = found.and_then(|wanted| {
            let environment = obtain(&environments, &wanted, &description, &hooks)?;
            Ok((wanted, environment))
        });
        match found {
            Ok(found) => made.push(found),
            Err(reason) => report(&format!("warning: {}", text::line(&reason))),
        }
    }
    Ok(made)
}

/// Installs the environments that do not exist yet. If one cannot be installed, its cells get the reason.
pub(super) fn install(
    manifest: &Manifest,
    setup: &Setup,
    is_stopped: &dyn Fn() -> bool,
    output: OutputOptions,
) -> Result<Installed, Error> {
    let environments = Environments::below(&cache_folder()?);
    let report = |line: &str| remark(output, line);
    let hooks = Hooks {
        report: &report,
        is_stopped,
    };
    let mut installed = Installed::default();
    for needed in needed_environments(manifest, setup) {
        if is_stopped() {
            break;
        }
        let made = match &needed.wanted {
            Ok(wanted) => obtain(&environments, wanted, &needed.description(), &hooks),
            Err(error) => Err(error.to_string()),
        };
        if let Err(reason) = &made
            && !is_stopped()
        {
            report(&text::line(reason));
        }
        let python = made.as_ref().map(|made| made.python.clone());
        installed.pythons.insert(&needed, &python.map_err(Clone::clone));
        installed
            .environments
            .extend(made.ok().map(|made| facts(needed, made)));
    }
    Ok(installed)
}

/// Warns if the interpreters of a workload have different packages. Replaces the warnings of earlier sessions.
pub(super) fn warn_of_differing(manifest: &mut Manifest, output: OutputOptions) {
    let differing = differing_packages(&manifest.environments);
    for warning in &differing {
        remark(output, &format!("warning: {}", warning.message));
    }
    let warnings = &mut manifest.warnings;
    warnings.retain(|warning| warning.kind != WarningKind::PackagesDiffer);
    warnings.extend(differing);
}

/// A workload, its arms, and a package in their environment.
type PackageKey<'a> = (&'a str, &'a [String], &'a str);

/// Warnings about packages of which the interpreters of a workload have different versions, so that a comparison is not
/// of the interpreters alone.
fn differing_packages(environments: &[EnvironmentFacts]) -> Vec<Warning> {
    let mut versions: BTreeMap<PackageKey<'_>, Vec<(&str, &str)>> = BTreeMap::new();
    for environment in environments {
        // The installer is not measured.
        for package in environment
            .packages
            .iter()
            .filter(|package| package.name != "pip")
        {
            for workload in &environment.workloads {
                // Arms are compared because they differ.
                let key = (
                    workload.as_str(),
                    environment.arms.as_slice(),
                    package.name.as_str(),
                );
                let found = (package.version.as_str(), environment.interpreter.as_str());
                versions.entry(key).or_default().push(found);
            }
        }
    }
    let differs = |found: &[(&str, &str)]| {
        found
            .iter()
            .any(|one| Some(one.0) != found.first().map(|first| first.0))
    };
    let mut by_message: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for ((workload, _, package), found) in versions.into_iter().filter(|(_, found)| differs(found)) {
        let each: Vec<String> = found
            .iter()
            .map(|(version, interpreter)| format!("{version} on {interpreter}"))
            .collect();
        let message = format!(
            "the interpreters have different versions of {package}: {}; request one version that works on all of them, \
             such as --with '{package}==VERSION'",
            each.join(", ")
        );
        let workloads = by_message.entry(message).or_default();
        if !workloads.iter().any(|known| known == workload) {
            workloads.push(workload.to_owned());
        }
    }
    by_message
        .into_iter()
        .map(|(message, workloads)| Warning::of_workloads(WarningKind::PackagesDiffer, message, workloads))
        .collect()
}

/// Prints what a run would install.
pub(super) fn preview(planned: &PlannedRun, output: OutputOptions) -> Result<(), Error> {
    let environments = Environments::below(&cache_folder()?);
    for needed in needed_environments(&planned.manifest, &planned.setup) {
        let found = match &needed.wanted {
            Ok(wanted) => environments.find(wanted).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let line = match found {
            Ok(None) => format!("would install {}", needed.description()),
            Ok(Some(existing)) => format!(
                "already installed: {}, in {}",
                needed.description(),
                existing.path.display()
            ),
            Err(reason) => reason,
        };
        remark(output, &line);
    }
    Ok(())
}

fn facts(needed: NeededEnvironment, made: Environment) -> EnvironmentFacts {
    EnvironmentFacts {
        workloads: needed.workloads(),
        arms: needed.arms(),
        interpreter: needed.interpreter,
        path: made.path.display().to_string(),
        requirements: made.record.requirements,
        packages: made.record.packages,
        installer: made.record.installer,
        lock_sha256: made.record.lock_sha256,
    }
}

/// The environments of all cells that are to be measured. Cells with equal environments share one.
fn needed_environments(manifest: &Manifest, setup: &Setup) -> Vec<NeededEnvironment> {
    let mut all: Vec<NeededEnvironment> = Vec::new();
    for user in environment_users(manifest) {
        let known = setup
            .code
            .workloads
            .iter()
            .find(|known| known.name == user.workload);
        let (Some(interpreter), Some(workload)) = (manifest.interpreter(&user.interpreter), known) else {
            continue;
        };
        let arms = &setup.code.arms;
        let workload = arms.workload(user.arm.as_deref(), workload);
        let wheel = arms.wheel(user.arm.as_deref());
        let Some(wanted) = wanted(&setup.packages, interpreter, workload, wheel).transpose() else {
            continue;
        };
        let is_same = |other: &&mut NeededEnvironment| match (&other.wanted, &wanted) {
            (Ok(known), Ok(wanted)) => other.interpreter == user.interpreter && known == wanted,
            _ => false,
        };
        match all.iter_mut().find(is_same) {
            Some(shared) => shared.users.push(user),
            None => all.push(NeededEnvironment {
                interpreter: user.interpreter.clone(),
                users: vec![user],
                is_for_some_arms: false,
                wanted,
            }),
        }
    }
    for needed in &mut all {
        let arms = needed.users.iter().filter_map(|user| user.arm.as_ref());
        needed.is_for_some_arms = arms.unique().count() < manifest.arms.len();
    }
    all
}

/// The interpreters, workloads and arms of all cells that are to be measured, each combination once, sorted by
/// interpreter.
fn environment_users(manifest: &Manifest) -> Vec<EnvironmentUser> {
    let live = manifest
        .plan
        .cells
        .iter()
        .filter(|planned| planned.skipped.is_none());
    let cells = live.map(|planned| &planned.cell).filter(|cell| !cell.is_native());
    let users = cells.map(|cell| EnvironmentUser {
        interpreter: cell.interpreter.clone(),
        workload: cell.workload.clone(),
        arm: cell.arm.clone(),
    });
    let position = |user: &EnvironmentUser| {
        let mut tags = manifest.interpreters.iter().map(|interpreter| &interpreter.tag);
        tags.position(|tag| *tag == user.interpreter)
    };
    users.unique().sorted_by_key(position).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::records;

    #[test]
    fn differing_versions_are_reported_once_for_all_workloads() {
        let environment = |interpreter: &str, numpy: &str| EnvironmentFacts {
            workloads: vec!["one".to_owned(), "two".to_owned()],
            ..records::environment(
                interpreter,
                &[("numpy", numpy), ("six", "1.17.0"), ("pip", interpreter)],
            )
        };
        let messages = |environments: &[EnvironmentFacts]| -> Vec<String> {
            let warnings = differing_packages(environments);
            warnings.into_iter().map(|warning| warning.message).collect()
        };
        let [old, new] = [environment("3.13", "2.5.5"), environment("3.13t", "2.4.6")];
        insta::assert_snapshot!(messages(&[old.clone(), new]).join("\n"), @"the interpreters have different versions of numpy: 2.5.5 on 3.13, 2.4.6 on 3.13t; request one version that works on all of them, such as --with 'numpy==VERSION'");
        let workloads = differing_packages(&[old.clone(), environment("3.13t", "2.4.6")])
            .remove(0)
            .workloads;
        assert_eq!(workloads, ["one", "two"]);
        assert_eq!(messages(&[old.clone(), environment("3.13t", "2.5.5")]), [""; 0]);
        assert_eq!(messages(&[old]), [""; 0]);
    }
}
