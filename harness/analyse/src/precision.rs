//! The precision of a run in progress, and whether it is sufficient. Pure.

use std::collections::HashMap;

use super::estimate::{Makespans, half_width, map};
use super::ratios::{Measured, MeasuredCell};
use super::sample::median;
use super::summary::of_cells;
use super::verdict::{is_reenabled, status_of};
use super::{arms, overhead};
use ftbench_schema::{
    Cell, CellStatus, CellSummary, Estimate, Manifest, PlannedCell, StoppedBy, Stopping, Summary, Trial,
};

/// The first round after which precision is checked. Checking after every round and stopping at a lucky one reduces
/// coverage: in simulations to 92 % instead of 95 % when checked from the fifth round on, and to 93 % or more from the
/// tenth.
pub const PRECISION_CHECKED_FROM: u32 = 10;

/// Tracks the precision of a run, trial by trial.
#[derive(Debug)]
pub struct PrecisionTracker {
    manifest: Manifest,
    cells: HashMap<Cell, (CellStatus, Makespans)>,
}

impl PrecisionTracker {
    /// Creates a tracker for the run that this manifest describes, without any trials.
    #[must_use]
    pub fn new(manifest: Manifest) -> Self {
        Self {
            manifest,
            cells: HashMap::new(),
        }
    }

    /// Adds a trial.
    pub fn add(&mut self, trial: &Trial) {
        let status = match status_of(trial.status) {
            CellStatus::Ok if is_reenabled(&self.manifest, &trial.cell, &[trial]) => CellStatus::GilReenabled,
            status => status,
        };
        let (worst, makespans) = self
            .cells
            .entry(trial.cell.clone())
            .or_insert((CellStatus::Ok, Makespans::default()));
        if severity(status) > severity(*worst) {
            *worst = status;
        }
        makespans.add(trial);
    }

    /// Removes a cell that is not measured any more, because its ratios cannot become more precise.
    pub fn give_up(&mut self, cell: &Cell) {
        self.cells.remove(cell);
    }

    /// Returns the widest relative half-width of the ratios that a summary shows: of each cell to its one-worker cell
    /// and to the baseline's `serial` cell, of its speedup to the ceiling's, of arms to the base arm, and of the
    /// free-threaded build to the GIL build. Ratios with too few successful rounds for an interval are not shown, and
    /// therefore left out. `None` if there is no ratio.
    #[must_use]
    pub fn widest_half_width(&self) -> Option<f64> {
        let measured = self.measured();
        let of_cell = |cell: &Cell| {
            // A cell's ratio to itself is 1 and cannot become more precise.
            let alone = Some(Measured::single_worker(cell)).filter(|alone| alone != cell);
            let baseline = measured.baseline(cell).filter(|baseline| baseline != cell);
            let fraction = alone.as_ref().and_then(|_| measured.ceiling_fraction(cell));
            let ratios = [alone, baseline].into_iter().flatten();
            let ratios: Vec<_> = ratios
                .filter_map(|reference| measured.ratio(&reference, cell))
                .collect();
            ratios.into_iter().map(|ratio| ratio.centre).chain(fraction)
        };
        let of_arms = arms::of_run(&measured).into_iter().map(|arm| arm.ratio);
        let of_builds = overhead::of_pairs(&self.manifest, &|cell| measured.ok_makespans(cell));
        let of_builds = of_builds.into_iter().map(|overhead| overhead.ratio);
        let ratios = measured.cells().flat_map(of_cell).chain(of_arms).chain(of_builds);
        ratios.map(half_width).reduce(f64::max)
    }

    /// Returns the figures of a workload's cells so far: medians of makespans, and ratios where there are enough rounds
    /// for an interval. Nothing in it is called a difference.
    #[must_use]
    pub fn so_far(&self, workload: &str) -> Summary {
        let measured = self.measured();
        let is_shown = |planned: &&PlannedCell| {
            planned.skipped.is_none()
                && planned.cell.workload == workload
                && self.cells.contains_key(&planned.cell)
        };
        let planned = self.manifest.plan.cells.iter().filter(is_shown);
        let cells = planned.map(|planned| cell_so_far(&measured, planned)).collect();
        of_cells("", &self.manifest, cells)
    }

    fn measured(&self) -> Measured<'_> {
        let cells = self.cells.iter().map(|(cell, (status, makespans))| {
            let status = *status;
            (cell, MeasuredCell { status, makespans })
        });
        Measured::new(&self.manifest.plan, cells.collect())
    }
}

