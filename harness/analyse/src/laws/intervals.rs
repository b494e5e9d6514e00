//! Intervals for the parameters of a law, by the bootstrap over rounds. Whole rounds are drawn, because the speedups of
//! a round share its one-worker time and its moment.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::fit::{Design, Parameters};
use crate::location::CONFIDENCE;
use crate::sample::quantile_sorted;
use ftbench_schema::{Estimate, Law, LawFit};

/// Number of resamples of each fit. With ten rounds the ends of an interval vary by about 5 % of its half-width between
/// seeds.
pub const RESAMPLES: usize = 1_000;

/// Minimum number of rounds for fitting a law. With fewer, the resampled means hardly differ from the values
/// themselves, and the interval is far too narrow, however it is widened.
pub const MIN_ROUNDS: usize = 5;

/// The speedups of a curve in each round, as logarithms.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeedupsByRound {
    workers: Vec<u32>,
    rounds: usize,
    /// For each number of workers the values of all rounds, in ascending order.
    sorted: Vec<Vec<OfRound>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct OfRound {
    round: usize,
    logarithm: f64,
}

impl SpeedupsByRound {
    /// Takes the numbers of workers above 1 and the logarithms of the speedups for each round. `None` without any, with
    /// a round of different length, or with values that are not finite.
    #[must_use]
    pub fn new(workers: Vec<u32>, rounds: &[Vec<f64>]) -> Option<Self> {
        let fits =
            |round: &Vec<f64>| round.len() == workers.len() && round.iter().all(|value| value.is_finite());
        if workers.is_empty() || rounds.is_empty() || !rounds.iter().all(fits) {
            return None;
        }
        let of_workers = |position: usize| {
            let values = rounds.iter().enumerate().filter_map(|(round, values)| {
                let logarithm = values.get(position).copied()?;
                Some(OfRound { round, logarithm })
            });
            let mut sorted: Vec<OfRound> = values.collect();
            sorted.sort_by(|a, b| a.logarithm.total_cmp(&b.logarithm));
            sorted
        };
        Some(Self {
            sorted: (0..workers.len()).map(of_workers).collect(),
            rounds: rounds.len(),
            workers,
        })
    }

    /// Returns the number of rounds.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// Writes exp of the mean of the middle half of the logarithms into `speedups`, with each round repeated `times`
    /// times.
    ///
    /// A burst of noise in one round affects the mean of all rounds and, if it hits the one-worker cell, the whole
    /// curve. It does not affect the middle half, which is nearly as efficient as the mean when there are no bursts.
    fn speedups(&self, times: &[usize], speedups: &mut Vec<f64>) {
        let cut = self.rounds / 4;
        let kept = self.rounds - 2 * cut;
        speedups.clear();
        speedups.extend(self.sorted.iter().map(|sorted| {
            let (mut to_skip, mut to_take, mut sum) = (cut, kept, 0.0);
            for of_round in sorted {
                let times = times.get(of_round.round).copied().unwrap_or_default();
                let skipped = times.min(to_skip);
                let taken = (times - skipped).min(to_take);
                to_skip -= skipped;
                to_take -= taken;
                sum += taken as f64 * of_round.logarithm;
            }
            (sum / kept as f64).exp()
        }));
    }
}

/// Fits a law. `None` with fewer than [`MIN_ROUNDS`]. Deterministic for a given curve and seed.
#[must_use]
pub fn fit(law: Law, curve: &SpeedupsByRound, seed: u64) -> Option<LawFit> {
    fit_with(law, curve, seed, RESAMPLES)
}

/// Fits a law with a given number of resamples.
pub(super) fn fit_with(law: Law, curve: &SpeedupsByRound, seed: u64, resamples: usize) -> Option<LawFit> {
    if curve.rounds() < MIN_ROUNDS {
        return None;
    }
    let design = Design::new(law, &curve.workers);
    let mut speedups = Vec::new();
    curve.speedups(&vec![1; curve.rounds()], &mut speedups);
    let found = design.fit(&speedups);
    let resampled = resampled(&design, curve, seed, resamples)?;
    let level = tail(curve.rounds())?;
    let interval = |value: &dyn Fn(Parameters) -> f64| {
        let mut values: Vec<f64> = resampled.iter().map(|&parameters| value(parameters)).collect();
        values.sort_unstable_by(f64::total_cmp);
        let estimate = value(found);
        Estimate {
            estimate,
            // The estimate may lie outside of the percentiles of steep functions of skewed resamples.
            low: quantile_sorted(&values, level).min(estimate),
            high: quantile_sorted(&values, 1.0 - level).max(estimate),
        }
    };
    let serial_fraction = interval(&|parameters| parameters.serial_fraction);
    let crosstalk = (law == Law::Usl).then(|| interval(&|parameters| parameters.crosstalk));
    let peaks = crosstalk.is_some_and(|crosstalk| crosstalk.low > 0.0);
    Some(LawFit {
        law,
        serial_fraction,
        crosstalk,
        peak_workers: peaks.then(|| interval(&peak)).filter(is_finite),
        speedup_limit: (law == Law::Amdahl && serial_fraction.low > 0.0).then(|| Estimate {
            estimate: 1.0 / serial_fraction.estimate,
            low: 1.0 / serial_fraction.high,
            high: 1.0 / serial_fraction.low,
        }),
        relative_error: design.relative_error(&speedups, found),
    })
}

/// Returns the number of workers at which the Universal Scalability Law has its maximum: Gunther (2007), equation 4.33.
fn peak(parameters: Parameters) -> f64 {
    ((1.0 - parameters.serial_fraction) / parameters.crosstalk)
        .sqrt()
        .max(1.0)
}

fn is_finite(estimate: &Estimate) -> bool {
    estimate.low.is_finite() && estimate.estimate.is_finite() && estimate.high.is_finite()
}

fn resampled(
    design: &Design,
    curve: &SpeedupsByRound,
    seed: u64,
    resamples: usize,
) -> Option<Vec<Parameters>> {
    let count = u64::try_from(curve.rounds()).ok()?;
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut speedups = Vec::new();
    let mut times = vec![0; curve.rounds()];
    let fits = (0..resamples).map(|_| {
        times.fill(0);
        for _ in 0..curve.rounds() {
            // Multiply and shift (Lemire, "Fast random integer generation in an interval", 2019); requires fewer than
            // 2^32 rounds.
            let drawn = ((u64::from(generator.next_u32()) * count) >> 32) as usize;
            if let Some(times) = times.get_mut(drawn) {
                *times += 1;
            }
        }
        curve.speedups(&times, &mut speedups);
        design.fit(&speedups)
    });
    Some(fits.collect())
}

/// Returns the share of resamples that is cut off at each end, which is less than 2.5 % with few rounds: percentiles of
/// resampled means are too narrow by sqrt((n - 1) / n) and by the ratio of Student's t to the normal distribution. This
/// is the "expanded percentile" interval of T. C. Hesterberg, "What Teachers Should Know About the Bootstrap", The
/// American Statistician 69 (2015), section 5.3.
fn tail(rounds: usize) -> Option<f64> {
    let count = rounds as f64;
    let student = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
    let reach = student.inverse_cdf(0.5 + CONFIDENCE / 2.0) * (count / (count - 1.0)).sqrt();
    Some(Normal::standard().cdf(-reach))
}

#[cfg(test)]
#[path = "intervals_tests.rs"]
mod tests;
