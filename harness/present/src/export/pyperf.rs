//! pyperf's JSON (version "1.0", pyperf 2.10.0 `_bench.py` and `_metadata.py`): a file for each interpreter, because
//! `pyperf compare_to` matches benchmarks of two files by their names alone.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Export, ExportError, Measured, benchmark_name, nothing};
use ftbench_schema::{Host, Implementation, InterpreterFacts, Sample, Trial, text, units};

/// The files of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// One file for each interpreter, in the order of the plan.
    pub files: Vec<File>,
    /// Benchmarks with trials left out, so that all files have the same number of values.
    pub shortened: Vec<String>,
}

/// One interpreter's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The interpreter's label.
    pub interpreter: String,
    /// Its contents.
    pub text: String,
}

/// Which trials go into the files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice<'a> {
    /// Only this interpreter's file.
    pub interpreter: Option<&'a str>,
    /// Only this number of rounds, so that files of two runs have the same number of values.
    pub rounds: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Document {
    version: &'static str,
    metadata: Metadata,
    benchmarks: Vec<Benchmark>,
}

#[derive(Debug, Serialize)]
struct Benchmark {
    metadata: Metadata,
    runs: Vec<Run>,
}

/// A process, which is one trial.
#[derive(Debug, Serialize)]
struct Run {
    metadata: Metadata,
    /// Seconds per unit of work.
    values: Vec<f64>,
    /// Units, and seconds per unit.
    warmups: Vec<(u64, f64)>,
}

/// Strings, numbers and booleans. Unknown values have no key, because pyperf refuses `null` and empty strings.
#[derive(Debug, Default, Serialize)]
struct Metadata(Map<String, Value>);

impl Metadata {
    fn text(&mut self, key: &str, value: &str) {
        let value = text::line(value);
        if !value.trim().is_empty() {
            self.0.insert(key.to_owned(), Value::from(value.trim()));
        }
    }

    fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    /// Adds a count or a size, which pyperf requires to be 1 or more if it is there (pyperf issue 259).
    fn positive(&mut self, key: &str, value: u64) {
        if value > 0 {
            self.put(key, value);
        }
    }
}

/// The trials of a benchmark in every file, and the number of samples of each.
struct Share {
    rounds: Vec<u32>,
    samples: usize,
}

/// Makes the files.
///
/// # Errors
/// If nothing was measured, or fewer rounds than requested.
pub fn files(export: &Export<'_>, choice: Choice<'_>) -> Result<Files, ExportError> {
    export.check_not_empty()?;
    let mut by_name: BTreeMap<String, Vec<&Measured<'_>>> = BTreeMap::new();
    for measured in &export.measured {
        by_name.entry(name(measured)).or_default().push(measured);
    }
    let mut shortened = Vec::new();
    let mut benchmarks: BTreeMap<String, Vec<Benchmark>> = BTreeMap::new();
    let mut order: Vec<&Measured<'_>> = Vec::new();
    for measured in &export.measured {
        let name = name(measured);
        let same_name = by_name.get(&name).map(Vec::as_slice).unwrap_or_default();
        let share = share(measured, same_name, choice.rounds);
        if let Some(requested) = choice.rounds.filter(|&rounds| share.rounds.len() < rounds) {
            return Err(ExportError::FewRounds {
                benchmark: name,
                has: share.rounds.len(),
                requested,
            });
        }
        if share.rounds.len() < measured.trials.len() && choice.rounds.is_none() {
            shortened.push(name.clone());
        }
        if choice
            .interpreter
            .is_none_or(|wanted| measured.cell.is_named(wanted))
        {
            let label = measured.cell.interpreter_label();
            if !benchmarks.contains_key(&label) {
                order.push(measured);
            }
            benchmarks
                .entry(label)
                .or_default()
                .push(benchmark(export, measured, &share));
        }
    }
    shortened.dedup();
    let files: Vec<File> = order
        .into_iter()
        .map(|first| {
            let interpreter = first.cell.interpreter_label();
            let document = Document {
                version: "1.0",
                metadata: common(export, first),
                benchmarks: benchmarks.remove(&interpreter).unwrap_or_default(),
            };
            let mut text = serde_json::to_string(&document)?;
            text.push('\n');
            Ok(File { interpreter, text })
        })
        .collect::<Result<_, ExportError>>()?;
    if files.is_empty() {
        return Err(nothing(export.summary, "none of this interpreter was measured"));
    }
    Ok(Files { files, shortened })
}

/// The name of a benchmark, which is unique in its file: the interpreter and the host are those of the file.
fn name(measured: &Measured<'_>) -> String {
    benchmark_name(&measured.cell)
}

/// Chooses the trials of a benchmark. pyperf's test takes unequal numbers of values for a difference, so every file
/// gets the same number: from the rounds that all interpreters share, or from the first rounds if they share none, as
/// in imported files.
fn share(measured: &Measured<'_>, same_name: &[&Measured<'_>], max_rounds: Option<usize>) -> Share {
    let is_shared = |round: &u32| same_name.iter().all(|other| other.trials.contains_key(round));
    let own = || measured.trials.keys().copied();
    let mut rounds: Vec<u32> = own().filter(is_shared).collect();
    if rounds.is_empty() {
        let min_trials = same_name
            .iter()
            .map(|other| other.trials.len())
            .min()
            .unwrap_or(0);
        rounds = own().take(min_trials).collect();
    }
    rounds.truncate(max_rounds.unwrap_or(usize::MAX));
    let samples = same_name
        .iter()
        .flat_map(|other| other.trials.values())
        .map(|trial| usable(trial).count());
    Share {
        samples: samples.min().unwrap_or(0),
        rounds,
    }
}

