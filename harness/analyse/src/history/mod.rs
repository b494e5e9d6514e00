//! The history of each cell's figure over many runs, and its changes. Pure.
//!
//! A series is one cell on one machine with one set of settings. Runs on another machine, or measured in another way,
//! form a separate series. The drift of a whole machine between runs, as measured by the ceiling's native cells, is
//! divided out of times if that makes the series quieter by a tenth. `segments` finds where levels may have changed,
//! `confirm` tests each candidate, and the correction of Benjamini and Hochberg is applied over the whole history.

mod coincide;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod conditions_tests;
mod confirm;
mod drift;
mod findings;
mod kinds;
mod machines;
mod noise;
#[cfg(test)]
mod published;
mod segments;
mod series;
mod settings;

use std::collections::BTreeMap;

use rayon::prelude::*;

pub use confirm::MIN_NIGHTS;
pub use findings::{
    Change, ChangedOnKind, Difference, DifferenceKind, Direction, History, KindVerdict, Level, MachineDrift,
    MachineKind, Night, RECENT_RUNS, RunLine, Series, Subject,
};

use super::multiple::{FALSE_DISCOVERY_RATE, SMALLEST_EFFECT, discoveries};
use coincide::RunsAroundChange;
use confirm::{Fitted, Step, TestParameters};
use ftbench_schema::Estimate;
use ftbench_schema::history::{HistoryRun, Metric};
use series::Setup;

/// Options of a history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The figure that is followed.
    pub metric: Metric,
    /// Whether the drift of machines may be divided out.
    pub divide_drift: bool,
    /// Smallest relative change of interest.
    pub smallest_effect: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            metric: Metric::Time,
            divide_drift: true,
            smallest_effect: SMALLEST_EFFECT,
        }
    }
}

/// Analyses runs, which may be in any order. The caller adds the folders that it skipped.
#[must_use]
pub fn analyse(mut runs: Vec<HistoryRun>, options: Options) -> History {
    runs.sort_by(|a, b| (&a.started_at, &a.folder).cmp(&(&b.started_at, &b.folder)));
    let identified = machines::identify(&runs);
    let settings = settings::identify(&runs, &identified.of_run);
    let setups: Vec<Setup> = identified
        .of_run
        .iter()
        .zip(&settings.of_run)
        .map(|(&machine, &settings)| Setup { machine, settings })
        .collect();
    let (mut series, native) = series::of_cells(&runs, &setups);
    let drift = if options.divide_drift && options.metric == Metric::Time {
        drift::divide(&mut series, &native, &runs)
    } else {
        Vec::new()
    };
    series.extend(series::of_means(&series, &runs));
    series::count_missing(&mut series, &setups);
    let parameters = parameters(&series, options);
    let fits: Vec<Fitted> = series
        .par_iter()
        .zip(&parameters)
        .map(|(series, parameters)| confirm::fit(&series::logarithms(series), *parameters))
        .collect();
    let builder = ChangeBuilder {
        runs: &runs,
        machine_of_run: &identified.of_run,
        metric: options.metric,
    };
    let mut changes = Vec::new();
    for (index, (one, steps)) in series.iter_mut().zip(confirmed(&fits)).enumerate() {
        let Some(parameters) = parameters.get(index) else {
            continue;
        };
        let fitted = confirm::refit(&series::logarithms(one), &steps, *parameters);
        one.noise = fitted.noise;
        one.levels = series::levels(one, &fitted);
        let steps = fitted.steps.iter();
        changes.extend(steps.filter_map(|step| builder.change(index, one, step)));
    }
    mark_drifts(&mut series, &parameters, options);
    count_shared(&mut changes, &series);
    changes.sort_by(|a, b| {
        let size = |change: &Change| change.ratio.estimate.ln().abs();
        (b.first_after.cmp(&a.first_after)).then(size(b).total_cmp(&size(a)))
    });
    let mut history = History {
        metric: options.metric,
        smallest_effect: options.smallest_effect,
        runs: machines::run_lines(&runs, &setups),
        kinds: kinds::kinds(&identified.machines),
        machines: identified.machines,
        hostnames_left_out: identified.hostnames_left_out,
        settings: settings.settings,
        drift,
        changes,
        verdicts: Vec::new(),
        series,
        passed_over: Vec::new(),
    };
    history.verdicts = kinds::verdicts(&history);
    history
}

/// Returns the parameters for testing each series. The correlation of neighbouring nights is that of the machine's
/// median series, or the series' own if that is significantly larger, because thirty nights of one cell determine it
/// poorly.
fn parameters(series: &[Series], options: Options) -> Vec<TestParameters> {
    let smallest = options.smallest_effect.ln_1p();
    let first: Vec<(TestParameters, Option<f64>)> = series
        .par_iter()
        .map(|series| {
            let parameters = TestParameters {
                within: series::within(series),
                correlation: 0.0,
                smallest,
            };
            let fitted = confirm::fit(&series::logarithms(series), parameters);
            (parameters, noise::correlation(&fitted.residuals))
        })
        .collect();
    let mut by_machine: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (series, (_, correlation)) in series.iter().zip(&first) {
        by_machine.entry(series.machine).or_default().extend(correlation);
    }
    let typical: BTreeMap<usize, f64> = by_machine
        .into_iter()
        .filter(|(_, correlations)| !correlations.is_empty())
        .map(|(machine, mut correlations)| (machine, super::sample::median(&mut correlations)))
        .collect();
    series
        .iter()
        .zip(first)
        .map(|(series, (parameters, own))| {
            let nights = series::logarithms(series).len().max(1) as f64;
            // One standard error below the estimate, which has the standard error 1 / sqrt(n) (Bartlett 1946).
            let lower_bound = own.map_or(0.0, |own| own - 1.0 / nights.sqrt());
            let typical = typical.get(&series.machine).copied().unwrap_or(0.0);
            TestParameters {
                correlation: typical.max(lower_bound).max(0.0),
                ..parameters
            }
        })
        .collect()
}

