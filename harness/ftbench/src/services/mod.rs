//! The services that ftbench runs for workloads.

pub mod loopback;
