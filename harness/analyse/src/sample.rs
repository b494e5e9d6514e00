//! Finite values and their basic statistics.

/// One or more finite values.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// Takes the values; `None` if there are none, or if one is not finite.
    #[must_use]
    pub fn new(values: Vec<f64>) -> Option<Self> {
        (!values.is_empty() && values.iter().all(|value| value.is_finite())).then_some(Self(values))
    }

    /// The values, in the order given.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// Returns the number of values, at least 1.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Arithmetic mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        mean(&self.0)
    }

    /// Middle value; the mean of the two middle ones when there is an even number.
    #[must_use]
    pub fn median(&self) -> f64 {
        median(&mut self.0.clone())
    }

    /// Standard error of the mean, from the sample variance with n - 1; `None` for a single value.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        (self.len() > 1).then(|| standard_error(&self.0, self.mean()))
    }

    /// Standard deviation, from the sample variance with n - 1; `None` for a single value.
    #[must_use]
    pub fn standard_deviation(&self) -> Option<f64> {
        Some(self.standard_error()? * (self.len() as f64).sqrt())
    }

    /// The quantile for a probability, type 7 of Hyndman and Fan (1996).
    #[must_use]
    pub fn quantile(&self, probability: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        quantile_sorted(&sorted, probability)
    }
}

/// Arithmetic mean of at least one value.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard error of the mean of at least two values.
pub(super) fn standard_error(values: &[f64], mean: f64) -> f64 {
    let count = values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (count - 1.0) / count).sqrt()
}

/// Middle value of at least one; reorders `values`.
pub(super) fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    let (_, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if values.len() % 2 == 1 {
        return upper;
    }
    let (below, _) = values.split_at(middle);
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    lower.midpoint(upper)
}

/// Quantile of sorted values by linear interpolation, type 7 of Hyndman and Fan, "Sample Quantiles in Statistical
/// Packages", The American Statistician 50 (1996), the default of R and NumPy.
pub(super) fn quantile_sorted(sorted: &[f64], probability: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let position = probability.clamp(0.0, 1.0) * last as f64;
    let below = position.floor();
    // Between 0 and `last`.
    let index = below as usize;
    let at = |index: usize| sorted.get(index.min(last)).copied().unwrap_or(f64::NAN);
    at(index) + (position - below) * (at(index + 1) - at(index))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn statistics_agree_with_r() {
        let sample = Sample::new(vec![2.0, 4.0, 4.0, 5.0, 7.0, 9.0]).unwrap();
        assert_eq!(sample.median(), 4.5);
        assert!((sample.mean() - 31.0 / 6.0).abs() < 1e-12);
        // R 4: sd(c(2,4,4,5,7,9)) / sqrt(6)
        assert!((sample.standard_error().unwrap() - 1.013_793_755).abs() < 1e-9);
        assert!((sample.standard_deviation().unwrap() - 2.483_277_404).abs() < 1e-9);
        assert_eq!(sample.quantile(0.25), 4.0);
        // R 4 and NumPy: quantile(c(2,4,4,5,7,9), c(0.1, 0.25, 0.9)) is 3, 4, 8
        let sorted = [2.0, 4.0, 4.0, 5.0, 7.0, 9.0];
        for (probability, value) in [(0.0, 2.0), (0.1, 3.0), (0.25, 4.0), (0.9, 8.0), (1.0, 9.0)] {
            assert!(
                (quantile_sorted(&sorted, probability) - value).abs() < 1e-12,
                "{probability}"
            );
        }
    }

    #[test]
    fn empty_and_infinite_samples_are_rejected() {
        assert_eq!(Sample::new(vec![]), None);
        assert_eq!(Sample::new(vec![1.0, f64::NAN]), None);
        assert_eq!(Sample::new(vec![f64::INFINITY]), None);
        assert_eq!(Sample::new(vec![1.0]).unwrap().standard_error(), None);
    }

    proptest! {
        #[test]
        fn median_has_half_of_the_values_on_each_side(values in prop::collection::vec(-1e9_f64..1e9, 1..40)) {
            let median = Sample::new(values.clone()).unwrap().median();
            prop_assert!(values.iter().filter(|&&value| value < median).count() * 2 <= values.len());
            prop_assert!(values.iter().filter(|&&value| value > median).count() * 2 <= values.len());
        }
    }
}
