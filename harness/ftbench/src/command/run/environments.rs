//! The packages that a run's workloads need: which, for which interpreters, and their installation.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::time::Instant;

use super::planned::{PlannedRun, Setup};
use crate::cli::OutputOptions;
use crate::command::{cache_folder, remark};
use crate::error::Error;
use crate::measure::launch::Launch;
use crate::workload::environment::{Environment, EnvironmentError, Environments, Hooks, Lock, Wanted};
use crate::workload::{Requirement, Workload};
use ftbench_schema::{Cell, EnvironmentFacts, InterpreterFacts, Manifest, Warning, WarningKind, text, units};

/// The most names of packages in one line.
const MOST_NAMES: usize = 5;

/// The interpreter, workload and arm that an environment serves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Served {
    /// Tag.
    interpreter: String,
    workload: String,
    arm: Option<String>,
}

/// The Pythons of environments, or the reason why there is none.
#[derive(Debug, Default)]
pub(super) struct Pythons(HashMap<Served, Result<PathBuf, String>>);

impl Pythons {
    /// Makes the environment's Python the one that is started, where the cell has an environment.
    pub(super) fn apply(&self, cell: &Cell, launch: Launch) -> Result<Launch, String> {
        let served = Served {
            interpreter: cell.interpreter.clone(),
            workload: cell.workload.clone(),
            arm: cell.arm.clone(),
        };
        match self.0.get(&served) {
            None => Ok(launch),
            Some(Ok(python)) => Ok(Launch {
                executable: python.clone(),
                ..launch
            }),
            Some(Err(reason)) => Err(reason.clone()),
        }
    }

    fn insert(&mut self, need: &Need, python: &Result<PathBuf, String>) {
        for served in &need.serves {
            self.0.insert(served.clone(), python.clone());
        }
    }
}

/// One environment, and what it serves.
struct Need {
    /// Tag.
    interpreter: String,
    serves: Vec<Served>,
    /// Whether it is that of some arms only.
    of_arms: bool,
    wanted: Result<Wanted, EnvironmentError>,
}

impl Need {
    /// Such as `numpy, six for 3.13t`.
    fn names(&self) -> String {
        let mut names = self.wanted.as_ref().map_or_else(|_| Vec::new(), Wanted::names);
        let more = names.len().saturating_sub(MOST_NAMES);
        names.truncate(MOST_NAMES);
        if more > 0 {
            names.push(format!("{more} more"));
        }
        let arms = match self.arms().join(", ") {
            arms if arms.is_empty() => arms,
            arms => format!(" {arms}"),
        };
        format!("{} for {}{arms}", names.join(", "), text::line(&self.interpreter))
    }

    fn workloads(&self) -> Vec<String> {
        distinct(self.serves.iter().map(|served| &served.workload))
    }

    /// The arms, where it is not that of all of them.
    fn arms(&self) -> Vec<String> {
        let arms = self.serves.iter().filter_map(|served| served.arm.as_ref());
        distinct(arms.filter(|_| self.of_arms))
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        if !found.contains(name) {
            found.push(name.clone());
        }
    }
    found
}

/// The environments of a run's workloads, on this machine and in the record.
#[derive(Debug, Default)]
pub(super) struct Installed {
    pub(super) pythons: Pythons,
    pub(super) environments: Vec<EnvironmentFacts>,
}

/// Installs what is not there yet. What cannot be installed becomes the reason of its cells.
pub(super) fn install(
    manifest: &Manifest,
    setup: &Setup,
    is_stopped: &dyn Fn() -> bool,
    output: OutputOptions,
) -> Result<Installed, Error> {
    let environments = Environments::below(&cache_folder()?);
    let tell = |line: &str| remark(output, line);
    let hooks = Hooks {
        tell: &tell,
        is_stopped,
    };
    let mut installed = Installed::default();
    for need in needs(manifest, setup) {
        if is_stopped() {
            break;
        }
        let made = match &need.wanted {
            Ok(wanted) => obtain(&environments, wanted, &need, &hooks),
            Err(error) => Err(error.to_string()),
        };
        if let Err(reason) = &made
            && !is_stopped()
        {
            tell(&text::line(reason));
        }
        let python = made.as_ref().map(|made| made.python.clone());
        installed.pythons.insert(&need, &python.map_err(Clone::clone));
        installed
            .environments
            .extend(made.ok().map(|made| facts(need, made)));
    }
    Ok(installed)
}

/// Warns where the interpreters of a workload have different packages, in place of the warnings of earlier sessions.
pub(super) fn warn_of_differing(manifest: &mut Manifest, output: OutputOptions) {
    let differing = differing_packages(&manifest.environments);
    for warning in &differing {
        remark(output, &format!("warning: {}", warning.message));
    }
    let warnings = &mut manifest.warnings;
    warnings.retain(|warning| warning.kind != WarningKind::PackagesDiffer);
    warnings.extend(differing);
}

/// A workload, arms of it, and a package that they have.
type Has<'a> = (&'a str, &'a [String], &'a str);

