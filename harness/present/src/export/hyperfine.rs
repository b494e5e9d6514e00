//! hyperfine's `--export-json`, which its plotting scripts and others read. It has no version and no facts about the
//! machine (hyperfine 1.20, `src/export/json.rs` and `src/benchmark/benchmark_result.rs`).

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Export, ExportError, Measured, parameters, pretty};
use ftbench_analyse::sample::Sample;

#[derive(Debug, Serialize)]
struct Document {
    results: Vec<BenchmarkResult>,
}

/// A cell and its trials in place of a shell command and its runs. Times are in seconds.
#[derive(Debug, Serialize)]
struct BenchmarkResult {
    command: String,
    mean: f64,
    /// `null` for one run, as in hyperfine.
    stddev: Option<f64>,
    median: f64,
    /// CPU time of user code; unknown, because ftbench reads the sum of both kinds.
    user: Option<f64>,
    /// CPU time of the system; unknown.
    system: Option<f64>,
    min: f64,
    max: f64,
    times: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_usage_byte: Option<Vec<u64>>,
    exit_codes: Vec<Option<i32>>,
    parameters: BTreeMap<&'static str, String>,
}

/// Renders one result for each cell. Its times are the trial values, one of each round, because each repetition of a
/// command is a process of its own.
///
/// # Errors
/// If nothing was measured.
pub fn render(export: &Export<'_>) -> Result<String, ExportError> {
    export.check_not_empty()?;
    pretty(&Document {
        results: export.measured.iter().filter_map(result).collect(),
    })
}

fn result(measured: &Measured<'_>) -> Option<BenchmarkResult> {
    let times: Vec<f64> = measured.makespans_s.values().copied().collect();
    let sample = Sample::new(times.clone())?;
    let memory = measured
        .trials
        .values()
        .map(|trial| trial.memory.as_ref().map(|memory| memory.rss_peak_bytes()));
    Some(BenchmarkResult {
        command: ftbench_schema::text::line(&measured.cell.to_string()),
        mean: sample.mean(),
        stddev: sample.standard_deviation(),
        median: sample.median(),
        user: None,
        system: None,
        min: times.iter().copied().fold(f64::INFINITY, f64::min),
        max: times.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        exit_codes: vec![Some(0); times.len()],
        memory_usage_byte: memory.collect(),
        parameters: parameters(measured),
        times,
    })
}
