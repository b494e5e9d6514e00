//! Charts of what the GIL, and being without it, does to every workload.

use crate::present::chart::rows::{self, Look, Mark, Row, Rows, Upright};
use crate::present::chart::{Body, Chart, ReferenceKind, Size, axis};
use crate::present::text;
use crate::present::units;
use crate::record::schema::{CellStatus, CellSummary, Estimate, GilState, Model, Overhead, Summary};

use super::Material;

/// What a title, subtitle, caption and axis take of a chart of rows, pixels of the usual size.
const FRAME: f64 = 300.0;

/// A size with room for rows: the usual one, or higher.
pub(super) fn size_for(rows: f64, row: f64) -> Size {
    let usual = Size::default();
    // Within what a picture may have, and not negative.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let needed = (FRAME + rows * row).clamp(0.0, 6000.0) as u32;
    Size {
        height: usual.height.max(needed),
        ..usual
    }
}

/// A size for rows of bars, thinner where there are many.
fn size_of(shown: &[Row]) -> Size {
    const MANY: usize = 60;
    const THIN: f64 = 8.5;
    let bars: usize = shown.iter().map(|row| row.marks.len()).sum();
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let (bar, gap) = if bars > MANY {
        (THIN, rows::GAP * 0.6)
    } else {
        (rows::BAR, rows::GAP)
    };
    size_for(1.0, number(bars) * bar + number(shown.len()) * gap)
}

fn finite(value: Option<Estimate>) -> Option<Estimate> {
    let or = |end: f64, value: f64| if end.is_finite() { end } else { value };
    value
        .filter(|known| known.estimate.is_finite() && known.estimate > 0.0)
        .map(|known| Estimate {
            estimate: known.estimate,
            low: or(known.low, known.estimate),
            high: or(known.high, known.estimate),
        })
}

/// The range of values and ends of intervals, of which wide ones may lie beyond: they would squeeze the rest.
pub(super) fn range(marks: &[&Mark], with: f64) -> (f64, f64) {
    let lowest = marks.iter().map(|mark| mark.value).fold(with, f64::min);
    let highest = marks.iter().map(|mark| mark.value).fold(with, f64::max);
    let low = marks.iter().map(|mark| mark.low).fold(lowest, f64::min);
    let high = marks.iter().map(|mark| mark.high).fold(highest, f64::max);
    (low.max(lowest / 1.5), high.min(highest * 1.5))
}

/// Workloads in the order of the run.
pub(super) fn workloads(summary: &Summary) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for cell in &summary.cells {
        if !names.contains(&cell.workload.as_str()) {
            names.push(&cell.workload);
        }
    }
    names
}

/// The cell of a workload, interpreter and model with the most workers that has a speedup.
pub(super) fn largest<'a>(
    summary: &'a Summary,
    workload: &str,
    label: &str,
    model: Model,
) -> Option<&'a CellSummary> {
    summary
        .cells
        .iter()
        .filter(|cell| cell.workload == workload && cell.interpreter_label() == label && cell.model == model)
        .filter(|cell| matches!(cell.status, CellStatus::Ok | CellStatus::GilReenabled))
        .filter(|cell| cell.workers > 1 && finite(cell.speedup).is_some())
        .max_by_key(|cell| cell.workers)
}

