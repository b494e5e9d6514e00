//! What trials say about a cell, and two cells about each other. The round is the independent unit: samples of one
//! trial share a process, its memory layout and its moment, and are condensed into one value first.

use std::collections::BTreeMap;

use super::bootstrap::median_interval;
use super::location::{Location, location};
use super::sample::{Sample, median};
use ftbench_schema::{Estimate, Sample as RecordedSample, Trial, TrialStatus, units};

/// One value per round.
pub type ByRound = BTreeMap<u32, f64>;

/// Of every trial that ended well, the median over its counted samples of `value`.
pub fn trial_values(trials: &[&Trial], value: impl Fn(&RecordedSample) -> f64) -> ByRound {
    usable(trials)
        .filter_map(|trial| {
            let mut values: Vec<f64> = trial.counted_samples().map(&value).collect();
            (!values.is_empty()).then(|| (trial.round, median(&mut values)))
        })
        .collect()
}

/// The trial values of the makespan, seconds.
#[must_use]
pub fn makespans_s(trials: &[&Trial]) -> ByRound {
    trial_values(trials, |sample| units::seconds(sample.makespan_ns()))
}

/// Of every trial that ended well, what `value` makes of it.
pub fn once_per_trial(trials: &[&Trial], value: impl Fn(&Trial) -> Option<f64>) -> ByRound {
    usable(trials)
        .filter_map(|trial| Some((trial.round, value(trial)?)))
        .collect()
}

fn usable<'t>(trials: &[&'t Trial]) -> impl Iterator<Item = &'t Trial> {
    trials
        .iter()
        .copied()
        .filter(|trial| trial.status == TrialStatus::Ok)
}

/// Median over rounds with its interval; `None` with too few rounds.
#[must_use]
pub fn over_rounds(values: &ByRound) -> Option<Estimate> {
    median_interval(&Sample::new(values.values().copied().collect())?)
}

/// The ratio a/b in every round that both have.
#[must_use]
pub fn ratios(a: &ByRound, b: &ByRound) -> ByRound {
    a.iter()
        .filter_map(|(&round, &a)| b.get(&round).map(|&b| (round, a / b)))
        .collect()
}

/// The ratio a/b, paired by round: exp of the centre of log(a/b) with its interval, and the p value of no difference;
/// `None` with too few rounds in common.
#[must_use]
pub fn paired_ratio(a: &ByRound, b: &ByRound) -> Option<Location> {
    let logs = ratios(a, b).into_values().map(f64::ln).collect();
    let Location { centre, p_value } = location(&Sample::new(logs)?)?;
    Some(Location {
        centre: map(centre, f64::exp),
        p_value,
    })
}

/// Applies an increasing function to a value and its interval.
#[must_use]
pub fn map(estimate: Estimate, function: impl Fn(f64) -> f64) -> Estimate {
    Estimate {
        estimate: function(estimate.estimate),
        low: function(estimate.low),
        high: function(estimate.high),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn by_round(values: &[f64]) -> ByRound {
        (0..).zip(values.iter().copied()).collect()
    }

    #[test]
    fn drift_cancels_in_a_paired_ratio() {
        // The machine gets three times slower; b is always twice as fast as a.
        let a = by_round(&[2.0, 2.6, 3.0, 4.0, 6.0]);
        let b = by_round(&[1.0, 1.3, 1.5, 2.0, 3.0]);
        let ratio = paired_ratio(&a, &b).unwrap().centre;
        assert!(
            (ratio.estimate - 2.0).abs() < 1e-12 && ratio.high - ratio.low < 1e-9,
            "{ratio:?}"
        );
    }

    #[test]
    fn only_rounds_in_common_count() {
        let a = ByRound::from([(0, 1.0), (1, 8.0), (2, 8.0), (3, 8.0)]);
        let b = ByRound::from([(1, 4.0), (2, 4.0), (3, 4.0), (4, 100.0)]);
        assert!((paired_ratio(&a, &b).unwrap().centre.estimate - 2.0).abs() < 1e-12);
        assert_eq!(paired_ratio(&a, &by_round(&[1.0, 1.0])), None);
    }

    proptest! {
        #[test]
        fn the_other_way_round_is_the_reciprocal(pairs in prop::collection::vec((0.1_f64..10.0, 0.1_f64..10.0), 5..24)) {
            let a = by_round(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
            let b = by_round(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
            let there = paired_ratio(&a, &b).unwrap();
            let back = paired_ratio(&b, &a).unwrap();
            prop_assert!((there.centre.estimate * back.centre.estimate - 1.0).abs() < 1e-9);
            prop_assert!((there.centre.low * back.centre.high - 1.0).abs() < 1e-9);
            prop_assert!((there.p_value - back.p_value).abs() < 1e-9);
        }
    }
}
