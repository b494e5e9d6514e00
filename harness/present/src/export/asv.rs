//! A results tree of airspeed velocity (asv 0.6.6, `asv/results.py` and `asv/machine.py`): a file for each interpreter
//! and commit, in a folder for each machine.
//!
//! asv names its benchmarks like Python functions and expects their parameters as a full grid. So each workload and
//! model is a benchmark with the parameter `workers`; if an interpreter was not measured with a number of workers, that
//! value is `null`.

mod benchmarks;

pub use benchmarks::{Benchmarks, BenchmarksError};

use std::collections::{BTreeMap, BTreeSet};

use itertools::Itertools;
use serde::Serialize;
use serde_json::{Map, Value, json};

use benchmarks::PREFIX;

use super::{Export, ExportError, Measured, pretty};
use ftbench_analyse::location::mean_interval;
use ftbench_analyse::sample::Sample;
use ftbench_schema::Model;
use ftbench_schema::units;

/// The commit that was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its hash; asv names files by the first eight characters.
    pub hash: String,
    /// Its date in milliseconds since 1970, as in JavaScript.
    pub date_ms: i64,
}

/// A file of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path in the tree, with names separated by `/`.
    pub path: String,
    /// Its contents.
    pub text: String,
}

/// The path in the tree of the list of benchmarks, to which every export adds.
pub const BENCHMARKS: &str = "benchmarks.json";

/// The number of characters of a hash in a file name.
const HASH_LENGTH: usize = 8;

/// The columns of a result row, in asv's order. The next one, `profile`, is not written.
const COLUMNS: [&str; 12] = [
    "result",
    "params",
    "version",
    "started_at",
    "duration",
    "stats_ci_99_a",
    "stats_ci_99_b",
    "stats_q_25",
    "stats_q_75",
    "stats_number",
    "stats_repeat",
    "samples",
];

/// The confidence of asv's intervals.
const CONFIDENCE: f64 = 0.99;

/// A workload and a model, which make one benchmark in asv.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Subject {
    workload: String,
    model: Model,
}

impl Subject {
    fn of(measured: &Measured<'_>) -> Self {
        Self {
            workload: measured.cell.workload.clone(),
            model: measured.cell.model,
        }
    }
}

/// Returns the files of one commit; `known` are the benchmarks that are in the tree already. Times are in seconds per
/// unit of work, because units are calibrated for each run.
///
/// # Errors
/// If nothing was measured.
pub fn files(export: &Export<'_>, commit: &Commit, known: Benchmarks) -> Result<Vec<File>, ExportError> {
    export.check_not_empty()?;
    let machine = file_name(&export.summary.machine.hostname, "machine");
    let names = names(export);
    let mut files = vec![
        File {
            path: BENCHMARKS.to_owned(),
            text: pretty(&known.with(Benchmarks::of_run(export, &names)).into_json())?,
        },
        File {
            path: format!("{machine}/machine.json"),
            text: pretty(&machine_facts(export, &machine, Some(1)))?,
        },
    ];
    let sides = export
        .measured
        .iter()
        .map(|measured| measured.cell.interpreter_label());
    for side in sides.unique() {
        let environment = file_name(&side, "python");
        let hash: String = commit.hash.chars().take(HASH_LENGTH).collect();
        let tree = Tree {
            export,
            names: &names,
            side: &side,
        };
        files.push(File {
            path: format!("{machine}/{hash}-{environment}.json"),
            text: pretty(&tree.results(commit, &environment, &machine))?,
        });
    }
    Ok(files)
}

/// The name of each benchmark, with the numbers of workers of all interpreters.
fn names(export: &Export<'_>) -> BTreeMap<Subject, Named> {
    let mut names: BTreeMap<Subject, Named> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for measured in &export.measured {
        let subject = Subject::of(measured);
        let named = names.entry(subject).or_insert_with_key(|subject| {
            let plain = identifier(&format!("time_{}_{}", subject.workload, subject.model));
            let mut name = format!("{PREFIX}{plain}");
            let mut number = 2;
            while !taken.insert(name.clone()) {
                name = format!("{PREFIX}{plain}_{number}");
                number += 1;
            }
            Named {
                name,
                workers: BTreeSet::new(),
            }
        });
        named.workers.insert(measured.cell.workers);
    }
    names
}

struct Named {
    name: String,
    workers: BTreeSet<u32>,
}

/// The cells of one interpreter.
struct Tree<'a> {
    export: &'a Export<'a>,
    names: &'a BTreeMap<Subject, Named>,
    side: &'a str,
}

#[derive(Serialize)]
struct Results {
    commit_hash: String,
    env_name: String,
    date: i64,
    params: Value,
    python: String,
    requirements: Map<String, Value>,
    env_vars: Map<String, Value>,
    result_columns: [&'static str; COLUMNS.len()],
    results: Map<String, Value>,
    durations: Map<String, Value>,
    version: u32,
}

impl Tree<'_> {
    fn results(&self, commit: &Commit, environment: &str, machine: &str) -> Results {
        let mut params = machine_facts(self.export, machine, None);
        params.insert("python".to_owned(), Value::from(self.side));
        let rows = self
            .names
            .iter()
            .filter_map(|(subject, named)| Some((named.name.clone(), self.row(subject, named)?)));
        Results {
            commit_hash: commit.hash.clone(),
            env_name: environment.to_owned(),
            date: commit.date_ms,
            params: Value::Object(params),
            python: self.side.to_owned(),
            requirements: Map::new(),
            env_vars: Map::new(),
            result_columns: COLUMNS,
            results: rows.collect(),
            durations: Map::new(),
            version: 2,
        }
    }