/// Threads' speedup at the largest number of workers: bars for every interpreter below each other.
pub(super) fn gil(material: &Material) -> Chart {
    let summary = &material.summary;
    let tags = labels(summary);
    let looks: Vec<Look> = tags.iter().map(|label| look(&tags, label)).collect();
    let mut found: Vec<(f64, Row)> = Vec::new();
    let mut most = 1;
    for workload in workloads(summary) {
        let mut marks = Vec::new();
        let mut best = 0.0_f64;
        for ((label, _), look) in tags.iter().zip(&looks) {
            let Some(cell) = largest(summary, workload, label, Model::Threads) else {
                continue;
            };
            let Some(speedup) = finite(cell.speedup) else {
                continue;
            };
            most = most.max(cell.workers);
            best = best.max(speedup.estimate);
            marks.push(Mark {
                value: speedup.estimate,
                low: speedup.low,
                high: speedup.high,
                label: units::times(speedup.estimate),
                dots: Vec::new(),
                look: Look {
                    gil: cell.gil.or(look.gil),
                    ..*look
                },
            });
        }
        if !marks.is_empty() {
            let label = text::shorten(&text::line(workload), super::curves::LONGEST_NAME);
            found.push((best, Row { label, marks }));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let rows: Vec<Row> = found.into_iter().map(|(_, row)| row).collect();
    let cells: Vec<&CellSummary> = summary
        .cells
        .iter()
        .filter(|cell| cell.model == Model::Threads && !cell.is_native())
        .collect();
    let key = "Filled: GIL off. Hollow: GIL on. Lines: 95 % intervals. Each workload at its largest number of workers.";
    let mut chart = gil_chart(rows, &tags, &looks, most);
    chart.title = gil_title(&chart, most);
    material.frame(&mut chart, &cells, key);
    chart
}

/// Interpreters, with their host where that is not their own executable, and their GIL state.
pub(super) fn labels(summary: &Summary) -> Vec<(String, Option<GilState>)> {
    let mut labels: Vec<(String, Option<GilState>)> = Vec::new();
    for cell in summary.cells.iter().filter(|cell| !cell.is_native()) {
        let label = cell.interpreter_label();
        if !labels.iter().any(|(known, _)| *known == label) {
            let facts = summary
                .interpreters
                .iter()
                .find(|facts| facts.tag == cell.interpreter);
            labels.push((label, facts.map(|facts| facts.gil).or(cell.gil)));
        }
    }
    labels
}

fn look(labels: &[(String, Option<GilState>)], label: &(String, Option<GilState>)) -> Look {
    let gil = label.1;
    let alike: Vec<&(String, Option<GilState>)> = labels.iter().filter(|(_, other)| *other == gil).collect();
    // The last of those that look alike is the strongest.
    let behind = alike.iter().rev().position(|other| *other == label).unwrap_or(0);
    let strength = match behind {
        0 => 1.0,
        1 => 0.6,
        _ => 0.4,
    };
    Look {
        family: Model::Threads,
        gil,
        strength,
    }
}

fn gil_chart(rows: Vec<Row>, tags: &[(String, Option<GilState>)], looks: &[Look], most: u32) -> Chart {
    if rows.is_empty() {
        return Chart::of(Body::Nothing(
            "No workload has threads with two workers or more.".to_owned(),
        ));
    }
    let marks: Vec<&Mark> = rows.iter().flat_map(|row| &row.marks).collect();
    let (low, high) = range(&marks, 1.0);
    let reaches = high > 0.6 * f64::from(most);
    let high = if reaches { high.max(f64::from(most)) } else { high };
    let mut x = axis::ranged_axis(
        "Threads' speedup over one worker (longer is better)".to_owned(),
        low * 0.98,
        high * 1.02,
    );
    for tick in &mut x.ticks {
        tick.label.push('x');
    }
    let mut uprights = vec![one()];
    if reaches {
        uprights.push(Upright {
            value: f64::from(most),
            label: format!("ideal at {most} workers"),
            kind: ReferenceKind::Reckoned,
        });
    }
    let shown = |look: &Look| {
        marks
            .iter()
            .any(|mark| mark.look.strength == look.strength && mark.look.gil == look.gil)
    };
    let legend = looks
        .iter()
        .zip(tags)
        .filter(|(look, _)| shown(look))
        .map(|(look, (label, _))| (*look, text::shorten(&text::line(label), 24)))
        .collect();
    let size = size_of(&rows);
    Chart {
        size,
        ..Chart::of(Body::Rows(Rows {
            x,
            origin: 1.0,
            rows,
            uprights,
            legend,
        }))
    }
}

fn one() -> Upright {
    Upright {
        value: 1.0,
        label: String::new(),
        kind: ReferenceKind::Reckoned,
    }
}

fn gil_title(chart: &Chart, most: u32) -> String {
    let Body::Rows(body) = &chart.body else {
        return "Threads with and without the GIL: nothing was measured".to_owned();
    };
    let median = |gil: GilState| {
        let marks = body.rows.iter().flat_map(|row| &row.marks);
        let mut values: Vec<f64> = marks
            .filter(|mark| mark.look.gil == Some(gil))
            .map(|mark| mark.value)
            .collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).map(|value| units::times(*value))
    };
    let of = |what: &str, gil: GilState| median(gil).map(|value| format!("{value} {what}"));
    let sides: Vec<String> = [of("without the GIL", GilState::Off), of("with it", GilState::On)]
        .into_iter()
        .flatten()
        .collect();
    let workloads = match body.rows.as_slice() {
        [only] => only.label.clone(),
        several => format!("median of {} workloads", several.len()),
    };
    format!(
        "Threads reach {}, at up to {most} workers ({workloads})",
        sides.join(" and ")
    )
}

/// The free-threaded build's time with one worker over the GIL build's.
pub(super) fn overhead(material: &Material) -> Chart {
    let summary = &material.summary;
    let known: Vec<&Overhead> = summary
        .free_threading_overhead
        .iter()
        .filter(|overhead| finite(Some(overhead.ratio)).is_some())
        .collect();
    let pairs = pairs(&known);
    let mut found: Vec<(f64, Row)> = Vec::new();
    for workload in workloads(summary) {
        let marks: Vec<Mark> = known
            .iter()
            .filter(|overhead| overhead.workload.as_deref() == Some(workload))
            .filter_map(|overhead| {
                let ratio = finite(Some(overhead.ratio))?;
                Some(Mark {
                    value: ratio.estimate,
                    low: ratio.low,
                    high: ratio.high,
                    label: units::times(ratio.estimate),
                    dots: Vec::new(),
                    look: pair_look(&pairs, overhead),
                })
            })
            .collect();
        let most = marks.iter().map(|mark| mark.value).fold(0.0, f64::max);
        if !marks.is_empty() {
            let label = text::shorten(&text::line(workload), super::curves::LONGEST_NAME);
            found.push((most, Row { label, marks }));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let rows: Vec<Row> = found.into_iter().map(|(_, row)| row).collect();
    let means: Vec<&Overhead> = known
        .iter()
        .copied()
        .filter(|overhead| overhead.workload.is_none())
        .collect();
    let mut chart = overhead_chart(rows, &pairs, &means);
    chart.title = overhead_title(&chart, &means);
    let key = "Serial, or threads with one worker. Lines: 95 % intervals. The mean is geometric, over the workloads that \
               compute.";
    let cells: Vec<&CellSummary> = summary
        .cells
        .iter()
        .filter(|cell| {
            cell.workers == 1 && matches!(cell.model, Model::Serial | Model::Threads) && !cell.is_native()
        })
        .collect();
    material.frame(&mut chart, &cells, key);
    chart
}

/// Free-threaded and GIL tags of the pairs, in their order.
fn pairs<'a>(known: &[&'a Overhead]) -> Vec<(&'a str, &'a str)> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for overhead in known {
        let pair = (overhead.free_threaded.as_str(), overhead.gil.as_str());
        if !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    pairs
}

fn pair_look(pairs: &[(&str, &str)], overhead: &Overhead) -> Look {
    let pair = (overhead.free_threaded.as_str(), overhead.gil.as_str());
    let behind = pairs.iter().rev().position(|known| *known == pair).unwrap_or(0);
    Look {
        family: Model::Serial,
        gil: Some(GilState::Off),
        strength: match behind {
            0 => 1.0,
            1 => 0.55,
            _ => 0.3,
        },
    }
}

fn overhead_chart(rows: Vec<Row>, pairs: &[(&str, &str)], means: &[&Overhead]) -> Chart {
    if rows.is_empty() {
        return Chart::of(Body::Nothing(
            "No workload was measured on a GIL build and a free-threaded build of one version.".to_owned(),
        ));
    }
    let marks: Vec<&Mark> = rows.iter().flat_map(|row| &row.marks).collect();
    let (low, high) = range(&marks, 1.0);
    let mut x = axis::ranged_axis(
        "One worker's time on the free-threaded build over the GIL build's (shorter is better)".to_owned(),
        low - (high - low) * 0.02,
        high + (high - low) * 0.02,
    );
    for tick in &mut x.ticks {
        tick.label.push('x');
    }
    let mut uprights = vec![one()];
    uprights.extend(means.iter().map(|mean| Upright {
        value: mean.ratio.estimate,
        label: format!(
            "mean of {}: {} [{}, {}]",
            text::shorten(&text::line(&mean.free_threaded), 24),
            units::times(mean.ratio.estimate),
            units::number(mean.ratio.low, 2),
            units::number(mean.ratio.high, 2)
        ),
        kind: ReferenceKind::Measured,
    }));
    let legend = pairs
        .iter()
        .map(|(free_threaded, gil)| {
            let strength = match pairs
                .iter()
                .rev()
                .position(|known| known == &(*free_threaded, *gil))
            {
                Some(0) | None => 1.0,
                Some(1) => 0.55,
                Some(_) => 0.3,
            };
            let look = Look {
                family: Model::Serial,
                gil: Some(GilState::Off),
                strength,
            };
            let name = |tag: &str| text::shorten(&text::line(tag), 24);
            (look, format!("{} over {}", name(free_threaded), name(gil)))
        })
        .collect();
    let size = size_of(&rows);
    Chart {
        size,
        ..Chart::of(Body::Rows(Rows {
            x,
            origin: 1.0,
            rows,
            uprights,
            legend,
        }))
    }
}

fn overhead_title(chart: &Chart, means: &[&Overhead]) -> String {
    let Body::Rows(body) = &chart.body else {
        return "Cost of the free-threaded build on one worker: nothing to compare".to_owned();
    };
    let told: Vec<String> = means
        .iter()
        .take(3)
        .map(|mean| {
            let ratio = mean.ratio;
            let per_cent = (ratio.estimate - 1.0) * 100.0;
            let tag = text::shorten(&text::line(&mean.free_threaded), 20);
            let change = if ratio.low <= 1.0 && ratio.high >= 1.0 {
                "as long".to_owned()
            } else if per_cent > 0.0 {
                format!("{} % longer", units::number(per_cent, 0))
            } else {
                format!("{} % less", units::number(-per_cent, 0))
            };
            format!("{change} on {tag}")
        })
        .collect();
    if told.is_empty() {
        let count = text::counted(body.rows.len(), "workload");
        return format!("Cost of the free-threaded build on one worker, {count}");
    }
    format!(
        "One worker takes {} than with the GIL, in the mean",
        told.join(", ")
    )
    .replace("as long on", "as long as with the GIL on")
}
