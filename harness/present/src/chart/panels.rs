//! Values over dates, one panel below another with an axis of dates for all: levels, where they changed, and where the
//! machine did.

use super::axes;
use super::axis::Axis;
use super::canvas::{Anchor, Letters, Pen, at};
use super::ink::Ink;
use super::layout::{self, Frame};
use super::legend::{self, Entry, Key, Shape};
use super::lines::Point;
use super::sheet::{Drawn, LABEL_EM, Sheet, count};
use ftbench_schema::{Model, units};

/// Height of a panel's heading, pixels of the usual size.
const HEADING: f64 = 40.0;
/// Room inside a plot left and right of the data.
const INSET: f64 = 10.0;

/// A level over a stretch of dates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelSpan {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// The level at its beginning.
    pub value: f64,
    /// The level at its end: another one where it drifts.
    pub value_at_end: f64,
}

/// A change of level.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelChange {
    /// Between the last value before and the first after.
    pub x: f64,
    /// What changed by how much, in a few words.
    pub label: String,
    /// Whether it is for the worse.
    pub worse: bool,
}

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// The axis of values, whose title names the series.
    pub y: Axis,
    /// The model's family, which the colour stands for; `None` for a mean over several.
    pub family: Option<Model>,
    /// Its values by date.
    pub points: Vec<Point>,
    /// Its levels.
    pub levels: Vec<LevelSpan>,
    /// Its changes.
    pub breaks: Vec<LevelChange>,
}

/// The body of charts over dates.
#[derive(Debug, Clone, PartialEq)]
pub struct Panels {
    /// The axis of dates, in any unit of time.
    pub x: Axis,
    /// The series, from top to bottom.
    pub panels: Vec<Panel>,
    /// Where the machine changed, and to what.
    pub machine_changes: Vec<(f64, String)>,
}

/// Describes the body in words.
pub(super) fn description(body: &Panels) -> String {
    let of_panel = |panel: &Panel| {
        let levels: Vec<String> = panel
            .levels
            .iter()
            .map(|level| units::number(level.value, units::decimals_for(level.value, 4)))
            .collect();
        let breaks: Vec<&str> = panel.breaks.iter().map(|one| one.label.as_str()).collect();
        let changes = if breaks.is_empty() {
            "no change".to_owned()
        } else {
            breaks.join(", ")
        };
        format!("{}: levels {}; {changes}.", panel.y.title, levels.join(", "))
    };
    let panels: Vec<String> = body.panels.iter().map(of_panel).collect();
    panels.join(" ")
}

/// Draws the body.
pub(super) fn draw(sheet: &Sheet<'_>, body: &Panels) -> Drawn {
    let unit = sheet.unit;
    let last = legend::draw(sheet, &key(sheet, body), sheet.area.top + 22.0 * unit)?;
    let widest = body.panels.iter().map(|panel| sheet.tick_room(&panel.y));
    let left = sheet.area.left + widest.fold(0.0, f64::max);
    let top = last + 8.0 * unit;
    let bottom = sheet.area.bottom - axes::room_below(&body.x) * unit;
    let height = (bottom - top) / count(body.panels.len().max(1));
    for (position, panel) in body.panels.iter().enumerate() {
        let above = top + height * count(position);
        let plot = Frame {
            left,
            top: above + HEADING * unit,
            right: sheet.area.right,
            bottom: above + height,
        };
        let placed = Placed { sheet, body, plot };
        placed.panel(panel)?;
        if position + 1 == body.panels.len() {
            sheet.bottom_axis(plot, &body.x, &|value| placed.x(value))?;
        } else {
            let pen = Pen::solid(Ink::Muted, unit);
            sheet
                .canvas
                .line(&[at(plot.left, plot.bottom), at(plot.right, plot.bottom)], pen)?;
        }
    }
    Ok(())
}

fn key(sheet: &Sheet<'_>, body: &Panels) -> Vec<Entry> {
    let unit = sheet.unit;
    let mut entries = vec![
        Entry {
            key: Key::Dot(Shape::Disc, Ink::Muted),
            words: "a run, with its 95 % interval".to_owned(),
        },
        Entry {
            key: Key::Line(Pen::solid(Ink::Muted, 2.4 * unit)),
            words: "level".to_owned(),
        },
    ];
    let breaks = || body.panels.iter().flat_map(|panel| &panel.breaks);
    for (worse, words) in [(true, "worse from here on"), (false, "better from here on")] {
        if breaks().any(|one| one.worse == worse) {
            entries.push(Entry {
                key: Key::Line(break_pen(sheet, worse)),
                words: words.to_owned(),
            });
        }
    }
    if !body.machine_changes.is_empty() {
        entries.push(Entry {
            key: Key::Line(machine_pen(sheet)),
            words: "another machine".to_owned(),
        });
    }
    entries
}

