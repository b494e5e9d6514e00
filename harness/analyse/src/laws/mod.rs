//! Scaling laws (Amdahl's, Gunther's and Gustafson's) fitted to each curve of a run, and what limits the curve.
//!
//! `docs/laws.md` describes the method and the coverage of its intervals.

use std::collections::HashMap;

use rayon::prelude::*;

use super::estimate::{ByRound, Makespans, log_contrast};
use super::sample::median;
use ftbench_schema::{
    Cell, CellStatus, CellSummary, CurveLaws, CurveVerdict, Estimate, Law, LawFit, Manifest, Model,
    NotFitted, Scaling, Trial, units,
};

pub mod fit;
pub mod intervals;
mod limit;
pub mod verdict;

use intervals::{MIN_ROUNDS, SpeedupsByRound};

/// Minimum number of worker counts, including one, for fitting a law. Two parameters fit nearly any three counts.
pub const MIN_COUNTS: usize = 4;

/// Minimum share of the speedup at the largest number of workers that crosstalk must cost for the Universal Scalability
/// Law to be preferred: the smallest effect of interest, as for ratios.
const MIN_CROSSTALK_SHARE: f64 = super::multiple::SMALLEST_EFFECT;

/// Fits laws to every curve with a speedup on more than one worker, in the order of the plan.
#[must_use]
pub fn of_run(
    manifest: &Manifest,
    trials: &[Trial],
    cells: &[CellSummary],
    makespans: &HashMap<&Cell, Makespans>,
) -> Vec<CurveLaws> {
    let curves = curves(cells);
    let run = Run {
        manifest,
        makespans,
        round_s: round_s(trials),
    };
    curves
        .par_iter()
        .enumerate()
        .filter_map(|(index, cells)| run.laws(index, cells, &curves))
        .collect()
}

/// Returns the usable cells of every curve, ordered by number of workers. The first one has one worker.
fn curves(cells: &[CellSummary]) -> Vec<Vec<&CellSummary>> {
    let usable = |cell: &&CellSummary| {
        matches!(cell.status, CellStatus::Ok | CellStatus::GilReenabled)
            && cell.model != Model::Serial
            && cell.speedup.is_some_and(is_ratio)
    };
    let mut positions: HashMap<Cell, usize> = HashMap::new();
    let mut curves: Vec<Vec<&CellSummary>> = Vec::new();
    for cell in cells.iter().filter(usable) {
        let position = *positions.entry(with_workers(cell, 1)).or_insert(curves.len());
        match curves.get_mut(position) {
            Some(curve) => curve.push(cell),
            None => curves.push(vec![cell]),
        }
    }
    for curve in &mut curves {
        curve.sort_by_key(|cell| cell.workers);
    }
    curves.retain(|curve| curve.len() > 1 && curve.first().is_some_and(|cell| cell.workers == 1));
    curves
}

fn is_ratio(estimate: Estimate) -> bool {
    let Estimate { estimate, low, high } = estimate;
    [estimate, low, high]
        .iter()
        .all(|value| value.is_finite() && *value > 0.0)
}

fn with_workers(cell: &CellSummary, workers: u32) -> Cell {
    Cell {
        workers,
        ..cell.cell.clone()
    }
}

/// Returns the duration of a round of each workload, seconds, from the launch of its first trial to its last sample.
fn round_s(trials: &[Trial]) -> HashMap<&str, f64> {
    let mut rounds: HashMap<(&str, u32), (u64, u64)> = HashMap::new();
    for trial in trials {
        let Some(end_ns) = trial.samples.last().map(|sample| sample.end_ns) else {
            continue;
        };
        let start_ns = end_ns.saturating_sub(trial.duration_ns);
        let (first_ns, last_ns) = rounds
            .entry((&trial.cell.workload, trial.round))
            .or_insert((start_ns, end_ns));
        *first_ns = start_ns.min(*first_ns);
        *last_ns = end_ns.max(*last_ns);
    }
    let mut lengths_s: HashMap<&str, Vec<f64>> = HashMap::new();
    for ((workload, _), (first_ns, last_ns)) in rounds {
        let length_s = units::seconds(last_ns.saturating_sub(first_ns));
        lengths_s.entry(workload).or_default().push(length_s);
    }
    let of_workload = |(workload, mut lengths_s): (_, Vec<f64>)| (workload, median(&mut lengths_s));
    lengths_s.into_iter().map(of_workload).collect()
}

struct Run<'a> {
    manifest: &'a Manifest,
    makespans: &'a HashMap<&'a Cell, Makespans>,
    /// Duration of a round of each workload, seconds.
    round_s: HashMap<&'a str, f64>,
}

