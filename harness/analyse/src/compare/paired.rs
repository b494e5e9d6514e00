//! Comparison of two sides in the same rounds.

use std::collections::BTreeMap;

use super::matching::{Pair, Planned};
use super::material::Run;
use super::verdict::TestedRatio;
use crate::estimate::{self, ByRound, Makespans, centre_of, log_contrast};
use ftbench_schema::{CellStatus, Estimate};

/// Returns the ratio NEW / BASE of every pair that both sides measured, by the position of the pair.
pub(super) fn ratios(runs: &[&Run], pairs: &[Pair<'_>]) -> BTreeMap<usize, TestedRatio> {
    let found = |pair: &Pair<'_>| {
        let ratio = centre_of(log_ratios(runs, pair))?;
        Some(TestedRatio {
            ratio: ratio.centre,
            p_value: ratio.p_value,
        })
    };
    let pairs = pairs.iter().enumerate();
    pairs
        .filter_map(|(position, pair)| Some((position, found(pair)?)))
        .collect()
}

/// Returns the number of rounds in which both sides have the pair.
pub(super) fn rounds_in_common(runs: &[&Run], pair: &Pair<'_>) -> usize {
    log_ratios(runs, pair).len()
}

/// Returns the geometric mean of the ratios of the pairs, over the rounds that all of them have.
pub(super) fn geometric_mean(runs: &[&Run], pairs: &[&Pair<'_>]) -> Option<Estimate> {
    let logs: Vec<ByRound> = pairs.iter().map(|pair| log_ratios(runs, pair)).collect();
    estimate::geometric_mean(&logs)
}

/// Returns the logarithm of NEW / BASE for every round of every run that has both, with distinct round numbers for each
/// run. Units do not matter here, because all cells of a workload do the same work in a run.
fn log_ratios(runs: &[&Run], pair: &Pair<'_>) -> ByRound {
    let first_round = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).wrapping_mul(1 << 20);
    let of_run = |(number, run): (usize, &&Run)| {
        let [base, new] = [&pair.base, &pair.new].map(|cells| makespans(run, cells));
        let logs = base.zip(new).map(|(base, new)| log_contrast(&[new], &[base]));
        let numbered = move |(round, log)| (first_round(number).wrapping_add(round), log);
        logs.unwrap_or_default().into_iter().map(numbered)
    };
    runs.iter().enumerate().flat_map(of_run).collect()
}

/// Returns a run's makespans of one of these cells.
fn makespans<'run>(run: &'run Run, cells: &[Planned<'_>]) -> Option<&'run Makespans> {
    let planned = cells
        .iter()
        .filter(|planned| planned.cell.status == CellStatus::Ok)
        .find(|planned| std::ptr::eq(run, planned.run))?;
    run.makespans.get(&planned.cell.cell)
}
