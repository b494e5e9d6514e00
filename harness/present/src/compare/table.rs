//! A comparison on the terminal.

use crate::style::{BOLD, DIM, GREEN, RED, Style, YELLOW, hanging};
use crate::table::ruled;
use ftbench_analyse::compare::{Change, Comparison};
use ftbench_schema::text;

/// Renders all parts, the verdict first, separated by empty lines, with a final newline.
#[must_use]
pub fn render(comparison: &Comparison, style: Style) -> String {
    let parts = [
        opening(comparison, style),
        cells(comparison, style),
        unmatched(comparison, style),
        super::workload_table(&super::workloads_by_verdict(comparison)).list(style),
        super::mean_table(comparison).list(style),
        differences(comparison, style),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n") + "\n"
}

fn opening(comparison: &Comparison, style: Style) -> String {
    let colour = if comparison.has_regression() { RED } else { GREEN };
    let mut lines = vec![style.paint(colour.bold(), &super::verdict(comparison))];
    let sentences = super::sentences(comparison);
    lines.extend(sentences.iter().map(|line| hanging("-", 1, line, style)));
    let remarks = super::remarks(comparison);
    lines.extend(
        remarks
            .iter()
            .map(|line| hanging(&style.paint(YELLOW, "warning:"), "warning:".len(), line, style)),
    );
    lines.join("\n")
}

/// The cells, as wide as the terminal allows: a narrow one drops the times first, then shortens names.
fn cells(comparison: &Comparison, style: Style) -> String {
    let cells = super::by_verdict(comparison);
    if cells.is_empty() {
        return String::new();
    }
    let layouts = [(true, 40), (false, 40), (false, 12)];
    let layouts =
        layouts.map(|(with_times, longest_name)| vec![super::cell_table(&cells, with_times, longest_name)]);
    ruled(layouts, style).concat()
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

fn differences(comparison: &Comparison, style: Style) -> String {
    if comparison.differences.is_empty() {
        return String::new();
    }
    let mut lines = vec![style.paint(BOLD, "differences between the sides")];
    let differences = comparison
        .differences
        .iter()
        .map(|line| hanging("-", 1, &text::line(line), style));
    lines.extend(differences.map(|line| style.paint(DIM, &line)));
    lines.join("\n")
}
