//! What the machine did between the sides, as far as it is known and believed.

use std::collections::BTreeMap;

use super::documented::DOCUMENTED_DEGREES;
use super::drift::{self, Load, Shift};
use super::matching::Pair;
use super::material::Run;
use super::moderate::Variance;
use crate::sample::mean;

/// How a pair is corrected for what the machine did between its sides.
#[derive(Debug, Clone, Copy)]
pub(super) enum DriftCorrection {
    /// It is told by kernels, and is taken out.
    TakenOut(Load, Shift),
    /// The logarithm of what kernels tell, which is more than can be believed: nothing smaller can be told then.
    Doubted(f64),
    /// Nothing, or it is left in.
    Unknown,
}

impl DriftCorrection {
    /// The correction for the runs that a pair was measured in, which need not be all of the sides'. `runs_of_sides` are
    /// the numbers of runs of the two sides, `shifts` what the machine did between all of these.
    pub fn of(pair: &Pair<'_>, runs_of_sides: [usize; 2], shifts: &BTreeMap<Load, Shift>) -> Self {
        let Some((load, of_sides)) = pair.load.and_then(|load| Some((load, shifts.get(&load)?))) else {
            return Self::Unknown;
        };
        let [base, new] = [&pair.base, &pair.new].map(|cells| Pair::read_in(cells));
        let shift = if [base.len(), new.len()] == runs_of_sides {
            Some(*of_sides)
        } else {
            drift::between(load, &base, &new)
        };
        match shift {
            None => Self::Unknown,
            Some(shift) if shift.is_believable() && of_sides.is_believable() => Self::TakenOut(load, shift),
            Some(shift) => Self::Doubted(shift.log.abs().max(of_sides.log.abs())),
        }
    }

    /// By what it is told and how much that is; `None` where it is not taken out.
    pub const fn taken_out(&self) -> Option<(Load, Shift)> {
        match *self {
            Self::TakenOut(load, shift) => Some((load, shift)),
            Self::Doubted(_) | Self::Unknown => None,
        }
    }

    /// The logarithm of what is not believed; 0 where there is nothing to doubt.
    pub const fn doubted_log(&self) -> f64 {
        match *self {
            Self::Doubted(log) => log,
            Self::TakenOut(..) | Self::Unknown => 0.0,
        }
    }
}

/// Standard deviation of what a workload loses besides what the kernels do: the square of the latter, as a logarithm. A
/// clock that runs a few per cent slower slows all down alike; what slows kernels down by a third does not. When a 2-core
/// virtual machine had a whole core for each PU again, kernels took 0.67 times as long (the logarithm is -0.40), and the cells
/// on one PU of three workloads 0.77, 0.57 and 0.70 times, which is a deviation of 0.14 (docs/decisions.md).
pub(super) fn unlike_the_kernels(shift: &Shift) -> f64 {
    shift.log * shift.log
}

/// A PU of which others take more than this is as good as lost; it keeps the logarithm finite.
const MOST_TAKEN: f64 = 0.9;

/// What other processes and the hypervisor took of a run's PUs makes it slower by about as much. Neither documented values
/// nor a history of quiet runs know of it, so what they took more on one side than on the other is a deviation of its
/// own. What both sides lost alike shows in how much their rounds differ.
pub(super) fn taken(base: &[&Run], new: &[&Run]) -> Variance {
    let of_run = |run: &&Run| {
        let quiet = run.summary.quiet.as_ref();
        let share = quiet.map_or(0.0, |quiet| {
            quiet.steal.unwrap_or(0.0) + quiet.others.unwrap_or(0.0)
        });
        (1.0 - share.clamp(0.0, MOST_TAKEN)).ln()
    };
    let of_side = |runs: &[&Run]| mean(&runs.iter().map(of_run).collect::<Vec<f64>>());
    Variance {
        value: (of_side(new) - of_side(base)).powi(2),
        degrees: DOCUMENTED_DEGREES,
    }
}
