//! Reads the parts of a summary that a history needs, and skips the rest.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Keys, ReadError, unfinished};
use ftbench_schema::history::{
    HistoryEnvironment, HistoryRun, HistoryWorkload, MachineKey, Metric, Reading, RunSettings, SeriesKey,
};
use ftbench_schema::{
    BuildFacts, Cell, CellStatus, Curve, Estimate, Host, Implementation, JitState, Kernel, Model,
    PackageFacts, RunStatus, SCHEMA_VERSION, Scaling, Switch, WorkloadKind,
};

/// Reads what a history needs from the bytes of a summary.
///
/// # Errors
/// When the run is skipped, with the reason.
pub fn parse(bytes: &[u8], folder: &str, metric: Metric, keys: &Keys) -> Result<HistoryRun, ReadError> {
    let summary: SlimSummary<'_> =
        serde_json::from_slice(bytes).map_err(|error| newer_or_damaged(bytes, error))?;
    if summary.schema > u64::from(SCHEMA_VERSION) {
        return Err(ReadError::TooNew(summary.schema));
    }
    if let Some(how) = unfinished(summary.run.status) {
        return Err(ReadError::Unfinished(how));
    }
    let weak = summary.run.scaling == Scaling::Weak;
    let (series, figures): (Vec<SeriesKey>, Vec<Figures>) = summary
        .cells
        .into_iter()
        .filter(|cell| cell.status != CellStatus::Skipped)
        .map(|cell| {
            let figures = Figures {
                status: cell.status,
                value: cell.value(metric),
            };
            (cell.key(weak), figures)
        })
        .unzip();
    let readings = keys
        .shared(series)
        .into_iter()
        .zip(figures)
        .map(|(key, figures)| Reading {
            key,
            status: figures.status,
            value: figures.value,
        })
        .collect();
    let settings = summary.run.settings();
    Ok(HistoryRun {
        folder: folder.to_owned(),
        name: summary.run.name,
        started_at: summary.run.started_at,
        commit: summary.run.commit.as_ref().and_then(commit),
        labels: summary
            .run
            .labels
            .iter()
            .map(|(name, value)| (name.clone(), label_text(value)))
            .collect(),
        ftbench_version: summary.run.ftbench_version,
        profile: summary.run.profile,
        settings,
        system: format!("{}, kernel {}", summary.machine.os, summary.machine.kernel),
        machine: summary.machine.key(summary.run.node),
        builds: summary
            .interpreters
            .into_iter()
            .map(|interpreter| (interpreter.tag.clone(), interpreter.description()))
            .collect(),
        environments: summary
            .environments
            .into_iter()
            .map(SlimEnvironment::facts)
            .collect(),
        workloads: summary.workloads.into_iter().map(SlimWorkload::named).collect(),
        readings,
    })
}

/// The error of a summary that cannot be read, whose format may be newer and have other keys.
fn newer_or_damaged(bytes: &[u8], error: serde_json::Error) -> ReadError {
    #[derive(Deserialize)]
    struct Version {
        schema: u64,
    }
    match serde_json::from_slice::<Version>(bytes) {
        Ok(Version { schema }) if schema > u64::from(SCHEMA_VERSION) => ReadError::TooNew(schema),
        _ => ReadError::Damaged(error),
    }
}

struct Figures {
    status: CellStatus,
    value: Option<Estimate>,
}

/// The part of a summary that is read; the rest is skipped.
#[derive(Deserialize)]
struct SlimSummary<'a> {
    schema: u64,
    run: SlimRun,
    machine: SlimMachine,
    interpreters: Vec<SlimInterpreter>,
    workloads: Vec<SlimWorkload>,
    #[serde(default)]
    environments: Vec<SlimEnvironment>,
    #[serde(borrow)]
    cells: Vec<SlimCell<'a>>,
}

#[derive(Deserialize)]
struct SlimRun {
    name: String,
    ftbench_version: String,
    started_at: String,
    status: RunStatus,
    #[serde(default)]
    profile: String,
    scaling: Scaling,
    #[serde(default)]
    pin: Option<String>,
    #[serde(default)]
    target_sample_s: Option<f64>,
    #[serde(default)]
    commit: Option<serde_json::Value>,
    #[serde(default)]
    labels: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    node: Option<String>,
}

impl SlimRun {
    fn settings(&self) -> Option<RunSettings> {
        Some(RunSettings {
            pin: self.pin.clone()?,
            target_sample_s: self.target_sample_s?,
        })
    }
}

#[derive(Deserialize)]
struct SlimMachine {
    hostname: String,
    cpu_model: String,
    os: String,
    kernel: String,
    architecture: String,
    cpu_quota: Option<f64>,
    topology: SlimTopology,
}

#[derive(Deserialize)]
struct SlimTopology {
    cores: u32,
    pus: u32,
}

impl SlimMachine {
    /// The properties that distinguish the machine, whose name in a fleet is that of its `node`.
    fn key(self, node: Option<String>) -> MachineKey {
        MachineKey {
            hostname: node.unwrap_or(self.hostname),
            cpu_model: self.cpu_model,
            architecture: self.architecture,
            cores: self.topology.cores,
            pus: self.topology.pus,
            cpu_quota: self.cpu_quota,
        }
    }
}

