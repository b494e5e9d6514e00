//! Workloads judged as a whole.

use std::collections::BTreeMap;

use super::matching::Pair;
use super::report::WorkloadComparison;
use super::unpaired::UnpairedComparison;
use super::verdict::{Found, verdicts};

/// Every workload with several cells on one PU, as a whole.
///
/// What slows a workload down slows most of its cells, and their mean is steadier than each. Cells on several PUs are left
/// to themselves: they go up and down together with what others leave of the cores, by more than a mean can make good.
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
    let (wholes, found): (Vec<(&str, usize)>, Vec<Found>) = names
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
