use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::history::published::{HUNTER, NILE};
use ftbench_fixtures::nights::{Nights, normal};

const TERMS: Terms = Terms {
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
    let nile = fit(&logarithms(&NILE), TERMS);
    assert_eq!(positions(&nile), [28]);
    // The levels before and after are 1097.75 and 849.97 (R: mean(Nile[1:28]), mean(Nile[29:100])).
    assert!((nile.steps[0].shift.exp() - 849.97 / 1097.75).abs() < 0.02);
    assert!(nile.steps[0].p_value < 1e-6);
    for (values, index) in HUNTER {
        assert_eq!(positions(&fit(&logarithms(&values), TERMS)), [index]);
    }
}

#[test]
fn a_step_needs_three_nights() {
    let mut source = ChaCha8Rng::seed_from_u64(1);
    let mut values: Vec<f64> = (0..30).map(|_| 0.01 * normal(&mut source)).collect();
    values.truncate(28);
    values.extend([0.2, 0.21]);
    assert!(fit(&values, TERMS).steps.is_empty());
    values.push(0.2);
    assert_eq!(positions(&fit(&values, TERMS)), [28]);
}

#[test]
fn a_slow_drift_is_no_step() {
    let mut steps = 0;
    for seed in 0..200 {
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        let values: Vec<f64> = (0..60)
            .map(|night| 0.004 * f64::from(night) + 0.02 * normal(&mut source))
            .collect();
        steps += usize::from(!fit(&values, TERMS).steps.is_empty());
        let trend = trend(&values, 0.02, 0.0).unwrap();
        assert!(
            (trend.rise - 0.236).abs() < 0.06 && trend.p_value < 0.001,
            "{trend:?}"
        );
    }
    assert!(steps <= 6, "{steps} of 200 have a step");
}

#[test]
fn a_level_that_returns_is_two_steps() {
    let mut source = ChaCha8Rng::seed_from_u64(7);
    let values: Vec<f64> = (0..60)
        .map(|night| f64::from(u8::from((20..35).contains(&night))) * 0.1 + 0.015 * normal(&mut source))
        .collect();
    assert_eq!(positions(&fit(&values, TERMS)), [20, 35]);
}

#[test]
fn a_step_whose_neighbour_is_dropped_is_told_by_the_levels_that_are_left() {
    let mut source = ChaCha8Rng::seed_from_u64(3);
    let values: Vec<f64> = (0..60)
        .map(|night| {
            let level = [0.0, 0.1, 0.25][night / 20];
            level + 0.01 * normal(&mut source)
        })
        .collect();
    let fitted = fit(&values, TERMS);
    assert_eq!(positions(&fitted), [20, 40]);
    assert!((fitted.steps[1].shift - 0.15).abs() < 0.02);
    let last = refit(&values, &fitted.steps[1..], TERMS);
    assert_eq!(positions(&last), [40]);
    assert_eq!(last.levels.len(), 2);
    let step = last.steps[0];
    assert!((step.shift - 0.2).abs() < 0.02, "{step:?}");
    assert!((step.shift - (last.levels[1] - last.levels[0])).abs() < 1e-12);
    assert!(step.p_value == fitted.steps[1].p_value);
}

#[test]
fn a_step_that_counts_no_more_without_its_neighbour_goes() {
    // Up and down again, and a third level between the two: without the first step the second is next to nothing.
    let values: Vec<f64> = (0..60)
        .map(|night| [0.0, 0.2, 0.105][night / 20] + 0.002 * f64::from(u8::from(night % 2 == 0)))
        .collect();
    let fitted = fit(&values, TERMS);
    assert_eq!(positions(&fitted), [20, 40]);
    let left = refit(&values, &fitted.steps[1..], TERMS);
    assert!(left.steps.is_empty() && left.levels.len() == 1, "{left:?}");
}

/// How often a step at night 15 of 30 is found there or a night beside it.
#[test]
fn a_step_of_ten_per_cent_is_found_at_its_night() {
    for noise in [0.02, 0.03] {
        let mut found = 0;
        for seed in 0..400 {
            let nights = Nights {
                nights: 30,
                noise,
                step: Some((15, 1.1)),
                ..Nights::default()
            };
            let fitted = fit(&nights.values(seed), TERMS);
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
fn a_quiet_series_gives_no_false_alarm() {
    // Of single series, before the correction over a history: the promise is 5 % of them.
    for correlation in [0.0, 0.5] {
        let mut alarms = 0;
        for seed in 0..1000 {
            let nights = Nights {
                correlation,
                ..Nights::default()
            };
            let terms = Terms {
                correlation,
                smallest: 0.0,
                ..TERMS
            };
            alarms += usize::from(!fit(&nights.values(seed), terms).steps.is_empty());
        }
        assert!(
            alarms <= 50,
            "{alarms} of 1000 with a correlation of {correlation}"
        );
    }
}
