//! How precise a run is so far, and whether that is enough. Pure.

use std::collections::HashMap;

use super::estimate::{Makespans, half_width};
use super::ratios::{Measured, MeasuredCell};
use super::verdict::{is_reenabled, status_of};
use super::{arms, overhead};
use ftbench_schema::{Cell, CellStatus, Manifest, StoppedBy, Stopping, Trial};

/// Precision is looked at from this round on. Looking after every round and stopping at a lucky one costs coverage:
/// simulated, 92 % instead of 95 % when looked at from the fifth round, 93 % or more from the tenth.
pub const LOOKED_AT_FROM: u32 = 10;

/// What the precision of a run depends on, trial by trial.
#[derive(Debug)]
pub struct PrecisionTracker {
    manifest: Manifest,
    cells: HashMap<Cell, (CellStatus, Makespans)>,
}

impl PrecisionTracker {
    /// Nothing is measured yet of the run that this manifest describes.
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

    /// Removes a cell that is not measured any more: none of its ratios gets more precise.
    pub fn give_up(&mut self, cell: &Cell) {
        self.cells.remove(cell);
    }

    /// The widest relative half-width among the ratios that a summary shows: of each cell to its one-worker cell and to the
    /// baseline's `serial` cell, of its speedup to the ceiling's, of arms to the first, and of the free-threaded build to
    /// the GIL build. What has too few good rounds for an interval is not shown, and so is left out. `None` when there is no
    /// ratio.
    #[must_use]
    pub fn widest_half_width(&self) -> Option<f64> {
        let cells = self.cells.iter().map(|(cell, (status, makespans))| {
            let status = *status;
            (cell, MeasuredCell { status, makespans })
        });
        let measured = Measured::new(&self.manifest.plan, cells.collect());
        let of_cell = |cell: &Cell| {
            // A cell's ratio to itself is 1, and nothing that could become more precise.
            let alone = Some(Measured::alone(cell)).filter(|alone| alone != cell);
            let baseline = measured.baseline(cell).filter(|baseline| baseline != cell);
            let fraction = alone.as_ref().and_then(|_| measured.ceiling_fraction(cell));
            let ratios = [alone, baseline].into_iter().flatten();
            let ratios: Vec<_> = ratios
                .filter_map(|reference| measured.ratio(&reference, cell))
                .collect();
            ratios.into_iter().map(|ratio| ratio.centre).chain(fraction)
        };
        let of_arms = arms::of_run(&measured).into_iter().map(|arm| arm.ratio);
        let of_builds = overhead::of_pairs(&self.manifest, &|cell| measured.good(cell));
        let of_builds = of_builds.into_iter().map(|overhead| overhead.ratio);
        let ratios = measured.cells().flat_map(of_cell).chain(of_arms).chain(of_builds);
        ratios.map(half_width).reduce(f64::max)
    }
}

/// The order of what becomes of a cell: its worst trial decides.
const fn severity(status: CellStatus) -> u8 {
    match status {
        CellStatus::Ok | CellStatus::Skipped => 0,
        CellStatus::GilReenabled => 1,
        CellStatus::Failed | CellStatus::TimedOut => 2,
        CellStatus::WrongResult => 3,
    }
}

/// Where a run stands after a round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Rounds made.
    pub rounds: u32,
    /// Since the start of the run, seconds.
    pub elapsed_s: f64,
    /// How long the next round will take, seconds.
    pub next_round_s: f64,
    /// See [`PrecisionTracker::widest_half_width`].
    pub widest_half_width: Option<f64>,
}

/// Whether a run ends here, and for which reason.
///
/// The fewest rounds are made whatever they cost. Then precision ends it, then the budget, which a further round must
/// fit into, then the most rounds.
#[must_use]
pub fn stop(rule: &Stopping, standing: &Standing) -> Option<StoppedBy> {
    if standing.rounds < rule.fewest_rounds {
        return None;
    }
    let precise = |precision: f64| {
        standing
            .widest_half_width
            .is_some_and(|widest| widest <= precision)
    };
    if standing.rounds >= LOOKED_AT_FROM && rule.precision.is_some_and(precise) {
        Some(StoppedBy::Precision)
    } else if rule
        .budget_s
        .is_some_and(|budget_s| standing.elapsed_s + standing.next_round_s > budget_s)
    {
        Some(StoppedBy::Budget)
    } else if standing.rounds >= rule.most_rounds {
        Some(StoppedBy::Rounds)
    } else {
        None
    }
}

