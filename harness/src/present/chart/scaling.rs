//! The scaling chart: speedup over workers, one series for each model on each interpreter.

use crate::record::schema::{CellStatus, CellSummary, Estimate, GilState, Host, Model, Scaling, Summary};

use super::{
    Axis, Body, Chart, Lines, Marker, Point, ReferenceKind, ReferenceLine, Scale, Series, Tick, axis, words,
};
use crate::present::text;
use crate::present::units::{self, TimeUnit};

/// With more workers than this both axes are logarithmic, with fewer both are linear: the ideal line is straight
/// either way, and on a linear axis 1 to 4 would be a speck beside 128.
const MOST_WORKERS_LINEAR: u32 = 8;
/// Longer names are cut.
pub(super) const LONGEST_NAME: usize = 28;
/// Longer tags are cut: two of one build differ before that, such as `3.14.10t+nogil+nojit` and `…+notlbc`.
pub(super) const LONGEST_TAG: usize = 20;

/// The scaling chart of one workload. Where no cell has a speedup at 2 workers or more it shows makespans instead,
/// and where there are none of those either it says so.
#[must_use]
pub fn scaling(summary: &Summary, workload: &str) -> Chart {
    let cells: Vec<&CellSummary> = summary
        .cells
        .iter()
        .filter(|cell| cell.workload == workload)
        .collect();
    let (ceiling, own): (Vec<&CellSummary>, Vec<&CellSummary>) =
        cells.iter().partition(|cell| cell.is_native());
    let lines = measured(summary, &own, |cell| {
        cell.speedup.filter(|_| cell.model != Model::Serial)
    });
    let climbs = |line: &Line<'_>| line.values.iter().any(|(workers, _)| *workers > 1);
    let mut chart = if lines.iter().any(climbs) {
        of_speedups(summary, lines, &ceiling)
    } else {
        of_makespans(measured(summary, &own, |cell| cell.makespan_s))
    };
    let name = text::shorten(&text::line(workload), LONGEST_NAME);
    let finding = match words::title_words(summary, workload) {
        Some(finding) => finding,
        None if matches!(chart.body, Body::Nothing(_)) => "nothing was measured".to_owned(),
        None => "time by interpreter and model".to_owned(),
    };
    chart.title = format!("{name}: {finding}");
    chart.subtitle = vec![words::machine(summary), words::builds(summary)];
    chart.caption.extend(words::caption(summary, &cells));
    if chart.has_ceiling() {
        // Before the method, which comes last, and after what must not be cut off.
        let method = chart.caption.len().saturating_sub(1);
        chart.caption.insert(method, words::ceiling(summary, workload));
    }
    chart
}

/// The measured values of one model on one interpreter.
struct Line<'a> {
    tag: &'a str,
    host: Host,
    model: Model,
    gil: Option<GilState>,
    /// Workers and estimate, by workers.
    values: Vec<(u32, Estimate)>,
}

/// The values of cells, in the order of the plan. Cells that failed have none; those whose GIL came back
/// on have, and are drawn as what they were: measured with the GIL.
fn measured<'a>(
    summary: &'a Summary,
    cells: &[&'a CellSummary],
    value: impl Fn(&CellSummary) -> Option<Estimate>,
) -> Vec<Line<'a>> {
    let mut lines: Vec<Line<'a>> = Vec::new();
    for cell in cells {
        let usable = matches!(cell.status, CellStatus::Ok | CellStatus::GilReenabled);
        let Some(estimate) = value(cell).filter(|known| usable && known.estimate.is_finite()) else {
            continue;
        };
        let tag = cell.interpreter.as_str();
        let known = lines
            .iter_mut()
            .find(|line| line.tag == tag && line.host == cell.host && line.model == cell.model);
        let gil = cell.gil.or_else(|| {
            let facts = summary.interpreters.iter().find(|facts| facts.tag == tag);
            facts.map(|facts| facts.gil)
        });
        match known {
            Some(line) => {
                line.values.push((cell.workers, estimate));
                if gil == Some(GilState::On) {
                    line.gil = gil;
                }
            }
            None => lines.push(Line {
                tag,
                host: cell.host,
                model: cell.model,
                gil,
                values: vec![(cell.workers, estimate)],
            }),
        }
    }
    for line in &mut lines {
        line.values.sort_by_key(|(workers, _)| *workers);
        line.values.dedup_by_key(|(workers, _)| *workers);
    }
    lines
}

