//! Simulated runs with known true values, at different times on a machine whose speed varies. Measures how often
//! identical runs are called different, and how often a real change is detected.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test that cannot continue should panic, and these print their figures"
)]

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

use super::*;
use ftbench_fixtures::records::manifest;
use ftbench_fixtures::summaries::{self, SyntheticCell};
use ftbench_schema::{CeilingFacts, CellSummary, Kernel, KernelGroup, Model, NATIVE, WorkloadFacts};

/// A measured cell, 0.1 s for 100 units.
pub(super) fn measured(workload: &str, model: Model, workers: u32) -> CellSummary {
    made("3.13", workload, model, workers)
}

fn made(tag: &str, workload: &str, model: Model, workers: u32) -> CellSummary {
    SyntheticCell {
        tag,
        workload,
        model,
        workers,
        one_worker_s: 0.1,
        speedup: 1.0,
    }
    .summary()
}

/// Variation between and within runs: standard deviations of the logarithm of a time.
#[derive(Clone, Copy)]
pub(super) struct World {
    /// Effect of the machine on everything.
    machine: f64,
    /// Effect of the machine on Python, but not on the kernels.
    python: f64,
    /// Effect of a run on all cells of a workload.
    workload: f64,
    /// Effect of a run on a single cell.
    cell: f64,
    /// Noise of a cell's estimate within its run.
    within: f64,
    rounds: u32,
    ceiling: bool,
    /// Additional variation on several PUs at once.
    several: Several,
}

/// Variation between and within runs for workers on several PUs at once, in addition to that of one PU.
#[derive(Clone, Copy)]
struct Several {
    machine: f64,
    python: f64,
    within: f64,
}

/// The quick profile on a shared machine.
pub(super) const SHARED: World = World {
    machine: 0.06,
    python: 0.006,
    workload: 0.007,
    cell: 0.008,
    within: 0.006,
    rounds: 5,
    ceiling: true,
    several: Several {
        machine: 0.02,
        python: 0.004,
        within: 0.0,
    },
};

/// A virtual machine whose PUs sometimes share cores with others', as observed by `scripts/compare-aa.py`.
const NEIGHBOURS: World = World {
    machine: 0.01,
    python: 0.012,
    within: 0.015,
    several: Several {
        machine: 0.05,
        python: 0.08,
        within: 0.06,
    },
    ..SHARED
};

const WORKLOADS: [&str; 8] = ["fib", "nbody", "json", "sort", "hash", "regex", "dict", "queue"];

pub(super) struct Simulation {
    generator: ChaCha8Rng,
    world: World,
    runs: u32,
}

impl Simulation {
    pub(super) fn new(world: World, seed: u64) -> Self {
        Self {
            generator: ChaCha8Rng::seed_from_u64(seed),
            world,
            runs: 0,
        }
    }

    fn uniform(&mut self) -> f64 {
        use rand::Rng;
        (f64::from(self.generator.next_u32()) + 0.5) / (f64::from(u32::MAX) + 1.0)
    }

    pub(super) fn normal(&mut self, deviation: f64) -> f64 {
        let uniform = self.uniform();
        Normal::standard().inverse_cdf(uniform) * deviation
    }

    /// Simulates a run, with the cells of one workload slowed down by a factor.
    pub(super) fn run(&mut self, slowed: Option<(&str, f64)>) -> Run {
        let world = self.world;
        let machine = self.normal(world.machine);
        let python = machine + self.normal(world.python);
        let machine_of_several = machine + self.normal(world.several.machine);
        let python_of_several = python + machine_of_several - machine + self.normal(world.several.python);
        let mut cells = Vec::new();
        for workload in WORKLOADS {
            let of_workload = self.normal(world.workload);
            let factor = slowed
                .filter(|(name, _)| *name == workload)
                .map_or(1.0, |(_, factor)| factor);
            for tag in ["3.13", "3.13t"] {
                for (model, workers) in [(Model::Serial, 1), (Model::Threads, 1), (Model::Threads, 2)] {
                    let own = self.normal(world.cell);
                    let of_machine = if workers > 1 { python_of_several } else { python };
                    let truth = of_machine + of_workload + own + factor.ln();
                    cells.push(self.cell(made(tag, workload, model, workers), truth));
                }
            }
            if world.ceiling {
                for (workers, of_machine) in [(1, machine), (2, machine_of_several)] {
                    let own = self.normal(0.004);
                    cells.push(self.cell(made(NATIVE, workload, Model::Threads, workers), of_machine + own));
                }
            }
        }
        self.runs += 1;
        let summary = summaries::summary(Vec::new(), 2, cells);
        let mut run = Run::of_summary(manifest(&[]), summary);
        run.summary.run.name = format!("run-{}", self.runs);
        run.manifest.workloads = WORKLOADS.map(workload).to_vec();
        run
    }

