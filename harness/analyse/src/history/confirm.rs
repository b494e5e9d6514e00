//! Tests which of the candidate positions are changes of level.
//!
//! Segmentation alone finds too many changes: a position was chosen because it looks like a change, neighbouring nights
//! are correlated, and a slow drift is not a step. Therefore each candidate has to pass a t test of the levels on
//! either side, corrected for the number of positions that it was chosen from and for the correlation of neighbouring
//! nights, and a step has to describe the values better than a straight line.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::noise;
use super::segments::{self, BIWEIGHT};
use crate::sample::{mean, median};

/// Minimum number of nights on either side of a change. Two bad nights in a row are not rare on shared machines.
pub const MIN_NIGHTS: usize = 3;

/// A candidate is a step if its sum of squares is less than this share of that of a straight line. In a simulation of
/// 60 nights that drift by 24 %, 15 % had a step without the margin and 1 % with it.
const BETTER_THAN_LINE: f64 = 0.95;

/// Maximum p value of a candidate that is kept for the correction over the whole history.
const MAX_CANDIDATE_P_VALUE: f64 = 0.05;

/// A step between two levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Position of the first value after it.
    pub position: usize,
    /// Change of the level, logarithm of the ratio.
    pub shift: f64,
    /// Half-width of its 95 % interval.
    pub half_width: f64,
    /// Probability of a step at least as large anywhere between its neighbours if there were none.
    pub p_value: f64,
}

/// A series divided into segments with one level each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fitted {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The levels before, between and after the steps, one more than there are steps: logarithms.
    pub levels: Vec<f64>,
    /// Values minus the level of their segment, with outliers clamped to three standard deviations.
    pub residuals: Vec<f64>,
    /// Standard deviation of the noise.
    pub noise: f64,
}

/// Parameters for testing a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestParameters {
    /// Standard deviation according to the intervals of the runs.
    pub within: f64,
    /// Correlation of neighbouring nights.
    pub correlation: f64,
    /// Smallest change of interest, logarithm of the ratio.
    pub smallest: f64,
}

/// Finds the steps of a series of logarithms.
#[must_use]
pub fn fit(values: &[f64], parameters: TestParameters) -> Fitted {
    let noise = noise::of_series(values, parameters.within);
    let scaled: Vec<f64> = values.iter().map(|value| value / noise).collect();
    let mut cuts = if values.len() < 2 * MIN_NIGHTS {
        Vec::new()
    } else {
        segments::change_points(&scaled)
    };
    drop_short(&scaled, &mut cuts);
    relocate(&scaled, &mut cuts);
    loop {
        let fitted = fitted(&scaled, &cuts, noise, parameters);
        let weakest = fitted
            .steps
            .iter()
            .filter(|step| step.p_value > MAX_CANDIDATE_P_VALUE || step.shift.abs() <= parameters.smallest)
            .max_by(|a, b| a.p_value.total_cmp(&b.p_value));
        let Some(weakest) = weakest.map(|step| step.position) else {
            return fitted;
        };
        cuts.retain(|cut| *cut != weakest);
        relocate(&scaled, &mut cuts);
    }
}

/// Fits a series with only these of its steps, which keep their tested p values. Without a dropped neighbour, the
/// levels and therefore the other figures of the steps change; a step that becomes too small is dropped as well.
#[must_use]
pub fn refit(values: &[f64], kept: &[Step], parameters: TestParameters) -> Fitted {
    let noise = noise::of_series(values, parameters.within);
    let scaled: Vec<f64> = values.iter().map(|value| value / noise).collect();
    let mut kept = kept.to_vec();
    loop {
        let cuts: Vec<usize> = kept.iter().map(|step| step.position).collect();
        let mut fitted = fitted(&scaled, &cuts, noise, parameters);
        let too_small = fitted
            .steps
            .iter()
            .filter(|step| step.shift.abs() <= parameters.smallest)
            .min_by(|a, b| a.shift.abs().total_cmp(&b.shift.abs()))
            .map(|step| step.position);
        let Some(too_small) = too_small else {
            for (step, tested) in fitted.steps.iter_mut().zip(&kept) {
                step.p_value = tested.p_value;
            }
            return fitted;
        };
        kept.retain(|step| step.position != too_small);
    }
}

/// Returns the ranges of the segments between cuts.
#[must_use]
pub fn ranges(cuts: &[usize], count: usize) -> Vec<std::ops::Range<usize>> {
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain(std::iter::once(count));
    starts.zip(ends).map(|(start, end)| start..end).collect()
}

fn part(values: &[f64], range: std::ops::Range<usize>) -> &[f64] {
    values.get(range).unwrap_or(&[])
}