/// Series of lines. `scale` is what an estimate is multiplied with, `words` its last value as a label.
fn series(lines: &[Line<'_>], scale: f64, words: impl Fn(f64) -> String) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for line in lines {
        let family = line.model.family();
        let alike = series
            .iter()
            .filter(|other| other.family == family && other.gil == line.gil)
            .count();
        let points: Vec<Point> = line
            .values
            .iter()
            .map(|(workers, value)| point(*workers, *value, scale))
            .collect();
        series.push(Series {
            label: series_name(line),
            value_label: line
                .values
                .last()
                .map(|(_, value)| words(value.estimate))
                .unwrap_or_default(),
            family,
            gil: line.gil,
            marker: Marker::nth(alike),
            points,
        });
    }
    series
}

fn series_name(line: &Line<'_>) -> String {
    let model = line.model.name();
    // Most models leave room for the whole tag; of the longest both are cut.
    let room = LONGEST_NAME.saturating_sub(model.len() + 1).max(LONGEST_NAME / 2);
    let tag = text::shorten(&text::line(line.tag), room.min(LONGEST_TAG));
    text::shorten(&format!("{} {model}", line.host.label(&tag)), LONGEST_NAME)
}

/// An end of an interval that is not known lies at the value.
fn point(workers: u32, value: Estimate, scale: f64) -> Point {
    let or_value = |end: f64| if end.is_finite() { end } else { value.estimate };
    Point {
        x: f64::from(workers),
        y: value.estimate * scale,
        low: or_value(value.low) * scale,
        high: or_value(value.high) * scale,
    }
}

