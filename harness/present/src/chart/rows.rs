//! Rows below each other over an axis of values: bars with their intervals, and strips of single values.

use super::axes;
use super::axis::Axis;
use super::canvas::{Anchor, Letters, Pen, Place, at};
use super::ink::Ink;
use super::layout::Frame;
use super::legend::{self, Entry, Key};
use super::lines::ReferenceKind;
use super::look::{Group, Look as ShapeLook};
use super::sheet::{Drawn, LABEL_EM, Sheet, count};
use ftbench_schema::{GilState, Model, text, units};

/// Thickness of a bar, and the gap between rows, pixels of the usual size.
pub(super) const BAR: f64 = 13.0;
pub(super) const GAP: f64 = 9.0;
/// Rows are cut off rather than lower than this.
const LOWEST_ROW: f64 = 9.0;
/// Values of bars thinner than this are not written.
const THINNEST_WRITTEN: f64 = 5.5;

/// What is drawn for one cell or one comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// The value.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The value in words.
    pub label: String,
    /// The samples behind the value; without any, a bar is drawn.
    pub samples: Samples,
    /// Which of the legend's series it belongs to, which gives its look.
    pub look: Look,
}

/// The samples behind a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// None is shown.
    None,
    /// Each is a dot.
    Dots(Vec<f64>),
    /// So many that they are counted.
    Counts(Counts),
}

/// How many samples lie where.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// Ranges of values, those without samples left out.
    pub bins: Vec<Bin>,
    /// The 25th and 75th percentile.
    pub middle_half: [f64; 2],
    /// The 5th and 95th percentile.
    pub nine_tenths: [f64; 2],
}

/// A range of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Its lower end.
    pub from: f64,
    /// Its upper end.
    pub to: f64,
    /// How many samples lie in it.
    pub samples: u32,
    /// How many of them something disturbed.
    pub disturbed: u32,
}

/// What colour and filling stand for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// The model's family: the colour.
    pub family: Model,
    /// The GIL's state: on is hollow.
    pub gil: Option<GilState>,
    /// How strong the colour is, from 0 to 1.
    pub strength: f64,
}

impl Look {
    fn ink(self) -> Ink {
        Ink::Model(self.family, self.strength)
    }
}

/// A labelled row of marks.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name.
    pub label: String,
    /// What a page shows on hover; may be empty.
    pub title: String,
    /// The number of its series, by which a page hides it.
    pub series: Option<usize>,
    /// Its marks, below each other.
    pub marks: Vec<Mark>,
}

impl Row {
    /// A row that a page neither hides nor explains.
    pub(super) fn of(label: String, marks: Vec<Mark>) -> Self {
        Self {
            label,
            title: String::new(),
            series: None,
            marks,
        }
    }
}

/// A value to compare with, as an upright line.
#[derive(Debug, Clone, PartialEq)]
pub struct VerticalReference {
    /// Where.
    pub value: f64,
    /// Its name; not in the legend when empty.
    pub label: String,
    /// Where it comes from.
    pub kind: ReferenceKind,
}

/// The body of bars and strips.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The axis of values.
    pub x: Axis,
    /// Where bars begin.
    pub origin: f64,
    /// The rows, from the top.
    pub rows: Vec<Row>,
    /// What to compare with.
    pub uprights: Vec<VerticalReference>,
    /// Names of looks.
    pub legend: Vec<(Look, String)>,
}

/// Describes the body in words.
pub(super) fn description(body: &Rows) -> String {
    let rows: Vec<String> = body
        .rows
        .iter()
        .map(|row| {
            let values: Vec<&str> = row.marks.iter().map(|mark| mark.label.as_str()).collect();
            format!("{}: {}.", row.label, values.join(", "))
        })
        .collect();
    let uprights = body.uprights.iter().filter(|upright| !upright.label.is_empty());
    let uprights: Vec<String> = uprights
        .map(|upright| format!("{}: {}.", upright.label, units::number(upright.value, 3)))
        .collect();
    format!("{}. {} {}", body.x.title, rows.join(" "), uprights.join(" "))
}

struct RowLayout<'a> {
    sheet: &'a Sheet<'a>,
    body: &'a Rows,
    plot: Frame,
    row: f64,
    bar: f64,
    kept: usize,
}

