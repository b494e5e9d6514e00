//! What only a terminal shows: progress, a plan, the machine and its checks.

pub mod doctor;
pub mod plan;
pub mod progress;
pub mod topology;
