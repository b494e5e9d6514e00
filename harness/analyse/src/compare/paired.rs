//! Both sides in the same rounds.

use std::collections::BTreeMap;

use super::matching::{Pair, Planned};
use super::material::Run;
use super::verdict::Found;
use crate::estimate::{ByRound, map, paired_ratio};
use crate::location::location;
use crate::sample::{Sample, mean};
use ftbench_schema::{CellStatus, Estimate};

/// A round of a run: rounds of several runs are apart.
type Round = (usize, u32);

/// The ratio of every pair that both sides measured, NEW over BASE, by the position of the pair.
pub(super) fn ratios(runs: &[&Run], pairs: &[Pair<'_>]) -> BTreeMap<usize, Found> {
    let found = |pair: &Pair<'_>| {
        let [base, new] = [&pair.base, &pair.new].map(|cells| flat(&makespans(runs, cells)));
        let ratio = paired_ratio(&new, &base)?;
        Some(Found {
            ratio: ratio.centre,
            p_value: ratio.p_value,
        })
    };
    let pairs = pairs.iter().enumerate();
    pairs
        .filter_map(|(position, pair)| Some((position, found(pair)?)))
        .collect()
}

/// In how many rounds both sides have the pair.
pub(super) fn rounds_in_common(runs: &[&Run], pair: &Pair<'_>) -> usize {
    let [base, new] = [&pair.base, &pair.new].map(|cells| makespans(runs, cells));
    base.keys().filter(|round| new.contains_key(round)).count()
}

/// exp of the centre over rounds of each round's mean over the pairs at these positions. Only rounds that all of them
/// have are used: with one missing, the round's mean would be of something else.
pub(super) fn geometric_mean(runs: &[&Run], pairs: &[&Pair<'_>]) -> Option<Estimate> {
    let logs: Vec<BTreeMap<Round, f64>> = pairs
        .iter()
        .map(|pair| {
            let base = makespans(runs, &pair.base);
            let new = makespans(runs, &pair.new);
            new.iter()
                .filter_map(|(round, new)| Some((*round, (new / base.get(round)?).ln())))
                .collect()
        })
        .collect();
    let means = logs.first()?.keys().filter_map(|round| {
        let of_round: Option<Vec<f64>> = logs.iter().map(|logs| logs.get(round).copied()).collect();
        Some(mean(&of_round?))
    });
    let centre = location(&Sample::new(means.collect())?)?.centre;
    Some(map(centre, f64::exp))
}

/// Units do not matter here: all cells of a workload do the same in a run.
fn makespans(runs: &[&Run], cells: &[Planned<'_>]) -> BTreeMap<Round, f64> {
    let mut all = BTreeMap::new();
    for Planned { run, cell } in cells
        .iter()
        .filter(|planned| planned.cell.status == CellStatus::Ok)
    {
        let Some(number) = runs.iter().position(|other| std::ptr::eq(*other, *run)) else {
            continue;
        };
        let by_round = run.makespans_s.get(&cell.cell);
        all.extend(
            by_round
                .into_iter()
                .flatten()
                .map(|(&round, &makespan_s)| ((number, round), makespan_s)),
        );
    }
    all
}

/// With the rounds of all runs numbered on.
fn flat(makespans: &BTreeMap<Round, f64>) -> ByRound {
    let number = |(run, round): Round| {
        u32::try_from(run)
            .unwrap_or(u32::MAX)
            .wrapping_mul(1 << 20)
            .wrapping_add(round)
    };
    makespans
        .iter()
        .map(|(&round, &makespan_s)| (number(round), makespan_s))
        .collect()
}
