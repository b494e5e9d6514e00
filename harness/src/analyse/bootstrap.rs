//! Intervals by the bootstrap: resampling rounds with replacement (Efron and Tibshirani, "An Introduction to the
//! Bootstrap", Chapman & Hall 1993).

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::sample::{Sample, mean, median, quantile_sorted, standard_error};
use crate::record::schema::Estimate;

/// Share of intervals that are meant to hold the truth.
pub const CONFIDENCE: f64 = 0.95;

/// Resamples of each interval. With 10,000 the ends of a 95 % interval move by about 2 % of its width from one seed
/// to another.
pub const RESAMPLES: usize = 10_000;

/// Fewest values from which an interval is made: two have three resamples, which bound nothing.
pub const FEWEST_VALUES: usize = 3;

/// Below this number of values the mean's interval is studentised, at and above it the percentile interval does.
pub const STUDENTISED_BELOW: usize = 20;

/// The median with its percentile interval (Efron and Tibshirani, chapter 13). `None` with too few values.
#[must_use]
pub fn median_interval(sample: &Sample, seed: u64) -> Option<Estimate> {
    let statistics = resampled(sample, seed, |values| Some(median(values)))?;
    Some(percentile(sample.median(), &statistics))
}

/// The mean with its interval: studentised ("bootstrap-t", Efron and Tibshirani, chapter 12) below
/// [`STUDENTISED_BELOW`] values, percentile from there on. `None` with too few values.
#[must_use]
pub fn mean_interval(sample: &Sample, seed: u64) -> Option<Estimate> {
    let estimate = sample.mean();
    if sample.len() >= STUDENTISED_BELOW {
        let statistics = resampled(sample, seed, |values| Some(mean(values)))?;
        return Some(percentile(estimate, &statistics));
    }
    let own_error = sample.standard_error()?;
    let statistics = resampled(sample, seed, |values| {
        let resampled_mean = mean(values);
        let error = standard_error(values, resampled_mean);
        // A resample of one value repeated has no spread to measure by.
        (error > 0.0).then(|| (resampled_mean - estimate) / error)
    })?;
    if statistics.is_empty() {
        // All values are the same.
        return Some(Estimate {
            estimate,
            low: estimate,
            high: estimate,
        });
    }
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Some(Estimate {
        estimate,
        low: estimate - quantile_sorted(&statistics, 1.0 - tail) * own_error,
        high: estimate - quantile_sorted(&statistics, tail) * own_error,
    })
}

fn percentile(estimate: f64, sorted: &[f64]) -> Estimate {
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Estimate {
        estimate,
        low: quantile_sorted(sorted, tail),
        high: quantile_sorted(sorted, 1.0 - tail),
    }
}

/// The statistic of every resample that has one, sorted.
fn resampled(
    sample: &Sample,
    seed: u64,
    mut statistic: impl FnMut(&mut [f64]) -> Option<f64>,
) -> Option<Vec<f64>> {
    let values = sample.values();
    if values.len() < FEWEST_VALUES {
        return None;
    }
    let count = u64::try_from(values.len()).ok()?;
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut resample = vec![0.0; values.len()];
    let mut statistics = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        for slot in &mut resample {
            // Multiply and shift (Lemire 2019); its bias of count / 2^32 is far below what is seen here.
            let index = (u64::from(generator.next_u32()) * count) >> 32;
            *slot = usize::try_from(index)
                .ok()
                .and_then(|index| values.get(index))
                .copied()?;
        }
        statistics.extend(statistic(&mut resample));
    }
    statistics.sort_unstable_by(f64::total_cmp);
    Some(statistics)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.to_vec()).unwrap()
    }

    /// Survival of the treated mice, Efron and Tibshirani, table 2.1.
    const MICE: [f64; 7] = [94.0, 197.0, 16.0, 38.0, 99.0, 141.0, 23.0];

    #[test]
    fn the_mice_of_efron_and_tibshirani() {
        let treated = sample(&MICE);
        // Table 2.1: mean 86.86, standard error 25.24.
        assert!((treated.mean() - 86.857).abs() < 1e-3);
        assert!((treated.standard_error().unwrap() - 25.235).abs() < 1e-3);
        // Page 13: the median is 94; its interval by percentiles can only have ends among the values.
        let median = median_interval(&treated, 1).unwrap();
        assert_eq!(median.estimate, 94.0);
        assert!(
            MICE.contains(&median.low) && MICE.contains(&median.high),
            "{median:?}"
        );
    }

    /// `scripts/` has no statistics: these come from enumerating all 5^5 resamples, an exact answer.
    #[test]
    fn agrees_with_every_resample_there_is() {
        let values = [1.0, 2.0, 4.0, 7.0, 11.0];
        let mut medians = Vec::new();
        for code in 0..3125_usize {
            let mut resample: Vec<f64> = (0..5)
                .map(|digit| values[code / 5_usize.pow(digit) % 5])
                .collect();
            medians.push(median(&mut resample));
        }
        medians.sort_unstable_by(f64::total_cmp);
        let exact = percentile(4.0, &medians);
        assert_eq!(median_interval(&sample(&values), 3).unwrap(), exact);
    }

    #[test]
    fn too_few_values_have_no_interval() {
        assert_eq!(median_interval(&sample(&[1.0, 2.0]), 1), None);
        assert_eq!(mean_interval(&sample(&[1.0]), 1), None);
    }

    #[test]
    fn values_without_spread_have_an_interval_without_width() {
        let flat = mean_interval(&sample(&[0.5; 6]), 1).unwrap();
        assert_eq!((flat.low, flat.estimate, flat.high), (0.5, 0.5, 0.5));
    }

    #[test]
    fn the_seed_decides() {
        let mice = sample(&MICE);
        assert_eq!(mean_interval(&mice, 5), mean_interval(&mice, 5));
        assert_ne!(mean_interval(&mice, 5), mean_interval(&mice, 6));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn an_interval_holds_its_estimate_and_moves_with_the_values(values in prop::collection::vec(-1e3_f64..1e3, 5..30), shift in -1e3_f64..1e3) {
            let here = median_interval(&sample(&values), 1).unwrap();
            prop_assert!(here.low <= here.estimate && here.estimate <= here.high);
            let shifted: Vec<f64> = values.iter().map(|value| value + shift).collect();
            let there = median_interval(&sample(&shifted), 1).unwrap();
            prop_assert!((there.low - here.low - shift).abs() < 1e-6);
            prop_assert!((there.high - here.high - shift).abs() < 1e-6);
        }
    }
}
