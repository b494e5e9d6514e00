//! `ftbench fleet plan`.

use std::io;
use std::num::NonZeroU32;
use std::path::Path;

use itertools::Itertools;
use rand::TryRng;
use rand::rngs::SysRng;
use rayon::prelude::*;

use super::{print, remark};
use crate::archive::ArchiveError;
use crate::cli::{FleetPlanArgs, OutputOptions, RunRequest, ShardArgs};
use crate::command::command_line;
use crate::command::run::environments;
use crate::command::run::planned::{self, PlannedRun, Purpose};
use crate::error::{Error, ExitStatus, Failure, SystemError};
use crate::interpreter::archive;
use crate::plan::placement::Policy;
use crate::plan::placement::counts::Counts;
use crate::plan::shards::{Shards, divide};
use crate::record::fleet::{make_folder, write_plans};
use ftbench_schema::text::{self, counted};
use ftbench_schema::{
    BuildArchive, Curve, EnvironmentArchive, FleetPlan, FleetShard, InterpreterFacts, Manifest, ModuleFacts,
    SCHEMA_VERSION,
};

/// Why a fleet cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum FleetPlanError {
    /// A placement that names PUs of one machine.
    #[error("--pin {0} names PUs, which differ between machines; use cores, scatter, smt or none")]
    Pus(String),
}

impl Failure for FleetPlanError {}

/// Writes the plan files of a fleet.
pub fn plan(arguments: &FleetPlanArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let (mut plans, planned) = plans(arguments.shards, &arguments.division, output)?;
    make_folder(&arguments.out)?;
    if arguments.division.archive {
        write_archives(&mut plans, &planned, &arguments.out, output)?;
    }
    for path in write_plans(&arguments.out, &plans)? {
        print(&format!("{}\n", path.display()))?;
    }
    remark(output, &summary(&plans));
    Ok(ExitStatus::Success)
}

/// Plans the shards of a new fleet. Interpreters and code are those of this machine. Also returns what was divided.
pub fn plans(
    shards: u32,
    division: &ShardArgs,
    output: OutputOptions,
) -> Result<(Vec<FleetPlan>, PlannedRun), Error> {
    let mut request = RunRequest::of_words(&division.run)?;
    if let list @ Policy::List(_) = &request.pin {
        return Err(FleetPlanError::Pus(list.to_string()).into());
    }
    let workers = request.workers.take().map(|counts| counts.to_string());
    // This machine may be smaller than those that measure: with two workers, every curve has a cell.
    request.pin = Policy::None;
    request.workers = Some(Counts::exactly(NonZeroU32::MIN.saturating_add(1)));
    let planned = planned::plan(&request, None, Purpose::Measure, output)?;
    let manifest = &planned.manifest;
    for warning in &manifest.warnings {
        remark(output, &format!("warning: {}", warning.message));
    }
    let shape = division.shape.into();
    let Shards { curves, reference } = divide(&manifest.plan, &manifest.workloads, shape, shards)?;
    let fleet = identifier()?;
    let plan = |(shard, curves)| {
        let shard = FleetShard {
            fleet: fleet.clone(),
            shape,
            shard,
            shards,
            reference: reference.clone(),
        };
        of_shard(shard, curves, workers.clone(), division, manifest)
    };
    Ok(((0..).zip(curves).map(plan).collect(), planned))
}

/// Writes archives of the interpreters and packages of these plans into a folder, and names them in the plans.
pub fn write_archives(
    plans: &mut [FleetPlan],
    planned: &PlannedRun,
    folder: &Path,
    output: OutputOptions,
) -> Result<(), Error> {
    let interpreters = planned.manifest.interpreters.iter();
    // Variants of a build share its executable.
    let builds: Vec<&InterpreterFacts> = interpreters.unique_by(|facts| &facts.path).collect();
    let archives: Vec<BuildArchive> = builds
        .into_par_iter()
        .map(|facts| archive::write(facts, folder))
        .collect::<Result<_, ArchiveError>>()?;
    let environments = environments::obtain_all(planned, output)?;
    let environments: Vec<EnvironmentArchive> = environments
        .par_iter()
        .map(|(wanted, environment)| environment.archive(wanted, folder))
        .collect::<Result<_, ArchiveError>>()?;
    for plan in plans {
        plan.archives.clone_from(&archives);
        plan.environments.clone_from(&environments);
    }
    Ok(())
}

fn of_shard(
    shard: FleetShard,
    curves: Vec<Curve>,
    workers: Option<String>,
    division: &ShardArgs,
    planned: &Manifest,
) -> FleetPlan {
    let is_measured = |name: &str| curves.iter().any(|curve| curve.workload == name);
    let workloads = planned.workloads.iter().filter(|facts| is_measured(&facts.name));
    FleetPlan {
        schema: SCHEMA_VERSION,
        shard,
        ftbench_version: planned.ftbench_version.clone(),
        created_at: planned.started_at.clone(),
        command_line: command_line(),
        options: division.run.clone(),
        seed: planned.seed,
        workers,
        stopping: planned.plan.settings.stopping,
        baseline: planned.plan.baseline.clone(),
        builds: division.builds.into(),
        interpreters: planned.interpreters.clone(),
        workloads: workloads.cloned().collect(),
        arms: planned.arms.clone(),
        modules: planned.modules.iter().flatten().map(ModuleFacts::clone).collect(),
        curves,
        archives: Vec::new(),
        environments: Vec::new(),
    }
}

/// An identifier that no other fleet has.
fn identifier() -> Result<String, SystemError> {
    SysRng
        .try_next_u64()
        .map(|number| format!("{number:016x}"))
        .map_err(io::Error::other)
        .map_err(SystemError::of("get a random number", "try again"))
}

/// What was planned, in one line for each shard that differs from the others.
fn summary(plans: &[FleetPlan]) -> String {
    let Some(first) = plans.first() else {
        return String::new();
    };
    let names = |plan: &FleetPlan| {
        let names = plan.curves.iter().map(|curve| curve.workload.as_str()).unique();
        let own = names.filter(|name| Some(*name) != plan.shard.reference.as_deref());
        own.map(text::line).join(", ")
    };
    let of_fleet = format!("fleet {}", first.shard.fleet);
    match &first.shard.reference {
        None => format!(
            "{of_fleet}: each of {} measures {} of {}",
            counted(plans.len(), "machine"),
            counted(first.curves.len(), "curve"),
            counted(first.workloads.len(), "workload")
        ),
        Some(reference) => {
            let shards = plans.iter().map(|plan| {
                let curves = counted(plan.curves.len(), "curve");
                format!("\n  shard {}: {curves}; {}", plan.shard.shard, names(plan))
            });
            let reference = text::line(reference);
            format!(
                "{of_fleet}; every shard has the reference cells of {reference}{}",
                shards.collect::<String>()
            )
        }
    }
}
