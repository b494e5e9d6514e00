//! `run.json`: what was asked for, on what, and how it went.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cell::{Cell, Host};
use super::interpreter::InterpreterFacts;
use super::trial::Source;
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

/// How the samples of a round's trials follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The trials of a workload's cells are alive together and take turns, sample by sample.
    Sweeps,
    /// A trial has all its samples before the next one starts, as in all runs of versions that recorded no order.
    #[default]
    Trials,
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

const fn one() -> u32 {
    1
}

/// How a run measures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Name of the profile: `quick`, `standard` or `thorough`.
    pub profile: String,
    /// When the rounds end.
    pub stopping: Stopping,
    /// Warm-up samples at the start of a trial, at least.
    pub warmups: u32,
    /// How long the warm-up samples of a trial take together, at least, seconds. 0 in runs of earlier versions.
    #[serde(default)]
    pub warmup_s: f64,
    /// Counted samples of a trial; with the order `sweeps`, the number of sweeps.
    pub samples: u32,
    /// How many samples make a window; 1 in runs of earlier versions.
    #[serde(default = "one")]
    pub window: u32,
    /// How the samples of a round's trials follow each other.
    #[serde(default)]
    pub order: Order,
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
    pub warnings: Vec<Warning>,
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

/// One process of ftbench that made a part of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// When it began to measure, RFC 3339, UTC.
    pub started_at: String,
    /// When it ended; `None` while it runs, and when it was killed.
    pub ended_at: Option<String>,
    /// Version of ftbench that measured.
    pub ftbench_version: String,
    /// Kernel version; empty where it is not known.
    #[serde(default)]
    pub kernel: String,
    /// Operating-system process id; `None` where it is not known.
    #[serde(default)]
    pub process_id: Option<u32>,
    /// The kernel's mark of this start of the computer (`/proc/sys/kernel/random/boot_id`): stamps of `CLOCK_MONOTONIC`
    /// mean something within one start only. `None` where it is not known.
    #[serde(default)]
    pub boot_id: Option<String>,
    /// Whether the lines that it added to the record carry checksums.
    #[serde(default)]
    pub checksums: bool,
    /// The commit that the code was of when it began, where git tells it; `None` where it is not known, or the user had
    /// named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitFacts>,
}

/// What was asked for of packages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageWishes {
    /// Requirements of every workload, beside its own dependencies: PEP 508, or the path of a wheel.
    pub with: Vec<String>,
    /// Whether packages without a wheel may be built from source.
    pub source_builds: bool,
    /// SHA-256, hexadecimal, of each wheel among them, by its path; runs of earlier versions of ftbench have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub wheels: BTreeMap<String, String>,
}

impl PackageWishes {
    /// Whether nothing was asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a trial may use; one that uses more is ended, and is a record that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory of its processes together, and of each, bytes.
    pub memory_bytes: u64,
    /// Processes at one time.
    pub processes: u32,
    /// What it may print, bytes.
    pub output_bytes: u64,
}

/// What an arm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArmKind {
    /// A workload file: each arm runs its own.
    File,
    /// A folder of modules, which comes first on the module path of the arm's trials.
    Folder,
    /// A wheel, which is installed into the arm's environments.
    Wheel,
}

impl ArmKind {
    /// The words for it in messages.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::File => "a workload file",
            Self::Folder => "a folder of modules",
            Self::Wheel => "a wheel",
        }
    }
}

/// A state of a version control system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitFacts {
    /// Its name, for git the full hash where it is known.
    pub id: String,
    /// When it was committed, RFC 3339; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_at: Option<String>,
    /// Whether the files that were measured differ from it; `None` where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
}

/// One version of the user's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmFacts {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ArmKind,
    /// The file or folder.
    pub path: String,
    /// SHA-256, hexadecimal: of the file, or of all names and contents in the folder; `None` for a folder that is too
    /// large to read through.
    pub sha256: Option<String>,
    /// The commit of the git repository that it is in; `None` where it is in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitFacts>,
}

