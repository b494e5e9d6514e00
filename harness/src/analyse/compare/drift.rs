//! How fast the machine itself was, by the ceiling's kernels.
//!
//! They hold no Python, so nothing that a change of Python code or of an interpreter does hides in them. What they got
//! slower by from one run to another, the machine did.

use std::collections::BTreeMap;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::between_runs::DOCUMENTED_DEGREES;
use super::material::{Reading, Run};
use super::moderate::Variance;
use crate::analyse::estimate::map;
use crate::analyse::location::{CONFIDENCE, FEWEST_VALUES, location};
use crate::analyse::sample::{Sample, mean, median};
use crate::record::schema::{Estimate, Kernel};

/// Kernels that a machine speeds up and slows down together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernels {
    /// Integer and floating-point arithmetic, which live from the clock and from the time that a hypervisor gives.
    Computing,
    /// Memory bandwidth, which neighbours share.
    Memory,
}

impl Kernels {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Computing, Self::Memory];

    /// Those that a kernel belongs to.
    #[must_use]
    pub const fn of(kernel: Kernel) -> Self {
        match kernel {
            Kernel::Integer | Kernel::FloatingPoint => Self::Computing,
            Kernel::MemoryBandwidth => Self::Memory,
        }
    }
}

/// What the machine itself did between the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Drift {
    /// By which kernels.
    pub kernels: Kernels,
    /// How many of the ceiling's cells tell it: one for each workload that has one.
    pub cells: usize,
    /// Their time in NEW over that in BASE.
    pub ratio: Estimate,
    /// Whether it was divided out of the ratios of the cells that have such a kernel for their ceiling.
    pub taken_out: bool,
}

/// A shift of logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shift {
    pub log: f64,
    pub variance: Variance,
    pub cells: usize,
}

/// A machine that runs at less than two thirds of its speed is throttled, or its kernels are other code under the same
/// version; what holds for a few instructions need not hold for an interpreter then.
const LARGEST_BELIEVED: f64 = 1.5;

impl Shift {
    /// Whether it may be taken out.
    pub fn is_believable(&self) -> bool {
        self.log.abs() <= LARGEST_BELIEVED.ln()
    }

    pub fn as_drift(&self, kernels: Kernels, taken_out: bool) -> Drift {
        let degrees = self.variance.degrees.max(1.0);
        let reach = quantile(degrees) * self.variance.value.sqrt();
        let logs = Estimate {
            estimate: self.log,
            low: self.log - reach,
            high: self.log + reach,
        };
        Drift {
            kernels,
            cells: self.cells,
            ratio: map(logs, f64::exp),
            taken_out,
        }
    }
}

/// Standard deviation between runs of one of the ceiling's cells, apart from what all have in common: for the one or
/// two cells of a small run, which cannot tell it themselves. They are the same few instructions over and over; what is
/// left is the moments at which they ran.
const KERNEL_DEVIATION: f64 = 0.01;

/// By how much the kernels got slower from BASE to NEW; `None` where some run has none in common with the others, or the
/// kernels were compiled into different versions of ftbench.
pub(super) fn between(kernels: Kernels, base: &[&Run], new: &[&Run]) -> Option<Shift> {
    let version = &base.first()?.manifest.ftbench_version;
    if base
        .iter()
        .chain(new)
        .any(|run| run.manifest.ftbench_version != *version)
    {
        return None;
    }
    let [base, new] = [base, new].map(|runs| -> Vec<BTreeMap<&str, Reading>> {
        runs.iter().map(|run| readings(kernels, run)).collect()
    });
    let shared: Vec<&str> = base
        .first()?
        .keys()
        .copied()
        .filter(|workload| base.iter().chain(&new).all(|run| run.contains_key(workload)))
        .collect();
    let side = |runs: &[BTreeMap<&str, Reading>], workload: &str| -> Reading {
        let of_runs: Vec<Reading> = runs.iter().filter_map(|run| run.get(workload).copied()).collect();
        average(&of_runs)
    };
    let pairs: Vec<(Reading, Reading)> = shared
        .iter()
        .map(|workload| (side(&base, workload), side(&new, workload)))
        .collect();
    let logs: Vec<f64> = pairs.iter().map(|(base, new)| new.log_s - base.log_s).collect();
    let within: Vec<f64> = pairs
        .iter()
        .map(|(base, new)| new.variance + base.variance)
        .collect();
    let of_runs = 1.0 / base.len() as f64 + 1.0 / new.len() as f64;
    centre(logs, &within, of_runs)
}

