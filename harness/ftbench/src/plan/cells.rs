//! Which cells a run has.

use pep440_rs::VersionSpecifiers;

use super::buildable::{cannot_embed, cannot_extend, in_minor_series, version};
use super::placement::{PlacementError, Placer, Sharing};
use ftbench_schema::{
    Cell, Curve, Host, Implementation, InterpreterFacts, Model, PlannedCell, WorkloadFacts, WorkloadKind,
};

/// A workload and what decides on its cells.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// The workload.
    pub workload: &'a WorkloadFacts,
    /// Versions of Python that it runs on.
    pub requires_python: &'a VersionSpecifiers,
}

/// What a run is asked for.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The interpreters, in the order of the tables.
    pub interpreters: &'a [InterpreterFacts],
    /// Tag of the one whose `serial` cells others are compared with.
    pub baseline: &'a str,
    /// What interpreters run in.
    pub hosts: &'a [Host],
    /// The versions of the code, the one that others are compared with first; none for the code as it is.
    pub arms: &'a [String],
    /// Whether there is a cargo, to build extensions with.
    pub has_cargo: bool,
    /// The models asked for; `None` for those that make sense for each workload.
    pub models: Option<&'a [Model]>,
    /// Gives workers their PUs.
    pub placer: &'a Placer,
    /// Numbers of workers, for workloads that compute and for those that wait.
    pub counts: WorkerCounts<'a>,
}

/// Numbers of workers.
#[derive(Debug, Clone, Copy)]
pub struct WorkerCounts<'a> {
    /// Of workloads whose workers need a core each.
    pub computing: &'a [u32],
    /// Of workloads whose workers mostly wait.
    pub waiting: &'a [u32],
}

/// Lays out the cells: workload by workload, interpreter by interpreter, host by host, arm by arm, model by model, workers
/// growing.
///
/// One worker is always among the counts, for speedup is relative to it, and the baseline's `serial` cell is always
/// among the cells. The ceiling's cells are the last ones of their workload.
///
/// # Errors
/// When workers find no PU.
pub fn cells(candidates: &[Candidate<'_>], wanted: &Wanted<'_>) -> Result<Vec<PlannedCell>, PlacementError> {
    let mut cells = Vec::new();
    for candidate in candidates {
        let first = cells.len();
        for interpreter in wanted.interpreters {
            for (host, arm) in hosts_and_arms(wanted) {
                for model in models(candidate.workload, interpreter, wanted) {
                    for workers in counts(model, candidate.workload.kind, wanted) {
                        let place = Place {
                            interpreter,
                            host,
                            arm,
                            model,
                        };
                        cells.push(planned(candidate, &place, workers, wanted)?);
                    }
                }
            }
        }
        let own = cells.get(first..).unwrap_or_default();
        let ceiling = ceiling(candidate.workload, own, wanted)?;
        cells.extend(ceiling);
    }
    Ok(cells)
}

/// The ceiling's cells of a workload that has one: with as many workers, on the same PUs, as the live cells of models
/// whose workers have a core each.
fn ceiling(
    workload: &WorkloadFacts,
    own: &[PlannedCell],
    wanted: &Wanted<'_>,
) -> Result<Vec<PlannedCell>, PlacementError> {
    let spread = |planned: &&PlannedCell| {
        let model = planned.cell.model;
        planned.skipped.is_none() && model != Model::Serial && !model.shares_one_thread()
    };
    let mut counts: Vec<u32> = own
        .iter()
        .filter(spread)
        .map(|planned| planned.cell.workers)
        .collect();
    counts.sort_unstable();
    counts.dedup();
    let is_wanted = workload.ceiling.is_some() && counts.iter().any(|&workers| workers > 1);
    counts.retain(|_| is_wanted);
    let native = |workers| {
        Ok(PlannedCell {
            cell: Curve::native(&workload.name).with_workers(workers),
            placement: wanted.placer.place(workers, sharing(workload.kind))?,
            skipped: None,
        })
    };
    counts.into_iter().map(native).collect()
}

/// Whether workers of this kind of workload may share a PU: they wait most of the time.
#[must_use]
pub const fn sharing(kind: WorkloadKind) -> Sharing {
    match kind {
        WorkloadKind::Io => Sharing::Shared,
        WorkloadKind::Cpu | WorkloadKind::Mixed | WorkloadKind::Shared | WorkloadKind::Memory => {
            Sharing::Exclusive
        }
    }
}

/// The models that make sense for a workload that does not say.
fn usual_models(kind: WorkloadKind) -> Vec<Model> {
    match kind {
        WorkloadKind::Io | WorkloadKind::Mixed => {
            vec![
                Model::Serial,
                Model::Threads,
                Model::Processes,
                Model::Interpreters,
                Model::Asyncio,
                Model::AsyncioThreads,
            ]
        }
        WorkloadKind::Cpu | WorkloadKind::Shared | WorkloadKind::Memory => {
            vec![
                Model::Serial,
                Model::Threads,
                Model::Processes,
                Model::Interpreters,
            ]
        }
    }
}

/// What a cell is made of besides workload and workers.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    interpreter: &'a InterpreterFacts,
    host: Host,
    arm: Option<&'a str>,
    model: Model,
}

