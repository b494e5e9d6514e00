//! The files of a fleet, several machines that measure one plan: plan files, the index of its runs, and its jobs.

use serde::{Deserialize, Serialize};

use super::cell::Curve;
use super::interpreter::InterpreterFacts;
use super::run::{ArmFacts, ModuleFacts, RunStatus, Stopping};
use super::shard::{FleetShape, FleetShard};
use super::workload::WorkloadFacts;

/// What the builds of an interpreter on the machines of a fleet must have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BuildMatch {
    /// Everything: the file that contains the interpreter has the same SHA-256.
    Hash,
    /// Implementation, version and whether it is free-threaded. Machines of different architectures cannot have more.
    Version,
}

/// A plan file: the cells and rounds that one shard measures, on whatever machine it is run. It names no PUs and no
/// largest number of workers; the machine has these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FleetPlan {
    /// Version of the format.
    pub schema: u32,
    /// The shard.
    #[serde(flatten)]
    pub shard: FleetShard,
    /// Version of ftbench that planned. Others are refused, because their suite and method may differ.
    pub ftbench_version: String,
    /// When it was planned, RFC 3339, UTC.
    pub created_at: String,
    /// The command that planned, word by word.
    pub command_line: Vec<String>,
    /// The options of `ftbench run`, word by word. Relative paths are relative to the folder in which the shard is run.
    pub options: Vec<String>,
    /// Seed of every random choice, the same in all shards.
    pub seed: u64,
    /// Numbers of workers, such as `1,2,max`; `None` for the default, powers of two up to the number of cores.
    pub workers: Option<String>,
    /// The rule for the number of rounds.
    pub stopping: Stopping,
    /// Tag of the interpreter whose `serial` cells the others are compared with.
    pub baseline: String,
    /// What builds must have in common with those below.
    pub builds: BuildMatch,
    /// The interpreters.
    pub interpreters: Vec<InterpreterFacts>,
    /// The workloads.
    pub workloads: Vec<WorkloadFacts>,
    /// The versions of the code that are compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<ArmFacts>,
    /// The user's own modules that the workloads of the fleet import.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<ModuleFacts>,
    /// The curves of the shard's cells.
    pub curves: Vec<Curve>,
    /// Archives of the interpreters, beside the plan file, for machines that do not have them; empty if none were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub archives: Vec<BuildArchive>,
    /// Archives of the packages of workloads, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<EnvironmentArchive>,
}

/// The archive of the packages that workloads need on an interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentArchive {
    /// The interpreter's executable on the machine that planned, as [`InterpreterFacts::path`] has it.
    pub path: String,
    /// Everything that determines the contents, as a JSON object. What is the machine's own in it is replaced where it
    /// is unpacked.
    pub identity: String,
    /// Name of the archive.
    pub file: String,
    /// SHA-256 of the archive, hexadecimal.
    pub sha256: String,
}

/// The archive of an interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildArchive {
    /// The executable on the machine that planned, as [`InterpreterFacts::path`] has it.
    pub path: String,
    /// Name of the archive.
    pub file: String,
    /// SHA-256 of the archive, hexadecimal.
    pub sha256: String,
    /// The executable in the archive.
    pub executable: String,
}

/// `jobs.json`: how a fleet was handed to a batch system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetJobs {
    /// Version of the format.
    pub schema: u32,
    /// The fleet's identifier.
    pub fleet: String,
    /// The batch system: `slurm`.
    pub engine: String,
    /// The name of all of its jobs, by which they are found again.
    pub job_name: String,
    /// When they were submitted, RFC 3339, UTC.
    pub submitted_at: String,
    /// Options for the batch system that the user gave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Where each group of shards may run.
    pub groups: Vec<FleetGroup>,
}

/// Shards that are submitted together, as one job array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetGroup {
    /// The first shard.
    pub first: u32,
    /// Number of shards.
    pub shards: u32,
    /// The node that they must run on; `None` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The features that the nodes must have; `None` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<String>,
    /// The batch system's identifier; `None` until it was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
}

impl FleetGroup {
    /// Whether a shard belongs to the group.
    #[must_use]
    pub const fn has(&self, shard: u32) -> bool {
        self.first <= shard && shard - self.first < self.shards
    }
}

/// `fleet.json`: the runs in the folder of a fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FleetIndex {
    /// Version of the format.
    pub schema: u32,
    /// The fleet's identifier.
    pub fleet: String,
    /// How the plan is divided.
    pub shape: FleetShape,
    /// Number of shards.
    pub shards: u32,
    /// The workload of the reference cells; `None` if shards have the same plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Version of ftbench that collected.
    pub ftbench_version: String,
    /// When runs were last collected, RFC 3339, UTC.
    pub collected_at: String,
    /// The runs, by shard and node.
    pub runs: Vec<FleetEntry>,
}