/// Returns the steps of each series that remain significant after the correction over the whole history. A series
/// without a candidate was tested too, and counts with the p value 1.
fn confirmed(fits: &[Fitted]) -> Vec<Vec<Step>> {
    let mut p_values: Vec<f64> = Vec::new();
    for fitted in fits {
        p_values.extend(fitted.steps.iter().map(|step| step.p_value));
        if fitted.steps.is_empty() {
            p_values.push(1.0);
        }
    }
    let mut called = discoveries(&p_values, FALSE_DISCOVERY_RATE).into_iter();
    fits.iter()
        .map(|fitted| {
            if fitted.steps.is_empty() {
                called.next();
            }
            let steps = fitted.steps.iter();
            steps.filter(|_| called.next() == Some(true)).copied().collect()
        })
        .collect()
}

/// The data from which changes are made.
struct ChangeBuilder<'a> {
    runs: &'a [HistoryRun],
    machine_of_run: &'a [usize],
    metric: Metric,
}

impl ChangeBuilder<'_> {
    fn change(&self, index: usize, series: &Series, step: &Step) -> Option<Change> {
        let with_figure: Vec<&Night> = series
            .nights
            .iter()
            .filter(|night| series::logarithm(night).is_some())
            .collect();
        let run_at = |position: usize| with_figure.get(position).map(|night| night.run);
        let last_before = run_at(step.position.checked_sub(1)?)?;
        let first_after = run_at(step.position)?;
        let level_of = |run: usize| {
            series.levels.iter().find(|level| {
                let at = |position: usize| series.nights.get(position).map(|night| night.run);
                at(level.first) <= Some(run) && Some(run) <= at(level.last)
            })
        };
        let direction = if (step.shift > 0.0) == self.metric.lower_is_better() {
            Direction::Worse
        } else {
            Direction::Better
        };
        let is_new = with_figure.len() - step.position <= RECENT_RUNS;
        let newest = with_figure.last()?.run;
        let earlier = step.position.checked_sub(2).and_then(run_at);
        let around = RunsAroundChange {
            earlier: self.runs.get(earlier.unwrap_or(last_before))?,
            before: self.runs.get(last_before)?,
            after: self.runs.get(first_after)?,
            later: self.runs.get(run_at(step.position + 1).unwrap_or(first_after))?,
        };
        Some(Change {
            series: index,
            last_before,
            first_after,
            before: level_of(last_before)?.value,
            after: level_of(first_after)?.value,
            ratio: Estimate {
                estimate: step.shift.exp(),
                low: (step.shift - step.half_width).exp(),
                high: (step.shift + step.half_width).exp(),
            },
            p_value: step.p_value,
            direction,
            recent: is_new && machines::is_current(newest, self.machine_of_run),
            coincides_with: coincide::differences(&series.subject, around),
            shared_by: 0.0,
        })
    }
}

/// Marks the levels that drift, after a correction over all levels.
fn mark_drifts(series: &mut [Series], parameters: &[TestParameters], options: Options) {
    let smallest = options.smallest_effect.ln_1p();
    let trends: Vec<Vec<Option<confirm::Trend>>> = series
        .par_iter()
        .zip(parameters)
        .map(|(series, parameters)| {
            let trend = |level: &Level| {
                let values = series::logarithms_of(series.nights.get(level.first..=level.last)?);
                confirm::trend(&values, series.noise, parameters.correlation)
            };
            series.levels.iter().map(trend).collect()
        })
        .collect();
    let p_values: Vec<f64> = trends
        .iter()
        .flatten()
        .flatten()
        .map(|trend| trend.p_value)
        .collect();
    let mut called = discoveries(&p_values, FALSE_DISCOVERY_RATE).into_iter();
    for (series, trends) in series.iter_mut().zip(trends) {
        for (level, trend) in series.levels.iter_mut().zip(trends) {
            let Some(trend) = trend else { continue };
            let is_called = called.next() == Some(true) && trend.rise.abs() > smallest;
            level.drift = is_called.then(|| trend.rise.exp());
        }
    }
}

/// Sets the share of its machine's cells that changed in the same direction in the same run, for each change.
fn count_shared(changes: &mut [Change], series: &[Series]) {
    let is_cell = |series: &Series| matches!(series.subject, Subject::Cell(_));
    let mut cells: BTreeMap<Setup, usize> = BTreeMap::new();
    for series in series.iter().filter(|series| is_cell(series)) {
        *cells.entry(series.setup()).or_default() += 1;
    }
    let step = |change: &Change, setup: Setup| {
        let is_worse = change.direction == Direction::Worse;
        (setup, change.first_after, is_worse)
    };
    let mut steps: BTreeMap<(Setup, usize, bool), usize> = BTreeMap::new();
    for change in changes.iter() {
        if let Some(series) = series.get(change.series).filter(|series| is_cell(series)) {
            *steps.entry(step(change, series.setup())).or_default() += 1;
        }
    }
    for change in changes {
        let Some(setup) = series.get(change.series).map(Series::setup) else {
            continue;
        };
        let alike = steps.get(&step(change, setup)).copied().unwrap_or(0);
        let all = cells.get(&setup).copied().unwrap_or(0);
        // "Nearly all" means nothing for one or two cells.
        change.shared_by = if all >= 3 { alike as f64 / all as f64 } else { 0.0 };
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
