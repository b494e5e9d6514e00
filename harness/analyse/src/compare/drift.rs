//! The speed of the machine itself, measured by the ceiling's kernels.
//!
//! The kernels contain no Python, so a change of Python code or of an interpreter does not affect them. If they became
//! slower between two runs, the machine did.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::documented::{DOCUMENTED_DEGREES, DOCUMENTED_WEIGHT};
use super::material::{Reading, Run};
use super::moderate::Variance;
use crate::estimate::map;
use crate::location::{CONFIDENCE, MIN_VALUES, location};
use crate::sample::{Sample, mean, median};
use ftbench_schema::{CellSummary, Estimate, KernelGroup, Model};

/// A group of kernels on a number of PUs at once. One PU alone may be as fast as ever while several together are
/// slower, because they share power, caches and, as hardware threads, cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Load {
    /// The kernels, which represent the workloads whose ceiling they are.
    pub kernels: KernelGroup,
    /// Number of PUs.
    pub pus: usize,
}

/// Returns the number of PUs that a cell's workers run on: one for the tasks of an event loop, and shared ones for
/// workloads that wait.
pub(super) fn pus(cell: &CellSummary) -> usize {
    let pinned: BTreeSet<u32> = cell.placement.iter().copied().collect();
    if pinned.is_empty() {
        pus_of_workers(cell.model, cell.workers)
    } else {
        pinned.len()
    }
}

/// Returns the number of PUs that this many workers run on if each one that has a thread has a PU of its own.
#[must_use]
pub fn pus_of_workers(model: Model, workers: u32) -> usize {
    if model.shares_one_thread() {
        1
    } else {
        usize::try_from(workers).unwrap_or(usize::MAX)
    }
}

/// The change of the machine's own speed between the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Drift {
    /// The kernels that measured it.
    pub kernels: KernelGroup,
    /// Number of PUs at once.
    pub pus: usize,
    /// Number of ceiling cells that measured it: one for each workload with a ceiling.
    pub cells: usize,
    /// The kernels' time in NEW divided by their time in BASE.
    pub ratio: Estimate,
    /// Whether it was divided out of the ratios of the cells with such a ceiling.
    pub taken_out: bool,
}

/// A difference between logarithms of times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shift {
    pub log: f64,
    pub variance: Variance,
    pub cells: usize,
}

/// Maximum factor of a shift that is corrected. A machine that runs at less than half of its speed is throttled, or its
/// kernels are different code with the same version; what holds for a few instructions may not hold for an interpreter
/// then.
const MAX_BELIEVABLE_FACTOR: f64 = 2.0;

impl Shift {
    /// Whether the shift is small enough to be removed.
    pub fn is_believable(&self) -> bool {
        self.log.abs() <= MAX_BELIEVABLE_FACTOR.ln()
    }

    pub fn as_drift(&self, load: Load, taken_out: bool) -> Drift {
        let degrees = self.variance.degrees.max(1.0);
        let reach = quantile(degrees) * self.variance.value.sqrt();
        let logs = Estimate {
            estimate: self.log,
            low: self.log - reach,
            high: self.log + reach,
        };
        Drift {
            kernels: load.kernels,
            pus: load.pus,
            cells: self.cells,
            ratio: map(logs, f64::exp),
            taken_out,
        }
    }
}

/// Standard deviation between runs of one ceiling cell, apart from what all cells have in common, which few cells
/// cannot determine themselves. Kernels repeat a few instructions, so only the time at which they ran makes a
/// difference.
const KERNEL_DEVIATION: f64 = 0.01;

/// A workload and the kernel of its ceiling, which may be a different one in another run.
type Code<'a> = (&'a str, &'static str);

/// The ceiling's cells of a run.
type Readings<'a> = BTreeMap<Code<'a>, Reading>;

