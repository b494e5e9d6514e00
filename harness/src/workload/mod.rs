//! Workloads: their metadata and where they are.
