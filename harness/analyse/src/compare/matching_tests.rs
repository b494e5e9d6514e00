//! Tests of which cells are compared, and of what is rejected.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot continue should panic"
)]

use super::simulation_tests::{SHARED, Simulation, compared, side};
use super::*;
use ftbench_schema::{CellStatus, CellSummary, Quietness};

#[test]
fn runs_with_different_conditions_are_rejected() {
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
    let anyway = Options {
        anyway: true,
        ..Options::default()
    };
    assert_eq!(
        compare(&side(&base), &side(&new), &[], &anyway)
            .unwrap()
            .overridden
            .len(),
        2
    );
}

#[test]
fn workload_with_a_different_file_is_left_out() {
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
fn single_interpreters_with_different_names_are_matched() {
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
    // If a side has several interpreters, one must be named.
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
fn cpu_time_of_other_processes_widens_the_intervals() {
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
    // 1.96 times -ln(1 - 0.4), and a little more because of the degrees of freedom.
    assert!(disturbed.iter().all(|width| *width > 1.0), "{disturbed:?}");
}

#[test]
fn comparing_a_run_with_itself_is_rejected() {
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
fn interpreters_of_one_run_are_paired_by_round() {
    let mut simulation = Simulation::new(SHARED, 29);
    let mut run = simulation.run(None);
    for cell in &run.summary.cells {
        // The machine becomes slower and slower; 3.13t always takes a quarter longer.
        let factor = if cell.interpreter == "3.13t" { 1.25 } else { 1.0 };
        let makespans = (0..12).map(|round| (round, factor * 0.1 * 1.1_f64.powi(round as i32)));
        run.makespans.insert(cell.cell.clone(), makespans.collect());
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
fn single_slowdown_among_sixty_cells_is_detected_in_ten_rounds() {
    // With 60 cells a p value must be below 0.05 / 60, but the smallest one of signed ranks of ten values is 2 / 2^10.
    for rounds in [9, 10, 11, 12] {
        let mut simulation = Simulation::new(SHARED, 37);
        let mut run = simulation.run(None);
        let like = run.summary.cells[0].clone();
        run.summary.cells.clear();
        for workers in 1..=60 {
            let slowdown = if workers == 7 { 1.5 } else { 1.0 };
            for (tag, factor) in [("3.13", 1.0), ("3.13t", slowdown)] {
                let mut cell = like.clone();
                cell.interpreter = tag.to_owned();
                cell.workers = workers;
                let mut makespan = |round| (round, factor * 0.1 * simulation.normal(0.02).exp());
                let makespans = (0..rounds).map(&mut makespan).collect();
                run.makespans.insert(cell.cell.clone(), makespans);
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

/// The Python cells of a run.
fn python_cells(run: &mut Run) -> impl Iterator<Item = &mut CellSummary> {
    run.summary.cells.iter_mut().filter(|cell| !cell.is_native())
}

#[test]
fn night_with_failures_hides_no_cell_and_is_left_out_completely() {
    let mut simulation = Simulation::new(SHARED, 43);
    let mut nights: Vec<Run> = (0..4).map(|_| simulation.run(None)).collect();
    let new = vec![simulation.run(None)];
    for cell in python_cells(&mut nights[1]).filter(|cell| cell.workload == "json") {
        cell.status = CellStatus::Failed;
        cell.reason = Some("MemoryError".to_owned());
    }
    let all = compared(&nights, &new, &[]);
    assert_eq!((all.cells.len(), all.unmatched.len()), (48, 0));
    assert_eq!(all.failed_in_some.len(), 6);
    let failure = &all.failed_in_some[0];
    assert_eq!(
        (failure.side, failure.failed, failure.runs),
        (SideName::Base, 1, 4)
    );
    assert_eq!(failure.reason.as_deref(), Some("MemoryError"));
    // The machine's drift in that night is not removed from cells that the night does not have.
    nights.remove(1);
    let without = compared(&nights, &new, &[]);
    let ratios = |comparison: &Comparison| -> Vec<f64> {
        let of_json = comparison
            .cells
            .iter()
            .filter(|cell| cell.cell.workload == "json");
        of_json.map(|cell| cell.ratio.estimate).collect()
    };
    for (one, other) in ratios(&all).into_iter().zip(ratios(&without)) {
        assert!((one / other - 1.0).abs() < 1e-9, "{one} {other}");
    }
    assert!(all.drift[0].ratio.estimate != without.drift[0].ratio.estimate);
}

#[test]
fn night_in_which_everything_failed_does_not_affect_the_others() {
    let mut simulation = Simulation::new(SHARED, 45);
    let mut nights: Vec<Run> = (0..5).map(|_| simulation.run(None)).collect();
    let new = vec![simulation.run(None)];
    for cell in python_cells(&mut nights[2]) {
        cell.status = CellStatus::Failed;
    }
    let comparison = compared(&nights, &new, &[]);
    assert_eq!(comparison.cells.len(), 48);
    assert_eq!(comparison.between_runs.unwrap().runs, 4);
}

#[test]
fn failure_is_reported_in_one_of_several_runs_and_a_regression_in_most() {
    let mut simulation = Simulation::new(SHARED, 47);
    let base = vec![simulation.run(None)];
    let mut new: Vec<Run> = (0..3).map(|_| simulation.run(None)).collect();
    let mut fail = |run: usize| {
        python_cells(&mut new[run]).next().unwrap().status = CellStatus::TimedOut;
        let comparison = compared(&base, &new, &[]);
        (comparison.counts.broken, comparison.failed_in_some.len())
    };
    assert_eq!(fail(0), (0, 1));
    assert_eq!(fail(2), (1, 0));
}

#[test]
fn comparison_without_a_comparable_cell_is_rejected() {
    let mut simulation = Simulation::new(SHARED, 53);
    let measured = vec![simulation.run(None)];
    let mut like = |status: CellStatus, rounds: u32| {
        let mut run = simulation.run(None);
        for cell in python_cells(&mut run) {
            cell.status = status;
            cell.reason = (status != CellStatus::Ok).then(|| "no \u{1b}wheel".to_owned());
            cell.rounds = rounds;
            cell.makespan_s = cell.makespan_s.filter(|_| rounds > 2);
        }
        vec![run]
    };
    let skipped = like(CellStatus::Skipped, 0);
    let failed = like(CellStatus::Failed, 0);
    let short = like(CellStatus::Ok, 2);
    let answer = |base: &[Run], new: &[Run]| compare(&side(base), &side(new), &[], &Options::default());
    for (base, new, expected) in [
        (&measured, &skipped, "48 of 48 only in BASE (no  wheel)"),
        (&failed, &failed.clone(), "48 of 48 fails in both (no  wheel)"),
        (
            &measured,
            &short,
            "48 of 48 too few rounds (an interval needs 3 rounds, and there are 2)",
        ),
    ] {
        let refused = answer(base, new).unwrap_err();
        let Incomparable::NothingCompared(why) = &refused else {
            panic!("{refused}")
        };
        assert_eq!(why, expected);
    }
    assert_eq!(answer(&measured, &failed).unwrap().counts.broken, 48);
    let fixed = answer(&failed, &measured).unwrap();
    assert!(!fixed.has_regression() && fixed.unmatched.len() == 48);
}

#[test]
fn pairs_need_rounds_in_common() {
    let mut simulation = Simulation::new(SHARED, 59);
    let mut run = simulation.run(None);
    for cell in &run.summary.cells {
        let first = match (cell.interpreter.as_str(), cell.workload.as_str()) {
            ("3.13", _) | (_, "fib") => 0,
            (_, "sort") => 3,
            _ => 5,
        };
        let makespans = (first..first + 5).map(|round| (round, 0.1)).collect();
        run.makespans.insert(cell.cell.clone(), makespans);
    }
    let runs = vec![run];
    let named = |name: &str| Side {
        interpreter: Some(name.to_owned()),
        ..side(&runs)
    };
    let comparison = compare(&named("3.13"), &named("3.13t"), &[], &Options::default()).unwrap();
    let with_reason = |words: &str| {
        let reasons = comparison.unmatched.iter().filter_map(|one| one.reason.as_ref());
        reasons.filter(|reason| reason.contains(words)).count()
    };
    assert_eq!((comparison.cells.len(), comparison.unmatched.len()), (3, 21));
    assert_eq!(with_reason("no rounds in common"), 18);
    assert_eq!(with_reason("3 rounds in common, and there are 2"), 3);
}

#[test]
fn arms_of_one_run_are_paired_by_interpreter() {
    let mut simulation = Simulation::new(SHARED, 31);
    let mut run = simulation.run(None);
    let originals = run.summary.cells.clone();
    run.summary.cells.clear();
    for cell in originals.iter().filter(|cell| !cell.is_native()) {
        for (arm, factor) in [("base", 1.0), ("new", 0.8)] {
            let mut cell = cell.clone();
            cell.arm = Some(arm.to_owned());
            let makespans = (0..12).map(|round| (round, factor * 0.1 * 1.1_f64.powi(round as i32)));
            run.makespans.insert(cell.cell.clone(), makespans.collect());
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