impl Run<'_> {
    fn laws(&self, index: usize, cells: &[&CellSummary], curves: &[Vec<&CellSummary>]) -> Option<CurveLaws> {
        let last = cells.last()?;
        let with_cores = limit::with_a_core_each(self.manifest, cells);
        let fitted = Some(with_cores).filter(|some| some.len() < cells.len() && some.len() >= MIN_COUNTS);
        let fitted_up_to = fitted.and_then(|some| some.last()).map(|cell| cell.workers);
        let curve = self.speedups(fitted.unwrap_or(cells));
        let rounds = curve.as_ref().map_or(0, SpeedupsByRound::rounds);
        let lacks_cores = with_cores.len() < cells.len() && fitted.is_none();
        let machine_cores = self.manifest.machine.topology.cores;
        let has_few_cores = !limit::waits(self.manifest, &last.workload)
            && usize::try_from(machine_cores).is_ok_and(|cores| cores < MIN_COUNTS);
        let not_fitted = reason_not_fitted(cells.len(), rounds, has_few_cores);
        let not_fitted = not_fitted.or(lacks_cores.then_some(NotFitted::SharedCores));
        let fits = match (&curve, not_fitted) {
            (Some(curve), None) => self.fits(curve, index),
            _ => Vec::new(),
        };
        let simplest_law = simplest_law(&fits, fitted_up_to.unwrap_or(last.workers));
        let is_ceiling = |cell: &&CellSummary| {
            cell.is_native() && cell.workload == last.workload && cell.host == last.host
        };
        let ceiling = curves
            .iter()
            .flatten()
            .find(|cell| is_ceiling(cell) && cell.workers == last.workers);
        // A law that was fitted within the cores does not explain what happens beyond them.
        let fit = fits
            .iter()
            .find(|fit| Some(fit.law) == simplest_law && fitted_up_to.is_none());
        let (verdict, limit) = limit::of_curve(self.manifest, cells, ceiling.copied(), fit)?;
        let open = Some(limit.speedup).filter(|_| verdict == CurveVerdict::CannotTell);
        let further_rounds = open.map(|speedup| verdict::further_rounds(speedup, last.rounds));
        let round_s = self.round_s.get(last.workload.as_str());
        Some(CurveLaws {
            curve: last.curve.clone(),
            workers: cells.iter().map(|cell| cell.workers).collect(),
            gil: last.gil,
            rounds: u32::try_from(rounds).unwrap_or(u32::MAX),
            simplest_law,
            not_fitted,
            verdict,
            needs_s: further_rounds
                .zip(round_s)
                .map(|(rounds, round_s)| rounds * round_s),
            limit,
            fitted_up_to: fitted_up_to.filter(|_| !fits.is_empty()),
            fits,
        })
    }

    /// Returns the logarithms of the speedups for every round that has all of the curve's cells.
    fn speedups(&self, cells: &[&CellSummary]) -> Option<SpeedupsByRound> {
        let (first, others) = cells.split_first()?;
        let of = |cell: &CellSummary| self.makespans.get(&cell.cell);
        let alone = of(first)?;
        let log_speedups: Vec<ByRound> = others
            .iter()
            .map(|cell| {
                let work = match self.manifest.plan.settings.scaling {
                    Scaling::Strong => 1.0,
                    Scaling::Weak => f64::from(cell.workers),
                };
                let mut log_speedups = log_contrast(&[alone], &[of(cell)?]);
                log_speedups.values_mut().for_each(|log| *log += work.ln());
                Some(log_speedups)
            })
            .collect::<Option<_>>()?;
        let rounds: Vec<Vec<f64>> = alone
            .by_round()
            .keys()
            .filter_map(|round| log_speedups.iter().map(|logs| logs.get(round).copied()).collect())
            .collect();
        SpeedupsByRound::new(others.iter().map(|cell| cell.workers).collect(), &rounds)
    }

    fn fits(&self, curve: &SpeedupsByRound, index: usize) -> Vec<LawFit> {
        let laws: &[Law] = match self.manifest.plan.settings.scaling {
            Scaling::Strong => &[Law::Amdahl, Law::Usl],
            Scaling::Weak => &[Law::Gustafson],
        };
        // An odd constant (2^64 divided by the golden ratio) makes the seeds of neighbouring curves differ. Both laws
        // get the same resamples.
        let seed = self.manifest.seed ^ (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        laws.iter()
            .filter_map(|&law| intervals::fit(law, curve, seed))
            .collect()
    }
}

fn reason_not_fitted(counts: usize, rounds: usize, has_few_cores: bool) -> Option<NotFitted> {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    if counts < MIN_COUNTS && has_few_cores {
        return Some(NotFitted::FewCores);
    }
    if counts < MIN_COUNTS {
        return Some(NotFitted::FewWorkerCounts {
            counts: number(counts),
            needed: number(MIN_COUNTS),
        });
    }
    (rounds < MIN_ROUNDS).then(|| NotFitted::FewRounds {
        rounds: number(rounds),
        needed: number(MIN_ROUNDS),
    })
}

/// Returns the simplest law that explains a curve. The Universal Scalability Law is preferred to Amdahl's if the
/// interval of its crosstalk excludes 0 and crosstalk costs a relevant share of the speedup at the largest number of
/// workers. Information criteria (AICc) do not help here: with four to nine numbers of workers, whose speedups share
/// their one-worker times, they contain less information than the rounds.
fn simplest_law(fits: &[LawFit], max_workers: u32) -> Option<Law> {
    let workers = f64::from(max_workers);
    let has_relevant_crosstalk = |fit: &&LawFit| {
        fit.crosstalk.is_some_and(|crosstalk| {
            let without = Law::Amdahl.speedup(fit.serial_fraction.estimate, 0.0, workers);
            crosstalk.low > 0.0 && fit.speedup(workers) < (1.0 - MIN_CROSSTALK_SHARE) * without
        })
    };
    let with_crosstalk = fits.iter().find(has_relevant_crosstalk);
    let simple = fits.iter().find(|fit| fit.crosstalk.is_none());
    with_crosstalk.or(simple).map(|fit| fit.law)
}

#[cfg(test)]
#[path = "laws_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "coverage_tests.rs"]
mod coverage_tests;
