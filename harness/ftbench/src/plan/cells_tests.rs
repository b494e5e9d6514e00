#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;
use crate::machine::topology::{Pu, Topology};
use crate::plan::placement::Policy;
use ftbench_schema::{CeilingFacts, CommandFacts, Kernel, ServerFacts};

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
    ftbench_fixtures::interpreters::interpreter(tag, "3.13.15")
}

fn workload(name: &str, kind: WorkloadKind, models: &[Model]) -> WorkloadFacts {
    WorkloadFacts {
        kind,
        models: models.to_vec(),
        units: None,
        ..ftbench_fixtures::records::workload(name)
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
    let request = PlanRequest {
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
        &request,
    )
    .unwrap()
}

fn shown(cells: &[PlannedCell]) -> Vec<String> {
    cells
        .iter()
        .map(|planned| {
            let cell = &planned.cell;
            let skipped = if planned.skipped.is_some() { " skipped" } else { "" };
            format!(
                "{} {} {} on {:?}{skipped}",
                cell.interpreter, cell.model, cell.workers, planned.placement
            )
        })
        .collect()
}

#[test]
fn one_worker_and_the_baselines_serial_cell_are_always_planned() {
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
fn work_that_divides_itself_has_internal_cells_instead_of_threads() {
    let fib = workload("fib", WorkloadKind::Cpu, &[]);
    let cells = with_internal(plan(&fib, None, ">=3.9"), "fib");
    let expected = [
        "3.13 serial 1 on [0]",
        "3.13 internal 1 on [0]",
        "3.13 internal 2 on [0, 1]",
        "3.13t serial 1 on [0]",
        "3.13t internal 1 on [0]",
        "3.13t internal 2 on [0, 1]",
    ];
    assert_eq!(shown(&cells), expected);
    let others = plan(&fib, None, ">=3.9");
    assert_eq!(with_internal(others.clone(), "nbody"), others);
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
    // With one thread only, or with nothing measured, there is no ceiling.
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
fn unsupported_models_and_versions_are_skipped_with_a_reason() {
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
fn each_host_has_its_own_cells_and_the_embedded_one_skips_other_models() {
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
    fn no_cell_is_planned_twice(models in prop::collection::vec(0..Model::ALL.len(), 1..6)) {
        let models: Vec<Model> = models.into_iter().filter_map(|index| Model::ALL.get(index).copied()).collect();
        let fib = workload("fib", WorkloadKind::Io, &[]);
        let cells = plan(&fib, Some(&models), ">=3.9");
        let mut distinct: Vec<_> = cells.iter().map(|planned| planned.cell.clone()).collect();
        distinct.sort();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), cells.len());
    }
}

#[test]
fn clients_run_beside_their_servers_and_a_warning_says_where_they_cannot() {
    let mut measured = workload("client.py", WorkloadKind::Cpu, &[Model::Internal]);
    measured.ceiling = Some(CeilingFacts::of(Kernel::Integer));
    measured.command = Some(CommandFacts {
        line: "client.py {port}".to_owned(),
        expected_output: None,
        figures: Vec::new(),
        server: Some(ServerFacts {
            line: "server.py {port}".to_owned(),
            ready: "tcp://localhost:{port}".to_owned(),
        }),
    });
    let cells = plan(&measured, None, ">=3.9");
    let of_workers = |workers: u32| {
        cells
            .iter()
            .filter(move |planned| planned.cell.workers == workers)
    };
    for planned in of_workers(1).filter(|planned| !planned.cell.is_native()) {
        assert_eq!(
            (planned.placement.as_slice(), planned.client_placement.as_slice()),
            (&[0][..], &[1][..])
        );
    }
    assert!(of_workers(2).count() > 0);
    assert!(of_workers(2).all(|planned| planned.client_placement.is_empty()));
    assert!(cells.iter().any(|planned| planned.cell.is_native()));
    let warning = clients_without_pus(&cells, std::slice::from_ref(&measured)).unwrap();
    assert_eq!(warning.workloads, ["client.py"]);
    assert!(
        warning.message.starts_with("servers on 2 PUs leave no PU"),
        "{}",
        warning.message
    );
    let alone: Vec<PlannedCell> = of_workers(1).cloned().collect();
    assert_eq!(clients_without_pus(&alone, std::slice::from_ref(&measured)), None);
    measured.command = None;
    assert_eq!(clients_without_pus(&cells, &[measured]), None);
}
