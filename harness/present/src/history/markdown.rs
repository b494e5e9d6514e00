//! The history as Markdown, for a job's page or an issue.

use super::words;
use ftbench_analyse::history::{Direction, History};
use ftbench_schema::text;

/// So many changes are listed; a page that needs more is not read.
const MOST_CHANGES: usize = 60;

/// The whole of it, ending with a line end.
#[must_use]
pub fn render(history: &History) -> String {
    let mut lines = vec![format!("### {}", escape(&words::opening(history))), String::new()];
    for machine in words::machines(history) {
        lines.push(format!("- {}", escape(&machine)));
    }
    if history.changes.is_empty() {
        lines.push("No change was found.".to_owned());
    } else {
        lines.push("| since | cell | before | after | change | with |".to_owned());
        lines.push("| --- | --- | ---: | ---: | --- | --- |".to_owned());
        for change in history.changes.iter().take(MOST_CHANGES) {
            let (Some(series), Some(run)) = (
                history.series.get(change.series),
                history.runs.get(change.first_after),
            ) else {
                continue;
            };
            let figure = |value: f64| words::figure(history.metric, &series.subject, value);
            let sign = match change.direction {
                _ if change.is_of_workload() => "⚪",
                Direction::Worse => "🔴",
                Direction::Better => "🟢",
            };
            let commit = run
                .commit
                .as_deref()
                .map(|commit| format!("commit {}", words::short_commit(commit)));
            let with: Vec<String> = commit
                .into_iter()
                .chain(words::differences(&change.coincides_with))
                .collect();
            lines.push(format!(
                "| {} | {} | {} | {} | {sign} {} | {} |",
                words::date(run),
                escape(&words::subject(history, series)),
                figure(change.before),
                figure(change.after),
                words::per_cent_interval(change.ratio),
                escape(&with.join("; ")),
            ));
        }
        let more = history.changes.len().saturating_sub(MOST_CHANGES);
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

/// With what means something in Markdown and HTML escaped.
fn escape(words: &str) -> String {
    let mut escaped = String::with_capacity(words.len());
    for character in text::line(words).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    escaped
}
