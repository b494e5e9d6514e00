//! The variance between runs of the same thing at different times, in addition to the noise within each run.
//!
//! A run's reading of a cell is
//!
//! ```text
//! log time = cell + (effect of the run on all cells) + (effect of the run on this cell) + noise within the run
//! ```
//!
//! The second term, *common*, does not average out over cells and is estimated from few independent values, one for
//! each run. The third, *own*, does, and is estimated from one value for each cell and run. Both variances are
//! estimated from groups of runs of the same thing and combined with documented values, which are used alone if there
//! is no such group.

use std::collections::{BTreeMap, BTreeSet};

use super::documented::{DOCUMENTED_DEGREES, DOCUMENTED_WEIGHT, DocumentedDeviations};
use super::material::Reading;
use super::moderate::{Variance, common_prior};
use crate::sample::{mean, median};

/// The readings of one run, by the position of the cell in the comparison.
pub(super) type Row = BTreeMap<usize, Reading>;

/// Minimum number of cells for separating what they have in common from what is their own.
const MIN_CELLS: usize = 3;

/// Minimum number of cells for estimating a prior of their variances.
const MIN_CELLS_FOR_PRIOR: usize = 5;

/// Variances between runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spread {
    /// The variance that all cells of a run have in common.
    pub common: Variance,
    own: BTreeMap<usize, Variance>,
    own_default: Variance,
    /// Number of runs that it was estimated from; 0 for documented values alone.
    pub runs: usize,
}

impl Spread {
    /// Returns the variance of the cell at this position that is its own.
    pub fn own(&self, position: usize) -> Variance {
        self.own.get(&position).copied().unwrap_or(self.own_default)
    }
}

/// Sums over the groups for one cell.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    squares: f64,
    degrees: f64,
    within: f64,
    readings: f64,
}

impl Tally {
    fn within(&self) -> f64 {
        self.within / self.readings
    }

    /// Between and within runs together.
    fn total(&self) -> Variance {
        Variance {
            value: self.squares / self.degrees,
            degrees: self.degrees,
        }
    }
}

/// Estimates the variances from groups of runs of the same thing. `blocks` gives the workload of each position, because
/// the cells of a workload may vary together.
pub(super) fn spread(groups: &[Vec<Row>], blocks: &[usize], documented: DocumentedDeviations) -> Spread {
    let mut tallies: BTreeMap<usize, Tally> = BTreeMap::new();
    let mut common = Variance {
        value: 0.0,
        degrees: 0.0,
    };
    let mut runs = 0;
    for group in groups.iter().filter(|group| group.len() > 1) {
        let shared = shared_positions(group);
        if !shared.is_empty() {
            runs += group.len();
            common = common.with(tally(group, &shared, &mut tallies));
        }
    }
    let prior = OwnPrior::of(&tallies, blocks, documented);
    let own = tallies
        .iter()
        .map(|(&position, tally)| (position, prior.posterior(tally)))
        .collect();
    let documented_common = Variance {
        value: documented.common.powi(2),
        degrees: if common.degrees > 0.0 {
            DOCUMENTED_WEIGHT
        } else {
            DOCUMENTED_DEGREES
        },
    };
    Spread {
        common: documented_common.with(common),
        own,
        own_default: prior.without_readings(&tallies),
        runs,
    }
}

fn shared_positions(group: &[Row]) -> Vec<usize> {
    let mut shared: BTreeSet<usize> = group
        .first()
        .map(|row| row.keys().copied().collect())
        .unwrap_or_default();
    for row in group {
        shared.retain(|position| row.contains_key(position));
    }
    shared.into_iter().collect()
}

