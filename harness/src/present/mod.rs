//! The summary in; tables, charts and pages out.

pub mod topology;
