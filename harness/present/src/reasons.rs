//! The failed cells, and a table of the skipped cells, each with reasons.

use ftbench_schema::{CellStatus, CellSummary, Summary};
use itertools::Itertools;

use super::rows;
use super::style::{BOLD, DIM, RED, Style, hanging};
use super::table::{Column, Table};
use ftbench_schema::text;

/// The maximum number of reasons shown.
const MAX_REASONS: usize = 20;
/// The maximum number of lines shown of a traceback: the last ones.
const TRACEBACK_LINES: usize = 8;
/// The maximum length of each, because a program may have printed megabytes without a line end.
const LINE_CHARACTERS: usize = 200;
/// The maximum number of failed cells named for one reason.
const MAX_CELLS: usize = 4;
/// The maximum number of workloads, interpreters or models named for one reason.
const MAX_NAMES: usize = 3;

/// The failed cells by reason, each reason in full.
pub(super) fn failures(summary: &Summary, style: Style) -> String {
    let reasons = rows::reasons(summary, CellStatus::is_failure);
    let mut paragraphs: Vec<String> = reasons
        .iter()
        .take(MAX_REASONS)
        .map(|reason| {
            let label = format!("{}:", reason.status.words());
            let names = rows::cell_names(&reason.cells, MAX_CELLS);
            let first = hanging(&style.paint(RED, &label), label.len(), &names, style);
            format!("{first}{}", reason_lines(reason.reason, style))
        })
        .collect();
    paragraphs.extend(left_out(reasons.len(), "failed"));
    paragraphs.join("\n")
}

/// The first line of a reason and the last [`TRACEBACK_LINES`] of the rest, indented.
fn reason_lines(reason: &str, style: Style) -> String {
    let mut lines = text::lines(reason);
    let Some(first) = lines.next() else {
        return String::new();
    };
    let rest: Vec<String> = lines.collect();
    let left_out = rest.len().saturating_sub(TRACEBACK_LINES);
    let mut shown = format!("\n  {first}");
    for line in rest.iter().skip(left_out) {
        shown.push_str("\n    ");
        shown.push_str(&style.paint(DIM, &text::shorten(line, LINE_CHARACTERS)));
    }
    shown
}

/// A table of the skipped cells, one row for each reason.
pub(super) fn skipped(summary: &Summary, style: Style) -> String {
    let skips = skips(summary);
    if skips.is_empty() {
        return String::new();
    }
    let shown = || skips.iter().take(MAX_REASONS);
    let table = Table::new(vec![
        Column::words("cells", shown().map(|skip| &skip.what)),
        Column::figures("how many", shown().map(|skip| skip.cells)),
        Column::words("why", shown().map(|skip| &skip.why)),
    ]);
    let mut parts = vec![style.paint(BOLD, "Not measured"), table.list(style)];
    parts.extend(left_out(skips.len(), "skipped"));
    parts.join("\n")
}

fn left_out(reasons: usize, which: &str) -> Option<String> {
    let more = reasons.saturating_sub(MAX_REASONS);
    (more > 0).then(|| {
        let further = text::counted(more, "further reason");
        format!("{further} for {which} cells; summary.json has them all")
    })
}

/// Cells that were skipped for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Skip {
    /// The cells, in a few words.
    pub what: String,
    /// The number of cells.
    pub cells: usize,
    /// The reason, in one line.
    pub why: String,
}

/// The skipped cells by reason.
pub(super) fn skips(summary: &Summary) -> Vec<Skip> {
    rows::reasons(summary, |status| status == CellStatus::Skipped)
        .iter()
        .map(|reason| Skip {
            what: describe(&reason.cells),
            cells: reason.cells.len(),
            why: text::lines(reason.reason).next().unwrap_or_default(),
        })
        .collect()
}

/// Describes cells by model, interpreter and workload: `interpreters on 3.13 and 3.13t: 31 workloads`.
fn describe(cells: &[&CellSummary]) -> String {
    let models = names(cells, "models", |cell| cell.model.to_string());
    let interpreters = names(cells, "interpreters", |cell| cell.interpreter_label());
    let workloads = names(cells, "workloads", |cell| cell.workload.clone());
    format!("{models} on {interpreters}: {workloads}")
}

/// The distinct names, or their number if there are more than [`MAX_NAMES`].
fn names(cells: &[&CellSummary], plural: &str, name: impl Fn(&CellSummary) -> String) -> String {
    let shown = |cell: &&CellSummary| text::shorten(&text::line(&name(cell)), 32);
    let different: Vec<String> = cells.iter().map(shown).unique().collect();
    if different.len() > MAX_NAMES {
        return format!("{} {plural}", different.len());
    }
    text::all_of(&different)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::summaries;

    #[test]
    fn skips_with_the_same_reason_share_a_row() {
        let mut summary = summaries::two_cores();
        for cell in &mut summary.cells {
            cell.status = CellStatus::Skipped;
            cell.reason = Some(format!("not on {}", cell.interpreter));
        }
        let skips = skips(&summary);
        assert!(skips.iter().all(|skip| skip.cells > 1), "{skips:?}");
        let first = skips.first().map(|skip| (skip.what.as_str(), skip.why.as_str()));
        assert_eq!(
            first,
            Some((
                "serial, threads and processes on 3.13: fib and nbody",
                "not on 3.13"
            ))
        );
        let shown = skipped(&summary, Style::default());
        assert_eq!(shown.matches("not on 3.13t").count(), 1, "{shown}");
    }

    #[test]
    fn nothing_is_shown_without_skips() {
        assert_eq!(skipped(&summaries::two_cores(), Style::default()), "");
    }
}
