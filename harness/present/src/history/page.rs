//! The page of a history: one HTML file without scripts that needs nothing else.
//!
//! Its charts are drawn for pages, so that they follow the reader's light or dark setting. Everything from a run is escaped by
//! the template engine or by the drawing, and a Content-Security-Policy allows the page its own style and font and nothing else.

use itertools::Itertools;
use serde::Serialize;

use super::{charts, words};
use crate::chart::{self, Chart, ChartError};
use crate::page::{self, PageError};
use ftbench_analyse::history::{Change, Direction, History, Subject};
use ftbench_schema::{text, units};

const PAGE: &str = include_str!("../../assets/history/page.html");
const STYLE: &str = include_str!("../../assets/history/style.css");

/// Maximum number of charts of a page: more make it slow to open, and nobody scrolls that far.
const MOST_CHARTS: usize = 24;

/// A page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HistoryPageError {
    /// The template engine refused.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A chart could not be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
}

#[derive(Serialize)]
struct Page {
    opening: String,
    machines: Vec<String>,
    verdicts: Vec<String>,
    groups: Vec<Group>,
    notes: Vec<String>,
    passed_over: Vec<String>,
    charts: Vec<Drawn>,
    series: Vec<Row>,
    smallest_effect: String,
}

/// The changes since one run.
#[derive(Serialize)]
struct Group {
    run: String,
    with: Vec<String>,
    changes: Vec<Changed>,
}

#[derive(Serialize)]
struct Changed {
    cell: String,
    /// Position of its workload's chart.
    workload: Option<usize>,
    verdict: &'static str,
    tone: &'static str,
    before: String,
    after: String,
    ratio: String,
    interval: String,
}

#[derive(Serialize)]
struct Drawn {
    anchor: String,
    svg: String,
}

#[derive(Serialize)]
struct Row {
    name: String,
    nights: usize,
    level: String,
    noise: String,
    blocks: String,
    remarks: String,
}

/// Makes the page as HTML.
///
/// # Errors
/// When a chart cannot be drawn, or the template engine refuses.
pub fn html(history: &History) -> Result<String, HistoryPageError> {
    let workloads = changed_workloads(history);
    let mut drawn = Vec::new();
    if let Some(means) = charts::means(history) {
        drawn.push(picture("means".to_owned(), &means)?);
    }
    for (position, name) in workloads.iter().enumerate() {
        drawn.push(picture(format!("w{position}"), &charts::workload(history, name))?);
    }
    let style = page::style(drawn.iter().map(|chart| chart.svg.as_str()))?;
    let style = format!("{style}{STYLE}");
    let page = Page {
        opening: words::opening(history),
        machines: words::machines(history),
        verdicts: words::verdicts(history),
        groups: groups(history, &workloads),
        notes: words::notes(history),
        passed_over: history
            .passed_over
            .iter()
            .map(|folder| format!("{}: {}", text::line(&folder.folder), text::line(&folder.reason)))
            .collect(),
        series: rows(history),
        charts: drawn,
        smallest_effect: units::per_cent(history.smallest_effect, 1),
    };
    Ok(page::fill_page(PAGE, &page, &style, &[])?)
}

/// Lists the workloads that changed, those with the newest changes first.
fn changed_workloads(history: &History) -> Vec<String> {
    let series = history
        .changes
        .iter()
        .filter_map(|change| history.series.get(change.series));
    let names = series.filter_map(|series| match &series.subject {
        Subject::Cell(key) => Some(key.workload.clone()),
        _ => None,
    });
    names.unique().take(MOST_CHARTS).collect()
}

fn picture(anchor: String, chart: &Chart) -> Result<Drawn, ChartError> {
    Ok(Drawn {
        anchor,
        svg: chart::page_svg(chart)?,
    })
}

fn groups(history: &History, workloads: &[String]) -> Vec<Group> {
    let mut groups: Vec<(usize, Group)> = Vec::new();
    for change in &history.changes {
        if groups.last().is_none_or(|(run, _)| *run != change.first_after) {
            let run = history
                .runs
                .get(change.first_after)
                .map(words::run)
                .unwrap_or_default();
            let group = Group {
                run: format!("Since {run}"),
                with: Vec::new(),
                changes: Vec::new(),
            };
            groups.push((change.first_after, group));
        }
        if let Some((_, group)) = groups.last_mut() {
            for line in words::differences(&change.coincides_with) {
                if !group.with.contains(&line) {
                    group.with.push(line);
                }
            }
            group.changes.extend(changed(history, change, workloads));
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn changed(history: &History, change: &Change, workloads: &[String]) -> Option<Changed> {
    let series = history.series.get(change.series)?;
    let figure = |value: f64| words::figure(history.metric, &series.subject, value);
    let workload = match &series.subject {
        Subject::Cell(key) => workloads.iter().position(|name| *name == key.workload),
        Subject::Mean { .. } => None,
    };
    Some(Changed {
        cell: words::subject(history, series),
        workload,
        verdict: words::verdict(history.metric, change),
        tone: match change.direction {
            _ if change.is_of_workload() => "unclear",
            Direction::Worse => "slower",
            Direction::Better => "faster",
        },
        before: figure(change.before),
        after: figure(change.after),
        ratio: words::per_cent(change.ratio.estimate),
        interval: format!(
            "[{}, {}]",
            words::per_cent(change.ratio.low),
            words::per_cent(change.ratio.high)
        ),
    })
}

fn rows(history: &History) -> Vec<Row> {
    history
        .series
        .iter()
        .map(|series| Row {
            name: words::subject(history, series),
            nights: series.nights.len(),
            level: series.levels.last().map_or_else(String::new, |level| {
                words::figure(history.metric, &series.subject, level.value)
            }),
            noise: words::noise(series),
            blocks: words::sparkline(series),
            remarks: words::remarks(series),
        })
        .collect()
}
