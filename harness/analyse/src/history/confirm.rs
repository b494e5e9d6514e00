//! Which of the places where a level may have changed are changes.
//!
//! A segmentation of its own calls too much: the place was chosen because it looks like a change, nights of one week have
//! something in common, and a slow drift is no step. So each candidate has to pass a t test of the two levels on either
//! side, corrected for the number of places that it was chosen from and for the correlation of neighbouring nights, and
//! a step has to describe the values better than a straight line does.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::noise;
use super::segments::{self, BIWEIGHT};
use crate::sample::{mean, median};

/// Fewest nights on either side of a change: two that went wrong one after the other are not rare on shared machines.
pub const FEWEST_NIGHTS: usize = 3;

/// A step is one when the squares that it leaves are less than this share of those that a straight line leaves. In a
/// simulation of 60 nights that drift by 24 %, 15 % had a step without the margin and 1 % with it.
const BETTER_THAN_LINE: f64 = 0.95;

/// A candidate has to be this unlikely by chance to be kept for the correction over the whole history.
const CANDIDATE: f64 = 0.05;

/// A step between two levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Position of the first value after it.
    pub position: usize,
    /// By how much the level changed, logarithm of the ratio.
    pub shift: f64,
    /// Half-width of its 95 % interval.
    pub half_width: f64,
    /// Probability of a step at least as large anywhere between its neighbours were there none.
    pub p_value: f64,
}

/// A series cut into segments of one level each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fitted {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The levels before, between and after them, one more than steps: logarithms.
    pub levels: Vec<f64>,
    /// Values less the level of their segment, outliers brought in to three standard deviations.
    pub residuals: Vec<f64>,
    /// Standard deviation of the noise.
    pub noise: f64,
}

/// What a series' nights have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// Standard deviation that the runs' own intervals tell.
    pub within: f64,
    /// Correlation of neighbouring nights.
    pub correlation: f64,
    /// Smallest change that counts, logarithm of the ratio.
    pub smallest: f64,
}

/// Finds the steps of a series of logarithms.
#[must_use]
pub fn fit(values: &[f64], terms: Terms) -> Fitted {
    let noise = noise::of_series(values, terms.within);
    let scaled: Vec<f64> = values.iter().map(|value| value / noise).collect();
    let mut cuts = if values.len() < 2 * FEWEST_NIGHTS {
        Vec::new()
    } else {
        segments::change_points(&scaled)
    };
    drop_short(&scaled, &mut cuts);
    relocate(&scaled, &mut cuts);
    loop {
        let fitted = fitted(&scaled, &cuts, noise, terms);
        let weakest = fitted
            .steps
            .iter()
            .filter(|step| step.p_value > CANDIDATE || step.shift.abs() <= terms.smallest)
            .max_by(|a, b| a.p_value.total_cmp(&b.p_value));
        let Some(weakest) = weakest.map(|step| step.position) else {
            return fitted;
        };
        cuts.retain(|cut| *cut != weakest);
        relocate(&scaled, &mut cuts);
    }
}

