//! The resources that a trial's processes use: CPU time, context switches, page faults, energy, hardware events.

pub mod counters;
pub mod energy;
pub mod extra_threads;
pub mod processes;
