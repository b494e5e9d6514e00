//! The labels beside the plot: each as near to its line's end as the others allow, and never over data.

use super::curves::{Curves, INSET, KEY, LEADER};
use super::series::{ReferenceKind, ReferenceLine, Series};
use crate::chart::canvas::{Anchor, Letters, Pen, at};
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

impl<'a> Curves<'a, '_> {
    /// The labels in their order of importance, as many as have room.
    fn label_list(&self) -> Vec<Label<'a>> {
        let face = self.sheet.face(LABEL_EM, false);
        let right = self.lines.x.high;
        let mut labels: Vec<Label<'a>> = Vec::new();
        for line in self.lines.references.iter().filter(|line| !line.label.is_empty()) {
            let end = line.corners.last().map(|[_, y]| self.y(*y));
            labels.push(Label {
                name: face.fit(&line.label, self.widths.names),
                value: "",
                ends_at: end,
                wanted: end.unwrap_or(self.plot.top),
                kind: LabelKind::Reference(line),
            });
        }
        for series in &self.lines.series {
            let Some(last) = series.points.last() else {
                continue;
            };
            labels.push(Label {
                name: face.fit(&series.label, self.widths.names),
                value: &series.value_label,
                ends_at: (last.x >= right).then(|| self.y(last.y)),
                wanted: self.y(last.y),
                kind: LabelKind::Series(series),
            });
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A cast of a float saturates.
        let room = (self.plot.height() / (SMALLEST_LABEL_ROW * self.sheet.unit)).max(1.0) as usize;
        if labels.len() > room {
            let more = labels.len() - room + 1;
            labels.truncate(room.saturating_sub(1));
            labels.push(Label {
                name: face.fit(&format!("and {more} more"), self.widths.names),
                value: "",
                ends_at: None,
                wanted: self.plot.bottom,
                kind: LabelKind::More,
            });
        }
        labels
    }

    /// Draws a key, a name and a last value for every line, beside where it ends.
    pub(super) fn labels(&self) -> Drawn {
        let labels = self.label_list();
        let row = (self.plot.height() / count(labels.len()).max(1.0)).min(LABEL_ROW * self.sheet.unit);
        let wanted: Vec<f64> = labels.iter().map(|label| label.wanted).collect();
        let half = row / 2.0;
        let places = layout::spread(&wanted, row, self.plot.top, self.plot.bottom - half);
        for (label, y) in labels.iter().zip(places) {
            self.label(label, y)?;
        }
        Ok(())
    }

    fn label(&self, label: &Label<'_>, y: f64) -> Drawn {
        let theme = self.sheet.theme;
        let key = self.plot.right + LEADER * self.sheet.unit;
        let key_end = key + KEY * self.sheet.unit;
        let (colour, pen) = match label.kind {
            LabelKind::Series(series) => (self.colour(series), Some(self.pen(series))),
            LabelKind::Reference(line) => {
                let colour = match line.kind {
                    ReferenceKind::Fitted(family) => theme.of(family),
                    ReferenceKind::Reckoned | ReferenceKind::Measured => theme.reference,
                };
                (colour, Some(self.reference_pen(line)))
            }
            LabelKind::More => (theme.muted, None),
        };
        if let Some(end) = label.ends_at {
            let leader = Pen {
                opacity: 0.45,
                ..Pen::solid(colour, self.sheet.unit)
            };
            let start = at(
                self.plot.right - INSET * self.sheet.unit + 7.0 * self.sheet.unit,
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
            self.marker(at(f64::midpoint(key, key_end), y), series)?;
        }
        let baseline = y + 0.36 * LABEL_EM * self.sheet.unit;
        let name_at = key_end + 7.0 * self.sheet.unit;
        let name = self.sheet.letters(LABEL_EM, theme.text, Anchor::Start);
        self.sheet.canvas.text(&label.name, at(name_at, baseline), name)?;
        let value = Letters {
            face: self.sheet.face(LABEL_EM, true),
            ..self.sheet.letters(LABEL_EM, theme.text, Anchor::End)
        };
        let value_at = name_at + self.widths.names + 7.0 * self.sheet.unit + self.widths.values;
        self.sheet.canvas.text(label.value, at(value_at, baseline), value)
    }
}
