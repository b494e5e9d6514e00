//! Charts of a quantity over numbers of workers: its axes, and what it is compared with.

use crate::chart::{Axis, Body, Chart, Lines, ReferenceKind, ReferenceLine, Scale, Series, Size, Tick, axis};
use ftbench_schema::{CellStatus, CellSummary, units};

use super::laws::fits;
use super::material::Material;
use super::measured::{Line, Quantity, counts, thin_out};
use super::series::series;
use super::show::Show;

/// With more workers than this both axes are logarithmic, with fewer both are linear: the ideal line is straight
/// either way, and on a linear axis 1 to 4 would be a speck beside 128.
const MOST_WORKERS_LINEAR: u32 = 8;

/// The title of an axis of numbers of workers.
pub(crate) const WORKERS: &str = "Workers";

/// Height of a picture with two plots, pixels.
const HEIGHT_OF_TWO: u32 = 720;

pub(super) fn of_lines(
    material: &Material,
    mut lines: Vec<Line<'_>>,
    ceiling: &[&CellSummary],
    show: &Show,
) -> Chart {
    if lines.is_empty() {
        return Chart::of(Body::Nothing("No cell of this workload has a figure.".to_owned()));
    }
    let too_many = thin_out(&mut lines, material.most_series);
    let counts = counts(&lines);
    let (min, max) = (
        counts.first().copied().unwrap_or(1),
        counts.last().copied().unwrap_or(1),
    );
    let scale = if max > MOST_WORKERS_LINEAR {
        Scale::Log2
    } else {
        Scale::Linear
    };
    let mut series = series(&lines, show);
    let x = workers_axis(&counts, scale);
    let mut references = Vec::new();
    if matches!(show.quantity, Quantity::Speedup | Quantity::Speed) {
        references.push(ReferenceLine {
            label: String::new(),
            corners: vec![[x.low, 1.0], [x.high, 1.0]],
            kind: ReferenceKind::Calculated,
        });
    }
    if show.quantity == Quantity::CeilingShare {
        references.push(ReferenceLine {
            label: "ceiling".to_owned(),
            corners: vec![[x.low, 1.0], [x.high, 1.0]],
            kind: ReferenceKind::Measured,
        });
    }
    if let Some(one_worker) = show.one_worker {
        let corner = |workers: u32| {
            let workers = f64::from(workers);
            [workers, show.of_speedup(workers, workers, one_worker)]
        };
        references.push(ReferenceLine {
            label: "ideal".to_owned(),
            corners: vec![corner(min), corner(max)],
            kind: ReferenceKind::Calculated,
        });
        references.extend(ceiling_line(ceiling, min, max, |workers, speedup| {
            show.of_speedup(speedup, workers, one_worker)
        }));
    }
    let y = upward(show, &series, &references, scale);
    let per_worker = (show.quantity == Quantity::Speedup && scale == Scale::Log2)
        .then(|| efficiency_axis(&series, &references));
    if per_worker.is_some() {
        for series in &mut series {
            if let Some(last) = series.points.last() {
                let efficiency = units::per_cent(last.y / last.x, 0);
                series.value_label.push_str(&format!(" · {efficiency}"));
            }
        }
    }
    let fits = fits(&material.summary, &lines, show, (min, max));
    for (series, corners) in series.iter_mut().zip(fits.curves) {
        series.fit = corners;
    }
    let usual = Size::default();
    Chart {
        caption: too_many.into_iter().chain(fits.words).collect(),
        size: Size {
            height: per_worker.as_ref().map_or(usual.height, |_| HEIGHT_OF_TWO),
            ..usual
        },
        ..Chart::of(Body::Lines(Lines {
            x,
            y,
            per_worker,
            series,
            references,
        }))
    }
}

