//! Installs and tries the packages of one build.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::attempt::{AttemptError, Attempts};
use super::contents::{Contents, ContentsError};
use super::resolve::{Resolution, Resolver};
use super::stress::{root, well_known_calls};
use super::wheel::Target;
use crate::outside;
use crate::record::store;
use crate::workload::Requirement;
use crate::workload::environment::{Environment, EnvironmentError, Environments, Hooks, Wanted};
use ftbench_schema::{Attempt, ModuleImport, Outcome, PackageOnBuild, StressedCall};

/// Version of the way things are tried. Raise it with every change, so that earlier outcomes are not used.
const FORMAT: u32 = 1;

/// Largest outcome in the cache that is read, bytes.
const LARGEST_OUTCOME_BYTES: u64 = 4 << 20;

/// What is tried, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether all modules are imported, and not only those at the top.
    pub deep: bool,
    /// Number of threads that import and call at once.
    pub threads: u32,
    /// How long each attempt may take.
    pub time_limit: Duration,
    /// How long each call is made; `None` for no calls of well-known packages.
    pub stress: Option<Duration>,
    /// Calls of the user.
    pub calls: Vec<String>,
    /// Whether packages without a wheel are built from source.
    pub source_builds: bool,
    /// Number of attempts at the same time.
    pub jobs: usize,
    /// The folder for outcomes.
    pub cache: PathBuf,
    /// Whether outcomes of earlier calls are ignored.
    pub refresh: bool,
}

impl Options {
    /// How long a call of the user is made unless the user says.
    pub const DEFAULT_STRESS: Duration = Duration::from_secs(2);
}

/// What is needed to try the packages of one build.
pub struct Plan<'a> {
    /// Resolves, and knows the build.
    pub resolver: &'a Resolver<'a>,
    /// The resolved packages.
    pub resolution: &'a Resolution,
    /// The environments.
    pub environments: &'a Environments,
    /// What is tried.
    pub options: &'a Options,
    /// Reports a step that begins: what, and of how many parts.
    pub begin: &'a (dyn Fn(&str, usize) + Sync),
    /// Reports that a part of it is done.
    pub done: &'a (dyn Fn(&str) + Sync),
    /// Callbacks of the installer.
    pub hooks: &'a Hooks<'a>,
}

impl Plan<'_> {
    /// Reports a step unless it has no parts.
    fn begins(&self, what: &str, parts: usize) {
        if parts > 0 {
            (self.begin)(what, parts);
        }
    }
}

/// The packages on a build.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct BuildResult {
    /// What is known of each, by its normalised name.
    pub packages: BTreeMap<String, PackageOnBuild>,
    /// Where bugs are reported, by the package's name.
    pub trackers: BTreeMap<String, String>,
    /// What the installer was given for each package, by its name.
    pub requirements: BTreeMap<String, Requirement>,
    /// Whether the user interrupted it.
    pub interrupted: bool,
}

