//! The labels beside the plot: each as near to its line's end as the others allow, and never over data.

use super::curves::{Curves, INSET, KEY, LEADER, ink, marker, pen};
use super::series::{ReferenceKind, ReferenceLine, Series};
use crate::chart::canvas::{Anchor, Letters, Pen, Place, at};
use crate::chart::ink::Ink;
use crate::chart::layout;
use crate::chart::sheet::{Drawn, LABEL_EM, count};

/// Height of a label's row, pixels of the usual size, and what it may shrink to.
const LABEL_ROW: f64 = 18.0;
const SMALLEST_LABEL_ROW: f64 = 14.0;
/// One label beside the plot.
struct Label<'a> {
    name: String,
    value: &'a str,
    /// Where its line ends, if that is at the plot's right edge.
    ends_at: Option<f64>,
    /// Where it would best stand.
    wanted: f64,
    kind: LabelKind<'a>,
}

enum LabelKind<'a> {
    Series(&'a Series),
    Reference(&'a ReferenceLine),
    More,
}

impl<'a> Curves<'a> {
    /// The labels in their order of importance, as many as have room.
    fn label_list(&self) -> Vec<Label<'a>> {
        let face = self.sheet.face(LABEL_EM, false);
        let right = self.lines.x.high;
        let mut labels: Vec<Label<'a>> = Vec::new();
        for line in self.lines.references.iter().filter(|line| !line.label.is_empty()) {
            let end = line
                .corners
                .last()
                .map(|[x, y]| self.place(&self.upper, *x, *y).y);
            labels.push(Label {
                name: face.fit(&line.label, self.widths.names),
                value: "",
                ends_at: end,
                wanted: end.unwrap_or(self.upper.frame.top),
                kind: LabelKind::Reference(line),
            });
        }
        for series in &self.lines.series {
            let Some(last) = series.points.last() else {
                continue;
            };
            let end = self.place(&self.upper, last.x, last.y).y;
            labels.push(Label {
                name: face.fit(&series.label, self.widths.names),
                value: &series.value_label,
                ends_at: (last.x >= right).then_some(end),
                wanted: end,
                kind: LabelKind::Series(series),
            });
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A cast of a float saturates.
        let room = ((self.bottom() - self.upper.frame.top) / (SMALLEST_LABEL_ROW * self.sheet.unit)).max(1.0)
            as usize;
        if labels.len() > room {
            let more = labels.len() - room + 1;
            labels.truncate(room.saturating_sub(1));
            labels.push(Label {
                name: face.fit(&format!("and {more} more"), self.widths.names),
                value: "",
                ends_at: None,
                wanted: self.bottom(),
                kind: LabelKind::More,
            });
        }
        labels
    }

    /// Where the lowest plot ends.
    fn bottom(&self) -> f64 {
        self.lower.as_ref().unwrap_or(&self.upper).frame.bottom
    }

    /// Draws the names of the lines to compare with at their ends, inside the plot: the page has a legend of the series.
    pub(super) fn names_at_lines(&self) -> Drawn {
        let unit = self.sheet.unit;
        for line in self.lines.references.iter().filter(|line| !line.label.is_empty()) {
            let corners: Vec<Place> = line
                .corners
                .iter()
                .map(|[x, y]| self.place(&self.upper, *x, *y))
                .collect();
            // Lines rise, so that above them and to the left there is room; and the two names must not meet.
            let share = match line.kind {
                ReferenceKind::Calculated => 1.0,
                ReferenceKind::Measured => 0.6,
            };
            let Some(point) = point_along(&corners, share) else {
                continue;
            };
            let letters = Letters {
                class: Some("halo"),
                ..self.sheet.letters(LABEL_EM, Ink::Muted, Anchor::End)
            };
            let place = at(point.x - 8.0 * unit, point.y - 7.0 * unit);
            self.sheet.canvas.text(&line.label, place, letters)?;
        }
        Ok(())
    }

    /// Draws a key, a name and a last value for every line, beside where it ends.
    pub(super) fn labels(&self) -> Drawn {
        let labels = self.label_list();
        let top = self.upper.frame.top;
        let row = ((self.bottom() - top) / count(labels.len()).max(1.0)).min(LABEL_ROW * self.sheet.unit);
        let wanted: Vec<f64> = labels.iter().map(|label| label.wanted).collect();
        let half = row / 2.0;
        let places = layout::spread(&wanted, row, top, self.bottom() - half);
        for (label, y) in labels.iter().zip(places) {
            self.label(label, y)?;
        }
        Ok(())
    }

    fn label(&self, label: &Label<'_>, y: f64) -> Drawn {
        let key = self.upper.frame.right + LEADER * self.sheet.unit;
        let key_end = key + KEY * self.sheet.unit;
        let (colour, pen) = match label.kind {
            LabelKind::Series(series) => (ink(series), Some(pen(series, self.sheet.unit))),
            LabelKind::Reference(line) => (Ink::Reference, Some(self.reference_pen(line))),
            LabelKind::More => (Ink::Muted, None),
        };
        if let Some(end) = label.ends_at {
            let leader = Pen {
                opacity: 0.45,
                ..Pen::solid(colour, self.sheet.unit)
            };
            let start = at(
                self.upper.frame.right - INSET * self.sheet.unit + 7.0 * self.sheet.unit,
                end,
            );
            self.sheet
                .canvas
                .line(&[start, at(key - 3.0 * self.sheet.unit, y)], leader)?;
        }
        if let Some(pen) = pen {
            self.sheet.canvas.line(&[at(key, y), at(key_end, y)], pen)?;
        }
        if let LabelKind::Series(series) = label.kind {
            let centre = at(f64::midpoint(key, key_end), y);
            marker(self.sheet.canvas, centre, series, self.sheet.unit, None)?;
        }
        let baseline = y + 0.36 * LABEL_EM * self.sheet.unit;
        let name_at = key_end + 7.0 * self.sheet.unit;
        let name = self.sheet.letters(LABEL_EM, Ink::Text, Anchor::Start);
        self.sheet.canvas.text(&label.name, at(name_at, baseline), name)?;
        let value = Letters {
            face: self.sheet.face(LABEL_EM, true),
            ..self.sheet.letters(LABEL_EM, Ink::Text, Anchor::End)
        };
        let value_at = name_at + self.widths.names + 7.0 * self.sheet.unit + self.widths.values;
        self.sheet.canvas.text(label.value, at(value_at, baseline), value)
    }
}

/// The point of a line at this share of its width; `None` where it has no corners.
fn point_along(corners: &[Place], share: f64) -> Option<Place> {
    let (first, last) = (corners.first()?, corners.last()?);
    let x = first.x + share * (last.x - first.x);
    let around = corners.windows(2).find_map(|pair| match pair {
        [from, to] if (from.x..to.x).contains(&x) => Some((*from, *to)),
        _ => None,
    });
    around.map_or(Some(*last), |(from, to)| {
        Some(at(x, from.y + (to.y - from.y) * (x - from.x) / (to.x - from.x)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_along_a_line_is_on_it() {
        let corners = [at(0.0, 0.0), at(10.0, 20.0), at(20.0, 20.0)];
        assert_eq!(point_along(&corners, 0.25), Some(at(5.0, 10.0)));
        assert_eq!(point_along(&corners, 0.75), Some(at(15.0, 20.0)));
        assert_eq!(point_along(&corners, 1.0), Some(at(20.0, 20.0)));
        assert_eq!(point_along(&[], 0.5), None);
    }
}
