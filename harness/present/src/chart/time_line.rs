//! Dots over the time of a run.

use super::axes;
use super::axis::Axis;
use super::canvas::{Pen, at};
use super::ink::Ink;
use super::layout::Frame;
use super::legend::{self, Entry, Key, Shape};
use super::sheet::{Drawn, Sheet};
use ftbench_schema::text;

/// What happened to a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// Nothing that was seen disturbed it.
    Quiet,
    /// The hypervisor ran something else.
    Steal,
    /// Other processes ran on its PUs.
    Others,
    /// A worker was seen on a PU other than its own.
    Moved,
    /// Something else: a quota, heat, memory, frequency.
    Otherwise,
    /// It failed.
    Failed,
}

impl Event {
    /// Every event, in the order of the legend.
    pub const ALL: [Self; 6] = [
        Self::Quiet,
        Self::Steal,
        Self::Others,
        Self::Moved,
        Self::Otherwise,
        Self::Failed,
    ];

    /// Returns the event's name in the legend.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Quiet => "undisturbed",
            Self::Steal => "steal",
            Self::Others => "other processes",
            Self::Moved => "worker moved",
            Self::Otherwise => "quota, heat, memory or frequency",
            Self::Failed => "failed",
        }
    }

    const fn shape(self) -> Shape {
        match self {
            Self::Quiet => Shape::Disc,
            Self::Steal => Shape::Triangle,
            Self::Others => Shape::Diamond,
            Self::Moved => Shape::Square,
            Self::Otherwise => Shape::Ring,
            Self::Failed => Shape::Cross,
        }
    }
}

/// One trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dot {
    /// When, in the axis' unit.
    pub x: f64,
    /// How long, against its cell's median.
    pub y: f64,
    /// What happened to it.
    pub event: Event,
}

/// The body of time lines.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeLine {
    /// The axis of time.
    pub x: Axis,
    /// The axis of values.
    pub y: Axis,
    /// The trials, one dot each.
    pub dots: Vec<Dot>,
    /// How many trials each event had, in the order of [`Event::ALL`]; `dots` may have fewer.
    pub counts: Vec<(Event, usize)>,
}

/// Describes the body in words.
pub(super) fn description(line: &TimeLine) -> String {
    let counts: Vec<String> = line
        .counts
        .iter()
        .map(|(event, trials)| format!("{}: {}.", event.words(), text::counted(*trials, "trial")))
        .collect();
    format!("{} by {}. {}", line.y.title, line.x.title, counts.join(" "))
}

/// Draws the body.
pub(super) fn draw(sheet: &Sheet<'_>, line: &TimeLine) -> Drawn {
    let unit = sheet.unit;
    let ink = |event: Event| match event {
        Event::Quiet => Ink::Muted,
        _ => Ink::Disturbed,
    };
    let entries: Vec<Entry> = line
        .counts
        .iter()
        .map(|(event, trials)| Entry {
            key: Key::Dot(event.shape(), ink(*event)),
            words: format!("{} ({trials})", event.words()),
        })
        .collect();
    let last = legend::draw(sheet, &entries, sheet.area.top + 24.0 * unit)?;
    let plot = Frame {
        left: sheet.area.left + sheet.tick_room(&line.y),
        top: last + 44.0 * unit,
        right: sheet.area.right,
        bottom: sheet.area.bottom - axes::room_below(&line.x) * unit,
    };
    let inset = 10.0 * unit;
    let x = |value: f64| plot.left + inset + line.x.share(value) * (plot.width() - 2.0 * inset);
    let y = |value: f64| plot.bottom - line.y.share(value) * plot.height();
    sheet.upward_axis(plot, &line.y)?;
    sheet.bottom_axis(plot, &line.x, &x)?;
    let median = y(1.0);
    let pen = Pen::solid(Ink::Reference, 1.5 * unit);
    sheet
        .canvas
        .line(&[at(plot.left, median), at(plot.right, median)], pen)?;
    let (quiet, loud): (Vec<&Dot>, Vec<&Dot>) = line.dots.iter().partition(|dot| dot.event == Event::Quiet);
    for dot in quiet.into_iter().chain(loud) {
        legend::dot(sheet, dot.event.shape(), at(x(dot.x), y(dot.y)), ink(dot.event))?;
    }
    Ok(())
}
