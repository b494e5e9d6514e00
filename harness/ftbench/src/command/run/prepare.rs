//! Everything that is decided before the first trial.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use rand::TryRng;
use rand::rngs::SysRng;

use super::code::{self, Code};
use super::error::RunError;
use crate::assets::Assets;
use crate::cargo_build::find_cargo;
use crate::cli::{ProfileName, RunArgs};
use crate::command::{cache_folder, command_line};
use crate::error::{Error, SystemError};
use crate::interpreter::{PROBE_TIME_LIMIT, SearchPlaces, Selection, read_identities, resolve};
use crate::machine::bind::Binder;
use crate::machine::control_groups::memory_limit_bytes;
use crate::machine::discovery::Discovered;
use crate::machine::noise::{Meters, sources};
use crate::machine::{facts, quota};
use crate::measure::environment;
use crate::outside;
use crate::plan::cells::{Candidate, WorkerCounts, cells as plan_cells};
use crate::plan::placement::counts::default_counts;
use crate::plan::placement::{Placer, Policy};
use crate::workload::{Arms, Requirement, Workload};
use ftbench_schema::{
    CommitFacts, MachineFacts, Manifest, PackageWishes, Plan, PlannedCell, RunStatus, SCHEMA_VERSION,
    Settings, Stopping, Warning, WarningKind, WorkloadFacts,
};

/// Without `-n`, the numbers of workers that wait, on every machine: they need no core each, and fewer would not show
/// how waiting overlaps.
const WAITING_WORKERS: [u32; 3] = [1, 4, 16];

/// A run that may begin.
#[derive(Debug)]
pub struct Prepared {
    /// What was decided, as it is recorded.
    pub manifest: Manifest,
    /// The workloads; of such as differ from arm to arm, those of the first one.
    pub workloads: Vec<Workload>,
    /// The versions of the code that are compared.
    pub arms: Arms,
    /// The commit that the code is of now, where git tells it.
    pub commit: Option<CommitFacts>,
    /// What is to be installed for them.
    pub packages: Packages,
    /// Binds workers; `None` when nothing is pinned.
    pub binder: Option<Binder>,
    /// Tell of noise and cost.
    pub meters: Meters,
    /// The run's folder.
    pub out: PathBuf,
}

/// What the command line says of packages.
#[derive(Debug, Default)]
pub struct Packages {
    /// For every workload, beside its own dependencies.
    pub with: Vec<Requirement>,
    /// Whether packages without a wheel may be built from source.
    pub source_builds: bool,
}

impl Packages {
    fn asked_for(arguments: &RunArgs) -> Result<Self, RunError> {
        let with = arguments.with.iter().map(|requirement| match requirement {
            Requirement::Wheel(path) => {
                let unreadable = |source| RunError::Wheel {
                    path: path.clone(),
                    source,
                };
                path.canonicalize().map(Requirement::Wheel).map_err(unreadable)
            }
            Requirement::Named { .. } => Ok(requirement.clone()),
        });
        Ok(Self {
            with: with.collect::<Result<_, _>>()?,
            source_builds: arguments.allow_source_builds,
        })
    }

    fn recorded(&self) -> PackageWishes {
        PackageWishes {
            with: self.with.iter().map(ToString::to_string).collect(),
            source_builds: self.source_builds,
            wheels: self.wheels(),
        }
    }

    /// SHA-256 of each wheel, by its path, as it is now. One that cannot be read is told when it is installed.
    pub fn wheels(&self) -> BTreeMap<String, String> {
        let of_wheel = |requirement: &Requirement| match requirement {
            Requirement::Wheel(path) => {
                let digest = outside::sha256(path, u64::MAX).ok()?;
                Some((path.display().to_string(), digest))
            }
            Requirement::Named { .. } => None,
        };
        self.with.iter().filter_map(of_wheel).collect()
    }
}

