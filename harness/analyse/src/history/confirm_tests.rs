use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::history::published::{HUNTER, NILE};
use ftbench_fixtures::nights::{Nights, normal};

const PARAMETERS: TestParameters = TestParameters {
    within: 0.0,
    correlation: 0.0,
    smallest: 0.02,
};

fn positions(fitted: &Fitted) -> Vec<usize> {
    fitted.steps.iter().map(|step| step.position).collect()
}

#[test]
fn published_changes_are_confirmed() {
    let logarithms = |values: &[f64]| values.iter().map(|value| value.ln()).collect::<Vec<f64>>();
    let nile = fit(&logarithms(&NILE), PARAMETERS);
    assert_eq!(positions(&nile), [28]);
    // The levels before and after are 1097.75 and 849.97 (R: mean(Nile[1:28]), mean(Nile[29:100])).
    assert!((nile.steps[0].shift.exp() - 849.97 / 1097.75).abs() < 0.02);
    assert!(nile.steps[0].p_value < 1e-6);
    for (values, index) in HUNTER {
        assert_eq!(positions(&fit(&logarithms(&values), PARAMETERS)), [index]);
    }
}

#[test]
fn step_needs_three_nights() {
    let mut source = ChaCha8Rng::seed_from_u64(1);
    let mut values: Vec<f64> = (0..30).map(|_| 0.01 * normal(&mut source)).collect();
    values.truncate(28);
    values.extend([0.2, 0.21]);
    assert!(fit(&values, PARAMETERS).steps.is_empty());
    values.push(0.2);
    assert_eq!(positions(&fit(&values, PARAMETERS)), [28]);
}

#[test]
fn slow_drift_is_not_a_step() {
    let mut steps = 0;
    for seed in 0..200 {
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        let values: Vec<f64> = (0..60)
            .map(|night| 0.004 * f64::from(night) + 0.02 * normal(&mut source))
            .collect();
        steps += usize::from(!fit(&values, PARAMETERS).steps.is_empty());
        let trend = trend(&values, 0.02, 0.0).unwrap();
        assert!(
            (trend.rise - 0.236).abs() < 0.06 && trend.p_value < 0.001,
            "{trend:?}"
        );
    }
    assert!(steps <= 6, "{steps} of 200 have a step");
}

#[test]
fn temporary_level_is_two_steps() {
    let mut source = ChaCha8Rng::seed_from_u64(7);
    let values: Vec<f64> = (0..60)
        .map(|night| f64::from(u8::from((20..35).contains(&night))) * 0.1 + 0.015 * normal(&mut source))
        .collect();
    assert_eq!(positions(&fit(&values, PARAMETERS)), [20, 35]);
}

#[test]
fn refit_computes_a_step_from_the_remaining_levels() {
    let mut source = ChaCha8Rng::seed_from_u64(3);
    let values: Vec<f64> = (0..60)
        .map(|night| {
            let level = [0.0, 0.1, 0.25][night / 20];
            level + 0.01 * normal(&mut source)
        })
        .collect();
    let fitted = fit(&values, PARAMETERS);
    assert_eq!(positions(&fitted), [20, 40]);
    assert!((fitted.steps[1].shift - 0.15).abs() < 0.02);
    let last = refit(&values, &fitted.steps[1..], PARAMETERS);
    assert_eq!(positions(&last), [40]);
    assert_eq!(last.levels.len(), 2);
    let step = last.steps[0];
    assert!((step.shift - 0.2).abs() < 0.02, "{step:?}");
    assert!((step.shift - (last.levels[1] - last.levels[0])).abs() < 1e-12);
    assert!(step.p_value == fitted.steps[1].p_value);
}

#[test]
fn refit_drops_a_step_that_becomes_too_small() {
    // The level goes up, and then down to between the two: without the first step the second one is negligible.
    let values: Vec<f64> = (0..60)
        .map(|night| [0.0, 0.2, 0.105][night / 20] + 0.002 * f64::from(u8::from(night % 2 == 0)))
        .collect();
    let fitted = fit(&values, PARAMETERS);
    assert_eq!(positions(&fitted), [20, 40]);
    let left = refit(&values, &fitted.steps[1..], PARAMETERS);
    assert!(left.steps.is_empty() && left.levels.len() == 1, "{left:?}");
}

/// Counts how often a step at night 15 of 30 is found within one night.
#[test]
fn step_of_ten_per_cent_is_located_to_within_a_night() {
    for noise in [0.02, 0.03] {
        let mut found = 0;
        for seed in 0..400 {
            let nights = Nights {
                nights: 30,
                noise,
                step: Some((15, 1.1)),
                ..Nights::default()
            };
            let fitted = fit(&nights.values(seed), PARAMETERS);
            found += usize::from(
                positions(&fitted)
                    .iter()
                    .any(|position| position.abs_diff(15) <= 1),
            );
        }
        assert!(found * 100 >= 95 * 400, "{found} of 400 at {noise}");
    }
}

#[test]
fn at_most_five_per_cent_of_quiet_series_have_a_step() {
    // For single series, before the correction over a history, at most 5 % false alarms are allowed.
    for correlation in [0.0, 0.5] {
        let mut alarms = 0;
        for seed in 0..1000 {
            let nights = Nights {
                correlation,
                ..Nights::default()
            };
            let parameters = TestParameters {
                correlation,
                smallest: 0.0,
                ..PARAMETERS
            };
            alarms += usize::from(!fit(&nights.values(seed), parameters).steps.is_empty());
        }
        assert!(
            alarms <= 50,
            "{alarms} of 1000 with a correlation of {correlation}"
        );
    }
}
