//! The report: one HTML file that needs nothing else, for people who were not there when it was measured.
//!
//! Data flow one way: the summary and the samples become a [`model::Page`] of finished words and drawings, from which the
//! template makes the page. The script, in the reader's browser, switches between drawings, hides and highlights series and
//! shows the values in `data-` attributes; it draws nothing. Everything from a workload or a machine is escaped by the
//! template or by the drawing, and a Content-Security-Policy allows the page its own style, script and font and nothing
//! else: no address, no inline handler, no image.

mod cells;
mod charts;
mod escape;
mod facts;
mod findings;
mod fits;
mod model;
mod spread;
mod template;

pub(crate) use template::{fill_page, style};

use crate::chart::ChartError;
use ftbench_schema::{Manifest, SamplesByCell, Summary};

/// A report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The template engine refused.
    #[error("the report could not be made: {0:#}; please report this with the run's summary.json")]
    Template(#[from] minijinja::Error),
    /// A chart could not be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
}

/// What a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The estimates.
    pub summary: &'a Summary,
    /// What was requested, and on what it was measured.
    pub manifest: &'a Manifest,
    /// The samples, for their spread.
    pub samples: &'a SamplesByCell,
}

/// Makes the report as HTML.
///
/// # Errors
/// When the template engine or the drawing library refuses, which no summary that the analysis makes gives cause for.
pub fn html(report: Report<'_>) -> Result<String, PageError> {
    template::fill(&model::page(report)?)
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
