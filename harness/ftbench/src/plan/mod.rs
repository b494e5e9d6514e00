//! Interpreters, machine, workloads and options in; cells and placements out. Pure.

mod buildable;
pub mod cells;
pub mod duration;
pub mod groups;
pub mod order;
pub mod placement;
pub mod shards;