/// Each host with each arm.
fn hosts_and_arms<'a>(wanted: &Wanted<'a>) -> Vec<(Host, Option<&'a str>)> {
    let mut hosts = wanted.hosts.to_vec();
    hosts.sort_unstable();
    hosts.dedup();
    let mut arms: Vec<Option<&str>> = wanted.arms.iter().map(|arm| Some(arm.as_str())).collect();
    if arms.is_empty() {
        arms.push(None);
    }
    let with_arms = |host: Host| arms.iter().map(move |arm| (host, *arm));
    hosts.into_iter().flat_map(with_arms).collect()
}

fn models(workload: &WorkloadFacts, interpreter: &InterpreterFacts, wanted: &Wanted<'_>) -> Vec<Model> {
    let mut models = match wanted.models {
        Some(models) => models.to_vec(),
        None if workload.models.is_empty() => usual_models(workload.kind),
        None => workload.models.clone(),
    };
    if interpreter.tag == wanted.baseline {
        models.push(Model::Serial);
    }
    models.sort_unstable();
    models.dedup();
    models
}

fn counts(model: Model, kind: WorkloadKind, wanted: &Wanted<'_>) -> Vec<u32> {
    if model == Model::Serial {
        return vec![1];
    }
    let given = match sharing(kind) {
        Sharing::Exclusive => wanted.counts.computing,
        Sharing::Shared => wanted.counts.waiting,
    };
    let mut counts = vec![1];
    counts.extend_from_slice(given);
    counts.sort_unstable();
    counts.dedup();
    counts
}

fn planned(
    candidate: &Candidate<'_>,
    place: &Place<'_>,
    workers: u32,
    wanted: &Wanted<'_>,
) -> Result<PlannedCell, PlacementError> {
    let placement = if place.model.shares_one_thread() {
        // The tasks of one event loop run in one thread, on one PU.
        wanted
            .placer
            .place(1, Sharing::Exclusive)?
            .repeat(usize::try_from(workers).unwrap_or(1))
    } else {
        let sharing = sharing(candidate.workload.kind);
        if sharing == Sharing::Exclusive {
            wanted.placer.check_quota(workers)?;
        }
        wanted.placer.place(workers, sharing)?
    };
    Ok(PlannedCell {
        cell: Cell {
            curve: Curve {
                interpreter: place.interpreter.tag.clone(),
                host: place.host,
                workload: candidate.workload.name.clone(),
                arm: place.arm.map(str::to_owned),
                model: place.model,
            },
            workers,
        },
        placement,
        skipped: skip_reason(candidate, place, wanted),
    })
}

fn skip_reason(candidate: &Candidate<'_>, place: &Place<'_>, wanted: &Wanted<'_>) -> Option<String> {
    let Place {
        interpreter,
        host,
        model,
        ..
    } = *place;
    if version(interpreter).is_some_and(|version| !candidate.requires_python.contains(&version)) {
        return Some(format!("it requires Python {}", candidate.requires_python));
    }
    if model == Model::Interpreters && !has_interpreter_pool(interpreter) {
        return Some(format!(
            "{} has no InterpreterPoolExecutor; CPython has it from 3.{FIRST_INTERPRETER_POOL_MINOR} on",
            interpreter.tag
        ));
    }
    let named = &candidate.workload.models;
    let makes_sense = named.is_empty()
        || model == Model::Serial
        || named
            .iter()
            .any(|named| *named == model || *named == model.family());
    if !makes_sense {
        let names: Vec<&str> = named.iter().map(|model| model.name()).collect();
        return Some(format!("the workload names the models {} only", names.join(", ")));
    }
    let of_host = (host == Host::Embed)
        .then(|| cannot_embed(interpreter, model))
        .flatten();
    let of_extension = || {
        let is_needed = candidate.workload.extension.is_some();
        is_needed
            .then(|| cannot_extend(interpreter, wanted.has_cargo))
            .flatten()
    };
    of_host.or_else(of_extension)
}

/// The first minor version of Python 3 with `concurrent.futures.InterpreterPoolExecutor`
/// (<https://docs.python.org/3.14/whatsnew/3.14.html>).
const FIRST_INTERPRETER_POOL_MINOR: u64 = 14;

fn has_interpreter_pool(interpreter: &InterpreterFacts) -> bool {
    interpreter.implementation == Implementation::CPython
        && version(interpreter)
            .is_some_and(|version| in_minor_series(&version, |minor| minor >= FIRST_INTERPRETER_POOL_MINOR))
}

#[cfg(test)]
#[path = "cells_tests.rs"]
mod tests;