/// Returns by how much the kernels became slower from BASE to NEW; `None` if a run has no ceiling cell in common with
/// the others, or if the kernels come from different versions of ftbench.
pub(super) fn between(load: Load, base: &[&Run], new: &[&Run]) -> Option<Shift> {
    let version = &base.first()?.manifest.ftbench_version;
    if base
        .iter()
        .chain(new)
        .any(|run| run.manifest.ftbench_version != *version)
    {
        return None;
    }
    let [base, new] =
        [base, new].map(|runs| -> Vec<Readings<'_>> { runs.iter().map(|run| readings(load, run)).collect() });
    let shared: Vec<Code<'_>> = base
        .first()?
        .keys()
        .copied()
        .filter(|code| base.iter().chain(&new).all(|run| run.contains_key(code)))
        .collect();
    let side = |runs: &[Readings<'_>], code: &Code<'_>| -> Reading {
        let of_runs: Vec<Reading> = runs.iter().filter_map(|run| run.get(code).copied()).collect();
        average(&of_runs)
    };
    let pairs: Vec<(Reading, Reading)> = shared
        .iter()
        .map(|code| (side(&base, code), side(&new, code)))
        .collect();
    let logs: Vec<f64> = pairs.iter().map(|(base, new)| new.log_s - base.log_s).collect();
    let within: Vec<f64> = pairs
        .iter()
        .map(|(base, new)| new.variance + base.variance)
        .collect();
    let of_runs = 1.0 / base.len() as f64 + 1.0 / new.len() as f64;
    centre(logs, &within, of_runs)
}

/// Returns the centre of the kernels' shifts. Their variance is known from few of them, so it is combined with the
/// documented variance of kernels.
fn centre(logs: Vec<f64>, within: &[f64], of_runs: f64) -> Option<Shift> {
    let cells = logs.len();
    if cells == 0 {
        return None;
    }
    let count = cells as f64;
    let of_one = |degrees| Variance {
        value: KERNEL_DEVIATION.powi(2) * of_runs + mean(within),
        degrees,
    };
    let (log, spread) = if cells < MIN_VALUES {
        (mean(&logs), of_one(DOCUMENTED_DEGREES))
    } else {
        let found = location(&Sample::new(logs)?)?.centre;
        let degrees = count - 1.0;
        let deviation = (found.high - found.low) / 2.0 / quantile(degrees);
        let seen = Variance {
            value: deviation * deviation * count,
            degrees,
        };
        (found.estimate, of_one(DOCUMENTED_WEIGHT).with(seen))
    };
    Some(Shift {
        log,
        variance: Variance {
            value: spread.value / count,
            ..spread
        },
        cells,
    })
}

/// Returns by how much each of these runs of the same thing was slower than their mean; `None` if they have no ceiling
/// cell of these kernels in common.
pub(super) fn within(load: Load, runs: &[&Run]) -> Option<Vec<f64>> {
    let readings: Vec<Readings<'_>> = runs.iter().map(|run| readings(load, run)).collect();
    let shared: Vec<Code<'_>> = readings
        .first()?
        .keys()
        .copied()
        .filter(|code| readings.iter().all(|run| run.contains_key(code)))
        .collect();
    if shared.is_empty() {
        return None;
    }
    let log = |run: &Readings<'_>, code: &Code<'_>| run.get(code).map_or(f64::NAN, |one| one.log_s);
    let centres: Vec<f64> = shared
        .iter()
        .map(|code| mean(&readings.iter().map(|run| log(run, code)).collect::<Vec<f64>>()))
        .collect();
    let of_run = |run: &Readings<'_>| {
        let mut moves: Vec<f64> = shared
            .iter()
            .zip(&centres)
            .map(|(code, centre)| log(run, code) - centre)
            .collect();
        median(&mut moves)
    };
    Some(readings.iter().map(of_run).collect())
}

/// Returns the readings of the ceiling's cells for this load.
fn readings(load: Load, run: &Run) -> Readings<'_> {
    let cells = run.summary.cells.iter();
    cells
        .filter(|cell| cell.is_native() && pus(cell) == load.pus)
        .filter_map(|cell| {
            let kernel = run.kernel(&cell.workload)?;
            let code = (cell.workload.as_str(), kernel.name());
            (KernelGroup::of(kernel) == load.kernels).then_some((code, Reading::of(cell)?))
        })
        .collect()
}

/// Returns the mean of a side's runs with equal weights. There must be at least one.
pub(super) fn average(readings: &[Reading]) -> Reading {
    let count = readings.len() as f64;
    let sum = |of: &dyn Fn(&Reading) -> f64| readings.iter().map(of).sum::<f64>();
    Reading {
        log_s: sum(&|one| one.log_s) / count,
        variance: sum(&|one| one.variance) / (count * count),
        degrees: sum(&|one| one.degrees),
    }
}

/// Returns half the width of Student's 95 % interval in standard errors.
pub(super) fn quantile(degrees: f64) -> f64 {
    student(degrees).map_or(f64::INFINITY, |distribution| {
        distribution.inverse_cdf(0.5 + CONFIDENCE / 2.0)
    })
}

/// Returns the two-sided probability of a value at least this many standard errors from 0.
pub(super) fn two_sided(standard_errors: f64, degrees: f64) -> f64 {
    student(degrees).map_or(1.0, |distribution| 2.0 * distribution.sf(standard_errors.abs()))
}

/// Student's distribution. Beyond ten thousand degrees of freedom it equals the normal distribution in all digits
/// shown.
fn student(degrees: f64) -> Option<StudentsT> {
    let degrees = if degrees.is_nan() {
        1.0
    } else {
        degrees.clamp(1.0, 1e4)
    };
    StudentsT::new(0.0, 1.0, degrees).ok()
}