    /// Simulates the estimate of a cell, with an interval whose width varies as it does with few rounds.
    fn cell(&mut self, mut cell: CellSummary, truth: f64) -> CellSummary {
        let World {
            within,
            rounds,
            several,
            ..
        } = self.world;
        let within = within.hypot(if cell.workers > 1 { several.within } else { 0.0 });
        let log = 0.1_f64.ln() + truth + self.normal(within);
        let degrees = f64::from(rounds - 1);
        let uniform = self.uniform();
        let spread = (ChiSquared::new(degrees).unwrap().inverse_cdf(uniform) / degrees).sqrt();
        let reach = 1.96 * within * spread;
        cell.makespan_s = Some(Estimate {
            estimate: log.exp(),
            low: (log - reach).exp(),
            high: (log + reach).exp(),
        });
        cell.rounds = rounds;
        cell
    }
}

fn workload(name: &str) -> WorkloadFacts {
    WorkloadFacts {
        ceiling: Some(CeilingFacts::of(Kernel::Integer)),
        sha256: "a".to_owned(),
        ..ftbench_fixtures::records::workload(name)
    }
}

pub(super) fn side(runs: &[Run]) -> Side<'_> {
    Side {
        runs: runs.iter().collect(),
        interpreter: None,
    }
}

pub(super) fn compared(base: &[Run], new: &[Run], history: &[Run]) -> Comparison {
    compare(&side(base), &side(new), history, &Options::default()).unwrap()
}

/// Returns the workloads that have such a verdict, as a whole or for a cell.
fn called(comparison: &Comparison, is_such: impl Fn(Verdict) -> bool) -> BTreeSet<&str> {
    let cells = comparison
        .cells
        .iter()
        .map(|cell| (&cell.cell.workload, cell.verdict));
    let wholes = comparison
        .workloads
        .iter()
        .map(|whole| (&whole.workload, whole.verdict));
    cells
        .chain(wholes)
        .filter(|(_, verdict)| is_such(*verdict))
        .map(|(workload, _)| workload.as_str())
        .collect()
}

/// Returns the share of comparisons of identical runs that call a cell slower or faster.
fn share_called(world: World, history: usize, experiments: u64) -> f64 {
    let called = (0..experiments).filter(|&seed| {
        let mut simulation = Simulation::new(world, seed);
        let history: Vec<Run> = (0..history).map(|_| simulation.run(None)).collect();
        let [base, new] = [simulation.run(None), simulation.run(None)];
        let comparison = compared(&[base], &[new], &history);
        !called(&comparison, |verdict| {
            verdict != Verdict::CannotTell && verdict != Verdict::Same
        })
        .is_empty()
    });
    called.count() as f64 / experiments as f64
}

#[test]
fn at_most_one_of_twenty_comparisons_calls_identical_runs_different() {
    let calm = World {
        machine: 0.01,
        ..SHARED
    };
    let no_ceiling = World {
        machine: 0.03,
        ceiling: false,
        ..SHARED
    };
    // The variance between runs exceeds the documented values, so a history has to show it.
    let unsteady = World {
        workload: 0.012,
        cell: 0.03,
        ..SHARED
    };
    for (name, world, history) in [
        ("shared", SHARED, 0),
        ("calm", calm, 0),
        ("neighbours", NEIGHBOURS, 0),
        ("neighbours, 7 runs of history", NEIGHBOURS, 7),
        ("no ceiling", no_ceiling, 0),
        ("shared, 5 runs of history", SHARED, 5),
        ("no ceiling, 8 runs of history", no_ceiling, 8),
        ("unsteady, 12 runs of history", unsteady, 12),
    ] {
        let share = share_called(world, history, 300);
        println!("{name}: {share:.3}");
        assert!(share <= 0.05, "{name}: {share}");
    }
}

