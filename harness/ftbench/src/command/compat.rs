//! `ftbench compat`: whether the packages of a dependency tree work on free-threaded builds.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use sysinfo::{MemoryRefreshKind, System};

use super::{cache_folder, json, print, remark, run, style};
use crate::cli::{CompatArgs, FailOnVerdict, Measured, OutputOptions, SummaryFormat};
use crate::compat::{
    BuildResult, Options, Plan, Request, ResolveError, Resolver, TryError, imports, name_of, try_build,
};
use crate::error::{Error, ExitStatus, Failure, SystemError};
use crate::interpreter::{PROBE_TIME_LIMIT, SearchPlaces, resolve};
use crate::outside;
use crate::process::interrupt::Interrupt;
use crate::record::store::{self, StoreError};
use crate::terminal::steps::Steps;
use crate::workload::Requirement;
use crate::workload::environment::{EnvironmentError, Environments, Hooks};
use ftbench_analyse::compat::{Change, blockers, changes, judge};
use ftbench_present::compat as words;
use ftbench_schema::{
    Compat, CompatBuild, CompatPackage, CompatVerdict, InterpreterFacts, MeasuredCall, Outcome,
    PackageOnBuild, SCHEMA_VERSION, StressedCall, Summary, WorkloadFacts, text,
};

/// Memory that an attempt may need, bytes: large packages take some hundred MiB to import.
const MEMORY_OF_ATTEMPT_BYTES: u64 = 1 << 30;

/// Largest earlier result that is read, bytes.
const LARGEST_RESULT_BYTES: u64 = 256 << 20;

/// Why packages cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum CompatError {
    /// A build with run-time switches.
    #[error("{0} has switches, which compat does not apply; give the build without them")]
    Switches(String),
    /// A local package cannot be found.
    #[error("cannot read {}: {source}", path.display())]
    Local {
        /// The wheel or the folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The earlier result cannot be read.
    #[error("cannot read the earlier result {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The earlier result is not one.
    #[error("{} is not a result of 'ftbench compat --format json': {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Failure for CompatError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Switches(_) | Self::Malformed { .. } => ExitStatus::WrongInput,
            Self::Local { source, .. } | Self::Unreadable { source, .. } => {
                ExitStatus::for_read_error(source)
            }
        }
    }
}

impl Failure for ResolveError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Conflict { .. } => ExitStatus::BadAnswer,
            Self::Interpreter(_) => ExitStatus::WrongInput,
            Self::Interrupted => ExitStatus::Interrupted,
            Self::Unreachable { .. } | Self::System { .. } => ExitStatus::MachineFailed,
        }
    }
}

impl Failure for TryError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Environment(EnvironmentError::Interrupted) => ExitStatus::Interrupted,
            _ => ExitStatus::MachineFailed,
        }
    }
}

/// Checks packages on builds, and prints what was found.
pub fn compat(arguments: &CompatArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let started = Timestamp::now();
    let request = request(arguments)?;
    let earlier = arguments.against.as_deref().map(read).transpose()?;
    let interpreters = interpreters(&arguments.python)?;
    check_run_folders(arguments, &interpreters)?;
    let cache = cache_folder()?;
    let environments = Environments::below(&cache);
    let options = options(arguments, cache.join("compat"));
    let interrupt = Interrupt::listen()?;
    let is_stopped = || interrupt.is_requested();
    let steps = Steps::new(output.quiet);
    let mut results = Vec::new();
    for interpreter in &interpreters {
        let result = on_build(
            interpreter,
            &request,
            &environments,
            &options,
            &is_stopped,
            &steps,
        );
        steps.end();
        match result {
            Ok(result) => results.push((interpreter, result)),
            // What other builds gave is kept.
            Err(_) if interrupt.is_requested() => break,
            Err(error) => return Err(error),
        }
    }
    if results.is_empty() {
        return Ok(ExitStatus::Interrupted);
    }
    let measured = if arguments.measure {
        let mut results = results.iter_mut();
        results
            .try_for_each(|(interpreter, result)| measure(arguments, interpreter, result, &interrupt, output))
    } else {
        Ok(())
    };
    let mut compat = assemble(&request, started, results, interrupt.is_requested());
    judge(&mut compat);
    let changes = earlier.as_ref().map(|earlier| changes(earlier, &compat));
    show(arguments.format, &compat, changes.as_deref(), output)?;
    if let Some(folder) = &arguments.out {
        write(folder, &compat)?;
        remark(output, &format!("written to {}", folder.display()));
    }
    if compat.interrupted {
        return Ok(ExitStatus::Interrupted);
    }
    // What is known without measurements was shown and written.
    measured?;
    let fails = |package: &CompatPackage| arguments.fail_on.contains(&FailOnVerdict(Some(package.verdict)));
    Ok(if compat.packages.iter().any(fails) {
        ExitStatus::BadAnswer
    } else {
        ExitStatus::Success
    })
}

