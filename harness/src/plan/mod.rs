//! Interpreters, machine, workloads and options in; cells and placements out. Pure.

pub mod placement;
