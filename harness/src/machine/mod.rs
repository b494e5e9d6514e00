//! The computer: its topology, its limits, and facts about it.

pub mod bind;
pub mod cache;
pub mod discovery;
pub mod facts;
pub mod memory;
pub mod quota;
pub mod topology;