fn break_pen(sheet: &Sheet<'_>, worse: bool) -> Pen {
    let ink = if worse { Ink::Disturbed } else { Ink::Better };
    Pen::solid(ink, 1.6 * sheet.unit)
}

fn machine_pen(sheet: &Sheet<'_>) -> Pen {
    Pen {
        dash: Some([5.0, 4.0].map(|length| length * sheet.unit)),
        ..Pen::solid(Ink::Reference, 1.4 * sheet.unit)
    }
}

/// One panel's place on the sheet.
struct Placed<'a> {
    sheet: &'a Sheet<'a>,
    body: &'a Panels,
    plot: Frame,
}

impl Placed<'_> {
    fn x(&self, value: f64) -> f64 {
        let inset = INSET * self.sheet.unit;
        self.plot.left + inset + self.body.x.share(value) * (self.plot.width() - 2.0 * inset)
    }

    fn y(&self, panel: &Panel, value: f64) -> f64 {
        self.plot.bottom - panel.y.share(value) * self.plot.height()
    }

    fn panel(&self, panel: &Panel) -> Drawn {
        let Self { sheet, plot, .. } = self;
        let (unit, canvas) = (sheet.unit, sheet.canvas);
        let ink = panel.family.map_or(Ink::Text, |family| Ink::Model(family, 1.0));
        sheet.upward_axis(*plot, &panel.y)?;
        for (date, _) in &self.body.machine_changes {
            let x = self.x(*date);
            canvas.line(&[at(x, plot.top), at(x, plot.bottom)], machine_pen(sheet))?;
        }
        for point in &panel.points {
            let x = self.x(point.x);
            let whisker = Pen {
                opacity: 0.45,
                ..Pen::solid(ink, 1.2 * unit)
            };
            canvas.line(
                &[at(x, self.y(panel, point.low)), at(x, self.y(panel, point.high))],
                whisker,
            )?;
        }
        for one in &panel.breaks {
            let x = self.x(one.x);
            canvas.line(
                &[at(x, plot.top), at(x, plot.bottom)],
                break_pen(sheet, one.worse),
            )?;
        }
        for point in &panel.points {
            canvas.disc(at(self.x(point.x), self.y(panel, point.y)), 2.4 * unit, ink)?;
        }
        for level in &panel.levels {
            let pen = Pen {
                opacity: 0.8,
                ..Pen::solid(ink, 2.4 * unit)
            };
            let ends = [
                at(self.x(level.from), self.y(panel, level.value)),
                at(self.x(level.to), self.y(panel, level.value_at_end)),
            ];
            canvas.line(&ends, pen)?;
        }
        self.labels(panel)
    }

    /// The words of the changes above the plot, on the right-hand side of each line or before it at the right edge, the
    /// earlier ones first where not all have room.
    fn labels(&self, panel: &Panel) -> Drawn {
        let Self { sheet, plot, .. } = self;
        let face = sheet.face(LABEL_EM, false);
        let gap = 4.0 * sheet.unit;
        let title_ends = sheet.area.left + face.width(&panel.y.title);
        let places: Vec<(f64, f64)> = panel
            .breaks
            .iter()
            .map(|one| {
                let width = face.width(&one.label);
                let half = width / 2.0;
                (self.x(one.x).min(plot.right - half).max(plot.left + half), width)
            })
            .collect();
        let kept = layout::without_overlap(&places, gap);
        for ((one, (centre, width)), kept) in panel.breaks.iter().zip(places).zip(kept) {
            // The line above the plot is the title's.
            let free = centre - width / 2.0 > title_ends + gap * 2.0;
            let letters = Letters {
                face: sheet.face(LABEL_EM, true),
                ..sheet.letters(LABEL_EM, break_pen(sheet, one.worse).ink, Anchor::Middle)
            };
            if kept && free {
                let place = at(centre, plot.top - 12.0 * sheet.unit);
                sheet.canvas.text(&one.label, place, letters)?;
            }
        }
        Ok(())
    }
}