/// The axis of values: linear from 0, or logarithmic as the axis of workers is.
fn upward(show: &Show, series: &[Series], references: &[ReferenceLine], scale: Scale) -> Axis {
    let (low, high) = value_range(series);
    let compared = references.iter().flat_map(|line| &line.corners).map(|[_, y]| *y);
    let high = compared.fold(high, f64::max);
    let title = show.title.clone();
    let mut y = match (show.quantity, scale) {
        (Quantity::Efficiency | Quantity::CeilingShare, _) | (_, Scale::Linear) => {
            axis::value_axis(title, Scale::Linear, low, high)
        }
        (Quantity::Speedup, Scale::Log2) => axis::value_axis(title, Scale::Log2, low, high),
        (Quantity::Throughput | Quantity::Makespan, Scale::Log2) if high / low > 3.0 => {
            axis::decades(title, low, high)
        }
        (_, Scale::Log2) if high / low > 3.0 => axis::doublings(title, low, high),
        (_, Scale::Log2) => axis::value_axis(title, Scale::Linear, low, high),
    };
    for tick in &mut y.ticks {
        match show.quantity {
            Quantity::Speedup | Quantity::Speed => tick.label.push('x'),
            Quantity::Efficiency | Quantity::CeilingShare => tick.label = units::per_cent(tick.value, 0),
            Quantity::Memory => tick.label = mebibytes(tick),
            Quantity::Throughput | Quantity::Makespan => {}
        }
    }
    y
}

/// The label of a tick at a number of mebibytes: `64 MiB`, `2 GiB`.
fn mebibytes(tick: &Tick) -> String {
    let gibibytes = tick.value / 1024.0;
    if gibibytes >= 1.0 && gibibytes.fract() == 0.0 {
        format!("{gibibytes} GiB")
    } else {
        format!("{} MiB", tick.label)
    }
}

/// The axis of the efficiencies below speedups. On logarithmic axes 61x and 89x on 128 cores are a finger's breadth apart;
/// 48 % and 69 % are not.
fn efficiency_axis(series: &[Series], references: &[ReferenceLine]) -> Axis {
    let points = series.iter().flat_map(|series| &series.points);
    let measured = points.map(|point| point.y / point.x);
    let corners = references.iter().filter(|line| !line.label.is_empty());
    let compared = corners.flat_map(|line| &line.corners).map(|[x, y]| y / x);
    let high = measured.chain(compared).fold(1.0, f64::max);
    let title = "Efficiency: speedup over the number of workers".to_owned();
    let mut y = axis::value_axis(title, Scale::Linear, 0.0, high);
    // Quarters as far as they go; the plot is too low for more marks.
    if high < 1.5 {
        y.ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
            .map(|value| Tick {
                value,
                label: String::new(),
            })
            .to_vec();
    }
    let every = y.ticks.len().div_ceil(5).max(1);
    y.ticks = y.ticks.into_iter().step_by(every).collect();
    for tick in &mut y.ticks {
        tick.label = units::per_cent(tick.value, 0);
    }
    y
}

/// The ceiling's speedups, as far as the axis of workers goes; a line takes two.
fn ceiling_line(
    cells: &[&CellSummary],
    min: u32,
    max: u32,
    value: impl Fn(f64, f64) -> f64,
) -> Option<ReferenceLine> {
    let mut points: Vec<(u32, f64)> = cells
        .iter()
        .filter(|cell| cell.status == CellStatus::Ok && (min..=max).contains(&cell.workers))
        .filter_map(|cell| Some((cell.workers, cell.speedup?.estimate)))
        .filter(|(_, speedup)| speedup.is_finite() && *speedup > 0.0)
        .collect();
    points.sort_by_key(|(workers, _)| *workers);
    (points.len() > 1).then(|| ReferenceLine {
        label: "ceiling".to_owned(),
        corners: points
            .into_iter()
            .map(|(workers, speedup)| [f64::from(workers), value(f64::from(workers), speedup)])
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
        title: WORKERS.to_owned(),
        scale,
        low: f64::from(counts.first().copied().unwrap_or(1)),
        high: f64::from(counts.last().copied().unwrap_or(1)),
        ticks: axis::count_ticks(counts),
    }
}
