//! Divides the curves of a plan over the shards of a fleet. Pure.

use std::cmp::Reverse;

use itertools::Itertools;

use crate::error::Failure;
use ftbench_schema::text::counted;
use ftbench_schema::{Curve, FleetShape, Model, Plan, WorkloadFacts, WorkloadKind};

/// The curves of each shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shards {
    /// The curves of each shard, in the order of the plan.
    pub curves: Vec<Vec<Curve>>,
    /// The workload of the reference cells; `None` if shards have the same plan.
    pub reference: Option<String>,
}

/// Why a plan cannot be divided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShardsError {
    /// There are more shards than workloads.
    #[error(
        "{} cannot share {}; give --shards {workloads}, or '--shape same' to measure all of them on every machine",
        counted(*shards as usize, "shard"),
        counted(*workloads, "workload")
    )]
    TooMany {
        /// Number of shards.
        shards: u32,
        /// Number of workloads.
        workloads: usize,
    },
}

impl Failure for ShardsError {}

/// Divides a plan. All curves of a workload stay together, because they are compared. If workloads are spread over the
/// shards, every shard has about as many cells, and all have the curves of the reference.
///
/// # Errors
/// When a shard would have no workload.
pub fn divide(
    plan: &Plan,
    workloads: &[WorkloadFacts],
    shape: FleetShape,
    shards: u32,
) -> Result<Shards, ShardsError> {
    let curves: Vec<&Curve> = plan
        .cells
        .iter()
        .map(|planned| &planned.cell.curve)
        .unique()
        .collect();
    let owned = |curves: &[&Curve]| curves.iter().map(|curve| (*curve).clone()).collect();
    if shape == FleetShape::Same {
        return Ok(Shards {
            curves: (0..shards).map(|_| owned(&curves)).collect(),
            reference: None,
        });
    }
    let shard_of = spread(plan, shards)?;
    let reference = reference(plan, workloads);
    let is_in = |shard: usize, curve: &Curve| {
        shard_of
            .iter()
            .any(|(name, own)| *name == curve.workload && *own == shard)
            || reference
                .as_ref()
                .is_some_and(|name| is_reference(curve, name, plan))
    };
    let shards = 0..shards as usize;
    Ok(Shards {
        curves: shards
            .map(|shard| {
                let own = curves.iter().filter(|curve| is_in(shard, curve));
                own.map(|curve| (*curve).clone()).collect()
            })
            .collect(),
        reference,
    })
}

/// The shard of each workload: the longest go first, each to the shard with the fewest cells so far.
fn spread(plan: &Plan, shards: u32) -> Result<Vec<(&str, usize)>, ShardsError> {
    let sizes = plan
        .cells
        .iter()
        .counts_by(|planned| planned.cell.workload.as_str());
    let names = plan
        .cells
        .iter()
        .map(|planned| planned.cell.workload.as_str())
        .unique();
    let blocks: Vec<(&str, usize)> = names
        .map(|name| (name, sizes.get(name).copied().unwrap_or(0)))
        .sorted_by_key(|(_, cells)| Reverse(*cells))
        .collect();
    if blocks.len() < shards as usize {
        return Err(ShardsError::TooMany {
            shards,
            workloads: blocks.len(),
        });
    }
    let mut loads = vec![0; shards as usize];
    let mut shard_of = Vec::with_capacity(blocks.len());
    for (name, cells) in blocks {
        let least = loads.iter().position_min().unwrap_or(0);
        if let Some(load) = loads.get_mut(least) {
            *load += cells;
        }
        shard_of.push((name, least));
    }
    Ok(shard_of)
}

/// The workload of the reference cells: the first that computes and has a ceiling, or else the first.
fn reference(plan: &Plan, workloads: &[WorkloadFacts]) -> Option<String> {
    let is_planned = |facts: &&WorkloadFacts| {
        let mut cells = plan.cells.iter();
        cells.any(|planned| planned.cell.workload == facts.name && planned.skipped.is_none())
    };
    let mut planned = workloads.iter().filter(is_planned);
    let first = planned.clone().next();
    let computes = |facts: &&WorkloadFacts| facts.kind == WorkloadKind::Cpu && facts.ceiling.is_some();
    planned.find(computes).or(first).map(|facts| facts.name.clone())
}

