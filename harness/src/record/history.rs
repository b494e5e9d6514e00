//! Reads the runs of a history: finds their folders and takes from each summary the little that a history needs.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

use super::schema::history::{
    HistoryRun, HistoryWorkload, MachineKey, Metric, PassedOver, Reading, SeriesKey,
};
use super::schema::{
    BuildFacts, CellStatus, Estimate, Host, Implementation, JitState, Model, RunStatus, SCHEMA_VERSION,
    Scaling, Switch, WorkloadKind,
};
use super::store::{MANIFEST, SUMMARY};

/// Folders deeper than this below the history's are not looked into.
const DEEPEST: usize = 12;
/// More entries than this are not looked at: the folder is not one of runs.
const MOST_ENTRIES: usize = 2_000_000;
/// Largest summary that is read, bytes: some hundred thousand cells.
const LARGEST_SUMMARY_BYTES: u64 = 256 << 20;

/// What was found below a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The folders of runs, in the order of their paths.
    pub folders: Vec<PathBuf>,
    /// What could not be looked into.
    pub passed_over: Vec<PassedOver>,
}

/// Finds every run folder below a folder, or the folder itself. Symbolic links are not followed, and folders inside a
/// run's are not looked into.
///
/// # Errors
/// When the folder itself cannot be listed.
pub fn find(root: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    let mut entries = 0;
    let mut waiting = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = waiting.pop() {
        let listed = match std::fs::read_dir(&folder) {
            Ok(listed) => listed,
            Err(error) if depth == 0 => return Err(error),
            Err(error) => {
                found.pass_over(root, &folder, format!("cannot be listed: {error}"));
                continue;
            }
        };
        let mut below = Vec::new();
        let mut is_run = false;
        for entry in listed.flatten() {
            entries += 1;
            is_run |= entry.file_name() == MANIFEST || entry.file_name() == SUMMARY;
            // The entry's own type: that of a symbolic link is neither file nor folder.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                below.push(entry.path());
            }
        }
        if is_run {
            found.folders.push(folder);
        } else if depth == DEEPEST && !below.is_empty() {
            let reason = format!("has folders deeper than {DEEPEST}: give a folder nearer to the runs");
            found.pass_over(root, &folder, reason);
        } else {
            waiting.extend(below.into_iter().map(|path| (path, depth + 1)));
        }
        if entries > MOST_ENTRIES {
            let reason = format!("has more than {MOST_ENTRIES} entries: give a folder nearer to the runs");
            found.pass_over(root, root, reason);
            break;
        }
    }
    found.folders.sort();
    Ok(found)
}

impl Found {
    fn pass_over(&mut self, root: &Path, folder: &Path, reason: String) {
        self.passed_over.push(PassedOver {
            folder: below(root, folder),
            reason,
        });
    }
}

/// How a folder is called in a history: its path below the history's.
#[must_use]
pub fn below(root: &Path, folder: &Path) -> String {
    let path = folder.strip_prefix(root).unwrap_or(folder);
    if path.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        path.to_string_lossy().into_owned()
    }
}

/// Why a run is not in the history.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It has no summary; it can be made.
    #[error("has no {SUMMARY}; 'ftbench show' and 'ftbench report' can still read it")]
    NoSummary,
    /// It was not measured to its end.
    #[error("{0}; 'ftbench show' tells what was measured")]
    Unfinished(&'static str),
    /// The file cannot be read.
    #[error("{SUMMARY} cannot be read: {0}")]
    Read(io::Error),
    /// The file is larger than any summary.
    #[error("{SUMMARY} has {0} MiB, more than any summary")]
    TooLarge(u64),
    /// It is not what it should be.
    #[error("{SUMMARY} is damaged: {0}; make it again with 'ftbench show RUN --format json'")]
    Damaged(serde_json::Error),
    /// A later ftbench wrote it.
    #[error("has format {0}; this ftbench reads up to {SCHEMA_VERSION}: use a newer ftbench")]
    TooNew(u64),
}

/// The keys of all runs, each kept once.
#[derive(Debug, Default)]
pub struct Keys(Mutex<HashMap<SeriesKey, Arc<SeriesKey>>>);

impl Keys {
    fn shared(&self, keys: Vec<SeriesKey>) -> Vec<Arc<SeriesKey>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.into_iter()
            .map(|key| {
                if let Some(shared) = known.get(&key) {
                    return Arc::clone(shared);
                }
                let shared = Arc::new(key.clone());
                known.insert(key, Arc::clone(&shared));
                shared
            })
            .collect()
    }
}

