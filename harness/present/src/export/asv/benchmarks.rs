//! `benchmarks.json`, asv's list of benchmarks for all machines and commits (asv 0.6.6, `asv/benchmarks.py`).
//!
//! asv ignores every result whose benchmark is not in the list. So an export adds to an existing list, and a workload
//! that was not measured this time keeps the results of earlier exports.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde_json::{Map, Value, json};

use super::{Named, Subject, grid, version};
use crate::export::Export;
use ftbench_schema::text;

/// The version of the list's format, under [`VERSION`] beside the benchmarks.
const FORMAT: u64 = 2;

/// The one key of a list that is not a benchmark; also the key of a benchmark's own version.
const VERSION: &str = "version";

/// The prefix of the names of ftbench's benchmarks.
pub(super) const PREFIX: &str = "ftbench.";

/// The only parameter of ftbench's benchmarks.
const PARAMETER: &str = "workers";

/// The maximum number of characters of a name that a message shows.
const MAX_NAME_LENGTH: usize = 60;

/// A list of benchmarks by name: those of ftbench, and any others in the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Benchmarks(Map<String, Value>);

/// Why a list cannot be extended. The caller, who read the file, reports its path.
#[derive(Debug, thiserror::Error)]
pub enum BenchmarksError {
    /// The text is not JSON.
    #[error("it is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It is not a list, or a list of another version.
    #[error("it is not a list of benchmarks in asv's format {FORMAT}")]
    Format,
    /// A benchmark has ftbench's prefix, but ftbench did not write it like this.
    #[error("its benchmark '{0}' was not written by ftbench")]
    Benchmark(String),
}

impl FromStr for Benchmarks {
    type Err = BenchmarksError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Value::Object(mut all) = serde_json::from_str(text)? else {
            return Err(BenchmarksError::Format);
        };
        let format = all.remove(VERSION).and_then(|version| version.as_u64());
        if format != Some(FORMAT) || !all.values().all(Value::is_object) {
            return Err(BenchmarksError::Format);
        }
        let mut own = all.iter().filter(|(name, _)| name.starts_with(PREFIX));
        if let Some((name, _)) = own.find(|(_, benchmark)| workers(benchmark).is_none()) {
            let name = text::shorten(&text::line(name), MAX_NAME_LENGTH);
            return Err(BenchmarksError::Benchmark(name));
        }
        Ok(Self(all))
    }
}

impl Benchmarks {
    /// The benchmarks of a run.
    pub(super) fn of_run(export: &Export<'_>, names: &BTreeMap<Subject, Named>) -> Self {
        let benchmark = |(subject, named): (&Subject, &Named)| {
            let mut workloads = export.summary.workloads.iter();
            let facts = workloads.find(|workload| workload.name == subject.workload);
            let summary = facts.map_or("", |facts| facts.summary.as_str());
            let benchmark = json!({
                "code": format!("# {}, {}: {summary}", subject.workload, subject.model),
                "name": named.name,
                "param_names": [PARAMETER],
                "params": [grid(&named.workers)],
                "pretty_name": format!("{}, {}", subject.workload, subject.model),
                "type": "time",
                "unit": "seconds",
                "version": version(export, subject),
            });
            (named.name.clone(), benchmark)
        };
        Self(names.iter().map(benchmark).collect())
    }

    /// Adds the benchmarks of a newer list. A benchmark that is in both is replaced by the newer one with the numbers
    /// of workers of both, because asv shows no others. The numbers of workers of another version of the workload are
    /// dropped, because asv ignores their results too.
    #[must_use]
    pub fn with(mut self, newer: Self) -> Self {
        for (name, mut benchmark) in newer.0 {
            let older = self.0.get(&name);
            let same_version = older.filter(|older| older.get(VERSION) == benchmark.get(VERSION));
            if let Some(mut all) = same_version.and_then(workers) {
                all.extend(workers(&benchmark).unwrap_or_default());
                if let Some(params) = benchmark.get_mut("params") {
                    *params = json!([grid(&all)]);
                }
            }
            self.0.insert(name, benchmark);
        }
        self
    }

