//! Assigns a round to each of pyperf's processes.
//!
//! Values of one round are paired with each other. pyperf measures one benchmark after the other and one file after the
//! other, so its processes are not paired: each file has its own rounds. Files that ftbench exported from one run state
//! their rounds, which are restored.

use std::collections::{BTreeMap, BTreeSet};

use super::pyperf::{Benchmark, Run};

/// The limit from which a stated round number is not believed.
const ROUND_LIMIT: u64 = 1_000_000;

/// The rounds of all files.
#[derive(Debug, Default)]
pub struct Rounds {
    /// The first round of each source.
    first: BTreeMap<RoundSource, u32>,
}

/// A source of rounds: everything that was measured in the same rounds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum RoundSource {
    /// An exported run of ftbench. Run folders may have any name, so the time of the start distinguishes them.
    Run { name: String, started_at: String },
    /// All other benchmarks in the file with this number.
    File(usize),
}

impl Rounds {
    /// Gives every source as many rounds as the longest of its benchmarks has, in the order of the files. Each item has
    /// the benchmarks of one file.
    pub fn of<'a>(files: impl IntoIterator<Item = &'a [Benchmark]>) -> Self {
        let mut order = Vec::new();
        let mut count: BTreeMap<RoundSource, u32> = BTreeMap::new();
        for (file, benchmarks) in files.into_iter().enumerate() {
            for benchmark in benchmarks {
                let (source, rounds) = rounds_of(file, benchmark);
                let own = rounds.into_iter().max().map_or(0, |last| last.saturating_add(1));
                let max = count.entry(source.clone()).or_insert_with(|| {
                    order.push(source);
                    0
                });
                *max = own.max(*max);
            }
        }
        let mut first = BTreeMap::new();
        let mut next = 0_u32;
        for source in order {
            let rounds = count.get(&source).copied().unwrap_or_default();
            first.insert(source, next);
            next = next.saturating_add(rounds);
        }
        Self { first }
    }

    /// The rounds of a benchmark's runs, in the order of the runs.
    pub fn of_benchmark(&self, file: usize, benchmark: &Benchmark) -> Vec<u32> {
        let (source, rounds) = rounds_of(file, benchmark);
        let first = self.first.get(&source).copied().unwrap_or_default();
        rounds
            .into_iter()
            .map(|round| first.saturating_add(round))
            .collect()
    }

    /// The number of sources, which were measured separately.
    pub fn sources(&self) -> usize {
        self.first.len()
    }
}

/// The source of a benchmark's rounds, and the round of each run within it, from 0: the rounds that the runs state, if
/// these are all different and of one exported run, or else the order in the file.
fn rounds_of(file: usize, benchmark: &Benchmark) -> (RoundSource, Vec<u32>) {
    let stated: Option<Vec<(RoundSource, u32)>> = benchmark.runs.iter().map(stated_round).collect();
    if let Some(stated) = stated
        && let Some((source, _)) = stated.first()
        && stated.iter().all(|(other, _)| other == source)
    {
        let rounds: Vec<u32> = stated.iter().map(|(_, round)| *round).collect();
        if rounds.iter().collect::<BTreeSet<_>>().len() == rounds.len() {
            return (source.clone(), rounds);
        }
    }
    let order = (0..).take(benchmark.runs.len()).collect();
    (RoundSource::File(file), order)
}

/// The round that ftbench stated when it exported the run.
fn stated_round(run: &Run) -> Option<(RoundSource, u32)> {
    let text = |key| run.metadata.text(key).map(str::to_owned);
    let source = RoundSource::Run {
        name: text("ftbench_run")?,
        started_at: text("ftbench_started_at")?,
    };
    let round = run.metadata.count("round").filter(|&round| round < ROUND_LIMIT)?;
    Some((source, u32::try_from(round).ok()?))
}
