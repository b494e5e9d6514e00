//! The input of the GitHub Action `github-action-benchmark`, for its tools `customSmallerIsBetter` and
//! `customBiggerIsBetter` (version 1.22, `src/extract.ts`). A file has one direction, so times and speedups take two.

use serde::Serialize;

use super::{Export, ExportError, Measured, full_name, nothing, pretty};
use ftbench_schema::Estimate;

/// The figure that is exported for each cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Time per unit of work: smaller is better.
    Time,
    /// The cell's time with one worker divided by its time: bigger is better.
    Speedup,
}

/// Times are in microseconds, because a unit of work should last 0.1 to 1 ms.
const MICROSECONDS_PER_SECOND: f64 = 1e6;

#[derive(Debug, Serialize)]
struct Entry {
    /// Identifies the benchmark across commits.
    name: String,
    unit: &'static str,
    value: f64,
    /// Starts with `±`; otherwise it is not rescaled along with the value (`src/extractRangeInfo.ts`).
    range: String,
    extra: String,
}

/// Renders an array of entries. Times are per unit of work, because units are calibrated for each run.
///
/// # Errors
/// If there is no such figure: the action refuses an empty array.
pub fn render(export: &Export<'_>, metric: Metric) -> Result<String, ExportError> {
    export.check_not_empty()?;
    let entries: Vec<Entry> = export
        .measured
        .iter()
        .filter_map(|measured| entry(measured, metric))
        .collect();
    if entries.is_empty() {
        return Err(nothing(
            export.summary,
            "a speedup needs a cell with several workers",
        ));
    }
    pretty(&entries)
}

fn entry(measured: &Measured<'_>, metric: Metric) -> Option<Entry> {
    let figures = measured.summary;
    let (unit, estimate, scale) = match metric {
        Metric::Time => {
            let scale = MICROSECONDS_PER_SECOND / measured.units() as f64;
            ("us/iter", figures.makespan_s?, scale)
        }
        // With one worker it is 1 by definition.
        Metric::Speedup => ("x", figures.speedup.filter(|_| figures.workers > 1)?, 1.0),
    };
    Some(Entry {
        name: full_name(&measured.cell),
        unit,
        value: estimate.estimate * scale,
        range: format!("± {}", half_width(estimate) * scale),
        extra: format!(
            "95 % interval: {} to {}\nrounds: {}\nunits of work in a sample: {}",
            estimate.low * scale,
            estimate.high * scale,
            figures.rounds,
            measured.units()
        ),
    })
}

/// Half the width of the interval.
fn half_width(estimate: Estimate) -> f64 {
    (estimate.high - estimate.low) / 2.0
}