/// Why a build's packages cannot be tried.
#[derive(Debug, thiserror::Error)]
pub enum TryError {
    /// There is no environment.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// The environment does not list its packages.
    #[error(transparent)]
    Contents(#[from] ContentsError),
    /// The system refuses a process, a thread or a folder.
    #[error("cannot try packages: {0}; raise the limit ('ulimit -a')")]
    System(#[from] io::Error),
}

/// Installs and tries the packages of one build.
///
/// # Errors
/// When there is no environment, or the system refuses a resource.
pub fn try_build(plan: &Plan<'_>) -> Result<BuildResult, TryError> {
    let mut result = BuildResult {
        packages: plan
            .resolution
            .keys()
            .map(|name| (name.clone(), of_index(plan, name)))
            .collect(),
        ..BuildResult::default()
    };
    if (plan.resolver.is_stopped)() {
        result.interrupted = true;
        return Ok(result);
    }
    newest_with_wheels(plan, &mut result)?;
    let Some(environment) = environment(plan, &mut result)? else {
        return Ok(result);
    };
    let contents = describe(plan, &environment, &mut result)?;
    let attempts = Cached {
        attempts: Attempts {
            python: &environment.python,
            time_limit: plan.options.time_limit,
            is_stopped: plan.resolver.is_stopped,
        },
        folder: plan
            .options
            .cache
            .join(environment.path.file_name().unwrap_or_default()),
        refresh: plan.options.refresh,
    };
    imports(plan, &attempts, &contents, &mut result)?;
    threads(plan, &attempts, &contents, &mut result)?;
    calls(plan, &attempts, &contents, &mut result)?;
    Ok(result)
}

/// What the index says about a package.
fn of_index(plan: &Plan<'_>, name: &str) -> PackageOnBuild {
    let Some(resolved) = plan.resolution.get(name) else {
        return PackageOnBuild::default();
    };
    PackageOnBuild {
        version: resolved.version.clone(),
        requires: resolved.requires.iter().cloned().collect(),
        distribution: resolved.distribution,
        wheel: resolved.wheel.clone(),
        is_excluded: resolved.version.is_none() && resolved.error.is_none(),
        error: resolved.error.clone(),
        ..PackageOnBuild::default()
    }
}

/// Looks for other versions of packages whose resolved version has no wheel.
fn newest_with_wheels(plan: &Plan<'_>, result: &mut BuildResult) -> Result<(), TryError> {
    let without: Vec<String> = result
        .packages
        .iter()
        .filter(|(_, package)| package.version.is_some() && !package.distribution.is_installable())
        .map(|(name, _)| name.clone())
        .collect();
    plan.begins("looking for wheels", without.len());
    let newest = parallel(plan.options.jobs, &without, |name| {
        let newest = plan.resolver.newest_with_wheel(name);
        (plan.done)(name);
        newest
    })?;
    for (name, newest) in without.into_iter().zip(newest) {
        if let Some(package) = result.packages.get_mut(&name) {
            package.newest_with_wheel = newest;
        }
    }
    Ok(())
}

/// The environment with everything that can be installed; `None` if there is nothing, or ftbench was interrupted.
fn environment(plan: &Plan<'_>, result: &mut BuildResult) -> Result<Option<Environment>, TryError> {
    let installable = plan.resolution.iter().filter_map(|(name, resolved)| {
        let is_wanted = plan.options.source_builds || resolved.distribution.is_installable();
        let requirement = resolved.requirement.clone().filter(|_| is_wanted)?;
        Some((name, requirement))
    });
    let installable: BTreeMap<&String, _> = installable.collect();
    if installable.is_empty() {
        return Ok(None);
    }
    let wanted = Wanted {
        interpreter: plan.resolver.interpreter.clone(),
        requirements: installable.values().cloned().collect(),
        lock: None,
        source_builds: plan.options.source_builds,
        independently: true,
        hashes: plan
            .resolution
            .values()
            .filter_map(|resolved| resolved.hash.clone())
            .collect(),
    };
    (plan.begin)("installing", 0);
    let environment = match plan.environments.make(&wanted, plan.hooks) {
        Err(EnvironmentError::Interrupted) => {
            result.interrupted = true;
            return Ok(None);
        }
        made => made?,
    };
    for (name, requirement) in installable {
        if let Some(package) = result.packages.get_mut(name) {
            package.error = environment.record.failed.get(&requirement.to_string()).cloned();
        }
        result.requirements.insert(name.clone(), requirement);
    }
    Ok(Some(environment))
}

/// Adds what the installed packages say about themselves.
fn describe(
    plan: &Plan<'_>,
    environment: &Environment,
    result: &mut BuildResult,
) -> Result<BTreeMap<String, Contents>, TryError> {
    let contents = Contents::of(&environment.python)?.into_iter();
    let mut contents: BTreeMap<String, Contents> = contents.map(|one| (one.normalised_name(), one)).collect();
    contents.retain(|name, _| result.packages.contains_key(name));
    let target = Target::of(plan.resolver.interpreter);
    for (name, one) in &contents {
        if let Some(package) = result.packages.get_mut(name) {
            package.is_installed = true;
            package.classifier.clone_from(&one.classifier);
            package.foreign_extensions.clone_from(&one.foreign_extensions);
            if let Some(installed) = target.and_then(|target| one.distribution(target)) {
                package.distribution = installed;
            }
        }
        if let Some(tracker) = &one.tracker {
            result.trackers.insert(name.clone(), tracker.clone());
        }
    }
    Ok(contents)
}

/// Imports every module in a process of its own.
fn imports(
    plan: &Plan<'_>,
    attempts: &Cached<'_>,
    contents: &BTreeMap<String, Contents>,
    result: &mut BuildResult,
) -> Result<(), TryError> {
    let tasks: Vec<(&String, &String)> = contents
        .iter()
        .flat_map(|(name, one)| {
            let modules: BTreeSet<&String> = if plan.options.deep {
                one.modules.iter().chain(&one.all_modules).collect()
            } else {
                one.modules.iter().collect()
            };
            modules.into_iter().map(move |module| (name, module))
        })
        .collect();
    plan.begins("importing", tasks.len());
    let outcomes = parallel(plan.options.jobs, &tasks, |(_, module)| {
        let import = attempts.import(module);
        (plan.done)(module);
        import
    })?;
    for ((name, _), outcome) in tasks.into_iter().zip(outcomes) {
        if let Some(import) = result.take(outcome)?
            && let Some(package) = result.packages.get_mut(name)
        {
            package.imports.push(import);
        }
    }
    Ok(())
}

/// Imports the modules of each package that can be imported, by several threads at once.
fn threads(
    plan: &Plan<'_>,
    attempts: &Cached<'_>,
    contents: &BTreeMap<String, Contents>,
    result: &mut BuildResult,
) -> Result<(), TryError> {
    let works = |name: &String, module: &String| {
        let imports = result.packages.get(name).into_iter();
        let mut imports = imports.flat_map(|package| &package.imports);
        imports.any(|import| import.module == *module && import.attempt.outcome == Outcome::Works)
    };
    let modules = contents.iter().map(|(name, one)| {
        let modules = one.modules.iter().filter(|module| works(name, module));
        (name, modules.cloned().collect())
    });
    let tasks: Vec<(&String, Vec<String>)> = modules
        .filter(|(_, modules): &(_, Vec<String>)| !modules.is_empty())
        .collect();
    plan.begins("importing in threads", tasks.len());
    let outcomes = parallel(plan.options.jobs, &tasks, |(name, modules)| {
        let attempt = attempts.import_in_threads(modules, plan.options.threads);
        (plan.done)(name);
        attempt
    })?;
    for ((name, _), outcome) in tasks.into_iter().zip(outcomes) {
        let attempt = result.take(outcome)?;
        if let Some(package) = result.packages.get_mut(name) {
            package.imports_in_threads = attempt;
        }
    }
    Ok(())
}

/// Makes the calls of packages that can be imported, one after the other, because each uses several cores.
fn calls(
    plan: &Plan<'_>,
    attempts: &Cached<'_>,
    contents: &BTreeMap<String, Contents>,
    result: &mut BuildResult,
) -> Result<(), TryError> {
    let options = plan.options;
    let mut tasks: Vec<(&String, String)> = Vec::new();
    for (name, one) in contents {
        let is_own = |call: &&String| {
            let root = root(call);
            let is_in = |module: &String| module.split('.').next() == Some(root);
            one.modules.iter().any(is_in)
        };
        let works = result
            .packages
            .get(name)
            .and_then(|package| package.imports_in_threads.as_ref());
        if works.is_none_or(|attempt| attempt.outcome != Outcome::Works) {
            continue;
        }
        let known = well_known_calls(name).filter(|_| options.stress.is_some());
        let own = options.calls.iter().filter(is_own).cloned();
        tasks.extend(known.map(str::to_owned).chain(own).map(|call| (name, call)));
    }
    plan.begins("calling in threads", tasks.len());
    for (name, call) in tasks {
        let duration = options.stress.unwrap_or(Options::DEFAULT_STRESS);
        let outcome = attempts.stress(&call, options.threads, duration);
        (plan.done)(&call);
        if let Some(call) = result.take(outcome)?
            && let Some(package) = result.packages.get_mut(name)
        {
            package.calls.push(call);
        }
    }
    Ok(())
}

impl BuildResult {
    /// An outcome, unless ftbench was interrupted.
    fn take<T>(&mut self, outcome: Result<T, AttemptError>) -> Result<Option<T>, TryError> {
        match outcome {
            Ok(outcome) => Ok(Some(outcome)),
            Err(AttemptError::Interrupted) => {
                self.interrupted = true;
                Ok(None)
            }
            Err(AttemptError::System(error)) => Err(error.into()),
        }
    }
}

/// Applies a function to each task, several at a time, and returns the results in the order of the tasks.
fn parallel<T: Sync, R: Send>(
    jobs: usize,
    tasks: &[T],
    apply: impl Fn(&T) -> R + Sync + Send,
) -> io::Result<Vec<R>> {
    let pool = ThreadPoolBuilder::new().num_threads(jobs.clamp(1, tasks.len().max(1)));
    let pool = pool.build().map_err(io::Error::other)?;
    // One task at a time for each thread, because they take very different times.
    Ok(pool.install(|| tasks.par_iter().with_max_len(1).map(apply).collect()))
}

/// Attempts whose outcomes are kept, because the contents of an environment never change.
struct Cached<'a> {
    attempts: Attempts<'a>,
    folder: PathBuf,
    refresh: bool,
}

impl Cached<'_> {
    fn import(&self, module: &str) -> Result<ModuleImport, AttemptError> {
        self.cached(&("import", module), || self.attempts.import(module))
    }

