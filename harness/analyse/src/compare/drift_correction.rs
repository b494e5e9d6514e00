//! Correction of ratios for the machine's drift between the sides.

use std::collections::BTreeMap;

use super::documented::DOCUMENTED_DEGREES;
use super::drift::{self, Load, Shift};
use super::matching::Pair;
use super::material::Run;
use super::moderate::Variance;
use crate::sample::mean;

/// The drift correction of a pair.
#[derive(Debug, Clone, Copy)]
pub(super) enum DriftCorrection {
    /// The kernels measured the drift, and it is removed.
    TakenOut(Load, Shift),
    /// The kernels measured a drift that is too large to be corrected. Contains its logarithm; no smaller difference
    /// can be detected then.
    TooLarge(f64),
    /// The drift is unknown or is not to be removed.
    Unknown,
}

impl DriftCorrection {
    /// Returns the correction for the runs that a pair was measured in, which may be fewer than all runs of the sides.
    /// `runs_of_sides` are the numbers of runs of the two sides, `shifts` the drift between all of them.
    pub fn of(pair: &Pair<'_>, runs_of_sides: [usize; 2], shifts: &BTreeMap<Load, Shift>) -> Self {
        let Some((load, of_sides)) = pair.load.and_then(|load| Some((load, shifts.get(&load)?))) else {
            return Self::Unknown;
        };
        let [base, new] = [&pair.base, &pair.new].map(|cells| Pair::runs_with_readings(cells));
        let shift = if [base.len(), new.len()] == runs_of_sides {
            Some(*of_sides)
        } else {
            drift::between(load, &base, &new)
        };
        match shift {
            None => Self::Unknown,
            Some(shift) if shift.is_believable() && of_sides.is_believable() => Self::TakenOut(load, shift),
            Some(shift) => Self::TooLarge(shift.log.abs().max(of_sides.log.abs())),
        }
    }

    /// The load and the shift that are removed; `None` if nothing is.
    pub const fn taken_out(&self) -> Option<(Load, Shift)> {
        match *self {
            Self::TakenOut(load, shift) => Some((load, shift)),
            Self::TooLarge(_) | Self::Unknown => None,
        }
    }

    /// The logarithm of a drift that is too large to be corrected; 0 if there is none.
    pub const fn uncorrected_log(&self) -> f64 {
        match *self {
            Self::TooLarge(log) => log,
            Self::TakenOut(..) | Self::Unknown => 0.0,
        }
    }
}

/// Standard deviation of the difference between a workload's slowdown and the kernels': the square of the latter, as a
/// logarithm. A clock frequency that is a few per cent lower slows down all code alike; a cause that slows down kernels
/// by a third does not. When a 2-core virtual machine had a whole core for each PU again, kernels took 0.67 times as
/// long (the logarithm is -0.40), and the cells on one PU of three workloads 0.77, 0.57 and 0.70 times, which is a
/// deviation of 0.14 (docs/decisions.md).
pub(super) fn workload_deviation(shift: &Shift) -> f64 {
    shift.log * shift.log
}

/// Maximum share of a PU that others are taken to use, which keeps the logarithm finite.
const MAX_TAKEN: f64 = 0.9;

/// Variance due to other processes and the hypervisor. What they use of a run's PUs slows it down by about as much.
/// Neither the documented values nor a history of quiet runs include this, so the difference between the sides is a
/// deviation of its own. What affects both sides alike shows in the variance of their rounds.
pub(super) fn interference(base: &[&Run], new: &[&Run]) -> Variance {
    let of_run = |run: &&Run| {
        let quiet = run.summary.quiet.as_ref();
        let share = quiet.map_or(0.0, |quiet| {
            quiet.steal.unwrap_or(0.0) + quiet.others.unwrap_or(0.0)
        });
        (1.0 - share.clamp(0.0, MAX_TAKEN)).ln()
    };
    let of_side = |runs: &[&Run]| mean(&runs.iter().map(of_run).collect::<Vec<f64>>());
    Variance {
        value: (of_side(new) - of_side(base)).powi(2),
        degrees: DOCUMENTED_DEGREES,
    }
}
