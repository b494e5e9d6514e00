//! The bootstrap of a median without drawing resamples. The median of a resample is either one of the values or the
//! mean of two of them, and the probability of each is known (Efron, "The Jackknife, the Bootstrap and Other Resampling
//! Plans", SIAM 1982, section 10.3, for odd sizes; Hutson and Ernst, "The exact bootstrap mean and variance of an
//! L-estimator", Journal of the Royal Statistical Society B 62, 2000, for pairs of order statistics).

use statrs::distribution::{Binomial, DiscreteCDF};
use statrs::function::factorial::ln_binomial;

/// The exact distribution of the median of a resample.
#[derive(Debug)]
pub struct ResampledMedian<'a> {
    /// The values, sorted.
    sorted: &'a [f64],
    /// For each value, the probability that it is the lower of the two middle values of a resample, or the middle one
    /// for an odd size.
    lower: Vec<f64>,
    /// Logarithm of the number of ways to put half of a resample at or below the lower middle value.
    ln_ways: f64,
}

impl<'a> ResampledMedian<'a> {
    /// Creates the distribution for resamples of the same size as the sample. `None` if it is empty.
    #[must_use]
    pub fn of(sorted: &'a [f64]) -> Option<Self> {
        let size = u64::try_from(sorted.len()).ok().filter(|&size| size > 0)?;
        let below_middle = (size - 1) / 2;
        // The lower middle value is among the first `index` values if more than `below_middle` of the resample are.
        let at_or_below = |index: usize| {
            let share = index as f64 / size as f64;
            let at_or_below = Binomial::new(share.min(1.0), size).ok()?;
            Some(at_or_below.sf(below_middle))
        };
        let cumulative: Vec<f64> = (0..=sorted.len()).map(at_or_below).collect::<Option<_>>()?;
        let lower = cumulative.windows(2).map(|ends| match ends {
            [before, after] => after - before,
            _ => 0.0,
        });
        Some(Self {
            sorted,
            lower: lower.collect(),
            ln_ways: ln_binomial(size, size / 2),
        })
    }

    /// Returns the smallest value that the median of a resample does not exceed with this probability.
    #[must_use]
    pub fn quantile(&self, probability: f64) -> f64 {
        let (Some(&lowest), Some(&highest)) = (self.sorted.first(), self.sorted.last()) else {
            return f64::NAN;
        };
        // Bisects the floats until no float lies between the two bounds.
        let (mut below, mut above) = (lowest, highest);
        if self.at_most(lowest) >= probability {
            return lowest;
        }
        loop {
            let middle = below.midpoint(above);
            if middle <= below || middle >= above {
                return above;
            }
            if self.at_most(middle) >= probability {
                above = middle;
            } else {
                below = middle;
            }
        }
    }

    /// Returns the probability that the median of a resample is at most `bound`.
    fn at_most(&self, bound: f64) -> f64 {
        let size = self.sorted.len();
        let pairs = size.is_multiple_of(2);
        let mut total = 0.0;
        // The end of the partners whose mean with the current value is within the bound. It decreases as the value
        // increases.
        let mut partners = size;
        for (index, (&value, &lower)) in self.sorted.iter().zip(&self.lower).enumerate() {
            if value > bound {
                break;
            }
            if !pairs {
                total += lower;
                continue;
            }
            while partners > index + 1
                && self
                    .sorted
                    .get(partners - 1)
                    .is_some_and(|&partner| value.midpoint(partner) > bound)
            {
                partners -= 1;
            }
            // Excludes the part of the probability in which the upper middle value lies beyond the last partner.
            total += lower - self.beyond(index, partners.max(index + 1));
        }
        total
    }

    /// Returns the probability that the lower middle value is the one at `index` and the upper one is at `partners` or
    /// later: half of the resample is at or below `index` with at least one exactly there, and the other half is at
    /// `partners` or later.
    fn beyond(&self, index: usize, partners: usize) -> f64 {
        let size = self.sorted.len() as f64;
        let half = size / 2.0;
        let power = |count: usize| (self.ln_ways / 2.0 + half * (count as f64 / size).ln()).exp();
        let lower = power(index + 1) - power(index);
        lower * power(self.sorted.len() - partners)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use proptest::prelude::*;

    use super::*;
    use crate::sample::median;

    /// Returns the sorted medians of all possible resamples.
    fn medians(values: &[f64]) -> Vec<f64> {
        let size = values.len();
        let mut medians: Vec<f64> = (0..size.pow(u32::try_from(size).unwrap()))
            .map(|code| {
                let mut resample: Vec<f64> = (0..size)
                    .map(|digit| values[code / size.pow(u32::try_from(digit).unwrap()) % size])
                    .collect();
                median(&mut resample)
            })
            .collect();
        medians.sort_unstable_by(f64::total_cmp);
        medians
    }

    #[test]
    fn distribution_agrees_with_all_possible_resamples() {
        for values in [
            &[1.0, 2.0, 4.0, 7.0, 11.0][..],
            &[1.0, 2.0, 4.0, 7.0, 11.0, 12.0],
            &[3.0, 3.0, 3.0, 9.0],
            &[1.0, 1.5, 8.0],
            &[-2.0, 5.0],
        ] {
            let distribution = ResampledMedian::of(values).unwrap();
            let all = medians(values);
            for bound in [
                -3.0, -2.0, 1.0, 1.5, 2.0, 3.0, 3.5, 4.0, 5.5, 6.0, 7.0, 9.0, 11.5, 12.0,
            ] {
                let share = all.iter().filter(|&&value| value <= bound).count() as f64 / all.len() as f64;
                let found = distribution.at_most(bound);
                assert!(
                    (found - share).abs() < 1e-9,
                    "{values:?} at {bound}: {found} for {share}"
                );
            }
        }
    }

    #[test]
    fn equal_values_have_zero_width_and_many_values_work() {
        let flat = [0.5; 6];
        let distribution = ResampledMedian::of(&flat).unwrap();
        assert_eq!(
            (distribution.quantile(0.025), distribution.quantile(0.975)),
            (0.5, 0.5)
        );
        let many: Vec<f64> = (0..3000).map(f64::from).collect();
        let distribution = ResampledMedian::of(&many).unwrap();
        // The normal approximation: 1499.5 ± 1.96 times half the square root of the size.
        assert!((distribution.quantile(0.025) - 1445.8).abs() < 2.0);
        assert!((distribution.quantile(0.975) - 1553.2).abs() < 2.0);
        assert!(ResampledMedian::of(&[]).is_none());
    }

    proptest! {
        #[test]
        fn quantiles_increase_and_stay_within_the_values(values in prop::collection::vec(-1e3_f64..1e3, 1..40), a in 0.001_f64..0.999, b in 0.001_f64..0.999) {
            let mut sorted = values;
            sorted.sort_unstable_by(f64::total_cmp);
            let distribution = ResampledMedian::of(&sorted).unwrap();
            let (low, high) = (distribution.quantile(a.min(b)), distribution.quantile(a.max(b)));
            prop_assert!(low <= high);
            prop_assert!(sorted[0] <= low && high <= sorted[sorted.len() - 1]);
        }
    }
}
