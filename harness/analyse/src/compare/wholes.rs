//! Verdicts on whole workloads.

use std::collections::BTreeMap;

use super::matching::Pair;
use super::report::WorkloadComparison;
use super::unpaired::UnpairedComparison;
use super::verdict::{TestedRatio, verdicts};

/// Compares every workload that has several cells on one PU as a whole.
///
/// What slows down a workload slows down most of its cells, and their mean is more precise than each of them. Cells on
/// several PUs are left out, because they vary together with the load on the cores by more than averaging can
/// compensate.
pub(super) fn workloads(
    pairs: &[Pair<'_>],
    unpaired: &UnpairedComparison,
    smallest_effect: f64,
) -> Vec<WorkloadComparison> {
    let mut names: Vec<&str> = Vec::new();
    let mut positions: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let compared = pairs
        .iter()
        .enumerate()
        .filter(|(position, pair)| pair.pus == 1 && unpaired.found.contains_key(position));
    for (position, pair) in compared {
        let name = pair.key.workload.as_str();
        if !positions.contains_key(name) {
            names.push(name);
        }
        positions.entry(name).or_default().push(position);
    }
    let (wholes, found): (Vec<(&str, usize)>, Vec<TestedRatio>) = names
        .into_iter()
        .filter_map(|name| {
            let own = positions.get(name).filter(|own| own.len() > 1)?;
            Some(((name, own.len()), unpaired.geometric_mean(own)?))
        })
        .unzip();
    let verdicts = verdicts(&found, smallest_effect);
    wholes
        .into_iter()
        .zip(found)
        .zip(verdicts)
        .map(|(((workload, cells), found), verdict)| WorkloadComparison {
            workload: workload.to_owned(),
            cells,
            ratio: found.ratio,
            p_value: found.p_value,
            verdict,
        })
        .collect()
}
