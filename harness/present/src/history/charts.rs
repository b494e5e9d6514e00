//! Charts of a history.

use super::words;
use crate::chart::{
    Axis, Body, Chart, LevelChange, LevelSpan, Panel, Panels, Point, Scale, Size, Tick, ranged_axis,
};
use ftbench_analyse::history::{Change, Direction, History, Series, Subject};
use ftbench_schema::history::Metric;
use ftbench_schema::text;
use ftbench_schema::units::{self, TimeUnit};
use itertools::Itertools;

/// Maximum number of panels of one chart: more are too low to read on one page.
pub const MOST_PANELS: usize = 6;
/// Height of a panel, pixels.
const PANEL: u32 = 150;
/// Height of the frame around panels.
const FRAME: u32 = 230;
const SECONDS_PER_DAY: f64 = 86_400.0;
/// Dates below an axis.
const DATES: i64 = 6;

/// Lists the workloads of a history, by name.
#[must_use]
pub fn workloads(history: &History) -> Vec<String> {
    let names = history.series.iter().filter_map(|series| match &series.subject {
        Subject::Cell(key) => Some(key.workload.clone()),
        Subject::Mean { .. } => None,
    });
    names.sorted().dedup().collect()
}

/// Makes the chart of one workload: its cells below each other, those that changed first.
#[must_use]
pub fn workload(history: &History, name: &str) -> Chart {
    let of_it = |series: &Series| matches!(&series.subject, Subject::Cell(key) if key.workload == name);
    let title = text::shorten(&text::line(name), 60);
    chart(history, &title, &of_it)
}

/// Makes the chart of the geometric means; `None` where there are none.
#[must_use]
pub fn means(history: &History) -> Option<Chart> {
    let of_it = |series: &Series| matches!(series.subject, Subject::Mean { .. });
    history
        .series
        .iter()
        .any(of_it)
        .then(|| chart(history, "geometric means", &of_it))
}

fn chart(history: &History, name: &str, of_it: &dyn Fn(&Series) -> bool) -> Chart {
    let mut chosen: Vec<(usize, &Series)> = history
        .series
        .iter()
        .enumerate()
        .filter(|(_, series)| of_it(series) && !series.levels.is_empty())
        .collect();
    let all = chosen.len();
    let changes = |index: usize| {
        history
            .changes
            .iter()
            .filter(move |change| change.series == index)
    };
    let machine = |index: usize| history.series.get(index).map(|series| series.machine);
    // The largest change first; without one those on the newest machine, as they are named.
    chosen.sort_by(|(a, _), (b, _)| {
        let size = |index: usize| {
            changes(index)
                .map(|change| change.ratio.estimate.ln().abs())
                .fold(0.0, f64::max)
        };
        size(*b).total_cmp(&size(*a)).then(machine(*b).cmp(&machine(*a)))
    });
    chosen.truncate(MOST_PANELS);
    let panels: Vec<Panel> = chosen
        .iter()
        .map(|(index, series)| panel(history, *index, series))
        .collect();
    let mut caption = Vec::new();
    if all > panels.len() {
        let drawn = panels.len();
        caption.push(
            if chosen.iter().any(|(index, _)| changes(*index).next().is_some()) {
                format!("{drawn} of {all} series are drawn, the largest changes first.")
            } else {
                format!("{drawn} of {all} series are drawn.")
            },
        );
    }
    caption.push(method(history));
    let count = u32::try_from(panels.len().max(2)).unwrap_or(2);
    let body = if panels.is_empty() {
        Body::Nothing("No run has a figure of it.".to_owned())
    } else {
        Body::Panels(Panels {
            x: dates(history),
            panels,
            machine_changes: machine_changes(history),
        })
    };
    Chart {
        title: format!("{name}: {}", finding(history, &chosen)),
        subtitle: vec![words::opening(history)],
        caption,
        size: Size {
            width: 960,
            height: FRAME + PANEL * count,
        },
        ..Chart::of(body)
    }
}

