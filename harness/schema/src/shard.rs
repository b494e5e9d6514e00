//! The place of a run in a fleet, which is several machines that measure one plan.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Maximum number of shards of a fleet: more than a cluster has nodes, and few enough to be listed.
pub const MAX_SHARDS: u32 = 10_000;

/// How a plan is divided into shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FleetShape {
    /// Every shard has the whole plan, for machines of different kinds.
    Same,
    /// Every shard has some of the workloads, for machines that are equal. All shards also have the reference cells.
    Spread,
}

impl FleetShape {
    /// The shape's name on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Spread => "spread",
        }
    }
}

impl fmt::Display for FleetShape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// The place of a shard in its fleet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FleetShard {
    /// The fleet's identifier: 16 random hexadecimal digits.
    pub fleet: String,
    /// How the plan is divided.
    pub shape: FleetShape,
    /// The shard's number, from 0 on.
    pub shard: u32,
    /// Number of shards of the fleet.
    pub shards: u32,
    /// The workload of the reference cells, which all shards measure: its native threads, and its `serial` cell on the
    /// baseline. `None` if shards have the same plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

impl FleetShard {
    /// Whether the number of shards is one that a fleet can have, and the shard is one of them.
    #[must_use]
    pub const fn is_possible(&self) -> bool {
        self.shard < self.shards && self.shards <= MAX_SHARDS
    }
}

/// The fleet that a run is a part of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FleetRun {
    /// The shard that was measured.
    #[serde(flatten)]
    pub shard: FleetShard,
    /// The node's name: that of the engine that started the run (`FTBENCH_NODE`), else the host name.
    pub node: String,
    /// When the fleet was planned, by the clock of the machine that planned it, RFC 3339, UTC; `None` if an older
    /// ftbench measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_at: Option<String>,
}
