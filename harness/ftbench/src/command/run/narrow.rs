//! Narrows a plan to what a shard of a fleet measures.

use std::collections::BTreeSet;

use super::error::RunError;
use crate::workload::Workload;
use ftbench_schema::{FleetPlan, FleetRun, Plan, WorkloadFacts};

/// The environment variable in which the engine that starts a shard names the node. Without it, the host name does.
pub const NODE_VARIABLE: &str = "FTBENCH_NODE";

/// The workloads of a run, in the forms in which planning has them.
#[derive(Debug)]
pub struct Workloads<'a> {
    /// Their files.
    pub code: &'a mut Vec<Workload>,
    /// What is recorded of them.
    pub facts: &'a mut Vec<WorkloadFacts>,
    /// Those whose models were left to ftbench.
    pub open_models: &'a mut BTreeSet<String>,
}

/// Removes everything from a plan that the shard does not measure. The settings stay those of the whole plan, so that
/// samples have the same length in all shards.
pub fn narrow(shard: &FleetPlan, plan: &mut Plan, workloads: &mut Workloads<'_>) -> Result<(), RunError> {
    plan.cells
        .retain(|planned| shard.curves.contains(&planned.cell.curve));
    plan.settings.stopping = shard.stopping;
    let is_measured = |name: &str| plan.cells.iter().any(|planned| planned.cell.workload == name);
    workloads.code.retain(|workload| is_measured(&workload.name));
    workloads.facts.retain(|facts| is_measured(&facts.name));
    workloads.open_models.retain(|name| is_measured(name));
    if plan.cells.iter().all(|planned| planned.skipped.is_some()) {
        let reason = plan.cells.iter().find_map(|planned| planned.skipped.as_deref());
        return Err(RunError::NothingToMeasure(format!(
            "every cell of the shard would be skipped: {}",
            reason.unwrap_or("its workloads are not those of the plan")
        )));
    }
    Ok(())
}

/// The place of a run of this shard, on this node.
pub fn of_this_run(plan: &FleetPlan) -> FleetRun {
    let named = std::env::var(NODE_VARIABLE).ok();
    let host = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    FleetRun {
        shard: plan.shard.clone(),
        node: named.filter(|name| !name.is_empty()).unwrap_or_else(host),
        planned_at: Some(plan.created_at.clone()),
    }
}
