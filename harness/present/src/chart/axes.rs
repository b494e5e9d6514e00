//! Axes as they are drawn, for the bodies that have any.

use super::axis::{Axis, Tick};
use super::canvas::{Anchor, Pen, at};
use super::layout::{self, Frame};
use super::sheet::{Drawn, LABEL_EM, Sheet, count};

const TICK_LINE: f64 = 16.0;

/// Lines of an axis' labels.
pub(super) fn tick_lines(axis: &Axis) -> f64 {
    let lines = |tick: &Tick| count(tick.label.lines().count());
    axis.ticks.iter().map(lines).fold(1.0, f64::max)
}

/// Room below a plot for its axis, pixels of the usual size.
pub(super) fn room_below(axis: &Axis) -> f64 {
    TICK_LINE * tick_lines(axis) + 42.0
}

impl Sheet<'_, '_> {
    /// The width of the widest label of an axis, pixels.
    pub(super) fn tick_width(&self, axis: &Axis) -> f64 {
        let face = self.face(LABEL_EM, false);
        let labels = axis.ticks.iter().map(|tick| face.width(&tick.label));
        labels.fold(0.0, f64::max)
    }

    /// Grid lines and labels for values upwards, with the axis' title above the plot.
    pub(super) fn upward_axis(&self, plot: Frame, axis: &Axis) -> Drawn {
        let theme = self.theme;
        for tick in &axis.ticks {
            let y = plot.bottom - axis.share(tick.value) * plot.height();
            let pen = Pen::solid(theme.grid, self.unit);
            self.canvas.line(&[at(plot.left, y), at(plot.right, y)], pen)?;
            let place = at(plot.left - 8.0 * self.unit, y + 0.36 * LABEL_EM * self.unit);
            let letters = self.letters(LABEL_EM, theme.muted, Anchor::End);
            self.canvas.text(&tick.label, place, letters)?;
        }
        let title = self.letters(LABEL_EM, theme.text, Anchor::Start);
        let above = at(self.area.left, plot.top - 12.0 * self.unit);
        let fitting = self.face(LABEL_EM, false).fit(&axis.title, self.area.width());
        self.canvas.text(&fitting, above, title)
    }

    /// The line below the plot, with marks, as many labels as have room, and the axis' title.
    pub(super) fn bottom_axis(&self, plot: Frame, axis: &Axis, x: &dyn Fn(f64) -> f64) -> Drawn {
        let theme = self.theme;
        let bottom = plot.bottom;
        let pen = Pen::solid(theme.muted, 1.2 * self.unit);
        self.canvas
            .line(&[at(plot.left, bottom), at(plot.right, bottom)], pen)?;
        let face = self.face(LABEL_EM, false);
        let spans: Vec<(f64, f64)> = axis
            .ticks
            .iter()
            .map(|tick| {
                let widths = tick.label.lines().map(|line| face.width(line));
                (x(tick.value), widths.fold(0.0, f64::max))
            })
            .collect();
        let kept = layout::without_overlap(&spans, 8.0 * self.unit);
        let letters = self.letters(LABEL_EM, theme.muted, Anchor::Middle);
        for ((tick, (x, _)), kept) in axis.ticks.iter().zip(spans).zip(kept) {
            let end = bottom + 5.0 * self.unit;
            self.canvas.line(&[at(x, bottom), at(x, end)], pen)?;
            let mut baseline = bottom + 20.0 * self.unit;
            for line in tick.label.lines().filter(|_| kept) {
                self.canvas.text(line, at(x, baseline), letters)?;
                baseline += TICK_LINE * self.unit;
            }
        }
        let middle = f64::midpoint(plot.left, plot.right);
        let letters = self.letters(LABEL_EM, theme.text, Anchor::Middle);
        let baseline = bottom + (tick_lines(axis) * TICK_LINE + 24.0) * self.unit;
        let fitting = face.fit(&axis.title, plot.width());
        self.canvas.text(&fitting, at(middle, baseline), letters)
    }
}
