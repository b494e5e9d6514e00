//! What the free-threaded build costs on one worker, for every workload.

use crate::chart::rows::{Look, Mark, Row, Rows, Samples, VerticalReference};
use crate::chart::{Body, Chart, ReferenceKind, axis};
use ftbench_schema::{CellSummary, GilState, Model, Overhead, text, units};
use itertools::Itertools;

use super::material::Material;
use super::workloads::{chart_of, finite, one, range, workloads};

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
                    samples: Samples::None,
                    look: pair_look(&pairs, pair_of(overhead)),
                })
            })
            .collect();
        let most = marks.iter().map(|mark| mark.value).fold(0.0, f64::max);
        if !marks.is_empty() {
            let label = text::shorten(&text::line(workload), super::measured::LONGEST_NAME);
            found.push((most, Row::of(label, marks)));
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
    known.iter().copied().map(pair_of).unique().collect()
}

fn pair_of(overhead: &Overhead) -> (&str, &str) {
    (&overhead.free_threaded, &overhead.gil)
}

fn pair_look(pairs: &[(&str, &str)], pair: (&str, &str)) -> Look {
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
        "One worker's time on the free-threaded build over the GIL build's (further left is better)"
            .to_owned(),
        low - (high - low) * 0.02,
        high + (high - low) * 0.02,
    );
    for tick in &mut x.ticks {
        tick.label.push('x');
    }
    let mut uprights = vec![one()];
    uprights.extend(means.iter().map(|mean| VerticalReference {
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
            let look = pair_look(pairs, (free_threaded, gil));
            let name = |tag: &str| text::shorten(&text::line(tag), 24);
            (look, format!("{} over {}", name(free_threaded), name(gil)))
        })
        .collect();
    chart_of(Rows {
        x,
        origin: 1.0,
        rows,
        uprights,
        legend,
    })
}

fn overhead_title(chart: &Chart, means: &[&Overhead]) -> String {
    let Body::Rows(body) = &chart.body else {
        return "Cost of the free-threaded build on one worker: nothing to compare".to_owned();
    };
    let changes: Vec<String> = means
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
                format!("{} % less time", units::number(-per_cent, 0))
            };
            format!("{change} on {tag}")
        })
        .collect();
    if changes.is_empty() {
        let count = text::counted(body.rows.len(), "workload");
        return format!("Cost of the free-threaded build on one worker, {count}");
    }
    format!(
        "Compared with the GIL build, one worker takes {}, on average",
        changes.join(", ")
    )
}