/// Returns the level of a segment, in units of the noise: the mean of its values, with outliers clamped to three
/// standard deviations from the median (Huber, "Robust Estimation of a Location Parameter", 1964, in one step).
fn level(values: &[f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let centre = median(&mut values.to_vec());
    mean(&clamp_outliers(values, centre))
}

fn clamp_outliers(values: &[f64], centre: f64) -> Vec<f64> {
    values
        .iter()
        .map(|value| value.clamp(centre - BIWEIGHT, centre + BIWEIGHT))
        .collect()
}

/// Merges segments that are too short with the neighbour whose level is nearer.
fn drop_short(scaled: &[f64], cuts: &mut Vec<usize>) {
    loop {
        let segments = ranges(cuts, scaled.len());
        let short = segments.iter().position(|segment| segment.len() < MIN_NIGHTS);
        let Some(short) = short.filter(|_| !cuts.is_empty()) else {
            return;
        };
        let level_of = |index: usize| {
            segments
                .get(index)
                .map(|segment| level(part(scaled, segment.clone())))
        };
        let own = level_of(short).unwrap_or(0.0);
        let distance = |index: Option<usize>| {
            index
                .and_then(level_of)
                .map_or(f64::INFINITY, |other| (other - own).abs())
        };
        // The cut before segment `short` has the index `short - 1`, and the one after it `short`.
        let to_the_left = distance(short.checked_sub(1)) <= distance(Some(short + 1));
        let cut = if to_the_left {
            short.saturating_sub(1)
        } else {
            short
        };
        if cut < cuts.len() {
            cuts.remove(cut);
        } else {
            cuts.pop();
        }
    }
}

/// Moves each cut to the position with the least cost between its neighbours.
fn relocate(scaled: &[f64], cuts: &mut [usize]) {
    for index in 0..cuts.len() {
        let start = index
            .checked_sub(1)
            .and_then(|before| cuts.get(before))
            .copied()
            .unwrap_or(0);
        let end = cuts.get(index + 1).copied().unwrap_or(scaled.len());
        let Some(cut) = cuts.get_mut(index) else { continue };
        let levels = [level(part(scaled, start..*cut)), level(part(scaled, *cut..end))];
        if let Some(split) = segments::best_split(part(scaled, start..end), levels, MIN_NIGHTS) {
            *cut = start + split;
        }
    }
}

fn fitted(scaled: &[f64], cuts: &[usize], noise: f64, parameters: TestParameters) -> Fitted {
    let segments = ranges(cuts, scaled.len());
    let levels: Vec<f64> = segments
        .iter()
        .map(|segment| level(part(scaled, segment.clone())))
        .collect();
    let mut residuals: Vec<f64> = Vec::with_capacity(scaled.len());
    for (segment, level) in segments.iter().zip(&levels) {
        let values = part(scaled, segment.clone());
        residuals.extend(
            values
                .iter()
                .map(|value| (value - level).clamp(-BIWEIGHT, BIWEIGHT)),
        );
    }
    let freedom = scaled.len().saturating_sub(segments.len()).max(1) as f64;
    let squares: f64 = residuals.iter().map(|residual| residual * residual).sum();
    // The residuals underestimate the noise because the cuts were chosen to minimise them. The differences of
    // neighbours, from which the unit of noise was estimated, do not.
    let deviation = (squares / freedom).sqrt().max(1.0);
    let inflation = noise::inflation(parameters.correlation);
    let distribution = StudentsT::new(0.0, 1.0, (freedom / inflation).max(1.0)).ok();
    let mut steps = Vec::with_capacity(cuts.len());
    for (index, position) in cuts.iter().enumerate() {
        let (Some(before), Some(after)) = (segments.get(index), segments.get(index + 1)) else {
            continue;
        };
        let (Some(from), Some(to)) = (levels.get(index), levels.get(index + 1)) else {
            continue;
        };
        let nights = 1.0 / before.len() as f64 + 1.0 / after.len() as f64;
        let error = (deviation * deviation * nights * inflation).sqrt();
        let places = places(scaled.len(), cuts.len());
        let both = part(scaled, before.start..after.end);
        let p_value = match &distribution {
            Some(_) if !is_supported(both, position - before.start, [*from, *to]) => 1.0,
            Some(_) if !is_a_step(both, position - before.start, [*from, *to]) => 1.0,
            Some(distribution) if error > 0.0 => {
                (2.0 * distribution.sf(((to - from) / error).abs()) * places).min(1.0)
            }
            _ => 1.0,
        };
        let quantile = distribution
            .as_ref()
            .map_or(f64::INFINITY, |distribution| distribution.inverse_cdf(0.975));
        steps.push(Step {
            position: *position,
            shift: (to - from) * noise,
            half_width: quantile * error * noise,
            p_value,
        });
    }
    Fitted {
        steps,
        levels: levels.iter().map(|level| level * noise).collect(),
        residuals: residuals.iter().map(|residual| residual * noise).collect(),
        noise: deviation * noise,
    }
}

/// Returns the number of positions from which a cut was chosen. With several cuts, both ends of each segment were
/// chosen.
fn places(nights: usize, cuts: usize) -> f64 {
    let nights = nights as f64;
    if cuts > 1 {
        nights * (nights - 1.0) / 2.0
    } else {
        nights - 1.0
    }
}

/// Whether enough nights on either side of a step are nearer to the level of that side. Of three nights at the end of a
/// series, two bad ones would otherwise determine the level.
fn is_supported(values: &[f64], position: usize, levels: [f64; 2]) -> bool {
    let [before, after] = levels;
    let (left, right) = values.split_at(position.min(values.len()));
    let nearer = |values: &[f64], own: f64, other: f64| {
        values
            .iter()
            .filter(|value| (*value - own).abs() < (*value - other).abs())
            .count()
    };
    nearer(left, before, after) >= MIN_NIGHTS && nearer(right, after, before) >= MIN_NIGHTS
}

/// Whether two levels describe the values better than a straight line by a margin.
fn is_a_step(values: &[f64], position: usize, levels: [f64; 2]) -> bool {
    let [before, after] = levels;
    let (left, right) = values.split_at(position.min(values.len()));
    let mut near = clamp_outliers(left, before);
    near.extend(clamp_outliers(right, after));
    let of = |values: &[f64], level: f64| values.iter().map(|value| (value - level).powi(2)).sum::<f64>();
    let (left, right) = near.split_at(position.min(near.len()));
    let of_step = of(left, before) + of(right, after);
    line(&near).is_none_or(|line| of_step < BETTER_THAN_LINE * line.squares)
}

/// A straight line through values at equal distances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Rise from one value to the next.
    pub slope: f64,
    /// Standard error of the slope.
    pub error: f64,
    /// Sum of the squared residuals.
    pub squares: f64,
}