fn counts(lines: &[Line<'_>]) -> Vec<u32> {
    let mut counts: Vec<u32> = lines
        .iter()
        .flat_map(|line| line.values.iter().map(|(workers, _)| *workers))
        .collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

fn of_speedups(summary: &Summary, lines: Vec<Line<'_>>, ceiling: &[&CellSummary]) -> Chart {
    let counts = counts(&lines);
    let (fewest, most) = (
        counts.first().copied().unwrap_or(1),
        counts.last().copied().unwrap_or(1),
    );
    let scale = if most > MOST_WORKERS_LINEAR {
        Scale::Log2
    } else {
        Scale::Linear
    };
    let series = series(&lines, 1.0, units::times);
    let ceiling = ceiling_line(ceiling, fewest, most);
    let top = ceiling.iter().flat_map(|line| &line.corners).map(|[_, y]| *y);
    let (low, high) = value_range(&series);
    let high = top.fold(high, f64::max);
    let title = match summary.run.scaling {
        Scaling::Strong => "Speedup over one worker (higher is better)",
        Scaling::Weak => "Scaled speedup over one worker: work grows with workers (higher is better)",
    };
    let mut y = axis::value_axis(title.to_owned(), scale, low, high.max(f64::from(most)));
    for tick in &mut y.ticks {
        tick.label.push('x');
    }
    let x = workers_axis(&counts, scale);
    let corner = |value: u32| [f64::from(value); 2];
    let mut references = vec![
        ReferenceLine {
            label: String::new(),
            corners: vec![[x.low, 1.0], [x.high, 1.0]],
            kind: ReferenceKind::Reckoned,
        },
        ReferenceLine {
            label: "ideal".to_owned(),
            corners: vec![corner(fewest), corner(most)],
            kind: ReferenceKind::Reckoned,
        },
    ];
    references.extend(ceiling);
    Chart::of(Body::Lines(Lines {
        x,
        y,
        series,
        references,
    }))
}

/// The ceiling's speedups, as far as the axis of workers goes; a line takes two.
fn ceiling_line(cells: &[&CellSummary], fewest: u32, most: u32) -> Option<ReferenceLine> {
    let mut points: Vec<(u32, f64)> = cells
        .iter()
        .filter(|cell| cell.status == CellStatus::Ok && (fewest..=most).contains(&cell.workers))
        .filter_map(|cell| Some((cell.workers, cell.speedup?.estimate)))
        .filter(|(_, speedup)| speedup.is_finite() && *speedup > 0.0)
        .collect();
    points.sort_by_key(|(workers, _)| *workers);
    (points.len() > 1).then(|| ReferenceLine {
        label: "ceiling".to_owned(),
        corners: points
            .into_iter()
            .map(|(workers, speedup)| [f64::from(workers), speedup])
            .collect(),
        kind: ReferenceKind::Measured,
    })
}

/// Lowest and highest value worth showing. Ends of wide intervals may lie beyond: they would squeeze the rest.
fn value_range(series: &[Series]) -> (f64, f64) {
    let points = || {
        series
            .iter()
            .flat_map(|series| &series.points)
            .filter(|point| point.y > 0.0)
    };
    let lowest = points().map(|point| point.y).fold(f64::INFINITY, f64::min);
    let highest = points().map(|point| point.y).fold(0.0, f64::max);
    let low_end = points().map(|point| point.low).fold(lowest, f64::min);
    let high_end = points().map(|point| point.high).fold(highest, f64::max);
    (low_end.max(lowest / 1.5), high_end.min(highest * 1.5))
}

fn workers_axis(counts: &[u32], scale: Scale) -> Axis {
    Axis {
        title: "Workers".to_owned(),
        scale,
        low: f64::from(counts.first().copied().unwrap_or(1)),
        high: f64::from(counts.last().copied().unwrap_or(1)),
        ticks: axis::count_ticks(counts),
    }
}

/// Makespans, where there is no speedup to show.
fn of_makespans(lines: Vec<Line<'_>>) -> Chart {
    let estimates = lines
        .iter()
        .flat_map(|line| line.values.iter().map(|(_, value)| value.estimate));
    let Some(typical) = units::typical(estimates) else {
        return Chart::of(Body::Nothing("No cell of this workload has a figure.".to_owned()));
    };
    let unit = TimeUnit::for_typical(typical);
    let mut series = series(&lines, unit.from_seconds(1.0), units::duration);
    let (low, high) = value_range(&series);
    let title = format!("Makespan, {} (lower is better)", unit.symbol());
    let y = axis::value_axis(title, Scale::Linear, low, high);
    let counts = counts(&lines);
    let (x, why) = match counts.as_slice() {
        [only] => (
            side_by_side(&mut series, *only),
            "Times, not speedups: only one number of workers was measured; ask for more, such as -n 1,2.",
        ),
        _ => {
            let most = counts.last().copied().unwrap_or(1);
            let scale = if most > MOST_WORKERS_LINEAR {
                Scale::Log2
            } else {
                Scale::Linear
            };
            (
                workers_axis(&counts, scale),
                "Times, not speedups: there is no cell with one worker to compare with; add 1 to -n.",
            )
        }
    };
    Chart {
        caption: vec![why.to_owned()],
        ..Chart::of(Body::Lines(Lines {
            x,
            y,
            series,
            references: Vec::new(),
        }))
    }
}

/// With one number of workers the x axis is of no use: every series gets a place of its own along it.
fn side_by_side(series: &mut [Series], workers: u32) -> Axis {
    let mut ticks = Vec::new();
    let mut place = 0.0;
    for series in series {
        place += 1.0;
        for point in &mut series.points {
            point.x = place;
        }
        ticks.push(Tick {
            value: place,
            // Tag and model below each other.
            label: series.label.replacen(' ', "\n", 1),
        });
    }
    Axis {
        title: text::counted(usize::try_from(workers).unwrap_or(usize::MAX), "worker"),
        scale: Scale::Linear,
        low: 0.0,
        high: place + 1.0,
        ticks,
    }
}
