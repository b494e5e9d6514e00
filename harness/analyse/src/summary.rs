//! Summaries of runs, computed from their records.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use super::estimate::{
    Makespans, half_width, map, once_per_trial, over_rounds, trial_values, undisturbed_ratio,
};
use super::multiple::{FALSE_DISCOVERY_RATE, SMALLEST_EFFECT, discoveries};
use super::ratios::{Measured, MeasuredCell};
use super::sample::{mean, median};
use super::verdict::{Verdict, gil};
use super::{
    arms, cost, extra_threads, findings, growth, imports, laws, long_units, overhead, quiet, steady,
};
use ftbench_schema::{
    ArmRatio, Cell, CellStatus, CellSummary, Curve, Difference, Estimate, Manifest, PlannedCell, RunFacts,
    SCHEMA_VERSION, Sample, Sensitivity, Summary, Trial, TrialStatus, units,
};

/// Summarises a run called `name`. The same records always give exactly the same summary.
#[must_use]
pub fn summarise(name: &str, manifest: &Manifest, trials: &[Trial]) -> Summary {
    let mut by_cell: HashMap<&Cell, Vec<&Trial>> = HashMap::new();
    for trial in trials {
        by_cell.entry(&trial.cell).or_default().push(trial);
    }
    let makespans: HashMap<&Cell, Makespans> = by_cell
        .iter()
        .map(|(&cell, trials)| (cell, Makespans::of(trials)))
        .collect();
    let verdicts = verdicts(manifest, &by_cell);
    let planned = &manifest.plan.cells;
    let measured = makespans.iter().filter_map(|(&cell, makespans)| {
        let status = verdicts.get(cell)?.status;
        Some((cell, MeasuredCell { status, makespans }))
    });
    let measured = Measured::new(&manifest.plan, measured.collect());
    let analysis = Analysis {
        manifest,
        by_cell: &by_cell,
        measured: &measured,
        verdicts: &verdicts,
    };
    let mut cells: Vec<CellSummary> = planned.par_iter().map(|planned| analysis.cell(planned)).collect();
    let mut arm_ratios = arms::of_run(&measured);
    call_differences(&mut cells, &mut arm_ratios);
    let mut warnings = manifest.warnings.clone();
    warnings.extend(findings::of_trials(trials));
    warnings.extend(findings::of_cells(&cells, trials));
    warnings.extend(imports::findings(manifest, trials));
    let with_trials = planned
        .iter()
        .filter_map(|planned| Some((planned, by_cell.get(&planned.cell)?.as_slice())));
    warnings.extend(extra_threads::findings(&manifest.workloads, with_trials.clone()));
    warnings.extend(long_units::findings(manifest, with_trials.clone()));
    let cells_with_trials = with_trials.map(|(planned, trials)| (&planned.cell, trials));
    warnings.extend(steady::finding(cells_with_trials.clone()));
    warnings.extend(growth::finding(cells_with_trials));
    let quiet = quiet::of_run(by_cell.values().map(Vec::as_slice));
    warnings.extend(quiet.as_ref().and_then(quiet::finding));
    let sensitivity = sensitivity(&cells, &arm_ratios);
    let laws = laws::of_run(manifest, trials, &cells, &makespans);
    Summary {
        arm_ratios,
        quiet,
        sensitivity,
        free_threading_overhead: overhead::of_pairs(manifest, &|cell| measured.ok_makespans(cell)),
        laws,
        warnings,
        ..of_cells(name, manifest, cells)
    }
}

