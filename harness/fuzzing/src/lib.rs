//! Everything that reads external data, as functions of bytes: for the fuzz targets in `harness/fuzz` and for
//! `harness/fuzzing/tests/corpus.rs`, which call the same functions. A function returns whatever the bytes are. It
//! panics where ftbench would, and if a result violates an invariant.

mod edited_run;
mod text;

pub use edited_run::EditedRun;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

use ftbench::import;
use ftbench::measure::protocol::{Reply, Request};
use ftbench::record::fleet;
use ftbench::record::line;
use ftbench::record::store::{self, Checksums, MANIFEST, TRIALS};
use ftbench_explain::image::Image;
use ftbench_explain::profile::{Sampling, Span, Window, profile};
use ftbench_schema::{FleetIndex, FleetPlan, Manifest, Summary, Trial, choose_counted};

/// A function to fuzz and its name.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Name of its program in `harness/fuzz/fuzz_targets` and of its corpus in `harness/fuzz/corpus`.
    pub name: &'static str,
    /// The function, which accepts any bytes.
    pub run: fn(&[u8]),
}

/// Every target, by name.
pub const TARGETS: [Target; 27] = [
    target("analysis", analysis),
    target("asv_benchmarks", text::asv_benchmarks),
    target("callable", text::callable),
    target("cargo_manifest", text::cargo_manifest),
    target("command_line", text::command_line),
    target("fleet", fleet),
    target("foreign_text", text::foreign_text),
    target("hwloc_synthetic", text::hwloc_synthetic),
    target("installer", text::installer),
    target("lock_file", text::lock_file),
    target("manifest", manifest),
    target("metadata", text::metadata),
    target("options", text::options),
    target("packages", ftbench::workload::environment::fuzz::packages),
    target("pattern", text::pattern),
    target("probe_answer", text::probe_answer),
    target("pyperf", pyperf),
    target("reply", reply),
    target("request", request),
    target("requirement", text::requirement),
    target("run_folder", run_folder),
    target("samples", samples),
    target("selection", text::selection),
    target("summary", summary),
    target("system", text::system),
    target("tag", text::tag),
    target("trial", trial),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// Returns the target with this name.
#[must_use]
pub fn named(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

/// `run.json`.
pub fn manifest(bytes: &[u8]) {
    round_trip::<Manifest>(bytes);
}

/// A plan file and `fleet.json`.
pub fn fleet(bytes: &[u8]) {
    round_trip::<FleetPlan>(bytes);
    round_trip::<FleetIndex>(bytes);
    let path = Path::new("file.json");
    if let Ok(plan) = fleet::parse_plan(bytes, path) {
        assert!(plan.shard.is_possible(), "{:?}", plan.shard);
    }
    if let Ok(mut index) = fleet::parse_index(bytes, path) {
        choose_counted(index.shape, &mut index.runs);
        assert!(index.runs.is_empty() || index.counted().next().is_some());
        let _ = index.missing();
    }
}

/// A line of `trials.jsonl`.
pub fn trial(bytes: &[u8]) {
    if let Some(trial) = round_trip::<Trial>(bytes) {
        for sample in &trial.samples {
            let _ = (sample.makespan_ns(), sample.start_skew_ns(), sample.busy_ns());
        }
        let _ = trial.memory.map(|memory| memory.rss_peak_bytes());
    }
}

/// `summary.json`.
pub fn summary(bytes: &[u8]) {
    round_trip::<Summary>(bytes);
}

/// A message from a worker.
pub fn reply(bytes: &[u8]) {
    round_trip::<Reply>(bytes);
}

/// A message to a native worker.
pub fn request(bytes: &[u8]) {
    round_trip::<Request>(bytes);
}

/// A file of pyperf, imported as a run.
pub fn pyperf(bytes: &[u8]) {
    let Ok(suite) = import::pyperf::parse(bytes) else {
        return;
    };
    let source = import::Source {
        name: "bench.json".to_owned(),
        sha256: "0".repeat(64),
        suite,
    };
    if let Ok(run) = import::assemble(&[source], Vec::new(), "0.0.0") {
        for trial in &run.trials {
            assert!(line::encode(trial).is_ok(), "{trial:?}");
        }
        let _ = ftbench_analyse::summary::summarise("fuzzed", &run.manifest, &run.trials);
    }
}

/// The sampler's file, and what the workers in it did.
pub fn samples(bytes: &[u8]) {
    let Ok(workers) = ftbench_explain::samples::read(bytes) else {
        return;
    };
    let makespan = Span {
        start_ns: 0,
        end_ns: u64::MAX,
    };
    let window = Window {
        makespan,
        shares: workers
            .iter()
            .map(|worker| (worker.thread_id, makespan))
            .collect(),
    };
    let sampling = Sampling {
        windows: &[window],
        period_ns: 1,
        is_free_threaded: true,
    };
    let libraries = BTreeMap::new();
    let found = profile(&workers, &Image::new(&[], &libraries), &sampling);
    let sum: f64 = found.shares.values().sum();
    assert!(found.shares.is_empty() || (sum - 1.0).abs() < 1e-6, "{sum}");
}

/// Checks that a value that can be read can be written, and that reading it again gives the same value.
fn round_trip<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(bytes).ok()?;
    let written = serde_json::to_vec(&value);
    assert!(written.is_ok(), "a parsed value cannot be written: {written:?}");
    let written = written.unwrap_or_default();
    let again: Result<T, _> = serde_json::from_slice(&written);
    assert!(
        again.is_ok(),
        "a written value cannot be parsed: {:?}",
        again.err()
    );
    let again = serde_json::to_vec(&again.ok()?).unwrap_or_default();
    assert!(
        written == again,
        "{} became {}",
        String::from_utf8_lossy(&written),
        String::from_utf8_lossy(&again)
    );
    Some(value)
}

thread_local! {
    /// A temporary folder for each thread, removed when the thread ends.
    static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
}

/// Runs an action in a folder of its own; does nothing if no folder can be created.
fn in_folder<T>(action: impl FnOnce(&Path) -> Option<T>) -> Option<T> {
    FOLDER.with(|cell| {
        if cell.get().is_none() {
            let _ = cell.set(tempfile::tempdir().ok()?);
        }
        action(cell.get()?.path())
    })
}

/// A run folder: `run.json` before the first NUL, `trials.jsonl` after it.
pub fn run_folder(bytes: &[u8]) {
    let cut = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let (manifest, rest) = bytes.split_at_checked(cut).unwrap_or((bytes, &[]));
    let trials = rest.get(1..).unwrap_or_default();
    in_folder(|folder| {
        std::fs::write(folder.join(MANIFEST), manifest).ok()?;
        std::fs::write(folder.join(TRIALS), trials).ok()?;
        match store::read(folder) {
            Ok(run) => assert!(run.trials.len() <= trials.len()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        for checksums in [Checksums::Required, Checksums::Optional] {
            let _ = ftbench::record::samples::read(&store::open_trials(folder).ok()?, checksums);
        }
        let _ = store::stored_summary(folder);
        Some(())
    });
}

/// A small run whose values are edited by the bytes ([`EditedRun`]), from its records to tables, charts and the report.
pub fn analysis(bytes: &[u8]) {
    if let Some(run) = EditedRun::of(bytes) {
        run.show();
    }
}