/// Fits a line by least squares; `None` with fewer than three values.
#[must_use]
pub fn line(values: &[f64]) -> Option<Line> {
    let count = values.len() as f64;
    if values.len() < 3 {
        return None;
    }
    let middle = (count - 1.0) / 2.0;
    let centre = mean(values);
    let places = || (0..values.len()).map(|index| index as f64 - middle);
    let of_places: f64 = places().map(|place| place * place).sum();
    let slope = places()
        .zip(values)
        .map(|(place, value)| place * value)
        .sum::<f64>()
        / of_places;
    let squares: f64 = places()
        .zip(values)
        .map(|(place, value)| (value - centre - slope * place).powi(2))
        .sum();
    Some(Line {
        slope,
        error: (squares / (count - 2.0) / of_places).sqrt(),
        squares,
    })
}

/// Clamps outliers to three standard deviations from a line.
fn clamp_to_line(values: &[f64], line: Line) -> Vec<f64> {
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let centre = mean(values);
    let at = |index: usize| centre + line.slope * (index as f64 - middle);
    values
        .iter()
        .enumerate()
        .map(|(index, value)| value.clamp(at(index) - BIWEIGHT, at(index) + BIWEIGHT))
        .collect()
}

/// Returns by how much a segment of logarithms rises from its first value to its last along a line, and the probability
/// of such a rise by chance; `None` with fewer than ten values.
#[must_use]
pub fn trend(values: &[f64], noise: f64, correlation: f64) -> Option<Trend> {
    const MIN_VALUES: usize = 10;
    if values.len() < MIN_VALUES || noise <= 0.0 {
        return None;
    }
    let scaled: Vec<f64> = values.iter().map(|value| value / noise).collect();
    let line = line(&clamp_to_line(&scaled, line(&scaled)?))?;
    let inflation = noise::inflation(correlation);
    let freedom = ((values.len() - 2) as f64 / inflation).max(1.0);
    let distribution = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let statistic = if line.error > 0.0 {
        (line.slope / line.error).abs() / inflation.sqrt()
    } else {
        0.0
    };
    Some(Trend {
        rise: line.slope * noise * (values.len() - 1) as f64,
        p_value: 2.0 * distribution.sf(statistic),
    })
}

/// A slow change within a segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Rise from the first value to the last, logarithm of the ratio.
    pub rise: f64,
    /// Probability of a rise at least as large by chance.
    pub p_value: f64,
}

#[cfg(test)]
#[path = "confirm_tests.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
