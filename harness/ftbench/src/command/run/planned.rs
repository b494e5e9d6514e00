//! Plans a new run: what it will measure, where and how.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use rand::TryRng;
use rand::rngs::SysRng;

use super::code::{self, Code};
use super::contract;
use super::error::RunError;
use super::interpreters::{Install, interpreters};
use super::listing::PythonLister;
use super::narrow;
use super::packages::Packages;
use super::programs;
use super::settings::settings;
use crate::assets::Assets;
use crate::cargo_build::find_cargo;
use crate::cli::{OutputOptions, RunRequest, Variable};
use crate::command::{cache_folder, command_line};
use crate::error::{Error, SystemError};
use crate::interpreter::{Selection, read_identities};
use crate::machine::bind::Binder;
use crate::machine::discovery::Discovered;
use crate::machine::facts;
use crate::machine::noise::{Meters, sources};
use crate::measure::environment;
use crate::plan::cells::{Candidate, WorkerCounts, cells as plan_cells, clients_without_pus};
use crate::plan::placement::counts::default_counts;
use crate::plan::placement::{Placer, Policy};
use crate::process::quota;
use crate::workload::Workload;
use ftbench_schema::{
    FleetPlan, MachineFacts, Manifest, Plan, PlannedCell, RunStatus, SCHEMA_VERSION, Warning, WarningKind,
    WorkloadFacts, WorkloadKind,
};

/// The default numbers of workers that wait, on every machine. They do not need a core each, and smaller numbers would
/// not show how waiting overlaps.
const WAITING_WORKERS: [u32; 3] = [1, 4, 16];

/// If all cells wait, samples are as long as for this many workers that compute.
const WORKERS_IF_ALL_WAIT: u32 = 2;

/// A run with its cells, placements and settings. Nothing has been built, installed or written yet.
#[derive(Debug)]
pub struct PlannedRun {
    /// The plan and the facts, as they will be recorded.
    pub manifest: Manifest,
    /// What is needed to make the trials.
    pub setup: Setup,
}

/// What is needed to make the trials of a run, beside its manifest.
#[derive(Debug)]
pub struct Setup {
    /// The code to measure, and the commit that git reports for it now.
    pub code: Code,
    /// The packages to install for the workloads.
    pub packages: Packages,
    /// Workloads whose models were left to ftbench, which may turn out to divide their work themselves.
    pub open_models: BTreeSet<String>,
    /// What to do about files that are not workloads, one line each.
    pub hints: Vec<String>,
    /// Binds workers; `None` when nothing is pinned.
    pub binder: Option<Binder>,
    /// Meters of noise and cost.
    pub meters: Meters,
}

/// What a run is planned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It is measured.
    Measure,
    /// It is only shown.
    Show,
}

/// Plans what is measured, where and how. With a `shard`, only its cells are planned.
pub fn plan(
    arguments: &RunRequest,
    shard: Option<&FleetPlan>,
    purpose: Purpose,
    output: OutputOptions,
) -> Result<PlannedRun, Error> {
    let assets = Assets::unpack(&cache_folder()?)?;
    let packages = Packages::requested(&arguments.packages)?;
    programs::check(arguments)?;
    let arms = code::arms(arguments)?;
    let install = match purpose {
        Purpose::Show => Install::Never,
        Purpose::Measure if arguments.yes => Install::Always,
        Purpose::Measure => Install::Ask,
    };
    let lister = PythonLister {
        assets: &assets,
        packages: &packages,
        arms: &arms,
        interpreters: &arguments.python,
        install,
        options: &arguments.foreign,
        output,
        selected: OnceCell::new(),
    };
    let mut code = code::choose(arguments, &assets.workloads, arms.clone(), &lister)?;
    let mut selection = match lister.selected.into_inner() {
        Some(selection) => selection,
        None => interpreters(&arguments.python, install)?,
    };
    if purpose == Purpose::Measure {
        read_identities(&mut selection.interpreters);
    }
    let discovered = Discovered::load()?;
    let cpu_quota = quota::of_this_process()?;
    let placer = Placer::new(discovered.topology(), arguments.pin.clone(), cpu_quota)?;
    let machine = facts::of_this_machine(discovered.topology(), cpu_quota);
    let pinned = *placer.policy() != Policy::None;
    // A dry run can show the plan for another machine, whose description hwloc is given.
    let binder = (pinned && purpose == Purpose::Measure)
        .then(|| Binder::new(discovered))
        .transpose()?;
    let mut warnings = selection.warnings.clone();
    warnings.extend(quota_warning(&placer, &machine));
    warnings.extend(code.arms.warnings());
    let mut workload_facts: Vec<WorkloadFacts> = code.workloads.iter().map(Workload::facts).collect();
    if arguments.no_ceiling {
        workload_facts.iter_mut().for_each(|facts| facts.ceiling = None);
    }
    let hints = contract::choose_models(
        &selection.interpreters,
        &code.workloads,
        &mut workload_facts,
        &assets.workloads,
    );
    let mut open_models = if arguments.model.is_empty() {
        contract::open_models(&code.workloads, &workload_facts, &assets.workloads)
    } else {
        BTreeSet::new()
    };
    let mut plan = plan_of(
        arguments,
        &selection,
        &Subjects {
            workloads: &code.workloads,
            facts: &workload_facts,
            arms: &code.arms.names(),
        },
        &placer,
        &machine,
    )?;
    if let Some(shard) = shard {
        narrow::narrow(
            shard,
            &mut plan,
            &mut narrow::Workloads {
                code: &mut code.workloads,
                facts: &mut workload_facts,
                open_models: &mut open_models,
            },
        )?;
    }
    warnings.extend(clients_without_pus(&plan.cells, &workload_facts));
    let found = sources::find(&machine.topology.allowed_pus);
    let manifest = Manifest {
        imported: None,
        schema: SCHEMA_VERSION,
        ftbench_version: env!("CARGO_PKG_VERSION").to_owned(),
        command_line: command_line(),
        started_at: jiff::Timestamp::now().to_string(),
        ended_at: None,
        status: RunStatus::Running,
        stopped_by: None,
        seed: arguments.seed.map_or_else(random_seed, Ok)?,
        machine,
        interpreters: selection.interpreters,
        workloads: workload_facts,
        arms: code.arms.facts(),
        modules: Some(code.modules(&assets.workloads, plan.settings.loop_factory.as_deref())),
        commit: code.commit.clone(),
        labels: code::labels(&arguments.versions.label)?,
        fleet: shard.map(narrow::of_this_run),
        plan,
        environment: trial_environment(arguments, &assets),
        variables: variables(arguments).map(|(name, _)| name).collect(),
        environments: Vec::new(),
        sources: found.sources,
        hosts: Vec::new(),
        extensions: Vec::new(),
        packages: packages.recorded(),
        sessions: Vec::new(),
        warnings,
    };
    Ok(PlannedRun {
        manifest,
        setup: Setup {
            code: Code {
                commit: code::detected_commit(code.commit),
                ..code
            },
            packages,
            open_models,
            hints,
            binder,
            meters: found.meters,
        },
    })
}

