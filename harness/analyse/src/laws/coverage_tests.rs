//! Synthetic curves of up to 128 workers with a known law: how well the law is recovered, and how often intervals
//! contain the true value.
//!
//! The machines are those of `crate::coverage_tests`; their noise affects every cell of a round.
#![allow(clippy::unwrap_used)]

use rayon::prelude::*;

use super::intervals::{SpeedupsByRound, fit_with};
use super::*;
use crate::coverage_tests::{Experiment, MACHINES, Machine};
use crate::sample::median;
use ftbench_fixtures::summaries::estimate;

const COUNTS: [u32; 8] = [2, 4, 8, 16, 32, 64, 96, 128];

#[derive(Debug, Clone, Copy)]
struct Truth {
    law: Law,
    serial_fraction: f64,
    crosstalk: f64,
}

const fn truth(law: Law, serial_fraction: f64, crosstalk: f64) -> Truth {
    Truth {
        law,
        serial_fraction,
        crosstalk,
    }
}

/// Free threads, threads with a small serial part, a GIL, crosstalk with peaks at 22 and at 99 workers, weak scaling.
const TRUTHS: [Truth; 7] = [
    truth(Law::Amdahl, 0.001, 0.0),
    truth(Law::Amdahl, 0.05, 0.0),
    truth(Law::Amdahl, 0.5, 0.0),
    truth(Law::Amdahl, 0.99, 0.0),
    truth(Law::Usl, 0.05, 0.002),
    truth(Law::Usl, 0.01, 0.0001),
    truth(Law::Gustafson, 0.02, 0.0),
];

fn curve(truth: Truth, machine: Machine, rounds: usize, seed: u64) -> SpeedupsByRound {
    let mut experiment = Experiment::new(machine, seed);
    let rounds: Vec<Vec<f64>> = (0..rounds)
        .map(|_| {
            let alone = experiment.trial();
            let speedup = |&workers: &u32| {
                let workers = f64::from(workers);
                let speedup = truth.law.speedup(truth.serial_fraction, truth.crosstalk, workers);
                speedup.ln() + alone - experiment.trial()
            };
            COUNTS.iter().map(speedup).collect()
        })
        .collect();
    SpeedupsByRound::new(COUNTS.to_vec(), &rounds).unwrap()
}

/// Results of many experiments with one true law.
#[derive(Debug)]
struct StudyResult {
    /// Share in which the true law is recognised.
    recognised: f64,
    serial_covered: f64,
    crosstalk_covered: f64,
    /// Median of the estimate minus the true value.
    serial_bias: f64,
    crosstalk_bias: f64,
    /// Median half-widths of the intervals.
    serial_half_width: f64,
    crosstalk_half_width: f64,
}

fn study(truth: Truth, machine: Machine, rounds: usize, experiments: u64, resamples: usize) -> StudyResult {
    let fits: Vec<(LawFit, bool)> = (0..experiments)
        .into_par_iter()
        .map(|seed| {
            let curve = curve(truth, machine, rounds, seed);
            let laws: &[Law] = match truth.law {
                Law::Gustafson => &[Law::Gustafson],
                Law::Amdahl | Law::Usl => &[Law::Amdahl, Law::Usl],
            };
            let fits: Vec<LawFit> = laws
                .iter()
                .map(|&law| fit_with(law, &curve, seed, resamples).unwrap())
                .collect();
            let recognised = simplest_law(&fits, 128) == Some(truth.law);
            let own = fits.into_iter().find(|fit| fit.law == truth.law).unwrap();
            (own, recognised)
        })
        .collect();
    let none = estimate(0.0, 0.0);
    let share = |holds: &dyn Fn(&(LawFit, bool)) -> bool| {
        fits.iter().filter(|fit| holds(fit)).count() as f64 / fits.len() as f64
    };
    let middle = |value: &dyn Fn(&LawFit) -> f64| {
        median(&mut fits.iter().map(|(fit, _)| value(fit)).collect::<Vec<f64>>())
    };
    let covers = |estimate: Estimate, truth: f64| estimate.low <= truth && truth <= estimate.high;
    let half_width = |estimate: Estimate| (estimate.high - estimate.low) / 2.0;
    let crosstalk = |fit: &LawFit| fit.crosstalk.unwrap_or(none);
    StudyResult {
        recognised: share(&|(_, recognised)| *recognised),
        serial_covered: share(&|(fit, _)| covers(fit.serial_fraction, truth.serial_fraction)),
        crosstalk_covered: share(&|(fit, _)| covers(crosstalk(fit), truth.crosstalk)),
        serial_bias: middle(&|fit| fit.serial_fraction.estimate) - truth.serial_fraction,
        crosstalk_bias: middle(&|fit| crosstalk(fit).estimate) - truth.crosstalk,
        serial_half_width: middle(&|fit| half_width(fit.serial_fraction)),
        crosstalk_half_width: middle(&|fit| half_width(crosstalk(fit))),
    }
}

/// Prints the table of docs/laws.md:
/// `cargo test --release -p ftbench-analyse --lib laws::coverage -- --ignored --nocapture`.
#[test]
#[ignore = "a study that takes minutes; a short form of it is tested below"]
#[allow(clippy::print_stdout)]
fn study_of_recoveries() {
    let experiments = 200;
    println!(
        "| truth | machine | rounds | recognised | bias of s | half-width of s | covers s | bias of k | half-width of k | covers k |"
    );
    for truth in TRUTHS {
        for machine in [MACHINES[0], MACHINES[2], MACHINES[3], MACHINES[4]] {
            for rounds in [5, 10, 20] {
                let found = study(truth, machine, rounds, experiments, intervals::RESAMPLES);
                println!(
                    "| {} s={} k={} | {} | {rounds} | {:.1} % | {:+.1e} | {:.1e} | {:.1} % | {:+.1e} | {:.1e} | {:.1} % |",
                    truth.law,
                    truth.serial_fraction,
                    truth.crosstalk,
                    machine.name,
                    found.recognised * 100.0,
                    found.serial_bias,
                    found.serial_half_width,
                    found.serial_covered * 100.0,
                    found.crosstalk_bias,
                    found.crosstalk_half_width,
                    found.crosstalk_covered * 100.0,
                );
            }
        }
    }
}

#[test]
fn laws_are_recognised_and_intervals_cover_the_true_values() {
    for truth in TRUTHS {
        let (machine, rounds) = (MACHINES[4], 20);
        let found = study(truth, machine, rounds, 100, 600);
        let at = format!("{truth:?}, {}, {rounds} rounds: {found:?}", machine.name);
        // Three standard errors of a share of 95 % among 100 are 6.5 %.
        assert!(
            found.serial_covered >= 0.88 && found.crosstalk_covered >= 0.88,
            "{at}"
        );
        assert!(found.serial_bias.abs() <= found.serial_half_width, "{at}");
        assert!(found.crosstalk_bias.abs() <= found.crosstalk_half_width, "{at}");
        assert!(found.recognised >= 0.88, "{at}");
    }
}
