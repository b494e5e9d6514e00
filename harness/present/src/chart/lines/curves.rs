//! Curves laid out on their sheet: where values are, and how lines and markers look.

use super::series::{Lines, Marker, ReferenceKind, ReferenceLine, Series};
use crate::chart::axes;
use crate::chart::axis::Axis;
use crate::chart::canvas::{Canvas, Pen, Place, at};
use crate::chart::font::Face;
use crate::chart::ink::Ink;
use crate::chart::layout::Frame;
use crate::chart::look::{Datum, Look};
use crate::chart::sheet::{Drawn, LABEL_EM, Sheet};
use ftbench_schema::{GilState, Model};

/// Length of a dash and of the gap after it, pixels of the usual size.
const DASH: [f64; 2] = [7.0, 4.0];

/// Room inside the plot left and right of the data, for markers, pixels of the usual size.
pub(super) const INSET: f64 = 16.0;

/// From the plot to the key of a label.
pub(super) const LEADER: f64 = 22.0;
/// Length of the key.
pub(super) const KEY: f64 = 28.0;
/// Room above a plot for the title of its axis.
const TITLE: f64 = 36.0;
/// Share of the height that the lower of two plots has.
const LOWER_SHARE: f64 = 0.4;

/// Widths of the widest texts of a kind, pixels.
pub(super) struct Widths {
    /// Names beside the plot.
    pub(super) names: f64,
    /// Last values beside them.
    pub(super) values: f64,
}

impl Widths {
    fn of(lines: &Lines, unit: f64, room: f64) -> Self {
        let widest = |bold: bool, words: &mut dyn Iterator<Item = &str>| {
            let em = LABEL_EM * unit;
            words
                .map(|word| Face { em, bold }.width(word))
                .fold(0.0, f64::max)
        };
        let names = lines.series.iter().map(|series| series.label.as_str());
        let references = lines.references.iter().map(|line| line.label.as_str());
        let values = &mut lines.series.iter().map(|series| series.value_label.as_str());
        Self {
            // A long name must not squeeze the plot.
            names: widest(false, &mut names.chain(references)).min(room * 0.25),
            values: widest(true, values),
        }
    }
}

/// One of the plots of a chart.
pub(super) struct Plot<'a> {
    pub(super) frame: Frame,
    pub(super) y: &'a Axis,
    /// Whether it shows values over their x.
    pub(super) is_per_worker: bool,
}

impl Plot<'_> {
    /// The height of a value at x.
    fn height(&self, x: f64, value: f64) -> f64 {
        let value = if self.is_per_worker { value / x } else { value };
        self.frame.bottom - self.y.share(value) * self.frame.height()
    }
}

/// The body laid out on its sheet.
pub(super) struct Curves<'a> {
    pub(super) sheet: &'a Sheet<'a>,
    pub(super) lines: &'a Lines,
    pub(super) upper: Plot<'a>,
    pub(super) lower: Option<Plot<'a>>,
    pub(super) widths: Widths,
}

impl<'a> Curves<'a> {
    pub(super) fn new(sheet: &'a Sheet<'a>, lines: &'a Lines) -> Self {
        let unit = sheet.unit;
        let area = sheet.area;
        let widths = Widths::of(lines, unit, area.width());
        let gutter = if widths.names > 0.0 && !sheet.is_bare {
            (LEADER + KEY + 14.0) * unit + widths.names + widths.values
        } else {
            0.0
        };
        let below = lines.per_worker.as_ref();
        let ticks = below.map_or(0.0, |y| sheet.tick_room(y));
        let frame = |top: f64, bottom: f64| Frame {
            left: area.left + sheet.tick_room(&lines.y).max(ticks),
            top,
            right: area.right - gutter,
            bottom,
        };
        let (top, bottom) = (
            area.top + TITLE * unit,
            area.bottom - axes::room_below(&lines.x) * unit,
        );
        let gap = (TITLE + 8.0) * unit;
        let middle = bottom - (bottom - top - gap) * LOWER_SHARE;
        Self {
            sheet,
            lines,
            upper: Plot {
                frame: frame(top, if below.is_some() { middle - gap } else { bottom }),
                y: &lines.y,
                is_per_worker: false,
            },
            lower: below.map(|y| Plot {
                frame: frame(middle, bottom),
                y,
                is_per_worker: true,
            }),
            widths,
        }
    }

