//! Records in, a summary out: pure functions over numbers.

pub mod bootstrap;
pub mod estimate;
pub mod findings;
pub mod sample;
pub mod summary;