fn cell_so_far(measured: &Measured<'_>, planned: &PlannedCell) -> CellSummary {
    let cell = &planned.cell;
    let status = measured.status(cell).unwrap_or(CellStatus::Ok);
    let makespans = measured.makespans(cell);
    let ratio_to = |reference: &Cell| {
        let work = measured.work_ratio(reference, cell);
        let found = measured.ratio(reference, cell)?.centre;
        Some(map(found, |value| value * work))
    };
    CellSummary {
        rounds: makespans.map_or(0, |makespans| {
            u32::try_from(makespans.rounds()).unwrap_or(u32::MAX)
        }),
        makespan_s: makespans.and_then(|makespans| {
            let mut by_round: Vec<f64> = makespans.by_round().into_values().collect();
            (!by_round.is_empty()).then(|| certain(median(&mut by_round)))
        }),
        speedup: ratio_to(&Measured::single_worker(cell)),
        vs_baseline: measured.baseline(cell).and_then(|baseline| ratio_to(&baseline)),
        ceiling_fraction: measured.ceiling_fraction(cell),
        ..CellSummary::without_figures(cell.clone(), planned.placement.clone(), status)
    }
}

/// A value without an interval.
const fn certain(value: f64) -> Estimate {
    Estimate {
        estimate: value,
        low: value,
        high: value,
    }
}

/// The order of severity, by which the worst trial determines the status of a cell.
const fn severity(status: CellStatus) -> u8 {
    match status {
        CellStatus::Ok | CellStatus::Skipped => 0,
        CellStatus::GilReenabled => 1,
        CellStatus::Failed | CellStatus::TimedOut => 2,
        CellStatus::WrongResult => 3,
    }
}

/// The progress of a run after a round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunProgress {
    /// Number of completed rounds.
    pub rounds: u32,
    /// Time since the start of the run, seconds.
    pub elapsed_s: f64,
    /// Expected duration of the next round, seconds.
    pub next_round_s: f64,
    /// See [`PrecisionTracker::widest_half_width`].
    pub widest_half_width: Option<f64>,
}

/// Returns the reason for a run to end now; `None` if it continues.
///
/// The minimum number of rounds is made whatever it costs. After that, the run ends when the precision is reached, when
/// another round would exceed the budget, or after the maximum number of rounds.
#[must_use]
pub fn stop_reason(rule: &Stopping, progress: &RunProgress) -> Option<StoppedBy> {
    if progress.rounds < rule.min_rounds {
        return None;
    }
    let precise = |precision: f64| {
        progress
            .widest_half_width
            .is_some_and(|widest| widest <= precision)
    };
    if progress.rounds >= PRECISION_CHECKED_FROM && rule.precision.is_some_and(precise) {
        Some(StoppedBy::Precision)
    } else if rule
        .budget_s
        .is_some_and(|budget_s| progress.elapsed_s + progress.next_round_s > budget_s)
    {
        Some(StoppedBy::Budget)
    } else if progress.rounds >= rule.max_rounds {
        Some(StoppedBy::Rounds)
    } else {
        None
    }
}

