//! The input of a comparison: runs, and the sides made up of them.

use std::collections::{BTreeSet, HashMap};

use crate::estimate::Makespans;
use crate::summary::summarise;
use ftbench_schema::{
    Cell, CellStatus, CellSummary, Kernel, Manifest, Summary, Trial, WorkloadFacts, WorkloadKind,
};

/// A run with the data that a comparison needs.
#[derive(Debug, Clone)]
pub struct Run {
    /// The request, the conditions and the outcome.
    pub manifest: Manifest,
    /// The results of the analysis.
    pub summary: Summary,
    /// The makespans of every cell; empty for a run whose trials were not read. Such a run can be compared with other
    /// runs, but not with itself.
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

    /// Uses an existing analysis.
    #[must_use]
    pub fn of_summary(manifest: Manifest, summary: Summary) -> Self {
        Self {
            manifest,
            summary,
            makespans: HashMap::new(),
        }
    }

    /// Returns the display labels of the interpreters that were measured, without the ceiling.
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

/// One side of a comparison: one or more runs, or a single interpreter or arm of them.
#[derive(Debug, Clone)]
pub struct Side<'a> {
    /// The runs, at least one.
    pub runs: Vec<&'a Run>,
    /// The interpreter or arm, by its display label; `None` for all cells of the runs.
    pub interpreter: Option<String>,
}

impl Side<'_> {
    /// Whether a cell belongs to this side.
    pub(super) fn has(&self, cell: &CellSummary) -> bool {
        !cell.is_native() && self.interpreter.as_ref().is_none_or(|name| cell.is_named(name))
    }
}

/// One run's figure for a cell: the time for one unit of its work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Natural logarithm of the makespan divided by its units, in seconds.
    pub log_s: f64,
    /// Variance of the logarithm, estimated from the run's rounds.
    pub variance: f64,
    /// Degrees of freedom of the variance.
    pub degrees: f64,
}

/// Half the width of a normal variable's 95 % interval, in standard deviations.
const NORMAL_REACH: f64 = 1.959_963_984_540_054;

/// Correction for three rounds. The interval of the median of three rounds reaches from the least to the largest, which
/// is too narrow: the variance of the median derived from it is 1 / 1.887 of the true one. The median of three normal
/// values has the variance 1 - √3/π, their range the mean square 2 + 3√3/π (Jones, "Exact lower moments of order
/// statistics in small samples from a normal distribution", Annals of Mathematical Statistics 19 (1948)): (1 - √3/π) (2
/// · 1.96)² / (2 + 3√3/π). With four rounds the factor is 0.91, with five 0.72, and the estimate is conservative.
const THREE_ROUNDS_CORRECTION: f64 = 1.887;

impl Reading {
    /// Takes the reading of a measured cell; `None` without an interval, from which the variance is derived, and for a
    /// failed cell.
    ///
    /// Each run calibrates its workloads separately, so samples of two runs may do different numbers of units.
    /// Therefore the time for one unit is compared.
    #[must_use]
    pub fn of(cell: &CellSummary) -> Option<Self> {
        let makespan = cell.makespan_s.filter(|_| cell.status == CellStatus::Ok)?;
        let units = cell.units.filter(|&units| units > 0)? as f64;
        if !(makespan.low > 0.0 && makespan.high.is_finite() && cell.rounds > 1) {
            return None;
        }
        let deviation = (makespan.high / makespan.low).ln() / (2.0 * NORMAL_REACH);
        let widening = if cell.rounds <= 3 {
            THREE_ROUNDS_CORRECTION
        } else {
            1.0
        };
        Some(Self {
            log_s: (makespan.estimate / units).ln(),
            variance: widening * deviation * deviation,
            degrees: f64::from(cell.rounds - 1),
        })
    }

    /// Returns the variance for a single round.
    pub(super) fn single_round_variance(&self) -> f64 {
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

    /// Returns the mean variance of readings of this many normal rounds, divided by the variance of their medians.
    fn variance_ratio(rounds: u32) -> f64 {
        let mut simulation = Simulation::new(SHARED, 61);
        let mut cell = measured("fib", Model::Serial, 1);
        cell.rounds = rounds;
        let (mut variances, mut squares) = (0.0, 0.0);
        for _ in 0..4000 {
            let logs = (0..rounds).map(|_| simulation.normal(0.01)).collect();
            let median = median_interval(&Sample::new(logs).unwrap()).unwrap();
            cell.makespan_s = Some(map(median, f64::exp));
            variances += Reading::of(&cell).unwrap().variance;
            squares += median.estimate.powi(2);
        }
        variances / squares
    }

    #[test]
    fn few_rounds_do_not_underestimate_the_variance_of_their_median() {
        let ratio = variance_ratio(3);
        assert!((0.93..1.07).contains(&ratio), "{ratio}");
        for rounds in [4, 5, 10] {
            let ratio = variance_ratio(rounds);
            assert!((1.0..1.6).contains(&ratio), "{rounds} rounds: {ratio}");
        }
    }
}
