//! Evaluation of experiments with a known result, which check ftbench on this machine. Pure.

use serde::Serialize;

use super::estimate::{Makespans, half_width, paired_ratio};
use super::location::{CONFIDENCE, Location};
use super::multiple::SMALLEST_EFFECT;
use super::sample::Sample;

/// One experiment: two arms, paired by round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Experiment {
    /// The second arm's time divided by the first one's.
    pub ratio: Location,
    /// Number of rounds.
    pub rounds: usize,
    /// Wall time, seconds.
    pub seconds: f64,
}

impl Experiment {
    /// Makes an experiment from the makespans of its arms; `None` with too few rounds.
    #[must_use]
    pub fn new(first: &Makespans, second: &Makespans, seconds: f64) -> Option<Self> {
        Some(Self {
            ratio: paired_ratio(second, first)?,
            rounds: first.rounds().min(second.rounds()),
            seconds,
        })
    }

    /// Whether the interval excludes 1, whatever the size of the difference.
    #[must_use]
    pub fn excludes_1(&self) -> bool {
        self.ratio.centre.low > 1.0 || self.ratio.centre.high < 1.0
    }

    /// Whether the arms are called different, by the same rule as in all tables.
    #[must_use]
    pub fn called_different(&self) -> bool {
        self.excludes_1()
            && self.ratio.p_value <= 1.0 - CONFIDENCE
            && (self.ratio.centre.estimate - 1.0).abs() > SMALLEST_EFFECT
    }
}

/// The combined results of the experiments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Number of experiments.
    pub experiments: usize,
    /// Number of experiments that called the arms different; with a true slowdown, only those in the right direction.
    pub called_different: usize,
    /// Number of intervals that exclude 1, however small the difference.
    pub intervals_excluding_1: usize,
    /// Median over experiments of the ratio's estimate.
    pub median_ratio: f64,
    /// Median over experiments of half the width of the ratio's interval, relative to the ratio.
    pub median_half_width: f64,
    /// Median number of rounds.
    pub median_rounds: f64,
    /// Median wall time of an experiment, seconds.
    pub median_experiment_s: f64,
    /// Total wall time, seconds.
    pub seconds: f64,
    /// How much slower the second arm was made, as a share; 0 for identical arms.
    pub effect: f64,
    /// Whether the share called different is as specified: at most 5 % for identical arms, at least 80 % with a true
    /// slowdown.
    pub passed: bool,
}

/// Maximum share of identical arms that may be called different.
const MAX_FALSE_SHARE: f64 = 0.05;
/// Minimum share of true slowdowns that must be detected.
const MIN_FOUND_SHARE: f64 = 0.8;

/// Combines the experiments; `None` without any.
#[must_use]
pub fn report(experiments: &[Experiment], effect: f64) -> Option<Report> {
    let median = |value: &dyn Fn(&Experiment) -> f64| {
        Sample::new(experiments.iter().map(value).collect()).map(|sample| sample.median())
    };
    let right = |experiment: &&Experiment| effect == 0.0 || experiment.ratio.centre.estimate > 1.0;
    let called = experiments
        .iter()
        .filter(|experiment| experiment.called_different())
        .filter(right)
        .count();
    let share = called as f64 / experiments.len() as f64;
    Some(Report {
        experiments: experiments.len(),
        called_different: called,
        intervals_excluding_1: experiments.iter().filter(|one| one.excludes_1()).count(),
        median_ratio: median(&|one| one.ratio.centre.estimate)?,
        median_half_width: median(&|one| half_width(one.ratio.centre))?,
        median_rounds: median(&|one| one.rounds as f64)?,
        median_experiment_s: median(&|one| one.seconds)?,
        seconds: experiments.iter().map(|one| one.seconds).sum(),
        effect,
        passed: if effect == 0.0 {
            share <= MAX_FALSE_SHARE
        } else {
            share >= MIN_FOUND_SHARE
        },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn by_round(values: impl IntoIterator<Item = f64>) -> Makespans {
        (0..).zip(values).collect()
    }

    fn experiment(slowdown: f64) -> Experiment {
        let noise = [
            0.0, 0.004, -0.003, 0.002, -0.005, 0.001, 0.003, -0.002, 0.004, -0.004,
        ];
        let first = by_round(noise.map(|noise| 1.0 + noise));
        let second = by_round(noise.iter().rev().map(|noise| (1.0 + noise) * (1.0 + slowdown)));
        Experiment::new(&first, &second, 20.0).unwrap()
    }

    #[test]
    fn identical_arms_pass_and_a_slowdown_is_detected() {
        let same = report(&vec![experiment(0.0); 20], 0.0).unwrap();
        assert_eq!((same.called_different, same.passed), (0, true));
        let slow = report(&vec![experiment(0.05); 20], 0.05).unwrap();
        assert_eq!((slow.called_different, slow.passed), (20, true));
        assert!((slow.median_ratio - 1.05).abs() < 0.005, "{slow:?}");
        assert!(slow.median_half_width < 0.01);
        assert_eq!(slow.seconds, 400.0);
    }

    #[test]
    fn difference_below_the_smallest_effect_excludes_1_but_is_not_called() {
        let small = experiment(0.015);
        assert!(small.excludes_1() && !small.called_different());
    }

    #[test]
    fn too_many_false_alarms_or_too_few_detections_do_not_pass() {
        let mut experiments = vec![experiment(0.0); 18];
        experiments.extend([experiment(0.05), experiment(0.05)]);
        assert!(!report(&experiments, 0.0).unwrap().passed);
        assert!(!report(&experiments, 0.05).unwrap().passed);
        // A slowdown in the wrong direction does not count.
        assert_eq!(report(&[experiment(-0.05)], 0.05).unwrap().called_different, 0);
        assert_eq!(report(&[], 0.0), None);
    }
}
