//! Bootstrap intervals: resampling rounds with replacement (Efron and Tibshirani, "An Introduction to the Bootstrap",
//! Chapman & Hall 1993). Pure, and deterministic for a given seed.

use super::exact_median::ResampledMedian;
use super::location::CONFIDENCE;
use super::sample::Sample;
use ftbench_schema::Estimate;

/// Minimum number of values for an interval: two values have only three distinct resamples.
pub const MIN_VALUES: usize = 3;

/// Returns the median with its percentile interval (Efron and Tibshirani, chapter 13), from the exact distribution of a
/// resample's median instead of drawn resamples. `None` with too few values.
#[must_use]
pub fn median_interval(sample: &Sample) -> Option<Estimate> {
    if sample.len() < MIN_VALUES {
        return None;
    }
    let mut sorted = sample.values().to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let resampled = ResampledMedian::of(&sorted)?;
    Some(Estimate {
        estimate: sample.median(),
        low: resampled.quantile(tail()),
        high: resampled.quantile(1.0 - tail()),
    })
}

pub(super) fn tail() -> f64 {
    (1.0 - CONFIDENCE) / 2.0
}
