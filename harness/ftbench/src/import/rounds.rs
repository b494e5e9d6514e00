//! Which round each of pyperf's processes becomes.
//!
//! Values of one round are paired with each other. pyperf measures one benchmark after the other and one file after the
//! other, so its processes are paired with nothing: each file has rounds of its own. Files that ftbench exported from one
//! run tell their rounds, and get them back.

use std::collections::{BTreeMap, BTreeSet};

use super::pyperf::{Benchmark, Run};

/// Above this a round that a file tells is not believed.
const LARGEST_ROUND: u64 = 1_000_000;

/// The rounds of all files.
#[derive(Debug, Default)]
pub struct Rounds {
    /// The first round of each source of rounds.
    first: BTreeMap<RoundSource, u32>,
}

/// What was measured in rounds of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum RoundSource {
    /// A run of ftbench's that was exported. Folders of runs may have any name; when they began distinguishes them.
    Run { name: String, started_at: String },
    /// All other benchmarks of the file with this number.
    File(usize),
}

impl Rounds {
    /// Gives every source as many rounds as any of its benchmarks has, in the order of the files. Each item is a file's
    /// benchmarks.
    pub fn of<'a>(files: impl IntoIterator<Item = &'a [Benchmark]>) -> Self {
        let mut order = Vec::new();
        let mut count: BTreeMap<RoundSource, u32> = BTreeMap::new();
        for (file, benchmarks) in files.into_iter().enumerate() {
            for benchmark in benchmarks {
                let (source, rounds) = rounds_of(file, benchmark);
                let own = rounds.into_iter().max().map_or(0, |last| last.saturating_add(1));
                let most = count.entry(source.clone()).or_insert_with(|| {
                    order.push(source);
                    0
                });
                *most = own.max(*most);
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

    /// The rounds of a benchmark's runs, in their order.
    pub fn of_benchmark(&self, file: usize, benchmark: &Benchmark) -> Vec<u32> {
        let (source, rounds) = rounds_of(file, benchmark);
        let first = self.first.get(&source).copied().unwrap_or_default();
        rounds
            .into_iter()
            .map(|round| first.saturating_add(round))
            .collect()
    }

    /// How many sources of rounds there are, which were measured apart from each other.
    pub fn sources(&self) -> usize {
        self.first.len()
    }
}

/// Where the rounds of a benchmark's runs are counted, and which they are there, from 0: those that its runs state, if all are
/// of one exported run and different, or else their order in the file.
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

/// The round that ftbench exported a run with.
fn stated_round(run: &Run) -> Option<(RoundSource, u32)> {
    let text = |key| run.metadata.text(key).map(str::to_owned);
    let source = RoundSource::Run {
        name: text("ftbench_run")?,
        started_at: text("ftbench_started_at")?,
    };
    let round = run
        .metadata
        .count("round")
        .filter(|&round| round < LARGEST_ROUND)?;
    Some((source, u32::try_from(round).ok()?))
}
