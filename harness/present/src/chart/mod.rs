//! Charts: from one plain description to SVG, and from that SVG to PNG.
//!
//! plotters writes the SVG and resvg makes the PNG out of that very SVG, with a bundled font (Inter, see
//! `harness/present/assets/fonts/`), and an SVG file carries the letters of that font that it has: so both are the same picture
//! on every machine. Text stays text in the SVG: it can be searched, read aloud and restyled. A viewer that heeds no fonts
//! in files takes its own sans-serif, for which the layout has room, Inter being a wide face.
//!
//! Colours and shapes mean the same in every chart: colour is the model's family, a solid line with filled
//! markers is the GIL off, a dashed one with hollow markers the GIL on, and the marker's shape tells series apart
//! that have both in common. A translucent band is the 95 % interval. Grey lines are there to compare with: dotted what
//! was reckoned, solid the ceiling, which was measured.

mod axes;
mod axis;
mod canvas;
mod embedded_font;
mod font;
#[cfg(test)]
mod gallery;
mod heat_map;
mod kinds;
mod layout;
mod legend;
mod lines;
mod panels;
mod png;
mod rows;
mod sheet;
mod theme;
mod time_line;
mod words;

pub(crate) use axis::ranged_axis;
pub use axis::{Axis, Scale, Tick};
pub use heat_map::{Column, Field, HeatMap, HeatRow};
pub use kinds::{JoinError, Kind, Material, Part, join, make};
pub use lines::{Lines, Marker, Point, ReferenceKind, ReferenceLine, Series};
pub use panels::{Break, Panel, Panels, Stretch};
pub use png::png;
pub use rows::{Look, Mark, Row, Rows, Upright};
pub use theme::{Colour, Theme};
pub use time_line::{Dot, Event, TimeLine};
pub(crate) use words::{builds, machine};

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
    /// An axis was named that the chart does not have.
    #[error("this chart has no {0} axis with a title; leave out its label, or take --title")]
    NoAxis(&'static str),
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

/// What a chart shows inside its frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Series over an axis of numbers of workers.
    Lines(Lines),
    /// Bars or strips, below each other.
    Rows(Rows),
    /// A table on colours.
    HeatMap(HeatMap),
    /// Dots over time.
    TimeLine(TimeLine),
    /// Values over dates, below each other.
    Panels(Panels),
    /// A sentence, where there is nothing to draw.
    Nothing(String),
}

/// A frame, which is the same for every kind of chart, with a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The finding, in words.
    pub title: String,
    /// Machine and builds, one line each.
    pub subtitle: Vec<String>,
    /// What is drawn.
    pub body: Body,
    /// What a reader must know, one paragraph each, the most important first.
    pub caption: Vec<String>,
    /// Colours.
    pub theme: Theme,
    /// Pixels.
    pub size: Size,
}

impl Chart {
    /// A body in an empty frame.
    pub(crate) fn of(body: Body) -> Self {
        Self {
            title: String::new(),
            subtitle: Vec::new(),
            body,
            caption: Vec::new(),
            theme: Theme::default(),
            size: Size::default(),
        }
    }

    /// Gives its axes other titles.
    ///
    /// # Errors
    /// When it has no such axis.
    pub fn relabel(&mut self, x: Option<&str>, y: Option<&str>) -> Result<(), ChartError> {
        let (across, up) = match &mut self.body {
            Body::Lines(lines) => (Some(&mut lines.x), Some(&mut lines.y)),
            Body::TimeLine(line) => (Some(&mut line.x), Some(&mut line.y)),
            Body::Rows(rows) => (Some(&mut rows.x), None),
            Body::Panels(panels) => (Some(&mut panels.x), None),
            Body::HeatMap(_) | Body::Nothing(_) => (None, None),
        };
        for (axis, words, name) in [(across, x, "horizontal"), (up, y, "vertical")] {
            match (axis, words) {
                (Some(axis), Some(words)) => words.clone_into(&mut axis.title),
                (None, Some(_)) => return Err(ChartError::NoAxis(name)),
                (_, None) => {}
            }
        }
        Ok(())
    }

    /// Whether it shows a ceiling.
    fn has_ceiling(&self) -> bool {
        match &self.body {
            Body::Lines(lines) => lines
                .references
                .iter()
                .any(|line| line.kind == ReferenceKind::Measured),
            _ => false,
        }
    }
}

/// The chart as SVG, for a page that has the font and for [`png`].
///
/// # Errors
/// When the size leaves no room, or the drawing library refuses.
pub fn svg(chart: &Chart) -> Result<String, ChartError> {
    sheet::svg(chart)
}

/// The SVG of [`svg`] as a file of its own, with the letters of the font that it has.
///
/// # Errors
/// When it is no such SVG.
pub fn svg_file(svg: &str) -> Result<Vec<u8>, ChartError> {
    embedded_font::with_font(svg).map(String::into_bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
