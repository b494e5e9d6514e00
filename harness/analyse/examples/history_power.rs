//! Prints how many nights it takes to detect how small a change: the table of docs/history.md. With optimisation it
//! takes a minute: `cargo run --release -p ftbench-analyse --example history_power`.
#![allow(clippy::print_stdout, reason = "prints its results")]

use ftbench_analyse::history::{Options, Subject, analyse};
use ftbench_fixtures::nights::{Machine, Step, runs};
use rayon::prelude::*;

/// Returns the share of histories of 100 cells that report a step of one workload's threads on one interpreter within a
/// night of its true position, this many nights later.
fn found(noise: f64, nights_after: usize, ratio: f64, histories: u64) -> f64 {
    const NIGHT: usize = 30;
    let found = (0..histories)
        .into_par_iter()
        .filter(|seed| {
            let machine = Machine {
                seed: *seed,
                workloads: 25,
                noise,
                ..Machine::default()
            };
            let step = Step {
                workload: "w1",
                interpreter: "3.13t",
                night: NIGHT,
                ratio,
            };
            let history = analyse(runs(NIGHT + nights_after, &[step], machine), Options::default());
            history.changes.iter().any(|change| {
                let Some(series) = history.series.get(change.series) else {
                    return false;
                };
                let is_step = matches!(&series.subject, Subject::Cell(key) if key.workload == "w1" && key.interpreter == "3.13t" && key.workers == 1);
                is_step && change.first_after.abs_diff(NIGHT) <= 1
            })
        })
        .count();
    found as f64 / histories as f64
}

fn main() {
    for noise in [0.01, 0.02, 0.03, 0.05] {
        for nights_after in [3, 5, 10, 20] {
            let smallest = [1.03, 1.04, 1.05, 1.07, 1.1, 1.12, 1.15, 1.2, 1.25, 1.3, 1.4]
                .into_iter()
                // Smaller changes are detected in fewer than eight of ten histories, whatever the number of nights.
                .filter(|ratio| ratio - 1.0 >= noise)
                .find(|ratio| found(noise, nights_after, *ratio, 40) >= 0.8);
            println!("{noise} {nights_after} {smallest:?}");
        }
    }
}
