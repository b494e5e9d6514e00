//! Threads with and without the GIL, for every workload.

use crate::chart::rows::{Look, Mark, Row, Rows, Samples, VerticalReference};
use crate::chart::{Axis, Body, Chart, ReferenceKind, Scale, Tick, axis};
use ftbench_analyse::laws::verdict::FLAT_WITHIN;
use ftbench_schema::{CellSummary, GilState, Model, text, units};

use super::material::Material;
use super::workloads::{chart_of, finite, labels, largest, one, range, workloads};

/// Up to this speedup the axis is linear.
const LINEAR_UP_TO: f64 = 8.0;

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
                samples: Samples::None,
                look: Look {
                    gil: cell.gil.or(look.gil),
                    ..*look
                },
            });
        }
        if !marks.is_empty() {
            let label = text::shorten(&text::line(workload), super::measured::LONGEST_NAME);
            found.push((best, Row::of(label, marks)));
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
    let x = speedup_axis(low, high);
    let mut uprights = vec![one()];
    if reaches {
        uprights.push(VerticalReference {
            value: f64::from(most),
            label: format!("ideal at {most} workers"),
            kind: ReferenceKind::Calculated,
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
        origin: x.low,
        x,
        rows,
        uprights,
        legend,
    })
}

/// An axis from 0, or where it is logarithmic from a power of two below 1 and all values, so that the longer of two bars is the
/// faster one, and one worker's speed has its place.
fn speedup_axis(low: f64, high: f64) -> Axis {
    let title = "Threads' speedup over one worker (longer is better)".to_owned();
    let mut x = if high > LINEAR_UP_TO {
        axis::doublings(title, low.min(1.0) * 0.98, high)
    } else {
        axis::value_axis(title, Scale::Linear, low, high)
    };
    for tick in &mut x.ticks {
        tick.label.push('x');
    }
    if !x.ticks.iter().any(|tick| tick.value == 1.0) {
        x.ticks.push(Tick {
            value: 1.0,
            label: "1x".to_owned(),
        });
    }
    x
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
        values.get(values.len() / 2).copied()
    };
    let mut sides: Vec<String> = Vec::new();
    let mut said = "";
    for gil in [GilState::Off, GilState::On] {
        let Some(speedup) = median(gil) else { continue };
        let place = match (gil, sides.is_empty()) {
            (GilState::Off, _) => "without the GIL",
            (GilState::On, true) => "with the GIL",
            (GilState::On, false) => "with it",
        };
        let (verb, reached) = (verb(speedup), units::times(speedup));
        sides.push(if verb == said {
            format!("{reached} {place}")
        } else {
            format!("{verb} {reached} {place}")
        });
        said = verb;
    }
    let workloads = match body.rows.as_slice() {
        [only] => only.label.clone(),
        several => format!("median of {} workloads", several.len()),
    };
    if sides.is_empty() {
        return format!("Threads at up to {most} workers ({workloads})");
    }
    format!(
        "Threads {}, at up to {most} workers ({workloads})",
        sides.join(" and ")
    )
}

/// The verb for what threads with this speedup do.
fn verb(speedup: f64) -> &'static str {
    if speedup > 1.0 + FLAT_WITHIN {
        "reach"
    } else if speedup < 1.0 - FLAT_WITHIN {
        "fall to"
    } else {
        "stay at"
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::chart::{Kind, make};
    use ftbench_fixtures::summaries;
    use ftbench_schema::Summary;

    /// The chart of a run whose threads have these speedups on two workers, without and with the GIL.
    fn chart(speedups: &[(f64, f64)]) -> Chart {
        let template = summaries::two_cores();
        let mut summary = Summary {
            cells: Vec::new(),
            ..template.clone()
        };
        for (number, (without, with)) in speedups.iter().enumerate() {
            for cell in template.cells.iter().filter(|cell| cell.workload == "fib") {
                let mut cell = cell.clone();
                cell.workload = format!("w{number}");
                if cell.model == Model::Threads && cell.workers == 2 {
                    let speedup = if cell.interpreter == "3.13t" {
                        without
                    } else {
                        with
                    };
                    cell.speedup = Some(summaries::estimate(*speedup, 5.0));
                }
                summary.cells.push(cell);
            }
        }
        make(Kind::Gil, &Material::of_run(summary, Vec::new()), "")
    }

    /// The lengths of all bars as shares of the axis, sorted by their values.
    fn lengths(chart: &Chart) -> Vec<f64> {
        let Body::Rows(body) = &chart.body else {
            unreachable!("{:?}", chart.body)
        };
        let mut marks: Vec<&Mark> = body.rows.iter().flat_map(|row| &row.marks).collect();
        marks.sort_by(|a, b| a.value.total_cmp(&b.value));
        let length = |mark: &&Mark| body.x.share(mark.value) - body.x.share(body.origin);
        marks.iter().map(length).collect()
    }

    #[test]
    fn the_fastest_bar_is_the_longest() {
        for speedups in [
            &[(0.77, 0.62), (0.88, 0.67)][..],
            &[(1.9, 0.98), (0.9, 0.5)],
            &[(64.0, 0.97), (0.4, 0.1)],
            &[(12.0, 9.0), (11.0, 10.0)],
        ] {
            let lengths = lengths(&chart(speedups));
            assert!(lengths.first().unwrap() > &0.0, "{lengths:?}");
            assert!(lengths.is_sorted_by(|a, b| a < b), "{lengths:?}");
        }
        let [half, whole] = [(0.5, 0.5), (1.0, 1.0)].map(|pair| lengths(&chart(&[pair, (2.0, 2.0)])));
        let of_first = |lengths: &[f64]| lengths.first().copied().unwrap();
        assert!((of_first(&whole) / of_first(&half) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn one_workers_speed_is_marked_with_a_tick() {
        for speedup in [0.3, 0.9, 1.9, 7.5, 64.0] {
            let chart = chart(&[(speedup, speedup)]);
            let Body::Rows(body) = &chart.body else {
                unreachable!("{:?}", chart.body)
            };
            assert!(body.x.ticks.iter().any(|tick| tick.label == "1x"), "{speedup}");
            assert!((0.0..1.0).contains(&body.x.share(1.0)), "{speedup}");
            assert!(body.uprights.iter().any(|upright| upright.value == 1.0));
        }
    }

    #[test]
    fn the_title_says_whether_threads_are_faster() {
        let title = |without: f64, with: f64| chart(&[(without, with)]).title;
        insta::assert_snapshot!(title(1.9, 0.98), @"Threads reach 1.90x without the GIL and stay at 0.98x with it, at up to 2 workers (w0)");
        insta::assert_snapshot!(title(0.77, 0.67), @"Threads fall to 0.77x without the GIL and 0.67x with it, at up to 2 workers (w0)");
        insta::assert_snapshot!(title(1.9, 1.6), @"Threads reach 1.90x without the GIL and 1.60x with it, at up to 2 workers (w0)");
        insta::assert_snapshot!(title(1.02, 0.6), @"Threads stay at 1.02x without the GIL and fall to 0.60x with it, at up to 2 workers (w0)");
    }
}
