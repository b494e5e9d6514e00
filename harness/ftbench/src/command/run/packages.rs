//! The packages that the command line requests, and the environment of one workload on one interpreter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use super::error::RunError;
use crate::cli::{OutputOptions, PackageArgs};
use crate::command::{cache_folder, remark};
use crate::workload::environment::{Environment, EnvironmentError, Environments, Hooks, Lock, Wanted};
use crate::workload::{Requirement, Workload};
use ftbench_schema::{InterpreterFacts, PackageOptions, text, units};

/// The maximum number of package names in one line.
const MAX_NAMES: usize = 5;

/// The packages that the command line requests.
#[derive(Debug, Default)]
pub struct Packages {
    /// Requirements of every workload, beside its own dependencies.
    pub with: Vec<Requirement>,
    /// Whether packages without a wheel may be built from source.
    pub source_builds: bool,
}

impl Packages {
    /// The packages that the arguments name.
    pub fn requested(arguments: &PackageArgs) -> Result<Self, RunError> {
        let with = arguments.with.iter().map(|requirement| match requirement {
            Requirement::Wheel(path) | Requirement::Project(path) => {
                let unreadable = |source| RunError::Wheel {
                    path: path.clone(),
                    source,
                };
                let path = path.canonicalize().map_err(unreadable)?;
                Ok(match requirement {
                    Requirement::Project(_) => Requirement::Project(path),
                    _ => Requirement::Wheel(path),
                })
            }
            Requirement::Named { .. } => Ok(requirement.clone()),
        });
        Ok(Self {
            with: with.collect::<Result<_, _>>()?,
            source_builds: arguments.allow_source_builds,
        })
    }

    /// The same as a run folder keeps them.
    pub(super) fn recorded(&self) -> PackageOptions {
        PackageOptions {
            with: self.with.iter().map(ToString::to_string).collect(),
            source_builds: self.source_builds,
            wheels: self.wheels(),
        }
    }

    /// The SHA-256 of each wheel and project now, by path. One that cannot be read is reported when it is installed.
    pub fn wheels(&self) -> BTreeMap<String, String> {
        let digest_of = |requirement: &Requirement| {
            let (path, digest) = requirement.contents().ok()??;
            Some((path.display().to_string(), digest?))
        };
        self.with.iter().filter_map(digest_of).collect()
    }
}

/// The environment that a workload needs; `None` if it needs no packages and runs on the interpreter itself.
pub(super) fn wanted(
    packages: &Packages,
    interpreter: &InterpreterFacts,
    workload: &Workload,
    wheel: Option<Requirement>,
) -> Result<Option<Wanted>, EnvironmentError> {
    let dependencies = &workload.metadata.dependencies;
    let own: Vec<Requirement> = dependencies
        .iter()
        .map(|word| word.parse())
        .collect::<Result<_, _>>()?;
    let lock = match own.as_slice() {
        [] => None,
        _ => Lock::for_script(&workload.path)?,
    };
    if let Some(lock) = &lock {
        lock.covers(&own)?;
    }
    let requirements: BTreeSet<Requirement> = own
        .into_iter()
        .chain(workload.project())
        .chain(packages.with.iter().cloned())
        .chain(wheel)
        .collect();
    Ok((!requirements.is_empty()).then(|| Wanted {
        interpreter: interpreter.clone(),
        requirements,
        lock,
        source_builds: packages.source_builds,
        independently: false,
        hashes: BTreeSet::new(),
    }))
}

/// The names of an environment's packages, in a line.
pub(super) fn names(wanted: &Wanted) -> String {
    let mut names = wanted.names();
    let more = names.len().saturating_sub(MAX_NAMES);
    names.truncate(MAX_NAMES);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// The environment, which is made if it does not exist. `description` is what is installed, for whom.
///
/// # Errors
/// Says in a line why it cannot be made.
pub(super) fn obtain(
    environments: &Environments,
    wanted: &Wanted,
    description: &str,
    hooks: &Hooks<'_>,
) -> Result<Environment, String> {
    let reason = |error: EnvironmentError| error.to_string();
    if let Some(existing) = environments.find(wanted).map_err(reason)? {
        return Ok(existing);
    }
    (hooks.report)(&format!("installing {description}"));
    let started = Instant::now();
    let made = environments.make(wanted, hooks).map_err(reason)?;
    (hooks.report)(&format!(
        "installed {description} in {}, with {}",
        units::duration(started.elapsed().as_secs_f64()),
        made.record.installer
    ));
    Ok(made)
}

/// The Python that runs a workload with its packages, which are installed if they are not there yet.
///
/// # Errors
/// Says in a line why they cannot be installed.
pub(super) fn python_for(
    packages: &Packages,
    interpreter: &InterpreterFacts,
    workload: &Workload,
    wheel: Option<Requirement>,
    output: OutputOptions,
) -> Result<PathBuf, String> {
    let reason = |error: EnvironmentError| error.to_string();
    let wanted = wanted(packages, interpreter, workload, wheel).map_err(reason)?;
    let Some(wanted) = wanted else {
        return Ok(PathBuf::from(&interpreter.path));
    };
    Ok(installed(&wanted, output)?.python)
}

/// The environment, which is made if it does not exist.
///
/// # Errors
/// Says in a line why it cannot be made.
pub(super) fn installed(wanted: &Wanted, output: OutputOptions) -> Result<Environment, String> {
    let environments = Environments::below(&cache_folder().map_err(|error| error.to_string())?);
    let hooks = Hooks {
        report: &|line| remark(output, line),
        is_stopped: &|| false,
    };
    let description = format!("{} for {}", names(wanted), text::line(&wanted.interpreter.tag));
    obtain(&environments, wanted, &description, &hooks)
}
