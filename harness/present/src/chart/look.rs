//! How shapes and texts look, and what they stand for.

use super::font::Face;
use super::ink::Ink;
use ftbench_schema::Model;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pen {
    pub ink: Ink,
    pub opacity: f64,
    /// Pixels.
    pub width: f64,
    /// Length of a dash and of the gap after it, pixels; `None` for a solid line.
    pub dash: Option<[f64; 2]>,
}

impl Pen {
    pub(super) const fn solid(ink: Ink, width: f64) -> Self {
        Self {
            ink,
            opacity: 1.0,
            width,
            dash: None,
        }
    }
}

/// Which point of a text its place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Letters {
    pub face: Face,
    pub ink: Ink,
    pub anchor: Anchor,
    /// Whether the place is at half the height of capitals instead of on the baseline, at any size of letters.
    pub is_centred: bool,
    /// A class for the style sheet of a page.
    pub class: Option<&'static str>,
}

/// A measured value that a page shows on hover.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Datum {
    /// Its place on the horizontal axis: the number of workers.
    pub x: f64,
    /// The value with its interval, in words.
    pub words: String,
    /// Whether it is in the lower of two plots.
    pub is_below: bool,
}

/// What belongs to one series or row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group<'a> {
    /// The model's family, whose colour it has.
    pub family: Model,
    /// The number of its series, by which a page hides and highlights it.
    pub series: Option<usize>,
    /// What a page shows on hover; may be empty.
    pub title: &'a str,
}

/// How the next shape looks, and what it stands for.
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    /// The ink inside, and its opacity.
    pub fill: Option<(Ink, f64)>,
    /// The line around, or the line itself.
    pub stroke: Option<Pen>,
    /// The value that it stands for.
    pub datum: Option<Datum>,
    /// Whether it is a dot: the round end of a line without length, so that thousands of them are one path.
    pub is_dot: bool,
    /// How a text looks.
    pub letters: Option<Letters>,
}
