//! `run.json`: what was asked for, on what, and how it went.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::arm::{ArmFacts, CommitFacts};
use super::built::{ExtensionFacts, HostFacts};
use super::cell::Cell;
use super::identity::ModuleFacts;
use super::imported::ImportFacts;
use super::interpreter::InterpreterFacts;
use super::limits::Limits;
use super::noise::Source;
use super::session::{PackageWishes, Session};
use super::workload::WorkloadFacts;

/// One installed package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageFacts {
    /// Its name, as it is published.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The packages that workloads ran with on one interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentFacts {
    /// Tag of the interpreter.
    pub interpreter: String,
    /// Names of the workloads.
    pub workloads: Vec<String>,
    /// Names of the arms, where it is not that of all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<String>,
    /// The virtual environment.
    pub path: String,
    /// What was asked for, as PEP 508 requirements and paths of wheels.
    pub requirements: Vec<String>,
    /// What is installed in it.
    pub packages: Vec<PackageFacts>,
    /// What installed it, with its version, such as `uv 0.13.8`.
    pub installer: String,
    /// SHA-256 of the contents of the lock file that was followed, hexadecimal; `None` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_sha256: Option<String>,
}

/// The computer that a run was made on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MachineFacts {
    /// Network name.
    pub hostname: String,
    /// Processor model, as it names itself.
    pub cpu_model: String,
    /// Operating system and its version.
    pub os: String,
    /// Kernel version.
    pub kernel: String,
    /// Instruction set architecture, such as `x86_64`.
    pub architecture: String,
    /// Physical memory, bytes.
    pub memory_bytes: u64,
    /// How many CPUs' worth of time the control group may use; `None` when not limited.
    pub cpu_quota: Option<f64>,
    /// Shape of the machine.
    pub topology: TopologyFacts,
}

/// How many of what the machine has, and which PUs may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopologyFacts {
    /// Processor packages (sockets).
    pub packages: u32,
    /// NUMA nodes.
    pub numa_nodes: u32,
    /// Physical cores.
    pub cores: u32,
    /// Processing units (hardware threads).
    pub pus: u32,
    /// OS indices of the PUs that this process may use.
    pub allowed_pus: Vec<u32>,
}

/// Whether more workers do the same work or more of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scaling {
    /// The units are split evenly among the workers.
    Strong,
    /// Each worker does all units.
    Weak,
}

/// When the rounds of a run end; fixed before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stopping {
    /// Rounds that are made whatever they cost.
    pub fewest_rounds: u32,
    /// Rounds after which it ends in any case.
    pub most_rounds: u32,
    /// Relative half-width of the widest interval shown that is narrow enough; `None` when none is.
    pub precision: Option<f64>,
    /// Time for the whole run, seconds; `None` when it may take any.
    pub budget_s: Option<f64>,
}

/// What ended a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// All rounds were made.
    Rounds,
    /// Every interval shown is narrow enough.
    Precision,
    /// The next round would not have fitted into the time.
    Budget,
    /// It was stopped from outside.
    Interrupt,
}

/// How a run measures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Name of the profile: `quick`, `standard` or `thorough`.
    pub profile: String,
    /// When the rounds end.
    pub stopping: Stopping,
    /// Warm-up samples at the start of a trial.
    pub warmups: u32,
    /// Counted samples of a trial.
    pub samples: u32,
    /// How long a sample of the baseline with one worker should last, seconds.
    pub target_sample_s: f64,
    /// Limit on every step of a trial, seconds.
    pub step_time_limit_s: f64,
    /// Whether more workers do the same work or more of it.
    pub scaling: Scaling,
    /// The placement policy, as it was given.
    pub pin: String,
    /// What a trial may use; `None` in runs of ftbench before it had limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
}

/// One cell as planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCell {
    /// What is measured.
    #[serde(flatten)]
    pub cell: Cell,
    /// The PU (hwloc OS index) of each worker, in the order of workers; empty when not pinned.
    pub placement: Vec<u32>,
    /// Why it is not measured; `None` when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

/// What a run set out to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// How it measures.
    pub settings: Settings,
    /// Tag of the interpreter whose `serial` cells others are compared with.
    pub baseline: String,
    /// The cells, in the order in which tables show them.
    pub cells: Vec<PlannedCell>,
}

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Under way, or killed.
    Running,
    /// It came to the end that its stopping rule gave it.
    Complete,
    /// Stopped from outside; what was measured is kept.
    Interrupted,
}

/// The whole of `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the folder's format.
    pub schema: u32,
    /// Version of ftbench that wrote it.
    pub ftbench_version: String,
    /// The command, word by word.
    pub command_line: Vec<String>,
    /// When the run began, RFC 3339, UTC.
    pub started_at: String,
    /// When it ended; `None` while it runs.
    pub ended_at: Option<String>,
    /// How far it came.
    pub status: RunStatus,
    /// What ended it; `None` while it runs.
    pub stopped_by: Option<StoppedBy>,
    /// Seed of every random choice.
    pub seed: u64,
    /// The computer.
    pub machine: MachineFacts,
    /// The interpreters.
    pub interpreters: Vec<InterpreterFacts>,
    /// The workloads.
    pub workloads: Vec<WorkloadFacts>,
    /// The versions of the code that are compared, the one that others are compared with first; none in most runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<ArmFacts>,
    /// The commit that was measured; `None` where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitFacts>,
    /// The modules of the user's own that workloads import, in the order of their paths; `None` where nobody looked, as
    /// in runs of earlier versions of ftbench.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules: Option<Vec<ModuleFacts>>,
    /// What the user knows the run by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What it set out to do.
    pub plan: Plan,
    /// Environment of every trial, apart from the hash seed.
    pub environment: BTreeMap<String, String>,
    /// The packages that were installed for workloads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<EnvironmentFacts>,
    /// Where figures of noise and cost come from on this machine, or why they are not told.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// The programs that interpreters ran in, other than their own executables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostFacts>,
    /// The extensions that workloads came with, for each interpreter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<ExtensionFacts>,
    /// What was asked for of packages; left out when nothing was.
    #[serde(default, skip_serializing_if = "PackageWishes::is_empty")]
    pub packages: PackageWishes,
    /// The sittings in which it was made: more than one when it was resumed. Versions before `--resume` recorded none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<Session>,
    /// What it was imported from; `None` when ftbench measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<ImportFacts>,
    /// What was noticed before the first trial.
    pub warnings: Vec<super::summary::Warning>,
}

impl Plan {
    /// The arm that others are compared with, the first one; `None` in a run without arms.
    #[must_use]
    pub fn base_arm(&self) -> Option<&str> {
        self.cells.iter().find_map(|planned| planned.cell.arm.as_deref())
    }
}

impl Manifest {
    /// The arm of this name.
    #[must_use]
    pub fn arm(&self, name: &str) -> Option<&ArmFacts> {
        self.arms.iter().find(|arm| arm.name == name)
    }

    /// The interpreter of this tag.
    #[must_use]
    pub fn interpreter(&self, tag: &str) -> Option<&InterpreterFacts> {
        self.interpreters
            .iter()
            .find(|interpreter| interpreter.tag == tag)
    }
}