/// What is asked about, with the absolute paths of what is on this machine.
fn request(arguments: &CompatArgs) -> Result<Request, Error> {
    let mut request = Request::new(&arguments.packages, &arguments.requirements)?;
    for requirement in &mut request.requirements {
        if let Requirement::Wheel(path) | Requirement::Project(path) = requirement {
            *path = path.canonicalize().map_err(|source| CompatError::Local {
                path: path.clone(),
                source,
            })?;
        }
    }
    Ok(request)
}

/// The builds; without words, the free-threaded one of the pair that `ftbench run` would take.
fn interpreters(words: &[String]) -> Result<Vec<InterpreterFacts>, Error> {
    let selection = resolve(&SearchPlaces::from_environment(), words, PROBE_TIME_LIMIT)?;
    let mut interpreters = selection.interpreters;
    if words.is_empty() && interpreters.iter().any(|interpreter| interpreter.free_threaded) {
        interpreters.retain(|interpreter| interpreter.free_threaded);
    }
    match interpreters
        .iter()
        .find(|interpreter| !interpreter.switches.is_empty())
    {
        Some(switched) => Err(CompatError::Switches(switched.tag.clone()).into()),
        None => Ok(interpreters),
    }
}

fn options(arguments: &CompatArgs, cache: PathBuf) -> Options {
    Options {
        deep: arguments.deep,
        threads: arguments.threads,
        time_limit: Duration::from_secs_f64(arguments.timeout),
        stress: arguments
            .stress
            .or(arguments.measure.then_some(None))
            .map(|given| given.map_or(Options::DEFAULT_STRESS, Duration::from_secs_f64)),
        calls: arguments.call.clone(),
        source_builds: arguments.allow_source_builds,
        jobs: arguments
            .jobs
            .map_or_else(default_jobs, std::num::NonZeroUsize::get),
        cache,
        refresh: arguments.refresh,
    }
}

/// One attempt per core, as far as memory reaches.
fn default_jobs() -> usize {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let available = System::new().map(|mut system| {
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        system.available_memory() / MEMORY_OF_ATTEMPT_BYTES
    });
    let by_memory = available.ok().and_then(|jobs| usize::try_from(jobs).ok());
    cores.min(by_memory.unwrap_or(cores)).max(1)
}

/// Resolves, installs and tries packages on one build.
fn on_build(
    interpreter: &InterpreterFacts,
    request: &Request,
    environments: &Environments,
    options: &Options,
    is_stopped: &(dyn Fn() -> bool + Sync),
    steps: &Steps,
) -> Result<BuildResult, Error> {
    let folder = tempfile::Builder::new()
        .prefix("ftbench-compat-")
        .tempdir()
        .map_err(SystemError::of(
            "make a temporary folder",
            "set TMPDIR to a folder with space",
        ))?;
    let installer = environments.installer();
    let resolver = Resolver {
        installer: &installer,
        interpreter,
        folder: folder.path(),
        is_stopped,
    };
    let tag = &interpreter.tag;
    steps.begin(&format!("{tag}: resolving"), 0);
    let resolution = resolver.resolve(request)?;
    let hooks = Hooks {
        report: &|line| steps.begin(&format!("{tag}: {line}"), 0),
        is_stopped,
    };
    Ok(try_build(&Plan {
        resolver: &resolver,
        resolution: &resolution,
        environments,
        options,
        begin: &|what, parts| steps.begin(&format!("{tag}: {what}"), parts),
        done: &|part| steps.done(part),
        hooks: &hooks,
    })?)
}

