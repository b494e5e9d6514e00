//! The result of a comparison: the object of `ftbench compare --format json`.

use serde::Serialize;

use super::between_runs::Spread;
use super::documented::Class;
use super::drift::Drift;
use super::matching::{Key, Pair, Planned};
use super::material::Side;
use super::unpaired::UnpairedComparison;
use super::verdict::{TestedRatio, Verdict};
use crate::sample::{mean, median};
use ftbench_schema::{CellStatus, Estimate, WorkloadKind};

/// Version of the object. Keys are added within a version, never renamed or removed.
pub const COMPARISON_SCHEMA_VERSION: u32 = 2;

/// Whether both sides were measured at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pairing {
    /// Paired in the same rounds, so that disturbances of a round cancel.
    SameRounds,
    /// Runs made at different times: intervals include the variance between runs.
    DifferentTimes,
}

/// Facts about a compared side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SideFacts {
    /// The names of its runs.
    pub runs: Vec<String>,
    /// When each of them began, RFC 3339, UTC.
    pub started_at: Vec<String>,
    /// The interpreter named after the `#`, as tables show it; `None` if all were compared.
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

/// The deviations between runs that the comparison used: standard deviations of the logarithm of a time, which are
/// shares of the time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BetweenRuns {
    /// Number of runs of the same thing that they were estimated from; 0 for documented values alone.
    pub runs: usize,
    /// The deviation that all cells of a class have in common in a run, for the classes that were compared.
    pub common: Vec<Common>,
    /// The deviation of a cell's own: the median over the cells.
    pub own: f64,
}

/// The deviation that the cells of a class have in common between runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Common {
    /// Whether their workers run on several PUs at once.
    pub several_pus: bool,
    /// Whether the machine's drift was removed.
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
    /// The kind of workload; `None` for all workloads.
    pub kind: Option<WorkloadKind>,
    /// Number of workloads.
    pub workloads: usize,
    /// Number of cells.
    pub cells: usize,
    /// Time in NEW divided by time in BASE.
    pub ratio: Estimate,
}

/// A workload as a whole: the geometric mean of its cells on one PU.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkloadComparison {
    /// Its name.
    pub workload: String,
    /// Number of cells.
    pub cells: usize,
    /// Time in NEW divided by time in BASE.
    pub ratio: Estimate,
    /// Two-sided probability of a ratio at least as far from 1 if there were no difference.
    pub p_value: f64,
    /// The verdict, corrected for all workloads of the comparison.
    pub verdict: Verdict,
}

/// A cell that both sides measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellComparison {
    /// The cell.
    #[serde(flatten)]
    pub cell: Key,
    /// The kind of work that it does.
    pub kind: Option<WorkloadKind>,
    /// Time for one unit of its work in BASE, seconds; the geometric mean over several runs.
    pub base_s_per_unit: Option<f64>,
    /// The same in NEW.
    pub new_s_per_unit: Option<f64>,
    /// Units of work in a sample, for each run of BASE.
    pub base_units: Vec<u64>,
    /// The same for NEW.
    pub new_units: Vec<u64>,
    /// Time for one unit in NEW divided by the time in BASE, without the machine's drift if that is known.
    pub ratio: Estimate,
    /// The ratio including the drift; `None` if none was removed.
    pub ratio_as_measured: Option<f64>,
    /// Two-sided probability of a ratio at least as far from 1 if there were no difference.
    pub p_value: f64,
    /// The verdict.
    pub verdict: Verdict,
}