/// Packages of which the interpreters of a workload have different versions: then more differs than the interpreter.
fn differing_packages(environments: &[EnvironmentFacts]) -> Vec<Warning> {
    let mut versions: BTreeMap<Has<'_>, Vec<(&str, &str)>> = BTreeMap::new();
    for environment in environments {
        // What installs is not what is measured.
        for package in environment
            .packages
            .iter()
            .filter(|package| package.name != "pip")
        {
            for workload in &environment.workloads {
                // What differs between arms is what they are compared for.
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
            "the interpreters have different versions of {package}: {}; ask for one that all can have to compare \
             the interpreters alone, such as --with '{package}==VERSION'",
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

fn obtain(
    environments: &Environments,
    wanted: &Wanted,
    need: &Need,
    hooks: &Hooks<'_>,
) -> Result<Environment, String> {
    let reason = |error: EnvironmentError| error.to_string();
    if let Some(there) = environments.find(wanted).map_err(reason)? {
        return Ok(there);
    }
    (hooks.tell)(&format!("installing {}", need.names()));
    let started = Instant::now();
    let made = environments.make(wanted, hooks).map_err(reason)?;
    (hooks.tell)(&format!(
        "installed {} in {}, with {}",
        need.names(),
        units::duration(started.elapsed().as_secs_f64()),
        made.record.installer
    ));
    Ok(made)
}

/// Shows what a run would install.
pub(super) fn preview(planned: &PlannedRun, output: OutputOptions) -> Result<(), Error> {
    let environments = Environments::below(&cache_folder()?);
    for need in needs(&planned.manifest, &planned.setup) {
        let found = match &need.wanted {
            Ok(wanted) => environments.find(wanted).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let line = match found {
            Ok(None) => format!("would install {}", need.names()),
            Ok(Some(there)) => format!("has {} already, in {}", need.names(), there.path.display()),
            Err(reason) => reason,
        };
        remark(output, &line);
    }
    Ok(())
}

fn facts(need: Need, made: Environment) -> EnvironmentFacts {
    EnvironmentFacts {
        workloads: need.workloads(),
        arms: need.arms(),
        interpreter: need.interpreter,
        path: made.path.display().to_string(),
        requirements: made.record.requirements,
        packages: made.record.packages,
        installer: made.record.installer,
        lock_sha256: made.record.lock_sha256,
    }
}

/// The environments of all cells that are to be measured, those that are the same together.
fn needs(manifest: &Manifest, setup: &Setup) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for served in served(manifest) {
        let known = setup
            .code
            .workloads
            .iter()
            .find(|known| known.name == served.workload);
        let (Some(interpreter), Some(workload)) = (manifest.interpreter(&served.interpreter), known) else {
            continue;
        };
        let Some(wanted) = wanted(setup, interpreter, workload, served.arm.as_deref()).transpose() else {
            continue;
        };
        let same = |need: &&mut Need| match (&need.wanted, &wanted) {
            (Ok(known), Ok(wanted)) => need.interpreter == served.interpreter && known == wanted,
            _ => false,
        };
        match needs.iter_mut().find(same) {
            Some(need) => need.serves.push(served),
            None => needs.push(Need {
                interpreter: served.interpreter.clone(),
                serves: vec![served],
                of_arms: false,
                wanted,
            }),
        }
    }
    for need in &mut needs {
        let arms = distinct(need.serves.iter().filter_map(|served| served.arm.as_ref()));
        need.of_arms = arms.len() < manifest.arms.len();
    }
    needs
}

/// All that is to be measured, apart from models and workers, each once and in the order of the plan.
fn served(manifest: &Manifest) -> Vec<Served> {
    let mut found: Vec<Served> = Vec::new();
    let live = manifest
        .plan
        .cells
        .iter()
        .filter(|planned| planned.skipped.is_none());
    for cell in live.map(|planned| &planned.cell).filter(|cell| !cell.is_native()) {
        let served = Served {
            interpreter: cell.interpreter.clone(),
            workload: cell.workload.clone(),
            arm: cell.arm.clone(),
        };
        if !found.contains(&served) {
            found.push(served);
        }
    }
    let place = |served: &Served| {
        let mut tags = manifest.interpreters.iter().map(|interpreter| &interpreter.tag);
        tags.position(|tag| *tag == served.interpreter)
    };
    found.sort_by_key(place);
    found
}

/// `None` for a workload that needs no packages, which runs on the interpreter as it is.
fn wanted(
    setup: &Setup,
    interpreter: &InterpreterFacts,
    workload: &Workload,
    arm: Option<&str>,
) -> Result<Option<Wanted>, EnvironmentError> {
    let workload = setup.code.arms.workload(arm, workload);
    let dependencies = &workload.metadata.dependencies;
    let own: Vec<Requirement> = dependencies
        .iter()
        .map(|word| word.parse())
        .collect::<Result<_, _>>()?;
    let lock = match own.as_slice() {
        [] => None,
        _ => Lock::beside(&workload.path)?,
    };
    if let Some(lock) = &lock {
        lock.covers(&own)?;
    }
    let requirements: BTreeSet<Requirement> = own
        .into_iter()
        .chain(setup.packages.with.iter().cloned())
        .chain(setup.code.arms.wheel(arm))
        .collect();
    Ok((!requirements.is_empty()).then(|| Wanted {
        interpreter: interpreter.clone(),
        requirements,
        lock,
        source_builds: setup.packages.source_builds,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::records;

    #[test]
    fn different_versions_are_reported_once() {
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
        insta::assert_snapshot!(messages(&[old.clone(), new]).join("\n"), @"the interpreters have different versions of numpy: 2.5.5 on 3.13, 2.4.6 on 3.13t; ask for one that all can have to compare the interpreters alone, such as --with 'numpy==VERSION'");
        let workloads = differing_packages(&[old.clone(), environment("3.13t", "2.4.6")])
            .remove(0)
            .workloads;
        assert_eq!(workloads, ["one", "two"]);
        assert_eq!(messages(&[old.clone(), environment("3.13t", "2.5.5")]), [""; 0]);
        assert_eq!(messages(&[old]), [""; 0]);
    }
}
