//! `run.json`: the request, the conditions and the outcome of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cell::{Cell, Host};
use super::interpreter::InterpreterFacts;
use super::shard::FleetRun;
use super::trial::Source;
use super::workload::WorkloadFacts;

/// One installed package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageFacts {
    /// Its published name.
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
    /// Names of the arms; empty if the environment belongs to all arms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<String>,
    /// The virtual environment.
    pub path: String,
    /// The requested packages, as PEP 508 requirements and paths of wheels.
    pub requirements: Vec<String>,
    /// The installed packages.
    pub packages: Vec<PackageFacts>,
    /// The installer with its version, such as `uv 0.13.8`.
    pub installer: String,
    /// SHA-256 of the contents of the lock file that was followed, hexadecimal; `None` without a lock file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_sha256: Option<String>,
}

/// The computer that a run was made on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MachineFacts {
    /// Host name.
    pub hostname: String,
    /// Processor model, as reported by the processor.
    pub cpu_model: String,
    /// Operating system and its version.
    pub os: String,
    /// Kernel version.
    pub kernel: String,
    /// Instruction set architecture, such as `x86_64`.
    pub architecture: String,
    /// Physical memory, bytes.
    pub memory_bytes: u64,
    /// How many CPUs' worth of time the control group may use; `None` if not limited.
    pub cpu_quota: Option<f64>,
    /// Microcode revision of the first processor, such as `0xa101144`; `None` if unknown, as in runs of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub microcode: Option<String>,
    /// Scaling governor of the first frequency domain, such as `performance`; `None` without frequency scaling, and in
    /// runs of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// The machine's topology.
    pub topology: TopologyFacts,
}

/// The number of each kind of topology object, and the PUs that may be used.
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

/// Whether more workers share the same work or do more work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scaling {
    /// The units are split evenly among the workers.
    Strong,
    /// Each worker does all units.
    Weak,
}

impl Scaling {
    /// Returns how many units a sample has, all workers together.
    #[must_use]
    pub fn units_of_sample(self, units: u64, workers: u32) -> f64 {
        let times = match self {
            Self::Strong => 1,
            Self::Weak => workers,
        };
        // Exact up to 2^53 units.
        units as f64 * f64::from(times)
    }
}

/// The order in which the samples of a round's trials are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The trials of a workload's cells are alive together and take turns, sample by sample.
    Sweeps,
    /// A trial takes all of its samples before the next one starts. Also assumed for runs of versions that recorded no
    /// order.
    #[default]
    Trials,
}

/// The stopping rule of a run, fixed before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stopping {
    /// Minimum number of rounds, whatever they cost.
    #[serde(rename = "fewest_rounds")]
    pub min_rounds: u32,
    /// Maximum number of rounds.
    #[serde(rename = "most_rounds")]
    pub max_rounds: u32,
    /// Relative half-width of the widest interval shown at which the run may end; `None` without such a rule.
    pub precision: Option<f64>,
    /// Time budget for the whole run, seconds; `None` without one.
    pub budget_s: Option<f64>,
}

/// The reason why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// All rounds were made.
    Rounds,
    /// Every interval shown is narrow enough.
    Precision,
    /// The next round would have exceeded the time budget.
    Budget,
    /// It was interrupted from outside.
    Interrupt,
}

const fn one() -> u32 {
    1
}

/// The measurement settings of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Name of the profile: `quick`, `standard` or `thorough`.
    pub profile: String,
    /// The stopping rule.
    pub stopping: Stopping,
    /// Minimum number of warm-up samples at the start of a trial.
    pub warmups: u32,
    /// Minimum total time of a trial's warm-up samples, seconds. 0 in runs of earlier versions.
    #[serde(default)]
    pub warmup_s: f64,
    /// Counted samples of a trial; with the order `sweeps`, the number of sweeps.
    pub samples: u32,
    /// Number of samples in a window; 1 in runs of earlier versions.
    #[serde(default = "one")]
    pub window: u32,
    /// The order in which the samples of a round's trials are taken.
    #[serde(default)]
    pub order: Order,
    /// Target length of a sample of the baseline with one worker, seconds.
    pub target_sample_s: f64,
    /// Time limit of each step of a trial, seconds.
    pub step_time_limit_s: f64,
    /// Whether more workers share the same work or do more work.
    pub scaling: Scaling,
    /// The placement policy, as given.
    pub pin: String,
    /// `package.module:function`, which makes event loops instead of the workloads' own factories; `None` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loop_factory: Option<String>,
    /// Resource limits of a trial; `None` in runs of versions without limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
}

/// One planned cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCell {
    /// The cell.
    #[serde(flatten)]
    pub cell: Cell,
    /// The PU (hwloc OS index) of each worker, in the order of workers; empty when not pinned.
    pub placement: Vec<u32>,
    /// The PUs (hwloc OS indices) of the client of a server, whose own PUs are those of the placement; empty when it is
    /// not bound, and without a server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_placement: Vec<u32>,
    /// Why it is not measured; `None` if it is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

