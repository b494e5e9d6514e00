//! Workloads: their metadata and where they are.

pub mod catalogue;
pub mod metadata;

pub use catalogue::{Catalogue, Workload, WorkloadError};
pub use metadata::{Metadata, Service};
