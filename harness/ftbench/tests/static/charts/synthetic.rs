//! Synthetic results of a run on 128 cores: every number is computed, none is measured.

use std::collections::BTreeMap;

use ftbench_fixtures::interpreters::interpreter;
use ftbench_fixtures::records::cell_of;
use ftbench_fixtures::summaries::{self, usl};
use ftbench_schema::{
    CellStatus, CellSummary, CurveLaws, Disturbance, Estimate, GilState, InterpreterFacts, Law, LawFit,
    LimitCause, Model, NATIVE, Overhead, Summary, Trial,
};

const TAGS: [&str; 4] = ["3.13", "3.13t", "3.14", "3.14t"];
const COUNTS: [u32; 9] = [1, 2, 4, 8, 16, 32, 64, 96, 128];
const WORKLOADS: [&str; 45] = [
    "nbody",
    "fib",
    "mandelbrot",
    "spectral_norm",
    "fannkuch",
    "nqueens",
    "sudoku",
    "sha256",
    "zlib_compress",
    "json_parse",
    "json_dump",
    "csv_rows",
    "regex_scan",
    "word_count",
    "sort_strings",
    "sort_integers",
    "binary_trees",
    "dict_build",
    "dict_read",
    "list_append",
    "set_union",
    "deque_rotate",
    "heap_push",
    "lru_cache",
    "string_join",
    "string_format",
    "bytes_translate",
    "unicode_fold",
    "decimal_pi",
    "fraction_sum",
    "float_sum",
    "integer_power",
    "matrix_multiply",
    "prime_sieve",
    "collatz",
    "levenshtein",
    "huffman",
    "ray_trace",
    "game_of_life",
    "graph_search",
    "shared_counter",
    "shared_dict_write",
    "queue_exchange",
    "http_fetch",
    "sqlite",
];

/// An evenly distributed number in 0..1, the same every time: a multiple of the golden ratio.
fn spread(number: usize) -> f64 {
    (u32::try_from(number).map_or(0.0, f64::from) * 0.618_033_988_75).fract()
}

fn estimate(value: f64, share: f64) -> Estimate {
    summaries::estimate(value, 100.0 * share)
}

/// Serial fraction and crosstalk of a model on an interpreter.
fn law_of(workload: usize, tag: &str, model: Model) -> [f64; 2] {
    let free = tag.ends_with('t');
    let newer = if tag.starts_with("3.14") { 0.5 } else { 1.0 };
    let bad = if workload >= 40 {
        0.4
    } else {
        0.03 * spread(workload)
    };
    match (model, free) {
        (Model::Threads, true) => [(0.003 + bad) * newer, 0.000_03 * newer],
        (Model::Threads, false) if WORKLOADS.get(workload) == Some(&"http_fetch") => [0.02, 0.000_1],
        (Model::Threads, false) => [0.995 + 0.02 * spread(workload), 0.000_2],
        (Model::Interpreters, _) => [0.004 + bad * 0.3, 0.000_015],
        _ => [0.006 + bad * 0.5, 0.000_02],
    }
}

fn cell(template: &CellSummary, workload: usize, tag: &str, model: Model, workers: u32) -> CellSummary {
    let [serial, crosstalk] = law_of(workload, tag, model);
    let wobble = 1.0 + 0.01 * (spread(workload * 7 + workers as usize) - 0.5);
    let speedup = if workers == 1 {
        1.0
    } else {
        usl(workers, serial, crosstalk) * wobble
    };
    let slower = if tag.ends_with('t') {
        1.0 + 0.25 * spread(workload * 3)
    } else {
        1.0
    };
    let newer = if tag.starts_with("3.14") { 0.92 } else { 1.0 };
    let one_worker_s = 0.4 * slower * newer;
    let makespan_s = one_worker_s / speedup;
    let memory = match model {
        Model::Processes => 9e6 + 7e6 * f64::from(workers),
        _ => 1.1e7 + 4e5 * f64::from(workers),
    } * if tag.ends_with('t') { 1.2 } else { 1.0 };
    let speedup = (model != Model::Serial).then(|| estimate(speedup, if workers == 1 { 0.0 } else { 0.02 }));
    CellSummary {
        cell: cell_of(WORKLOADS[workload], tag, model, workers),
        gil: (tag != NATIVE).then(|| GilState::from_enabled(!tag.ends_with('t'))),
        placement: (0..workers).collect(),
        status: CellStatus::Ok,
        reason: None,
        rounds: 20,
        samples: 60,
        units: Some(1000),
        makespan_s: Some(estimate(makespan_s, 0.012)),
        units_per_s: estimate(makespan_s, 0.012).rate_of(1000.0),
        speedup,
        speedup_difference: None,
        vs_baseline: Some(estimate(0.4 / makespan_s, 0.015)),
        efficiency: speedup.map(|ratio| estimate(ratio.estimate / f64::from(workers), 0.02)),
        pss_peak_bytes: Some(estimate(memory, 0.01)),
        memory_peak_bytes: None,
        ..template.clone()
    }
}

fn laws(cell: &CellSummary, workload: usize) -> CurveLaws {
    let [serial, crosstalk] = law_of(workload, &cell.interpreter, cell.model);
    let speedup = cell.speedup.unwrap_or(estimate(1.0, 0.0));
    CurveLaws {
        rounds: 20,
        fits: vec![LawFit {
            law: Law::Usl,
            serial_fraction: estimate(serial, 0.1),
            crosstalk: Some(estimate(crosstalk, 0.1)),
            peak_workers: Some(estimate(
                ((1.0 - serial).max(0.0) / crosstalk).sqrt().max(1.0),
                0.1,
            )),
            speedup_limit: None,
            relative_error: 0.01,
        }],
        simplest_law: Some(Law::Usl),
        ..summaries::unfitted(cell.curve.clone(), &COUNTS, LimitCause::Crosstalk, speedup)
    }
}

