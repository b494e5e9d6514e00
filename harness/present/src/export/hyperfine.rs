//! hyperfine's `--export-json`, which its plotting scripts and others read. Without a version and without facts of the
//! machine (hyperfine 1.20, `src/export/json.rs` and `src/benchmark/benchmark_result.rs`).

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Export, ExportError, Measured, parameters, pretty};
use ftbench_analyse::sample::Sample;

#[derive(Debug, Serialize)]
struct Document {
    results: Vec<BenchmarkResult>,
}

/// Times in seconds. hyperfine has a shell command and its runs where ftbench has a cell and its trials.
#[derive(Debug, Serialize)]
struct BenchmarkResult {
    command: String,
    mean: f64,
    /// `null` for one run, as hyperfine has it.
    stddev: Option<f64>,
    median: f64,
    /// CPU time of user code; not known, since ftbench reads the sum of both kinds.
    user: Option<f64>,
    /// CPU time of the system; not known.
    system: Option<f64>,
    min: f64,
    max: f64,
    times: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_usage_byte: Option<Vec<u64>>,
    exit_codes: Vec<Option<i32>>,
    parameters: BTreeMap<&'static str, String>,
}

/// One result for each cell: its times are the trial values, one of each round, since what repeats a command is a
/// process of its own.
///
/// # Errors
/// When nothing was measured.
pub fn render(export: &Export<'_>) -> Result<String, ExportError> {
    export.not_empty()?;
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