/// Decides what is measured, where and how.
pub fn prepare(arguments: &RunArgs) -> Result<Prepared, Error> {
    let assets = Assets::unpack(&cache_folder()?)?;
    let Code {
        workloads,
        arms,
        commit,
    } = code::choose(arguments, &assets.workloads)?;
    let packages = Packages::asked_for(arguments)?;
    let mut selection = interpreters(&arguments.python)?;
    if !arguments.dry_run {
        read_identities(&mut selection.interpreters);
    }
    let discovered = Discovered::load()?;
    let cpu_quota = quota::of_this_process()?;
    let placer = Placer::new(discovered.topology(), arguments.pin.clone(), cpu_quota)?;
    let machine = facts::of_this_machine(discovered.topology(), cpu_quota);
    let pinned = *placer.policy() != Policy::None;
    // A dry run shows the plan for any machine that hwloc can be told of.
    let binder = (pinned && !arguments.dry_run)
        .then(|| Binder::new(discovered))
        .transpose()?;
    let mut warnings = selection.warnings.clone();
    warnings.extend(quota_warning(&placer, &machine));
    warnings.extend(arms.warnings());
    let settings = settings(arguments, &machine);
    let mut workload_facts: Vec<WorkloadFacts> = workloads.iter().map(Workload::facts).collect();
    if arguments.no_ceiling {
        workload_facts.iter_mut().for_each(|facts| facts.ceiling = None);
    }
    let plan = plan(
        arguments,
        &selection,
        &Subjects {
            workloads: &workloads,
            facts: &workload_facts,
            arms: &arms.names(),
        },
        &placer,
        settings,
    )?;
    let found = sources::find(&machine.topology.allowed_pus);
    let started_at = jiff::Timestamp::now();
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| default_out(&started_at, &machine));
    let users = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let manifest = Manifest {
        imported: None,
        schema: SCHEMA_VERSION,
        ftbench_version: env!("CARGO_PKG_VERSION").to_owned(),
        command_line: command_line(),
        started_at: started_at.to_string(),
        ended_at: None,
        status: RunStatus::Running,
        stopped_by: None,
        seed: arguments.seed.map_or_else(random_seed, Ok)?,
        machine,
        interpreters: selection.interpreters,
        workloads: workload_facts,
        arms: arms.facts(),
        modules: Some(code::modules(&workloads, &arms, &assets.workloads)),
        commit: commit.clone(),
        labels: code::labels(&arguments.versions.label)?,
        plan,
        environment: environment::cleaned(users, &assets.worker),
        environments: Vec::new(),
        sources: found.sources,
        hosts: Vec::new(),
        extensions: Vec::new(),
        packages: packages.recorded(),
        sessions: Vec::new(),
        warnings,
    };
    Ok(Prepared {
        manifest,
        workloads,
        arms,
        commit: code::told_by_git(commit),
        packages,
        binder,
        meters: found.meters,
        out,
    })
}

fn interpreters(words: &[String]) -> Result<Selection, Error> {
    let places = SearchPlaces::from_environment();
    Ok(resolve(&places, words, PROBE_TIME_LIMIT)?)
}

/// What is to be measured.
struct Subjects<'a> {
    workloads: &'a [Workload],
    /// Of each workload.
    facts: &'a [WorkloadFacts],
    /// Names.
    arms: &'a [String],
}

fn plan(
    arguments: &RunArgs,
    selection: &Selection,
    subjects: &Subjects<'_>,
    placer: &Placer,
    settings: Settings,
) -> Result<Plan, Error> {
    let limit = placer.limit();
    let computing = match &arguments.workers {
        Some(counts) => counts.resolve(limit),
        None => default_counts(limit),
    };
    let waiting = match &arguments.workers {
        Some(counts) => counts.resolve(limit),
        None => WAITING_WORKERS.to_vec(),
    };
    let workloads = subjects.workloads.iter();
    let candidates: Vec<Candidate<'_>> = workloads
        .zip(subjects.facts)
        .map(|(workload, facts)| Candidate {
            workload: facts,
            requires_python: &workload.metadata.requires_python,
        })
        .collect();
    let wanted = crate::plan::cells::Wanted {
        interpreters: &selection.interpreters,
        baseline: &selection.baseline,
        hosts: &arguments.host,
        arms: subjects.arms,
        has_cargo: find_cargo().is_some(),
        models: (!arguments.model.is_empty()).then_some(arguments.model.as_slice()),
        placer,
        counts: WorkerCounts {
            computing: &computing,
            waiting: &waiting,
        },
    };
    let cells = plan_cells(&candidates, &wanted)?;
    if all_are_skipped(&cells) {
        let reason = cells
            .iter()
            .find_map(|planned| planned.skipped.clone())
            .unwrap_or_default();
        let message = format!("every cell would be skipped: {reason}");
        let with_cargo = crate::plan::cells::Wanted {
            has_cargo: true,
            ..wanted
        };
        let lacks_cargo = !all_are_skipped(&plan_cells(&candidates, &with_cargo)?);
        return Err(if lacks_cargo {
            RunError::NoTool(message).into()
        } else {
            RunError::NothingToMeasure(message).into()
        });
    }
    Ok(Plan {
        settings,
        baseline: selection.baseline.clone(),
        cells,
    })
}