    fn import_in_threads(&self, modules: &[String], threads: u32) -> Result<Attempt, AttemptError> {
        self.cached(&("threads", modules, threads), || {
            self.attempts.import_in_threads(modules, threads)
        })
    }

    fn stress(&self, call: &str, threads: u32, duration: Duration) -> Result<StressedCall, AttemptError> {
        self.cached(&("call", call, threads, duration.as_secs_f64()), || {
            self.attempts.stress(call, threads, duration)
        })
    }

    /// The outcome of an earlier attempt, or a new one, which is kept unless it depends on the time limit.
    fn cached<T: Serialize + DeserializeOwned + HasOutcome>(
        &self,
        what: &impl Serialize,
        attempt: impl FnOnce() -> Result<T, AttemptError>,
    ) -> Result<T, AttemptError> {
        let key = serde_json::to_vec(&(FORMAT, what)).map_err(io::Error::from)?;
        let path = self
            .folder
            .join(format!("{}.json", hex::encode(Sha256::digest(key))));
        if let Some(kept) = self.kept(&path) {
            return Ok(kept);
        }
        let outcome = attempt()?;
        if outcome.outcome() != Outcome::TimesOut {
            let bytes = serde_json::to_vec(&outcome).map_err(io::Error::from)?;
            store::write_bytes(&path, &bytes).map_err(io::Error::other)?;
        }
        Ok(outcome)
    }

