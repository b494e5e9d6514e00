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
mod drawn;
mod embedded_font;
mod error;
mod font;
mod frame;
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
pub use drawn::{Body, Chart};
pub use error::{ChartError, Size};
pub use heat_map::{Column, Field, HeatMap, HeatRow};
pub use kinds::{JoinError, Kind, Material, Part, join, make};
pub use lines::{Lines, Marker, Point, ReferenceKind, ReferenceLine, Series};
pub use panels::{Break, Panel, Panels, Stretch};
pub use png::png;
pub use rows::{Look, Mark, Row, Rows, Upright};
pub use theme::{Colour, Theme};
pub use time_line::{Dot, Event, TimeLine};
pub(crate) use words::{builds, machine};

/// The chart as SVG, for a page that has the font and for [`png`].
///
/// # Errors
/// When the size leaves no room, or the drawing library refuses.
pub fn svg(chart: &Chart) -> Result<String, ChartError> {
    frame::svg(chart)
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
