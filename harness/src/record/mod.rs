//! What is stored of a run, and where.

pub mod history;
pub mod samples;
pub mod schema;
pub mod store;
