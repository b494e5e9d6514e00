//! The terminal's part on scaling laws: a sentence on each curve, and the table of fits as wide as there is room for; of
//! many workloads how many curves each cause limits.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, LineStyle, Table};

use ftbench_schema::Summary;

use super::laws::{self, HEADINGS};
use super::style::{BOLD, Style, hanging};
use ftbench_schema::text;

/// What is left out of the table as the terminal gets narrower, in this order: columns by number.
const LEFT_OUT: [&[usize]; 4] = [&[], &[6], &[4, 6], &[4, 5, 6]];

/// The columns that hold figures.
const FIRST_FIGURE: usize = 3;

/// With more workloads the sentences would bury the tables above them.
const MOST_WORKLOADS: usize = 6;

/// Both parts, or counts where there are many workloads; empty without curves.
pub(super) fn render(summary: &Summary, style: Style) -> String {
    let workloads = laws::by_workload(summary).len();
    if workloads > MOST_WORKLOADS {
        return counts(summary, workloads, style);
    }
    let parts = [sentences(summary, style), table(summary, style)];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

/// What stands for the sentences and the table of many workloads.
fn counts(summary: &Summary, workloads: usize, style: Style) -> String {
    let causes = laws::causes(summary);
    if causes.is_empty() {
        return causes;
    }
    let heading = style.paint(BOLD, &format!("what limits {workloads} workloads"));
    let told = format!("{causes}. 'ftbench report RUN' tells of each.");
    format!("{heading}\n{}", hanging(" ", 1, &told, style))
}

fn sentences(summary: &Summary, style: Style) -> String {
    let workloads = laws::by_workload(summary);
    let paragraphs = workloads.iter().filter_map(|of_workload| {
        let told = of_workload.curves.iter().filter(|curve| !curve.is_native());
        let told: Vec<(String, String)> = told
            .map(|curve| (laws::subject(curve) + ":", laws::sentence(curve)))
            .collect();
        let widest = told.iter().map(|(subject, _)| subject.chars().count()).max()?;
        let name = text::shorten(&text::line(of_workload.workload), usize::from(style.text_width()));
        let lines = told.iter().map(|(subject, sentence)| {
            let label = format!("  {subject:<widest$}");
            hanging(&label, widest + 2, sentence, style)
        });
        let lines: Vec<String> = lines.collect();
        let heading = format!("what limits {name}");
        Some(format!("{}\n{}", style.paint(BOLD, &heading), lines.join("\n")))
    });
    let paragraphs: Vec<String> = paragraphs.collect();
    paragraphs.join("\n\n")
}

fn table(summary: &Summary, style: Style) -> String {
    let rows = laws::rows(summary);
    if rows.is_empty() {
        return String::new();
    }
    let mut drawn = String::new();
    for left_out in LEFT_OUT {
        let table = without_columns(&rows, left_out, style);
        let widths = table.column_max_content_widths();
        let width: usize = widths.iter().map(|width| usize::from(*width) + 2).sum();
        drawn = table.trim_fmt();
        // The last column has no gap after it.
        if style.width.is_none_or(|limit| width <= usize::from(limit) + 2) {
            break;
        }
    }
    format!("{}\n{drawn}", style.paint(BOLD, "scaling laws"))
}

fn without_columns(rows: &[[String; HEADINGS.len()]], left_out: &[usize], style: Style) -> Table {
    let mut table = Table::new();
    table
        .force_no_tty()
        .load_style(NOTHING.header_separator(LineStyle::none().fill('─').junction('─')));
    if style.colour {
        table.enforce_styling();
    }
    let cell = |column: usize, text: &str| {
        let alignment = if column >= FIRST_FIGURE {
            CellAlignment::Right
        } else {
            CellAlignment::Left
        };
        Cell::new(text).set_alignment(alignment)
    };
    let kept = |texts: &[&str]| -> Vec<Cell> {
        let texts = texts.iter().enumerate();
        let kept = texts.filter(|(column, _)| !left_out.contains(column));
        kept.map(|(column, text)| cell(column, text)).collect()
    };
    let headings = kept(&HEADINGS).into_iter();
    table.set_header(
        headings
            .map(|cell| cell.add_attribute(Attribute::Dim))
            .collect::<Vec<Cell>>(),
    );
    for row in rows {
        let texts: Vec<&str> = row.iter().map(String::as_str).collect();
        table.add_row(kept(&texts));
    }
    let columns = table.column_iter().count();
    for (position, column) in table.column_iter_mut().enumerate() {
        // One blank here and one where comfy-table draws the junction of its rule.
        column.set_padding((0, u16::from(position + 1 < columns)));
    }
    table
}
