//! Analysis of runs: pure functions from records to summaries, comparisons and histories.

pub mod arms;
pub mod bootstrap;
pub mod compare;
pub mod compat;
pub mod cost;
pub mod estimate;
pub mod exact_median;
pub mod extra_threads;
pub mod findings;
pub mod fleet;
mod growth;
pub mod history;
mod imports;
pub mod laws;
pub mod location;
mod long_units;
pub mod multiple;
pub mod overhead;
mod pairwise;
pub mod precision;
pub mod quiet;
pub mod ratios;
pub mod sample;
pub mod selfcheck;
mod steady;
pub mod summary;
mod verdict;
pub mod worst;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod bootstrap_tests;

#[cfg(test)]
#[path = "coverage_tests.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod coverage_tests;
