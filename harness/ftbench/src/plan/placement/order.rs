//! Orders the PUs of a machine by a policy.

use std::collections::BTreeSet;

use super::{PlacementError, Policy};
use crate::machine::topology::{Pu, Topology, list_of_pus};

/// Returns the group of a PU at one level of the machine.
type GroupOf = fn(&Pu) -> Option<(u32, u32)>;

/// The levels that [`Policy::Scatter`] spreads over, widest first.
const LEVELS: [GroupOf; 4] = [
    |pu| Some((0, pu.package)),
    |pu| Some((0, pu.numa_node)),
    |pu| pu.die.map(|die| (0, die)),
    |pu| pu.cache.map(|cache| (cache.level, cache.index)),
];

/// The PUs (OS indices) in the order in which workers fill them; empty for [`Policy::None`].
///
/// # Errors
///
/// When a list names a PU that does not exist or is not allowed, or no PU is allowed.
pub fn order(topology: &Topology, policy: &Policy) -> Result<Vec<u32>, PlacementError> {
    let cores = cores_fastest_first(topology);
    let order: Vec<u32> = match policy {
        Policy::None => return Ok(Vec::new()),
        Policy::List(pus) => return listed(topology, pus, policy),
        Policy::Cores => first_threads(&cores).map(|pu| pu.os_index).collect(),
        Policy::Smt => cores.iter().flatten().map(|pu| pu.os_index).collect(),
        Policy::Scatter => {
            let threads: Vec<&Pu> = first_threads(&cores).collect();
            threads
                .chunk_by(|one, next| one.efficiency == next.efficiency)
                .flat_map(|kind| spread(kind.to_vec(), &LEVELS))
                .map(|pu| pu.os_index)
                .collect()
        }
    };
    if order.is_empty() {
        return Err(PlacementError::NothingAllowed);
    }
    Ok(order)
}

fn listed(topology: &Topology, pus: &[u32], policy: &Policy) -> Result<Vec<u32>, PlacementError> {
    for &wanted in pus {
        match topology.pu(wanted) {
            None => {
                let existing: BTreeSet<u32> = topology.pus.iter().map(|pu| pu.os_index).collect();
                return Err(PlacementError::UnknownPu {
                    list: policy.clone(),
                    pu: wanted,
                    pus: list_of_pus(&Vec::from_iter(existing)),
                });
            }
            Some(pu) if !pu.allowed => {
                return Err(PlacementError::ForbiddenPu {
                    list: policy.clone(),
                    pu: wanted,
                    allowed: list_of_pus(&topology.allowed_pus()),
                });
            }
            Some(_) => {}
        }
    }
    Ok(pus.to_vec())
}

/// The allowed PUs of each core, fastest cores first. hwloc's order is depth first, so it fills each NUMA node, and in
/// it each package, die and cache, before the next; sorting by kind keeps that order inside a kind.
fn cores_fastest_first(topology: &Topology) -> Vec<Vec<&Pu>> {
    let allowed: Vec<&Pu> = topology.allowed().collect();
    let mut cores: Vec<Vec<&Pu>> = allowed
        .chunk_by(|one, next| one.core == next.core)
        .map(<[&Pu]>::to_vec)
        .collect();
    cores.sort_by_key(|core| std::cmp::Reverse(core.first().map(|pu| pu.efficiency)));
    cores
}

fn first_threads<'pus>(cores: &[Vec<&'pus Pu>]) -> impl Iterator<Item = &'pus Pu> {
    cores.iter().filter_map(|core| core.first().copied())
}

/// Takes one PU from each group in turn, and inside a group does the same with the next level.
fn spread<'pus>(pus: Vec<&'pus Pu>, levels: &[GroupOf]) -> Vec<&'pus Pu> {
    let Some((group_of, inner_levels)) = levels.split_first() else {
        return pus;
    };
    let mut groups: Vec<_> = pus
        .chunk_by(|one, next| group_of(one) == group_of(next))
        .map(|group| spread(group.to_vec(), inner_levels).into_iter())
        .collect();
    let mut order = Vec::with_capacity(pus.len());
    while order.len() < pus.len() {
        order.extend(groups.iter_mut().filter_map(Iterator::next));
    }
    order
}
