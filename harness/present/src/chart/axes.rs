//! Draws the axes of the bodies that have any.

use super::axis::{Axis, Tick};
use super::canvas::{Anchor, Letters, Pen, Place, at};
use super::ink::Ink;
use super::layout::{self, Frame};
use super::sheet::{Drawn, LABEL_EM, Sheet, count};

/// Height of a line of tick labels, pixels of the usual size.
const TICK_LINE: f64 = 16.0;

/// Lines of an axis' labels.
fn tick_lines(axis: &Axis) -> f64 {
    let lines = |tick: &Tick| count(tick.label.lines().count());
    axis.ticks.iter().map(lines).fold(1.0, f64::max)
}

/// Room below a plot for its axis, pixels of the usual size.
pub(super) fn room_below(axis: &Axis) -> f64 {
    TICK_LINE * tick_lines(axis) + 42.0
}

impl Sheet<'_> {
    /// Room for the labels of a vertical axis, pixels.
    pub(super) fn tick_room(&self, axis: &Axis) -> f64 {
        let face = self.face(LABEL_EM, false);
        let labels = axis.ticks.iter().map(|tick| face.width(&tick.label));
        labels.fold(0.0, f64::max) * self.growth() + 8.0 * self.unit
    }

    /// Draws grid lines and labels for values upwards, with the axis' title above the plot.
    pub(super) fn upward_axis(&self, plot: Frame, axis: &Axis) -> Drawn {
        let y = |tick: &Tick| plot.bottom - axis.share(tick.value) * plot.height();
        let pen = Pen::solid(Ink::Grid, self.unit);
        for tick in &axis.ticks {
            let ends = [at(plot.left, y(tick)), at(plot.right, y(tick))];
            self.canvas.line(&ends, pen)?;
        }
        let letters = Letters {
            is_centred: true,
            ..self.letters(LABEL_EM, Ink::Muted, Anchor::End)
        };
        for tick in &axis.ticks {
            let place = at(plot.left - 8.0 * self.unit, y(tick));
            self.canvas.text(&tick.label, place, letters)?;
        }
        let title = Letters {
            class: Some("axis"),
            ..self.letters(LABEL_EM, Ink::Text, Anchor::Start)
        };
        let above = at(self.area.left, plot.top - 12.0 * self.unit);
        let fitting = self.face(LABEL_EM, false).fit(&axis.title, self.area.width());
        self.canvas.text(&fitting, above, title)
    }

    /// Draws the line below the plot, with marks, as many labels as have room, and the axis' title.
    pub(super) fn bottom_axis(&self, plot: Frame, axis: &Axis, x: &dyn Fn(f64) -> f64) -> Drawn {
        self.bottom_line(plot, axis, x)?;
        let bottom = plot.bottom;
        let face = self.face(LABEL_EM, false);
        let spans: Vec<(f64, f64)> = axis
            .ticks
            .iter()
            .map(|tick| {
                let widths = tick.label.lines().map(|line| face.width(line));
                (x(tick.value), widths.fold(0.0, f64::max))
            })
            .collect();
        let grown: Vec<(f64, f64)> = spans
            .iter()
            .map(|(x, width)| (*x, width * self.growth()))
            .collect();
        let kept = layout::without_overlap(&spans, 8.0 * self.unit);
        let kept_when_narrow = layout::without_overlap(&grown, 8.0 * self.unit);
        let ticks = axis
            .ticks
            .iter()
            .zip(spans)
            .zip(kept.into_iter().zip(kept_when_narrow));
        for ((tick, (x, _)), (_, kept_when_narrow)) in ticks.filter(|(_, (kept, _))| *kept) {
            let letters = Letters {
                class: (!kept_when_narrow).then_some("roomy"),
                ..self.letters(LABEL_EM, Ink::Muted, Anchor::Middle)
            };
            let mut baseline = bottom + 20.0 * self.unit;
            for line in tick.label.lines() {
                self.canvas.text(line, at(x, baseline), letters)?;
                baseline += TICK_LINE * self.unit;
            }
        }
        let middle = f64::midpoint(plot.left, plot.right);
        let letters = self.letters(LABEL_EM, Ink::Text, Anchor::Middle);
        let baseline = bottom + (tick_lines(axis) * TICK_LINE + 24.0) * self.unit;
        let fitting = face.fit(&axis.title, plot.width());
        self.canvas.text(&fitting, at(middle, baseline), letters)
    }

    /// Draws the line below a plot with its marks.
    pub(super) fn bottom_line(&self, plot: Frame, axis: &Axis, x: &dyn Fn(f64) -> f64) -> Drawn {
        let bottom = plot.bottom;
        let pen = Pen::solid(Ink::Muted, 1.2 * self.unit);
        let line = |from: Place, to: Place| self.canvas.line(&[from, to], pen);
        line(at(plot.left, bottom), at(plot.right, bottom))?;
        for tick in &axis.ticks {
            let x = x(tick.value);
            line(at(x, bottom), at(x, bottom + 5.0 * self.unit))?;
        }
        Ok(())
    }
}
