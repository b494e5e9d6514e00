//! Bencher Metric Format, which `bencher run --adapter json` reads (bencher.dev, reference of BMF).

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Export, ExportError, full_name, pretty};
use ftbench_schema::Estimate;
use ftbench_schema::units;

#[derive(Debug, Serialize)]
struct Metric {
    value: f64,
    lower_value: f64,
    upper_value: f64,
}

impl Metric {
    fn of(estimate: Estimate, scale: f64) -> Self {
        Self {
            value: estimate.estimate * scale,
            lower_value: estimate.low * scale,
            upper_value: estimate.high * scale,
        }
    }
}

/// Renders the latency of a unit of work for each cell, and its speedup with several workers.
///
/// # Errors
/// If nothing was measured.
pub fn render(export: &Export<'_>) -> Result<String, ExportError> {
    export.check_not_empty()?;
    let mut benchmarks: BTreeMap<String, BTreeMap<&str, Metric>> = BTreeMap::new();
    for measured in &export.measured {
        let mut measures = BTreeMap::new();
        if let Some(makespan_s) = measured.summary.makespan_s {
            // Bencher's measure `latency` is in nanoseconds.
            let scale = units::NS_PER_S as f64 / measured.units() as f64;
            measures.insert("latency", Metric::of(makespan_s, scale));
        }
        let speedup = measured.summary.speedup.filter(|_| measured.cell.workers > 1);
        if let Some(speedup) = speedup {
            measures.insert("speedup", Metric::of(speedup, 1.0));
        }
        if !measures.is_empty() {
            benchmarks.insert(full_name(&measured.cell), measures);
        }
    }
    pretty(&benchmarks)
}
