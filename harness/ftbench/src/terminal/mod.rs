//! Output for a terminal only: progress, a plan, the machine and its checks.

pub mod doctor;
pub mod pictures;
pub mod plan;
pub mod progress;
pub mod steps;
pub mod topology;
