use proptest::prelude::*;

use super::*;
use crate::summary::summarise;
use ftbench_fixtures::records::{cell, drifting_run, manifest, trial};
use ftbench_schema::{Cell, CommandFacts, Cost, ExtraThreads, Manifest, Model, ThreadPool};

/// A pool of four threads that did nearly all of the work: 1.0 s of the 1.1 s of the counted samples.
const POOL: ExtraThreads = ExtraThreads {
    before_work: 0,
    max_at_once: 4,
    cpu_time_ns: Some(1_000_000_000),
    looks: 20,
    contended_looks: 15,
};

/// A trial with these extra threads, all samples of which have a recorded cost.
fn watched(cell: &Cell, round: u32, extra: ExtraThreads) -> Trial {
    let mut trial = trial(cell, round, 100);
    trial.extra_threads = Some(extra);
    for sample in &mut trial.samples {
        sample.cost = Some(Cost::default());
    }
    trial
}

/// Four trials of a workload, each with these extra threads.
fn run(extra: [ExtraThreads; 4]) -> (Manifest, Vec<Trial>) {
    let cell = cell("3.13t", Model::Serial, 1);
    let trials = (0..4)
        .zip(extra)
        .map(|(round, extra)| watched(&cell, round, extra));
    (manifest(std::slice::from_ref(&cell)), trials.collect())
}

fn warnings((manifest, trials): &(Manifest, Vec<Trial>)) -> Vec<Warning> {
    let mut warnings = summarise("r", manifest, trials).warnings;
    warnings.retain(|warning| matches!(warning.kind, WarningKind::StartsThreads | WarningKind::UsesOnePu));
    warnings
}

#[test]
fn pool_inside_of_work_causes_a_warning() {
    let warnings = warnings(&run([POOL; 4]));
    insta::assert_snapshot!(warnings[0].message, @"fib starts threads or processes of its own on 3.13t (up to 1 worker x 5 threads = 5 threads on 1 PU), so its times may be far too long; measure it with -m internal");
    assert_eq!(warnings[0].workloads, ["fib"]);
    assert_eq!(warnings.len(), 1);
}

#[test]
fn warning_names_the_product_and_the_libraries() {
    let message = |workers: u32, max_at_once| {
        let mut planned = cell("3.13t", Model::Threads, workers);
        planned.workers = workers;
        let mut manifest = manifest(std::slice::from_ref(&planned));
        manifest.plan.cells[0].placement = (0..workers).collect();
        let mut trial = watched(&planned, 0, ExtraThreads { max_at_once, ..POOL });
        trial.placement = (0..workers).collect();
        trial.thread_pools = [("openblas", 8), ("openmp", 1), ("openblas", 4)]
            .map(|(library, threads)| ThreadPool {
                library: library.to_owned(),
                file: String::new(),
                version: None,
                threads,
            })
            .to_vec();
        warnings(&(manifest, vec![trial]))[0].message.clone()
    };
    assert!(
        message(4, 28)
            .contains("(up to 4 workers x 8 threads = 32 threads on 4 PUs; openblas has 8 threads)")
    );
    assert!(message(2, 3).contains("(up to 2 workers + 3 threads = 5 threads on 2 PUs; "));
}

#[test]
fn warning_names_each_interpreter_once_and_the_largest_number_of_threads() {
    let cells = ["3.13", "3.13t"].map(|tag| [1, 2].map(|workers| cell(tag, Model::Threads, workers)));
    let cells = cells.as_flattened();
    let trials = cells
        .iter()
        .zip([2, 3, 5, 4])
        .map(|(cell, max_at_once)| watched(cell, 0, ExtraThreads { max_at_once, ..POOL }));
    let found = warnings(&(manifest(cells), trials.collect()));
    assert_eq!(found.len(), 1);
    assert!(
        found[0]
            .message
            .contains("on 3.13, 3.13t (up to 2 workers x 3 threads = 6 threads on "),
        "{}",
        found[0].message
    );
}

