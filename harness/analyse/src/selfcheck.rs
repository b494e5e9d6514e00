//! What experiments whose truth is known say about ftbench on this machine. Pure.

use serde::Serialize;

use super::estimate::{Makespans, half_width, paired_ratio};
use super::location::{CONFIDENCE, Location};
use super::multiple::SMALLEST_EFFECT;
use super::sample::Sample;

/// One experiment: two arms, paired by round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Experiment {
    /// The second arm's time over the first one's.
    pub ratio: Location,
    /// Rounds that it took.
    pub rounds: usize,
    /// Wall time that it took, seconds.
    pub seconds: f64,
}

impl Experiment {
    /// Makes an experiment of the makespans of its arms; `None` with too few rounds.
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

    /// Whether the arms are called different, by the rule of every table.
    #[must_use]
    pub fn called_different(&self) -> bool {
        self.excludes_1()
            && self.ratio.p_value <= 1.0 - CONFIDENCE
            && (self.ratio.centre.estimate - 1.0).abs() > SMALLEST_EFFECT
    }
}

/// What the experiments say together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// How many there were.
    pub experiments: usize,
    /// How many called the arms different; with a true slowdown, those that found it on the right side.
    pub called_different: usize,
    /// How many intervals exclude 1, however small the difference.
    pub intervals_excluding_1: usize,
    /// Median over experiments of the ratio's estimate.
    pub median_ratio: f64,
    /// Median over experiments of half the width of the ratio's interval, relative to the ratio.
    pub median_half_width: f64,
    /// Median number of rounds.
    pub median_rounds: f64,
    /// Median wall time of an experiment, seconds.
    pub median_experiment_s: f64,
    /// Wall time of all, seconds.
    pub seconds: f64,
    /// How much slower the second arm was made, as a share; 0 when the arms are identical.
    pub effect: f64,
    /// Whether the share called different is what was promised: at most 5 % of identical arms, at least 80 % with a
    /// true slowdown.
    pub passed: bool,
}

/// Most identical arms that may be called different.
const MOST_FALSE: f64 = 0.05;
/// Fewest true slowdowns that must be found.
const FEWEST_FOUND: f64 = 0.8;

/// Sums the experiments up; `None` without any.
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
            share <= MOST_FALSE
        } else {
            share >= FEWEST_FOUND
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
    fn identical_arms_pass_and_a_slowdown_is_found() {
        let same = report(&vec![experiment(0.0); 20], 0.0).unwrap();
        assert_eq!((same.called_different, same.passed), (0, true));
        let slow = report(&vec![experiment(0.05); 20], 0.05).unwrap();
        assert_eq!((slow.called_different, slow.passed), (20, true));
        assert!((slow.median_ratio - 1.05).abs() < 0.005, "{slow:?}");
        assert!(slow.median_half_width < 0.01);
        assert_eq!(slow.seconds, 400.0);
    }

    #[test]
    fn a_difference_below_the_smallest_effect_is_seen_and_not_called() {
        let small = experiment(0.015);
        assert!(small.excludes_1() && !small.called_different());
    }

    #[test]
    fn too_many_false_calls_or_too_few_finds_do_not_pass() {
        let mut experiments = vec![experiment(0.0); 18];
        experiments.extend([experiment(0.05), experiment(0.05)]);
        assert!(!report(&experiments, 0.0).unwrap().passed);
        assert!(!report(&experiments, 0.05).unwrap().passed);
        // Found on the wrong side is not found.
        assert_eq!(report(&[experiment(-0.05)], 0.05).unwrap().called_different, 0);
        assert_eq!(report(&[], 0.0), None);
    }
}
