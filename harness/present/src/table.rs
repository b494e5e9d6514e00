//! A table of words and figures, drawn on a terminal or as GitHub-flavoured Markdown.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Width};

use super::style::Style;
use ftbench_schema::text::{self, escape_markdown as escape};

/// The meaning of a cell, which shows as a colour on a terminal and as bold words in Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// Better: faster, or a success.
    Good,
    /// Read with care.
    Caution,
    /// Worse: slower, or a failure.
    Bad,
}

/// A cell: one line of text that is safe to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
    is_dim: bool,
}

impl<T: ToString> From<T> for Cell {
    fn from(value: T) -> Self {
        Self {
            text: text::line(&value.to_string()),
            tone: Tone::Plain,
            is_dim: false,
        }
    }
}

impl Cell {
    /// Sets the tone.
    #[must_use]
    pub fn toned(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// Makes the cell less prominent than others on a terminal if `is_dim`.
    #[must_use]
    pub fn dimmed(mut self, is_dim: bool) -> Self {
        self.is_dim |= is_dim;
        self
    }

    fn terminal(&self, alignment: CellAlignment) -> comfy_table::Cell {
        let cell = comfy_table::Cell::new(&self.text).set_alignment(alignment);
        let cell = match self.tone {
            Tone::Plain => cell,
            Tone::Good => cell.fg(Color::Green),
            Tone::Caution => cell.fg(Color::Yellow),
            Tone::Bad => cell.fg(Color::Red),
        };
        if self.is_dim {
            cell.add_attribute(Attribute::Dim)
        } else {
            cell
        }
    }
}

/// One column: its heading and its cells from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    heading: Cell,
    /// Figures are right-aligned. They come from ftbench itself, so Markdown need not escape them.
    is_figures: bool,
    cells: Vec<Cell>,
}

impl Column {
    /// A column of words.
    #[must_use]
    pub fn words<C: Into<Cell>>(heading: &str, cells: impl IntoIterator<Item = C>) -> Self {
        Self {
            heading: heading.into(),
            is_figures: false,
            cells: cells.into_iter().map(Into::into).collect(),
        }
    }

    /// A column of numbers, with or without units and intervals.
    #[must_use]
    pub fn figures<C: Into<Cell>>(heading: &str, cells: impl IntoIterator<Item = C>) -> Self {
        Self {
            is_figures: true,
            ..Self::words(heading, cells)
        }
    }

    fn alignment(&self) -> CellAlignment {
        if self.is_figures {
            CellAlignment::Right
        } else {
            CellAlignment::Left
        }
    }

    fn markdown(&self, cell: &Cell) -> String {
        // Padding that aligns figures on a terminal means nothing here.
        let words: Vec<&str> = cell.text.split_whitespace().collect();
        let words = words.join(" ");
        match cell.tone {
            _ if self.is_figures => words,
            Tone::Good | Tone::Bad => format!("**{}**", escape(&words)),
            Tone::Plain | Tone::Caution => escape(&words),
        }
    }
}

/// A table: columns of the same length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<Column>,
}

impl Table {
    /// Makes a table of columns, which must have the same length.
    #[must_use]
    pub const fn new(columns: Vec<Column>) -> Self {
        Self { columns }
    }

    /// Makes a table of words, row by row.
    #[must_use]
    pub fn of_rows<const N: usize>(headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> Self {
        let mut columns: Vec<Column> = headings
            .iter()
            .map(|heading| Column::words(heading, [""; 0]))
            .collect();
        for row in rows {
            for (column, text) in columns.iter_mut().zip(row) {
                column.cells.push(text.into());
            }
        }
        Self { columns }
    }

    /// Whether the table has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.cells.len())
    }

    /// The texts of the headings.
    pub(crate) fn headings(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.heading.text.as_str())
    }

    /// The texts of each row.
    pub(crate) fn texts(&self) -> impl Iterator<Item = Vec<String>> {
        (0..self.rows()).map(|row| {
            let cells = self.columns.iter().filter_map(|column| column.cells.get(row));
            cells.map(|cell| cell.text.clone()).collect()
        })
    }

    /// The table without some of its columns, by number.
    pub(crate) fn without(&self, left_out: &[usize]) -> Self {
        let columns = self.columns.iter().enumerate();
        let kept = columns.filter(|(number, _)| !left_out.contains(number));
        Self::new(kept.map(|(_, column)| column.clone()).collect())
    }

    /// The table's first rows.
    #[must_use]
    pub(crate) fn first(mut self, rows: usize) -> Self {
        for column in &mut self.columns {
            column.cells.truncate(rows);
        }
        self
    }

    /// Draws the table for a terminal: bold headings, long texts wrapped; empty without rows. The last line has no line
    /// end.
    #[must_use]
    pub fn list(&self, style: Style) -> String {
        if self.is_empty() {
            return String::new();
        }
        let mut table = self.terminal(Attribute::Bold, style);
        if let Some(width) = style.width {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table.trim_fmt()
    }

    fn terminal(&self, headings: Attribute, style: Style) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        table.force_no_tty().load_style(NOTHING);
        if style.colour {
            table.enforce_styling();
        }
        let heading = |column: &Column| {
            column
                .heading
                .terminal(column.alignment())
                .add_attribute(headings)
        };
        table.set_header(self.columns.iter().map(heading));
        for row in 0..self.rows() {
            let cells = self.columns.iter().filter_map(|column| {
                let cell = column.cells.get(row)?;
                Some(cell.terminal(column.alignment()))
            });
            table.add_row(cells.collect::<Vec<_>>());
        }
        table
    }

    /// Formats the table as GitHub-flavoured Markdown with a final newline; empty without rows. Words are escaped, so
    /// that they show literally and cannot inject markup.
    #[must_use]
    pub fn markdown(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let rule = |column: &Column| if column.is_figures { "---:" } else { "---" }.to_owned();
        let mut lines = line(self.headings().map(escape).collect());
        lines.push_str(&line(self.columns.iter().map(rule).collect()));
        for row in 0..self.rows() {
            let cells = self.columns.iter().filter_map(|column| {
                let cell = column.cells.get(row)?;
                Some(column.markdown(cell))
            });
            lines.push_str(&line(cells.collect()));
        }
        lines
    }
}