#[test]
fn threads_that_wait_or_take_turns_cause_no_warning() {
    let idle = ExtraThreads {
        cpu_time_ns: Some(0),
        ..POOL
    };
    assert_eq!(warnings(&run([idle; 4])), []);
    let in_turns = ExtraThreads {
        contended_looks: 3,
        ..POOL
    };
    assert_eq!(warnings(&run([in_turns; 4])), []);
    let unknown = ExtraThreads {
        cpu_time_ns: None,
        ..POOL
    };
    assert_eq!(warnings(&run([unknown; 4])), []);
}

#[test]
fn half_of_the_trials_are_enough_for_a_warning() {
    let idle = ExtraThreads {
        cpu_time_ns: Some(0),
        ..POOL
    };
    assert_eq!(warnings(&run([POOL, POOL, idle, idle])).len(), 1);
    assert_eq!(warnings(&run([POOL, idle, idle, idle])), []);
}

#[test]
fn samples_too_short_for_inspection_are_judged_by_cpu_time() {
    let unseen = ExtraThreads {
        looks: 0,
        contended_looks: 0,
        ..POOL
    };
    assert_eq!(warnings(&run([unseen; 4])).len(), 1);
}

#[test]
fn unpinned_workers_cause_no_warning() {
    let (manifest, mut trials) = run([POOL; 4]);
    for trial in &mut trials {
        trial.placement.clear();
    }
    assert_eq!(warnings(&(manifest, trials)), []);
}

#[test]
fn records_without_the_key_and_failed_trials_cause_no_warning() {
    assert_eq!(warnings(&drifting_run()), []);
    let (manifest, mut trials) = run([POOL; 4]);
    for trial in &mut trials {
        trial.status = TrialStatus::Failed;
    }
    assert_eq!(warnings(&(manifest, trials)), []);
}

proptest! {
    /// No recorded value is too large, and cells whose threads used no time never get a warning.
    #[test]
    fn idle_threads_never_cause_a_warning(
        before_work in any::<u32>(),
        max_at_once in any::<u32>(),
        looks in any::<u32>(),
        contended_looks in any::<u32>(),
        cpu_time_ns in prop::option::of(any::<u64>()),
    ) {
        let extra = ExtraThreads { before_work, max_at_once, cpu_time_ns, looks, contended_looks };
        let found = warnings(&run([extra; 4]));
        prop_assert!(found.is_empty() || cpu_time_ns > Some(0));
    }
}

#[test]
fn a_command_with_a_single_thread_uses_one_pu() {
    let found = |max_at_once, looks| {
        let cell = cell("3.13t", Model::Internal, 2);
        let mut manifest = manifest(std::slice::from_ref(&cell));
        for facts in &mut manifest.workloads {
            facts.command = Some(CommandFacts {
                line: "{python} app.py".to_owned(),
                expected_output: None,
                figures: Vec::new(),
                server: None,
            });
        }
        let extra = ExtraThreads {
            max_at_once,
            looks,
            ..POOL
        };
        warnings(&(manifest, vec![watched(&cell, 0, extra)]))
    };
    let alone = found(1, 20);
    insta::assert_snapshot!(alone[0].message, @"fib uses one PU on 3.13t however many it may use; let the command start as many threads or processes as {workers} or FTBENCH_WORKERS says");
    assert_eq!(alone.len(), 1);
    assert_eq!(found(2, 20), []);
    assert_eq!(found(1, 0), []);
}

#[test]
fn internal_work_may_start_threads_and_has_to() {
    let run = |extra| {
        let cells = [1, 2].map(|workers| cell("3.13t", Model::Internal, workers));
        let trials = cells.iter().map(|cell| watched(cell, 0, extra)).collect();
        (manifest(&cells), trials)
    };
    assert!(warnings(&run(POOL)).is_empty());
    let none = ExtraThreads {
        max_at_once: 0,
        cpu_time_ns: Some(0),
        ..POOL
    };
    let warnings = warnings(&run(none));
    insta::assert_snapshot!(warnings[0].message, @"fib starts no thread or process on 3.13t, so it uses one PU however many it may use; with -m internal it should start as many as FTBENCH_WORKERS or the parameter 'workers' says");
    assert_eq!(warnings.len(), 1);
}