/// Measures how the calls that work on a build scale, and what one thread costs if there is a build of the same version
/// with a GIL.
fn measure(
    arguments: &CompatArgs,
    interpreter: &InterpreterFacts,
    result: &mut BuildResult,
    interrupt: &Interrupt,
    output: OutputOptions,
) -> Result<(), Error> {
    let works = |call: &&StressedCall| call.attempt.outcome == Outcome::Works;
    let mut calls = Vec::new();
    let mut packages = Vec::new();
    for (name, package) in &result.packages {
        let own = package.calls.iter().filter(works);
        let own: Vec<String> = own.map(|call| call.call.clone()).collect();
        if own.is_empty() {
            continue;
        }
        packages.extend(result.requirements.get(name).cloned());
        calls.extend(own);
    }
    if calls.is_empty() || interrupt.is_requested() {
        return Ok(());
    }
    let mut python = vec![interpreter.path.clone()];
    python.extend(build_with_gil(interpreter).map(|build| build.path));
    let out = run_folder(arguments, interpreter);
    let run = arguments.as_run(Measured {
        python,
        packages,
        imports: imports(&calls),
        calls,
    });
    let summary = run::measure(&run, out.as_deref(), interrupt, output)?;
    result.interrupted |= interrupt.is_requested();
    for package in result.packages.values_mut() {
        let calls = package.calls.iter();
        let scaling = calls.filter_map(|call| scaling(&summary, interpreter, &call.call));
        package.scaling = scaling.collect();
    }
    Ok(())
}

/// The folder for the run that measures calls on a build; `None` for no such run, or one in the usual place.
fn run_folder(arguments: &CompatArgs, interpreter: &InterpreterFacts) -> Option<PathBuf> {
    let out = arguments.out.as_ref().filter(|_| arguments.measure)?;
    Some(out.join(format!("run-{}", interpreter.tag)))
}

/// Refuses folders of earlier runs before anything is tried, because no run is ever overwritten.
fn check_run_folders(arguments: &CompatArgs, interpreters: &[InterpreterFacts]) -> Result<(), StoreError> {
    let folders = interpreters
        .iter()
        .filter_map(|interpreter| run_folder(arguments, interpreter));
    let is_used = |folder: &PathBuf| {
        folder
            .read_dir()
            .is_ok_and(|mut entries| entries.next().is_some())
    };
    match folders.into_iter().find(is_used) {
        Some(used) => Err(StoreError::NotEmpty(used)),
        None => Ok(()),
    }
}

/// The build with a GIL of the same version as a free-threaded build, if there is one.
fn build_with_gil(interpreter: &InterpreterFacts) -> Option<InterpreterFacts> {
    if !interpreter.free_threaded {
        return None;
    }
    let version = interpreter.version.clone();
    let selection = resolve(&SearchPlaces::from_environment(), &[version], PROBE_TIME_LIMIT).ok()?;
    let mut found = selection.interpreters.into_iter();
    found.find(|build| !build.free_threaded && build.version == interpreter.version)
}

/// What a run says about a call on a build.
fn scaling(summary: &Summary, interpreter: &InterpreterFacts, call: &str) -> Option<MeasuredCall> {
    let is_call = |workload: &&WorkloadFacts| {
        let facts = workload.call.as_ref();
        facts.is_some_and(|facts| facts.call == call)
    };
    let workload = &summary.workloads.iter().find(is_call)?.name;
    let mut interpreters = summary.interpreters.iter();
    let tag = &interpreters.find(|facts| facts.path == interpreter.path)?.tag;
    let cells = summary
        .cells
        .iter()
        .filter(|cell| cell.workload == *workload && cell.interpreter == *tag && cell.speedup.is_some());
    let largest = cells.max_by_key(|cell| cell.workers)?;
    let law = summary.laws.iter().find(|law| law.curve == largest.curve);
    let mut overheads = summary.free_threading_overhead.iter();
    let overhead = overheads
        .find(|overhead| overhead.workload.as_ref() == Some(workload) && overhead.free_threaded == *tag);
    Some(MeasuredCall {
        call: call.to_owned(),
        workers: largest.workers,
        verdict: law.map(|law| law.verdict).unwrap_or_default(),
        speedup: largest.speedup,
        ceiling_fraction: largest.ceiling_fraction,
        overhead: overhead.map(|overhead| overhead.ratio),
    })
}

