//! The input of the GitHub Action `github-action-benchmark`, for its tools `customSmallerIsBetter` and
//! `customBiggerIsBetter` (version 1.22, `src/extract.ts`). A file has one direction, so times and speedups are two.

use serde::Serialize;

use super::{Export, ExportError, Measured, full_name, nothing, pretty};
use ftbench_schema::Estimate;

/// What is told of each cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Time per unit of work: smaller is better.
    Time,
    /// Own time with one worker over the time: bigger is better.
    Speedup,
}

/// Microseconds: a unit of work is meant to last 0.1 to 1 ms.
const MICROSECONDS_PER_SECOND: f64 = 1e6;

#[derive(Debug, Serialize)]
struct Entry {
    /// The identity between commits.
    name: String,
    unit: &'static str,
    value: f64,
    /// Only with this sign in front is it rescaled along with the value (`src/extractRangeInfo.ts`).
    range: String,
    extra: String,
}

/// An array of entries. Times are per unit of work, since units are calibrated for each run.
///
/// # Errors
/// When there is no such figure: the action refuses an empty array.
pub fn render(export: &Export<'_>, metric: Metric) -> Result<String, ExportError> {
    export.not_empty()?;
    let entries: Vec<Entry> = export
        .measured
        .iter()
        .filter_map(|measured| entry(measured, metric))
        .collect();
    if entries.is_empty() {
        return Err(nothing(
            export.summary,
            "a speedup takes a cell with several workers",
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
