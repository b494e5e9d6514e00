//! What is compared: runs, and the side that some of them make up.

use std::collections::{BTreeSet, HashMap};

use crate::analyse::estimate::{ByRound, makespans_s};
use crate::analyse::summary::summarise;
use crate::record::schema::{
    Cell, CellStatus, CellSummary, Kernel, Manifest, Summary, Trial, WorkloadFacts, WorkloadKind,
};

/// A run, with what a comparison needs of it.
#[derive(Debug, Clone)]
pub struct Run {
    /// What was asked for, and how it went.
    pub manifest: Manifest,
    /// What the analysis made of it.
    pub summary: Summary,
    /// The makespans of every cell, seconds, by round; empty for a run whose trials were not read, which can be
    /// compared with other runs, but not within itself.
    pub makespans_s: HashMap<Cell, ByRound>,
}

impl Run {
    /// Analyses the records of a run called `name`.
    #[must_use]
    pub fn of_trials(name: &str, manifest: Manifest, trials: &[Trial]) -> Self {
        let mut by_cell: HashMap<&Cell, Vec<&Trial>> = HashMap::new();
        for trial in trials {
            by_cell.entry(&trial.cell).or_default().push(trial);
        }
        let makespans_s = by_cell
            .into_iter()
            .map(|(cell, trials)| (cell.clone(), makespans_s(&trials)))
            .collect();
        Self {
            summary: summarise(name, &manifest, trials),
            manifest,
            makespans_s,
        }
    }

    /// Takes an analysis that was made before.
    #[must_use]
    pub fn of_summary(manifest: Manifest, summary: Summary) -> Self {
        Self {
            manifest,
            summary,
            makespans_s: HashMap::new(),
        }
    }

    /// The interpreters that were measured, as reports call them; without the ceiling.
    #[must_use]
    pub fn labels(&self) -> BTreeSet<String> {
        let cells = self.summary.cells.iter().filter(|cell| !cell.is_native());
        cells.map(CellSummary::interpreter_label).collect()
    }

    pub(super) fn workload(&self, name: &str) -> Option<&WorkloadFacts> {
        self.manifest
            .workloads
            .iter()
            .find(|workload| workload.name == name)
    }

    pub(super) fn kind(&self, workload: &str) -> Option<WorkloadKind> {
        self.workload(workload).map(|workload| workload.kind)
    }

    pub(super) fn kernel(&self, workload: &str) -> Option<Kernel> {
        Some(self.workload(workload)?.ceiling.as_ref()?.kernel)
    }
}

/// One side of a comparison: a run or a set of them, or what one interpreter or arm did in them.
#[derive(Debug, Clone)]
pub struct Side<'a> {
    /// The runs, at least one.
    pub runs: Vec<&'a Run>,
    /// The interpreter or arm, as reports call it; `None` for all of the runs' cells.
    pub interpreter: Option<String>,
}

impl Side<'_> {
    /// Whether a cell belongs to this side.
    pub(super) fn has(&self, cell: &CellSummary) -> bool {
        !cell.is_native() && self.interpreter.as_ref().is_none_or(|name| is_named(cell, name))
    }
}

/// Whether what stands behind `#` names the cell's interpreter, its arm, or both.
#[must_use]
pub fn is_named(cell: &CellSummary, name: &str) -> bool {
    cell.interpreter_label() == name
        || cell.host.label(&cell.interpreter, None) == name
        || cell.arm.as_deref() == Some(name)
}

/// One run's figure for a cell: how long one unit of its work took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Natural logarithm of the makespan over its units, in seconds.
    pub log_s: f64,
    /// Variance of that, as the spread over the run's rounds tells it.
    pub variance: f64,
    /// Degrees of freedom of the variance.
    pub degrees: f64,
}

/// Half the width of a normal variable's 95 % interval, in standard deviations.
const NORMAL_REACH: f64 = 1.959_963_984_540_054;

impl Reading {
    /// Of a cell that was measured; `None` without an interval to tell the spread from, and for what failed.
    ///
    /// Each run calibrates its workloads on its own, so samples of two runs may do different numbers of units: what
    /// is compared is the time of one.
    #[must_use]
    pub fn of(cell: &CellSummary) -> Option<Self> {
        let makespan = cell.makespan_s.filter(|_| cell.status == CellStatus::Ok)?;
        let units = cell.units.filter(|&units| units > 0)? as f64;
        if !(makespan.low > 0.0 && makespan.high.is_finite() && cell.rounds > 1) {
            return None;
        }
        let deviation = (makespan.high / makespan.low).ln() / (2.0 * NORMAL_REACH);
        Some(Self {
            log_s: (makespan.estimate / units).ln(),
            variance: deviation * deviation,
            degrees: f64::from(cell.rounds - 1),
        })
    }
}
