#![allow(clippy::unwrap_used)]

use super::*;
use crate::summary::summarise;
use ftbench_fixtures::records::{self, cell, place_on_cores};
use ftbench_schema::{LimitCause, Trial};

const COUNTS: [u32; 5] = [1, 2, 4, 8, 16];

/// Threads that follow a law on a machine that becomes slower with each round, with a little noise.
fn run(rounds: u32, speedup: impl Fn(f64) -> f64) -> (Manifest, Vec<Trial>) {
    let cells = COUNTS.map(|workers| cell("3.13t", Model::Threads, workers));
    let (mut manifest, trials) = records::run(&cells, rounds, |round| {
        COUNTS.map(|workers| {
            let noise = 0.001 * ((7 * round + 3 * u64::from(workers)) % 5) as f64;
            let drift = (round + 1) as f64;
            (1e6 * drift * (1.0 + noise) / speedup(f64::from(workers))) as u64
        })
    });
    place_on_cores(&mut manifest, 16);
    (manifest, trials)
}

fn laws(manifest: &Manifest, trials: &[Trial]) -> CurveLaws {
    summarise("r", manifest, trials).laws.first().unwrap().clone()
}

#[test]
fn law_is_recovered_despite_drift() {
    let (manifest, trials) = run(10, |workers| Law::Usl.speedup(0.02, 0.004, workers));
    let found = laws(&manifest, &trials);
    assert_eq!(found.workers, COUNTS);
    assert_eq!(
        (found.rounds, found.simplest_law, found.not_fitted),
        (10, Some(Law::Usl), None)
    );
    let fit = found.best_fit().unwrap();
    assert!((fit.serial_fraction.estimate - 0.02).abs() < 0.002, "{fit:?}");
    assert!(
        (fit.crosstalk.unwrap().estimate - 0.004).abs() < 0.0002,
        "{fit:?}"
    );
    // sqrt(0.98 / 0.004)
    let peak = fit.peak_workers.unwrap();
    assert!(peak.low < 15.65 && 15.65 < peak.high, "{peak:?}");
    assert_eq!(found.fits.len(), 2);
}

#[test]
fn amdahls_law_is_chosen_without_crosstalk() {
    let (manifest, trials) = run(10, |workers| Law::Amdahl.speedup(0.1, 0.0, workers));
    let found = laws(&manifest, &trials);
    assert_eq!(found.simplest_law, Some(Law::Amdahl));
    let limit = found.best_fit().unwrap().speedup_limit.unwrap();
    assert!(limit.low <= 10.1 && limit.high >= 9.9, "{limit:?}");
}

#[test]
fn weak_scaling_follows_gustafsons_law() {
    // The time of N workers is N workers' work divided by their speedup.
    let (mut manifest, trials) = run(10, |workers| Law::Gustafson.speedup(0.05, 0.0, workers) / workers);
    manifest.plan.settings.scaling = Scaling::Weak;
    let found = laws(&manifest, &trials);
    assert_eq!(found.simplest_law, Some(Law::Gustafson));
    let fit = found.best_fit().unwrap();
    assert!((fit.serial_fraction.estimate - 0.05).abs() < 0.002, "{fit:?}");
    assert_eq!(
        (found.fits.len(), fit.crosstalk, fit.speedup_limit),
        (1, None, None)
    );
}

#[test]
fn too_few_rounds_or_counts_are_not_fitted() {
    let (manifest, trials) = run(4, |workers| workers);
    let few_rounds = laws(&manifest, &trials);
    assert_eq!(
        few_rounds.not_fitted,
        Some(NotFitted::FewRounds { rounds: 4, needed: 5 })
    );
    let (manifest, mut trials) = run(6, |workers| workers);
    trials.retain(|trial| trial.cell.workers <= 4);
    let few_counts = laws(&manifest, &trials);
    assert_eq!(
        few_counts.not_fitted,
        Some(NotFitted::FewWorkerCounts { counts: 3, needed: 4 })
    );
    for found in [few_rounds, few_counts] {
        assert!(found.fits.is_empty() && found.simplest_law.is_none());
    }
    trials.retain(|trial| trial.cell.workers > 1);
    assert!(summarise("r", &manifest, &trials).laws.is_empty());
}

#[test]
fn only_rounds_with_the_complete_curve_are_fitted() {
    let (manifest, mut trials) = run(10, |workers| Law::Amdahl.speedup(0.1, 0.0, workers));
    trials.retain(|trial| !(trial.round == 3 && trial.cell.workers == 8));
    assert_eq!(laws(&manifest, &trials).rounds, 9);
}

#[test]
fn curves_beyond_the_cores_are_fitted_only_if_flat() {
    let (mut manifest, trials) = run(6, |workers| workers.min(4.0));
    manifest.machine.topology.cores = 4;
    assert_eq!(laws(&manifest, &trials).not_fitted, Some(NotFitted::SharedCores));
    let (mut manifest, trials) = run(6, |_| 0.99);
    manifest.machine.topology.cores = 4;
    assert_eq!(laws(&manifest, &trials).simplest_law, Some(Law::Amdahl));
}

#[test]
fn laws_are_fitted_up_to_the_number_of_cores() {
    let (mut manifest, trials) = run(10, |workers| {
        Law::Amdahl.speedup(0.05, 0.0, workers) * if workers > 8.0 { 0.6 } else { 1.0 }
    });
    manifest.machine.topology.cores = 8;
    let found = laws(&manifest, &trials);
    assert_eq!(
        (found.simplest_law, found.not_fitted, found.fitted_up_to),
        (Some(Law::Amdahl), None, Some(8))
    );
    assert_eq!(found.workers, COUNTS);
    let fit = found.best_fit().unwrap();
    assert!((fit.serial_fraction.estimate - 0.05).abs() < 0.005, "{fit:?}");
    // The law does not explain what happens beyond the cores either.
    assert_eq!(found.limit.cause, LimitCause::Unexplained);
    manifest.machine.topology.cores = 16;
    let with_cores = laws(&manifest, &trials);
    assert_eq!(with_cores.fitted_up_to, None);
}

#[test]
fn laws_survive_a_json_round_trip() {
    let (manifest, trials) = run(6, |workers| Law::Usl.speedup(0.02, 0.004, workers));
    let found = laws(&manifest, &trials);
    let text = serde_json::to_string(&found).unwrap();
    let read: CurveLaws = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (read.workers, read.simplest_law, read.not_fitted),
        (found.workers, found.simplest_law, None)
    );
    assert_eq!((read.fits.len(), read.limit.cause), (2, found.limit.cause));
}