/// A module or package of the user's own that a workload imports from the folder that comes first on its module path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleFacts {
    /// Its name, without those of packages inside of it.
    pub name: String,
    /// The file, or the folder of the package.
    pub path: String,
    /// SHA-256, hexadecimal: of the file, or of the names and contents of all modules in the folder; `None` for what
    /// cannot be read, or is too large to be read through.
    pub sha256: Option<String>,
}

/// How a program got the interpreter that it embeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Linked {
    /// The static library is part of the program.
    Static,
    /// The shared library is loaded with it.
    Shared,
}

impl Linked {
    /// The word for it in messages and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Shared => "shared",
        }
    }
}

/// A program that an interpreter ran in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// The interpreter's tag.
    pub interpreter: String,
    /// Which kind of program.
    pub host: Host,
    /// The program.
    pub executable: String,
    /// How it got the interpreter.
    pub linked: Linked,
    /// Version of PyO3 that it was built with.
    pub pyo3_version: String,
    /// Whether an earlier run had built it.
    pub cached: bool,
}

/// An extension of workloads, built for an interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionFacts {
    /// The interpreter's tag.
    pub interpreter: String,
    /// The folder of the Cargo package.
    pub package: String,
    /// SHA-256 of the package's sources, hexadecimal.
    pub sha256: String,
    /// The modules that it has.
    pub modules: Vec<String>,
    /// The folder that holds them, on the module path of trials of its workloads.
    pub folder: String,
    /// Version of PyO3 that it was built with; `None` when it is built with something else.
    pub pyo3_version: Option<String>,
    /// Whether an earlier run had built it.
    pub cached: bool,
}

/// What a run was imported from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportFacts {
    /// The format, such as `pyperf`.
    pub format: String,
    /// Version of the tool that measured; empty when the files do not tell.
    pub tool_version: String,
    /// The files.
    pub files: Vec<ImportedFile>,
}

/// A file that was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedFile {
    /// Its name, without folders.
    pub name: String,
    /// SHA-256 of its bytes as they lay there, hexadecimal.
    pub sha256: String,
}

/// What a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// The two builds of a pair differ in more than the GIL.
    BuildsDiffer,
    /// The interpreters of a workload have different versions of a package.
    PackagesDiffer,
    /// There is no free-threaded build to compare with.
    NoFreeThreadedBuild,
    /// There is no GIL build to compare with.
    NoGilBuild,
    /// An interpreter was left out.
    InterpreterSkipped,
    /// An interpreter is an alpha, a beta or a release candidate.
    PreRelease,
    /// The control group's CPU quota is below the cores of the machine.
    CpuQuota,
    /// Workers were seen on PUs other than their own.
    WorkersMoved,
    /// A module switched the GIL back on.
    GilReenabled,
    /// Work starts threads or processes of its own, which share the PU of their worker.
    StartsThreads,
    /// A workload computes while it waits for its turn, and so is measured alone.
    ComputesWhileWaiting,
    /// Samples still get faster or slower in the course of a trial.
    NotSteady,
    /// Too few rounds for an interval that can be trusted.
    FewRounds,
    /// Many samples were disturbed.
    Disturbed,
    /// Embedded and spawned cells differ in more than the host.
    HostsDiffer,
    /// Two arms have the same contents.
    ArmsAlike,
    /// A part of the record cannot be read, or is there twice.
    DamagedRecord,
    /// The sittings of a resumed run differ in something that may move times.
    SessionsDiffer,
    /// Another tool measured, and did not tell all that ftbench does.
    Imported,
}

/// Something that a reader of the numbers must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What it is about.
    pub kind: WarningKind,
    /// A sentence or two.
    pub message: String,
    /// Names of the workloads that it is about; empty when it is about the whole run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workloads: Vec<String>,
}

impl Warning {
    /// About the whole run.
    #[must_use]
    pub fn of_run(kind: WarningKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            workloads: Vec::new(),
        }
    }

    /// About these workloads alone.
    #[must_use]
    pub fn of_workloads(kind: WarningKind, message: impl Into<String>, workloads: Vec<String>) -> Self {
        Self {
            workloads,
            ..Self::of_run(kind, message)
        }
    }
}
