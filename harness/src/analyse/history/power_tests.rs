//! How many nights find how small a change: the table of docs/history.md.
//!
//! `FTBENCH_POWER=FILE cargo test --release -p ftbench --lib history::power -- --ignored` makes it again.

use super::made_up::{Machine, Step, runs};
use super::*;

/// Share of histories of 100 cells in which a step of one workload's threads on one interpreter is told within a night of its
/// place, so many nights after it.
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
                let series = &history.series[change.series];
                let is_it = matches!(&series.subject, Subject::Cell(key) if key.workload == "w1" && key.interpreter == "3.13t" && key.workers == 1);
                is_it && change.first_after.abs_diff(NIGHT) <= 1
            })
        })
        .count();
    found as f64 / histories as f64
}

#[test]
#[ignore = "makes a table for people, in a minute with optimisation"]
fn table_of_nights_and_changes() {
    let Ok(path) = std::env::var("FTBENCH_POWER") else {
        return;
    };
    let mut lines = Vec::new();
    for noise in [0.01, 0.02, 0.03, 0.05] {
        for nights_after in [3, 5, 10, 20] {
            let smallest = [1.03, 1.04, 1.05, 1.07, 1.1, 1.12, 1.15, 1.2, 1.25, 1.3, 1.4]
                .into_iter()
                // Below, fewer than eight of ten are found whatever the number of nights.
                .filter(|ratio| ratio - 1.0 >= noise)
                .find(|ratio| found(noise, nights_after, *ratio, 40) >= 0.8);
            lines.push(format!("{noise} {nights_after} {smallest:?}"));
        }
    }
    assert!(std::fs::write(path, lines.join("\n")).is_ok());
}
