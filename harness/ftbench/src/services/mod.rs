//! What workloads need beside themselves, which ftbench runs for them.

pub mod loopback;