/// The plan of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The measurement settings.
    pub settings: Settings,
    /// Tag of the interpreter whose `serial` cells the others are compared with.
    pub baseline: String,
    /// The cells, in the order in which tables show them.
    pub cells: Vec<PlannedCell>,
}

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// In progress, or killed.
    Running,
    /// Ended by its stopping rule.
    Complete,
    /// Interrupted from outside; everything measured so far is kept.
    Interrupted,
}

/// The contents of `run.json`.
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
    /// When it ended; `None` while it is running.
    pub ended_at: Option<String>,
    /// The state of the run.
    pub status: RunStatus,
    /// Why it ended; `None` while it is running.
    pub stopped_by: Option<StoppedBy>,
    /// Seed of every random choice.
    pub seed: u64,
    /// The computer.
    pub machine: MachineFacts,
    /// The interpreters.
    pub interpreters: Vec<InterpreterFacts>,
    /// The workloads.
    pub workloads: Vec<WorkloadFacts>,
    /// The versions of the code that are compared, with the base arm first; empty in most runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<ArmFacts>,
    /// The commit that was measured; `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitFacts>,
    /// The user's own modules that workloads import, ordered by path; `None` if they were not recorded, as in runs of
    /// earlier versions of ftbench.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules: Option<Vec<ModuleFacts>>,
    /// Labels that the user gave the run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The fleet that the run is a part of; `None` for a run of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet: Option<FleetRun>,
    /// The plan.
    pub plan: Plan,
    /// Environment of every trial, apart from the hash seed.
    pub environment: BTreeMap<String, String>,
    /// Names of the variables in it that `--env` set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
    /// The packages that were installed for workloads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<EnvironmentFacts>,
    /// The source of each kind of noise and cost figure on this machine, or why there is none.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// The programs that interpreters ran in, other than their own executables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostFacts>,
    /// The extensions that workloads came with, for each interpreter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<ExtensionFacts>,
    /// The package options of the run; left out if none was given.
    #[serde(default, skip_serializing_if = "PackageOptions::is_empty")]
    pub packages: PackageOptions,
    /// The sessions in which the run was made: more than one if it was resumed. Versions without `--resume` recorded
    /// none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<Session>,
    /// What the run was imported from; `None` if ftbench measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<ImportFacts>,
    /// Warnings from before the first trial.
    pub warnings: Vec<Warning>,
}

impl Plan {
    /// Returns the base arm, which is the first one and which others are compared with; `None` in a run without arms.
    #[must_use]
    pub fn base_arm(&self) -> Option<&str> {
        self.cells.iter().find_map(|planned| planned.cell.arm.as_deref())
    }
}

impl Manifest {
    /// Returns the arm with this name.
    #[must_use]
    pub fn arm(&self, name: &str) -> Option<&ArmFacts> {
        self.arms.iter().find(|arm| arm.name == name)
    }

    /// Returns the interpreter with this tag.
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
    /// When it ended; `None` while it is running and if it was killed.
    pub ended_at: Option<String>,
    /// Version of ftbench that measured.
    pub ftbench_version: String,
    /// Kernel version; empty if unknown.
    #[serde(default)]
    pub kernel: String,
    /// Operating-system process id; `None` if unknown.
    #[serde(default)]
    pub process_id: Option<u32>,
    /// The kernel's identifier of this boot (`/proc/sys/kernel/random/boot_id`). Timestamps of `CLOCK_MONOTONIC` can
    /// only be compared within one boot. `None` if unknown.
    #[serde(default)]
    pub boot_id: Option<String>,
    /// Whether the lines that it added to the record have checksums.
    #[serde(default)]
    pub checksums: bool,
    /// The commit of the code when the session began, as reported by git; `None` if unknown, and if the user named a
    /// commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitFacts>,
}

/// The package options of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageOptions {
    /// Requirements for every workload in addition to its own dependencies: PEP 508, or the path of a wheel.
    pub with: Vec<String>,
    /// Whether packages without a wheel may be built from source.
    pub source_builds: bool,
    /// SHA-256 of each wheel among the requirements, by its path, hexadecimal; empty in runs of earlier versions of
    /// ftbench.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub wheels: BTreeMap<String, String>,
}

impl PackageOptions {
    /// Whether no option was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Resource limits of a trial. A trial that exceeds one is ended, and its record gives the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory, bytes: for all processes together and for each of them.
    pub memory_bytes: u64,
    /// Number of processes at the same time.
    pub processes: u32,
    /// Amount of output, bytes.
    pub output_bytes: u64,
}

/// The kind of code that an arm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArmKind {
    /// A workload file: each arm runs its own.
    File,
    /// A folder of modules that comes first on the module path of the arm's trials.
    Folder,
    /// A wheel that is installed into the arm's environments.
    Wheel,
}

impl ArmKind {
    /// The kind in words, for messages.
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
    /// Its identifier; for git the full hash, if known.
    pub id: String,
    /// When it was committed, RFC 3339; `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_at: Option<String>,
    /// Whether the measured files differ from it; `None` if that was not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
}

