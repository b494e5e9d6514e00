//! How much a series moves from night to night without changing.

use crate::analyse::sample::median;

/// A median absolute deviation times this is the standard deviation of a normal distribution: 1 over its quantile at
/// 3/4 (Rousseeuw and Croux, "Alternatives to the Median Absolute Deviation", JASA 88 (1993)).
const MAD_TO_DEVIATION: f64 = 1.482_602_218_505_602;

/// A series is never taken to be quieter than this, as a share of its value: clocks and calibration move more.
pub const QUIETEST: f64 = 0.001;

/// From so many differences on they are trusted over the runs' own intervals.
const TRUSTED_FROM: usize = 10;

/// Up to so many values all pairs are compared; of more, the cheaper estimate is good enough.
const MOST_PAIRED: usize = 100;

/// Most that neighbouring nights are taken to have in common; the few nights of a history cannot tell more.
const MOST_CORRELATION: f64 = 0.8;

/// Robust standard deviation about the median; 0 without values.
#[must_use]
pub fn spread(values: &[f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let centre = median(&mut values.to_vec());
    let mut deviations: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    MAD_TO_DEVIATION * median(&mut deviations)
}

/// Robust standard deviation by the distances of all pairs, Qn of Rousseeuw and Croux (as above), which is off by half as
/// much as the median absolute deviation in short series. Its factor is that of long ones, a few per cent too large for
/// short ones, which is the safe side; 0 with fewer than two values.
fn pair_spread(values: &[f64]) -> f64 {
    const QN_TO_DEVIATION: f64 = 2.2219;
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
    QN_TO_DEVIATION * *distance
}

/// Standard deviation of the noise of a series of logarithms, from the differences of neighbours, which changes of level
/// touch in few places. In a short series it is never less than `within`, what the runs' own intervals say; of a longer one
/// the nights themselves tell more, for those intervals are of rounds on a machine that may have had a bad night.
#[must_use]
pub fn of_series(values: &[f64], within: f64) -> f64 {
    let differences: Vec<f64> = values
        .windows(2)
        .filter_map(|pair| match pair {
            [first, second] => Some(second - first),
            _ => None,
        })
        .collect();
    let between = if differences.len() <= MOST_PAIRED {
        pair_spread(&differences)
    } else {
        spread(&differences)
    };
    let noise = (between / 2f64.sqrt()).max(QUIETEST);
    if differences.len() < TRUSTED_FROM && within.is_finite() {
        noise.max(within)
    } else {
        noise
    }
}

/// Correlation of neighbouring residuals, mended for its bias in short series, about -(1 + 3 r) / n (Kendall, "Note on
/// bias in the estimation of autocorrelation", Biometrika 41 (1954)); `None` with fewer than 8.
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

/// By how much neighbouring nights that have this correlation make the variance of a mean larger: that of a first-order
/// autoregression, (1 + r) / (1 - r).
#[must_use]
pub fn inflation(correlation: f64) -> f64 {
    let bounded = correlation.clamp(0.0, MOST_CORRELATION);
    (1.0 + bounded) / (1.0 - bounded)
}