/// Describes what a chart shows: its newest and largest change.
fn finding(history: &History, chosen: &[(usize, &Series)]) -> String {
    let is_shown = |change: &&Change| chosen.iter().any(|(index, _)| *index == change.series);
    let changes: Vec<&Change> = history.changes.iter().filter(is_shown).collect();
    let Some(newest) = changes.first() else {
        return "no change was found".to_owned();
    };
    let mut with: Vec<&&Change> = changes
        .iter()
        .filter(|change| change.first_after == newest.first_after && change.direction == newest.direction)
        .collect();
    let size = |change: &Change| (change.ratio.estimate - 1.0).abs();
    with.sort_by(|a, b| size(a).total_cmp(&size(b)));
    let date = history
        .runs
        .get(newest.first_after)
        .map(words::date)
        .unwrap_or_default();
    let by = match with.as_slice() {
        [smallest, .., largest] => format!(
            "{} to {}",
            units::per_cent(size(smallest), 1),
            units::per_cent(size(largest), 1)
        ),
        _ => units::per_cent(size(newest), 1),
    };
    format!("{} by {by} since {date}", words::verdict(history.metric, newest))
}

fn method(history: &History) -> String {
    let divided = if history.drift.iter().any(|drift| drift.divided) {
        " The machine's drift, as the ceiling shows it, is divided out where that makes series quieter."
    } else {
        ""
    };
    format!(
        "Changes: R-FPOP with biweight loss, each confirmed by a t test after Benjamini-Hochberg over the history, larger \
         than {} %.{divided}",
        units::number(history.smallest_effect * 100.0, 1)
    )
}

/// Seconds since 1970 of a run's start.
fn second(started_at: &str) -> Option<f64> {
    let time: jiff::Timestamp = started_at.parse().ok()?;
    Some(time.as_second() as f64)
}

/// Days since 1970 of each run; a run without a readable time has that of the one before.
fn days(history: &History) -> Vec<f64> {
    let mut last = None;
    let first = history
        .runs
        .iter()
        .find_map(|run| second(&run.started_at))
        .unwrap_or(0.0);
    history
        .runs
        .iter()
        .map(|run| {
            let at = second(&run.started_at).or(last).unwrap_or(first);
            last = Some(at);
            at / SECONDS_PER_DAY
        })
        .collect()
}

fn day(days: &[f64], run: usize) -> f64 {
    days.get(run).copied().unwrap_or(0.0)
}

fn dates(history: &History) -> Axis {
    let days = days(history);
    let low = days.first().copied().unwrap_or(0.0);
    let high = days.last().copied().unwrap_or(low).max(low + 1e-3);
    // Whole days, some six of them; a cast saturates.
    let (first, last) = (low.ceil() as i64, high.floor() as i64);
    let step = ((last - first) / DATES).max(1);
    let ticks = (0..=2 * DATES)
        .map(|number| first + number * step)
        .take_while(|day| *day <= last)
        .filter_map(|day| {
            let time = jiff::Timestamp::from_second(day.checked_mul(86_400)?).ok()?;
            let label = time.to_string().get(..10)?.to_owned();
            Some(Tick {
                value: day as f64,
                label,
            })
        })
        .collect();
    Axis {
        title: String::new(),
        scale: Scale::Linear,
        low,
        high,
        ticks,
    }
}

fn machine_changes(history: &History) -> Vec<(f64, String)> {
    let days = days(history);
    history
        .runs
        .iter()
        .enumerate()
        .filter(|(index, run)| run.machine_changed && *index > 0)
        .map(|(index, run)| {
            let between = day(&days, index).midpoint(day(&days, index - 1));
            (between, format!("machine {}", run.machine + 1))
        })
        .collect()
}