/// The series with only these of its steps, which keep the p values that they were tested with. Where a neighbour was
/// dropped the levels are others, and so are the figures of the steps; one that counts no more then goes too.
#[must_use]
pub fn refit(values: &[f64], kept: &[Step], terms: Terms) -> Fitted {
    let noise = noise::of_series(values, terms.within);
    let scaled: Vec<f64> = values.iter().map(|value| value / noise).collect();
    let mut kept = kept.to_vec();
    loop {
        let cuts: Vec<usize> = kept.iter().map(|step| step.position).collect();
        let mut fitted = fitted(&scaled, &cuts, noise, terms);
        let too_small = fitted
            .steps
            .iter()
            .filter(|step| step.shift.abs() <= terms.smallest)
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

/// The ranges of the segments between cuts.
#[must_use]
pub fn ranges(cuts: &[usize], count: usize) -> Vec<std::ops::Range<usize>> {
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain(std::iter::once(count));
    starts.zip(ends).map(|(start, end)| start..end).collect()
}

fn part(values: &[f64], range: std::ops::Range<usize>) -> &[f64] {
    values.get(range).unwrap_or(&[])
}

/// The level of a segment, in units of the noise: the mean of its values, outliers brought in to three standard
/// deviations from the median (Huber, "Robust Estimation of a Location Parameter", 1964, in one step).
fn level(values: &[f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let centre = median(&mut values.to_vec());
    mean(&brought_in(values, centre))
}

fn brought_in(values: &[f64], centre: f64) -> Vec<f64> {
    values
        .iter()
        .map(|value| value.clamp(centre - BIWEIGHT, centre + BIWEIGHT))
        .collect()
}

/// Joins segments that are too short with the neighbour whose level is nearer.
fn drop_short(scaled: &[f64], cuts: &mut Vec<usize>) {
    loop {
        let segments = ranges(cuts, scaled.len());
        let short = segments.iter().position(|segment| segment.len() < FEWEST_NIGHTS);
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
        // The cut before segment `short` has the index `short - 1`, the one after it `short`.
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

/// Moves each cut to where it costs least between its neighbours.
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
        if let Some(split) = segments::best_split(part(scaled, start..end), levels, FEWEST_NIGHTS) {
            *cut = start + split;
        }
    }
}

fn fitted(scaled: &[f64], cuts: &[usize], noise: f64, terms: Terms) -> Fitted {
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
    // Residuals of cuts that were chosen to make them small are too small; differences of neighbours, of which the noise was
    // estimated and which are 1 in its units, are not.
    let deviation = (squares / freedom).sqrt().max(1.0);
    let inflation = noise::inflation(terms.correlation);
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
            Some(_) if !is_held(both, position - before.start, [*from, *to]) => 1.0,
            Some(_) if !is_a_step(both, position - before.start, [*from, *to]) => 1.0,
            Some(distribution) if error > 0.0 => {
                (2.0 * distribution.sf(((to - from) / error).abs()) * places).min(1.0)
            }
            _ => 1.0,
        };
        let reach = distribution
            .as_ref()
            .map_or(f64::INFINITY, |distribution| distribution.inverse_cdf(0.975));
        steps.push(Step {
            position: *position,
            shift: (to - from) * noise,
            half_width: reach * error * noise,
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

/// From how many places a cut was chosen: where there are several, each segment has two ends that were.
fn places(nights: usize, cuts: usize) -> f64 {
    let nights = nights as f64;
    if cuts > 1 {
        nights * (nights - 1.0) / 2.0
    } else {
        nights - 1.0
    }
}

/// Whether on either side of a step enough nights are nearer to that side's level: of three nights at the end of a series,
/// two that went wrong pull the level with them.
fn is_held(values: &[f64], position: usize, levels: [f64; 2]) -> bool {
    let [before, after] = levels;
    let (left, right) = values.split_at(position.min(values.len()));
    let nearer = |values: &[f64], own: f64, other: f64| {
        values
            .iter()
            .filter(|value| (*value - own).abs() < (*value - other).abs())
            .count()
    };
    nearer(left, before, after) >= FEWEST_NIGHTS && nearer(right, after, before) >= FEWEST_NIGHTS
}

/// Whether two levels describe values better than a straight line does, by a margin.
fn is_a_step(values: &[f64], position: usize, levels: [f64; 2]) -> bool {
    let [before, after] = levels;
    let (left, right) = values.split_at(position.min(values.len()));
    let mut near = brought_in(left, before);
    near.extend(brought_in(right, after));
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
    /// Sum of the squared distances from it.
    pub squares: f64,
}

/// The line of least squares; `None` with fewer than three values.
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

/// Values with outliers brought in to three standard deviations from a line.
fn near_line(values: &[f64], line: Line) -> Vec<f64> {
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let centre = mean(values);
    let at = |index: usize| centre + line.slope * (index as f64 - middle);
    values
        .iter()
        .enumerate()
        .map(|(index, value)| value.clamp(at(index) - BIWEIGHT, at(index) + BIWEIGHT))
        .collect()
}

/// By how much a segment of logarithms rises from its first value to its last along a line, and how likely as much is
/// by chance; `None` with fewer than ten.
#[must_use]
pub fn trend(values: &[f64], noise: f64, correlation: f64) -> Option<Trend> {
    const FEWEST: usize = 10;
    if values.len() < FEWEST || noise <= 0.0 {
        return None;
    }
    let scaled: Vec<f64> = values.iter().map(|value| value / noise).collect();
    let line = line(&near_line(&scaled, line(&scaled)?))?;
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
    /// From the first value to the last, logarithm of the ratio.
    pub rise: f64,
    /// Probability of as much by chance.
    pub p_value: f64,
}

#[cfg(test)]
#[path = "confirm_tests.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