#[test]
fn slowdown_of_ten_per_cent_is_detected_in_its_workload_only() {
    // Per cent. Next to a true difference, one in twenty of the differences called may be false. If many are called,
    // that affects more than one comparison in twenty.
    for (history, world, min_found, max_elsewhere) in [
        (0, SHARED, 80, 5),
        (6, SHARED, 80, 5),
        (0, NEIGHBOURS, 60, 5),
        (6, NEIGHBOURS, 70, 8),
    ] {
        let experiments = 200;
        let (mut found, mut elsewhere) = (0, 0);
        for seed in 0..experiments {
            let mut simulation = Simulation::new(world, 1000 + seed);
            let history: Vec<Run> = (0..history).map(|_| simulation.run(None)).collect();
            let [base, new] = [simulation.run(None), simulation.run(Some(("json", 1.10)))];
            let comparison = compared(&[base], &[new], &history);
            let slower = called(&comparison, |verdict| verdict == Verdict::Slower);
            found += u64::from(slower.contains("json"));
            elsewhere += u64::from(slower.iter().any(|workload| *workload != "json"));
        }
        println!("{history} runs of history: found {found}, elsewhere {elsewhere} of {experiments}");
        assert!(
            found * 100 >= experiments * min_found,
            "{found} of {experiments}, {history} runs of history"
        );
        assert!(
            elsewhere * 100 <= experiments * max_elsewhere,
            "{elsewhere} of {experiments}, {history} runs of history"
        );
    }
}

#[test]
fn several_runs_on_a_side_narrow_the_intervals() {
    let widths: Vec<f64> = [1, 4]
        .into_iter()
        .map(|count| {
            let mut simulation = Simulation::new(SHARED, 5);
            let base: Vec<Run> = (0..count).map(|_| simulation.run(None)).collect();
            let new: Vec<Run> = (0..count).map(|_| simulation.run(None)).collect();
            let comparison = compared(&base, &new, &[]);
            assert_eq!(
                comparison.between_runs.unwrap().runs,
                if count == 1 { 0 } else { 8 }
            );
            let widths = comparison
                .cells
                .iter()
                .map(|cell| cell.ratio.high / cell.ratio.low);
            widths.sum::<f64>() / comparison.cells.len() as f64 - 1.0
        })
        .collect();
    assert!(widths[1] < 0.6 * widths[0], "{widths:?}");
}

#[test]
fn drift_of_the_machine_is_removed_and_reported() {
    let mut simulation = Simulation::new(SHARED, 9);
    let base = simulation.run(None);
    let mut new = simulation.run(None);
    for cell in &mut new.summary.cells {
        cell.makespan_s = cell
            .makespan_s
            .map(|makespan| crate::estimate::map(makespan, |value| 1.2 * value));
    }
    let [base, new] = [vec![base], vec![new]];
    let comparison = compared(&base, &new, &[]);
    let pus: Vec<usize> = comparison.drift.iter().map(|drift| drift.pus).collect();
    assert_eq!(pus, [1, 2]);
    for drift in &comparison.drift {
        assert!(drift.taken_out && drift.cells == WORKLOADS.len() && drift.kernels == KernelGroup::Computing);
        assert!(drift.ratio.low < drift.ratio.estimate && drift.ratio.estimate < drift.ratio.high);
    }
    for cell in &comparison.cells {
        let drift = comparison.drift[usize::from(cell.cell.workers > 1)];
        assert!(
            (cell.ratio_as_measured.unwrap() / cell.ratio.estimate / drift.ratio.estimate - 1.0).abs() < 1e-9
        );
    }
    assert_eq!(comparison.counts.slower, 0);
    let options = Options {
        take_drift_out: false,
        ..Options::default()
    };
    let as_measured = compare(&side(&base), &side(&new), &[], &options).unwrap();
    assert!(!as_measured.drift[0].taken_out && as_measured.cells[0].ratio_as_measured.is_none());
    // The kernels of a different ftbench may be different code.
    let mut other = new;
    other[0].manifest.ftbench_version = "9.9.9".to_owned();
    assert!(compared(&base, &other, &[]).drift.is_empty());
}

