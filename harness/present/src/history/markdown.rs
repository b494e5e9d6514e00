//! The history as Markdown, for a job's page or an issue.

use super::words;
use crate::table::{Column, Table};
use ftbench_analyse::history::{Change, Direction, History, RunLine, Series};
use ftbench_schema::text;
use ftbench_schema::text::escape_markdown as escape;

/// The maximum number of changes listed; a longer page is not read.
const MAX_CHANGES: usize = 60;

/// Renders the history, with a final newline.
#[must_use]
pub fn render(history: &History) -> String {
    let mut lines = vec![format!("### {}", escape(&words::opening(history))), String::new()];
    for machine in words::machines(history) {
        lines.push(format!("- {}", escape(&machine)));
    }
    for verdict in words::verdicts(history) {
        lines.push(format!("- **{}**", escape(&verdict)));
    }
    if history.changes.is_empty() {
        lines.push("No change was found.".to_owned());
    } else {
        lines.push(table(history).markdown().trim_end().to_owned());
        let more = history.changes.len().saturating_sub(MAX_CHANGES);
        if more > 0 {
            lines.push(String::new());
            lines.push(format!("And {more} more changes."));
        }
    }
    let notes = words::notes(history);
    if !notes.is_empty() {
        lines.push(String::new());
        lines.extend(notes.iter().map(|note| format!("{}\n", escape(note))));
        for folder in history.passed_over.iter().take(10) {
            lines.push(format!(
                "- `{}`: {}",
                text::line(&folder.folder).replace('`', "'"),
                escape(&text::line(&folder.reason))
            ));
        }
    }
    lines.join("\n").trim_end().to_owned() + "\n"
}

/// The changes, one row each.
fn table(history: &History) -> Table {
    let changes = history.changes.iter().take(MAX_CHANGES).filter_map(|change| {
        let series = history.series.get(change.series)?;
        Some((change, series, history.runs.get(change.first_after)?))
    });
    let changes: Vec<(&Change, &Series, &RunLine)> = changes.collect();
    let figure = |series: &Series, value: f64| words::figure(history.metric, &series.subject, value);
    let each = || changes.iter();
    Table::new(vec![
        Column::words("since", each().map(|(.., run)| words::date(run))),
        Column::words(
            "cell",
            each().map(|(_, series, _)| words::subject(history, series)),
        ),
        Column::figures(
            "before",
            each().map(|(change, series, _)| figure(series, change.before)),
        ),
        Column::figures(
            "after",
            each().map(|(change, series, _)| figure(series, change.after)),
        ),
        Column::figures(
            "change",
            each().map(|(change, ..)| format!("{} {}", sign(change), words::per_cent_interval(change.ratio))),
        ),
        Column::words("with", each().map(|(change, _, run)| coincidences(change, run))),
    ])
}

fn sign(change: &Change) -> &'static str {
    match change.direction {
        _ if change.is_of_workload() => "⚪",
        Direction::Worse => "🔴",
        Direction::Better => "🟢",
    }
}

/// What else changed in the same run.
fn coincidences(change: &Change, run: &RunLine) -> String {
    let commit = run.commit.as_deref();
    let commit = commit.map(|commit| format!("commit {}", words::short_commit(commit)));
    let with: Vec<String> = commit
        .into_iter()
        .chain(words::differences(&change.coincides_with))
        .collect();
    with.join("; ")
}