impl CellComparison {
    pub(super) fn new(
        pair: &Pair<'_>,
        found: &TestedRatio,
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

/// The name of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SideName {
    /// The side that is compared with.
    Base,
    /// The side that is compared.
    New,
}

impl SideName {
    /// The side's name in messages.
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
    /// The cell.
    #[serde(flatten)]
    pub cell: Key,
    /// The side.
    pub side: SideName,
    /// Number of the side's runs in which it failed.
    pub failed: usize,
    /// Number of the side's runs that tried it.
    pub runs: usize,
    /// The reason of the first failure, in one line.
    pub reason: Option<String>,
}

/// The reason why a cell has no ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It fails in NEW, in at least half of the runs that tried it, but not in BASE: a regression.
    Broken,
    /// It fails on both sides.
    StillBroken,
    /// It failed in BASE and no longer does.
    #[serde(rename = "mended")]
    Fixed,
    /// Only NEW has it.
    Added,
    /// Only BASE has it.
    Gone,
    /// It was not measured on either side.
    NotMeasured,
    /// The workload is not the same.
    OtherWork,
    /// Too few rounds for an interval, or too few in common.
    TooFewRounds,
}

impl Change {
    /// Every change, worst first.
    pub const ALL: [Self; 8] = [
        Self::Broken,
        Self::StillBroken,
        Self::Gone,
        Self::OtherWork,
        Self::TooFewRounds,
        Self::NotMeasured,
        Self::Fixed,
        Self::Added,
    ];

    /// The change in words, for tables.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::StillBroken => "fails in both",
            Self::Fixed => "fixed",
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
    /// The cell.
    #[serde(flatten)]
    pub cell: Key,
    /// How the cell changed.
    pub change: Change,
    /// The reason, in one line.
    pub reason: Option<String>,
}

/// Number of cells with each verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Slower cells.
    pub slower: usize,
    /// Faster cells.
    pub faster: usize,
    /// Cells that are the same within the smallest effect of interest.
    pub same: usize,
    /// Cells without a clear verdict.
    pub cannot_tell: usize,
    /// Cells that fail in NEW but not in BASE.
    pub broken: usize,
    /// Cells without a ratio for another reason.
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

/// The result of comparing two sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Version of the object.
    pub schema: u32,
    /// The side that is compared with.
    pub base: SideFacts,
    /// The side that is compared.
    pub new: SideFacts,
    /// Whether both sides were measured at the same time.
    pub pairing: Pairing,
    /// Whether cells of different interpreters are compared with each other.
    pub interpreters_matched: bool,
    /// Smallest relative difference of interest.
    pub smallest_effect: f64,
    /// Number of cells with each verdict.
    pub counts: Counts,
    /// The drift of the machine between the sides; empty for the same rounds, and without a ceiling.
    pub drift: Vec<Drift>,
    /// The deviations between runs; `None` for the same rounds.
    pub between_runs: Option<BetweenRuns>,
    /// Whole workloads; empty for the same rounds, where each cell gets a precise verdict of its own.
    pub workloads: Vec<WorkloadComparison>,
    /// Geometric means for each kind of workload, and for all.
    pub geometric_means: Vec<GeometricMean>,
    /// The cells that both sides measured, in the order of BASE.
    pub cells: Vec<CellComparison>,
    /// The cells that have no ratio.
    pub unmatched: Vec<Unmatched>,
    /// The cells that were compared although they failed in fewer than half of a side's runs that tried them.
    pub failed_in_some: Vec<FailedInSome>,
    /// Why the sides should not be compared, if they were compared anyway.
    pub overridden: Vec<String>,
    /// Differences between the sides, which may include the one of interest.
    pub differences: Vec<String>,
    /// What a reader must know of the runs.
    pub cautions: Vec<String>,
}

impl Comparison {
    /// Whether there is a significant regression: a cell or a workload that is slower, or a cell that now fails.
    #[must_use]
    pub fn has_regression(&self) -> bool {
        let is_slower = |one: &WorkloadComparison| one.verdict == Verdict::Slower;
        self.counts.slower > 0 || self.counts.broken > 0 || self.workloads.iter().any(is_slower)
    }

    /// Whether the comparison has a result: a ratio, a cell that now fails, or a cell that no longer does.
    #[must_use]
    pub fn has_result(&self) -> bool {
        let is_result = |one: &Unmatched| matches!(one.change, Change::Broken | Change::Fixed);
        !self.cells.is_empty() || self.unmatched.iter().any(is_result)
    }
}
