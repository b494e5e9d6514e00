//! What a picture of the spread needs of every sample: makespans and reported figures, by cell.
//!
//! A run may have a million samples. This holds nine bytes of each, and eight for each figure that it reported, where a
//! whole [`Sample`](super::Sample) takes hundreds.

use std::collections::{BTreeMap, HashMap};

use super::cell::Cell;
use super::trial::{Trial, TrialStatus};

/// Names of reported figures beyond this many are dropped: a workload that makes up a new name for each sample would
/// otherwise fill the memory.
const MOST_REPORTED_NAMES: usize = 16;

/// The counted samples of one cell's usable trials, in the order of the record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CellSamples {
    /// Makespans, nanoseconds.
    pub makespans_ns: Vec<u64>,
    /// Whether something disturbed the sample, in the same order.
    pub disturbed: Vec<bool>,
    /// Figures that the workload's `report` gave, by name, one for each sample that had it.
    pub reported: BTreeMap<String, Vec<f64>>,
}

impl CellSamples {
    /// Takes in a counted sample.
    pub fn add<'n>(
        &mut self,
        makespan_ns: u64,
        disturbed: bool,
        reported: impl IntoIterator<Item = (&'n str, f64)>,
    ) {
        self.makespans_ns.push(makespan_ns);
        self.disturbed.push(disturbed);
        for (name, figure) in reported {
            if let Some(figures) = self.reported.get_mut(name) {
                figures.push(figure);
            } else if self.reported.len() < MOST_REPORTED_NAMES {
                self.reported.insert(name.to_owned(), vec![figure]);
            }
        }
    }

    fn append(&mut self, mut later: Self) {
        self.makespans_ns.append(&mut later.makespans_ns);
        self.disturbed.append(&mut later.disturbed);
        for (name, mut figures) in later.reported {
            if let Some(known) = self.reported.get_mut(&name) {
                known.append(&mut figures);
            } else if self.reported.len() < MOST_REPORTED_NAMES {
                self.reported.insert(name, figures);
            }
        }
    }
}

/// The counted samples of every cell that has any.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SamplesByCell(HashMap<Cell, CellSamples>);

impl SamplesByCell {
    /// Those of trials in memory.
    #[must_use]
    pub fn of_trials(trials: &[Trial]) -> Self {
        let mut samples = Self::default();
        for trial in trials.iter().filter(|trial| trial.status == TrialStatus::Ok) {
            let of_cell = samples.of_cell_mut(&trial.cell);
            for sample in trial.counted_samples() {
                let disturbed = sample
                    .noise
                    .as_ref()
                    .is_some_and(|noise| !noise.disturbed_by.is_empty());
                let reported = sample
                    .reported
                    .iter()
                    .map(|(name, figure)| (name.as_str(), *figure));
                of_cell.add(sample.makespan_ns(), disturbed, reported);
            }
        }
        samples
    }

    /// Those of a cell; `None` when it has none.
    #[must_use]
    pub fn of_cell(&self, cell: &Cell) -> Option<&CellSamples> {
        self.0.get(cell)
    }

    /// Those of a cell, to add to.
    pub fn of_cell_mut(&mut self, cell: &Cell) -> &mut CellSamples {
        self.0.entry(cell.clone()).or_default()
    }

    /// Puts what was read later behind what was read before.
    pub fn append(&mut self, later: Self) {
        for (cell, samples) in later.0 {
            self.0.entry(cell).or_default().append(samples);
        }
    }
}
