//! Comparison of runs made at different times.

use std::collections::{BTreeMap, BTreeSet};

use super::between_runs::{Row, Spread, spread};
use super::documented::{Class, DOCUMENTED_DEGREES, DocumentedDeviations};
use super::drift::{self, Drift, Load, Shift, average, quantile, two_sided};
use super::drift_correction::{DriftCorrection, interference, workload_deviation};
use super::history::Group;
use super::matching::Pair;
use super::material::{Reading, Run};
use super::moderate::Variance;
use super::verdict::TestedRatio;
use crate::estimate::map;
use crate::sample::{mean, median};
use ftbench_schema::Estimate;

/// A difference of logarithms with the components of its variance, each with its own degrees of freedom.
#[derive(Debug, Clone, PartialEq)]
struct Difference {
    log: f64,
    components: Vec<Variance>,
}

impl Difference {
    /// Returns the ratio with Student's interval. The degrees of freedom follow Satterthwaite, "An approximate
    /// distribution of estimates of variance components", Biometrics Bulletin 2 (1946); with two components this is
    /// Welch's test.
    fn ratio(&self) -> TestedRatio {
        let variance: f64 = self.components.iter().map(|one| one.value).sum();
        let spread: f64 = self
            .components
            .iter()
            .filter(|one| one.degrees > 0.0)
            .map(|one| one.value * one.value / one.degrees)
            .sum();
        let degrees = if spread > 0.0 {
            variance * variance / spread
        } else {
            f64::INFINITY
        };
        let error = variance.sqrt();
        let reach = quantile(degrees) * error;
        let logs = Estimate {
            estimate: self.log,
            low: self.log - reach,
            high: self.log + reach,
        };
        let p_value = match (error > 0.0, self.log == 0.0) {
            (true, _) => two_sided(self.log / error, degrees),
            (false, true) => 1.0,
            (false, false) => 0.0,
        };
        TestedRatio {
            ratio: map(logs, f64::exp),
            p_value,
        }
    }
}

/// The result for runs made at different times.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct UnpairedComparison {
    /// The ratios by the position of their pair.
    pub found: BTreeMap<usize, TestedRatio>,
    /// Ratios including the machine's drift, only for pairs from which it was removed.
    pub as_measured: BTreeMap<usize, f64>,
    pub drifts: Vec<Drift>,
    /// The variances used for each class of cells.
    pub spreads: BTreeMap<Class, Spread>,
    differences: BTreeMap<usize, Cell>,
    shifts: BTreeMap<Load, Shift>,
    /// Variance due to other processes and the hypervisor, common to all cells.
    interference: Variance,
}

/// The contribution of one pair to means of several.
#[derive(Debug, Clone, PartialEq)]
struct Cell {
    log: f64,
    class: Class,
    corrected_by: Option<Load>,
    workload: String,
    /// Factor from the variance of one run to that of the difference between the sides' means.
    of_runs: f64,
    own: Variance,
    /// Logarithm of a drift that is too large to be corrected, or 0.
    uncorrected_log: f64,
    within: Vec<Variance>,
}

/// The variance that an uncorrected drift adds.
const fn uncorrected(log: f64) -> Variance {
    Variance {
        value: log * log,
        degrees: DOCUMENTED_DEGREES,
    }
}

/// The method of comparison.
pub(super) struct Method<'a> {
    pub base: &'a [&'a Run],
    pub new: &'a [&'a Run],
    /// Groups of runs of the same thing, including the sides themselves.
    pub groups: &'a [Group<'a>],
    /// Whether the machine's drift is removed if the ceiling measured it.
    pub take_drift_out: bool,
}

impl Method<'_> {
    /// Compares all pairs that both sides measured, using the runs that measured them.
    pub fn compare(&self, pairs: &[Pair<'_>]) -> UnpairedComparison {
        let loads: BTreeSet<Load> = pairs.iter().filter_map(|pair| pair.load).collect();
        let shifts: BTreeMap<Load, Shift> = loads
            .into_iter()
            .filter_map(|load| Some((load, drift::between(load, self.base, self.new)?)))
            .collect();
        let runs_of_sides = [self.base.len(), self.new.len()];
        let correction = |pair: &Pair<'_>| match self.take_drift_out {
            true => DriftCorrection::of(pair, runs_of_sides, &shifts),
            false => DriftCorrection::Unknown,
        };
        let corrections: Vec<DriftCorrection> = pairs.iter().map(correction).collect();
        let mut classes: BTreeMap<Class, Vec<usize>> = BTreeMap::new();
        for (position, (pair, correction)) in pairs.iter().zip(&corrections).enumerate() {
            let class = Class::of(correction.taken_out().is_some(), pair.pus);
            classes.entry(class).or_default().push(position);
        }
        let blocks = blocks(pairs);
        let of_class = |(class, positions): (Class, Vec<usize>)| {
            let rows: Vec<Vec<Row>> = self
                .groups
                .iter()
                .map(|group| group.rows(pairs, &positions, class.corrected))
                .collect();
            let round = round_deviation(positions.iter().filter_map(|&at| pairs.get(at)));
            (
                class,
                spread(&rows, &blocks, DocumentedDeviations::of(class, round)),
            )
        };
        let mut comparison = UnpairedComparison {
            found: BTreeMap::new(),
            as_measured: BTreeMap::new(),
            drifts: shifts
                .iter()
                .map(|(&load, shift)| {
                    let mut taken_out = corrections.iter().filter_map(DriftCorrection::taken_out);
                    shift.as_drift(load, taken_out.any(|(other, _)| other == load))
                })
                .collect(),
            spreads: classes.into_iter().map(of_class).collect(),
            differences: BTreeMap::new(),
            shifts,
            interference: interference(self.base, self.new),
        };
        for ((position, pair), correction) in pairs.iter().enumerate().zip(&corrections) {
            comparison.add(position, pair, *correction);
        }
        comparison
    }
}