/// Adds a group to the cells' sums, and returns the variance that the cells have in common.
fn tally(group: &[Row], shared: &[usize], tallies: &mut BTreeMap<usize, Tally>) -> Variance {
    let column = |position: &usize| -> Vec<Reading> {
        group
            .iter()
            .filter_map(|row| row.get(position).copied())
            .collect()
    };
    let columns: Vec<Vec<Reading>> = shared.iter().map(column).collect();
    let residuals: Vec<Vec<f64>> = columns
        .iter()
        .map(|readings| {
            let logs: Vec<f64> = readings.iter().map(|reading| reading.log_s).collect();
            let centre = mean(&logs);
            logs.iter().map(|log| log - centre).collect()
        })
        .collect();
    let separable = shared.len() >= MIN_CELLS;
    // The median over cells, because a change of some of them is their own, not the machine's.
    let common_shifts: Vec<f64> = (0..group.len())
        .map(|run| {
            let mut of_run: Vec<f64> = residuals
                .iter()
                .filter_map(|cell| cell.get(run).copied())
                .collect();
            if separable { median(&mut of_run) } else { 0.0 }
        })
        .collect();
    let degrees = group.len() as f64 - 1.0;
    let own_share = if separable {
        1.0 - 1.0 / shared.len() as f64
    } else {
        1.0
    };
    for ((position, readings), residuals) in shared.iter().zip(&columns).zip(&residuals) {
        let tally = tallies.entry(*position).or_default();
        let squares = residuals
            .iter()
            .zip(&common_shifts)
            .map(|(residual, common)| (residual - common).powi(2));
        tally.squares += squares.sum::<f64>();
        tally.degrees += degrees * own_share;
        tally.within += readings.iter().map(|reading| reading.variance).sum::<f64>();
        tally.readings += readings.len() as f64;
    }
    let squares: f64 = common_shifts.iter().map(|shift| shift * shift).sum();
    if separable {
        Variance {
            value: squares / degrees,
            degrees,
        }
    } else {
        Variance {
            value: 0.0,
            degrees: 0.0,
        }
    }
}

/// The prior of a cell's own variance.
struct OwnPrior {
    documented: f64,
    /// Between and within runs together, fitted to the cells; `None` with too few of them.
    fitted: Option<Variance>,
    /// Number of independent values behind the fit; the cells of a workload count as one.
    figures: f64,
}

impl OwnPrior {
    fn of(tallies: &BTreeMap<usize, Tally>, blocks: &[usize], documented: DocumentedDeviations) -> Self {
        let totals: Vec<Variance> = tallies.values().map(Tally::total).collect();
        let workloads: BTreeSet<Option<usize>> = tallies
            .keys()
            .map(|&position| blocks.get(position).copied())
            .collect();
        let degrees: f64 = totals.iter().map(|total| total.degrees).sum();
        Self {
            documented: documented.own.powi(2),
            fitted: (totals.len() >= MIN_CELLS_FOR_PRIOR)
                .then(|| common_prior(&totals))
                .flatten(),
            figures: degrees * workloads.len() as f64 / totals.len().max(1) as f64,
        }
    }

    /// Returns the prior of the variance between and within runs together, given the cell's variance within runs.
    fn total(&self, within: f64) -> Variance {
        let documented = Variance {
            value: self.documented + within,
            degrees: DOCUMENTED_DEGREES,
        };
        let Some(fitted) = self.fitted else {
            return documented;
        };
        let weighted = Variance {
            degrees: DOCUMENTED_WEIGHT,
            ..documented
        };
        let known = weighted.with(Variance {
            value: fitted.value,
            degrees: self.figures,
        });
        Variance {
            value: known.value,
            degrees: fitted.degrees.min(known.degrees),
        }
    }

    /// Returns the variance between runs alone: the total minus the variance within runs (Hedges, "A random effects
    /// model for effect sizes", Psychological Bulletin 93 (1983)), not below 0.
    fn posterior(&self, tally: &Tally) -> Variance {
        let within = tally.within();
        subtract(self.total(within).with(tally.total()), within)
    }

    fn without_readings(&self, tallies: &BTreeMap<usize, Tally>) -> Variance {
        let within: Vec<f64> = tallies.values().map(Tally::within).collect();
        let within = if within.is_empty() { 0.0 } else { mean(&within) };
        subtract(self.total(within), within)
    }
}