/// Whether a curve is one of the reference: native threads, or the baseline's `serial` code.
fn is_reference(curve: &Curve, workload: &str, plan: &Plan) -> bool {
    let is_baseline = || {
        curve.interpreter == plan.baseline
            && curve.model == Model::Serial
            && curve.arm.as_deref() == plan.base_arm()
    };
    curve.workload == workload && (curve.is_native() || is_baseline())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use proptest::prelude::*;

    use super::*;
    use ftbench_fixtures::records::{cell_of, manifest, workload};
    use ftbench_schema::{CeilingFacts, Kernel};

    /// A plan of workloads with these numbers of workers, and the facts of the workloads.
    fn planned(workers: &[u32]) -> (Plan, Vec<WorkloadFacts>) {
        let mut cells = Vec::new();
        let mut facts = Vec::new();
        for (number, &most) in workers.iter().enumerate() {
            let name = format!("w{number}");
            cells.push(cell_of(&name, "3.13", Model::Serial, 1));
            cells.extend((1..=most).map(|workers| cell_of(&name, "3.13t", Model::Threads, workers)));
            cells.extend((1..=most).map(|workers| Curve::native(&name).with_workers(workers)));
            facts.push(WorkloadFacts {
                ceiling: Some(CeilingFacts::of(Kernel::Integer)),
                ..workload(&name)
            });
        }
        (manifest(&cells).plan, facts)
    }

    fn names(curves: &[Curve]) -> Vec<&str> {
        curves
            .iter()
            .map(|curve| curve.workload.as_str())
            .unique()
            .collect()
    }

    #[test]
    fn shards_of_a_spread_plan_have_the_reference_cells_and_whole_workloads() {
        let (plan, facts) = planned(&[4, 1, 2, 2]);
        let shards = divide(&plan, &facts, FleetShape::Spread, 2).unwrap();
        assert_eq!(shards.reference.as_deref(), Some("w0"));
        assert_eq!(names(&shards.curves[0]), ["w0", "w1"]);
        assert_eq!(names(&shards.curves[1]), ["w0", "w2", "w3"]);
        let of_reference: Vec<String> = shards.curves[1]
            .iter()
            .filter(|curve| curve.workload == "w0")
            .map(|curve| format!("{} {}", curve.interpreter, curve.model))
            .collect();
        assert_eq!(of_reference, ["3.13 serial", "native threads"]);
    }

    #[test]
    fn shards_of_the_same_plan_are_equal() {
        let (plan, facts) = planned(&[2, 2]);
        let shards = divide(&plan, &facts, FleetShape::Same, 5).unwrap();
        assert_eq!(shards.curves.len(), 5);
        assert!(shards.curves.iter().all(|curves| *curves == shards.curves[0]));
        assert_eq!((shards.curves[0].len(), shards.reference), (6, None));
    }

    #[test]
    fn more_shards_than_workloads_are_refused() {
        let (plan, facts) = planned(&[1, 1]);
        let error = divide(&plan, &facts, FleetShape::Spread, 3).unwrap_err();
        insta::assert_snapshot!(error, @"3 shards cannot share 2 workloads; give --shards 2, or '--shape same' to measure all of them on every machine");
    }

    proptest! {
        #[test]
        fn every_curve_is_in_one_shard_and_those_of_the_reference_are_in_all(
            workers in prop::collection::vec(1_u32..5, 1..12),
            shards in 1_u32..6,
        ) {
            let (plan, facts) = planned(&workers);
            let Ok(divided) = divide(&plan, &facts, FleetShape::Spread, shards) else {
                prop_assert!(workers.len() < shards as usize);
                return Ok(());
            };
            let reference = divided.reference.unwrap();
            for curve in plan.cells.iter().map(|planned| &planned.cell.curve).unique() {
                let having = divided.curves.iter().filter(|curves| curves.contains(curve)).count();
                let expected = if is_reference(curve, &reference, &plan) { shards as usize } else { 1 };
                prop_assert_eq!(having, expected);
            }
        }
    }
}