    /// The plots, from the top.
    pub(super) fn plots(&self) -> impl Iterator<Item = &Plot<'a>> {
        [Some(&self.upper), self.lower.as_ref()].into_iter().flatten()
    }

    pub(super) fn x(&self, value: f64) -> f64 {
        let inset = INSET * self.sheet.unit;
        let frame = self.upper.frame;
        frame.left + inset + self.lines.x.share(value) * (frame.width() - 2.0 * inset)
    }

    pub(super) fn place(&self, plot: &Plot<'_>, x: f64, y: f64) -> Place {
        at(self.x(x), plot.height(x, y))
    }

    pub(super) fn reference_pen(&self, line: &ReferenceLine) -> Pen {
        let unit = self.sheet.unit;
        match line.kind {
            ReferenceKind::Calculated if line.label.is_empty() => Pen::solid(Ink::Reference, unit),
            ReferenceKind::Calculated => Pen {
                dash: Some([3.0, 4.0].map(|length| length * unit)),
                ..Pen::solid(Ink::Reference, 1.5 * unit)
            },
            ReferenceKind::Measured => Pen::solid(Ink::Reference, 1.5 * unit),
        }
    }
}

/// The ink of a series.
pub(super) fn ink(series: &Series) -> Ink {
    Ink::Model(series.family, series.strength)
}

/// The line of a series.
pub(super) fn pen(series: &Series, unit: f64) -> Pen {
    Pen {
        dash: (series.gil == Some(GilState::On)).then_some(DASH.map(|length| length * unit)),
        ..Pen::solid(ink(series), 2.2 * weight(series) * unit)
    }
}

/// Draws a marker of a series, which stands for the value where one is given.
pub(super) fn marker(
    canvas: &Canvas,
    centre: Place,
    series: &Series,
    unit: f64,
    datum: Option<Datum>,
) -> Drawn {
    let is_hollow = series.gil == Some(GilState::On);
    let fill = if is_hollow { Ink::Background } else { ink(series) };
    let look = Look {
        fill: Some((fill, 1.0)),
        stroke: is_hollow.then_some(Pen::solid(ink(series), 1.8 * unit)),
        datum,
        ..Look::default()
    };
    let size = 4.0 * weight(series) * unit;
    match marker_corners(series.marker, centre, size) {
        Some(corners) => canvas.shape(&corners, look),
        None => canvas.circle(centre, size, look),
    }
}

/// How much larger than the usual a series is drawn: what lies below is wider, so that it shows where series meet.
pub(super) fn weight(series: &Series) -> f64 {
    let of_family = match series.family {
        Model::Threads => 1.0,
        Model::Asyncio => 1.3,
        _ => 1.15,
    };
    if series.gil == Some(GilState::On) {
        of_family + 0.1
    } else {
        of_family
    }
}

/// Corners of a marker that has any.
fn marker_corners(marker: Marker, centre: Place, size: f64) -> Option<Vec<Place>> {
    let corner = |x: f64, y: f64| at(centre.x + x * size, centre.y + y * size);
    match marker {
        Marker::Circle => None,
        Marker::Square => Some(vec![
            corner(-0.9, -0.9),
            corner(0.9, -0.9),
            corner(0.9, 0.9),
            corner(-0.9, 0.9),
        ]),
        Marker::Triangle => Some(vec![corner(0.0, -1.2), corner(1.15, 0.8), corner(-1.15, 0.8)]),
        Marker::Diamond => Some(vec![
            corner(0.0, -1.3),
            corner(1.3, 0.0),
            corner(0.0, 1.3),
            corner(-1.3, 0.0),
        ]),
    }
}
