//! The computer: its topology, its limits, and facts about it.

pub mod bind;
pub mod cache;
pub mod cost;
mod description;
pub mod discovery;
pub mod facts;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
pub mod memory;
pub mod noise;
pub mod topology;
