//! The noise of a series between nights.

use crate::sample::median;

/// Factor from a median absolute deviation to the standard deviation of a normal distribution: 1 over its quantile at
/// 3/4 (Rousseeuw and Croux, "Alternatives to the Median Absolute Deviation", JASA 88 (1993)).
const MAD_TO_DEVIATION: f64 = 1.482_602_218_505_602;

/// Minimum noise of a series, as a share of its value; clocks and calibration vary more than that.
pub const MIN_NOISE: f64 = 0.001;

/// Minimum number of differences at which they are used without regard to the runs' own intervals.
const MIN_TRUSTED_DIFFERENCES: usize = 10;

/// Maximum number of values for the estimate from all pairs; for more, the cheaper estimate is precise enough.
const MAX_PAIRED: usize = 100;

/// Maximum correlation of neighbouring nights that is assumed, because a history has too few nights to establish more.
const MAX_CORRELATION: f64 = 0.8;

/// Robust standard deviation around the median; 0 without values.
#[must_use]
pub fn spread(values: &[f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let centre = median(&mut values.to_vec());
    let mut deviations: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    MAD_TO_DEVIATION * median(&mut deviations)
}

/// Robust standard deviation from the distances of all pairs, Qn of Rousseeuw and Croux (as above), which has half the
/// error of the median absolute deviation in short series; 0 with fewer than two values.
fn pair_spread(values: &[f64]) -> f64 {
    // 1 / (2^(1/2) times the normal distribution's quantile at 5/8); the paper's 2.2219 is a misprint.
    const QN_TO_DEVIATION: f64 = 2.219_144_465_985_08;
    let mut distances: Vec<f64> = Vec::with_capacity(values.len() * values.len() / 2);
    for (index, first) in values.iter().enumerate() {
        distances.extend(values.iter().skip(index + 1).map(|second| (first - second).abs()));
    }
    let half = values.len() / 2 + 1;
    let rank = (half * (half - 1) / 2).saturating_sub(1);
    if rank >= distances.len() {
        return 0.0;
    }
    let (_, distance, _) = distances.select_nth_unstable_by(rank, f64::total_cmp);
    QN_TO_DEVIATION * *distance * qn_correction(values.len())
}

/// Correction factor of Qn for few values of a normal distribution (Croux and Rousseeuw, "Time-Efficient Algorithms for
/// Two Highly Robust Estimators of Scale", Computational Statistics 1 (1992); R's `robustbase::Qn` had the same).
fn qn_correction(count: usize) -> f64 {
    const FROM_TWO: [f64; 8] = [0.399, 0.994, 0.512, 0.844, 0.611, 0.857, 0.669, 0.872];
    let tabled = count.checked_sub(2).and_then(|index| FROM_TWO.get(index));
    let values = count as f64;
    let more = if count % 2 == 1 { 1.4 } else { 3.8 };
    tabled.copied().unwrap_or(values / (values + more))
}

/// Standard deviation of the noise of a series of logarithms, from the differences of neighbours, few of which contain
/// a change of level. For a short series it is at least `within`, the value from the runs' own intervals. For a longer
/// one the nights themselves are more informative, because those intervals only cover rounds, and the machine may have
/// had a bad night.
#[must_use]
pub fn of_series(values: &[f64], within: f64) -> f64 {
    let differences: Vec<f64> = values
        .windows(2)
        .filter_map(|pair| match pair {
            [first, second] => Some(second - first),
            _ => None,
        })
        .collect();
    let between = if differences.len() <= MAX_PAIRED {
        pair_spread(&differences)
    } else {
        spread(&differences)
    };
    let noise = (between / 2f64.sqrt()).max(MIN_NOISE);
    if differences.len() < MIN_TRUSTED_DIFFERENCES && within.is_finite() {
        noise.max(within)
    } else {
        noise
    }
}

/// Correlation of neighbouring residuals, corrected for its bias in short series, about -(1 + 3 r) / n (Kendall, "Note
/// on bias in the estimation of autocorrelation", Biometrika 41 (1954)); `None` with fewer than 8.
#[must_use]
pub fn correlation(residuals: &[f64]) -> Option<f64> {
    let count = residuals.len();
    if count < 8 {
        return None;
    }
    let squares: f64 = residuals.iter().map(|value| value * value).sum();
    if squares <= 0.0 {
        return None;
    }
    let products: f64 = residuals
        .windows(2)
        .map(|pair| pair.iter().product::<f64>())
        .sum();
    let raw = products / squares;
    Some((raw + (1.0 + 3.0 * raw) / count as f64).clamp(-1.0, 1.0))
}

/// Factor by which correlated neighbouring nights increase the variance of a mean: that of a first-order
/// autoregression, (1 + r) / (1 - r).
#[must_use]
pub fn inflation(correlation: f64) -> f64 {
    let bounded = correlation.clamp(0.0, MAX_CORRELATION);
    (1.0 + bounded) / (1.0 - bounded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::nights::Nights;

    #[test]
    fn noise_of_few_nights_is_unbiased() {
        for nights in [8, 11, 14, 21, 30, 31, 60] {
            let made = Nights {
                nights,
                noise: 0.02,
                ..Nights::default()
            };
            let sum: f64 = (0..2000).map(|seed| of_series(&made.values(seed), 0.0)).sum();
            let typical = sum / 2000.0 / 0.02;
            // Neighbouring differences share a night, which makes Qn of few of them slightly too large.
            assert!((0.98..1.1).contains(&typical), "{typical} of {nights} nights");
        }
    }

    #[test]
    fn qn_follows_its_definition() {
        // The distances of 1, 2, 4 and 7 are 1, 2, 3, 3, 5 and 6; for four values Qn uses the third.
        let expected = 3.0 * 2.219_144_465_985_08 * 0.512;
        assert!((pair_spread(&[4.0, 1.0, 7.0, 2.0]) - expected).abs() < 1e-12);
        assert!(
            (qn_correction(10) - 10.0 / 13.8).abs() < 1e-12
                && (qn_correction(29) - 29.0 / 30.4).abs() < 1e-12
        );
        assert!(pair_spread(&[1.0]) <= 0.0 && pair_spread(&[]) <= 0.0);
    }
}
