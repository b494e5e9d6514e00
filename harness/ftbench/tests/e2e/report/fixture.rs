//! A synthetic run folder, with names that try to break out of a page.

use std::path::{Path, PathBuf};

use ftbench_fixtures::records::{cell_of, empty_trial, manifest, place_on_cores, sample, workload};
use ftbench_schema::{
    Cell, Disturbance, Manifest, Memory, Model, Noise, Sample, Source, Trial, TrialStatus, Warning,
    WarningKind, WorkloadFacts,
};

/// Sets a mark on the window if it is ever executed.
pub const SCRIPT: &str = "<script>window.broken=1</script>";
/// Tries to close the element that holds the data of the charts.
pub const END: &str = "</script><script>window.broken=1</script><!--";
/// Tries to break out of an attribute.
pub const ATTRIBUTE: &str = "\" onmouseover=\"window.broken=1\" autofocus onfocus=\"window.broken=1\" x=\"'><img src=x onerror=window.broken=1>";

/// The numbers of workers of every curve.
pub const WORKERS: [u32; 4] = [1, 2, 4, 8];
/// The number of rounds, enough for intervals.
pub const ROUNDS: u32 = 6;

/// The names of the workloads, in the order of the plan.
pub fn workloads() -> [String; 3] {
    [
        "fib".to_owned(),
        format!("{SCRIPT}{ATTRIBUTE}"),
        "broken".to_owned(),
    ]
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for workload in workloads() {
        for interpreter in ["3.13", "3.13t"] {
            cells.push(cell_of(&workload, interpreter, Model::Serial, 1));
            for model in [Model::Threads, Model::Processes, Model::Interpreters] {
                cells.extend(WORKERS.map(|workers| cell_of(&workload, interpreter, model, workers)));
            }
        }
    }
    cells
}

fn hostile_manifest(cells: &[Cell]) -> Manifest {
    let mut made = manifest(cells);
    place_on_cores(&mut made, 8);
    made.command_line.push(END.to_owned());
    made.ended_at = Some("2026-01-01T00:10:00Z".to_owned());
    made.machine.hostname = END.to_owned();
    made.machine.cpu_model = SCRIPT.to_owned();
    made.machine.os = ATTRIBUTE.to_owned();
    for interpreter in &mut made.interpreters {
        interpreter.path = format!("/python/{END}");
        interpreter.build.compiler = ATTRIBUTE.to_owned();
    }
    made.workloads = workloads()
        .map(|name| WorkloadFacts {
            summary: format!("{SCRIPT} sums"),
            dependencies: vec![END.to_owned()],
            source: "javascript:window.broken=1 and https://example.org/paper".to_owned(),
            shows: ATTRIBUTE.to_owned(),
            sha256: "0123456789abcdef".to_owned(),
            ..workload(&name)
        })
        .to_vec();
    made.plan.settings.pin = SCRIPT.to_owned();
    made.plan.settings.stopping.max_rounds = ROUNDS;
    for planned in &mut made.plan.cells {
        if planned.cell.model == Model::Interpreters {
            planned.skipped = Some(format!("{} has none {SCRIPT}", planned.cell.interpreter));
        }
    }
    made.environment.insert("PATH".to_owned(), END.to_owned());
    made.sources = vec![Source {
        name: "steal".to_owned(),
        readable: true,
        from: Some(SCRIPT.to_owned()),
        reason: None,
    }];
    made.warnings = vec![Warning::of_run(
        WarningKind::BuildsDiffer,
        format!("{SCRIPT}{ATTRIBUTE}"),
    )];
    made
}

/// The makespan of a sample: threads scale on the free-threaded build and do not on the other.
fn makespan_ns(cell: &Cell, round: u32, number: u32) -> u64 {
    let is_free_threaded = cell.interpreter == "3.13t";
    let one_ns = if is_free_threaded {
        130_000_000
    } else {
        100_000_000
    };
    let scales = cell.model == Model::Processes || (cell.model == Model::Threads && is_free_threaded);
    let workers = u64::from(cell.workers);
    let share_ns = if scales {
        one_ns / workers
    } else {
        one_ns + 1_000_000 * (workers - 1)
    };
    // A ripple that differs from cell to cell, so that intervals have a width.
    let ripple = u64::from((round * 7 + number * 3 + cell.workers * 5) % 11);
    share_ns + share_ns * ripple / 500
}

fn trial(number: u64, round: u32, cell: &Cell) -> Trial {
    let disturbed_by = if round == 1 {
        vec![Disturbance::Others]
    } else {
        vec![]
    };
    let noisy = |number: u32| {
        let mut made = Sample {
            noise: Some(Noise {
                interval_ns: 200_000_000,
                pus: vec![0],
                steal_ns: Some(0),
                others_ns: Some(0),
                disturbed_by: disturbed_by.clone(),
                ..Noise::default()
            }),
            ..sample(cell, number, makespan_ns(cell, round, number))
        };
        if cell.workload == "fib" {
            made.reported.insert(SCRIPT.to_owned(), 0.25 * f64::from(number));
        }
        made
    };
    let made = Trial {
        trial: number,
        round,
        placement: (0..cell.workers).collect(),
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        startup_ns: Some(1_000_000),
        memory: Some(Memory {
            pss_peak_bytes: Some(20_000_000),
            ..Memory::default()
        }),
        ..empty_trial(cell)
    };
    if cell.workload == "broken" && cell.model == Model::Threads {
        return Trial {
            status: TrialStatus::Failed,
            reason: Some(format!("ValueError: {SCRIPT}")),
            output_tail: Some(format!(
                "Traceback (most recent call last):\n  File \"broken.py\"\n{END}"
            )),
            ..made
        };
    }
    Trial {
        samples: (0..4).map(noisy).collect(),
        ..made
    }
}

/// Writes the run folder below `below` and returns its path.
pub fn run_folder(below: &Path) -> PathBuf {
    let folder = below.join("run <b>1");
    std::fs::create_dir_all(&folder).unwrap();
    let manifest = hostile_manifest(&cells());
    std::fs::write(folder.join("run.json"), serde_json::to_string(&manifest).unwrap()).unwrap();
    let measured: Vec<&Cell> = manifest
        .plan
        .cells
        .iter()
        .filter(|planned| planned.skipped.is_none())
        .map(|planned| &planned.cell)
        .collect();
    let in_rounds = (0..ROUNDS).flat_map(|round| measured.iter().map(move |cell| (round, cell)));
    let lines: String = (0..)
        .zip(in_rounds)
        .map(|(number, (round, cell))| serde_json::to_string(&trial(number, round, cell)).unwrap() + "\n")
        .collect();
    std::fs::write(folder.join("trials.jsonl"), lines).unwrap();
    folder
}