/// The summary of cells of a run called `name`, with the facts about it and without any finding.
pub(crate) fn of_cells(name: &str, manifest: &Manifest, cells: Vec<CellSummary>) -> Summary {
    Summary {
        schema: SCHEMA_VERSION,
        run: RunFacts {
            name: name.to_owned(),
            ftbench_version: manifest.ftbench_version.clone(),
            started_at: manifest.started_at.clone(),
            ended_at: manifest.ended_at.clone(),
            status: manifest.status,
            seed: manifest.seed,
            profile: manifest.plan.settings.profile.clone(),
            scaling: manifest.plan.settings.scaling,
            pin: Some(manifest.plan.settings.pin.clone()),
            target_sample_s: Some(manifest.plan.settings.target_sample_s),
            baseline: manifest.plan.baseline.clone(),
            commit: manifest.commit.clone(),
            labels: manifest.labels.clone(),
            node: manifest.fleet.as_ref().map(|run| run.node.clone()),
        },
        machine: manifest.machine.clone(),
        interpreters: manifest.interpreters.clone(),
        workloads: manifest.workloads.clone(),
        environments: manifest.environments.clone(),
        arms: manifest.arms.clone(),
        arm_ratios: Vec::new(),
        sources: manifest.sources.clone(),
        quiet: None,
        sensitivity: None,
        free_threading_overhead: Vec::new(),
        laws: Vec::new(),
        stopped_by: manifest.stopped_by,
        warnings: Vec::new(),
        cells,
    }
}

/// Returns the smallest difference that is called in four of five runs: by the normal approximation, (1.96 + 0.84) /
/// 1.96 of the half-width of the interval (Cohen, *Statistical Power Analysis for the Behavioral Sciences*, 1988).
/// Differences below [`SMALLEST_EFFECT`] are never called.
fn sensitivity(cells: &[CellSummary], arm_ratios: &[ArmRatio]) -> Option<Sensitivity> {
    let with_baseline = cells.iter().filter(|cell| cell.vs_baseline_difference.is_some());
    let ratios = with_baseline.filter_map(|cell| cell.vs_baseline);
    let ratios = ratios.chain(arm_ratios.iter().map(|arm| arm.ratio));
    let mut half_widths: Vec<f64> = ratios.map(half_width).collect();
    let comparisons = u32::try_from(half_widths.len()).unwrap_or(u32::MAX);
    (comparisons > 0).then(|| Sensitivity {
        difference: (median(&mut half_widths) * (1.96 + 0.84) / 1.96).max(SMALLEST_EFFECT),
        comparisons,
    })
}

fn verdicts<'m>(manifest: &'m Manifest, by_cell: &HashMap<&Cell, Vec<&Trial>>) -> HashMap<&'m Cell, Verdict> {
    let verdict = |planned: &'m PlannedCell| {
        let trials = by_cell.get(&planned.cell).map_or(&[][..], Vec::as_slice);
        (&planned.cell, Verdict::on(planned, manifest, trials))
    };
    manifest.plan.cells.par_iter().map(verdict).collect()
}

struct Analysis<'a> {
    manifest: &'a Manifest,
    by_cell: &'a HashMap<&'a Cell, Vec<&'a Trial>>,
    measured: &'a Measured<'a>,
    verdicts: &'a HashMap<&'a Cell, Verdict>,
}