    fn kept<T: DeserializeOwned>(&self, path: &Path) -> Option<T> {
        if self.refresh {
            return None;
        }
        serde_json::from_slice(&outside::read(path, LARGEST_OUTCOME_BYTES).ok()?).ok()
    }
}

/// Something that ended in some way.
trait HasOutcome {
    fn outcome(&self) -> Outcome;
}

impl HasOutcome for Attempt {
    fn outcome(&self) -> Outcome {
        self.outcome
    }
}

impl HasOutcome for ModuleImport {
    fn outcome(&self) -> Outcome {
        self.attempt.outcome
    }
}

impl HasOutcome for StressedCall {
    fn outcome(&self) -> Outcome {
        self.attempt.outcome
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_tasks() {
        let tasks: Vec<u64> = (0..100).collect();
        let twice = parallel(7, &tasks, |task| task * 2).unwrap();
        assert_eq!(twice, (0..100).map(|task| task * 2).collect::<Vec<_>>());
        assert_eq!(parallel(3, &[], |task: &u64| *task).unwrap(), Vec::<u64>::new());
    }

    #[test]
    fn an_outcome_is_kept_unless_it_depends_on_the_time_limit() {
        let folder = tempfile::tempdir().unwrap();
        let cached = |refresh| Cached {
            attempts: Attempts {
                python: Path::new("/nowhere"),
                time_limit: Duration::from_secs(1),
                is_stopped: &|| false,
            },
            folder: folder.path().to_owned(),
            refresh,
        };
        let of = |outcome| Attempt {
            outcome,
            reason: String::new(),
            traceback: String::new(),
        };
        let ask = |refresh, outcome| {
            cached(refresh)
                .cached(&"one", || Ok(of(outcome)))
                .unwrap()
                .outcome
        };
        assert_eq!(ask(false, Outcome::TimesOut), Outcome::TimesOut);
        assert_eq!(ask(false, Outcome::Works), Outcome::Works);
        assert_eq!(ask(false, Outcome::Crashes), Outcome::Works);
        assert_eq!(ask(true, Outcome::Crashes), Outcome::Crashes);
    }
}
