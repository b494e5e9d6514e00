//! How a series is painted: its band, its line and its markers.

use super::canvas::{Pen, Place, at};
use super::draw::{Drawn, Sheet};
use super::{Marker, Point, Series};
use crate::record::schema::{GilState, Model};

/// Length of a dash and of the gap after it, pixels of the usual size.
const DASH: [f64; 2] = [7.0, 4.0];

impl Sheet<'_, '_> {
    /// The interval as a band, or as a whisker where there is one point only.
    pub(super) fn band(&self, series: &Series) -> Drawn {
        let colour = self.chart.theme.of(series.family);
        if let [Point { x, low, high, .. }] = series.points.as_slice() {
            let pen = Pen::solid(colour, 2.0 * self.unit);
            return self
                .canvas
                .line(&[self.place(*x, *low), self.place(*x, *high)], pen);
        }
        let lows = series.points.iter().map(|point| self.place(point.x, point.low));
        let highs = series.points.iter().rev();
        let corners: Vec<Place> = lows
            .chain(highs.map(|point| self.place(point.x, point.high)))
            .collect();
        if corners.is_empty() {
            return Ok(());
        }
        self.canvas.polygon(&corners, colour, 0.18)
    }

    pub(super) fn pen(&self, series: &Series) -> Pen {
        let solid = Pen::solid(
            self.chart.theme.of(series.family),
            2.2 * weight(series) * self.unit,
        );
        let dash = DASH.map(|length| length * self.unit);
        Pen {
            dash: (series.gil == Some(GilState::On)).then_some(dash),
            ..solid
        }
    }

    pub(super) fn line(&self, series: &Series) -> Drawn {
        let corners: Vec<Place> = series
            .points
            .iter()
            .map(|point| self.place(point.x, point.y))
            .collect();
        if corners.len() < 2 {
            return Ok(());
        }
        self.canvas.line(&corners, self.pen(series))
    }

    pub(super) fn marker(&self, centre: Place, series: &Series) -> Drawn {
        let colour = self.chart.theme.of(series.family);
        let hollow = series.gil == Some(GilState::On);
        let fill = if hollow {
            self.chart.theme.background
        } else {
            colour
        };
        let pen = Pen::solid(colour, 1.8 * self.unit);
        let size = 4.0 * weight(series) * self.unit;
        let Some(mut corners) = marker_corners(series.marker, centre, size) else {
            self.canvas.disc(centre, size, fill)?;
            return if hollow {
                self.canvas.ring(centre, size, pen)
            } else {
                Ok(())
            };
        };
        self.canvas.polygon(&corners, fill, 1.0)?;
        if hollow {
            // Once more along the first side, so that the last corner is as pointed as the others.
            let again: Vec<Place> = corners.iter().copied().take(2).collect();
            corners.extend(again);
            self.canvas.line(&corners, pen)?;
        }
        Ok(())
    }
}

/// How much larger than the usual a series is drawn: what lies below is wider, so that it shows where series meet.
fn weight(series: &Series) -> f64 {
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

/// The widest first, so that the others lie on top of it.
pub(super) fn painting_order(series: &[Series]) -> Vec<&Series> {
    let mut order: Vec<&Series> = series.iter().collect();
    order.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    order
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
