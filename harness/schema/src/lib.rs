//! The plain data that every stage may use: what a run folder holds, with its units and words.
//!
//! Nothing here touches a file, a clock or a process. `docs/format.md` describes the files for people.

pub mod arm;
pub mod built;
pub mod ceiling;
pub mod cell;
pub mod differences;
pub mod history;
pub mod identity;
pub mod imported;
pub mod interpreter;
pub mod law;
pub mod limits;
pub mod manifest;
pub mod noise;
pub mod pattern;
pub mod samples;
pub mod session;
pub mod suggest;
pub mod summary;
pub mod switch;
pub mod switches;
pub mod tag;
pub mod text;
pub mod trial;
pub mod units;
pub mod version;
pub mod workload;

pub use arm::{ArmFacts, ArmKind, ArmRatio, CommitFacts};
pub use built::{ExtensionFacts, HostFacts, Linked};
pub use ceiling::{CeilingFacts, Kernel, Kernels, NATIVE};
pub use cell::{Cell, Curve, Host, Model, ModelError};
pub use differences::{builds, differences, pair_warnings};
pub use identity::{BuildIdentity, ModuleFacts};
pub use imported::{ImportFacts, ImportedFile};
pub use interpreter::{BuildFacts, GilState, Implementation, InterpreterFacts};
pub use law::{CurveLaws, Law, LawFit, Limit, LimitCause, NotFitted};
pub use limits::Limits;
pub use manifest::{
    EnvironmentFacts, MachineFacts, Manifest, PackageFacts, Plan, PlannedCell, RunStatus, Scaling, Settings,
    StoppedBy, Stopping, TopologyFacts,
};
pub use noise::{Cost, Disturbance, Noise, Source};
pub use samples::{CellSamples, SamplesByCell};
pub use session::{PackageWishes, Session};
pub use summary::{
    CellCost, CellStatus, CellSummary, Difference, Estimate, Overhead, Quietness, RunFacts, Summary, Warning,
    WarningKind,
};
pub use switch::{JitState, Switch};
pub use switches::Switches;
pub use tag::{Tag, TagError};
pub use trial::{ExtraThreads, Memory, ProcessMemory, Sample, Share, Trial, TrialStatus, Worker};
pub use version::{Stage, Version, VersionError};
pub use workload::{CalibrationFailure, WorkloadFacts, WorkloadKind};

/// Version of every file of a run folder. Keys are added within a version, never renamed or removed.
pub const SCHEMA_VERSION: u32 = 1;
