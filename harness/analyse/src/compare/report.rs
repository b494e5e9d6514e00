//! What a comparison says: the object of `ftbench compare --format json`.

use serde::Serialize;

use super::between_runs::Spread;
use super::documented::Class;
use super::drift::Drift;
use super::matching::{Key, Pair, Planned};
use super::material::Side;
use super::unpaired::UnpairedComparison;
use super::verdict::{Found, Verdict};
use crate::sample::{mean, median};
use ftbench_schema::{CellStatus, Estimate, WorkloadKind};

/// Version of the object. Keys are added within a version, never renamed or removed.
pub const COMPARISON_SCHEMA_VERSION: u32 = 2;

/// Whether both sides were measured at the same moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pairing {
    /// Paired in the same rounds: what slows a round down cancels.
    SameRounds,
    /// Runs made at different times: intervals carry what lies between runs.
    DifferentTimes,
}

/// A side, as it was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SideFacts {
    /// The names of its runs.
    pub runs: Vec<String>,
    /// When each of them began, RFC 3339, UTC.
    pub started_at: Vec<String>,
    /// The interpreter that was named; `None` for all.
    pub interpreter: Option<String>,
}

impl SideFacts {
    pub(super) fn of(side: &Side<'_>) -> Self {
        let runs = || side.runs.iter().map(|run| &run.summary.run);
        Self {
            runs: runs().map(|run| run.name.clone()).collect(),
            started_at: runs().map(|run| run.started_at.clone()).collect(),
            interpreter: side.interpreter.clone(),
        }
    }
}

/// How far runs lie apart, as it was reckoned with: standard deviations of the logarithm of a time, which are shares of
/// the time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BetweenRuns {
    /// How many runs of the same thing it was estimated from; 0 for documented values alone.
    pub runs: usize,
    /// Of what all cells of a class have in common in a run; for the classes that were compared.
    pub common: Vec<Common>,
    /// Of what a cell has for itself: the median over the cells.
    pub own: f64,
}

/// How far a class of cells moves together from run to run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Common {
    /// Whether their workers run on several PUs at once.
    pub several_pus: bool,
    /// Whether the machine's drift was taken out.
    pub corrected: bool,
    /// Standard deviation.
    pub deviation: f64,
}

impl BetweenRuns {
    pub(super) fn of(unpaired: &UnpairedComparison) -> Option<Self> {
        let mut own: Vec<f64> = unpaired.own_deviations().collect();
        if own.is_empty() {
            return None;
        }
        let common = |(class, spread): (Class, &Spread)| Common {
            several_pus: class.several_pus,
            corrected: class.corrected,
            deviation: spread.common.value.sqrt(),
        };
        Some(Self {
            runs: unpaired
                .classes()
                .map(|(_, spread)| spread.runs)
                .max()
                .unwrap_or(0),
            common: unpaired.classes().map(common).collect(),
            own: median(&mut own),
        })
    }
}

/// A geometric mean of ratios.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GeometricMean {
    /// Of the workloads of this kind; `None` for all.
    pub kind: Option<WorkloadKind>,
    /// How many workloads.
    pub workloads: usize,
    /// How many cells.
    pub cells: usize,
    /// Time in NEW over that in BASE.
    pub ratio: Estimate,
}

/// A workload as a whole: the geometric mean of its cells on one PU.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkloadComparison {
    /// Its name.
    pub workload: String,
    /// How many cells.
    pub cells: usize,
    /// Time in NEW over that in BASE.
    pub ratio: Estimate,
    /// Two-sided probability of a ratio as far from 1 were there no difference.
    pub p_value: f64,
    /// What is said of it, over all workloads of the comparison at once.
    pub verdict: Verdict,
}

/// A cell that both sides measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellComparison {
    /// What is compared.
    #[serde(flatten)]
    pub cell: Key,
    /// What kind of work it does.
    pub kind: Option<WorkloadKind>,
    /// Time of one unit of its work in BASE, seconds; of several runs their geometric mean.
    pub base_s_per_unit: Option<f64>,
    /// The same in NEW.
    pub new_s_per_unit: Option<f64>,
    /// Units of work in a sample, in each run of BASE.
    pub base_units: Vec<u64>,
    /// The same for NEW.
    pub new_units: Vec<u64>,
    /// Time of a unit in NEW over that in BASE; without the machine's drift, where that is known.
    pub ratio: Estimate,
    /// The ratio with the drift still in it; `None` where none was taken out.
    pub ratio_as_measured: Option<f64>,
    /// Two-sided probability of a ratio at least as far from 1 were there no difference.
    pub p_value: f64,
    /// What is said of it.
    pub verdict: Verdict,
}

impl CellComparison {
    pub(super) fn new(
        pair: &Pair<'_>,
        found: &Found,
        verdict: Verdict,
        ratio_as_measured: Option<f64>,
    ) -> Self {
        let per_unit = |cells: &[Planned<'_>]| -> Option<f64> {
            let logs: Vec<f64> = Pair::readings(cells).iter().map(|one| one.log_s).collect();
            (!logs.is_empty()).then(|| mean(&logs).exp())
        };
        let units = |cells: &[Planned<'_>]| {
            let measured = cells
                .iter()
                .filter(|planned| planned.cell.status == CellStatus::Ok);
            measured.filter_map(|planned| planned.cell.units).collect()
        };
        Self {
            cell: pair.key.clone(),
            kind: pair.kind,
            base_s_per_unit: per_unit(&pair.base),
            new_s_per_unit: per_unit(&pair.new),
            base_units: units(&pair.base),
            new_units: units(&pair.new),
            ratio: found.ratio,
            ratio_as_measured,
            p_value: found.p_value,
            verdict,
        }
    }
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SideName {
    /// What is compared with.
    Base,
    /// What is compared.
    New,
}

impl SideName {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Base => "BASE",
            Self::New => "NEW",
        }
    }
}

