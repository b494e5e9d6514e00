//! Parses pyperf's JSON, version "1.0" (pyperf 2.10.0, `_bench.py` and `_metadata.py`).

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Reason;

/// A file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Its name, without folders.
    pub name: String,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Its benchmarks.
    pub suite: Suite,
}

/// A file's benchmarks.
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    /// The benchmarks whose values are times, in the order of the file; names are unique.
    pub benchmarks: Vec<Benchmark>,
    /// The names of the other benchmarks, with their units.
    pub others: Vec<String>,
}

/// A benchmark whose values are times.
#[derive(Debug, Clone, PartialEq)]
pub struct Benchmark {
    /// Its name.
    pub name: String,
    /// The processes that have values; processes that only calibrate are left out.
    pub runs: Vec<Run>,
}

/// One process.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its metadata, merged with that of its benchmark and its file.
    pub metadata: Metadata,
    /// Seconds per iteration, above 0.
    pub values: Vec<f64>,
    /// Seconds per iteration of each warm-up, 0 or above.
    pub warmups: Vec<f64>,
}

impl Run {
    /// The iterations in a value: outer loops times inner loops.
    #[must_use]
    pub fn iterations(&self) -> u64 {
        let count = |key| self.metadata.count(key).unwrap_or(1).max(1);
        count("loops").saturating_mul(count("inner_loops"))
    }
}

/// Metadata of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    /// A text; `None` if there is none, or if it is empty.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    /// An integer that is not negative.
    #[must_use]
    pub fn count(&self, key: &str) -> Option<u64> {
        self.0.get(key)?.as_u64()
    }

    /// A number.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<f64> {
        self.0.get(key)?.as_f64().filter(|number| number.is_finite())
    }

    /// A boolean.
    #[must_use]
    pub fn flag(&self, key: &str) -> Option<bool> {
        self.0.get(key)?.as_bool()
    }
}

#[derive(Deserialize)]
struct Version {
    version: Value,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    metadata: Option<Map<String, Value>>,
    benchmarks: Vec<RawBenchmark>,
}

#[derive(Deserialize)]
struct RawBenchmark {
    #[serde(default)]
    metadata: Option<Map<String, Value>>,
    runs: Vec<RawRun>,
}

#[derive(Deserialize)]
struct RawRun {
    #[serde(default)]
    metadata: Option<Map<String, Value>>,
    #[serde(default)]
    values: Option<Vec<f64>>,
    #[serde(default)]
    warmups: Option<Vec<(u64, f64)>>,
}

/// Parses a file.
///
/// # Errors
/// The first thing that is wrong with it, and its place.
pub fn parse(bytes: &[u8]) -> Result<Suite, Reason> {
    let shape = |error: serde_json::Error| Reason::Shape(error.to_string());
    let version: Version = serde_json::from_slice(bytes).map_err(shape)?;
    match version.version {
        Value::String(version) if version == "1.0" => {}
        Value::Number(number) if number.is_u64() => {
            return Err(Reason::TooOld(number.as_u64().unwrap_or_default()));
        }
        other => return Err(Reason::TooNew(shortened(&other.to_string()))),
    }
    let document: Document = serde_json::from_slice(bytes).map_err(shape)?;
    let common = document.metadata.unwrap_or_default();
    let mut suite = Suite {
        benchmarks: Vec::new(),
        others: Vec::new(),
    };
    let mut names = BTreeSet::new();
    for (position, raw) in (1..).zip(document.benchmarks) {
        let (benchmark, unit) = benchmark(raw, &common, position)?;
        if !names.insert(benchmark.name.clone()) {
            return Err(Reason::Broken {
                place: benchmark.name,
                what: "the name occurs twice".to_owned(),
            });
        }
        match unit {
            Some(unit) => suite.others.push(format!("{} ({unit})", benchmark.name)),
            None if benchmark.runs.is_empty() => {}
            None => suite.benchmarks.push(benchmark),
        }
    }
    if suite.benchmarks.is_empty() {
        return Err(Reason::NoTimes(match suite.others.is_empty() {
            true => "runs without values".to_owned(),
            false => shortened(&suite.others.join(", ")),
        }));
    }
    Ok(suite)
}

/// Parses a benchmark, and returns its unit if that is not the second.
fn benchmark(
    raw: RawBenchmark,
    common: &Map<String, Value>,
    position: usize,
) -> Result<(Benchmark, Option<String>), Reason> {
    let mut inherited = common.clone();
    inherited.extend(raw.metadata.unwrap_or_default());
    let runs: Vec<(RawRun, Metadata)> = raw
        .runs
        .into_iter()
        .map(|mut run| {
            let mut metadata = inherited.clone();
            metadata.extend(run.metadata.take().unwrap_or_default());
            (run, Metadata(metadata))
        })
        .collect();
    let first = runs.first().map(|(_, metadata)| metadata);
    let name = first.and_then(|metadata| metadata.text("name")).map(str::trim);
    let Some(name) = name.filter(|name| !name.is_empty()).map(str::to_owned) else {
        return Err(Reason::Broken {
            place: format!("benchmark {position}"),
            what: "it has no name".to_owned(),
        });
    };
    let unit = first.and_then(|metadata| metadata.text("unit"));
    let unit = unit.filter(|&unit| unit != "second").map(str::to_owned);
    let mut kept = Vec::new();
    for (number, (raw, metadata)) in (1..).zip(runs) {
        let run = run(raw, metadata).map_err(|what| Reason::Broken {
            place: format!("benchmark '{}', run {number}", shortened(&name)),
            what,
        })?;
        if !run.values.is_empty() {
            kept.push(run);
        }
    }
    Ok((Benchmark { name, runs: kept }, unit))
}

/// Parses a run, or says what is wrong with it.
fn run(raw: RawRun, metadata: Metadata) -> Result<Run, String> {
    let values = raw.values.unwrap_or_default();
    if let Some(value) = values.iter().find(|value| !(value.is_finite() && **value > 0.0)) {
        return Err(format!("a value is {value}, but must be above 0"));
    }
    let mut warmups = Vec::new();
    for (loops, value) in raw.warmups.unwrap_or_default() {
        if loops == 0 || !value.is_finite() || value < 0.0 {
            return Err(format!("a warm-up is [{loops}, {value}]"));
        }
        warmups.push(value);
    }
    if values.is_empty() && warmups.is_empty() {
        return Err("it has neither values nor warm-ups".to_owned());
    }
    Ok(Run {
        metadata,
        values,
        warmups,
    })
}

/// Shortens foreign text for a message to one line of readable length.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    let line: String = text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
