//! Comparisons of two fleets: machine by machine, because no ratio may have two machines in it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::report::{COMPARISON_SCHEMA_VERSION, Comparison};
use ftbench_schema::{FleetEntry, FleetIndex, FleetShape};

/// Two runs that are compared.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetPair {
    /// The node, or both nodes.
    pub name: String,
    /// The run of BASE.
    pub base: FleetEntry,
    /// The run of NEW.
    pub new: FleetEntry,
}

/// Pairs the runs of two fleets: those of a node or, if a plan was spread, those of a shard. Two nodes are paired only
/// `anyway`. Also returns what has no counterpart, one sentence each.
#[must_use]
pub fn pair(base: &FleetIndex, new: &FleetIndex, anyway: bool) -> (Vec<FleetPair>, Vec<String>) {
    let is_spread = [base, new].iter().any(|index| index.shape == FleetShape::Spread);
    let key = |run: &FleetEntry| {
        if is_spread {
            format!("shard {}", run.shard)
        } else {
            run.node.clone()
        }
    };
    let mut pairs = Vec::new();
    let mut left_out = Vec::new();
    for ours in base.counted() {
        let Some(theirs) = new.counted().find(|run| key(run) == key(ours)) else {
            left_out.push(format!("{} has no run in NEW", key(ours)));
            continue;
        };
        let name = if ours.node == theirs.node {
            ours.node.clone()
        } else {
            format!("{} and {}", ours.node, theirs.node)
        };
        if ours.node == theirs.node || anyway {
            pairs.push(FleetPair {
                name: if is_spread {
                    format!("{}, {name}", key(ours))
                } else {
                    name
                },
                base: ours.clone(),
                new: theirs.clone(),
            });
        } else {
            left_out.push(format!(
                "{} was measured on two nodes, {name}; --anyway compares them",
                key(ours)
            ));
        }
    }
    let known: BTreeSet<String> = base.counted().map(key).collect();
    let added = new.counted().filter(|run| !known.contains(&key(run)));
    left_out.extend(added.map(|run| format!("{} has no run in BASE", key(run))));
    (pairs, left_out)
}

/// The comparison of one machine with itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MachineComparison {
    /// The name of the node, with the shard if a plan was spread.
    pub machine: String,
    /// Its processor.
    pub cpu_model: String,
    /// Its physical cores.
    pub cores: u32,
    /// Its hardware threads.
    pub pus: u32,
    /// The comparison.
    pub comparison: Comparison,
}

/// The comparison of two fleets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FleetComparison {
    /// Version of the object.
    pub schema: u32,
    /// The identifier of the fleet BASE.
    pub base: String,
    /// The identifier of the fleet NEW.
    pub new: String,
    /// The machines.
    pub machines: Vec<MachineComparison>,
    /// What is not compared, one sentence each.
    pub left_out: Vec<String>,
}

impl FleetComparison {
    /// The comparison of two fleets without any machine yet.
    #[must_use]
    pub fn of(base: &FleetIndex, new: &FleetIndex, left_out: Vec<String>) -> Self {
        Self {
            schema: COMPARISON_SCHEMA_VERSION,
            base: base.fleet.clone(),
            new: new.fleet.clone(),
            machines: Vec::new(),
            left_out,
        }
    }

    /// Whether a machine has a regression.
    #[must_use]
    pub fn has_regression(&self) -> bool {
        self.machines.iter().any(|one| one.comparison.has_regression())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use ftbench_fixtures::fleets::{SyntheticNode, same_plan, spread_plan};

    fn nodes<'a>(names: &[&'a str]) -> Vec<SyntheticNode<'a>> {
        names
            .iter()
            .map(|name| SyntheticNode {
                name,
                cores: 2,
                speed: 1.0,
            })
            .collect()
    }

    fn names(pairs: &[FleetPair]) -> Vec<&str> {
        pairs.iter().map(|pair| pair.name.as_str()).collect()
    }

    #[test]
    fn runs_of_the_same_node_are_paired_whatever_their_shards() {
        let (base, _) = same_plan(&nodes(&["a", "b", "c"]));
        let (new, _) = same_plan(&nodes(&["c", "a", "d"]));
        let (pairs, left_out) = pair(&base, &new, false);
        assert_eq!(names(&pairs), ["a", "c"]);
        assert_eq!(left_out, ["b has no run in NEW", "d has no run in BASE"]);
        assert!(pairs.iter().all(|pair| pair.base.node == pair.new.node));
    }

    #[test]
    fn shards_on_two_nodes_are_paired_only_if_asked_for() {
        let (base, _) = spread_plan(&nodes(&["a", "b"]));
        let (new, _) = spread_plan(&nodes(&["a", "c"]));
        let (pairs, left_out) = pair(&base, &new, false);
        assert_eq!(names(&pairs), ["shard 0, a"]);
        assert_eq!(
            left_out,
            ["shard 1 was measured on two nodes, b and c; --anyway compares them"]
        );
        let (pairs, left_out) = pair(&base, &new, true);
        assert_eq!(names(&pairs), ["shard 0, a", "shard 1, b and c"]);
        assert_eq!(left_out, [""; 0]);
    }
}
