//! The capabilities of the terminal, and text that is coloured and wrapped for it.

use anstyle::{AnsiColor, Style as Ansi};
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

/// The width at which text is wrapped if the terminal's is unknown.
const DEFAULT_WIDTH: u16 = 100;
/// The minimum width that text is laid out for; a narrower terminal wraps the lines itself.
const MIN_WIDTH: u16 = 40;

/// The maximum width; longer lines are hard to follow.
const MAX_WIDTH: u16 = 110;

/// The capabilities of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Whether to use colours.
    pub colour: bool,
    /// Columns of the terminal; `None` if unknown, as for a file. Nothing is left out then.
    pub width: Option<u16>,
}

/// Headings and subjects.
pub const BOLD: Ansi = Ansi::new().bold();
/// Less important text.
pub const DIM: Ansi = Ansi::new().dimmed();
/// Good results.
pub const GREEN: Ansi = AnsiColor::Green.on_default();
/// Text to read with care.
pub const YELLOW: Ansi = AnsiColor::Yellow.on_default();
/// The style of bad results.
pub const RED: Ansi = AnsiColor::Red.on_default();
/// Notes.
pub const BLUE: Ansi = AnsiColor::Blue.on_default();
/// Remedies.
pub const CYAN: Ansi = AnsiColor::Cyan.on_default();

impl Style {
    /// Adds the style to the text if the terminal has colours.
    #[must_use]
    pub fn paint(self, ansi: Ansi, text: &str) -> String {
        if self.colour {
            format!("{ansi}{text}{ansi:#}")
        } else {
            text.to_owned()
        }
    }

    /// The width of running text, in columns.
    #[must_use]
    pub fn text_width(self) -> u16 {
        self.width.unwrap_or(DEFAULT_WIDTH).clamp(MIN_WIDTH, MAX_WIDTH)
    }
}

/// Wraps `message` beside a label that takes `label_width` columns.
#[must_use]
pub fn hanging(label: &str, label_width: usize, message: &str, style: Style) -> String {
    let indent = u16::try_from(label_width).unwrap_or(u16::MAX).saturating_add(1);
    let room = style.text_width().saturating_sub(indent).max(MIN_WIDTH / 2);
    let indentation = format!("\n{}", " ".repeat(usize::from(indent)));
    format!("{label} {}", lines(message, room).join(&indentation))
}

/// Wraps a paragraph to the width of running text.
#[must_use]
pub fn wrapped(message: &str, style: Style) -> Vec<String> {
    lines(message, style.text_width())
}

/// Breaks a text into lines of at most this many columns.
fn lines(message: &str, columns: u16) -> Vec<String> {
    let mut table = Table::new();
    table
        .force_no_tty()
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(columns)
        .add_row([message]);
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 0));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}