/// 45 workloads on four interpreters; `nbody` at every number of workers, the others at 1 and 128.
pub fn summary(two_cores: &Summary) -> Summary {
    let mut made = two_cores.clone();
    let template = made
        .cells
        .iter()
        .find(|cell| cell.status == CellStatus::Ok)
        .unwrap()
        .clone();
    let mut cells = Vec::new();
    for workload in 0..WORKLOADS.len() {
        let counts = if workload == 0 { &COUNTS[..] } else { &[1, 128] };
        for tag in TAGS {
            for model in [
                Model::Serial,
                Model::Threads,
                Model::Processes,
                Model::Interpreters,
            ] {
                if model == Model::Interpreters && !tag.starts_with("3.14") {
                    continue;
                }
                let counts = if model == Model::Serial {
                    &counts[..1]
                } else {
                    counts
                };
                cells.extend(
                    counts
                        .iter()
                        .map(|workers| cell(&template, workload, tag, model, *workers)),
                );
            }
        }
        for workers in counts {
            let mut native = cell(&template, workload, NATIVE, Model::Threads, *workers);
            let speedup = usl(*workers, 0.000_5, 0.000_001);
            native.speedup = Some(estimate(speedup, 0.002));
            native.vs_baseline = None;
            cells.push(native);
        }
    }
    let failed = cells
        .iter_mut()
        .find(|cell| cell.workload == "sqlite" && cell.workers == 128);
    let failed = failed.unwrap();
    failed.status = CellStatus::TimedOut;
    (failed.makespan_s, failed.speedup, failed.efficiency) = (None, None, None);
    made.laws = cells
        .iter()
        .filter(|cell| cell.workload == "nbody" && cell.workers == 128 && cell.interpreter != NATIVE)
        .map(|cell| laws(cell, 0))
        .collect();
    made.free_threading_overhead = overheads();
    made.cells = cells;
    made.interpreters = interpreters();
    made.warnings.clear();
    made.run.started_at = "2026-11-21T08:00:00Z".to_owned();
    made.run.seed = 7;
    // Every picture shows this text where that of a real run names the processor.
    "synthetic data".clone_into(&mut made.machine.cpu_model);
    made.machine.os.clear();
    "many-cores".clone_into(&mut made.machine.hostname);
    made.machine.topology.cores = 128;
    made.machine.topology.pus = 256;
    made
}

/// The same results for a quarter of the cores.
pub fn fewer_cores(many_cores: &Summary) -> Summary {
    let mut made = many_cores.clone();
    made.cells.retain(|cell| cell.workers <= 32);
    for laws in &mut made.laws {
        laws.workers.retain(|workers| *workers <= 32);
        laws.fitted_up_to = Some(32);
    }
    "fewer-cores".clone_into(&mut made.machine.hostname);
    made.machine.topology.cores = 32;
    made.machine.topology.pus = 64;
    made
}

/// Interpreters without a build, so that no picture names one.
fn interpreters() -> Vec<InterpreterFacts> {
    TAGS.map(|tag| interpreter(tag, "")).to_vec()
}

fn overheads() -> Vec<Overhead> {
    let pairs = [("3.13", "3.13t", 1.0), ("3.14", "3.14t", 0.4)];
    let mut found = Vec::new();
    for (gil, free_threaded, share) in pairs {
        let overhead = |workload: Option<&str>, ratio: f64| Overhead {
            gil: gil.to_owned(),
            free_threaded: free_threaded.to_owned(),
            arm: None,
            workload: workload.map(str::to_owned),
            workloads: 1,
            ratio: estimate(ratio, 0.012),
        };
        let ratio = |workload: usize| 0.97 + share * (0.28 * spread(workload * 3 + 1));
        let names = WORKLOADS.iter().enumerate();
        found.extend(names.map(|(position, name)| overhead(Some(name), ratio(position))));
        found.push(overhead(None, 0.97 + share * 0.14));
    }
    found
}

/// Ten rounds of trials of `nbody`, one second apart, some of them disturbed.
pub fn trials(template: &Trial, summary: &Summary) -> Vec<Trial> {
    let of_workload = summary
        .cells
        .iter()
        .filter(|cell| cell.workload == "nbody" && cell.interpreter != NATIVE);
    let cells: Vec<&CellSummary> = of_workload.filter(|cell| cell.makespan_s.is_some()).collect();
    let mut made = Vec::new();
    for round in 0..10_u32 {
        for cell in &cells {
            let number = made.len();
            let (minutes, seconds) = (number / 60, number % 60);
            let slow = if number % 37 == 0 { 1.2 } else { 1.0 };
            let mut trial = template.clone();
            trial.trial = number as u64;
            trial.round = round;
            trial.cell = cell.cell.clone();
            trial.started_at = format!("2026-11-21T08:{minutes:02}:{seconds:02}Z");
            let usual_ns = cell.makespan_s.unwrap().estimate * 1e9;
            for (position, sample) in trial.samples.iter_mut().enumerate() {
                let noise = 1.0 + 0.06 * (spread(number * 5 + position) - 0.5);
                sample.end_ns = sample.start_ns + (usual_ns * noise * slow) as u64;
                sample.moved = number % 91 == 5;
                sample.reported = BTreeMap::new();
                let disturbed_by = match number % 74 {
                    0 => vec![Disturbance::Steal],
                    37 => vec![Disturbance::Others],
                    50 => vec![Disturbance::QuotaThrottled],
                    _ => Vec::new(),
                };
                if let Some(noise) = &mut sample.noise {
                    noise.disturbed_by = disturbed_by;
                }
            }
            made.push(trial);
        }
    }
    made
}
