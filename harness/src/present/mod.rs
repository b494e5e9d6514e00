//! The summary in; tables, charts and pages out.

pub mod arms;
pub mod chart;
pub mod compare;
pub mod csv;
pub mod doctor;
pub mod export;
pub mod headline;
pub mod history;
pub mod json;
pub mod laws;
mod laws_table;
pub mod listing;
#[cfg(test)]
pub(crate) mod made_up;
pub mod markdown;
pub mod noise;
pub mod page;
pub mod plan;
pub mod progress;
mod reasons;
pub mod reported;
pub mod rows;
pub mod selfcheck;
pub mod table;
pub mod text;
pub mod topology;
pub mod units;
