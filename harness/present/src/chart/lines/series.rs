//! What a chart with curves shows, as a plain description.

use crate::chart::axis::Axis;
use ftbench_schema::{GilState, Model, units};

/// A value with its interval at one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Place along the x axis.
    pub x: f64,
    /// The value.
    pub y: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The value with its interval in words, which a page shows on hover; empty where it shows none.
    pub words: String,
}

impl Point {
    /// A speedup as an efficiency: everything over the number of workers.
    pub(super) fn per_worker(&self) -> Self {
        let share = |value: f64| value / self.x;
        let (y, low, high) = (share(self.y), share(self.low), share(self.high));
        Self {
            x: self.x,
            y,
            low,
            high,
            words: efficiency_words(y, low, high),
        }
    }
}

/// An efficiency with its interval: `96 % [95, 97]`.
pub(in crate::chart) fn efficiency_words(share: f64, low: f64, high: f64) -> String {
    let end = |share: f64| units::number(100.0 * share, 0);
    format!("{} [{}, {}]", units::per_cent(share, 0), end(low), end(high))
}

/// The shape of a series' markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// ●
    Circle,
    /// ■
    Square,
    /// ▲
    Triangle,
    /// ◆
    Diamond,
}

impl Marker {
    /// The shape of the n-th series, from 0, among those with the same colour and line.
    #[must_use]
    pub const fn nth(position: usize) -> Self {
        match position % 4 {
            0 => Self::Circle,
            1 => Self::Square,
            2 => Self::Triangle,
            _ => Self::Diamond,
        }
    }
}

/// One model on one interpreter.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The full name, unique among the workload's series.
    pub name: String,
    /// The name, cut to the length that fits into a picture.
    pub label: String,
    /// Its last value, in words.
    pub value_label: String,
    /// The model's family, which its colour stands for.
    pub family: Model,
    /// The GIL's state, which its line and markers stand for.
    pub gil: Option<GilState>,
    /// How strong its colour is, from 0 to 1: what distinguishes interpreters where all series are of one model.
    pub strength: f64,
    /// Shape of its markers.
    pub marker: Marker,
    /// Its number among the series of all charts of its workload, by which a page hides and highlights it.
    pub number: usize,
    /// Its values, by x.
    pub points: Vec<Point>,
    /// Corners of the law that was fitted to it, x and y; empty without one.
    pub fit: Vec<[f64; 2]>,
}

/// A line to compare with.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceLine {
    /// Its name.
    pub label: String,
    /// Its corners, x and y.
    pub corners: Vec<[f64; 2]>,
    /// Where it comes from.
    pub kind: ReferenceKind,
}

/// Where a line to compare with comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceKind {
    /// Arithmetic, as the ideal line does.
    Calculated,
    /// Measurements, as the ceiling does.
    Measured,
}

/// The body of charts with curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The vertical axis of a second plot below, which shows every value over its x: the efficiency below the speedup.
    pub per_worker: Option<Axis>,
    /// What was measured, in the order of the plan, which is that of importance.
    pub series: Vec<Series>,
    /// Lines to compare with.
    pub references: Vec<ReferenceLine>,
}

/// Describes the body in words.
pub(in crate::chart) fn description(lines: &Lines) -> String {
    let corner = |x: f64, y: f64| format!("{} at {}", units::number(y, 2), units::number(x, 0));
    let curve = |name: &str, corners: Vec<String>| format!("{name}: {}.", corners.join(", "));
    let series = lines.series.iter().map(|series| {
        let points = series.points.iter().map(|point| corner(point.x, point.y));
        curve(&series.label, points.collect())
    });
    let measured = lines
        .references
        .iter()
        .filter(|line| line.kind == ReferenceKind::Measured);
    let measured = measured.map(|line| {
        let corners = line.corners.iter().map(|[x, y]| corner(*x, *y));
        curve(&line.label, corners.collect())
    });
    let curves: Vec<String> = series.chain(measured).collect();
    format!("{} by {}. {}", lines.y.title, lines.x.title, curves.join(" "))
}
