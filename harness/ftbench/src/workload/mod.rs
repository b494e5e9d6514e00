//! Workloads: their metadata, where they are, and the packages that they need.

pub mod arm;
pub mod callable;
pub mod catalogue;
pub mod code;
pub mod environment;
pub mod foreign;
pub mod metadata;
pub mod modules;
pub mod pyperformance;
pub mod requirement;

pub use arm::{ArmError, ArmWord, Arms};
pub use callable::CallableName;
pub use catalogue::{Catalogue, Lister};
pub use code::{Workload, WorkloadError};
pub use metadata::{Metadata, Service};
pub use requirement::{Requirement, RequirementError, normalised};