/// Estimates the total number of rounds, given that half-widths decrease with the square root of the rounds.
#[must_use]
pub fn expected_rounds(rule: &Stopping, progress: &RunProgress) -> u32 {
    let rounds = f64::from(progress.rounds.max(1));
    let by_precision = match (rule.precision, progress.widest_half_width) {
        (Some(precision), Some(widest)) => rounds * (widest / precision).powi(2),
        _ => f64::INFINITY,
    };
    let by_budget = rule.budget_s.map_or(f64::INFINITY, |budget_s| {
        rounds + ((budget_s - progress.elapsed_s) / progress.next_round_s.max(1e-9)).floor()
    });
    let expected = by_precision.min(by_budget).ceil();
    // A cast saturates, and NaN becomes 0.
    (expected as u32).clamp(rule.min_rounds, rule.max_rounds.max(rule.min_rounds))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use proptest::prelude::*;

    use super::*;
    use crate::summary::summarise;
    use ftbench_fixtures::records::{cell, manifest, trial};
    use ftbench_schema::{Model, NATIVE, TrialStatus};

    const RULE: Stopping = Stopping {
        min_rounds: 10,
        max_rounds: 50,
        precision: Some(0.01),
        budget_s: Some(600.0),
    };

    fn after(rounds: u32, elapsed_s: f64, widest_half_width: Option<f64>) -> Option<StoppedBy> {
        stop_reason(
            &RULE,
            &RunProgress {
                rounds,
                elapsed_s,
                next_round_s: 10.0,
                widest_half_width,
            },
        )
    }

    #[test]
    fn stopping_rule_checks_precision_then_budget_then_rounds() {
        assert_eq!(after(9, 900.0, Some(0.001)), None);
        assert_eq!(after(10, 100.0, Some(0.02)), None);
        assert_eq!(after(10, 100.0, None), None);
        assert_eq!(after(10, 900.0, Some(0.01)), Some(StoppedBy::Precision));
        assert_eq!(after(12, 591.0, Some(0.02)), Some(StoppedBy::Budget));
        assert_eq!(after(50, 100.0, Some(0.02)), Some(StoppedBy::Rounds));
    }

    #[test]
    fn expected_rounds_follow_from_precision_and_budget() {
        let expected = |elapsed_s, widest| {
            let progress = RunProgress {
                rounds: 10,
                elapsed_s,
                next_round_s: 10.0,
                widest_half_width: widest,
            };
            expected_rounds(&RULE, &progress)
        };
        assert_eq!(expected(100.0, Some(0.02)), 40);
        assert_eq!(expected(100.0, Some(0.2)), 50);
        assert_eq!(expected(400.0, Some(0.2)), 30);
        assert_eq!(expected(900.0, None), 10);
    }

    const STEADY: [u64; 6] = [1_000; 6];
    const SPREAD: [u64; 6] = [500, 900, 500, 700, 500, 800];

    /// A tracker of a run in which these makespans of cells were measured, milliseconds, one for each round.
    fn tracker(measured: &[(Cell, &[u64])]) -> PrecisionTracker {
        let cells: Vec<Cell> = measured.iter().map(|(cell, _)| cell.clone()).collect();
        let mut tracker = PrecisionTracker::new(manifest(&cells));
        for (cell, makespans_ms) in measured {
            for (round, makespan_ms) in (0..).zip(*makespans_ms) {
                tracker.add(&trial(cell, round, *makespan_ms));
            }
        }
        tracker
    }

    fn widest(measured: &[(Cell, &[u64])]) -> Option<f64> {
        tracker(measured).widest_half_width()
    }

    /// The summary of the same run.
    fn summary(measured: &[(Cell, &[u64])]) -> Summary {
        let cells: Vec<Cell> = measured.iter().map(|(cell, _)| cell.clone()).collect();
        let trials: Vec<Trial> = measured
            .iter()
            .flat_map(|(cell, makespans_ms)| {
                let rounds = (0..).zip(*makespans_ms);
                rounds.map(|(round, makespan_ms)| trial(cell, round, *makespan_ms))
            })
            .collect();
        summarise("run", &manifest(&cells), &trials)
    }

    /// The widest relative half-width of the ratios in a summary of the same run.
    fn widest_shown(measured: &[(Cell, &[u64])]) -> Option<f64> {
        let summary = summary(measured);
        let of_cells = summary.cells.iter().flat_map(|cell| {
            let alone = (cell.workers > 1).then_some([cell.speedup, cell.efficiency, cell.ceiling_fraction]);
            let is_baseline = cell.interpreter == "3.13" && cell.model == Model::Serial;
            let baseline = cell.vs_baseline.filter(|_| !is_baseline);
            alone.into_iter().flatten().chain([baseline]).flatten()
        });
        let of_builds = summary
            .free_threading_overhead
            .iter()
            .map(|overhead| overhead.ratio);
        let of_arms = summary.arm_ratios.iter().map(|arm| arm.ratio);
        let ratios = of_cells.chain(of_builds).chain(of_arms);
        ratios.map(half_width).reduce(f64::max)
    }

    #[test]
    fn widest_ratio_shown_determines_the_precision() {
        let serial = (cell("3.13", Model::Serial, 1), &STEADY[..]);
        let threads =
            |workers, makespans_ms: &'static [u64]| (cell("3.13t", Model::Threads, workers), makespans_ms);
        assert_eq!(
            widest(std::slice::from_ref(&serial)),
            None,
            "nothing to compare with"
        );
        let steady = [serial.clone(), threads(1, &STEADY)];
        assert!(widest(&steady).unwrap() < 1e-9);
        let spread = [serial, threads(1, &STEADY), threads(2, &SPREAD)];
        assert!(widest(&spread).unwrap() > 0.1);
        for measured in [&steady[..], &spread] {
            assert!((widest(measured).unwrap() - widest_shown(measured).unwrap()).abs() < 1e-9);
        }
    }

    #[test]
    fn figures_so_far_are_those_of_the_summary() {
        let measured = [
            (cell("3.13", Model::Serial, 1), &STEADY[..]),
            (cell("3.13", Model::Threads, 1), &STEADY),
            (cell("3.13", Model::Threads, 2), &SPREAD),
            (cell(NATIVE, Model::Threads, 1), &STEADY),
            (cell(NATIVE, Model::Threads, 2), &SPREAD),
        ];
        let (so_far, summary) = (tracker(&measured).so_far("fib"), summary(&measured));
        assert_eq!(so_far.cells.len(), measured.len());
        for (so_far, shown) in so_far.cells.iter().zip(&summary.cells) {
            assert_eq!(so_far.cell, shown.cell);
            assert_eq!(so_far.rounds, shown.rounds);
            let ratios = |cell: &CellSummary| [cell.speedup, cell.vs_baseline, cell.ceiling_fraction];
            assert_eq!(ratios(so_far), ratios(shown));
            let makespan_s = |cell: &CellSummary| cell.makespan_s.unwrap().estimate;
            assert!((makespan_s(so_far) - makespan_s(shown)).abs() < 1e-12);
            assert_eq!(
                (so_far.speedup_difference, so_far.vs_baseline_difference),
                (None, None)
            );
        }
        assert!(tracker(&measured).so_far("nbody").cells.is_empty());
        let begun = tracker(
            &measured[..1]
                .iter()
                .map(|(cell, _)| (cell.clone(), &[700][..]))
                .collect::<Vec<_>>(),
        );
        let [serial] = begun.so_far("fib").cells.try_into().unwrap();
        assert_eq!((serial.rounds, serial.vs_baseline), (1, None));
    }

    #[test]
    fn ceiling_is_not_compared_with_serial_python() {
        let measured = [
            (cell("3.13", Model::Serial, 1), &SPREAD[..]),
            (cell(NATIVE, Model::Threads, 1), &STEADY),
            (cell(NATIVE, Model::Threads, 2), &STEADY),
        ];
        assert!(widest(&measured).unwrap() < 1e-9);
    }

    #[test]
    fn ceiling_fraction_is_included_in_the_precision() {
        let measured = [
            (cell("3.13", Model::Threads, 1), &STEADY[..]),
            (cell("3.13", Model::Threads, 2), &SPREAD),
            (cell(NATIVE, Model::Threads, 1), &STEADY),
            // Fast while Python is slow.
            (cell(NATIVE, Model::Threads, 2), &[900, 500, 900, 700, 900, 600]),
        ];
        let of_speedups = widest(&measured[..2]).unwrap();
        let all = widest(&measured).unwrap();
        assert!(all > 1.5 * of_speedups, "{all} {of_speedups}");
        assert!((all - widest_shown(&measured).unwrap()).abs() < 1e-9);
    }

    #[test]
    fn cell_with_too_few_rounds_does_not_hide_the_others() {
        let measured = [
            (cell("3.13", Model::Serial, 1), &STEADY[..]),
            (cell("3.13", Model::Threads, 1), &SPREAD[..]),
            (cell("3.13", Model::Threads, 2), &[500, 500][..]),
        ];
        let of_others = widest(&measured[..2]).unwrap();
        assert!((widest(&measured).unwrap() - of_others).abs() < 1e-9);
    }

    #[test]
    fn ratios_to_wrong_results_are_excluded_from_the_precision() {
        let [serial, threads] = [cell("3.13", Model::Serial, 1), cell("3.13", Model::Threads, 1)];
        let mut tracker = tracker(&[(serial.clone(), &STEADY), (threads, &SPREAD)]);
        assert!(tracker.widest_half_width().is_some());
        let mut wrong = trial(&serial, 6, 1_000);
        wrong.status = TrialStatus::WrongResult;
        tracker.add(&wrong);
        assert_eq!(tracker.widest_half_width(), None);
    }

    #[test]
    fn ratios_of_arms_are_included_in_the_precision() {
        let of_arm = |arm: &str, model: Model| cell("3.13", model, 1).in_arm(arm);
        let mut measured = vec![(of_arm("base", Model::Threads), &STEADY[..])];
        assert_eq!(widest(&measured), None, "nothing to compare with");
        measured.push((of_arm("new", Model::Threads), &SPREAD));
        let of_arms = widest(&measured).unwrap();
        assert!(of_arms > 0.1, "{of_arms}");
        measured.push((of_arm("base", Model::Serial), &STEADY));
        assert!(widest(&measured).unwrap() >= of_arms);
    }

    proptest! {
        #[test]
        fn every_run_ends(widest in 0.0_f64..10.0, round_s in 0.01_f64..100.0) {
            let ended = (1..=RULE.max_rounds).any(|rounds| {
                let elapsed_s = f64::from(rounds) * round_s;
                let progress =
                    RunProgress { rounds, elapsed_s, next_round_s: round_s, widest_half_width: Some(widest) };
                stop_reason(&RULE, &progress).is_some()
            });
            prop_assert!(ended);
        }
    }
}
