//! Lays out the cells of a run.

use pep440_rs::VersionSpecifiers;

use super::buildable::{cannot_embed, cannot_extend, in_minor_series, version};
use super::placement::{PlacementError, Placer, Sharing};
use ftbench_schema::text::counted;
use ftbench_schema::{
    Cell, Curve, Host, Implementation, InterpreterFacts, Model, PlannedCell, Warning, WarningKind,
    WorkloadFacts, WorkloadKind,
};

/// A workload, and what decides which cells it has.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// The workload.
    pub workload: &'a WorkloadFacts,
    /// Versions of Python that it runs on.
    pub requires_python: &'a VersionSpecifiers,
}

/// What a run is to measure.
#[derive(Debug, Clone)]
pub struct PlanRequest<'a> {
    /// The interpreters, in the order of the tables.
    pub interpreters: &'a [InterpreterFacts],
    /// Tag of the interpreter with whose `serial` cells others are compared.
    pub baseline: &'a str,
    /// The hosts that interpreters run in.
    pub hosts: &'a [Host],
    /// The versions of the code, first the one that others are compared with; empty for the code as it is.
    pub arms: &'a [String],
    /// Whether cargo is available to build extensions.
    pub has_cargo: bool,
    /// The requested models; `None` for those that make sense for each workload.
    pub models: Option<&'a [Model]>,
    /// Gives workers their PUs.
    pub placer: &'a Placer,
    /// Numbers of workers, for workloads that compute and for those that wait.
    pub counts: WorkerCounts<'a>,
}

/// Numbers of workers.
#[derive(Debug, Clone, Copy)]
pub struct WorkerCounts<'a> {
    /// Numbers for workloads whose workers need a core each.
    pub computing: &'a [u32],
    /// Numbers for workloads whose workers mostly wait (kind `io`).
    pub waiting: &'a [u32],
}

/// Lays out the cells by workload, interpreter, host, arm, model and number of workers, in this order.
///
/// One worker is always among the counts, because speedup is relative to it, and the baseline's `serial` cell is always
/// among the cells. The ceiling's cells are the last ones of their workload.
///
/// # Errors
/// When there is no PU for a worker.
pub fn cells(
    candidates: &[Candidate<'_>],
    request: &PlanRequest<'_>,
) -> Result<Vec<PlannedCell>, PlacementError> {
    let mut cells = Vec::new();
    for candidate in candidates {
        let first = cells.len();
        for interpreter in request.interpreters {
            for (host, arm) in hosts_and_arms(request) {
                for model in models(candidate.workload, interpreter, request) {
                    for workers in counts(model, candidate.workload.kind, request) {
                        let variant = Variant {
                            interpreter,
                            host,
                            arm,
                            model,
                        };
                        cells.push(planned(candidate, &variant, workers, request)?);
                    }
                }
            }
        }
        let own = cells.get(first..).unwrap_or_default();
        let ceiling = ceiling(candidate.workload, own, request)?;
        cells.extend(ceiling);
    }
    Ok(cells)
}

/// The cells with those of one workload, which turned out to start threads of its own, as they are with the model `internal`:
/// that takes the place of threads, and no other model but the baseline's `serial` makes sense for it.
#[must_use]
pub fn with_internal(cells: Vec<PlannedCell>, workload: &str) -> Vec<PlannedCell> {
    let keep = |mut planned: PlannedCell| {
        let cell = &mut planned.cell;
        if cell.workload == workload && !cell.is_native() {
            match cell.model {
                Model::Serial => {}
                Model::Threads => cell.model = Model::Internal,
                _ => return None,
            }
        }
        Some(planned)
    };
    cells.into_iter().filter_map(keep).collect()
}

/// The ceiling's cells of a workload that has one: with as many workers, on the same PUs, as the live cells of models
/// whose workers have a core each.
fn ceiling(
    workload: &WorkloadFacts,
    own: &[PlannedCell],
    request: &PlanRequest<'_>,
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
            placement: request.placer.place(workers, sharing(workload.kind))?,
            client_placement: Vec::new(),
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

/// The models that make sense for a workload that names none.
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

/// The parts of a cell besides workload and workers.
#[derive(Debug, Clone, Copy)]
struct Variant<'a> {
    interpreter: &'a InterpreterFacts,
    host: Host,
    arm: Option<&'a str>,
    model: Model,
}

/// Each host with each arm.
fn hosts_and_arms<'a>(request: &PlanRequest<'a>) -> Vec<(Host, Option<&'a str>)> {
    let mut hosts = request.hosts.to_vec();
    hosts.sort_unstable();
    hosts.dedup();
    let mut arms: Vec<Option<&str>> = request.arms.iter().map(|arm| Some(arm.as_str())).collect();
    if arms.is_empty() {
        arms.push(None);
    }
    let with_arms = |host: Host| arms.iter().map(move |arm| (host, *arm));
    hosts.into_iter().flat_map(with_arms).collect()
}

