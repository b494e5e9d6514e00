//! Below the tables: what failed, and a table of what was skipped and why.

use ftbench_schema::{CellStatus, CellSummary, Summary};

use super::rows;
use super::style::{BOLD, DIM, RED, Style, hanging};
use super::table::{Column, Table};
use ftbench_schema::text;

/// At most so many different reasons are told.
const MOST_REASONS: usize = 20;
/// At most so many lines of a traceback, the last ones.
const TRACEBACK_LINES: usize = 8;
/// At most so many failed cells are named for one reason.
const MOST_CELLS: usize = 4;
/// At most so many workloads, interpreters or models are named for one reason.
const MOST_NAMES: usize = 3;

/// Each reason for failed cells, in full.
pub(super) fn failures(summary: &Summary, style: Style) -> String {
    let reasons = rows::reasons(summary, CellStatus::is_failure);
    let mut paragraphs: Vec<String> = reasons
        .iter()
        .take(MOST_REASONS)
        .map(|reason| {
            let label = format!("{}:", reason.status.words());
            let names = rows::cell_names(&reason.cells, MOST_CELLS);
            let first = hanging(&style.paint(RED, &label), label.len(), &names, style);
            format!("{first}{}", last_words(reason.reason, style))
        })
        .collect();
    paragraphs.extend(left_out(reasons.len(), "failed"));
    paragraphs.join("\n")
}

/// The first line of a reason and the last ones of what follows it, indented.
fn last_words(reason: &str, style: Style) -> String {
    let mut lines = text::lines(reason);
    let Some(first) = lines.next() else {
        return String::new();
    };
    let rest: Vec<String> = lines.collect();
    let left_out = rest.len().saturating_sub(TRACEBACK_LINES);
    let mut told = format!("\n  {first}");
    for line in rest.iter().skip(left_out) {
        told.push_str("\n    ");
        told.push_str(&style.paint(DIM, line));
    }
    told
}

/// A row for each reason why cells were skipped.
pub(super) fn skipped(summary: &Summary, style: Style) -> String {
    let skips = skips(summary);
    if skips.is_empty() {
        return String::new();
    }
    let shown = || skips.iter().take(MOST_REASONS);
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
    let more = reasons.saturating_sub(MOST_REASONS);
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
    /// How many.
    pub cells: usize,
    /// The reason, in a line.
    pub why: String,
}

/// What was skipped, reason by reason.
pub(super) fn skips(summary: &Summary) -> Vec<Skip> {
    rows::reasons(summary, |status| status == CellStatus::Skipped)
        .iter()
        .map(|reason| Skip {
            what: in_words(&reason.cells),
            cells: reason.cells.len(),
            why: text::lines(reason.reason).next().unwrap_or_default(),
        })
        .collect()
}

/// `interpreters on 3.13 and 3.13t: 31 workloads`.
fn in_words(cells: &[&CellSummary]) -> String {
    let models = names(cells, "models", |cell| cell.model.to_string());
    let interpreters = names(cells, "interpreters", |cell| cell.interpreter_label());
    let workloads = names(cells, "workloads", |cell| cell.workload.clone());
    format!("{models} on {interpreters}: {workloads}")
}

/// The names if they are few, else how many there are.
fn names(cells: &[&CellSummary], plural: &str, name: impl Fn(&CellSummary) -> String) -> String {
    let mut different: Vec<String> = Vec::new();
    for cell in cells {
        let name = text::shorten(&text::line(&name(cell)), 32);
        if !different.contains(&name) {
            different.push(name);
        }
    }
    if different.len() > MOST_NAMES {
        return format!("{} {plural}", different.len());
    }
    match different.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => different.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::summaries;

    #[test]
    fn skips_are_told_once_for_each_reason() {
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
    fn nothing_skipped_is_nothing_said() {
        assert_eq!(skipped(&summaries::two_cores(), Style::default()), "");
    }
}
