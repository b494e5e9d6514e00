//! `ftbench run` on real interpreters: what the pair shows, what the folder holds, and what the options do.

mod folder;
mod models;
mod options;
mod speedups;
mod sweeps;
mod threads;
mod variants;

use ftbench_schema::Estimate;

use crate::support::allowed_pus;

/// What a test of two workers needs. Where it is not there, the test says so and shows nothing.
fn two_pus() -> bool {
    let enough = allowed_pus().len() >= 2;
    if !enough {
        println!("nothing is shown here: this process may use one PU only, and the test needs two");
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
