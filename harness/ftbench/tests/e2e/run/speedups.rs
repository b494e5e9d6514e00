//! The main result: threads do not scale with the GIL and do scale without it. Only these tests assert measured
//! figures.

use std::time::Instant;

use ftbench_schema::{Model, NATIVE};

use super::{estimate, two_pus};
use crate::support::{Run, Sandbox, pair};

/// How often the figures are measured before the test fails. Another process on one of two cores is enough to spoil
/// them.
const ATTEMPTS: u32 = 3;

/// A speedup at two workers, and whether it is as expected of the build.
struct Figure {
    cell: String,
    speedup: f64,
    expected: String,
    good: bool,
}

/// The speedup that cells which scale must reach: 1.6, or less when the machine itself provided less than two cores, as
/// a shared one may. The ceiling, measured in the same rounds, shows that.
const SCALES: f64 = 1.6;
const SHARE_OF_CEILING: f64 = 0.8;

fn figures(run: &Run) -> Vec<Figure> {
    let mut figures = Vec::new();
    let ceiling = estimate(run.cell("fib", NATIVE, Model::Threads, 2).speedup);
    let scales = SCALES.min(SHARE_OF_CEILING * ceiling);
    for workload in ["fib", "nbody"] {
        for tag in pair().tags() {
            for model in [Model::Threads, Model::Processes] {
                let cell = run.cell(workload, tag, model, 2);
                let speedup = estimate(cell.speedup);
                let flat = model == Model::Threads && tag == pair().gil;
                let (expected, good) = if flat {
                    ("below 1.2".to_owned(), speedup < 1.2)
                } else {
                    (format!("above {scales:.2}"), speedup > scales)
                };
                figures.push(Figure {
                    cell: cell.cell.to_string(),
                    speedup,
                    expected,
                    good,
                });
            }
        }
    }
    figures
}

#[test]
fn threads_are_flat_with_the_gil_and_climb_without_it() {
    if !two_pus() {
        return;
    }
    let sandbox = Sandbox::new();
    let [gil, free_threaded] = pair().tags();
    for attempt in 1..=ATTEMPTS {
        let started = Instant::now();
        let words = format!(
            "fib nbody -p {gil} -p {free_threaded} -m serial -m threads -m processes -n 1,2 --seed 7"
        );
        let run = sandbox.run(&format!("attempt-{attempt}"), &words, 0);
        println!("attempt {attempt} took {:.1} s", started.elapsed().as_secs_f64());
        let figures = figures(&run);
        for Figure {
            cell,
            speedup,
            expected,
            good,
        } in &figures
        {
            let verdict = if *good { "" } else { ": NOT as expected" };
            println!("  {cell}: {speedup:.2}, expected {expected}{verdict}");
        }
        if figures.iter().all(|figure| figure.good) {
            return;
        }
        let ceiling = run.cell("fib", NATIVE, Model::Threads, 2);
        println!("  the machine's own ceiling: {:.2}", estimate(ceiling.speedup));
    }
    panic!("the speedups of {ATTEMPTS} runs are not as expected; is this machine busy with something else?");
}

#[test]
fn waiting_overlaps_in_threads_and_tasks_in_spite_of_the_gil() {
    let sandbox = Sandbox::new();
    let words = format!("http_fetch -p {} -m threads -m asyncio --rounds 3", pair().gil);
    let run = sandbox.run("out", &words, 0);
    run.all_ok("http_fetch");
    for model in [Model::Threads, Model::Asyncio] {
        let mut cells = run.cells("http_fetch");
        cells.retain(|cell| cell.model == model);
        let largest = cells.into_iter().max_by_key(|cell| cell.workers).unwrap();
        assert!(largest.workers >= 16, "{}", largest.cell);
        let vs_baseline = estimate(largest.vs_baseline);
        println!("{}: {vs_baseline:.1} times the serial one", largest.cell);
        assert!(vs_baseline > 3.0, "{}: {vs_baseline}", largest.cell);
    }
}
