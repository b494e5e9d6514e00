//! Formats of a history of runs: a table, Markdown, JSON, charts and a page.

pub mod charts;
pub mod json;
pub mod markdown;
pub mod page;
pub mod table;
mod words;

#[cfg(test)]
#[path = "history_tests.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
