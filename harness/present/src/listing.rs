//! Plain lists for the terminal: interpreters, workloads, cells.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, ContentArrangement, Table};

use super::style::Style;
use ftbench_schema::text;

/// Renders a heading and rows. What comes from files or machines is made printable.
#[must_use]
pub fn render(heading: &[&str], rows: impl IntoIterator<Item = Vec<String>>, style: Style) -> String {
    let mut table = Table::new();
    table.force_no_tty().load_style(NOTHING);
    if let Some(width) = style.width {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    if style.colour {
        table.enforce_styling();
    }
    table.set_header(
        heading
            .iter()
            .map(|word| Cell::new(word).add_attribute(Attribute::Bold)),
    );
    for row in rows {
        table.add_row(row.iter().map(|word| text::line(word)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    format!("{}\n", table.trim_fmt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_nothing_escapes() {
        let rows = [
            vec!["3.13t".to_owned(), "off".to_owned()],
            vec!["\u{1b}[31mred".to_owned(), "on".to_owned()],
        ];
        let shown = render(&["tag", "GIL"], rows, Style::default());
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        let columns: Vec<_> = shown
            .lines()
            .filter_map(|line| line.find("off").or(line.find("GIL")))
            .collect();
        assert!(
            columns.iter().all(|column| Some(column) == columns.first()),
            "{shown}"
        );
    }
}
