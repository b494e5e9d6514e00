//! Parameters of a law with their intervals, by the bootstrap over rounds: whole rounds are drawn, so that a round's
//! speedups, which share its one-worker time and its moment, stay together.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::fit::{Design, Parameters};
use crate::analyse::location::CONFIDENCE;
use crate::analyse::sample::quantile_sorted;
use crate::record::schema::{Estimate, Law, LawFit};

/// Resamples of each fit. With ten rounds the ends of an interval move by about 4 % of its half-width from one seed to
/// another.
pub const RESAMPLES: usize = 2_000;

/// Fewest rounds from which a law is fitted. A resample of the mean of fewer hardly leaves the values themselves, and its
/// interval is far too narrow, however it is widened.
pub const FEWEST_ROUNDS: usize = 5;

/// The speedups of a curve in each round, as logarithms: a rectangle of finite values.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    workers: Vec<u32>,
    /// One after the other, each with a value for each number of workers.
    rounds: Vec<f64>,
}

impl Curve {
    /// Takes the numbers of workers above 1 and the logarithms of the speedups, round by round. `None` without any, with
    /// a round of another length, or with values that are not finite.
    #[must_use]
    pub fn new(workers: Vec<u32>, rounds: &[Vec<f64>]) -> Option<Self> {
        let fits =
            |round: &Vec<f64>| round.len() == workers.len() && round.iter().all(|value| value.is_finite());
        let usable = !workers.is_empty() && !rounds.is_empty() && rounds.iter().all(fits);
        usable.then(|| Self {
            workers,
            rounds: rounds.concat(),
        })
    }

    /// How many rounds it has.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.rounds.len() / self.workers.len()
    }

    fn round(&self, index: usize) -> &[f64] {
        let width = self.workers.len();
        self.rounds
            .get(index * width..(index + 1) * width)
            .unwrap_or_default()
    }

    /// exp of the mean over some rounds of the logarithms, into `speedups`.
    fn speedups(&self, rounds: impl Iterator<Item = usize>, speedups: &mut Vec<f64>) {
        speedups.clear();
        speedups.resize(self.workers.len(), 0.0);
        for index in rounds {
            for (sum, logarithm) in speedups.iter_mut().zip(self.round(index)) {
                *sum += logarithm;
            }
        }
        let count = self.rounds() as f64;
        for sum in speedups {
            *sum = (*sum / count).exp();
        }
    }
}

/// Fits a law. `None` with fewer than [`FEWEST_ROUNDS`]. The same curve and seed give the same fit.
#[must_use]
pub fn fit(law: Law, curve: &Curve, seed: u64) -> Option<LawFit> {
    fit_with(law, curve, seed, RESAMPLES)
}

/// The same with another number of resamples.
pub(super) fn fit_with(law: Law, curve: &Curve, seed: u64, resamples: usize) -> Option<LawFit> {
    if curve.rounds() < FEWEST_ROUNDS {
        return None;
    }
    let design = Design::new(law, &curve.workers);
    let mut speedups = Vec::new();
    curve.speedups(0..curve.rounds(), &mut speedups);
    let found = design.fit(&speedups);
    let resampled = resampled(&design, curve, seed, resamples)?;
    let level = tail(curve.rounds())?;
    let interval = |value: &dyn Fn(Parameters) -> f64| {
        let mut values: Vec<f64> = resampled.iter().map(|&parameters| value(parameters)).collect();
        values.sort_unstable_by(f64::total_cmp);
        let estimate = value(found);
        Estimate {
            estimate,
            // Steep functions of skew resamples may leave the estimate outside.
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

/// Where the Universal Scalability Law has its largest value: Gunther (2007), equation 4.33.
fn peak(parameters: Parameters) -> f64 {
    ((1.0 - parameters.serial_fraction) / parameters.crosstalk)
        .sqrt()
        .max(1.0)
}

fn is_finite(estimate: &Estimate) -> bool {
    estimate.low.is_finite() && estimate.estimate.is_finite() && estimate.high.is_finite()
}

fn resampled(design: &Design, curve: &Curve, seed: u64, resamples: usize) -> Option<Vec<Parameters>> {
    let count = u64::try_from(curve.rounds()).ok()?;
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut speedups = Vec::new();
    let fits = (0..resamples).map(|_| {
        // Multiply and shift (Lemire, "Fast random integer generation in an interval", 2019); below 2^32 rounds.
        let draw = |_| ((u64::from(generator.next_u32()) * count) >> 32) as usize;
        curve.speedups((0..curve.rounds()).map(draw), &mut speedups);
        design.fit(&speedups)
    });
    Some(fits.collect())
}

/// The share of resamples left out at each end, less than half of 5 % with few rounds: percentiles of resampled means are
/// too narrow by sqrt((n - 1) / n) and by what Student's t exceeds the normal distribution. The "expanded percentile"
/// interval of T. C. Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69 (2015),
/// section 5.3.
fn tail(rounds: usize) -> Option<f64> {
    let count = rounds as f64;
    let student = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
    let reach = student.inverse_cdf(0.5 + CONFIDENCE / 2.0) * (count / (count - 1.0)).sqrt();
    Some(Normal::standard().cdf(-reach))
}

#[cfg(test)]
#[path = "intervals_tests.rs"]
mod tests;
