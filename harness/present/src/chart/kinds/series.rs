//! Series of measured values, as charts draw them.

use crate::chart::{Marker, Point, Series};
use ftbench_schema::Estimate;
use itertools::Itertools;

use super::measured::{Line, series_name};
use super::show::Show;

/// Makes series of lines.
pub(super) fn series(lines: &[Line<'_>], show: &Show) -> Vec<Series> {
    let arms = arms(lines);
    let mut series: Vec<Series> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let family = line.model.family();
        let alike = series
            .iter()
            .filter(|other| other.family == family && other.gil == line.gil)
            .count();
        let points: Vec<Point> = line
            .values
            .iter()
            .map(|(workers, value)| point(*workers, *value, show))
            .collect();
        series.push(Series {
            name: format!("{} {}", line.place(usize::MAX), line.model),
            label: series_name(line),
            strength: strength(line, &arms),
            value_label: line
                .values
                .last()
                .map(|(_, value)| (show.words)(value.estimate))
                .unwrap_or_default(),
            family,
            gil: line.gil,
            marker: Marker::nth(alike),
            number,
            points,
            fit: Vec::new(),
        });
    }
    series
}

/// The arms of lines, in their order.
fn arms<'a>(lines: &[Line<'a>]) -> Vec<&'a str> {
    lines.iter().filter_map(|line| line.arm).unique().collect()
}

/// The strength of the colour of the first of several arms; that of the last one is 1.
const FIRST_ARM: f64 = 0.5;

/// Weaker colours for the earlier of several arms.
fn strength(line: &Line<'_>, arms: &[&str]) -> f64 {
    let place = line
        .arm
        .and_then(|arm| arms.iter().position(|known| *known == arm));
    let last = arms.len().saturating_sub(1);
    match place {
        Some(place) if place < last => {
            #[allow(clippy::cast_precision_loss)] // A handful of arms.
            let along = place as f64 / last as f64;
            FIRST_ARM + (1.0 - FIRST_ARM) * along
        }
        _ => 1.0,
    }
}

/// A point of a chart. An end of an interval that is not known lies at the value.
fn point(workers: u32, value: Estimate, show: &Show) -> Point {
    let or_value = |end: f64| if end.is_finite() { end } else { value.estimate };
    Point {
        x: f64::from(workers),
        y: value.estimate * show.factor,
        low: or_value(value.low) * show.factor,
        high: or_value(value.high) * show.factor,
        words: (show.interval_words)(value),
    }
}
