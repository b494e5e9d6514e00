//! How curves are painted: bands, lines and markers of the series, and what they are compared with.

use super::curves::{Curves, Plot, ink, marker, pen, weight};
use super::series::{Lines, Point, Series};
use crate::chart::canvas::{Canvas, Pen, Place, at};
use crate::chart::error::{ChartError, Size};
use crate::chart::look::{Datum, Group};
use crate::chart::sheet::{Drawn, LABEL_EM, Sheet};
use crate::chart::svg::Target;

/// Draws the body.
pub(in crate::chart) fn draw(sheet: &Sheet<'_>, lines: &Lines) -> Drawn {
    Curves::new(sheet, lines).paint()
}

/// Draws a short piece of a series' line with its marker, for the legend of a page.
pub(in crate::chart) fn key(series: &Series) -> Result<String, ChartError> {
    let size = Size {
        width: 34,
        height: 14,
    };
    let canvas = Canvas::new(Target::Page, size, LABEL_EM);
    let group = Group {
        family: series.family,
        series: None,
        title: "",
    };
    canvas.group(group, || {
        canvas.line(&[at(1.0, 7.0), at(33.0, 7.0)], pen(series, 1.0))?;
        marker(&canvas, at(17.0, 7.0), series, 1.0, None)
    })?;
    canvas.finish_key()
}

impl Curves<'_> {
    fn paint(&self) -> Drawn {
        let x = |value: f64| self.x(value);
        if self.lower.is_some() {
            self.sheet.bottom_line(self.upper.frame, &self.lines.x, &x)?;
        }
        for plot in self.plots() {
            self.sheet.upward_axis(plot.frame, plot.y)?;
        }
        let last = self.lower.as_ref().unwrap_or(&self.upper);
        self.sheet.bottom_axis(last.frame, &self.lines.x, &x)?;
        for plot in self.plots() {
            self.references(plot)?;
        }
        for series in painting_order(&self.lines.series) {
            let group = Group {
                family: series.family,
                series: Some(series.number),
                title: "",
            };
            let draw = || self.plots().try_for_each(|plot| self.series(plot, series));
            self.sheet.canvas.group(group, draw)?;
        }
        if self.sheet.is_bare {
            self.names_at_lines()
        } else {
            self.labels()
        }
    }

    fn references(&self, plot: &Plot<'_>) -> Drawn {
        for line in &self.lines.references {
            if plot.is_per_worker && line.label.is_empty() {
                continue;
            }
            let corners: Vec<Place> = line
                .corners
                .iter()
                .map(|[x, y]| self.place(plot, *x, *y))
                .collect();
            self.sheet.canvas.line(&corners, self.reference_pen(line))?;
        }
        Ok(())
    }

    fn series(&self, plot: &Plot<'_>, series: &Series) -> Drawn {
        let Sheet { canvas, unit, .. } = self.sheet;
        self.band(plot, series)?;
        let fit: Vec<Place> = series.fit.iter().map(|[x, y]| self.place(plot, *x, *y)).collect();
        if fit.len() > 1 {
            let dashed = Pen {
                dash: Some([3.0, 2.5].map(|length| length * unit)),
                ..Pen::solid(ink(series), *unit)
            };
            canvas.line(&fit, dashed)?;
        }
        let corners: Vec<Place> = series
            .points
            .iter()
            .map(|point| self.place(plot, point.x, point.y))
            .collect();
        if corners.len() > 1 {
            canvas.line(&corners, pen(series, *unit))?;
        }
        for (point, place) in series.points.iter().zip(corners) {
            let words = if plot.is_per_worker {
                point.per_worker().words
            } else {
                point.words.clone()
            };
            let datum = Datum {
                x: point.x,
                words,
                is_below: plot.is_per_worker,
            };
            marker(canvas, place, series, *unit, Some(datum))?;
        }
        Ok(())
    }

    /// Draws the interval as a band, or as a whisker where there is one point only.
    fn band(&self, plot: &Plot<'_>, series: &Series) -> Drawn {
        let end = |point: &Point, value: f64| self.place(plot, point.x, value);
        if let [point] = series.points.as_slice() {
            let pen = Pen::solid(ink(series), 2.0 * self.sheet.unit);
            let ends = [end(point, point.low), end(point, point.high)];
            return self.sheet.canvas.line(&ends, pen);
        }
        let lows = series.points.iter().map(|point| end(point, point.low));
        let highs = series.points.iter().rev();
        let corners: Vec<Place> = lows.chain(highs.map(|point| end(point, point.high))).collect();
        if corners.is_empty() {
            return Ok(());
        }
        self.sheet.canvas.polygon(&corners, ink(series), 0.18)
    }
}

/// The widest first, so that the others lie on top of it.
fn painting_order(series: &[Series]) -> Vec<&Series> {
    let mut order: Vec<&Series> = series.iter().collect();
    order.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    order
}
