//! What is held against what, and what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

use super::simulation_tests::{SHARED, Simulation, compared, side};
use super::*;
use crate::record::schema::CellSummary;
use crate::record::schema::Quietness;

#[test]
fn runs_that_cannot_be_compared_are_refused() {
    let mut simulation = Simulation::new(SHARED, 13);
    let base = vec![simulation.run(None)];
    let mut new = vec![simulation.run(None)];
    new[0].manifest.machine.cpu_model = "another".to_owned();
    new[0].manifest.plan.settings.pin = "none".to_owned();
    let refused = compare(&side(&base), &side(&new), &[], &Options::default()).unwrap_err();
    let Incomparable::Conditions(why) = &refused else {
        panic!("{refused}")
    };
    assert_eq!(why.len(), 2, "{why:?}");
    let insisted = Options {
        anyway: true,
        ..Options::default()
    };
    assert_eq!(
        compare(&side(&base), &side(&new), &[], &insisted)
            .unwrap()
            .overridden
            .len(),
        2
    );
}

#[test]
fn a_workload_with_another_file_is_left_out() {
    let mut simulation = Simulation::new(SHARED, 17);
    let base = vec![simulation.run(None)];
    let mut new = vec![simulation.run(None)];
    new[0].manifest.workloads[2].sha256 = "b".to_owned();
    let comparison = compared(&base, &new, &[]);
    assert_eq!((comparison.cells.len(), comparison.counts.not_compared), (42, 6));
    assert!(
        comparison
            .unmatched
            .iter()
            .all(|one| one.change == Change::OtherWork && one.cell.workload == "json")
    );
    for workload in &mut new[0].manifest.workloads {
        workload.sha256 = "b".to_owned();
    }
    let refused = compare(&side(&base), &side(&new), &[], &Options::default());
    assert!(
        matches!(refused, Err(Incomparable::OtherWorkloads(_))),
        "{refused:?}"
    );
}

#[test]
fn single_interpreters_of_other_names_are_matched() {
    let mut simulation = Simulation::new(SHARED, 19);
    let only = |mut run: Run, label: &str| {
        run.summary
            .cells
            .retain(|cell| cell.interpreter == "3.13" || cell.is_native());
        for cell in run.summary.cells.iter_mut().filter(|cell| !cell.is_native()) {
            cell.interpreter = label.to_owned();
        }
        run
    };
    let base = vec![only(simulation.run(None), "3.13")];
    let new = vec![only(simulation.run(None), "3.14")];
    let comparison = compared(&base, &new, &[]);
    assert!(comparison.interpreters_matched);
    assert_eq!(
        (
            comparison.cells.len(),
            comparison.cells[0].cell.interpreter.as_deref()
        ),
        (24, None)
    );
    // With several interpreters on a side they have to be named.
    let both = vec![simulation.run(None)];
    let refused = compare(&side(&both), &side(&new), &[], &Options::default());
    assert!(
        matches!(refused, Err(Incomparable::NothingInCommon { .. })),
        "{refused:?}"
    );
    let named = |runs, name: &str| Side {
        interpreter: Some(name.to_owned()),
        ..side(runs)
    };
    let comparison = compare(&named(&both, "3.13t"), &side(&new), &[], &Options::default()).unwrap();
    assert_eq!(comparison.cells.len(), 24);
    let unknown = compare(&named(&both, "3.15"), &side(&new), &[], &Options::default());
    assert!(
        matches!(unknown, Err(Incomparable::UnknownInterpreter(_))),
        "{unknown:?}"
    );
}

#[test]
fn what_others_took_of_a_run_widens_its_intervals() {
    let mut simulation = Simulation::new(SHARED, 31);
    let base = vec![simulation.run(None)];
    let mut new = base.clone();
    let log_width = |new: &[Run]| {
        let comparison = compared(&base, new, &[]);
        let ratio = comparison.cells[0].ratio;
        let mean = comparison.geometric_means[0].ratio;
        [ratio, mean].map(|ratio| (ratio.high / ratio.low).ln() / 2.0)
    };
    let quiet = log_width(&new);
    new[0].summary.quiet = Some(Quietness {
        samples: 100,
        disturbed: 99,
        by: BTreeMap::new(),
        steal: None,
        others: Some(0.4),
        run_queue: None,
    });
    let disturbed = log_width(&new);
    assert!(quiet.iter().all(|width| *width < 0.1), "{quiet:?}");
    // 1.96 times -ln(1 - 0.4), and a little more for the degrees of freedom.
    assert!(disturbed.iter().all(|width| *width > 1.0), "{disturbed:?}");
}

#[test]
fn a_run_is_not_compared_with_itself() {
    let mut simulation = Simulation::new(SHARED, 23);
    let runs = vec![simulation.run(None)];
    let refused = compare(&side(&runs), &side(&runs), &[], &Options::default());
    assert!(matches!(refused, Err(Incomparable::WithItself(_))), "{refused:?}");
    let named = |name: &str| Side {
        interpreter: Some(name.to_owned()),
        ..side(&runs)
    };
    let refused = compare(&named("3.13"), &named("3.13t"), &[], &Options::default());
    assert!(matches!(refused, Err(Incomparable::NoRounds(_))), "{refused:?}");
}