impl Analysis<'_> {
    fn cell(&self, planned: &PlannedCell) -> CellSummary {
        let cell = &planned.cell;
        let none = Vec::new();
        let trials = self.by_cell.get(cell).unwrap_or(&none);
        let per_trial = |value: &dyn Fn(&Trial) -> Option<f64>| over_rounds(&once_per_trial(trials, value));
        let no_rounds = Makespans::default();
        let makespans = self.measured.makespans(cell).unwrap_or(&no_rounds);
        let workers = f64::from(cell.workers);
        let speedup = self.ratio_to(&Measured::single_worker(cell), cell);
        let versus_baseline = self.measured.baseline(cell);
        let versus_baseline = versus_baseline.and_then(|baseline| self.ratio_to(&baseline, cell));
        let verdict = self.verdicts.get(cell).cloned();
        let verdict = verdict.unwrap_or_else(|| Verdict::on(planned, self.manifest, trials));
        // Without shares, as in an imported trial, it is unknown when workers were busy.
        let has_shares = |trial: &&Trial| trial.samples.iter().any(|sample| !sample.shares.is_empty());
        let with_shares: Vec<&Trial> = trials.iter().copied().filter(has_shares).collect();
        let units = trials.first().map(|trial| trial.units);
        let makespan_s = over_rounds(&makespans.by_round());
        CellSummary {
            cell: Cell {
                curve: Curve {
                    interpreter: cell.interpreter.clone(),
                    host: cell.host,
                    workload: cell.workload.clone(),
                    arm: cell.arm.clone(),
                    model: cell.model,
                },
                workers: cell.workers,
            },
            gil: gil(trials).filter(|_| !cell.is_native()),
            placement: planned.placement.clone(),
            status: verdict.status,
            reason: verdict.reason,
            rounds: count(makespans.rounds()),
            samples: count(usable_samples(trials)),
            units,
            makespan_s,
            units_per_s: units.zip(makespan_s).and_then(|(units, makespan_s)| {
                let scaling = self.manifest.plan.settings.scaling;
                makespan_s.rate_of(scaling.units_of_sample(units, cell.workers))
            }),
            speedup: speedup.map(|ratio| ratio.estimate),
            speedup_difference: speedup.and_then(|ratio| ratio.difference),
            undisturbed_speedup: self.undisturbed_speedup(cell),
            vs_baseline: versus_baseline.map(|ratio| ratio.estimate),
            vs_baseline_difference: versus_baseline.and_then(|ratio| ratio.difference),
            efficiency: speedup.map(|ratio| map(ratio.estimate, |value| value / workers)),
            ceiling_fraction: self.measured.ceiling_fraction(cell),
            busy_fraction: over_rounds(&trial_values(&with_shares, |sample| {
                sample.busy_ns() as f64 / (workers * sample.makespan_ns().max(1) as f64)
            })),
            startup_s: per_trial(&|trial| trial.startup_ns.map(units::seconds)),
            start_skew_s: over_rounds(&trial_values(&with_shares, |sample| {
                units::seconds(sample.start_skew_ns())
            })),
            handing_out_s: over_rounds(&trial_values(&with_shares, |sample| {
                units::seconds(sample.handing_out_ns())
            })),
            collections: per_trial(&|trial| {
                let counts = of_samples(trial, |sample| Some(sample.collections? as f64));
                counts.map(|counts| mean(&counts))
            }),
            collection_fraction: per_trial(&|trial| {
                let pauses = of_samples(trial, |sample| Some(sample.collection_ns? as f64))?;
                let makespans = of_samples(trial, |sample| Some(sample.makespan_ns() as f64))?;
                let makespan_ns: f64 = makespans.iter().sum();
                (makespan_ns > 0.0).then(|| pauses.iter().sum::<f64>() / makespan_ns)
            }),
            longest_collection_s: per_trial(&|trial| {
                let longest = of_samples(trial, |sample| sample.longest_collection_ns.map(units::seconds))?;
                longest.into_iter().reduce(f64::max)
            }),
            rss_peak_bytes: per_trial(&|trial| {
                trial.memory.as_ref().map(|memory| memory.rss_peak_bytes() as f64)
            }),
            pss_peak_bytes: per_trial(&|trial| {
                trial
                    .memory
                    .as_ref()
                    .and_then(|memory| memory.pss_peak_bytes)
                    .map(|bytes| bytes as f64)
            }),
            memory_growth_bytes: per_trial(&|trial| {
                let samples = trial.counted_samples().count();
                Some(trial.memory.as_ref()?.growth_bytes()? / (samples > 0).then_some(samples as f64)?)
            }),
            memory_peak_bytes: per_trial(&|trial| Some(trial.memory.as_ref()?.peak_bytes()? as f64)),
            reported: reported(trials),
            cost: cost::of_cell(cell.workers, trials),
        }
    }

    fn undisturbed_speedup(&self, cell: &Cell) -> Option<Estimate> {
        let alone = Measured::single_worker(cell);
        let [one, several] = [&alone, cell].map(|cell| self.measured.ok_makespans(cell));
        let found = undisturbed_ratio(one?, several?).filter(|_| cell.workers > 1)?;
        let work = self.measured.work_ratio(&alone, cell);
        Some(map(found, |value| value * work))
    }

    fn ratio_to(&self, reference: &Cell, cell: &Cell) -> Option<Ratio> {
        let found = self.measured.ratio(reference, cell)?;
        let work = self.measured.work_ratio(reference, cell);
        // `differs` is decided later, together with all comparisons.
        let difference = Difference {
            p_value: found.p_value,
            differs: false,
        };
        let failed = |cell: &Cell| self.measured.status(cell).is_some_and(CellStatus::is_failure);
        // The ceiling is a reference, so its own speedup is not a finding. Neither is a ratio that involves a failed
        // cell, which is only shown.
        let is_finding = reference != cell && !cell.is_native() && !failed(reference) && !failed(cell);
        Some(Ratio {
            estimate: map(found.centre, |value| value * work),
            difference: is_finding.then_some(difference),
        })
    }
}

