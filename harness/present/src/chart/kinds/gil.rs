//! Threads with and without the GIL, for every workload.

use crate::chart::rows::{Look, Mark, Row, Rows, Upright};
use crate::chart::{Body, Chart, ReferenceKind, axis};
use ftbench_schema::{CellSummary, GilState, Model, text, units};

use super::Material;
use super::workloads::{chart_of, finite, labels, largest, one, range, workloads};

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
            let label = text::shorten(&text::line(workload), super::measured::LONGEST_NAME);
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
    chart_of(Rows {
        x,
        origin: 1.0,
        rows,
        uprights,
        legend,
    })
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