/// How many rounds there will be in all, as far as can be told: half-widths shrink with the root of the rounds.
#[must_use]
pub fn expected_rounds(rule: &Stopping, standing: &Standing) -> u32 {
    let rounds = f64::from(standing.rounds.max(1));
    let by_precision = match (rule.precision, standing.widest_half_width) {
        (Some(precision), Some(widest)) => rounds * (widest / precision).powi(2),
        _ => f64::INFINITY,
    };
    let by_budget = rule.budget_s.map_or(f64::INFINITY, |budget_s| {
        rounds + ((budget_s - standing.elapsed_s) / standing.next_round_s.max(1e-9)).floor()
    });
    let expected = by_precision.min(by_budget).ceil();
    // A cast saturates, and NaN becomes 0.
    (expected as u32).clamp(rule.fewest_rounds, rule.most_rounds.max(rule.fewest_rounds))
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
        fewest_rounds: 10,
        most_rounds: 50,
        precision: Some(0.01),
        budget_s: Some(600.0),
    };

    fn after(rounds: u32, elapsed_s: f64, widest_half_width: Option<f64>) -> Option<StoppedBy> {
        stop(
            &RULE,
            &Standing {
                rounds,
                elapsed_s,
                next_round_s: 10.0,
                widest_half_width,
            },
        )
    }

    #[test]
    fn the_rule_in_its_order() {
        assert_eq!(after(9, 900.0, Some(0.001)), None);
        assert_eq!(after(10, 100.0, Some(0.02)), None);
        assert_eq!(after(10, 100.0, None), None);
        assert_eq!(after(10, 900.0, Some(0.01)), Some(StoppedBy::Precision));
        assert_eq!(after(12, 591.0, Some(0.02)), Some(StoppedBy::Budget));
        assert_eq!(after(50, 100.0, Some(0.02)), Some(StoppedBy::Rounds));
    }

    #[test]
    fn what_is_expected_follows_the_root_of_the_rounds_and_the_budget() {
        let expected = |elapsed_s, widest| {
            let standing = Standing {
                rounds: 10,
                elapsed_s,
                next_round_s: 10.0,
                widest_half_width: widest,
            };
            expected_rounds(&RULE, &standing)
        };
        assert_eq!(expected(100.0, Some(0.02)), 40);
        assert_eq!(expected(100.0, Some(0.2)), 50);
        assert_eq!(expected(400.0, Some(0.2)), 30);
        assert_eq!(expected(900.0, None), 10);
    }

    const STEADY: [u64; 6] = [1_000; 6];
    const SPREAD: [u64; 6] = [500, 900, 500, 700, 500, 800];

    /// A tracker of a run in which the makespans of these cells were measured, milliseconds, one a round.
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

    /// The widest relative half-width of the ratios in a summary of the same run, by its own figures.
    fn widest_shown(measured: &[(Cell, &[u64])]) -> Option<f64> {
        let cells: Vec<Cell> = measured.iter().map(|(cell, _)| cell.clone()).collect();
        let trials: Vec<Trial> = measured
            .iter()
            .flat_map(|(cell, makespans_ms)| {
                let rounds = (0..).zip(*makespans_ms);
                rounds.map(|(round, makespan_ms)| trial(cell, round, *makespan_ms))
            })
            .collect();
        let summary = summarise("run", &manifest(&cells), &trials);
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
    fn the_widest_of_the_ratios_shown_counts() {
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
    fn the_ceiling_is_not_compared_with_serial_python() {
        let measured = [
            (cell("3.13", Model::Serial, 1), &SPREAD[..]),
            (cell(NATIVE, Model::Threads, 1), &STEADY),
            (cell(NATIVE, Model::Threads, 2), &STEADY),
        ];
        assert!(widest(&measured).unwrap() < 1e-9);
    }

    #[test]
    fn the_fraction_of_the_ceiling_counts() {
        let measured = [
            (cell("3.13", Model::Threads, 1), &STEADY[..]),
            (cell("3.13", Model::Threads, 2), &SPREAD),
            (cell(NATIVE, Model::Threads, 1), &STEADY),
            // Fast when Python is slow.
            (cell(NATIVE, Model::Threads, 2), &[900, 500, 900, 700, 900, 600]),
        ];
        let of_speedups = widest(&measured[..2]).unwrap();
        let all = widest(&measured).unwrap();
        assert!(all > 1.5 * of_speedups, "{all} {of_speedups}");
        assert!((all - widest_shown(&measured).unwrap()).abs() < 1e-9);
    }

    #[test]
    fn a_cell_with_too_few_good_rounds_does_not_hide_the_others() {
        let measured = [
            (cell("3.13", Model::Serial, 1), &STEADY[..]),
            (cell("3.13", Model::Threads, 1), &SPREAD[..]),
            (cell("3.13", Model::Threads, 2), &[500, 500][..]),
        ];
        let of_others = widest(&measured[..2]).unwrap();
        assert!((widest(&measured).unwrap() - of_others).abs() < 1e-9);
    }

    #[test]
    fn what_wrong_results_are_compared_with_is_not_waited_for() {
        let [serial, threads] = [cell("3.13", Model::Serial, 1), cell("3.13", Model::Threads, 1)];
        let mut tracker = tracker(&[(serial.clone(), &STEADY), (threads, &SPREAD)]);
        assert!(tracker.widest_half_width().is_some());
        let mut wrong = trial(&serial, 6, 1_000);
        wrong.status = TrialStatus::WrongResult;
        tracker.add(&wrong);
        assert_eq!(tracker.widest_half_width(), None);
    }

    #[test]
    fn arms_are_held_against_the_first() {
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
        fn a_run_ends(widest in 0.0_f64..10.0, round_s in 0.01_f64..100.0) {
            let ended = (1..=RULE.most_rounds).any(|rounds| {
                let elapsed_s = f64::from(rounds) * round_s;
                let standing =
                    Standing { rounds, elapsed_s, next_round_s: round_s, widest_half_width: Some(widest) };
                stop(&RULE, &standing).is_some()
            });
            prop_assert!(ended);
        }
    }
}