fn models(workload: &WorkloadFacts, interpreter: &InterpreterFacts, request: &PlanRequest<'_>) -> Vec<Model> {
    let mut models = match request.models {
        Some(models) => models.to_vec(),
        None if workload.models.is_empty() => usual_models(workload.kind),
        None => workload.models.clone(),
    };
    if interpreter.tag == request.baseline {
        models.push(Model::Serial);
    }
    models.sort_unstable();
    models.dedup();
    models
}

fn counts(model: Model, kind: WorkloadKind, request: &PlanRequest<'_>) -> Vec<u32> {
    if model == Model::Serial {
        return vec![1];
    }
    let given = match sharing(kind) {
        Sharing::Exclusive => request.counts.computing,
        Sharing::Shared => request.counts.waiting,
    };
    let mut counts = vec![1];
    counts.extend_from_slice(given);
    counts.sort_unstable();
    counts.dedup();
    counts
}

fn planned(
    candidate: &Candidate<'_>,
    variant: &Variant<'_>,
    workers: u32,
    request: &PlanRequest<'_>,
) -> Result<PlannedCell, PlacementError> {
    let placement = if variant.model.shares_one_thread() {
        // The tasks of one event loop run in one thread, on one PU.
        request
            .placer
            .place(1, Sharing::Exclusive)?
            .repeat(usize::try_from(workers).unwrap_or(1))
    } else {
        let sharing = sharing(candidate.workload.kind);
        if sharing == Sharing::Exclusive {
            request.placer.check_quota(workers)?;
        }
        request.placer.place(workers, sharing)?
    };
    let client_placement = if has_server(candidate.workload) {
        request.placer.left_by(&placement)
    } else {
        Vec::new()
    };
    Ok(PlannedCell {
        cell: Cell {
            curve: Curve {
                interpreter: variant.interpreter.tag.clone(),
                host: variant.host,
                workload: candidate.workload.name.clone(),
                arm: variant.arm.map(str::to_owned),
                model: variant.model,
            },
            workers,
        },
        placement,
        client_placement,
        skipped: skip_reason(candidate, variant, request),
    })
}

/// Whether a workload is a command with a server, which has PUs apart from those of its client.
fn has_server(workload: &WorkloadFacts) -> bool {
    let command = workload.command.as_ref();
    command.is_some_and(|command| command.server.is_some())
}

/// Warns about the cells whose servers leave no PU to their clients.
#[must_use]
pub fn clients_without_pus(cells: &[PlannedCell], workloads: &[WorkloadFacts]) -> Option<Warning> {
    let shares = |planned: &&PlannedCell| {
        let cell = &planned.cell;
        let facts = workloads.iter().find(|facts| facts.name == cell.workload);
        planned.skipped.is_none()
            && !cell.is_native()
            && !planned.placement.is_empty()
            && planned.client_placement.is_empty()
            && facts.is_some_and(has_server)
    };
    let sharing: Vec<&Cell> = cells.iter().filter(shares).map(|planned| &planned.cell).collect();
    let min_workers = sharing.iter().map(|cell| cell.workers).min()?;
    let mut names: Vec<String> = sharing.iter().map(|cell| cell.workload.clone()).collect();
    names.dedup();
    let message = format!(
        "servers on {} leave no PU to their clients, which share the servers' PUs there and take time from them; \
         measure fewer workers (-n), or on a machine with more cores",
        counted(usize::try_from(min_workers).unwrap_or(usize::MAX), "PU"),
    );
    Some(Warning::of_workloads(
        WarningKind::ClientSharesPus,
        message,
        names,
    ))
}

fn skip_reason(
    candidate: &Candidate<'_>,
    variant: &Variant<'_>,
    request: &PlanRequest<'_>,
) -> Option<String> {
    let Variant {
        interpreter,
        host,
        model,
        ..
    } = *variant;
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
        return Some(format!(
            "the workload supports the models {} only",
            names.join(", ")
        ));
    }
    let host_reason = (host == Host::Embed)
        .then(|| cannot_embed(interpreter, model))
        .flatten();
    let extension_reason = || {
        let is_needed = candidate.workload.extension.is_some();
        is_needed
            .then(|| cannot_extend(interpreter, request.has_cargo))
            .flatten()
    };
    host_reason.or_else(extension_reason)
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
