//! Plain data that every stage may use: the contents of a run folder, with units and text.
//!
//! Nothing here touches a file, a clock or a process. `docs/format.md` describes the files.

pub mod cell;
pub mod compat;
pub mod explanation;
pub mod fleet;
pub mod history;
pub mod interpreter;
pub mod pattern;
pub mod run;
pub mod shard;
pub mod suggest;
pub mod summary;
pub mod tag;
pub mod text;
pub mod trial;
pub mod units;
pub mod workload;

pub use cell::{Cell, Curve, Host, Model, ModelError, NATIVE};
pub use compat::{
    Attempt, Compat, CompatBuild, CompatPackage, CompatVerdict, Distribution, Evidence, ExtensionModule,
    GilDeclaration, GilSwitch, MeasuredCall, ModuleImport, Outcome, PackageOnBuild, StressedCall,
};
pub use explanation::{CategoryTime, Contended, Explanation, ObjectFacts, SamplingCost};
pub use fleet::{
    BuildArchive, BuildMatch, EnvironmentArchive, FleetEntry, FleetGroup, FleetIndex, FleetJobs, FleetPlan,
    choose_counted,
};
pub use interpreter::{
    BuildFacts, BuildIdentity, GarbageCollector, GilState, Implementation, InterpreterFacts, JitState,
    RuntimeFacts, Stage, Switch, Version, VersionError,
};
pub use run::{
    ArmFacts, ArmKind, CommitFacts, EnvironmentFacts, ExtensionFacts, HostFacts, ImportFacts, ImportedFile,
    Limits, Linked, MachineFacts, Manifest, ModuleFacts, Order, PackageFacts, PackageOptions, Plan,
    PlannedCell, RunStatus, Scaling, Session, Settings, StoppedBy, Stopping, TopologyFacts, Warning,
    WarningKind,
};
pub use shard::{FleetRun, FleetShape, FleetShard, MAX_SHARDS};
pub use summary::{
    ArmRatio, CellCost, CellStatus, CellSummary, CurveLaws, CurveVerdict, Difference, Estimate, Law, LawFit,
    Limit, LimitCause, NotFitted, Overhead, Quietness, RunFacts, Sensitivity, Summary,
};
pub use tag::{Switches, Tag, TagError, differences, distinct_builds, is_pair, pair_warnings};
pub use trial::{
    CellSamples, Cost, Disturbance, ExtraThreads, Memory, Noise, ProcessMemory, Sample, SamplesByCell, Share,
    Source, ThreadPool, Trial, TrialStatus, Turn, Worker,
};
pub use workload::{
    CalibrationFailure, CallFacts, CeilingFacts, CommandFacts, FigureFacts, Format, Kernel, KernelGroup,
    ServerFacts, WorkloadFacts, WorkloadKind,
};

/// Version of every file of a run folder. Keys are added within a version, never renamed or removed.
pub const SCHEMA_VERSION: u32 = 1;