#[test]
fn interval_of_a_mean_includes_the_common_variance() {
    let mut simulation = Simulation::new(SHARED, 3);
    let [base, new] = [vec![simulation.run(None)], vec![simulation.run(None)]];
    let comparison = compared(&base, &new, &[]);
    let mean = comparison.geometric_means[0];
    assert_eq!(
        (mean.kind, mean.cells, mean.workloads),
        (Some(WorkloadKind::Cpu), 48, 8)
    );
    let half_width = (mean.ratio.high / mean.ratio.low).ln() / 2.0;
    let common = documented::DocumentedDeviations::of(documented::Class::of(true, 1), 0.0).common;
    assert!(half_width > 1.96 * common * 2.0_f64.sqrt(), "{half_width}");
    assert!(half_width < 0.06, "{half_width}");
}

#[test]
fn different_units_are_not_a_change_of_time() {
    let mut simulation = Simulation::new(SHARED, 11);
    let base = vec![simulation.run(None)];
    let mut new = base.clone();
    for cell in new[0].summary.cells.iter_mut().filter(|cell| !cell.is_native()) {
        cell.units = Some(300);
        cell.makespan_s = cell
            .makespan_s
            .map(|makespan| crate::estimate::map(makespan, |value| 3.0 * value));
    }
    let comparison = compared(&base, &new, &[]);
    assert!(
        comparison
            .cells
            .iter()
            .all(|cell| (cell.ratio.estimate - 1.0).abs() < 1e-9)
    );
    assert_eq!(
        (
            comparison.cells[0].base_units[0],
            comparison.cells[0].new_units[0]
        ),
        (100, 300)
    );
}

#[test]
fn large_drift_widens_the_intervals() {
    let slowed = |factor: f64| {
        let mut simulation = Simulation::new(SHARED, 21);
        let base = simulation.run(None);
        let mut new = base.clone();
        for cell in &mut new.summary.cells {
            // Python becomes 30 % slower in one workload, in addition to the drift of the whole machine.
            let own = if cell.is_native() || cell.workload != "json" {
                1.0
            } else {
                1.3
            };
            let scale = |value: f64| factor * own * value;
            cell.makespan_s = cell
                .makespan_s
                .map(|makespan| crate::estimate::map(makespan, scale));
        }
        compared(&[base], &[new], &[])
    };
    let width = |comparison: &Comparison| {
        let ratio = comparison.geometric_means[0].ratio;
        (ratio.high / ratio.low).ln()
    };
    let [steady, slower, much_slower] = [1.0, 1.5, 3.0].map(slowed);
    let called_in = |comparison: &Comparison| called(comparison, |verdict| verdict == Verdict::Slower).len();
    assert_eq!(called_in(&steady), 1);
    // A drift by half is removed, but workloads slow down by more or less than kernels; a drift by a factor of three is
    // not removed at all.
    assert!(slower.drift.iter().all(|drift| drift.taken_out));
    assert!(much_slower.drift.iter().all(|drift| !drift.taken_out));
    assert_eq!([called_in(&slower), called_in(&much_slower)], [0, 0]);
    let widths = [&steady, &slower, &much_slower].map(width);
    assert!(widths[0] < widths[1] && widths[1] < widths[2], "{widths:?}");
    // The drift is common to all workloads, so the mean of eight is no more precise.
    assert!(widths[2] > 2.0 * 1.96 * 3.0_f64.ln(), "{widths:?}");
}

#[test]
fn different_kernels_of_a_workload_do_not_measure_drift() {
    let mut simulation = Simulation::new(SHARED, 22);
    let [base, mut new] = [simulation.run(None), simulation.run(None)].map(|run| vec![run]);
    assert_eq!(compared(&base, &new, &[]).drift.len(), 2);
    for workload in &mut new[0].manifest.workloads {
        workload.ceiling = Some(CeilingFacts::of(Kernel::FloatingPoint));
    }
    assert!(compared(&base, &new, &[]).drift.is_empty());
}
