//! Charts: from one plain description to SVG, and from that SVG to PNG.
//!
//! plotters writes the SVG and resvg makes the PNG out of that very SVG, with a bundled font (Inter, see
//! `harness/assets/fonts/`), so both are the same picture on every machine. Text stays text in the SVG: it can be
//! searched, read aloud and restyled, and the file stays small; a viewer without Inter takes its own sans-serif,
//! for which the layout has room, Inter being a wide face.
//!
//! Colours and shapes mean the same in every chart: colour is the model's family, a solid line with filled
//! markers is the GIL off, a dashed one with hollow markers the GIL on, and the marker's shape tells series apart
//! that have both in common. A translucent band is the 95 % interval. Grey lines are there to compare with: dotted what
//! was reckoned, solid the ceiling, which was measured.

mod canvas;
mod draw;
mod font;
#[cfg(test)]
mod gallery;
mod labels;
mod layout;
mod lines;
mod png;
mod scaling;
mod theme;
mod words;

pub use png::png;
pub use scaling::scaling;
pub use theme::{Colour, Theme};
pub(in crate::present) use words::{builds, machine};

use crate::record::schema::{GilState, Model};

/// A chart that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The size asked for leaves no room for the plot.
    #[error("a chart of {width}x{height} has no room for its labels; ask for {least_width}x{least_height} or more",
        least_width = Size::SMALLEST.width, least_height = Size::SMALLEST.height)]
    TooSmall {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// The size asked for is more than a picture may have.
    #[error(
        "a picture of {width}x{height} at scale {scale} is too large or empty; ask for a smaller size or scale"
    )]
    TooLarge {
        /// Pixels.
        width: f32,
        /// Pixels.
        height: f32,
        /// Picture pixels to one of these.
        scale: f32,
    },
    /// The bundled font cannot be read.
    #[error("the bundled font cannot be read; this build of ftbench is damaged: install it again")]
    Font,
    /// plotters refused.
    #[error("the chart could not be drawn: {0}; please report this with the run's summary.json")]
    Draw(String),
    /// What is to become a PNG is no SVG.
    #[error("the chart's SVG could not be read: {0}; make it again with 'ftbench plot'")]
    Svg(#[from] resvg::usvg::Error),
    /// The PNG encoder refused.
    #[error("the chart could not be written as PNG: {0}; take the SVG instead")]
    Encode(String),
}

/// Pixels of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Across.
    pub width: u32,
    /// Down.
    pub height: u32,
}

impl Size {
    /// The smallest size that has room for labels.
    pub const SMALLEST: Self = Self {
        width: 480,
        height: 300,
    };
}

impl Default for Size {
    fn default() -> Self {
        Self {
            width: 960,
            height: 600,
        }
    }
}

/// How values lie along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps are equally long.
    Linear,
    /// Doublings are equally long.
    Log2,
}

impl Scale {
    /// Where a value lies, in steps or doublings; not finite where the scale has no place for it.
    #[must_use]
    pub fn position(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log2 => value.log2(),
        }
    }
}

/// A mark on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where.
    pub value: f64,
    /// What it says, in one or two lines.
    pub label: String,
}

/// One axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What it shows, with the unit.
    pub title: String,
    /// How values lie along it.
    pub scale: Scale,
    /// Lowest value shown.
    pub low: f64,
    /// Highest value shown.
    pub high: f64,
    /// Marks, the most important first where not all have room.
    pub ticks: Vec<Tick>,
}

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
    /// Whether it was measured, as the ceiling is, rather than reckoned.
    pub measured: bool,
}

/// All that a chart shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The finding, in words.
    pub title: String,
    /// Machine and builds, one line each.
    pub subtitle: Vec<String>,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What was measured, in the order of the plan, which is that of importance.
    pub series: Vec<Series>,
    /// What to compare with.
    pub references: Vec<ReferenceLine>,
    /// A sentence in the middle of the plot, where there is nothing to draw.
    pub note: Option<String>,
    /// What a reader must know, one paragraph each, the most important first.
    pub caption: Vec<String>,
    /// Colours.
    pub theme: Theme,
    /// Pixels.
    pub size: Size,
}

/// The chart as SVG.
///
/// # Errors
/// When the size leaves no room, or the drawing library refuses.
pub fn svg(chart: &Chart) -> Result<String, ChartError> {
    draw::svg(chart)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
