//! A table of numbers on colours.

use super::axis::Axis;
use super::canvas::{Anchor, Letters, Pen, Place, at};
use super::ink::Ink;
use super::layout::Frame;
use super::sheet::{Drawn, LABEL_EM, Sheet, count};
use super::theme;
use ftbench_schema::text;

/// Height of a row, pixels of the usual size, where there is room, and where there is not.
pub(super) const ROW: f64 = 24.0;
const HIGHEST_ROW: f64 = 64.0;
const LOWEST_ROW: f64 = 9.0;
/// Width of the widest column.
const WIDEST_COLUMN: f64 = 150.0;
/// Room below for the key.
const KEY_ROOM: f64 = 66.0;
/// Patches of the key.
const KEY_STEPS: u32 = 60;

/// A column's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// What neighbouring columns have in common: the interpreter.
    pub group: String,
    /// What distinguishes the column within its group: the model.
    pub label: String,
}

/// A field of the table.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// A number, and how it is written.
    Value(f64, String),
    /// A number whose interval leaves open whether it is above 1 or below, and how it is written. It has no colour,
    /// because a colour would say more than is known.
    Open(f64, String),
    /// A word that says why there is no number; empty where none was asked for.
    Without(String),
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatRow {
    /// Its name.
    pub label: String,
    /// The fields, one for each column.
    pub fields: Vec<Field>,
}

/// The body of heat maps.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// The colour scale.
    pub scale: Axis,
    /// Heads.
    pub columns: Vec<Column>,
    /// Rows, from the top.
    pub rows: Vec<HeatRow>,
}

/// Returns the body in words, for readers who do not see the picture.
pub(super) fn description(map: &HeatMap) -> String {
    let rows: Vec<String> = map
        .rows
        .iter()
        .map(|row| {
            let fields = map.columns.iter().zip(&row.fields);
            let fields: Vec<String> = fields
                .filter_map(|(column, field)| match field {
                    Field::Value(_, words) | Field::Open(_, words) => {
                        Some(format!("{words} {} {}", column.group, column.label))
                    }
                    Field::Without(_) => None,
                })
                .collect();
            format!("{}: {}.", row.label, fields.join(", "))
        })
        .collect();
    format!("{}. {}", map.scale.title, rows.join(" "))
}

/// The corners of a rectangle, given by one of them and its sides.
fn rectangle(corner: Place, [width, height]: [f64; 2]) -> [Place; 4] {
    [
        corner,
        at(corner.x + width, corner.y),
        at(corner.x + width, corner.y + height),
        at(corner.x, corner.y + height),
    ]
}

struct HeatMapLayout<'a> {
    sheet: &'a Sheet<'a>,
    map: &'a HeatMap,
    plot: Frame,
    column: f64,
    row: f64,
    kept: usize,
    /// Size of the letters of the columns' labels.
    head_em: f64,
}

