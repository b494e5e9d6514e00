//! The figures that charts are made of, and the frame that they give them.

use super::measured::MOST_SERIES;
use crate::chart::{Chart, words};
use ftbench_schema::{CellSummary, Summary, Trial};

/// What a chart is made of: one run, or several joined.
#[derive(Debug, Clone, PartialEq)]
pub struct Material {
    /// The figures.
    pub summary: Summary,
    /// The trials; may be empty for the kinds that do not take them.
    pub trials: Vec<Trial>,
    /// The machines, one line each.
    pub(super) machines: Vec<String>,
    /// How the runs were measured, for a chart of several runs.
    pub(super) method: Option<String>,
    /// What a reader must know of the joining.
    pub(super) notes: Vec<String>,
    /// Workloads whose file is not the same in all of the runs.
    pub(super) unlike_files: Vec<String>,
    /// Maximum number of series drawn in a chart.
    pub(super) most_series: usize,
}

impl Material {
    /// One run.
    #[must_use]
    pub fn of_run(summary: Summary, trials: Vec<Trial>) -> Self {
        Self {
            machines: vec![words::machine(&summary)],
            summary,
            trials,
            method: None,
            notes: Vec::new(),
            unlike_files: Vec::new(),
            most_series: MOST_SERIES,
        }
    }

    /// One run, for a page, whose legend can hide series: all of them are drawn.
    pub(crate) fn for_page(summary: Summary) -> Self {
        Self {
            most_series: usize::MAX,
            ..Self::of_run(summary, Vec::new())
        }
    }

    pub(super) fn is_joined(&self) -> bool {
        self.method.is_some()
    }

    /// Adds what every chart says: machine and builds below the title; in the caption what failed and what was warned of
    /// before what the chart itself has to say, and the method behind it.
    pub(super) fn frame(&self, chart: &mut Chart, cells: &[&CellSummary], key: &str) {
        chart.subtitle.clone_from(&self.machines);
        chart.subtitle.push(words::builds(&self.summary));
        chart.subtitle.retain(|line| !line.is_empty());
        let own = std::mem::take(&mut chart.caption);
        chart.caption = words::notes(&self.summary, cells);
        chart
            .caption
            .extend(words::unlike_files(&self.unlike_files, cells));
        chart.caption.extend(own);
        chart.caption.extend(self.notes.iter().cloned());
        let method = self
            .method
            .clone()
            .unwrap_or_else(|| words::method(&self.summary, cells));
        chart.caption.push(format!("{key} {method}"));
    }
}
