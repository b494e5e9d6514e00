//! The history on a terminal: changes first, then one line for each series.

use super::words;
use crate::style::{BOLD, DIM, GREEN, RED, Style};
use crate::table::{Column, Table};
use ftbench_analyse::history::{Change, Direction, History, Series};
use ftbench_schema::text;
use itertools::Itertools;

/// The maximum number of series that are all listed; of more, only those with a change or a remark.
const MAX_LISTED: usize = 40;
/// The maximum number of skipped folders that are named.
const MAX_SKIPPED: usize = 10;

/// Renders the history, with a final newline; `all` lists every series.
#[must_use]
pub fn render(history: &History, all: bool, style: Style) -> String {
    let mut parts = vec![style.paint(BOLD, &words::opening(history))];
    parts.extend([words::machines(history).join("\n")]);
    let verdicts = words::verdicts(history);
    parts.push(verdicts.iter().map(|line| style.paint(BOLD, line)).join("\n"));
    parts.push(changes(history, style));
    parts.push(series(history, all, style));
    let mut notes: Vec<String> = words::notes(history);
    notes.extend(skipped(history));
    parts.push(style.paint(DIM, &notes.join("\n")));
    parts.retain(|part| !part.trim().is_empty());
    parts.join("\n\n") + "\n"
}

fn changes(history: &History, style: Style) -> String {
    if history.runs.is_empty() {
        return String::new();
    }
    if history.changes.is_empty() {
        return "No change was found.".to_owned();
    }
    let mut lines = Vec::new();
    let mut last = None;
    for change in &history.changes {
        if last != Some(change.first_after) {
            last = Some(change.first_after);
            if let Some(run) = history.runs.get(change.first_after) {
                lines.push(style.paint(BOLD, &format!("since {}", words::run(run))));
                lines.extend(coincidences(history, change.first_after));
            }
        }
        lines.extend(line(history, change, style));
    }
    lines.join("\n")
}

/// What else changed with the changes of a run, once for all of them.
fn coincidences(history: &History, run: usize) -> Vec<String> {
    let changes = history.changes.iter().filter(|change| change.first_after == run);
    changes
        .flat_map(|change| words::differences(&change.coincides_with))
        .unique()
        .map(|words| format!("  with a change of {words}"))
        .collect()
}

fn line(history: &History, change: &Change, style: Style) -> Option<String> {
    let series = history.series.get(change.series)?;
    let verdict = format!("{:<9}", words::verdict(history.metric, change));
    let colour = match change.direction {
        _ if change.is_of_workload() => DIM,
        Direction::Worse => RED,
        Direction::Better => GREEN,
    };
    let figure = |value: f64| words::figure(history.metric, &series.subject, value);
    Some(format!(
        "  {} {}  {} -> {}  {}",
        style.paint(colour, &verdict),
        words::subject(history, series),
        figure(change.before),
        figure(change.after),
        words::per_cent_interval(change.ratio),
    ))
}

fn series(history: &History, all: bool, style: Style) -> String {
    let has_change = |index: usize| history.changes.iter().any(|change| change.series == index);
    let few = history.series.len() <= MAX_LISTED;
    let listed: Vec<(usize, &Series)> = history
        .series
        .iter()
        .enumerate()
        .filter(|(index, series)| all || few || has_change(*index) || !words::remarks(series).is_empty())
        .collect();
    let left_out = history.series.len() - listed.len();
    let mut shown = String::new();
    if !listed.is_empty() {
        let listed: Vec<&Series> = listed.into_iter().map(|(_, series)| series).collect();
        shown = table(history, &listed).list(style);
    }
    if left_out > 0 {
        let gap = if shown.is_empty() { "" } else { "\n" };
        shown.push_str(&format!(
            "{gap}{left_out} more series without a change, a gap or a drift; -v lists them"
        ));
    }
    shown
}

fn table(history: &History, listed: &[&Series]) -> Table {
    let each = || listed.iter();
    let level = |series: &Series| {
        let level = series.levels.last().map(|level| level.value);
        level.map_or_else(String::new, |value| {
            words::figure(history.metric, &series.subject, value)
        })
    };
    Table::new(vec![
        Column::words("series", each().map(|series| words::subject(history, series))),
        Column::figures("nights", each().map(|series| series.nights.len())),
        Column::figures("level", each().map(|series| level(series))),
        Column::figures("noise", each().map(|series| words::noise(series))),
        Column::words("newest runs", each().map(|series| words::sparkline(series))),
        Column::words("", each().map(|series| words::remarks(series))),
    ])
}

fn skipped(history: &History) -> Vec<String> {
    let mut lines: Vec<String> = history
        .passed_over
        .iter()
        .take(MAX_SKIPPED)
        .map(|folder| format!("  {}: {}", text::line(&folder.folder), text::line(&folder.reason)))
        .collect();
    let more = history.passed_over.len().saturating_sub(MAX_SKIPPED);
    if more > 0 {
        lines.push(format!("  and {more} more; --format json lists them all"));
    }
    lines
}