/// A ratio of two cells, and whether it is a difference. The latter is `None` for a cell and itself.
#[derive(Clone, Copy)]
struct Ratio {
    estimate: Estimate,
    difference: Option<Difference>,
}

/// Decides which ratios are differences, with a correction for all comparisons of the summary.
fn call_differences(cells: &mut [CellSummary], arm_ratios: &mut [ArmRatio]) {
    let of_arms = arm_ratios
        .iter_mut()
        .map(|compared| (compared.ratio, &mut compared.difference));
    let mut comparisons: Vec<(Estimate, &mut Difference)> = cells
        .iter_mut()
        .flat_map(|cell| {
            [
                cell.speedup.zip(cell.speedup_difference.as_mut()),
                cell.vs_baseline.zip(cell.vs_baseline_difference.as_mut()),
            ]
        })
        .flatten()
        .chain(of_arms)
        .collect();
    let p_values: Vec<f64> = comparisons
        .iter()
        .map(|(_, difference)| difference.p_value)
        .collect();
    let called = discoveries(&p_values, FALSE_DISCOVERY_RATE);
    for ((ratio, difference), called) in comparisons.iter_mut().zip(called) {
        let excludes_1 = ratio.low > 1.0 || ratio.high < 1.0;
        difference.differs = called && excludes_1 && (ratio.estimate - 1.0).abs() > SMALLEST_EFFECT;
    }
}

/// Estimates each figure that the workload reported in any counted sample: the median of every trial, then over rounds.
fn reported(trials: &[&Trial]) -> BTreeMap<String, Estimate> {
    let mut names: Vec<&String> = trials
        .iter()
        .flat_map(|trial| trial.counted_samples())
        .flat_map(|sample| sample.reported.keys())
        .collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter_map(|name| {
            let values = once_per_trial(trials, |trial| {
                let mut values: Vec<f64> = trial
                    .counted_samples()
                    .filter_map(|sample| sample.reported.get(name).copied())
                    .collect();
                (!values.is_empty()).then(|| median(&mut values))
            });
            Some((name.clone(), over_rounds(&values)?))
        })
        .collect()
}

/// The values of a trial's counted samples; `None` without samples, and if any of them has none.
fn of_samples(trial: &Trial, value: impl Fn(&Sample) -> Option<f64>) -> Option<Vec<f64>> {
    let values: Option<Vec<f64>> = trial.counted_samples().map(value).collect();
    values.filter(|values| !values.is_empty())
}

fn usable_samples(trials: &[&Trial]) -> usize {
    let usable = trials.iter().filter(|trial| trial.status == TrialStatus::Ok);
    usable.map(|trial| trial.counted_samples().count()).sum()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "summary_tests.rs"]
pub(crate) mod tests;
