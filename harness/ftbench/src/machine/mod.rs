//! The computer: its topology, facts about it, binding to its PUs, and the noise and cost of what runs on it.

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
