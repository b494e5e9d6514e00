#![allow(clippy::unwrap_used)]

use super::*;

/// A curve whose rounds have the same speedups except for a regular variation by `spread`.
fn curve(law: Law, serial_fraction: f64, crosstalk: f64, spread: f64, rounds: u32) -> SpeedupsByRound {
    let workers = vec![2, 4, 8, 16];
    let rounds: Vec<Vec<f64>> = (0..rounds)
        .map(|round| {
            let noise = spread * (f64::from(round % 5) - 2.0);
            let speedup =
                |&workers: &u32| law.speedup(serial_fraction, crosstalk, f64::from(workers)).ln() + noise;
            workers.iter().map(speedup).collect()
        })
        .collect();
    SpeedupsByRound::new(workers, &rounds).unwrap()
}

#[test]
fn fit_recovers_known_parameters() {
    let found = fit(Law::Usl, &curve(Law::Usl, 0.05, 0.01, 0.001, 10), 1).unwrap();
    let crosstalk = found.crosstalk.unwrap();
    assert!((found.serial_fraction.estimate - 0.05).abs() < 1e-9, "{found:?}");
    assert!((crosstalk.estimate - 0.01).abs() < 1e-9, "{found:?}");
    assert!(crosstalk.low > 0.0 && crosstalk.low < 0.01 && crosstalk.high > 0.01);
    let peak = found.peak_workers.unwrap();
    assert!((peak.estimate - 95.0_f64.sqrt()).abs() < 1e-6, "{peak:?}");
    assert!(peak.low < peak.estimate && peak.estimate < peak.high);
    assert!(found.relative_error < 1e-9);
    assert_eq!(found.speedup_limit, None);
    assert!((found.speedup(16.0) - 16.0 / (1.0 + 0.05 * 15.0 + 0.01 * 240.0)).abs() < 1e-6);
}

#[test]
fn speedup_limit_requires_a_serial_fraction_above_0() {
    let found = fit(Law::Amdahl, &curve(Law::Amdahl, 0.1, 0.0, 0.001, 10), 1).unwrap();
    let limit = found.speedup_limit.unwrap();
    assert!((limit.estimate - 10.0).abs() < 1e-6 && limit.low < 10.0 && limit.high > 10.0);
    assert_eq!((found.crosstalk, found.peak_workers), (None, None));
    let ideal = fit(Law::Amdahl, &curve(Law::Amdahl, 0.0, 0.0, 0.001, 10), 1).unwrap();
    assert_eq!((ideal.serial_fraction.low, ideal.speedup_limit), (0.0, None));
}

#[test]
fn few_rounds_have_no_fit() {
    assert_eq!(fit(Law::Amdahl, &curve(Law::Amdahl, 0.1, 0.0, 0.001, 4), 1), None);
    assert!(fit(Law::Amdahl, &curve(Law::Amdahl, 0.1, 0.0, 0.001, 5), 1).is_some());
}

#[test]
fn incomplete_or_infinite_speedups_are_rejected() {
    assert_eq!(
        SpeedupsByRound::new(vec![2, 4], &[vec![0.1, 0.2], vec![0.1]]),
        None
    );
    assert_eq!(SpeedupsByRound::new(vec![2], &[vec![f64::NAN]]), None);
    assert_eq!(SpeedupsByRound::new(vec![2], &[]), None);
    assert_eq!(SpeedupsByRound::new(vec![], &[vec![]]), None);
}

#[test]
fn fits_are_deterministic_for_a_given_seed() {
    let uneven: Vec<Vec<f64>> = (0..12)
        .map(|round| {
            (0..4)
                .map(|count| 0.5 * f64::from(count) + 0.02 * f64::from(round * 7 + count).sin())
                .collect()
        })
        .collect();
    let curve = SpeedupsByRound::new(vec![2, 4, 8, 16], &uneven).unwrap();
    assert_eq!(fit(Law::Usl, &curve, 3), fit(Law::Usl, &curve, 3));
    assert_ne!(fit(Law::Usl, &curve, 3), fit(Law::Usl, &curve, 4));
}

#[test]
fn fewer_rounds_cut_off_smaller_tails() {
    // Student's quantiles from tables: 2.7764, 2.2622, 2.0930; the normal tails beyond 3.1041, 2.3845, 2.1474.
    for (rounds, share) in [(5, 0.0010), (10, 0.0086), (20, 0.0159)] {
        assert!(
            (tail(rounds).unwrap() - share).abs() < 1e-4,
            "{rounds}: {:?}",
            tail(rounds)
        );
    }
}