    /// The contents of the file.
    #[must_use]
    pub fn into_json(mut self) -> Map<String, Value> {
        self.0.insert(VERSION.to_owned(), Value::from(FORMAT));
        self.0
    }
}

/// The numbers of workers of one of ftbench's benchmarks; `None` if it is not one.
fn workers(benchmark: &Value) -> Option<BTreeSet<u32>> {
    if *benchmark.get("param_names")? != json!([PARAMETER]) {
        return None;
    }
    let [counts] = benchmark.get("params")?.as_array()?.as_slice() else {
        return None;
    };
    let counts = counts.as_array()?.iter();
    counts.map(|count| count.as_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    fn benchmark(version: &str, workers: &[&str]) -> Value {
        json!({"param_names": ["workers"], "params": [workers], "version": version})
    }

    fn list(benchmarks: &[(&str, Value)]) -> Benchmarks {
        let benchmarks = benchmarks.iter();
        Benchmarks(
            benchmarks
                .map(|(name, benchmark)| ((*name).to_owned(), benchmark.clone()))
                .collect(),
        )
    }

    #[test]
    fn a_benchmark_that_was_not_measured_again_stays() {
        let foreign = json!({"param_names": [], "params": [], "version": "1"});
        let known = list(&[
            ("ftbench.time_fib_threads", benchmark("a", &["1", "2", "16"])),
            ("ftbench.time_nbody_serial", benchmark("b", &["1"])),
            ("suite.time_import", foreign.clone()),
        ]);
        let newer = list(&[("ftbench.time_fib_threads", benchmark("a", &["1", "4"]))]);
        let both = known.with(newer).into_json();
        assert_eq!(
            both["ftbench.time_fib_threads"],
            benchmark("a", &["1", "2", "4", "16"])
        );
        assert_eq!(both["ftbench.time_nbody_serial"], benchmark("b", &["1"]));
        assert_eq!(both["suite.time_import"], foreign);
        assert_eq!(both["version"], 2);
        // A written list can be extended again.
        let again: Benchmarks = Value::Object(both.clone()).to_string().parse().unwrap();
        assert_eq!(again.into_json(), both);
    }

    #[test]
    fn another_version_of_a_workload_replaces_the_numbers_of_workers() {
        let known = list(&[("ftbench.time_fib_threads", benchmark("a", &["1", "2"]))]);
        let newer = list(&[("ftbench.time_fib_threads", benchmark("b", &["1", "4"]))]);
        assert_eq!(known.with(newer.clone()), newer);
    }

    #[test]
    fn a_text_that_is_not_a_list_is_refused() {
        let refusal = |text: &str| text.parse::<Benchmarks>().unwrap_err().to_string();
        for damaged in ["", "{\"version\": 2", "\u{0}"] {
            assert!(refusal(damaged).starts_with("it is not JSON: "), "{damaged}");
        }
        for foreign in [
            "[]",
            "{}",
            r#"{"version": 1}"#,
            r#"{"version": 3}"#,
            r#"{"version": "2"}"#,
            r#"{"version": 2, "name": "x"}"#,
        ] {
            assert_eq!(
                refusal(foreign),
                "it is not a list of benchmarks in asv's format 2",
                "{foreign}"
            );
        }
        for benchmark in [
            json!({}),
            json!({"param_names": ["size"], "params": [["1"]]}),
            json!({"param_names": ["workers"], "params": []}),
            json!({"param_names": ["workers"], "params": [["one"]]}),
            json!({"param_names": ["workers"], "params": [[1]]}),
        ] {
            let text = json!({"version": 2, "ftbench.\u{1b}time": benchmark}).to_string();
            let refusal = refusal(&text);
            assert!(refusal.ends_with("was not written by ftbench"), "{refusal}");
            assert!(!refusal.contains('\u{1b}'));
        }
    }
}
