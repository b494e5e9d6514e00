//! `benchmarks.json`, asv's list of benchmarks for all machines and commits (asv 0.6.6, `asv/benchmarks.py`).
//!
//! asv passes over every result whose benchmark is not in the list. So a list that is there is added to: a workload that
//! was not measured this time keeps what was exported of it before.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde_json::{Map, Value, json};

use super::{Named, Subject, grid, version};
use crate::export::Export;
use ftbench_schema::text;

/// The version of the list's format, under [`VERSION`] beside the benchmarks.
const FORMAT: u64 = 2;

/// The key of a list that is no benchmark, and of a benchmark its own version.
const VERSION: &str = "version";

/// What the names of ftbench's benchmarks begin with.
pub(super) const PREFIX: &str = "ftbench.";

/// The only parameter of ftbench's benchmarks.
const PARAMETER: &str = "workers";

/// Characters of a name that a message shows.
const LONGEST_NAME: usize = 60;

/// A list of benchmarks: those of ftbench, by name, and whatever else the file has.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Benchmarks(Map<String, Value>);

/// Why a list cannot be added to. The path is told by whoever read it.
#[derive(Debug, thiserror::Error)]
pub enum BenchmarksError {
    /// Damaged, or another file altogether.
    #[error("it is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Not a list, or one of another version.
    #[error("it is no list of benchmarks in asv's format {FORMAT}")]
    Format,
    /// A benchmark with a name of ftbench's that ftbench did not write so.
    #[error("its benchmark '{0}' is none that ftbench wrote")]
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
            let name = text::shorten(&text::line(name), LONGEST_NAME);
            return Err(BenchmarksError::Benchmark(name));
        }
        Ok(Self(all))
    }
}

impl Benchmarks {
    /// The benchmarks of a run.
    pub(super) fn of_run(export: &Export<'_>, names: &BTreeMap<Subject, Named>) -> Self {
        let of_subject = |(subject, named): (&Subject, &Named)| {
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
        Self(names.iter().map(of_subject).collect())
    }

    /// This list with the benchmarks of a newer one. Of a benchmark that is in both, the newer one stands, with the
    /// numbers of workers of both: asv shows no others. Those of another version of the workload are not taken over, for
    /// asv passes over their results too.
    #[must_use]
    pub fn with(mut self, newer: Self) -> Self {
        for (name, mut benchmark) in newer.0 {
            let older = self.0.get(&name);
            let alike = older.filter(|older| older.get(VERSION) == benchmark.get(VERSION));
            if let Some(mut all) = alike.and_then(workers) {
                all.extend(workers(&benchmark).unwrap_or_default());
                if let Some(params) = benchmark.get_mut("params") {
                    *params = json!([grid(&all)]);
                }
            }
            self.0.insert(name, benchmark);
        }
        self
    }

    /// As the file holds it.
    #[must_use]
    pub fn into_json(mut self) -> Map<String, Value> {
        self.0.insert(VERSION.to_owned(), Value::from(FORMAT));
        self.0
    }
}

/// The numbers of workers of a benchmark of ftbench's; `None` for what is none.
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
    fn what_was_not_measured_again_stays() {
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
        // What is written can be added to.
        let again: Benchmarks = Value::Object(both.clone()).to_string().parse().unwrap();
        assert_eq!(again.into_json(), both);
    }

    #[test]
    fn another_version_of_a_workload_brings_its_own_workers() {
        let known = list(&[("ftbench.time_fib_threads", benchmark("a", &["1", "2"]))]);
        let newer = list(&[("ftbench.time_fib_threads", benchmark("b", &["1", "4"]))]);
        assert_eq!(known.with(newer.clone()), newer);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let told = |text: &str| text.parse::<Benchmarks>().unwrap_err().to_string();
        for damaged in ["", "{\"version\": 2", "\u{0}"] {
            assert!(told(damaged).starts_with("it is no JSON: "), "{damaged}");
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
                told(foreign),
                "it is no list of benchmarks in asv's format 2",
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
            let told = told(&text);
            assert!(told.ends_with("is none that ftbench wrote"), "{told}");
            assert!(!told.contains('\u{1b}'));
        }
    }
}