/// A cell that was compared although it failed in some of a side's runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedInSome {
    /// Which.
    #[serde(flatten)]
    pub cell: Key,
    /// On which side.
    pub side: SideName,
    /// In how many of its runs it failed.
    pub failed: usize,
    /// Of how many that tried it.
    pub runs: usize,
    /// Why, in a line; of several failures the first one's.
    pub reason: Option<String>,
}

/// Why a cell has no ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It fails in NEW, in at least half of the runs that tried it, and did not in BASE: a regression.
    Broken,
    /// It fails in both.
    StillBroken,
    /// It failed in BASE and no longer does.
    Mended,
    /// Only NEW has it.
    Added,
    /// Only BASE has it.
    Gone,
    /// Neither measured it.
    NotMeasured,
    /// The workload is another one.
    OtherWork,
    /// Too few rounds for an interval, or too few in common.
    TooFewRounds,
}

impl Change {
    /// Every change, the worst first.
    pub const ALL: [Self; 8] = [
        Self::Broken,
        Self::StillBroken,
        Self::Gone,
        Self::OtherWork,
        Self::TooFewRounds,
        Self::NotMeasured,
        Self::Mended,
        Self::Added,
    ];

    /// The words for it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::StillBroken => "fails in both",
            Self::Mended => "mended",
            Self::Added => "only in NEW",
            Self::Gone => "only in BASE",
            Self::NotMeasured => "not measured",
            Self::OtherWork => "not comparable",
            Self::TooFewRounds => "too few rounds",
        }
    }
}

/// A cell that has no ratio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// Which.
    #[serde(flatten)]
    pub cell: Key,
    /// What became of it.
    pub change: Change,
    /// Why, in a line.
    pub reason: Option<String>,
}

/// How many cells got which verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Slower.
    pub slower: usize,
    /// Faster.
    pub faster: usize,
    /// The same within the smallest effect of interest.
    pub same: usize,
    /// Neither can be said.
    pub cannot_tell: usize,
    /// They fail in NEW and did not in BASE.
    pub broken: usize,
    /// They have no ratio for another reason.
    pub not_compared: usize,
}

impl Counts {
    pub(super) fn of(cells: &[CellComparison], unmatched: &[Unmatched]) -> Self {
        let with = |verdict: Verdict| cells.iter().filter(|cell| cell.verdict == verdict).count();
        let broken = unmatched
            .iter()
            .filter(|one| one.change == Change::Broken)
            .count();
        Self {
            slower: with(Verdict::Slower),
            faster: with(Verdict::Faster),
            same: with(Verdict::Same),
            cannot_tell: with(Verdict::CannotTell),
            broken,
            not_compared: unmatched.len() - broken,
        }
    }
}

/// What comes of comparing two sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Version of the object.
    pub schema: u32,
    /// What is compared with.
    pub base: SideFacts,
    /// What is compared.
    pub new: SideFacts,
    /// Whether both were measured at the same moments.
    pub pairing: Pairing,
    /// Whether cells of different interpreters are held against each other.
    pub interpreters_matched: bool,
    /// Smallest relative difference of interest.
    pub smallest_effect: f64,
    /// How many cells got which verdict.
    pub counts: Counts,
    /// What the machine itself did between the sides; empty for the same rounds, and without a ceiling.
    pub drift: Vec<Drift>,
    /// How far runs lie apart; `None` for the same rounds.
    pub between_runs: Option<BetweenRuns>,
    /// Workloads as a whole; empty for the same rounds, where each cell can be told.
    pub workloads: Vec<WorkloadComparison>,
    /// Geometric means by kind, and of all.
    pub geometric_means: Vec<GeometricMean>,
    /// The cells that both sides measured, in the order of BASE.
    pub cells: Vec<CellComparison>,
    /// The cells that have no ratio.
    pub unmatched: Vec<Unmatched>,
    /// The cells that were compared and failed in some of a side's runs, fewer than half of those that tried them.
    pub failed_in_some: Vec<FailedInSome>,
    /// Why they could not be compared, when that was insisted on.
    pub overridden: Vec<String>,
    /// In what the sides differ, which may be what is compared.
    pub differences: Vec<String>,
    /// What a reader must know of the runs.
    pub cautions: Vec<String>,
}

impl Comparison {
    /// Whether something got worse beyond doubt: a cell or a workload that is slower, or a cell that fails now.
    #[must_use]
    pub fn has_regression(&self) -> bool {
        let is_slower = |one: &WorkloadComparison| one.verdict == Verdict::Slower;
        self.counts.slower > 0 || self.counts.broken > 0 || self.workloads.iter().any(is_slower)
    }

    /// Whether it has an answer: a ratio, a cell that fails now, or one that no longer does.
    #[must_use]
    pub fn says_something(&self) -> bool {
        let tells = |one: &Unmatched| matches!(one.change, Change::Broken | Change::Mended);
        !self.cells.is_empty() || self.unmatched.iter().any(tells)
    }
}