fn subtract(total: Variance, within: f64) -> Variance {
    Variance {
        value: (total.value - within).max(0.0),
        degrees: total.degrees,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::documented::Class;
    use super::*;

    fn row(values: &[(f64, f64)]) -> Row {
        let reading = |&(log_s, variance): &(f64, f64)| Reading {
            log_s,
            variance,
            degrees: 9.0,
        };
        values.iter().map(reading).enumerate().collect()
    }

    /// Thirteen trials of the BCG vaccine, log relative risks and their variances: `dat.bcg` of R's metafor (Colditz
    /// and others, JAMA 271 (1994)), whose documentation gives 0.3286 for `rma(yi, vi, data = dat, method = "HE")`.
    #[test]
    fn variance_between_vaccine_trials_agrees_with_metafor() {
        let log_risks = [
            -0.8893, -1.5854, -1.3481, -1.4416, -0.2175, -0.7861, -1.6209, 0.0120, -0.4694, -1.3713, -0.3394,
            0.4459, -0.0173,
        ];
        let variances = [
            0.3256, 0.1946, 0.4154, 0.0200, 0.0512, 0.0069, 0.2230, 0.0040, 0.0564, 0.0730, 0.0124, 0.5325,
            0.0714,
        ];
        let group: Vec<Row> = log_risks
            .iter()
            .zip(variances)
            .map(|(&log, variance)| row(&[(log, variance)]))
            .collect();
        let mut tallies = BTreeMap::new();
        let common = tally(&group, &[0], &mut tallies);
        assert_eq!(common.degrees, 0.0);
        let tally = tallies.get(&0).unwrap();
        let between = subtract(tally.total(), tally.within()).value;
        assert!((between - 0.3286).abs() < 2e-4, "{between}");
    }

    #[test]
    fn documented_values_are_used_without_a_history() {
        let raw = DocumentedDeviations::of(Class::of(false, 1), 0.0);
        let spread = spread(&[], &[0, 1], raw);
        assert_eq!(spread.runs, 0);
        assert!((spread.common.value.sqrt() - 0.035).abs() < 1e-12);
        assert!((spread.own(1).value.sqrt() - 0.013).abs() < 1e-12);
        assert_eq!(spread.own(0).degrees, DOCUMENTED_DEGREES);
        // A single run contains no information about the variance between runs.
        let one = vec![row(&[(1.0, 1e-6), (2.0, 1e-6), (3.0, 1e-6)])];
        assert_eq!(super::spread(&[one], &[0, 1, 2], raw), spread);
    }

    #[test]
    fn common_and_own_variance_are_separated() {
        let moves = [0.10, -0.10, 0.05, -0.05, 0.0, 0.08, -0.08, 0.02, -0.02, 0.0, 0.0];
        let together: Vec<Row> = moves
            .iter()
            .map(|shift| row(&[(shift + 1.0, 0.0), (shift + 2.0, 0.0), (shift - 1.0, 0.0)]))
            .collect();
        let found = spread(
            std::slice::from_ref(&together),
            &[0, 1, 2],
            DocumentedDeviations::of(Class::of(true, 1), 0.0),
        );
        assert!(found.common.value.sqrt() > 0.04, "{found:?}");
        assert!(found.own(0).value.sqrt() < 0.012, "{found:?}");
        assert_eq!(found.runs, 11);
        let alone: Vec<Row> = moves
            .iter()
            .map(|shift| {
                row(&[
                    (shift + 1.0, 0.0),
                    (2.0, 0.0),
                    (-1.0, 0.0),
                    (0.5, 0.0),
                    (0.7, 0.0),
                ])
            })
            .collect();
        let found = spread(
            &[alone],
            &[0, 1, 2, 3, 4],
            DocumentedDeviations::of(Class::of(true, 1), 0.0),
        );
        assert!(found.common.value.sqrt() < 0.008, "{found:?}");
        assert!(
            found.own(0).value.sqrt() > 0.03 && found.own(1).value.sqrt() < 0.02,
            "{found:?}"
        );
    }
}