/// The code to measure.
struct Subjects<'a> {
    workloads: &'a [Workload],
    /// The facts of each workload.
    facts: &'a [WorkloadFacts],
    /// The names of the arms.
    arms: &'a [String],
}

fn plan_of(
    arguments: &RunRequest,
    selection: &Selection,
    subjects: &Subjects<'_>,
    placer: &Placer,
    machine: &MachineFacts,
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
    let request = crate::plan::cells::PlanRequest {
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
    let cells = plan_cells(&candidates, &request)?;
    if all_are_skipped(&cells) {
        let reason = cells
            .iter()
            .find_map(|planned| planned.skipped.clone())
            .unwrap_or_default();
        let message = format!("every cell would be skipped: {reason}");
        let with_cargo = crate::plan::cells::PlanRequest {
            has_cargo: true,
            ..request
        };
        let lacks_cargo = !all_are_skipped(&plan_cells(&candidates, &with_cargo)?);
        return Err(if lacks_cargo {
            RunError::NoTool(message).into()
        } else {
            RunError::NothingToMeasure(message).into()
        });
    }
    Ok(Plan {
        settings: settings(arguments, machine, max_computing_workers(&cells, subjects.facts)),
        baseline: selection.baseline.clone(),
        cells,
    })
}

/// The largest number of workers of a cell that computes. Workers that wait overlap however short their shares are.
fn max_computing_workers(cells: &[PlannedCell], facts: &[WorkloadFacts]) -> u32 {
    let computes = |planned: &&PlannedCell| {
        let workload = facts.iter().find(|facts| facts.name == planned.cell.workload);
        planned.skipped.is_none() && workload.is_some_and(|facts| facts.kind != WorkloadKind::Io)
    };
    let counts = cells.iter().filter(computes).map(|planned| planned.cell.workers);
    counts.max().unwrap_or(WORKERS_IF_ALL_WAIT)
}

fn all_are_skipped(cells: &[PlannedCell]) -> bool {
    cells.iter().all(|planned| planned.skipped.is_some())
}

/// Warns if the control group may use fewer CPUs' worth of time than there are PUs.
fn quota_warning(placer: &Placer, machine: &MachineFacts) -> Option<Warning> {
    let quota = machine.cpu_quota?;
    let pus = machine.topology.allowed_pus.len();
    let message = format!(
        "the control group may use {quota} CPUs' worth of time on {pus} PUs; workers that compute go up to {}",
        placer.limit()
    );
    (quota < pus as f64).then(|| Warning::of_run(WarningKind::CpuQuota, message))
}

/// A seed from the system, small enough to be typed and to survive JSON readers that have only floats.
fn random_seed() -> Result<u64, SystemError> {
    SysRng
        .try_next_u32()
        .map(u64::from)
        .map_err(io::Error::other)
        .map_err(SystemError::of("get a random number", "give a --seed"))
}

/// The environment of every trial: a part of the user's, and what the command line sets.
fn trial_environment(arguments: &RunRequest, assets: &Assets) -> BTreeMap<String, String> {
    let mut environment = environment::of_this_process(&assets.worker);
    environment.extend(variables(arguments));
    environment
}

fn variables(arguments: &RunRequest) -> impl Iterator<Item = (String, String)> {
    let pair = |variable: &Variable| (variable.name.clone(), variable.value.clone());
    arguments.env.iter().map(pair)
}