#[derive(Deserialize)]
struct SlimInterpreter {
    tag: String,
    version: String,
    implementation: Implementation,
    free_threaded: bool,
    #[serde(default)]
    jit: Option<JitState>,
    #[serde(default)]
    switches: Vec<Switch>,
    build: BuildFacts,
}

impl SlimInterpreter {
    /// The version and build in words. Two builds with the same description count as the same.
    fn description(&self) -> String {
        let build = &self.build;
        let mut words = vec![format!("{} {}", self.implementation, self.version)];
        let parts = [
            (self.free_threaded, "free-threaded"),
            (!build.optimisation.is_empty(), build.optimisation.as_str()),
            (build.pgo, "PGO"),
            (build.lto, "LTO"),
            (build.jit, "with a JIT"),
            (self.jit == Some(JitState::On), "JIT on"),
            (build.tail_calls, "tail calls"),
            (build.debug, "debug"),
            (build.shared, "shared"),
            (!build.compiler.is_empty(), build.compiler.as_str()),
        ];
        words.extend(
            parts
                .into_iter()
                .filter(|(holds, _)| *holds)
                .map(|(_, word)| word.to_owned()),
        );
        words.extend(self.switches.iter().map(|switch| format!("+{switch}")));
        words.join(", ")
    }
}

#[derive(Deserialize)]
struct SlimWorkload {
    name: String,
    kind: WorkloadKind,
    #[serde(default)]
    sha256: String,
    #[serde(default)]
    ceiling: Option<SlimCeiling>,
}

impl SlimWorkload {
    fn named(self) -> (String, HistoryWorkload) {
        let facts = HistoryWorkload {
            kind: self.kind,
            sha256: self.sha256,
            kernel: self.ceiling.map(|ceiling| ceiling.kernel),
        };
        (self.name, facts)
    }
}

#[derive(Deserialize)]
struct SlimCeiling {
    kernel: Kernel,
}

#[derive(Deserialize)]
struct SlimEnvironment {
    interpreter: String,
    workloads: Vec<String>,
    #[serde(default)]
    arms: Vec<String>,
    packages: Vec<PackageFacts>,
}

impl SlimEnvironment {
    fn facts(self) -> HistoryEnvironment {
        let mut packages: Vec<String> = self
            .packages
            .into_iter()
            .map(|package| format!("{} {}", package.name, package.version))
            .collect();
        packages.sort();
        HistoryEnvironment {
            interpreter: self.interpreter,
            workloads: self.workloads,
            arms: self.arms,
            packages: packages.join(", "),
        }
    }
}

#[derive(Deserialize)]
struct SlimCell<'a> {
    #[serde(borrow)]
    interpreter: Cow<'a, str>,
    host: Host,
    #[serde(default)]
    arm: Option<String>,
    #[serde(borrow)]
    workload: Cow<'a, str>,
    model: Model,
    workers: u32,
    status: CellStatus,
    #[serde(default)]
    units: Option<u64>,
    #[serde(default)]
    makespan_s: Option<Estimate>,
    #[serde(default)]
    speedup: Option<Estimate>,
    #[serde(default)]
    efficiency: Option<Estimate>,
    #[serde(default)]
    rss_peak_bytes: Option<Estimate>,
    #[serde(default)]
    pss_peak_bytes: Option<Estimate>,
    #[serde(default)]
    memory_peak_bytes: Option<Estimate>,
}

impl SlimCell<'_> {
    fn key(self, weak: bool) -> SeriesKey {
        SeriesKey {
            cell: Cell {
                curve: Curve {
                    interpreter: self.interpreter.into_owned(),
                    host: self.host,
                    workload: self.workload.into_owned(),
                    arm: self.arm,
                    model: self.model,
                },
                workers: self.workers,
            },
            weak,
        }
    }

    /// The value of a metric; `None` if it is not a positive number. Failed cells have none, although they may have
    /// figures of their successful trials.
    fn value(&self, metric: Metric) -> Option<Estimate> {
        if self.status != CellStatus::Ok {
            return None;
        }
        let one_worker = self.workers == 1;
        let value = match metric {
            Metric::Time => {
                let units = self.units.filter(|units| *units > 0)? as f64;
                self.makespan_s.map(|makespan_s| Estimate {
                    estimate: makespan_s.estimate / units,
                    low: makespan_s.low / units,
                    high: makespan_s.high / units,
                })
            }
            // For one worker they are 1 by definition.
            Metric::Speedup => self.speedup.filter(|_| !one_worker),
            Metric::Efficiency => self.efficiency.filter(|_| !one_worker),
            Metric::Memory => self
                .memory_peak_bytes
                .or(self.pss_peak_bytes)
                .or(self.rss_peak_bytes),
        };
        value.filter(|value| value.estimate.is_finite() && value.estimate > 0.0)
    }
}

/// The id of a recorded commit.
fn commit(value: &serde_json::Value) -> Option<String> {
    value.get("id").unwrap_or(value).as_str().map(str::to_owned)
}

/// A label's value as text.
fn label_text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
#[path = "slim_tests.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
