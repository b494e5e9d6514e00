//! `ftbench run` on real interpreters: the figures of the pair, the run folder and the options.

mod folder;
mod models;
mod options;
mod speedups;
mod sweeps;
mod threads;
mod variants;

use ftbench_schema::Estimate;

use crate::support::allowed_pus;

/// Whether this process may use two PUs. Prints a note when it may not.
fn two_pus() -> bool {
    let enough = allowed_pus().len() >= 2;
    if !enough {
        println!("skipped: this process may use one PU only, and the test needs two");
    }
    enough
}

/// The value of an estimate, which must lie in its own interval.
#[track_caller]
fn estimate(value: Option<Estimate>) -> f64 {
    let value = value.unwrap_or_else(|| panic!("no estimate"));
    assert!(
        value.low <= value.estimate && value.estimate <= value.high,
        "{value:?}"
    );
    value.estimate
}
