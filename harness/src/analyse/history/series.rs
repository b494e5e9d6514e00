//! Series out of the cells of runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Level, Night, Series, Subject, confirm};
use crate::analyse::sample::{mean, median};
use crate::record::schema::history::{HistoryRun, SeriesKey};
use crate::record::schema::{CellStatus, WorkloadKind};

/// Half of a normal distribution's 95 % interval, in standard deviations.
const HALF_INTERVAL: f64 = 1.959_963_984_540_054;

/// The series of all cells, those of the ceiling apart, each by name and machine.
pub fn of_cells(runs: &[HistoryRun], machine_of_run: &[usize]) -> (Vec<Series>, Vec<Series>) {
    let mut nights: BTreeMap<(Arc<SeriesKey>, usize), Vec<Night>> = BTreeMap::new();
    for (run, (facts, machine)) in runs.iter().zip(machine_of_run).enumerate() {
        for reading in &facts.readings {
            let night = Night {
                run,
                status: reading.status,
                value: reading.value,
                adjusted: reading.value.map(|value| value.estimate),
            };
            nights
                .entry((Arc::clone(&reading.key), *machine))
                .or_default()
                .push(night);
        }
    }
    nights
        .into_iter()
        .map(|((key, machine), nights)| empty(Subject::Cell((*key).clone()), machine, nights))
        .partition(|series| !matches!(&series.subject, Subject::Cell(key) if key.is_native()))
}

fn empty(subject: Subject, machine: usize, nights: Vec<Night>) -> Series {
    Series {
        subject,
        machine,
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
    let mut groups: BTreeMap<(&'static str, String, usize), (WorkloadKind, Vec<&Series>)> = BTreeMap::new();
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
            .entry((kind.name(), key.interpreter_label(), series.machine))
            .or_insert_with(|| (kind, Vec::new()));
        group.1.push(series);
    }
    groups
        .into_iter()
        .filter(|(_, (_, cells))| cells.len() > 1)
        .map(|((_, interpreter, machine), (kind, cells))| {
            let subject = Subject::Mean {
                kind,
                interpreter,
                cells: cells.len(),
            };
            empty(subject, machine, means(&cells))
        })
        .collect()
}

fn means(cells: &[&Series]) -> Vec<Night> {
    let mut by_run: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for series in cells {
        let mut values = logarithms(series);
        if values.is_empty() {
            continue;
        }
        let centre = median(&mut values);
        for night in &series.nights {
            if let Some(value) = logarithm(night) {
                by_run.entry(night.run).or_default().push(value - centre);
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

/// Counts the runs of its machine in which a series is not, and marks what came later.
pub fn count_missing(series: &mut [Series], machine_of_run: &[usize]) {
    for series in series {
        let own = |run: usize| machine_of_run.get(run) == Some(&series.machine);
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

/// The levels between the cuts, which are positions among the nights that have a figure.
pub fn levels(series: &Series, cuts: &[usize]) -> Vec<Level> {
    let places: Vec<usize> = series
        .nights
        .iter()
        .enumerate()
        .filter(|(_, night)| logarithm(night).is_some())
        .map(|(position, _)| position)
        .collect();
    let values = logarithms(series);
    confirm::ranges(cuts, values.len())
        .into_iter()
        .filter_map(|range| {
            let first = *places.get(range.start)?;
            let last = *places.get(range.end.checked_sub(1)?)?;
            Some(Level {
                first,
                last,
                nights: range.len(),
                value: confirm::level_of(values.get(range)?, series.noise).exp(),
                drift: None,
            })
        })
        .collect()
}