/// Draws the body.
pub(super) fn draw(sheet: &Sheet<'_>, body: &Rows) -> Drawn {
    let unit = sheet.unit;
    let area = sheet.area;
    let legend: Vec<Entry> = legend_of(sheet, body);
    let mut top = area.top + 10.0 * unit;
    if !legend.is_empty() {
        top = legend::draw(sheet, &legend, top + 14.0 * unit)? + 12.0 * unit;
    }
    let widest = |words: &mut dyn Iterator<Item = &str>| {
        let face = sheet.face(LABEL_EM, false);
        words.map(|word| face.width(word)).fold(0.0, f64::max)
    };
    let names = widest(&mut body.rows.iter().map(|row| row.label.as_str())).min(area.width() * 0.34);
    let marks = || body.rows.iter().flat_map(|row| &row.marks);
    let values = widest(&mut marks().map(|mark| mark.label.as_str())) * 1.06;
    let plot = Frame {
        left: area.left + names + 10.0 * unit,
        top,
        right: area.right - values - 8.0 * unit,
        bottom: area.bottom - axes::room_below(&body.x) * unit,
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A cast of a float saturates.
    let room = (plot.height() / (LOWEST_ROW * unit)).max(1.0) as usize;
    let kept = if body.rows.len() > room {
        room.saturating_sub(1)
    } else {
        body.rows.len()
    };
    let shown = if kept < body.rows.len() { kept + 1 } else { kept };
    let row = plot.height() / count(shown).max(1.0);
    let most = body.rows.iter().map(|row| row.marks.len()).max().unwrap_or(1);
    let bar = (row * 0.82 / count(most).max(1.0)).min(1.8 * BAR * unit);
    RowLayout {
        sheet,
        body,
        plot,
        row,
        bar,
        kept,
    }
    .paint()
}

fn legend_of(sheet: &Sheet<'_>, body: &Rows) -> Vec<Entry> {
    let looks = body.legend.iter().map(|(look, words)| Entry {
        key: Key::Box {
            ink: look.ink(),
            filled: look.gil != Some(GilState::On),
        },
        words: words.clone(),
    });
    let uprights = body.uprights.iter().filter(|upright| !upright.label.is_empty());
    let uprights = uprights.map(|upright| Entry {
        key: Key::Line(pen(sheet, upright)),
        words: upright.label.clone(),
    });
    looks.chain(uprights).collect()
}

fn pen(sheet: &Sheet<'_>, upright: &VerticalReference) -> Pen {
    match upright.kind {
        ReferenceKind::Calculated if upright.label.is_empty() => Pen::solid(Ink::Reference, sheet.unit),
        ReferenceKind::Calculated => Pen {
            dash: Some([3.0, 4.0].map(|length| length * sheet.unit)),
            ..Pen::solid(Ink::Reference, 1.5 * sheet.unit)
        },
        ReferenceKind::Measured => Pen::solid(Ink::Muted, 1.8 * sheet.unit),
    }
}

impl RowLayout<'_> {
    fn x(&self, value: f64) -> f64 {
        self.plot.left + self.body.x.share(value) * self.plot.width()
    }

    fn paint(&self) -> Drawn {
        let Self {
            sheet, body, plot, ..
        } = self;
        for tick in &body.x.ticks {
            let x = self.x(tick.value);
            let pen = Pen::solid(Ink::Grid, sheet.unit);
            sheet.canvas.line(&[at(x, plot.top), at(x, plot.bottom)], pen)?;
        }
        sheet.bottom_axis(*plot, &body.x, &|value| self.x(value))?;
        for upright in &body.uprights {
            let x = self.x(upright.value);
            sheet
                .canvas
                .line(&[at(x, plot.top), at(x, plot.bottom)], pen(sheet, upright))?;
        }
        let left_out = body.rows.len() - self.kept;
        // Most charts sort their rows, and both ends are of interest.
        let gap = self.kept.div_ceil(2)..self.kept.div_ceil(2) + left_out;
        let mut middle = plot.top + self.row / 2.0;
        for (position, row) in body.rows.iter().enumerate() {
            if !gap.contains(&position) {
                self.row(row, middle)?;
            } else if position == gap.start {
                let words = format!("{left_out} more");
                self.name(&words, middle, Ink::Muted)?;
            } else {
                continue;
            }
            middle += self.row;
        }
        Ok(())
    }

    fn name(&self, words: &str, y: f64, ink: Ink) -> Drawn {
        let em = (self.row / self.sheet.unit).min(LABEL_EM);
        let face = self.sheet.face(em, false);
        let letters = self.sheet.letters(em, ink, Anchor::End);
        let right = self.plot.left - 10.0 * self.sheet.unit;
        let fitting = face.fit(&text::line(words), right - self.sheet.area.left);
        self.sheet
            .canvas
            .text(&fitting, at(right, y + 0.36 * em * self.sheet.unit), letters)
    }

    fn row(&self, row: &Row, middle: f64) -> Drawn {
        let Some(first) = row.marks.first() else {
            return Ok(());
        };
        let group = Group {
            family: first.look.family,
            series: row.series,
            title: &row.title,
        };
        self.sheet.canvas.group(group, || {
            self.name(&row.label, middle, Ink::Text)?;
            let mut y = middle - self.bar * (count(row.marks.len()) - 1.0) / 2.0;
            for mark in &row.marks {
                match &mark.samples {
                    Samples::None => self.bar(mark, y)?,
                    Samples::Dots(dots) => self.strip(mark, dots, y)?,
                    Samples::Counts(counts) => self.histogram(mark, counts, y)?,
                }
                self.value(mark, y)?;
                y += self.bar;
            }
            Ok(())
        })
    }

    /// A box between two values.
    fn corners(&self, from: f64, to: f64, y: f64, height: f64) -> [Place; 4] {
        let (left, right) = (self.x(from), self.x(to));
        [
            at(left, y - height / 2.0),
            at(right, y - height / 2.0),
            at(right, y + height / 2.0),
            at(left, y + height / 2.0),
        ]
    }

    fn bar(&self, mark: &Mark, y: f64) -> Drawn {
        let Sheet { canvas, unit, .. } = self.sheet;
        let ink = mark.look.ink();
        let corners = self.corners(self.body.origin, mark.value, y, self.bar * 0.8);
        if mark.look.gil == Some(GilState::On) {
            let look = ShapeLook {
                fill: Some((Ink::Background, 1.0)),
                stroke: Some(Pen::solid(ink, 1.5 * unit)),
                ..ShapeLook::default()
            };
            canvas.shape(&corners, look)?;
        } else {
            canvas.polygon(&corners, ink, 1.0)?;
        }
        let whisker = Pen::solid(Ink::Text, 1.3 * unit);
        let (low, high) = (self.x(mark.low), self.x(mark.high));
        // A halo, so that it shows on the bar too.
        let halo = Pen::solid(Ink::Background, 3.2 * unit);
        canvas.line(&[at(low, y), at(high, y)], halo)?;
        canvas.line(&[at(low, y), at(high, y)], whisker)?;
        let cap = self.bar * 0.22;
        for x in [low, high] {
            canvas.line(&[at(x, y - cap), at(x, y + cap)], whisker)?;
        }
        Ok(())
    }

    /// Draws counts as columns on the line of the row, which shows their percentiles. Columns of disturbed samples are hollow.
    fn histogram(&self, mark: &Mark, counts: &Counts, y: f64) -> Drawn {
        let Sheet { canvas, unit, .. } = self.sheet;
        let ink = mark.look.ink();
        let base = y + self.bar * 0.45;
        let most = counts
            .bins
            .iter()
            .map(|bin| bin.samples)
            .max()
            .unwrap_or(1)
            .max(1);
        // A column is a thick upright line: half as many bytes as a box.
        let column = |bin: &Bin, samples: u32, line: f64| {
            let height = (f64::from(samples) / f64::from(most) * self.bar * 0.8).max(1.5 * unit);
            let (left, right) = (self.x(bin.from), self.x(bin.to));
            let (x, bottom) = (f64::midpoint(left, right), base - 3.0 * unit - line);
            let pen = Pen {
                width: (right - left - 0.5 * unit).max(unit * 0.8) - 2.0 * line,
                ..Pen::solid(if line > 0.0 { Ink::Background } else { ink }, 0.0)
            };
            canvas.line(&[at(x, bottom), at(x, bottom + 2.0 * line - height)], pen)
        };
        for bin in &counts.bins {
            column(bin, bin.samples, 0.0)?;
        }
        for bin in counts.bins.iter().filter(|bin| bin.disturbed > 0) {
            column(bin, bin.disturbed, 0.8 * unit)?;
        }
        for (range, width) in [(counts.nine_tenths, 1.5), (counts.middle_half, 4.0)] {
            let [from, to] = range.map(|value| self.x(value));
            canvas.line(
                &[at(from, base), at(to.max(from + unit), base)],
                Pen::solid(ink, width * unit),
            )?;
        }
        Ok(())
    }

    fn strip(&self, mark: &Mark, dots: &[f64], y: f64) -> Drawn {
        let Sheet { canvas, unit, .. } = self.sheet;
        let ink = mark.look.ink();
        let band = self.corners(mark.low, mark.high, y, self.bar * 0.95);
        canvas.polygon(&band, ink, 0.22)?;
        let hollow = mark.look.gil == Some(GilState::On);
        let radius = (self.bar * 0.16).clamp(1.0 * unit, 2.2 * unit);
        for (position, dot) in dots.iter().enumerate() {
            // Multiples of the golden ratio spread evenly, and the same way every time.
            let shift = (count(position) * 0.618_033_988_75).fract() - 0.5;
            let centre = at(self.x(*dot), y + shift * self.bar * 0.62);
            if hollow {
                canvas.ring(centre, radius, Pen::solid(ink, 0.8 * unit))?;
            } else {
                canvas.disc(centre, radius, ink)?;
            }
        }
        let x = self.x(mark.value);
        let half = self.bar * 0.48;
        canvas.line(
            &[at(x, y - half), at(x, y + half)],
            Pen::solid(Ink::Text, 2.0 * unit),
        )
    }

    /// Where words of this width may begin, from `start` on, without an upright line through them.
    fn past_lines(&self, start: f64, width: f64) -> f64 {
        let mut lines: Vec<f64> = self
            .body
            .uprights
            .iter()
            .map(|upright| self.x(upright.value))
            .collect();
        lines.sort_by(f64::total_cmp);
        lines.into_iter().fold(start, |start, line| {
            if (start..start + width).contains(&line) {
                line
            } else {
                start
            }
        })
    }

    fn value(&self, mark: &Mark, y: f64) -> Drawn {
        let unit = self.sheet.unit;
        if self.bar < THINNEST_WRITTEN * unit {
            return Ok(());
        }
        let em = (self.bar * 1.05 / unit).min(11.5);
        let letters = Letters {
            face: self.sheet.face(em, true),
            ..self.sheet.letters(em, Ink::Text, Anchor::Start)
        };
        // Beside a bar; in a column beside strips, and where lines would cross the figures.
        let crossed = self
            .body
            .uprights
            .iter()
            .any(|upright| upright.kind == ReferenceKind::Measured);
        let end = if mark.samples == Samples::None && !crossed {
            let ends = [mark.value, mark.high, self.body.origin].map(|value| self.x(value));
            let end = ends.into_iter().fold(self.plot.left, f64::max);
            self.past_lines(end, letters.face.width(&mark.label) + 8.0 * unit)
        } else {
            self.plot.right
        };
        let place = at(end + 6.0 * unit, y + 0.36 * em * unit);
        self.sheet.canvas.text(&mark.label, place, letters)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::chart::{Body, Chart, Size, axis, svg};

    #[test]
    fn the_first_and_last_rows_are_drawn_where_not_all_have_room() {
        let row = |label: &str| {
            let mark = Mark {
                value: 2.0,
                low: 1.9,
                high: 2.1,
                label: "2.00x".to_owned(),
                samples: Samples::None,
                look: Look {
                    family: Model::Threads,
                    gil: None,
                    strength: 1.0,
                },
            };
            Row::of(label.to_owned(), vec![mark])
        };
        let drawn = |others: usize| {
            let mut rows = vec![row("another workload"); others];
            rows.insert(0, row("first workload"));
            rows.insert(rows.len() / 2, row("median workload"));
            rows.push(row("last workload"));
            let chart = Chart {
                size: Size::SMALLEST,
                ..Chart::of(Body::Rows(Rows {
                    x: axis::ranged_axis(String::new(), 1.0, 3.0),
                    origin: 1.0,
                    rows,
                    uprights: Vec::new(),
                    legend: Vec::new(),
                }))
            };
            let picture = svg(&chart).unwrap();
            picture.split_once("</desc>").unwrap().1.to_owned()
        };
        let names = |drawn: &str| ["first w", "median w", "last w", " more"].map(|name| drawn.contains(name));
        assert_eq!(names(&drawn(20)), [true, true, true, false]);
        let many = drawn(200);
        assert_eq!(names(&many), [true, false, true, true]);
        let shown = many.matches("another").count() + 2;
        assert!(many.contains(&format!("{} more", 203 - shown)), "{shown}");
    }
}