fn centre(logs: Vec<f64>, within: &[f64], of_runs: f64) -> Option<Shift> {
    let cells = logs.len();
    if cells == 0 {
        return None;
    }
    let least = mean(within) / cells as f64;
    if cells < FEWEST_VALUES {
        return Some(Shift {
            log: mean(&logs),
            variance: Variance {
                value: KERNEL_DEVIATION.powi(2) * of_runs / cells as f64 + least,
                degrees: DOCUMENTED_DEGREES,
            },
            cells,
        });
    }
    let found = location(&Sample::new(logs)?)?.centre;
    let degrees = cells as f64 - 1.0;
    let deviation = (found.high - found.low) / 2.0 / quantile(degrees);
    Some(Shift {
        log: found.estimate,
        variance: Variance {
            value: (deviation * deviation).max(least),
            degrees,
        },
        cells,
    })
}

/// By how much each of some runs of the same thing was slower than their mean; `None` where they have none of the
/// kernels' cells in common.
pub(super) fn within(kernels: Kernels, runs: &[&Run]) -> Option<Vec<f64>> {
    let readings: Vec<BTreeMap<&str, Reading>> = runs.iter().map(|run| readings(kernels, run)).collect();
    let shared: Vec<&str> = readings
        .first()?
        .keys()
        .copied()
        .filter(|workload| readings.iter().all(|run| run.contains_key(workload)))
        .collect();
    if shared.is_empty() {
        return None;
    }
    let log =
        |run: &BTreeMap<&str, Reading>, workload: &str| run.get(workload).map_or(f64::NAN, |one| one.log_s);
    let centres: Vec<f64> = shared
        .iter()
        .map(|workload| {
            mean(
                &readings
                    .iter()
                    .map(|run| log(run, workload))
                    .collect::<Vec<f64>>(),
            )
        })
        .collect();
    let of_run = |run: &BTreeMap<&str, Reading>| {
        let mut moves: Vec<f64> = shared
            .iter()
            .zip(&centres)
            .map(|(workload, centre)| log(run, workload) - centre)
            .collect();
        median(&mut moves)
    };
    Some(readings.iter().map(of_run).collect())
}

/// The ceiling's cells of one worker, by workload.
fn readings(kernels: Kernels, run: &Run) -> BTreeMap<&str, Reading> {
    let cells = run.summary.cells.iter();
    cells
        .filter(|cell| cell.is_native() && cell.workers == 1)
        .filter(|cell| run.kernel(&cell.workload).map(Kernels::of) == Some(kernels))
        .filter_map(|cell| Some((cell.workload.as_str(), Reading::of(cell)?)))
        .collect()
}

/// The mean of a side's runs, all with the same weight; at least one.
pub(super) fn average(readings: &[Reading]) -> Reading {
    let count = readings.len() as f64;
    let sum = |of: &dyn Fn(&Reading) -> f64| readings.iter().map(of).sum::<f64>();
    Reading {
        log_s: sum(&|one| one.log_s) / count,
        variance: sum(&|one| one.variance) / (count * count),
        degrees: sum(&|one| one.degrees),
    }
}

/// Half the width of Student's 95 % interval, in standard errors.
pub(super) fn quantile(degrees: f64) -> f64 {
    student(degrees).map_or(f64::INFINITY, |distribution| {
        distribution.inverse_cdf(0.5 + CONFIDENCE / 2.0)
    })
}

/// Two-sided probability of being at least so many standard errors from 0.
pub(super) fn two_sided(standard_errors: f64, degrees: f64) -> f64 {
    student(degrees).map_or(1.0, |distribution| 2.0 * distribution.sf(standard_errors.abs()))
}

/// Student's distribution; beyond ten thousand degrees of freedom it differs from the normal in no digit that is shown.
fn student(degrees: f64) -> Option<StudentsT> {
    let degrees = if degrees.is_nan() {
        1.0
    } else {
        degrees.clamp(1.0, 1e4)
    };
    StudentsT::new(0.0, 1.0, degrees).ok()
}
