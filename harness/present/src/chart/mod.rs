//! Charts: from one plain description to SVG, and from that SVG to PNG.
//!
//! There is one drawing: plotters draws into a backend that writes SVG (`svg.rs`). A file has the colours of a
//! theme in it; the copy of the same drawing for a page has classes, to which the page's style sheet gives colours, and
//! `data-` attributes, from which its script reads series and values. resvg makes the PNG out of the file's SVG, with a
//! bundled font (Inter, see `harness/present/assets/fonts/`), and an SVG file carries the letters of that font that it has:
//! so both are the same picture on every machine. Text stays text in the SVG: it can be searched, read aloud and restyled.
//! A viewer that ignores fonts in files takes its own sans-serif, for which the layout has room, because Inter is wide.
//!
//! Colours and shapes mean the same in every chart: colour is the model's family, a solid line with filled
//! markers is the GIL off, a dashed one with hollow markers the GIL on, and the marker's shape distinguishes series
//! that have both in common. A translucent band is the 95 % interval. Grey lines are there to compare with: dotted what
//! was calculated, solid the ceiling, which was measured.

mod axes;
mod axis;
mod braille;
mod canvas;
mod drawn;
mod embedded_font;
mod error;
mod font;
mod frame;
#[cfg(test)]
mod gallery;
mod heat_map;
mod ink;
mod inline;
mod kinds;
mod layout;
mod legend;
mod lines;
mod look;
mod panels;
mod png;
mod rows;
mod sheet;
mod sixel;
mod svg;
mod theme;
mod time_line;
mod words;

pub(crate) use axis::ranged_axis;
pub use axis::{Axis, Scale, Tick};
pub use braille::braille;
pub use drawn::{Body, Chart};
pub use error::{ChartError, Size};
pub use heat_map::{Column, Field, HeatMap, HeatRow};
pub use inline::{iterm2, kitty};
pub(crate) use kinds::{Figure, MOST_SERIES, WORKERS, figures, of_machines, per_second};
pub use kinds::{JoinError, Kind, Material, Part, join, make};
pub use lines::{Lines, Marker, Point, ReferenceKind, ReferenceLine, Series};
pub use panels::{LevelChange, LevelSpan, Panel, Panels};
pub use png::png;
pub use rows::{Bin, Counts, Look, Mark, Row, Rows, Samples, VerticalReference};
pub use sixel::sixel;
pub use theme::{Colour, Theme};
pub use time_line::{Dot, Event, TimeLine};
pub(crate) use words::{builds, machine};

/// Draws a chart as SVG in the colours of its theme, for [`png`] and [`svg_file`].
///
/// # Errors
/// When the size leaves no room, or the drawing library refuses.
pub fn svg(chart: &Chart) -> Result<String, ChartError> {
    frame::svg(chart, svg::Target::File(chart.theme))
}

/// Draws the same picture for a page, whose style sheet has the colours and the font.
pub(crate) fn page_svg(chart: &Chart) -> Result<String, ChartError> {
    frame::svg(chart, svg::Target::Page)
}

/// Draws a chart's body without its frame for a page that has title, legend and caption around it.
pub(crate) fn page_body(chart: &Chart) -> Result<String, ChartError> {
    frame::body(chart)
}

/// Draws a series' line and marker for the legend of a page.
pub(crate) fn page_key(series: &Series) -> Result<String, ChartError> {
    lines::key(series)
}

/// The `@font-face` rules of a page with these pictures: the letters that any of them has, once.
pub(crate) fn page_font<'a>(svgs: impl IntoIterator<Item = &'a str>) -> Result<String, ChartError> {
    embedded_font::rules_for(svgs)
}

/// Makes the SVG of [`svg`] a file of its own, with the letters of the font that it has.
///
/// # Errors
/// When it is not such an SVG.
pub fn svg_file(svg: &str) -> Result<Vec<u8>, ChartError> {
    embedded_font::with_font(svg).map(String::into_bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
