//! Names, values and sizes that charts with rows for workloads share.

use crate::chart::rows::{self, Mark, Row, Rows, VerticalReference};
use crate::chart::{Body, Chart, ReferenceKind, Size};
use ftbench_schema::{CellStatus, CellSummary, Estimate, GilState, Model, Summary};
use itertools::Itertools;

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

/// A chart of rows, as high as they need.
pub(super) fn chart_of(rows: Rows) -> Chart {
    Chart {
        size: size_of(&rows.rows),
        ..Chart::of(Body::Rows(rows))
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

pub(super) fn finite(value: Option<Estimate>) -> Option<Estimate> {
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
    summary
        .cells
        .iter()
        .map(|cell| cell.workload.as_str())
        .unique()
        .collect()
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

pub(super) fn one() -> VerticalReference {
    VerticalReference {
        value: 1.0,
        label: String::new(),
        kind: ReferenceKind::Calculated,
    }
}