/// One version of the user's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmFacts {
    /// Its name.
    pub name: String,
    /// The kind of code.
    pub kind: ArmKind,
    /// The file or folder.
    pub path: String,
    /// SHA-256 of the file, or of all names and contents in the folder, hexadecimal; `None` for a folder that is too
    /// large to read.
    pub sha256: Option<String>,
    /// The commit of the git repository that contains it; `None` outside a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitFacts>,
}

/// A module or package of the user's own that a workload imports from the first folder on its module path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleFacts {
    /// Its name, without the names of enclosing packages.
    pub name: String,
    /// The file, or the folder of the package.
    pub path: String,
    /// SHA-256 of the file, or of the names and contents of all modules in the folder, hexadecimal; `None` if it cannot
    /// be read or is too large.
    pub sha256: Option<String>,
}

/// How a program is linked with the interpreter that it embeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Linked {
    /// The static library is part of the program.
    Static,
    /// The shared library is loaded with it.
    Shared,
}

impl Linked {
    /// The kind of linking in messages and files.
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
    /// The kind of program.
    pub host: Host,
    /// Path of the program.
    pub executable: String,
    /// How it is linked with the interpreter.
    pub linked: Linked,
    /// Version of PyO3 that it was built with.
    pub pyo3_version: String,
    /// Whether it was already built by an earlier run.
    pub cached: bool,
}

/// An extension that workloads import, built for one interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionFacts {
    /// The interpreter's tag.
    pub interpreter: String,
    /// The folder of the Cargo package.
    pub package: String,
    /// SHA-256 of the package's sources, hexadecimal.
    pub sha256: String,
    /// The modules that it provides.
    pub modules: Vec<String>,
    /// The folder that contains them, which is on the module path of the workloads' trials.
    pub folder: String,
    /// Version of PyO3 that it was built with; `None` if it is built without PyO3.
    pub pyo3_version: Option<String>,
    /// Whether it was already built by an earlier run.
    pub cached: bool,
}

/// What a run was imported from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportFacts {
    /// The format, such as `pyperf`.
    pub format: String,
    /// Version of the tool that measured; empty if the files do not state it.
    pub tool_version: String,
    /// The files.
    pub files: Vec<ImportedFile>,
}

/// An imported file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedFile {
    /// Its name, without folders.
    pub name: String,
    /// SHA-256 of the file's bytes, hexadecimal.
    pub sha256: String,
}

/// The subject of a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// The two builds of a pair differ in more than the GIL.
    BuildsDiffer,
    /// The interpreters of a workload have different versions of a package.
    PackagesDiffer,
    /// The model `processes` starts its workers differently on some interpreters.
    StartMethodsDiffer,
    /// There is no free-threaded build to compare with.
    NoFreeThreadedBuild,
    /// There is no GIL build to compare with.
    NoGilBuild,
    /// An interpreter was left out.
    InterpreterSkipped,
    /// An interpreter is an alpha, a beta or a release candidate.
    PreRelease,
    /// The control group's CPU quota is less than the number of cores.
    CpuQuota,
    /// Workers were seen on PUs other than their own.
    WorkersMoved,
    /// A module switched the GIL back on.
    GilReenabled,
    /// `work` starts threads or processes of its own, which share the PU of their worker.
    StartsThreads,
    /// A workload fails with several threads and not with one.
    NotThreadSafe,
    /// Work of the model `internal` uses one PU, however many it may use.
    UsesOnePu,
    /// Importing a workload's module takes long or leaves threads running, as that of a script without a guard does.
    ImportRunsCode,
    /// One unit of a workload takes longer than a sample.
    LongUnit,
    /// A client runs on the PUs of the server that it measures.
    ClientSharesPus,
    /// A workload computes while it waits for its turn, and is therefore measured alone.
    ComputesWhileWaiting,
    /// Samples still get faster or slower during a trial.
    NotSteady,
    /// A cell needs more memory with each sample.
    MemoryGrows,
    /// Too few rounds for a reliable interval.
    FewRounds,
    /// Many samples were disturbed.
    Disturbed,
    /// Embedded and spawned cells differ in more than the host.
    HostsDiffer,
    /// Two arms have the same contents.
    ArmsAlike,
    /// A part of the record cannot be read or is recorded twice.
    DamagedRecord,
    /// The sessions of a resumed run differ in something that may affect times.
    SessionsDiffer,
    /// The run was measured by another tool, which did not record everything that ftbench does.
    Imported,
}

/// Something that a reader of the figures must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The subject.
    pub kind: WarningKind,
    /// One or two sentences.
    pub message: String,
    /// Names of the workloads concerned; empty if the warning concerns the whole run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workloads: Vec<String>,
}

impl Warning {
    /// Creates a warning about the whole run.
    #[must_use]
    pub fn of_run(kind: WarningKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            workloads: Vec::new(),
        }
    }

    /// Creates a warning about these workloads only.
    #[must_use]
    pub fn of_workloads(kind: WarningKind, message: impl Into<String>, workloads: Vec<String>) -> Self {
        Self {
            workloads,
            ..Self::of_run(kind, message)
        }
    }
}