    /// A benchmark's row; `None` if this interpreter was not measured with it.
    fn row(&self, subject: &Subject, named: &Named) -> Option<Value> {
        let cells: Vec<Option<&Measured<'_>>> = named
            .workers
            .iter()
            .map(|&workers| {
                self.export.measured.iter().find(|measured| {
                    Subject::of(measured) == *subject
                        && measured.cell.workers == workers
                        && measured.cell.interpreter_label() == self.side
                })
            })
            .collect();
        if cells.iter().all(Option::is_none) {
            return None;
        }
        let times: Vec<Option<Sample>> = cells
            .iter()
            .map(|measured| Sample::new((*measured)?.unit_times_s()))
            .collect();
        let each = |value: &dyn Fn(&Sample) -> Option<f64>| -> Value {
            times
                .iter()
                .map(|sample| Value::from(sample.as_ref().and_then(value)))
                .collect()
        };
        let interval = |sample: &Sample| mean_interval(sample, CONFIDENCE);
        let duration_s: f64 = cells
            .iter()
            .flatten()
            .flat_map(|measured| measured.trials.values())
            .map(|trial| units::seconds(trial.time_in_samples_ns()))
            .sum();
        Some(json!([
            each(&|sample| Some(sample.median())),
            [grid(&named.workers)],
            self.version(subject),
            started_ms(&self.export.summary.run.started_at),
            duration_s,
            each(&|sample| Some(interval(sample)?.low)),
            each(&|sample| Some(interval(sample)?.high)),
            each(&|sample| Some(sample.quantile(0.25))),
            each(&|sample| Some(sample.quantile(0.75))),
            cells
                .iter()
                .map(|cell| cell.map(|measured| measured.units()))
                .collect::<Vec<_>>(),
            times
                .iter()
                .map(|sample| sample.as_ref().map(Sample::len))
                .collect::<Vec<_>>(),
            times
                .iter()
                .map(|sample| sample.as_ref().map(|sample| sample.values().to_vec()))
                .collect::<Vec<_>>(),
        ]))
    }

    fn version(&self, subject: &Subject) -> String {
        version(self.export, subject)
    }
}

/// The values of the parameter, as `repr` writes them.
fn grid(workers: &BTreeSet<u32>) -> Vec<String> {
    workers.iter().map(u32::to_string).collect()
}

/// The version of a benchmark. asv ignores results of another version, so a changed workload counts as another
/// benchmark.
fn version(export: &Export<'_>, subject: &Subject) -> String {
    let mut workloads = export.summary.workloads.iter();
    let facts = workloads.find(|workload| workload.name == subject.workload);
    match facts.map(|facts| facts.sha256.as_str()) {
        Some("") | None => "1".to_owned(),
        Some(sha256) => sha256.to_owned(),
    }
}

/// asv's facts about a machine, all of them texts, which are empty if unknown. `machine.json` also has the version of
/// its format.
fn machine_facts(export: &Export<'_>, name: &str, version: Option<u32>) -> Map<String, Value> {
    let machine = &export.summary.machine;
    let known = |value: u64| {
        if value == 0 {
            String::new()
        } else {
            value.to_string()
        }
    };
    let facts = [
        ("arch", machine.architecture.clone()),
        ("cpu", machine.cpu_model.clone()),
        ("machine", name.to_owned()),
        ("num_cpu", known(u64::from(machine.topology.pus))),
        ("os", machine.os.clone()),
        ("ram", known(machine.memory_bytes)),
    ];
    let mut map: Map<String, Value> = facts
        .into_iter()
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .collect();
    if let Some(version) = version {
        map.insert("version".to_owned(), Value::from(version));
    }
    map
}

/// The start of the run in milliseconds since 1970; `null` if the time cannot be parsed.
fn started_ms(started_at: &str) -> Option<i64> {
    let time: jiff::Timestamp = started_at.parse().ok()?;
    Some(time.as_millisecond())
}

/// Replaces everything but letters, digits and underscores in a name.
fn identifier(name: &str) -> String {
    name.chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '_'
            }
        })
        .collect()
}

/// Makes a name fit for part of a file name: it may not lead out of the tree. `default` replaces an empty name.
fn file_name(name: &str, default: &str) -> String {
    let name: String = name
        .chars()
        .map(|character| match character {
            letter if letter.is_ascii_alphanumeric() => letter,
            sign @ ('.' | '-' | '_' | '+') => sign,
            _ => '_',
        })
        .collect();
    match name.trim_start_matches('.') {
        "" => default.to_owned(),
        name => name.to_owned(),
    }
}
