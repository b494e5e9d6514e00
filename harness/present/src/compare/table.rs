//! A comparison for the terminal.

use crate::style::{BOLD, DIM, GREEN, RED, Style, YELLOW, hanging};
use crate::table::{Table, fit};
use ftbench_analyse::compare::{Change, Comparison};
use ftbench_schema::text;

/// The whole of it, the verdict first, each part apart by an empty line, ending with a line end.
#[must_use]
pub fn render(comparison: &Comparison, style: Style) -> String {
    let parts = [
        opening(comparison, style),
        cells(comparison, style),
        unmatched(comparison, style),
        listed(
            &super::workload_table(&super::workloads_by_verdict(comparison)),
            style,
        ),
        listed(&super::mean_table(comparison), style),
        differences(comparison, style),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n") + "\n"
}

fn opening(comparison: &Comparison, style: Style) -> String {
    let colour = if comparison.has_regression() { RED } else { GREEN };
    let mut lines = vec![style.paint(colour.bold(), &super::verdict(comparison))];
    let told = super::sentences(comparison);
    lines.extend(told.iter().map(|line| hanging("-", 1, line, style)));
    let remarks = super::remarks(comparison);
    lines.extend(
        remarks
            .iter()
            .map(|line| hanging(&style.paint(YELLOW, "warning:"), "warning:".len(), line, style)),
    );
    lines.join("\n")
}

/// The cells, as wide as the terminal allows: the times go first, then long names.
fn cells(comparison: &Comparison, style: Style) -> String {
    let cells = super::by_verdict(comparison);
    if cells.is_empty() {
        return String::new();
    }
    let narrower =
        [(true, 40), (false, 40)].map(|(with_times, longest)| super::cell_table(&cells, with_times, longest));
    let fitting = narrower
        .into_iter()
        .find(|table| fit(std::slice::from_ref(table), style));
    let table = fitting.unwrap_or_else(|| super::cell_table(&cells, false, 12));
    table.ruled(style)
}

fn unmatched(comparison: &Comparison, style: Style) -> String {
    let groups = super::groups(comparison);
    let lines: Vec<String> = groups
        .iter()
        .map(|group| {
            let line = hanging("-", 1, &super::group_sentence(group), style);
            if group.change == Change::Broken {
                style.paint(RED, &line)
            } else {
                line
            }
        })
        .collect();
    lines.join("\n")
}

fn listed(table: &Table, style: Style) -> String {
    if table.is_empty() {
        return String::new();
    }
    table.list(style)
}

fn differences(comparison: &Comparison, style: Style) -> String {
    if comparison.differences.is_empty() {
        return String::new();
    }
    let mut lines = vec![style.paint(BOLD, "in what the sides differ")];
    let told = comparison
        .differences
        .iter()
        .map(|line| hanging("-", 1, &text::line(line), style));
    lines.extend(told.map(|line| style.paint(DIM, &line)));
    lines.join("\n")
}