#[test]
fn interpreters_of_one_run_are_paired_in_its_rounds() {
    let mut simulation = Simulation::new(SHARED, 29);
    let mut run = simulation.run(None);
    for cell in &run.summary.cells {
        // The machine gets slower and slower; 3.13t takes a quarter longer throughout.
        let factor = if cell.interpreter == "3.13t" { 1.25 } else { 1.0 };
        let makespans = (0..12).map(|round| (round, factor * 0.1 * 1.1_f64.powi(round as i32)));
        run.makespans_s.insert(cell.cell(), makespans.collect());
    }
    let runs = vec![run];
    let named = |name: &str| Side {
        interpreter: Some(name.to_owned()),
        ..side(&runs)
    };
    let comparison = compare(&named("3.13"), &named("3.13t"), &[], &Options::default()).unwrap();
    assert_eq!(comparison.pairing, Pairing::SameRounds);
    assert!(comparison.drift.is_empty() && comparison.between_runs.is_none());
    assert_eq!((comparison.counts.slower, comparison.cells.len()), (24, 24));
    assert!(
        comparison
            .cells
            .iter()
            .all(|cell| (cell.ratio.estimate - 1.25).abs() < 1e-9)
    );
    assert!((comparison.geometric_means[0].ratio.estimate - 1.25).abs() < 1e-9);
    assert!(comparison.has_regression());
}

#[test]
fn a_lone_slowdown_among_sixty_cells_is_found_in_ten_rounds() {
    // With 60 cells a p value must be below 0.05 / 60; signed ranks of ten values have none below 2 / 2^10.
    for rounds in [9, 10, 11, 12] {
        let mut simulation = Simulation::new(SHARED, 37);
        let mut run = simulation.run(None);
        let like = run.summary.cells[0].clone();
        run.summary.cells.clear();
        for workers in 1..=60 {
            let slowdown = if workers == 7 { 1.5 } else { 1.0 };
            for (tag, factor) in [("3.13", 1.0), ("3.13t", slowdown)] {
                let cell = CellSummary {
                    interpreter: tag.to_owned(),
                    workers,
                    ..like.clone()
                };
                let mut makespan = |round| (round, factor * 0.1 * simulation.normal(0.02).exp());
                let makespans = (0..rounds).map(&mut makespan).collect();
                run.makespans_s.insert(cell.cell(), makespans);
                run.summary.cells.push(cell);
            }
        }
        let runs = vec![run];
        let named = |name: &str| Side {
            interpreter: Some(name.to_owned()),
            ..side(&runs)
        };
        let comparison = compare(&named("3.13"), &named("3.13t"), &[], &Options::default()).unwrap();
        let called: Vec<u32> = comparison
            .cells
            .iter()
            .filter(|cell| matches!(cell.verdict, Verdict::Slower | Verdict::Faster))
            .map(|cell| cell.cell.workers)
            .collect();
        assert_eq!((comparison.cells.len(), called), (60, vec![7]), "{rounds} rounds");
    }
}

#[test]
fn arms_of_one_run_are_paired_interpreter_by_interpreter() {
    let mut simulation = Simulation::new(SHARED, 31);
    let mut run = simulation.run(None);
    let originals = run.summary.cells.clone();
    run.summary.cells.clear();
    for cell in originals.iter().filter(|cell| !cell.is_native()) {
        for (arm, factor) in [("base", 1.0), ("new", 0.8)] {
            let cell = CellSummary {
                arm: Some(arm.to_owned()),
                ..cell.clone()
            };
            let makespans = (0..12).map(|round| (round, factor * 0.1 * 1.1_f64.powi(round as i32)));
            run.makespans_s.insert(cell.cell(), makespans.collect());
            run.summary.cells.push(cell);
        }
    }
    let runs = vec![run];
    let named = |name: &str| Side {
        interpreter: Some(name.to_owned()),
        ..side(&runs)
    };
    let between = |base: &str, new: &str| {
        let comparison = compare(&named(base), &named(new), &[], &Options::default()).unwrap();
        let mut left: Vec<Option<String>> = comparison
            .cells
            .iter()
            .map(|cell| cell.cell.interpreter.clone())
            .collect();
        left.sort();
        left.dedup();
        let first = comparison.cells[0].ratio.estimate;
        (left, comparison.counts.faster, comparison.cells.len(), first)
    };
    let known = |words: &[&str]| {
        words
            .iter()
            .map(|word| Some((*word).to_owned()))
            .collect::<Vec<_>>()
    };
    let (left, faster, cells, ratio) = between("base", "new");
    assert_eq!((left, faster), (known(&["3.13", "3.13t"]), cells));
    assert!((ratio - 0.8).abs() < 1e-9, "{ratio}");
    assert_eq!(between("3.13", "3.13t").0, known(&["base", "new"]));
    assert_eq!(between("3.13t base", "3.13t new").0, [None]);
}