/// Draws the body.
pub(super) fn draw(sheet: &Sheet<'_>, map: &HeatMap) -> Drawn {
    let unit = sheet.unit;
    let area = sheet.area;
    let face = sheet.face(LABEL_EM, false);
    let names = map.rows.iter().map(|row| face.width(&row.label));
    let names = names.fold(0.0, f64::max).min(area.width() * 0.3);
    let left = area.left + names + 10.0 * unit;
    let column = ((area.right - left) / count(map.columns.len()).max(1.0)).min(WIDEST_COLUMN * unit);
    let plot = Frame {
        left,
        top: area.top + 56.0 * unit,
        right: left + column * count(map.columns.len()),
        bottom: area.bottom - KEY_ROOM * unit,
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A cast of a float saturates.
    let room = (plot.height() / (LOWEST_ROW * unit)).max(1.0) as usize;
    let kept = if map.rows.len() > room {
        room.saturating_sub(1)
    } else {
        map.rows.len()
    };
    let shown = if kept < map.rows.len() { kept + 1 } else { kept };
    let row = (plot.height() / count(shown).max(1.0)).min(HIGHEST_ROW * unit);
    let widest = map.columns.iter().map(|column| face.width(&column.label));
    let widest = widest.fold(1.0, f64::max);
    let head_em = (LABEL_EM * (column - 5.0 * unit) / widest).clamp(8.0, LABEL_EM);
    HeatMapLayout {
        sheet,
        map,
        plot,
        column,
        row,
        kept,
        head_em,
    }
    .paint()
}

impl HeatMapLayout<'_> {
    fn paint(&self) -> Drawn {
        self.heads()?;
        let muted = Ink::Muted;
        let mut top = self.plot.top;
        for row in self.map.rows.iter().take(self.kept) {
            self.name(&row.label, top, Ink::Text)?;
            let mut left = self.plot.left;
            for field in &row.fields {
                self.field(field, left, top)?;
                left += self.column;
            }
            top += self.row;
        }
        let more = self.map.rows.len() - self.kept;
        if more > 0 {
            self.name(&format!("and {more} more"), top, muted)?;
            top += self.row;
        }
        self.key(top)
    }

    fn heads(&self) -> Drawn {
        let Sheet { canvas, unit, .. } = self.sheet;
        let letters = self.sheet.letters(self.head_em, Ink::Muted, Anchor::Middle);
        let face = self.sheet.face(self.head_em, false);
        let bold = self.sheet.face(LABEL_EM, true);
        let mut start = 0;
        for group in self.map.columns.chunk_by(|a, b| a.group == b.group) {
            let left = self.plot.left + count(start) * self.column;
            let right = left + count(group.len()) * self.column;
            let Some(first) = group.first() else { continue };
            let words = bold.fit(&text::line(&first.group), right - left - 6.0 * unit);
            let heading = Letters {
                face: bold,
                ..self.sheet.letters(LABEL_EM, Ink::Text, Anchor::Middle)
            };
            let y = self.plot.top - 30.0 * unit;
            canvas.text(&words, at(f64::midpoint(left, right), y), heading)?;
            let rule = at(left + 3.0 * unit, y + 6.0 * unit);
            canvas.line(
                &[rule, at(right - 3.0 * unit, rule.y)],
                Pen::solid(Ink::Grid, 1.5 * unit),
            )?;
            for (position, column) in group.iter().enumerate() {
                let middle = left + (count(position) + 0.5) * self.column;
                let words = face.fit(&text::line(&column.label), self.column - 3.0 * unit);
                canvas.text(&words, at(middle, self.plot.top - 8.0 * unit), letters)?;
            }
            start += group.len();
        }
        Ok(())
    }

    fn name(&self, words: &str, top: f64, ink: Ink) -> Drawn {
        let unit = self.sheet.unit;
        let em = (self.row / unit).min(LABEL_EM);
        let right = self.plot.left - 10.0 * unit;
        let words = self
            .sheet
            .face(em, false)
            .fit(&text::line(words), right - self.sheet.area.left);
        let place = at(right, top + self.row / 2.0 + 0.36 * em * unit);
        self.sheet
            .canvas
            .text(&words, place, self.sheet.letters(em, ink, Anchor::End))
    }

    fn patch(&self, corner: Place, size: [f64; 2], colour: theme::Colour) -> Drawn {
        let corners = rectangle(corner, size);
        self.sheet.canvas.polygon(&corners, Ink::Fixed(colour), 1.0)
    }

    fn field(&self, field: &Field, left: f64, top: f64) -> Drawn {
        let Sheet { canvas, unit, .. } = self.sheet;
        let gap = (0.06 * self.row).min(1.5 * unit);
        let (words, ink, bold) = match field {
            Field::Value(value, words) => {
                let colour = theme::heat(self.map.scale.share(*value));
                let size = [self.column - 2.0 * gap, self.row - 2.0 * gap];
                self.patch(at(left + gap, top + gap), size, colour)?;
                (words, Ink::Fixed(theme::ink_on(colour)), true)
            }
            Field::Open(_, words) => {
                let gap = 2.0 * gap;
                let corners = rectangle(
                    at(left + gap, top + gap),
                    [self.column - 2.0 * gap, self.row - 2.0 * gap],
                );
                let dashed = Pen {
                    dash: Some([4.0, 3.0].map(|length| length * unit)),
                    ..Pen::solid(Ink::Reference, *unit)
                };
                let closed: Vec<Place> = corners.iter().chain(&corners).copied().take(5).collect();
                canvas.line(&closed, dashed)?;
                (words, Ink::Text, false)
            }
            Field::Without(words) => (words, Ink::Muted, false),
        };
        let em = (self.row * 0.62 / unit).min(LABEL_EM);
        let width = self.sheet.face(em, bold).width(words).max(1.0);
        let em = em * ((self.column - 4.0 * unit) / width).min(1.0);
        let letters = Letters {
            face: self.sheet.face(em, bold),
            ..self.sheet.letters(em, ink, Anchor::Middle)
        };
        let place = at(left + self.column / 2.0, top + self.row / 2.0 + 0.36 * em * unit);
        canvas.text(words, place, letters)
    }

    /// The colour scale, below the table.
    fn key(&self, bottom: f64) -> Drawn {
        let Sheet {
            canvas, unit, area, ..
        } = self.sheet;
        let left = self.plot.left;
        let width = (area.right - left).min(360.0 * unit);
        let top = bottom + 14.0 * unit;
        for step in 0..KEY_STEPS {
            let share = f64::from(step) / f64::from(KEY_STEPS - 1);
            let patch = width / f64::from(KEY_STEPS);
            let corner = at(left + f64::from(step) * patch, top);
            self.patch(corner, [patch + 0.2 * unit, 10.0 * unit], theme::heat(share))?;
        }
        let place = |value: f64| left + self.map.scale.share(value) * width;
        let face = self.sheet.face(LABEL_EM - 1.0, false);
        let ticks = &self.map.scale.ticks;
        let spans: Vec<(f64, f64)> = ticks
            .iter()
            .map(|tick| (place(tick.value), face.width(&tick.label)))
            .collect();
        let kept = super::layout::without_overlap(&spans, 8.0 * unit);
        let letters = self.sheet.letters(LABEL_EM - 1.0, Ink::Muted, Anchor::Middle);
        for ((tick, (x, _)), kept) in ticks.iter().zip(spans).zip(kept) {
            if kept {
                canvas.text(&tick.label, at(x, top + 24.0 * unit), letters)?;
            }
        }
        let title = self.sheet.letters(LABEL_EM - 1.0, Ink::Text, Anchor::Start);
        let fitting = face.fit(&self.map.scale.title, area.right - left);
        canvas.text(&fitting, at(left, top + 42.0 * unit), title)
    }
}
