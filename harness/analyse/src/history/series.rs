//! Series out of the cells of runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::confirm::{self, Fitted};
use super::findings::{Level, Night, Series, Subject};
use crate::sample::{mean, median};
use ftbench_schema::history::{HistoryRun, SeriesKey};
use ftbench_schema::{CellStatus, WorkloadKind};

/// Half of a normal distribution's 95 % interval, in standard deviations.
const HALF_INTERVAL: f64 = 1.959_963_984_540_054;

/// Where and how a run was made: what lies in different places makes no series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Number of the machine.
    pub machine: usize,
    /// Number of the settings; `None` where no run recorded any.
    pub settings: Option<usize>,
}

/// The series of all cells, those of the ceiling apart, each by name and place.
pub fn of_cells(runs: &[HistoryRun], places: &[Place]) -> (Vec<Series>, Vec<Series>) {
    let mut nights: BTreeMap<(Arc<SeriesKey>, Place), Vec<Night>> = BTreeMap::new();
    for (run, (facts, place)) in runs.iter().zip(places).enumerate() {
        for reading in &facts.readings {
            let night = Night {
                run,
                status: reading.status,
                value: reading.value,
                adjusted: reading.value.map(|value| value.estimate),
            };
            nights
                .entry((Arc::clone(&reading.key), *place))
                .or_default()
                .push(night);
        }
    }
    nights
        .into_iter()
        .map(|((key, place), nights)| empty(Subject::Cell((*key).clone()), place, nights))
        .partition(|series| !matches!(&series.subject, Subject::Cell(key) if key.is_native()))
}

fn empty(subject: Subject, place: Place, nights: Vec<Night>) -> Series {
    Series {
        subject,
        machine: place.machine,
        settings: place.settings,
        nights,
        levels: Vec::new(),
        noise: 0.0,
        missing: 0,
        new: false,
    }
}

/// The geometric mean of each kind of workload on each interpreter, over the cells that a run has, each relative to its
/// own median: a small change of all of them shows where none would on its own.
pub fn of_means(cells: &[Series], runs: &[HistoryRun]) -> Vec<Series> {
    let mut groups: BTreeMap<(&'static str, String, Place), (WorkloadKind, Vec<&Series>)> = BTreeMap::new();
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
            .entry((kind.name(), key.interpreter_label(), series.place()))
            .or_insert_with(|| (kind, Vec::new()));
        group.1.push(series);
    }
    groups
        .into_iter()
        .filter(|(_, (_, cells))| cells.len() > 1)
        .map(|((_, interpreter, place), (kind, cells))| {
            let subject = Subject::Mean {
                kind,
                interpreter,
                cells: cells.len(),
            };
            empty(subject, place, means(&cells, runs))
        })
        .collect()
}

/// A cell begins anew with another file of its workload: what that does to its times is no change of what it measures.
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

/// The runs and logarithms of a cell's series, by the checksum of the workload's file.
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
    /// Where and how its runs were made.
    pub(super) fn place(&self) -> Place {
        Place {
            machine: self.machine,
            settings: self.settings,
        }
    }
}

/// Counts the runs of its place in which a series is not, and marks what came later.
pub fn count_missing(series: &mut [Series], places: &[Place]) {
    for series in series {
        let place = series.place();
        let own = |run: usize| places.get(run) == Some(&place);
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

/// Logarithms of all nights that have a figure.
pub fn logarithms_of(nights: &[Night]) -> Vec<f64> {
    nights.iter().filter_map(logarithm).collect()
}

/// Logarithms of a series.
pub fn logarithms(series: &Series) -> Vec<f64> {
    logarithms_of(&series.nights)
}

/// The median of what the runs' own intervals say about a value's standard deviation, of logarithms.
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

/// The levels of a series that was fitted; the fit's positions are among the nights that have a figure.
pub fn levels(series: &Series, fitted: &Fitted) -> Vec<Level> {
    let places: Vec<usize> = series
        .nights
        .iter()
        .enumerate()
        .filter(|(_, night)| logarithm(night).is_some())
        .map(|(position, _)| position)
        .collect();
    let cuts: Vec<usize> = fitted.steps.iter().map(|step| step.position).collect();
    confirm::ranges(&cuts, places.len())
        .into_iter()
        .zip(&fitted.levels)
        .filter_map(|(range, level)| {
            let first = *places.get(range.start)?;
            let last = *places.get(range.end.checked_sub(1)?)?;
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