/// One run in the folder of a fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FleetEntry {
    /// Its folder, relative to that of the fleet.
    pub folder: String,
    /// The shard.
    pub shard: u32,
    /// The node.
    pub node: String,
    /// When the run began, RFC 3339, UTC.
    pub started_at: String,
    /// The state of the run.
    pub status: RunStatus,
    /// Number of recorded trials.
    pub trials: u64,
    /// The features that the batch system had to find in its node; `None` if it ran on a node of a list, or without a
    /// batch system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<String>,
    /// How far the node's clock is off at least, seconds; positive if it is ahead. `None` unless the times of the run
    /// are impossible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_error_s: Option<f64>,
    /// Why it is not a part of the results; `None` if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

impl FleetIndex {
    /// Returns the runs that are a part of the results.
    pub fn counted(&self) -> impl Iterator<Item = &FleetEntry> {
        self.runs.iter().filter(|run| run.left_out.is_none())
    }

    /// Returns the shards of which no run was collected.
    #[must_use]
    pub fn missing(&self) -> Vec<u32> {
        let has_run = |shard: &u32| self.runs.iter().any(|run| run.shard == *shard);
        (0..self.shards).filter(|shard| !has_run(shard)).collect()
    }
}

/// Sets [`FleetEntry::left_out`], so that nothing is counted twice: with shards of the same plan one run of each node
/// counts, and otherwise one run of each shard. That is the complete one, or else the one with most trials.
pub fn choose_counted(shape: FleetShape, runs: &mut [FleetEntry]) {
    let rank = |run: &FleetEntry| (run.status == RunStatus::Complete, run.trials);
    let is_alike = |a: &FleetEntry, b: &FleetEntry| match shape {
        FleetShape::Same => a.node == b.node,
        FleetShape::Spread => a.shard == b.shard,
    };
    // The one that began first, among equals.
    runs.sort_by(|a, b| {
        let key = |run: &FleetEntry| (run.shard, run.node.clone());
        (key(a), &a.started_at).cmp(&(key(b), &b.started_at))
    });
    let all = runs.to_vec();
    for (position, run) in runs.iter_mut().enumerate() {
        let better = all.iter().enumerate().find(|(other, candidate)| {
            let order = rank(candidate).cmp(&rank(run));
            is_alike(candidate, run) && (order.is_gt() || (order.is_eq() && *other < position))
        });
        run.left_out = better.map(|(_, better)| match shape {
            FleetShape::Same => format!("another run of the node counts: {}", better.folder),
            FleetShape::Spread => format!("another run of the shard counts: {}", better.folder),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(shard: u32, node: &str, status: RunStatus, trials: u64) -> FleetEntry {
        FleetEntry {
            folder: format!("runs/{shard}-{node}-{trials}"),
            shard,
            node: node.to_owned(),
            started_at: "2026-11-30T00:00:00Z".to_owned(),
            status,
            trials,
            constraint: None,
            clock_error_s: None,
            left_out: None,
        }
    }

    fn counted(shape: FleetShape, runs: &[FleetEntry]) -> Vec<String> {
        let mut runs = runs.to_vec();
        choose_counted(shape, &mut runs);
        let counted = runs.into_iter().filter(|run| run.left_out.is_none());
        counted.map(|run| run.folder).collect()
    }

    #[test]
    fn one_run_of_each_shard_counts_and_the_complete_one_first() {
        let runs = [
            entry(0, "a", RunStatus::Interrupted, 90),
            entry(0, "b", RunStatus::Complete, 80),
            entry(1, "a", RunStatus::Running, 10),
            entry(1, "b", RunStatus::Running, 20),
        ];
        assert_eq!(counted(FleetShape::Spread, &runs), ["runs/0-b-80", "runs/1-b-20"]);
    }

    #[test]
    fn one_run_of_each_node_counts_if_the_plan_is_the_same() {
        let runs = [
            entry(0, "a", RunStatus::Complete, 80),
            entry(0, "b", RunStatus::Interrupted, 10),
            entry(1, "a", RunStatus::Complete, 80),
        ];
        assert_eq!(counted(FleetShape::Same, &runs), ["runs/0-a-80", "runs/0-b-10"]);
    }

    #[test]
    fn shards_without_a_run_are_missing() {
        let index = FleetIndex {
            schema: 1,
            fleet: "0".repeat(16),
            shape: FleetShape::Spread,
            shards: 3,
            reference: None,
            ftbench_version: String::new(),
            collected_at: String::new(),
            runs: vec![entry(1, "a", RunStatus::Running, 0)],
        };
        assert_eq!(index.missing(), [0, 2]);
    }
}