/// Reads one run of a history; `name` is what [`below`] calls its folder.
///
/// # Errors
/// Says why the run is passed over.
pub fn read(folder: &Path, name: &str, metric: Metric, keys: &Keys) -> Result<HistoryRun, ReadError> {
    let path = folder.join(SUMMARY);
    let metadata = match std::fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ReadError::NoSummary),
        Err(error) => return Err(ReadError::Read(error)),
    };
    if !metadata.is_file() {
        return Err(ReadError::Read(io::ErrorKind::InvalidInput.into()));
    }
    if metadata.len() > LARGEST_SUMMARY_BYTES {
        return Err(ReadError::TooLarge(metadata.len() >> 20));
    }
    let bytes = std::fs::read(&path).map_err(ReadError::Read)?;
    parse(&bytes, name, metric, keys)
}

/// How a run ended that was not measured to its end; it is no run among others, for it may be anything. `None` for one
/// that was.
#[must_use]
pub const fn unfinished(status: RunStatus) -> Option<&'static str> {
    match status {
        RunStatus::Complete => None,
        RunStatus::Interrupted => Some("was interrupted"),
        RunStatus::Running => Some("did not end"),
    }
}

/// Takes what a history needs from the bytes of a summary.
///
/// # Errors
/// Says why the run is passed over.
pub fn parse(bytes: &[u8], folder: &str, metric: Metric, keys: &Keys) -> Result<HistoryRun, ReadError> {
    let summary: Slim<'_> = serde_json::from_slice(bytes).map_err(|error| newer_or_damaged(bytes, error))?;
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
    Ok(HistoryRun {
        folder: folder.to_owned(),
        name: summary.run.name,
        started_at: summary.run.started_at,
        commit: summary.run.commit.as_ref().and_then(commit),
        labels: summary
            .run
            .labels
            .iter()
            .map(|(name, value)| (name.clone(), word(value)))
            .collect(),
        ftbench_version: summary.run.ftbench_version,
        system: format!("{}, kernel {}", summary.machine.os, summary.machine.kernel),
        machine: summary.machine.key(),
        builds: summary
            .interpreters
            .into_iter()
            .map(|interpreter| (interpreter.tag.clone(), interpreter.words()))
            .collect(),
        workloads: summary
            .workloads
            .into_iter()
            .map(|workload| {
                let facts = HistoryWorkload {
                    kind: workload.kind,
                    sha256: workload.sha256,
                };
                (workload.name, facts)
            })
            .collect(),
        readings,
    })
}

/// A newer format may be one that this one's keys do not fit.
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

/// The part of a summary that is read; all else is skipped.
#[derive(Deserialize)]
struct Slim<'a> {
    schema: u64,
    run: SlimRun,
    machine: SlimMachine,
    interpreters: Vec<SlimInterpreter>,
    workloads: Vec<SlimWorkload>,
    #[serde(borrow)]
    cells: Vec<SlimCell<'a>>,
}

#[derive(Deserialize)]
struct SlimRun {
    name: String,
    ftbench_version: String,
    started_at: String,
    status: RunStatus,
    scaling: Scaling,
    #[serde(default)]
    commit: Option<serde_json::Value>,
    #[serde(default)]
    labels: BTreeMap<String, serde_json::Value>,
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
    fn key(self) -> MachineKey {
        MachineKey {
            hostname: self.hostname,
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
    /// Version and build in words; two builds of which these are equal are taken for the same.
    fn words(&self) -> String {
        let build = &self.build;
        let mut words = vec![format!("{} {}", self.implementation, self.version)];
        let parts = [
            (self.free_threaded, "free-threaded"),
            (!build.optimisation.is_empty(), build.optimisation.as_str()),
            (build.pgo, "PGO"),
            (build.lto, "LTO"),
            (build.jit, "with a JIT"),
            (self.jit == Some(JitState::On), "JIT on"),
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
}

impl SlimCell<'_> {
    fn key(self, weak: bool) -> SeriesKey {
        SeriesKey {
            workload: self.workload.into_owned(),
            interpreter: self.interpreter.into_owned(),
            host: self.host,
            arm: self.arm,
            model: self.model,
            workers: self.workers,
            weak,
        }
    }

    /// The metric, unless a value of it could not be one; failed cells may have figures of their good trials.
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
            // Of one worker they are 1 by definition.
            Metric::Speedup => self.speedup.filter(|_| !one_worker),
            Metric::Efficiency => self.efficiency.filter(|_| !one_worker),
            Metric::Memory => self.pss_peak_bytes.or(self.rss_peak_bytes),
        };
        value.filter(|value| value.estimate.is_finite() && value.estimate > 0.0)
    }
}

/// The id of a recorded commit.
fn commit(value: &serde_json::Value) -> Option<String> {
    value.get("id").unwrap_or(value).as_str().map(str::to_owned)
}

/// A label's value as a word.
fn word(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