/// The counted samples that took time: pyperf requires values above 0.
fn usable(trial: &Trial) -> impl Iterator<Item = &Sample> {
    trial.counted_samples().filter(|sample| sample.makespan_ns() > 0)
}

fn benchmark(export: &Export<'_>, measured: &Measured<'_>, share: &Share) -> Benchmark {
    let cell = &measured.cell;
    let units = measured.units();
    let mut metadata = Metadata::default();
    metadata.text("name", &name(measured));
    metadata.put("loops", units);
    metadata.text("workload", &cell.workload);
    metadata.text("model", cell.model.name());
    metadata.put("workers", cell.workers);
    metadata.put("units", units);
    let facts = export
        .summary
        .workloads
        .iter()
        .find(|workload| workload.name == cell.workload);
    if let Some(facts) = facts {
        metadata.text("description", &facts.summary);
        metadata.text("kind", facts.kind.name());
        metadata.text("workload_sha256", &facts.sha256);
    }
    let pus: Vec<String> = measured.summary.placement.iter().map(u32::to_string).collect();
    metadata.text("cpu_affinity", &pus.join(","));
    let trials = share.rounds.iter().filter_map(|round| measured.trials.get(round));
    Benchmark {
        metadata,
        runs: trials.map(|trial| run(trial, units, share.samples)).collect(),
    }
}

fn run(trial: &Trial, units: u64, samples: usize) -> Run {
    let per_unit_s = |sample: &Sample| units::seconds(sample.makespan_ns()) / units as f64;
    let mut metadata = Metadata::default();
    if let Some(date) = date(&trial.started_at) {
        metadata.put("date", date);
    }
    metadata.put("duration", units::seconds(trial.duration_ns));
    metadata.put("round", trial.round);
    metadata.put("python_hash_seed", trial.hash_seed);
    if let Some(gil_enabled) = trial.gil_enabled {
        metadata.put("gil_enabled", gil_enabled);
    }
    let memory = trial.memory.as_ref();
    metadata.positive("mem_max_rss", memory.map_or(0, |memory| memory.rss_peak_bytes()));
    Run {
        metadata,
        values: usable(trial).take(samples).map(per_unit_s).collect(),
        warmups: trial
            .samples
            .iter()
            .filter(|sample| sample.warmup)
            .map(|sample| (units, per_unit_s(sample)))
            .collect(),
    }
}

/// Formats a time in UTC as `datetime.fromisoformat` of every Python parses it. Like pyperf's own it has no zone, so
/// that files of both can be merged.
fn date(started_at: &str) -> Option<String> {
    let time: jiff::Timestamp = started_at.parse().ok()?;
    Some(time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string())
}

/// The metadata that all benchmarks of a file share.
fn common(export: &Export<'_>, first: &Measured<'_>) -> Metadata {
    let summary = export.summary;
    let machine = &summary.machine;
    let mut metadata = Metadata::default();
    metadata.text("unit", "second");
    metadata.text("hostname", &machine.hostname);
    metadata.text("cpu_model_name", &machine.cpu_model);
    metadata.positive("cpu_count", u64::from(machine.topology.pus));
    metadata.positive("cpu_cores", u64::from(machine.topology.cores));
    let platform = [&machine.os, &machine.kernel, &machine.architecture];
    let platform: Vec<&str> = platform.into_iter().map(|word| word.trim()).collect();
    let platform: Vec<&str> = platform.into_iter().filter(|word| !word.is_empty()).collect();
    metadata.text("platform", &platform.join(", "));
    metadata.text("ftbench_version", &summary.run.ftbench_version);
    metadata.text("ftbench_run", &summary.run.name);
    metadata.text("ftbench_started_at", &summary.run.started_at);
    metadata.text("interpreter", &first.cell.interpreter);
    if first.cell.host != Host::Spawn {
        metadata.text("host", first.cell.host.name());
    }
    metadata.text(
        "scaling",
        match summary.run.scaling {
            ftbench_schema::Scaling::Strong => "strong",
            ftbench_schema::Scaling::Weak => "weak",
        },
    );
    if let Some(facts) = export.interpreter(&first.cell) {
        add_interpreter(&mut metadata, facts);
    }
    metadata
}

fn add_interpreter(metadata: &mut Metadata, facts: &InterpreterFacts) {
    metadata.text("python_version", &facts.version);
    metadata.text("python_executable", &facts.path);
    metadata.text(
        "python_implementation",
        match facts.implementation {
            Implementation::CPython => "cpython",
            Implementation::PyPy => "pypy",
        },
    );
    metadata.text("python_compiler", &facts.build.compiler);
    metadata.text("python_cflags", &facts.build.optimisation);
    metadata.text("python_config_args", &configuration(facts));
    metadata.put("free_threaded", facts.free_threaded);
    if let Some(jit) = facts.jit {
        metadata.put("jit_enabled", jit == ftbench_schema::JitState::On);
    }
    let switches: Vec<&str> = facts.switches.iter().map(|switch| switch.name()).collect();
    metadata.text("switches", &switches.join(","));
}

/// The options of `configure` that correspond to the facts of the build.
fn configuration(facts: &InterpreterFacts) -> String {
    let build = &facts.build;
    let options = [
        (facts.free_threaded, "--disable-gil"),
        (build.pgo, "--enable-optimizations"),
        (build.lto, "--with-lto"),
        (build.jit, "--enable-experimental-jit"),
        (build.debug, "--with-pydebug"),
        (build.shared, "--enable-shared"),
    ];
    let given: Vec<&str> = options
        .into_iter()
        .filter(|(given, _)| *given)
        .map(|(_, option)| option)
        .collect();
    given.join(" ")
}
