//! What the terminal can do, and text dressed and wrapped for it.

use anstyle::{AnsiColor, Style as Ansi};
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

/// How wide text is wrapped where the terminal does not say.
const USUAL_WIDTH: u16 = 100;
/// Below this width nothing can be laid out; a terminal wraps what is wider.
const SMALLEST_WIDTH: u16 = 40;

/// Beyond this width lines are hard to follow.
const LARGEST_WIDTH: u16 = 110;

/// What the terminal can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Whether to colour.
    pub colour: bool,
    /// Columns of the terminal; `None` when not known, as in a file: nothing is left out then.
    pub width: Option<u16>,
}

/// Headings and subjects.
pub const BOLD: Ansi = Ansi::new().bold();
/// What matters less.
pub const DIM: Ansi = Ansi::new().dimmed();
/// Good.
pub const GREEN: Ansi = AnsiColor::Green.on_default();
/// To be read with care.
pub const YELLOW: Ansi = AnsiColor::Yellow.on_default();
/// Bad.
pub const RED: Ansi = AnsiColor::Red.on_default();
/// A remark.
pub const BLUE: Ansi = AnsiColor::Blue.on_default();
/// What can be done.
pub const CYAN: Ansi = AnsiColor::Cyan.on_default();

impl Style {
    /// Text with colours and the like, where the terminal has them.
    #[must_use]
    pub fn paint(self, ansi: Ansi, text: &str) -> String {
        if self.colour {
            format!("{ansi}{text}{ansi:#}")
        } else {
            text.to_owned()
        }
    }

    /// How wide running text is.
    #[must_use]
    pub fn text_width(self) -> u16 {
        self.width
            .unwrap_or(USUAL_WIDTH)
            .clamp(SMALLEST_WIDTH, LARGEST_WIDTH)
    }
}

/// A label that takes so many columns, and text wrapped beside it.
#[must_use]
pub fn hanging(label: &str, label_width: usize, message: &str, style: Style) -> String {
    let indent = u16::try_from(label_width).unwrap_or(u16::MAX).saturating_add(1);
    let room = style.text_width().saturating_sub(indent).max(SMALLEST_WIDTH / 2);
    let mut table = Table::new();
    table
        .force_no_tty()
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(room)
        .add_row([message]);
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 0));
    }
    let indentation = format!("\n{}", " ".repeat(usize::from(indent)));
    let wrapped: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    format!("{label} {}", wrapped.join(&indentation))
}
