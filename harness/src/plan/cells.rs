//! Which cells a run has.

use pep440_rs::VersionSpecifiers;

use super::buildable::{cannot_embed, cannot_extend, in_minor_series, version};
use super::placement::{PlacementError, Placer, Sharing};
use crate::record::schema::{
    Cell, Host, Implementation, InterpreterFacts, Model, NATIVE, PlannedCell, WorkloadFacts, WorkloadKind,
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
            cell: Cell {
                interpreter: NATIVE.to_owned(),
                host: Host::Spawn,
                workload: workload.name.clone(),
                arm: None,
                model: Model::Threads,
                workers,
            },
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
            interpreter: place.interpreter.tag.clone(),
            host: place.host,
            workload: candidate.workload.name.clone(),
            arm: place.arm.map(str::to_owned),
            model: place.model,
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::machine::topology::{Pu, Topology};
    use crate::plan::placement::Policy;
    use crate::present::made_up;
    use crate::record::schema::{CeilingFacts, Kernel};

    fn two_cores() -> Topology {
        let pu = |index| Pu {
            os_index: index,
            core: index,
            package: 0,
            die: None,
            numa_node: 0,
            cache: None,
            smt_rank: 0,
            efficiency: 0,
            allowed: true,
        };
        Topology {
            pus: vec![pu(0), pu(1)],
            packages: 1,
            numa_nodes: 1,
            cores: 2,
            is_this_system: true,
        }
    }

    fn interpreter(tag: &str) -> InterpreterFacts {
        made_up::interpreter(tag, "3.13.15")
    }

    fn workload(name: &str, kind: WorkloadKind, models: &[Model]) -> WorkloadFacts {
        WorkloadFacts {
            name: name.to_owned(),
            kind,
            summary: String::new(),
            models: models.to_vec(),
            dependencies: vec![],
            path: String::new(),
            source: String::new(),
            shows: String::new(),
            sha256: String::new(),
            case: None,
            callable: None,
            extension: None,
            units: None,
            failure: None,
            ceiling: None,
        }
    }

    fn plan(workload: &WorkloadFacts, models: Option<&[Model]>, requires: &str) -> Vec<PlannedCell> {
        plan_in(&[Host::Spawn], &[], workload, models, requires)
    }

    fn plan_in(
        hosts: &[Host],
        arms: &[String],
        workload: &WorkloadFacts,
        models: Option<&[Model]>,
        requires: &str,
    ) -> Vec<PlannedCell> {
        let interpreters = [interpreter("3.13"), interpreter("3.13t")];
        let placer = Placer::new(&two_cores(), Policy::Cores, None).unwrap();
        let wanted = Wanted {
            interpreters: &interpreters,
            baseline: "3.13",
            hosts,
            arms,
            has_cargo: false,
            models,
            placer: &placer,
            counts: WorkerCounts {
                computing: &[2],
                waiting: &[4],
            },
        };
        let requires_python = requires.parse().unwrap();
        cells(
            &[Candidate {
                workload,
                requires_python: &requires_python,
            }],
            &wanted,
        )
        .unwrap()
    }

    fn shown(cells: &[PlannedCell]) -> Vec<String> {
        cells
            .iter()
            .map(|planned| {
                let Cell {
                    interpreter,
                    model,
                    workers,
                    ..
                } = &planned.cell;
                let skipped = if planned.skipped.is_some() { " skipped" } else { "" };
                format!(
                    "{interpreter} {model} {workers} on {:?}{skipped}",
                    planned.placement
                )
            })
            .collect()
    }

    #[test]
    fn one_worker_and_the_baselines_serial_cell_are_always_there() {
        let fib = workload("fib", WorkloadKind::Cpu, &[]);
        assert_eq!(
            shown(&plan(&fib, Some(&[Model::Threads]), ">=3.9")),
            [
                "3.13 serial 1 on [0]",
                "3.13 threads 1 on [0]",
                "3.13 threads 2 on [0, 1]",
                "3.13t threads 1 on [0]",
                "3.13t threads 2 on [0, 1]",
            ]
        );
    }

    #[test]
    fn the_ceiling_has_the_same_counts_and_pus() {
        let with_ceiling = |kind, models: &[Model]| WorkloadFacts {
            ceiling: Some(CeilingFacts::of(Kernel::Integer)),
            ..workload("fib", kind, models)
        };
        let native = |workload: &WorkloadFacts, models: &[Model], requires| {
            let mut cells = shown(&plan(workload, Some(models), requires));
            let first = cells.iter().position(|cell| cell.starts_with("native"));
            cells.split_off(first.unwrap_or(cells.len()))
        };
        let fib = with_ceiling(WorkloadKind::Cpu, &[]);
        let both = ["native threads 1 on [0]", "native threads 2 on [0, 1]"];
        assert_eq!(native(&fib, &[Model::Threads, Model::Processes], ">=3.9"), both);
        let mixed = with_ceiling(WorkloadKind::Mixed, &[]);
        assert_eq!(
            native(&mixed, &[Model::Asyncio, Model::AsyncioThreads], ">=3.9"),
            both
        );
        // One thread, or nothing measured: nothing to hold a ceiling over.
        for (model, requires) in [
            (Model::Serial, ">=3.9"),
            (Model::Asyncio, ">=3.9"),
            (Model::Threads, ">=3.14"),
        ] {
            assert!(native(&fib, &[model], requires).is_empty(), "{model} {requires}");
        }
        let serial_only = with_ceiling(WorkloadKind::Cpu, &[Model::Serial]);
        assert!(native(&serial_only, &[Model::Threads], ">=3.9").is_empty());
    }

    #[test]
    fn waiting_workers_share_pus_and_tasks_share_one() {
        let fetch = workload("fetch", WorkloadKind::Io, &[]);
        let cells = plan(&fetch, Some(&[Model::Threads, Model::Asyncio]), ">=3.9");
        assert!(
            shown(&cells).contains(&"3.13t threads 4 on [0, 1, 0, 1]".to_owned()),
            "{:?}",
            shown(&cells)
        );
        assert!(
            shown(&cells).contains(&"3.13t asyncio 4 on [0, 0, 0, 0]".to_owned()),
            "{:?}",
            shown(&cells)
        );
    }

    #[test]
    fn what_a_workload_cannot_do_is_skipped_with_a_reason() {
        let counter = workload("counter", WorkloadKind::Shared, &[Model::Serial, Model::Threads]);
        let cells = plan(&counter, Some(&[Model::ProcessesFork, Model::Threads]), ">=3.9");
        let skipped: Vec<_> = cells.iter().filter(|cell| cell.skipped.is_some()).collect();
        assert!(skipped.iter().all(|cell| cell.cell.model == Model::ProcessesFork) && skipped.len() == 4);
        let too_new = plan(&counter, None, ">=3.14");
        assert_eq!(
            too_new.first().unwrap().skipped.as_deref(),
            Some("it requires Python >=3.14")
        );
    }

    #[test]
    fn each_host_has_cells_of_its_own_and_the_embedded_one_only_its_models() {
        let fib = workload("fib", WorkloadKind::Cpu, &[]);
        let models = [Model::Threads, Model::Processes];
        let cells = plan_in(
            &[Host::Embed, Host::Spawn, Host::Embed],
            &[],
            &fib,
            Some(&models),
            ">=3.9",
        );
        let of = |host: Host, model: Model| {
            let cells = cells
                .iter()
                .filter(|planned| planned.cell.host == host && planned.cell.model == model);
            cells.map(|planned| planned.skipped.clone()).collect::<Vec<_>>()
        };
        assert_eq!(of(Host::Spawn, Model::Threads), [None, None, None, None]);
        assert_eq!(of(Host::Embed, Model::Threads), [None, None, None, None]);
        assert_eq!(of(Host::Embed, Model::Serial), [None]);
        assert_eq!(of(Host::Spawn, Model::Processes), [None, None, None, None]);
        let reasons = of(Host::Embed, Model::Processes);
        assert!(
            reasons.len() == 4
                && reasons
                    .iter()
                    .flatten()
                    .all(|reason| reason.contains("serial, threads, asyncio")),
            "{reasons:?}"
        );
        assert_eq!(cells.first().unwrap().cell.host, Host::Spawn);
    }

    #[test]
    fn each_arm_has_every_cell_and_the_ceiling_none() {
        let fib = WorkloadFacts {
            ceiling: Some(CeilingFacts::of(Kernel::Integer)),
            ..workload("fib", WorkloadKind::Cpu, &[])
        };
        let arms = ["base", "new"].map(str::to_owned);
        let cells = plan_in(&[Host::Spawn], &arms, &fib, Some(&[Model::Threads]), ">=3.9");
        let labels: Vec<String> = cells.iter().map(|planned| planned.cell.to_string()).collect();
        assert_eq!(
            labels,
            [
                "fib 3.13 base serial x1",
                "fib 3.13 base threads x1",
                "fib 3.13 base threads x2",
                "fib 3.13 new serial x1",
                "fib 3.13 new threads x1",
                "fib 3.13 new threads x2",
                "fib 3.13t base threads x1",
                "fib 3.13t base threads x2",
                "fib 3.13t new threads x1",
                "fib 3.13t new threads x2",
                "fib native threads x1",
                "fib native threads x2",
            ]
        );
    }

    #[test]
    fn without_cargo_a_workload_with_an_extension_is_skipped() {
        let extended = WorkloadFacts {
            extension: Some("/in_rust".to_owned()),
            ..workload("calls", WorkloadKind::Cpu, &[])
        };
        let cells = plan(&extended, Some(&[Model::Threads]), ">=3.9");
        assert!(
            cells.iter().all(|planned| planned
                .skipped
                .as_ref()
                .is_some_and(|reason| reason.contains("rustup.rs"))),
            "{cells:?}"
        );
    }

    proptest! {
        #[test]
        fn no_cell_twice(models in prop::collection::vec(0..Model::ALL.len(), 1..6)) {
            let models: Vec<Model> = models.into_iter().filter_map(|index| Model::ALL.get(index).copied()).collect();
            let fib = workload("fib", WorkloadKind::Io, &[]);
            let cells = plan(&fib, Some(&models), ">=3.9");
            let mut distinct: Vec<_> = cells.iter().map(|planned| planned.cell.clone()).collect();
            distinct.sort();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), cells.len());
        }
    }
}