/// Puts what is known of the builds together.
fn assemble(
    request: &Request,
    started: Timestamp,
    results: Vec<(&InterpreterFacts, BuildResult)>,
    interrupted: bool,
) -> Compat {
    let requested: Vec<String> = request.requirements.iter().map(name_of).collect();
    let mut packages: BTreeMap<String, CompatPackage> = BTreeMap::new();
    let mut builds = Vec::new();
    let mut is_partial = interrupted;
    for (interpreter, result) in results {
        is_partial |= result.interrupted;
        builds.push(CompatBuild {
            tag: interpreter.tag.clone(),
            version: interpreter.version.clone(),
            free_threaded: interpreter.free_threaded,
        });
        for (name, on) in result.packages {
            let package = packages.entry(name.clone()).or_insert_with(|| CompatPackage {
                is_requested: requested.contains(&name),
                name,
                version: None,
                verdict: CompatVerdict::NotTried,
                reason: String::new(),
                blocked_by: None,
                required_by: Vec::new(),
                tracker: None,
                builds: BTreeMap::new(),
            });
            package.builds.insert(interpreter.tag.clone(), on);
        }
        for (name, tracker) in result.trackers {
            if let Some(package) = packages.get_mut(&name) {
                package.tracker.get_or_insert(tracker);
            }
        }
    }
    let requires: Vec<(String, String)> = packages
        .values()
        .flat_map(|package| {
            let required = package.builds.values().flat_map(|on| &on.requires);
            required.map(|required| (required.clone(), package.name.clone()))
        })
        .collect();
    for (required, by) in requires {
        if let Some(package) = packages.get_mut(&required)
            && !package.required_by.contains(&by)
        {
            package.required_by.push(by);
        }
    }
    Compat {
        schema_version: SCHEMA_VERSION,
        ftbench: env!("CARGO_PKG_VERSION").to_owned(),
        started: started.to_string(),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        requested: request.requirements.iter().map(ToString::to_string).collect(),
        builds,
        interrupted: is_partial,
        verdict: CompatVerdict::NotTried,
        packages: packages.into_values().collect(),
    }
}

/// An earlier result.
fn read(path: &Path) -> Result<Compat, CompatError> {
    let text = outside::read(path, LARGEST_RESULT_BYTES).map_err(|source| CompatError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|error| CompatError::Malformed {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// The result in JSON, with what changed since an earlier one.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    compat: &'a Compat,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<ShownChange<'a>>>,
}

#[derive(Serialize)]
struct ShownChange<'a> {
    package: &'a str,
    build: &'a str,
    before: Option<Side<'a>>,
    now: Option<Side<'a>>,
}

#[derive(Serialize)]
struct Side<'a> {
    version: Option<&'a str>,
    verdict: CompatVerdict,
}

impl<'a> From<&'a PackageOnBuild> for Side<'a> {
    fn from(on: &'a PackageOnBuild) -> Self {
        Self {
            version: on.version.as_deref(),
            verdict: on.verdict,
        }
    }
}

fn show(
    format: SummaryFormat,
    compat: &Compat,
    changes: Option<&[Change<'_>]>,
    output: OutputOptions,
) -> Result<(), Error> {
    match format {
        SummaryFormat::Table => {
            let style = style(output);
            let since = changes.map(|changes| format!("\n{}", words::changes(changes, style)));
            print(&(words::terminal(compat, style) + &since.unwrap_or_default()))?;
        }
        SummaryFormat::Markdown => {
            let since = changes.map(|changes| format!("\n{}", words::changes_markdown(changes)));
            print(&(words::markdown(compat) + &since.unwrap_or_default()))?;
        }
        SummaryFormat::Json => {
            let changes = changes.map(|changes| {
                let shown = changes.iter().map(|change| ShownChange {
                    package: change.name,
                    build: change.build,
                    before: change.before.map(Side::from),
                    now: change.after.map(Side::from),
                });
                shown.collect()
            });
            print(&json(&Shown { compat, changes })?)?;
        }
    }
    Ok(())
}

/// Writes all forms of the result into a folder.
fn write(folder: &Path, compat: &Compat) -> Result<(), Error> {
    let mut files = vec![
        ("compat.json".to_owned(), json(compat)?),
        ("compat.md".to_owned(), words::markdown(compat)),
        ("compat.html".to_owned(), words::html(compat)?),
        ("badge.svg".to_owned(), words::badge(compat)),
    ];
    for package in blockers(compat) {
        let name = text::line(&package.name).replace('/', "-");
        files.push((format!("issue-{name}.md"), words::issue(compat, package)));
    }
    for (name, contents) in files {
        store::write_bytes(&folder.join(name), contents.as_bytes())?;
    }
    Ok(())
}
