//! Which round each of pyperf's processes becomes.
//!
//! Values of one round are paired with each other. pyperf measures one benchmark after the other and one file after the
//! other, so its processes are paired with nothing: each file has rounds of its own. Files that ftbench exported from one
//! run tell their rounds, and get them back.

use std::collections::{BTreeMap, BTreeSet};

use super::pyperf::{Benchmark, Run};

/// Above this a round that a file tells is not believed.
const LARGEST_ROUND: u64 = 1_000_000;

/// Gives out rounds.
#[derive(Debug, Default)]
pub struct Rounds {
    /// The first round of each source of rounds: a run that was exported, or a file.
    first: BTreeMap<String, u32>,
    next: u32,
}

impl Rounds {
    /// The first round for all benchmarks of a file, which has so many rounds at most.
    pub fn begin(&mut self, file: usize, benchmarks: &[Benchmark]) -> u32 {
        let run = benchmarks
            .iter()
            .flat_map(|benchmark| &benchmark.runs)
            .find_map(exported_from);
        let source = run.unwrap_or_else(|| format!("file {file}"));
        let rounds = benchmarks.iter().flat_map(of_benchmark).max().unwrap_or(0);
        let first = *self.first.entry(source).or_insert(self.next);
        self.next = self.next.max(first.saturating_add(rounds).saturating_add(1));
        first
    }

    /// How many sources of rounds there are, which were measured apart from each other.
    pub fn sources(&self) -> usize {
        self.first.len()
    }
}

/// The run of ftbench's that a file is of.
fn exported_from(run: &Run) -> Option<String> {
    let name = run.metadata.text("ftbench_run")?;
    // Folders of runs may have any name; when they began tells them apart.
    Some(format!(
        "run {name} of {}",
        run.metadata.text("ftbench_started_at")?
    ))
}

/// The rounds of a benchmark's runs, from 0: those that it tells, if they are all different, or else their order.
#[must_use]
pub fn of_benchmark(benchmark: &Benchmark) -> Vec<u32> {
    let told: Option<Vec<u32>> = benchmark
        .runs
        .iter()
        .map(|run| {
            exported_from(run)?;
            let round = run.metadata.count("round")?;
            u32::try_from(round).ok().filter(|_| round < LARGEST_ROUND)
        })
        .collect();
    match told {
        Some(told) if told.iter().collect::<BTreeSet<_>>().len() == told.len() => told,
        _ => (0..).take(benchmark.runs.len()).collect(),
    }
}
