//! How curves are painted: bands, lines and markers of the series, and what they are compared with.

use super::curves::{Curves, weight};
use super::series::{Lines, Point, Series};
use crate::chart::canvas::{Pen, Place};
use crate::chart::sheet::{Drawn, Sheet};

/// Draws the body.
pub(in crate::chart) fn draw(sheet: &Sheet<'_, '_>, lines: &Lines) -> Drawn {
    Curves::new(sheet, lines).paint()
}

impl Curves<'_, '_> {
    fn paint(&self) -> Drawn {
        self.sheet.upward_axis(self.plot, &self.lines.y)?;
        self.sheet
            .bottom_axis(self.plot, &self.lines.x, &|value| self.x(value))?;
        self.references()?;
        for series in &self.lines.series {
            self.band(series)?;
        }
        for series in painting_order(&self.lines.series) {
            self.line(series)?;
        }
        for series in painting_order(&self.lines.series) {
            for point in &series.points {
                self.marker(self.place(point.x, point.y), series)?;
            }
        }
        self.labels()
    }

    fn references(&self) -> Drawn {
        for line in &self.lines.references {
            let corners: Vec<Place> = line.corners.iter().map(|[x, y]| self.place(*x, *y)).collect();
            self.sheet.canvas.line(&corners, self.reference_pen(line))?;
        }
        Ok(())
    }

    /// The interval as a band, or as a whisker where there is one point only.
    fn band(&self, series: &Series) -> Drawn {
        let colour = self.colour(series);
        if let [Point { x, low, high, .. }] = series.points.as_slice() {
            let pen = Pen::solid(colour, 2.0 * self.sheet.unit);
            return self
                .sheet
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
        self.sheet.canvas.polygon(&corners, colour, 0.18)
    }

    fn line(&self, series: &Series) -> Drawn {
        let corners: Vec<Place> = series
            .points
            .iter()
            .map(|point| self.place(point.x, point.y))
            .collect();
        if corners.len() < 2 {
            return Ok(());
        }
        self.sheet.canvas.line(&corners, self.pen(series))
    }
}

/// The widest first, so that the others lie on top of it.
fn painting_order(series: &[Series]) -> Vec<&Series> {
    let mut order: Vec<&Series> = series.iter().collect();
    order.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    order
}