/// Returns the standard deviation of the logarithm of a time in one round of these pairs' cells: the square root of the
/// mean over the sides' runs of each run's median variance.
fn round_deviation<'p, 'r: 'p>(pairs: impl Iterator<Item = &'p Pair<'r>>) -> f64 {
    // Runs of two folders may have the same name.
    let mut by_run: BTreeMap<*const Run, Vec<f64>> = BTreeMap::new();
    for planned in pairs.flat_map(|pair| pair.base.iter().chain(&pair.new)) {
        if let Some(reading) = Reading::of(planned.cell) {
            let run = std::ptr::from_ref(planned.run);
            by_run
                .entry(run)
                .or_default()
                .push(reading.single_round_variance());
        }
    }
    let mut squares: Vec<f64> = by_run.values_mut().map(|variances| median(variances)).collect();
    // Addresses differ between executions, and the last digit of a sum depends on the order.
    squares.sort_by(f64::total_cmp);
    if squares.is_empty() {
        0.0
    } else {
        mean(&squares).sqrt()
    }
}

/// Returns a number for each pair that identifies its workload.
fn blocks(pairs: &[Pair<'_>]) -> Vec<usize> {
    let names: BTreeSet<&str> = pairs.iter().map(|pair| pair.key.workload.as_str()).collect();
    let numbers: BTreeMap<&str, usize> = names.into_iter().zip(0..).collect();
    pairs
        .iter()
        .map(|pair| numbers.get(pair.key.workload.as_str()).copied().unwrap_or(0))
        .collect()
}

impl UnpairedComparison {
    /// Returns the classes in which a cell was compared, with their variances.
    pub fn classes(&self) -> impl Iterator<Item = (Class, &Spread)> {
        let is_compared = |class: Class| self.differences.values().any(|cell| cell.class == class);
        let spreads = self.spreads.iter().map(|(&class, spread)| (class, spread));
        spreads.filter(move |(class, _)| is_compared(*class))
    }

    /// Returns each compared cell's own standard deviation between runs.
    pub fn own_deviations(&self) -> impl Iterator<Item = f64> {
        self.differences.iter().filter_map(|(&position, cell)| {
            let spread = self.spreads.get(&cell.class)?;
            Some(spread.own(position).value.sqrt())
        })
    }

    fn add(&mut self, position: usize, pair: &Pair<'_>, correction: DriftCorrection) {
        let corrected_by = correction.taken_out();
        let [base, new] = [&pair.base, &pair.new].map(|cells| Pair::readings(cells));
        if base.is_empty() || new.is_empty() {
            return;
        }
        let class = Class::of(corrected_by.is_some(), pair.pus);
        let Some(spread) = self.spreads.get(&class) else {
            return;
        };
        let of_runs = 1.0 / base.len() as f64 + 1.0 / new.len() as f64;
        let scaled = |variance: Variance| Variance {
            value: variance.value * of_runs,
            ..variance
        };
        let (mut own, common) = (scaled(spread.own(position)), scaled(spread.common));
        let [base, new] = [average(&base), average(&new)];
        let as_measured = new.log_s - base.log_s;
        let shift = corrected_by.map(|(_, shift)| shift);
        own.value += shift.map_or(0.0, |shift| workload_deviation(&shift).powi(2));
        let log = as_measured - shift.map_or(0.0, |shift| shift.log);
        let within = [base, new].map(
            |Reading {
                 variance, degrees, ..
             }| Variance {
                value: variance,
                degrees,
            },
        );
        let mut components = vec![
            own,
            common,
            self.interference,
            uncorrected(correction.uncorrected_log()),
        ];
        components.extend(within);
        components.extend(shift.map(|shift| shift.variance));
        self.found
            .insert(position, Difference { log, components }.ratio());
        if shift.is_some() {
            self.as_measured.insert(position, as_measured.exp());
        }
        let cell = Cell {
            log,
            class,
            corrected_by: corrected_by.map(|(load, _)| load),
            workload: pair.key.workload.clone(),
            of_runs,
            own,
            uncorrected_log: correction.uncorrected_log(),
            within: within.to_vec(),
        };
        self.differences.insert(position, cell);
    }

    /// Returns the variance of the mean of these cells that all cells have in common. The classes share the machine, so
    /// their deviations are added.
    fn common(&self, cells: &[&Cell]) -> Option<Variance> {
        let parts: Vec<(f64, f64)> = self
            .spreads
            .iter()
            .filter_map(|(&class, spread)| {
                let of_runs: Vec<f64> = cells
                    .iter()
                    .filter(|cell| cell.class == class)
                    .map(|cell| cell.of_runs)
                    .collect();
                let share = of_runs.len() as f64 / cells.len() as f64;
                // Slightly less for cells that were measured in different runs of a side.
                let deviation = (spread.common.value * mean(&of_runs)).sqrt();
                (!of_runs.is_empty()).then_some((share * deviation, spread.common.degrees))
            })
            .collect();
        let deviation: f64 = parts.iter().map(|(deviation, _)| deviation).sum();
        let degrees = parts.iter().map(|(_, degrees)| *degrees).reduce(f64::min)?;
        Some(Variance {
            value: deviation * deviation,
            degrees,
        })
    }

    /// Returns the geometric mean of the ratios at these positions; `None` if none has a ratio. The effect of a run on
    /// all cells does not average out over them, nor does a workload's own effect over its cells.
    pub fn geometric_mean(&self, positions: &[usize]) -> Option<TestedRatio> {
        let cells: Vec<&Cell> = positions
            .iter()
            .filter_map(|at| self.differences.get(at))
            .collect();
        if cells.is_empty() {
            return None;
        }
        let count = cells.len() as f64;
        let share =
            |wanted: &dyn Fn(&Cell) -> bool| cells.iter().filter(|cell| wanted(cell)).count() as f64 / count;
        let mut components: Vec<Variance> = Vec::new();
        let mut add = |variance: Variance, weight: f64| {
            components.push(Variance {
                value: variance.value * weight * weight,
                ..variance
            });
        };
        let mut workloads: BTreeMap<&str, Vec<&Cell>> = BTreeMap::new();
        for cell in &cells {
            workloads.entry(&cell.workload).or_default().push(cell);
            for &variance in &cell.within {
                add(variance, 1.0 / count);
            }
        }
        for of_workload in workloads.values() {
            // The cells of a workload are taken as fully correlated, so the mean does not reduce their variance.
            let own = of_workload.iter().map(|cell| cell.own.value).sum::<f64>() / of_workload.len() as f64;
            let degrees = of_workload
                .iter()
                .map(|cell| cell.own.degrees)
                .fold(f64::INFINITY, f64::min);
            add(Variance { value: own, degrees }, of_workload.len() as f64 / count);
        }
        if let Some(common) = self.common(&cells) {
            add(common, 1.0);
        }
        add(self.interference, 1.0);
        // An uncorrected drift is due to the machine and common to all cells.
        add(
            uncorrected(cells.iter().map(|cell| cell.uncorrected_log).sum()),
            1.0 / count,
        );
        for (load, shift) in &self.shifts {
            let part = share(&|cell: &Cell| cell.corrected_by == Some(*load));
            add(shift.variance, part);
        }
        let log = cells.iter().map(|cell| cell.log).sum::<f64>() / count;
        Some(Difference { log, components }.ratio())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Welch, "The generalization of 'Student's' problem when several different population variances are involved",
    /// Biometrika 34 (1947), on the two samples of R's `sleep` (Cushny and Peebles, 1905):
    /// `t.test(extra ~ group, data = sleep)` gives t = -1.8608, df = 17.776, p = 0.07939, interval -3.3654832 to
    /// 0.2054832.
    #[test]
    fn two_components_give_welchs_test() {
        let variance = |value: f64| Variance {
            value: value / 10.0,
            degrees: 9.0,
        };
        let difference = Difference {
            log: 0.75 - 2.33,
            components: vec![variance(3.200_556), variance(4.009)],
        };
        let found = difference.ratio();
        assert!((found.p_value - 0.079_39).abs() < 1e-5, "{found:?}");
        assert!((found.ratio.low.ln() + 3.365_483).abs() < 1e-4, "{found:?}");
        assert!((found.ratio.high.ln() - 0.205_483).abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn difference_without_variance_is_certain() {
        let certain = Difference {
            log: 0.1,
            components: Vec::new(),
        };
        assert_eq!(certain.ratio().p_value, 0.0);
        let equal = Difference { log: 0.0, ..certain };
        assert_eq!(equal.ratio().p_value, 1.0);
    }
}
