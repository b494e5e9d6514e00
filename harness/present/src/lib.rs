//! The summary in; tables, charts and pages out.

pub mod arms;
pub mod chart;
pub mod compare;
pub mod compat;
pub mod csv;
pub mod explain;
pub mod export;
pub mod fleet;
pub mod headline;
pub mod history;
pub mod json;
pub mod laws;
mod laws_table;
pub mod markdown;
pub mod noise;
pub mod page;
mod reasons;
pub mod reported;
pub mod rows;
pub mod selfcheck;
mod strength;
pub mod style;
pub mod table;
pub mod terminal;
pub mod verdict;