/// The divisor of values for their axis, and the unit's symbol.
fn scale(history: &History, series: &Series) -> (f64, &'static str) {
    let typical = series.levels.last().map_or(1.0, |level| level.value);
    match (&series.subject, history.metric) {
        (Subject::Mean { .. }, _) => (1.0, ""),
        (_, Metric::Time) => {
            let unit = TimeUnit::for_typical(typical);
            (1.0 / unit.from_seconds(1.0), unit.symbol())
        }
        (_, Metric::Speedup) => (1.0, "x"),
        (_, Metric::Efficiency) => (0.01, "%"),
        (_, Metric::Memory) => (1024.0 * 1024.0, "MiB"),
    }
}

fn panel(history: &History, index: usize, series: &Series) -> Panel {
    let days = days(history);
    let (divisor, unit) = scale(history, series);
    let points: Vec<Point> = series
        .nights
        .iter()
        .filter_map(|night| {
            let value = night.adjusted?;
            // The interval moves with the value when the drift is divided out.
            let end = |end: fn(&ftbench_schema::Estimate) -> f64| {
                let interval = night.value.filter(|measured| measured.estimate > 0.0)?;
                let end = end(&interval) / interval.estimate * value;
                end.is_finite().then_some(end)
            };
            Some(Point {
                x: day(&days, night.run),
                y: value / divisor,
                low: end(|interval| interval.low).unwrap_or(value) / divisor,
                high: end(|interval| interval.high).unwrap_or(value) / divisor,
                words: String::new(),
            })
        })
        .collect();
    let run_of = |position: usize| series.nights.get(position).map_or(0, |night| night.run);
    let levels = series
        .levels
        .iter()
        .map(|level| {
            // A drift is drawn as rising by half on either side of the level.
            let half = level.drift.unwrap_or(1.0).max(f64::MIN_POSITIVE).sqrt();
            LevelSpan {
                from: day(&days, run_of(level.first)),
                to: day(&days, run_of(level.last)),
                value: level.value / divisor / half,
                value_at_end: level.value / divisor * half,
            }
        })
        .collect();
    let breaks = history
        .changes_of(index)
        .into_iter()
        .map(|change| {
            let run = history.runs.get(change.first_after);
            let commit = run
                .and_then(|run| run.commit.as_deref())
                .map_or_else(String::new, |commit| {
                    format!(" · {}", words::short_commit(commit))
                });
            let date = run.map(words::date).unwrap_or_default();
            LevelChange {
                x: day(&days, change.last_before).midpoint(day(&days, change.first_after)),
                label: format!("{} · {date}{commit}", words::per_cent(change.ratio.estimate)),
                worse: change.direction == Direction::Worse,
            }
        })
        .collect();
    let name = text::shorten(&words::subject(history, series), 70);
    let name = match &series.subject {
        Subject::Cell(key) => name
            .strip_prefix(&text::line(&key.workload))
            .unwrap_or(&name)
            .trim()
            .to_owned(),
        Subject::Mean { .. } => name,
    };
    let title = if unit.is_empty() {
        name
    } else {
        format!("{name}, {unit}")
    };
    let family = match &series.subject {
        Subject::Cell(key) => Some(key.model.family()),
        Subject::Mean { .. } => None,
    };
    Panel {
        y: values(title, &points),
        family,
        points,
        levels,
        breaks,
    }
}

/// Makes the axis of a panel's values: all of them, and of whiskers and outliers as much as does not squeeze the rest. It
/// spans at least 10 %, so that noise does not look like change.
fn values(title: String, points: &[Point]) -> Axis {
    let mut sorted: Vec<f64> = points.iter().map(|point| point.y).collect();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        // Between 0 and the last index, and a cast saturates.
        let index = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
        sorted.get(index).copied().unwrap_or(1.0)
    };
    let (low, high) = (at(0.02), at(0.98));
    let margin = (0.15 * (high - low)).max(0.05 * high);
    let mut axis = ranged_axis(title, low - margin, high + margin);
    let every = axis.ticks.len().div_ceil(4).max(1);
    axis.ticks = axis.ticks.into_iter().step_by(every).collect();
    axis
}
