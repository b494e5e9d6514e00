//! Records in, a summary out: pure functions over numbers.

pub mod bootstrap;
pub mod cost;
pub mod estimate;
pub mod findings;
pub mod overhead;
pub mod quiet;
pub mod sample;
pub mod summary;
