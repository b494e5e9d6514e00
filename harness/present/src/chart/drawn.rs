//! A chart as a plain description: its frame in words and its body.

use super::error::{ChartError, Size};
use super::heat_map::HeatMap;
use super::lines::{Lines, ReferenceKind};
use super::panels::Panels;
use super::rows::Rows;
use super::theme::Theme;
use super::time_line::TimeLine;

/// What a chart shows inside its frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Series over an axis of numbers of workers.
    Lines(Lines),
    /// Bars or strips, below each other.
    Rows(Rows),
    /// A table on colours.
    HeatMap(HeatMap),
    /// Dots over time.
    TimeLine(TimeLine),
    /// Values over dates, below each other.
    Panels(Panels),
    /// A sentence, where there is nothing to draw.
    Nothing(String),
}

/// A frame, which is the same for every kind of chart, with a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The finding, in words.
    pub title: String,
    /// Machine and builds, one line each.
    pub subtitle: Vec<String>,
    /// What is drawn.
    pub body: Body,
    /// What a reader must know, one paragraph each, the most important first.
    pub caption: Vec<String>,
    /// Colours.
    pub theme: Theme,
    /// Pixels.
    pub size: Size,
}

impl Chart {
    /// Puts a body into an empty frame.
    pub(crate) fn of(body: Body) -> Self {
        Self {
            title: String::new(),
            subtitle: Vec::new(),
            body,
            caption: Vec::new(),
            theme: Theme::default(),
            size: Size::default(),
        }
    }

    /// Replaces the titles of its axes.
    ///
    /// # Errors
    /// When it does not have such an axis.
    pub fn relabel(&mut self, x: Option<&str>, y: Option<&str>) -> Result<(), ChartError> {
        let (across, up) = match &mut self.body {
            Body::Lines(lines) => (Some(&mut lines.x), Some(&mut lines.y)),
            Body::TimeLine(line) => (Some(&mut line.x), Some(&mut line.y)),
            Body::Rows(rows) => (Some(&mut rows.x), None),
            Body::Panels(panels) => (Some(&mut panels.x), None),
            Body::HeatMap(_) | Body::Nothing(_) => (None, None),
        };
        for (axis, words, name) in [(across, x, "horizontal"), (up, y, "vertical")] {
            match (axis, words) {
                (Some(axis), Some(words)) => words.clone_into(&mut axis.title),
                (None, Some(_)) => return Err(ChartError::NoAxis(name)),
                (_, None) => {}
            }
        }
        Ok(())
    }

    /// Whether the chart shows a ceiling.
    pub(super) fn has_ceiling(&self) -> bool {
        match &self.body {
            Body::Lines(lines) => lines
                .references
                .iter()
                .any(|line| line.kind == ReferenceKind::Measured),
            _ => false,
        }
    }
}
