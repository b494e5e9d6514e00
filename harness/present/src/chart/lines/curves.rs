//! Curves laid out on their sheet: where values are, and how lines and markers look.

use super::series::{Lines, Marker, ReferenceKind, ReferenceLine, Series};
use crate::chart::axes;
use crate::chart::canvas::{Pen, Place, at};
use crate::chart::font::Face;
use crate::chart::layout::Frame;
use crate::chart::sheet::{Drawn, LABEL_EM, Sheet};
use crate::chart::theme::Colour;
use ftbench_schema::{GilState, Model};

/// Length of a dash and of the gap after it, pixels of the usual size.
const DASH: [f64; 2] = [7.0, 4.0];

/// Room inside the plot left and right of the data, for markers, pixels of the usual size.
pub(super) const INSET: f64 = 16.0;

/// From the plot to the key of a label.
pub(super) const LEADER: f64 = 22.0;
/// Length of the key.
pub(super) const KEY: f64 = 28.0;

/// How wide the widest of some texts are, pixels.
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

/// The body laid out on its sheet.
pub(super) struct Curves<'a, 'svg> {
    pub(super) sheet: &'a Sheet<'a, 'svg>,
    pub(super) lines: &'a Lines,
    pub(super) plot: Frame,
    pub(super) widths: Widths,
}

impl<'a, 'svg> Curves<'a, 'svg> {
    pub(super) fn new(sheet: &'a Sheet<'a, 'svg>, lines: &'a Lines) -> Self {
        let unit = sheet.unit;
        let area = sheet.area;
        let widths = Widths::of(lines, unit, area.width());
        let gutter = if widths.names > 0.0 {
            (LEADER + KEY + 14.0) * unit + widths.names + widths.values
        } else {
            0.0
        };
        let plot = Frame {
            left: area.left + sheet.tick_width(&lines.y) + 8.0 * unit,
            top: area.top + 36.0 * unit,
            right: area.right - gutter,
            bottom: area.bottom - axes::room_below(&lines.x) * unit,
        };
        Self {
            sheet,
            lines,
            plot,
            widths,
        }
    }

    pub(super) fn x(&self, value: f64) -> f64 {
        let inset = INSET * self.sheet.unit;
        self.plot.left + inset + self.lines.x.share(value) * (self.plot.width() - 2.0 * inset)
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        self.plot.bottom - self.lines.y.share(value) * self.plot.height()
    }

    pub(super) fn place(&self, x: f64, y: f64) -> Place {
        at(self.x(x), self.y(y))
    }

    pub(super) fn reference_pen(&self, line: &ReferenceLine) -> Pen {
        let unit = self.sheet.unit;
        let theme = self.sheet.theme;
        let dashed = |colour, width: f64, dash: [f64; 2]| Pen {
            dash: Some(dash.map(|length| length * unit)),
            ..Pen::solid(colour, width * unit)
        };
        match line.kind {
            ReferenceKind::Fitted(family) => dashed(theme.of(family), 1.0, [3.0, 2.5]),
            ReferenceKind::Measured => Pen::solid(theme.reference, 1.5 * unit),
            ReferenceKind::Reckoned if line.label.is_empty() => Pen::solid(theme.reference, unit),
            ReferenceKind::Reckoned => dashed(theme.reference, 1.5, [3.0, 4.0]),
        }
    }

    pub(super) fn colour(&self, series: &Series) -> Colour {
        self.sheet.theme.shaded(series.family, series.strength)
    }

    pub(super) fn pen(&self, series: &Series) -> Pen {
        let solid = Pen::solid(self.colour(series), 2.2 * weight(series) * self.sheet.unit);
        let dash = DASH.map(|length| length * self.sheet.unit);
        Pen {
            dash: (series.gil == Some(GilState::On)).then_some(dash),
            ..solid
        }
    }

    pub(super) fn marker(&self, centre: Place, series: &Series) -> Drawn {
        let colour = self.colour(series);
        let hollow = series.gil == Some(GilState::On);
        let fill = if hollow {
            self.sheet.theme.background
        } else {
            colour
        };
        let pen = Pen::solid(colour, 1.8 * self.sheet.unit);
        let size = 4.0 * weight(series) * self.sheet.unit;
        let Some(mut corners) = marker_corners(series.marker, centre, size) else {
            self.sheet.canvas.disc(centre, size, fill)?;
            return if hollow {
                self.sheet.canvas.ring(centre, size, pen)
            } else {
                Ok(())
            };
        };
        self.sheet.canvas.polygon(&corners, fill, 1.0)?;
        if hollow {
            // Once more along the first side, so that the last corner is as pointed as the others.
            let again: Vec<Place> = corners.iter().copied().take(2).collect();
            corners.extend(again);
            self.sheet.canvas.line(&corners, pen)?;
        }
        Ok(())
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
