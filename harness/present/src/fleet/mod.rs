//! Formats of a fleet: a table, Markdown and a page with charts.

mod charts;
pub mod markdown;
pub mod page;
pub mod table;
pub mod words;

#[cfg(test)]
#[path = "fleet_tests.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
