//! The progress of work that has several steps, each of many parts: a bar on a terminal, a line for each step elsewhere,
//! nothing when quiet. Threads may share it.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::progress::{style, write_line};
use ftbench_schema::text;

/// Width of the bar, in characters.
const BAR_WIDTH: usize = 24;

/// Shows steps on standard error.
#[derive(Debug)]
pub struct Steps {
    bar: Option<ProgressBar>,
    lines: bool,
}

impl Steps {
    /// Creates the display, which shows nothing if `quiet`.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = || ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Self {
            bar: (terminal && !quiet).then(bar),
            lines: !terminal && !quiet,
        }
    }

    /// Shows that a step of so many parts begins; of 0 parts if their number is unknown.
    pub fn begin(&self, what: &str, parts: usize) {
        let what = text::line(what);
        match &self.bar {
            Some(bar) if parts > 0 => {
                bar.set_style(style(&format!(
                    "{{bar:{BAR_WIDTH}.green/238}} {{pos}}/{{len}}  {{prefix}} {{wide_msg}}"
                )));
                bar.set_length(parts as u64);
                bar.set_position(0);
                bar.set_prefix(what);
                bar.set_message("");
            }
            Some(bar) => {
                bar.set_style(style("{spinner} {msg}"));
                bar.set_message(what);
            }
            None if self.lines => write_line(&match parts {
                0 => what,
                parts => format!("{what}: {parts}"),
            }),
            None => {}
        }
    }

    /// Shows that a part of the step is done.
    pub fn done(&self, part: &str) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
            bar.set_message(text::line(part));
        }
    }

    /// Removes the bar.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
