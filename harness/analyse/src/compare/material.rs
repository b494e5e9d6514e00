//! What is compared: runs, and the side that some of them make up.

use std::collections::{BTreeSet, HashMap};

use crate::estimate::Makespans;
use crate::summary::summarise;
use ftbench_schema::{
    Cell, CellStatus, CellSummary, Kernel, Manifest, Summary, Trial, WorkloadFacts, WorkloadKind,
};

/// A run, with what a comparison needs of it.
#[derive(Debug, Clone)]
pub struct Run {
    /// What was asked for, and how it went.
    pub manifest: Manifest,
    /// What the analysis made of it.
    pub summary: Summary,
    /// The makespans of every cell; empty for a run whose trials were not read, which can be
    /// compared with other runs, but not within itself.
    pub makespans: HashMap<Cell, Makespans>,
}

impl Run {
    /// Analyses the records of a run called `name`.
    #[must_use]
    pub fn of_trials(name: &str, manifest: Manifest, trials: &[Trial]) -> Self {
        let mut by_cell: HashMap<&Cell, Vec<&Trial>> = HashMap::new();
        for trial in trials {
            by_cell.entry(&trial.cell).or_default().push(trial);
        }
        let makespans = by_cell
            .into_iter()
            .map(|(cell, trials)| (cell.clone(), Makespans::of(&trials)))
            .collect();
        Self {
            summary: summarise(name, &manifest, trials),
            manifest,
            makespans,
        }
    }

    /// Takes an analysis that was made before.
    #[must_use]
    pub fn of_summary(manifest: Manifest, summary: Summary) -> Self {
        Self {
            manifest,
            summary,
            makespans: HashMap::new(),
        }
    }

    /// The interpreters that were measured, as reports call them; without the ceiling.
    #[must_use]
    pub fn labels(&self) -> BTreeSet<String> {
        let cells = self.summary.cells.iter().filter(|cell| !cell.is_native());
        cells.map(|cell| cell.interpreter_label()).collect()
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
        !cell.is_native() && self.interpreter.as_ref().is_none_or(|name| cell.is_named(name))
    }
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

/// Of three rounds the interval of the median reaches from the least to the largest, which is too narrow: by that the
/// variance of the median comes out at 1 / 1.887 of what it is. The median of three normal values has the variance
/// 1 - √3/π, their range the mean square 2 + 3√3/π (Jones, "Exact lower moments of order statistics in small samples from
/// a normal distribution", Annals of Mathematical Statistics 19 (1948)): (1 - √3/π) (2 · 1.96)² / (2 + 3√3/π). With four
/// rounds it is 0.91, with five 0.72, and stays on the careful side.
const OF_THREE_ROUNDS: f64 = 1.887;

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
        let widening = if cell.rounds <= 3 { OF_THREE_ROUNDS } else { 1.0 };
        Some(Self {
            log_s: (makespan.estimate / units).ln(),
            variance: widening * deviation * deviation,
            degrees: f64::from(cell.rounds - 1),
        })
    }

    /// Variance that the reading of a single round has.
    pub(super) fn of_one_round(&self) -> f64 {
        self.variance * (self.degrees + 1.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::simulation_tests::{SHARED, Simulation, measured};
    use super::*;
    use crate::bootstrap::median_interval;
    use crate::estimate::map;
    use crate::sample::Sample;
    use ftbench_schema::Model;

    /// The mean variance that readings of so many normal rounds tell, over the variance of their medians.
    fn told_of_true(rounds: u32) -> f64 {
        let mut simulation = Simulation::new(SHARED, 61);
        let mut cell = measured("fib", Model::Serial, 1);
        cell.rounds = rounds;
        let (mut told, mut squares) = (0.0, 0.0);
        for _ in 0..4000 {
            let logs = (0..rounds).map(|_| simulation.normal(0.01)).collect();
            let median = median_interval(&Sample::new(logs).unwrap()).unwrap();
            cell.makespan_s = Some(map(median, f64::exp));
            told += Reading::of(&cell).unwrap().variance;
            squares += median.estimate.powi(2);
        }
        told / squares
    }

    #[test]
    fn few_rounds_tell_no_less_than_the_variance_of_their_median() {
        let of_three = told_of_true(3);
        assert!((0.93..1.07).contains(&of_three), "{of_three}");
        for rounds in [4, 5, 10] {
            let told = told_of_true(rounds);
            assert!((1.0..1.6).contains(&told), "{rounds} rounds: {told}");
        }
    }
}