/// Draws the first of these layouts that fits on the terminal, or else the last: dim headings above a rule, nothing
/// wrapped, each column as wide in all tables of the layout as in the widest. The last line of a table has no line end.
#[must_use]
pub fn ruled(layouts: impl IntoIterator<Item = Vec<Table>>, style: Style) -> Vec<String> {
    let mut tables = Vec::new();
    for layout in layouts {
        tables = layout;
        if fit(&tables, style) {
            break;
        }
    }
    let widths = column_widths(&tables);
    let drawn = tables.iter().map(|table| {
        let columns = table.columns.len();
        let mut table = table.terminal(Attribute::Dim, style);
        table.load_style(NOTHING.header_separator(LineStyle::none().fill('─').junction('─')));
        for (position, (column, width)) in table.column_iter_mut().zip(&widths).enumerate() {
            // One blank here, and one where comfy-table draws the junction of its rule.
            let padding = u16::from(position + 1 < columns);
            column.set_padding((0, padding));
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(
                width.saturating_add(padding),
            )));
        }
        table.trim_fmt()
    });
    drawn.collect()
}

/// Whether tables fit on the terminal when [`ruled`] draws them.
#[must_use]
pub fn fit(tables: &[Table], style: Style) -> bool {
    let widths = column_widths(tables);
    let gaps = 2 * widths.len().saturating_sub(1);
    let width = gaps + widths.into_iter().map(usize::from).sum::<usize>();
    style.width.is_none_or(|limit| width <= usize::from(limit))
}

/// The widths of the columns: those of their widest cells in any of the tables.
fn column_widths(tables: &[Table]) -> Vec<u16> {
    let mut widths: Vec<u16> = Vec::new();
    for table in tables {
        let own = table
            .terminal(Attribute::Dim, Style::default())
            .column_max_content_widths();
        widths.resize(widths.len().max(own.len()), 0);
        for (width, own) in widths.iter_mut().zip(own) {
            *width = (*width).max(own);
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::new(vec![
            Column::words("tag", ["3.13t", "\u{1b}[31mred|"]),
            Column::figures("speedup", ["1.93  [1.90, 1.96]", "0.98"]),
            Column::words("verdict", [Cell::from("faster").toned(Tone::Good), "same".into()]),
        ])
    }

    #[test]
    fn a_list_is_aligned_and_control_characters_are_replaced() {
        let rows = [["3.13t", "off"], ["\u{1b}[31mred", "on"]].map(|row| row.map(str::to_owned));
        insta::assert_snapshot!(Table::of_rows(["tag", "GIL"], rows).list(Style::default()), @r"
        tag       GIL
        3.13t     off
        �[31mred  on
        ");
    }

    #[test]
    fn a_ruled_table_aligns_figures_to_the_right() {
        insta::assert_snapshot!(ruled([vec![table()]], Style::default()).concat(), @r"
        tag                   speedup  verdict
        ──────────────────────────────────────
        3.13t      1.93  [1.90, 1.96]  faster
        �[31mred|                0.98  same
        ");
        let style = |width| Style {
            colour: false,
            width: Some(width),
        };
        assert!(fit(&[table()], style(38)) && !fit(&[table()], style(37)));
        let colour = Style {
            colour: true,
            width: None,
        };
        assert!(
            ruled([vec![table()]], colour)
                .concat()
                .contains("\u{1b}[38;5;10mfaster")
        );
    }

    #[test]
    fn markdown_escapes_words_and_shows_verdicts_in_bold() {
        insta::assert_snapshot!(table().markdown(), @r"
        | tag | speedup | verdict |
        | --- | ---: | --- |
        | 3.13t | 1.93 [1.90, 1.96] | **faster** |
        | �\[31mred\| | 0.98 | same |
        ");
        assert_eq!(Table::of_rows(["tag"], []).markdown(), "");
    }
}
