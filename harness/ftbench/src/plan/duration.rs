//! Estimates how long a run will take, from the plan alone.

use std::collections::BTreeSet;

use ftbench_schema::{GilState, InterpreterFacts, Model, PlannedCell, Scaling, Settings};

/// Time to start and end an interpreter and its workers, seconds, as measured on a 2-core virtual machine: 0.06 s with
/// threads, 0.15 s with a pool of two processes, to which each further one adds a part. An interpreter of a pool adds
/// about as much as a process: 0.30 s against 0.29 s on that machine when it was overloaded.
const LAUNCH_S: f64 = 0.06;
const LAUNCH_WORKER_S: f64 = 0.04;

/// Time between two samples, seconds: a request, its reply, and now and then a reading of the activity around it.
/// Measured on the same machine.
const BETWEEN_SAMPLES_S: f64 = 0.001;

/// How many times longer work takes on a free-threaded CPython 3.13, and on later ones, than on a build with the GIL:
/// the means in docs/interpreters.md.
const FREE_THREADED_3_13: f64 = 2.2;
const FREE_THREADED: f64 = 1.2;

/// Expected duration of a round, seconds. Assumes that interpreters with the GIL are as fast as the baseline, that
/// threads of a build without the GIL, processes and interpreters with a GIL of their own scale, and that others do not.
#[must_use]
pub fn round_s(cells: &[PlannedCell], interpreters: &[InterpreterFacts], settings: &Settings) -> f64 {
    cells
        .iter()
        .filter(|planned| planned.skipped.is_none())
        .map(|planned| trial_s(planned, interpreters, settings))
        .sum()
}

/// Samples of a calibration that double in length, in lengths of the last one, which is one to two times the target's.
const CALIBRATION_SAMPLES: f64 = 3.0;

/// Expected duration of the calibrations before the first round, seconds: one of each workload and one of its ceiling.
#[must_use]
pub fn calibration_s(cells: &[PlannedCell], settings: &Settings) -> f64 {
    let live = cells.iter().filter(|planned| planned.skipped.is_none());
    let calibrated: BTreeSet<(&str, bool)> = live
        .map(|planned| (planned.cell.workload.as_str(), planned.cell.is_native()))
        .collect();
    let one_s = LAUNCH_S + CALIBRATION_SAMPLES * settings.target_sample_s;
    calibrated.len() as f64 * one_s
}

fn trial_s(planned: &PlannedCell, interpreters: &[InterpreterFacts], settings: &Settings) -> f64 {
    let cell = &planned.cell;
    let workers = f64::from(cell.workers);
    let interpreter = interpreters.iter().find(|one| one.tag == cell.interpreter);
    let gil_is_on = interpreter.is_some_and(|one| one.gil == GilState::On);
    let slowdown = match interpreter {
        Some(one) if one.free_threaded && one.version.starts_with("3.13") => FREE_THREADED_3_13,
        Some(one) if one.free_threaded => FREE_THREADED,
        _ => 1.0,
    };
    let (scales, launch_s) = match cell.model.family() {
        Model::Processes | Model::Interpreters => (true, LAUNCH_S + LAUNCH_WORKER_S * workers),
        Model::Threads | Model::AsyncioThreads | Model::Internal => (!gil_is_on, LAUNCH_S),
        _ => (false, LAUNCH_S),
    };
    let makespans = match (settings.scaling, scales) {
        (Scaling::Strong, true) => 1.0 / workers,
        (Scaling::Strong, false) | (Scaling::Weak, true) => 1.0,
        (Scaling::Weak, false) => workers,
    };
    let makespan_s = settings.target_sample_s * makespans * slowdown;
    // The last sample of a warm-up begins before its time is over.
    let warmup_s = (settings.warmup_s + makespan_s / 2.0).max(f64::from(settings.warmups) * makespan_s);
    launch_s + warmup_s + f64::from(settings.samples) * (makespan_s + BETWEEN_SAMPLES_S)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::records::{cell, manifest};
    use ftbench_schema::{Cell, NATIVE};

    /// The expected duration of a trial of two workers, less that of one of the same model, seconds.
    fn more_than_alone_s(interpreter: &str, model: Model, scaling: Scaling) -> f64 {
        let round = |workers| {
            let mut manifest = manifest(&[cell(interpreter, model, workers)]);
            let later = InterpreterFacts {
                tag: "3.14t".to_owned(),
                version: "3.14.7".to_owned(),
                ..manifest.interpreters[1].clone()
            };
            manifest.interpreters.push(later);
            manifest.plan.settings.scaling = scaling;
            round_s(
                &manifest.plan.cells,
                &manifest.interpreters,
                &manifest.plan.settings,
            )
        };
        round(2) - round(1)
    }

    #[test]
    fn each_workload_and_its_ceiling_are_calibrated_once() {
        let calibrated = |cells: &[Cell]| {
            let manifest = manifest(cells);
            calibration_s(&manifest.plan.cells, &manifest.plan.settings)
        };
        let fib = |interpreter, workers| cell(interpreter, Model::Threads, workers);
        let once_s = calibrated(&[fib("3.13", 1)]);
        assert!(once_s > manifest(&[]).plan.settings.target_sample_s);
        let same = [fib("3.13", 1), fib("3.13", 2), fib("3.13t", 1)];
        assert!((calibrated(&same) - once_s).abs() < 1e-9);
        assert!((calibrated(&[fib("3.13", 1), fib(NATIVE, 1)]) - 2.0 * once_s).abs() < 1e-9);
    }

    #[test]
    fn models_with_a_gil_for_each_worker_or_none_are_expected_to_scale() {
        let half_s = -0.2;
        for (interpreter, model, expected_s) in [
            ("3.13t", Model::Threads, FREE_THREADED_3_13 * half_s),
            ("3.14t", Model::Threads, FREE_THREADED * half_s),
            ("3.13", Model::Threads, 0.0),
            ("3.13", Model::Interpreters, half_s + LAUNCH_WORKER_S),
            (
                "3.13t",
                Model::Interpreters,
                FREE_THREADED_3_13 * half_s + LAUNCH_WORKER_S,
            ),
            ("3.13", Model::ProcessesFork, half_s + LAUNCH_WORKER_S),
            ("3.13t", Model::Asyncio, 0.0),
        ] {
            let found_s = more_than_alone_s(interpreter, model, Scaling::Strong);
            assert!(
                (found_s - expected_s).abs() < 1e-9,
                "{interpreter} {model}: {found_s}"
            );
        }
        let found_s = more_than_alone_s("3.13", Model::Interpreters, Scaling::Weak);
        assert!((found_s - LAUNCH_WORKER_S).abs() < 1e-9, "{found_s}");
        assert!((more_than_alone_s("3.13", Model::Threads, Scaling::Weak) - 0.4).abs() < 1e-9);
    }
}