fn all_are_skipped(cells: &[PlannedCell]) -> bool {
    cells.iter().all(|planned| planned.skipped.is_some())
}

/// Says so when the control group may use less than the cores that workers could have.
fn quota_warning(placer: &Placer, machine: &MachineFacts) -> Option<Warning> {
    let quota = machine.cpu_quota?;
    let pus = machine.topology.allowed_pus.len();
    let message = format!(
        "the control group may use {quota} CPUs' worth of time on {pus} PUs; workers that compute go up to {}",
        placer.limit()
    );
    (quota < pus as f64).then(|| Warning::of_run(WarningKind::CpuQuota, message))
}

/// What a profile stands for.
struct Profile {
    name: &'static str,
    /// Counted samples of a trial. The more there are, the larger their share of the wall time, beside starting a
    /// process and the warm-up; the fewer, the more rounds fit into it.
    samples: u32,
    stopping: Stopping,
    target_sample_s: f64,
}

const fn profile(name: ProfileName) -> Profile {
    match name {
        ProfileName::Quick => Profile {
            name: "quick",
            samples: 3,
            stopping: Stopping {
                fewest_rounds: 5,
                most_rounds: 5,
                precision: None,
                budget_s: None,
            },
            target_sample_s: 0.06,
        },
        ProfileName::Standard => Profile {
            name: "standard",
            samples: 6,
            stopping: Stopping {
                fewest_rounds: 10,
                most_rounds: 50,
                precision: Some(0.02),
                budget_s: Some(10.0 * MINUTE_S),
            },
            target_sample_s: 0.1,
        },
        ProfileName::Thorough => Profile {
            name: "thorough",
            samples: 6,
            stopping: Stopping {
                fewest_rounds: 20,
                most_rounds: 200,
                precision: Some(0.005),
                budget_s: Some(60.0 * MINUTE_S),
            },
            target_sample_s: 0.1,
        },
    }
}

const MINUTE_S: f64 = 60.0;

/// Rounds that end a run whose precision or time is asked for and never reached.
const MOST_ROUNDS: u32 = 1000;

/// The profile's rule, with what is asked for otherwise.
fn stopping(arguments: &RunArgs, profile: Stopping) -> Stopping {
    if let Some(rounds) = arguments.rounds {
        return Stopping {
            fewest_rounds: rounds,
            most_rounds: rounds,
            precision: None,
            budget_s: None,
        };
    }
    if arguments.precision.is_none() && arguments.budget.is_none() {
        return profile;
    }
    Stopping {
        fewest_rounds: profile.fewest_rounds,
        most_rounds: MOST_ROUNDS,
        precision: arguments.precision.or(profile.precision),
        budget_s: arguments.budget.or(profile.budget_s),
    }
}

fn settings(arguments: &RunArgs, machine: &MachineFacts) -> Settings {
    let profile = profile(arguments.profile);
    let memory_bytes =
        memory_limit_bytes().map_or(machine.memory_bytes, |limit| limit.min(machine.memory_bytes));
    Settings {
        profile: profile.name.to_owned(),
        stopping: stopping(arguments, profile.stopping),
        warmups: 1,
        samples: arguments.samples.unwrap_or(profile.samples),
        target_sample_s: profile.target_sample_s,
        step_time_limit_s: arguments.timeout,
        scaling: arguments.scaling.into(),
        pin: arguments.pin.to_string(),
        limits: Some(arguments.limits.asked().on(memory_bytes)),
    }
}

/// `results/<UTC time>-<host>`.
fn default_out(started_at: &jiff::Timestamp, machine: &MachineFacts) -> PathBuf {
    let time = started_at.strftime("%Y-%m-%dT%H-%M-%SZ");
    let host: String = machine
        .hostname
        .chars()
        .map(|char| {
            if char.is_ascii_alphanumeric() || char == '-' {
                char
            } else {
                '-'
            }
        })
        .collect();
    Path::new("results").join(format!("{time}-{host}"))
}

/// From the system, and small enough to be typed again and to survive JSON readers that have only floats.
fn random_seed() -> Result<u64, SystemError> {
    SysRng
        .try_next_u32()
        .map(u64::from)
        .map_err(io::Error::other)
        .map_err(SystemError::of("get a random number", "give a --seed"))
}
