//! What a chart with curves shows, as a plain description.

use crate::chart::axis::Axis;
use ftbench_schema::{GilState, Model, units};

/// A value with its interval at one place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Place along the x axis.
    pub x: f64,
    /// The value.
    pub y: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
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
    /// Its name.
    pub label: String,
    /// Its last value, in words.
    pub value_label: String,
    /// The model's family, which its colour stands for.
    pub family: Model,
    /// The GIL's state, which its line and markers stand for.
    pub gil: Option<GilState>,
    /// How strong its colour is, from 0 to 1: what tells interpreters apart where all series are of one model.
    pub strength: f64,
    /// Shape of its markers.
    pub marker: Marker,
    /// Its values, by x.
    pub points: Vec<Point>,
}

/// A line to compare with.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceLine {
    /// Its name.
    pub label: String,
    /// Its corners, x and y.
    pub corners: Vec<[f64; 2]>,
    /// What stands behind it.
    pub kind: ReferenceKind,
}

/// What stands behind a line to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceKind {
    /// Nothing but arithmetic, as the ideal line.
    Reckoned,
    /// Measurements, as the ceiling.
    Measured,
    /// A law fitted to a series of this model's family.
    Fitted(Model),
}

/// The body of charts with curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What was measured, in the order of the plan, which is that of importance.
    pub series: Vec<Series>,
    /// What to compare with.
    pub references: Vec<ReferenceLine>,
}

/// What the body shows, in words.
pub(in crate::chart) fn description(lines: &Lines) -> String {
    let of_series = |series: &Series| {
        let points: Vec<String> = series
            .points
            .iter()
            .map(|point| format!("{} at {}", units::number(point.y, 2), units::number(point.x, 0)))
            .collect();
        format!("{}: {}.", series.label, points.join(", "))
    };
    let of_reference = |line: &ReferenceLine| {
        let corners: Vec<String> = line
            .corners
            .iter()
            .map(|[x, y]| format!("{} at {}", units::number(*y, 2), units::number(*x, 0)))
            .collect();
        format!("{}: {}.", line.label, corners.join(", "))
    };
    let measured = lines
        .references
        .iter()
        .filter(|line| line.kind == ReferenceKind::Measured);
    let told: Vec<String> = lines
        .series
        .iter()
        .map(of_series)
        .chain(measured.map(of_reference))
        .collect();
    format!("{} by {}. {}", lines.y.title, lines.x.title, told.join(" "))
}
