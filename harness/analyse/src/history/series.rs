//! Grouping the cells of runs into series.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::confirm::{self, Fitted};
use super::findings::{Level, Night, Series, Subject};
use crate::sample::{mean, median};
use ftbench_schema::history::{HistoryRun, SeriesKey};
use ftbench_schema::{CellStatus, WorkloadKind};

/// Half of a normal distribution's 95 % interval, in standard deviations.
const HALF_INTERVAL: f64 = 1.959_963_984_540_054;

/// The machine and the settings of a run. Runs with different setups belong to different series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setup {
    /// Number of the machine.
    pub machine: usize,
    /// Number of the settings; `None` if no run recorded any.
    pub settings: Option<usize>,
}

/// Returns the series of all cells and, separately, of the ceiling's cells, ordered by name and setup.
pub fn of_cells(runs: &[HistoryRun], setups: &[Setup]) -> (Vec<Series>, Vec<Series>) {
    let mut nights: BTreeMap<(Arc<SeriesKey>, Setup), Vec<Night>> = BTreeMap::new();
    for (run, (facts, setup)) in runs.iter().zip(setups).enumerate() {
        for reading in &facts.readings {
            let night = Night {
                run,
                status: reading.status,
                value: reading.value,
                adjusted: reading.value.map(|value| value.estimate),
            };
            nights
                .entry((Arc::clone(&reading.key), *setup))
                .or_default()
                .push(night);
        }
    }
    nights
        .into_iter()
        .map(|((key, setup), nights)| empty(Subject::Cell((*key).clone()), setup, nights))
        .partition(|series| !matches!(&series.subject, Subject::Cell(key) if key.is_native()))
}

fn empty(subject: Subject, setup: Setup, nights: Vec<Night>) -> Series {
    Series {
        subject,
        machine: setup.machine,
        settings: setup.settings,
        nights,
        levels: Vec::new(),
        noise: 0.0,
        missing: 0,
        new: false,
    }
}

/// Returns the geometric mean for each kind of workload on each interpreter, over the cells that a run has, each
/// relative to its own median. This shows a small change of all cells that is not significant in any single one.
pub fn of_means(cells: &[Series], runs: &[HistoryRun]) -> Vec<Series> {
    let mut groups: BTreeMap<(&'static str, String, Setup), (WorkloadKind, Vec<&Series>)> = BTreeMap::new();
    for series in cells {
        let Subject::Cell(key) = &series.subject else {
            continue;
        };
        let facts = series
            .nights
            .iter()
            .find_map(|night| runs.get(night.run)?.workloads.get(&key.workload));
        let Some(kind) = facts.map(|facts| facts.kind) else {
            continue;
        };
        let group = groups
            .entry((kind.name(), key.interpreter_label(), series.setup()))
            .or_insert_with(|| (kind, Vec::new()));
        group.1.push(series);
    }
    groups
        .into_iter()
        .filter(|(_, (_, cells))| cells.len() > 1)
        .map(|((_, interpreter, setup), (kind, cells))| {
            let subject = Subject::Mean {
                kind,
                interpreter,
                cells: cells.len(),
            };
            empty(subject, setup, means(&cells, runs))
        })
        .collect()
}

/// Each cell starts again with a changed file of its workload, because the effect of the change on its times is not a
/// regression.
fn means(cells: &[&Series], runs: &[HistoryRun]) -> Vec<Night> {
    let mut by_run: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for series in cells {
        for nights in by_file(series, runs).into_values() {
            let mut values: Vec<f64> = nights.iter().map(|(_, value)| *value).collect();
            let centre = median(&mut values);
            for (run, value) in nights {
                by_run.entry(run).or_default().push(value - centre);
            }
        }
    }
    by_run
        .into_iter()
        .map(|(run, values)| Night {
            run,
            status: CellStatus::Ok,
            value: None,
            adjusted: Some(mean(&values).exp()),
        })
        .collect()
}

/// Returns the runs and logarithms of a cell's series, by the checksum of the workload's file.
fn by_file<'r>(series: &Series, runs: &'r [HistoryRun]) -> BTreeMap<&'r str, Vec<(usize, f64)>> {
    let mut by_file: BTreeMap<&str, Vec<(usize, f64)>> = BTreeMap::new();
    let Subject::Cell(key) = &series.subject else {
        return by_file;
    };
    for night in &series.nights {
        let facts = runs
            .get(night.run)
            .and_then(|run| run.workloads.get(&key.workload));
        if let Some(value) = logarithm(night) {
            let file = facts.map_or("", |facts| facts.sha256.as_str());
            by_file.entry(file).or_default().push((night.run, value));
        }
    }
    by_file
}

impl Series {
    /// The setup of its runs.
    pub(super) fn setup(&self) -> Setup {
        Setup {
            machine: self.machine,
            settings: self.settings,
        }
    }
}

/// Counts the runs with the same setup that do not contain a series, and marks series that were added later.
pub fn count_missing(series: &mut [Series], setups: &[Setup]) {
    for series in series {
        let setup = series.setup();
        let own = |run: usize| setups.get(run) == Some(&setup);
        let (Some(first), Some(last)) = (series.nights.first(), series.nights.last()) else {
            continue;
        };
        let runs = (first.run..=last.run).filter(|run| own(*run)).count();
        series.missing = runs.saturating_sub(series.nights.len());
        series.new = (0..first.run).any(own);
    }
}

/// Logarithm of a night's figure with the drift divided out.
pub fn logarithm(night: &Night) -> Option<f64> {
    night.adjusted.map(f64::ln).filter(|value| value.is_finite())
}

/// Logarithms of all nights that have a figure, with the drift divided out.
pub fn logarithms_of(nights: &[Night]) -> Vec<f64> {
    nights.iter().filter_map(logarithm).collect()
}

/// Logarithms of a series.
pub fn logarithms(series: &Series) -> Vec<f64> {
    logarithms_of(&series.nights)
}

/// The standard deviation of a logarithm according to the runs' own intervals: the median over the nights.
pub fn within(series: &Series) -> f64 {
    let mut errors: Vec<f64> = series
        .nights
        .iter()
        .filter_map(|night| night.value)
        .map(|value| (value.high / value.low).ln() / (2.0 * HALF_INTERVAL))
        .filter(|error| error.is_finite() && *error >= 0.0)
        .collect();
    if errors.is_empty() {
        0.0
    } else {
        median(&mut errors)
    }
}

/// Returns the levels of a fitted series. The positions of the fit refer to the nights that have a figure.
pub fn levels(series: &Series, fitted: &Fitted) -> Vec<Level> {
    let positions: Vec<usize> = series
        .nights
        .iter()
        .enumerate()
        .filter(|(_, night)| logarithm(night).is_some())
        .map(|(position, _)| position)
        .collect();
    let cuts: Vec<usize> = fitted.steps.iter().map(|step| step.position).collect();
    confirm::ranges(&cuts, positions.len())
        .into_iter()
        .zip(&fitted.levels)
        .filter_map(|(range, level)| {
            let first = *positions.get(range.start)?;
            let last = *positions.get(range.end.checked_sub(1)?)?;
            Some(Level {
                first,
                last,
                nights: range.len(),
                value: level.exp(),
                drift: None,
            })
        })
        .collect()
}
