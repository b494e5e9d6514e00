//! What is stored of a run, and where.

pub mod schema;
pub mod store;
