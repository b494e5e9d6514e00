//! How long a run will take, before anything is known but the plan.

use ftbench_schema::{GilState, InterpreterFacts, Model, PlannedCell, Scaling, Settings};

/// Starting and ending an interpreter and its workers, as measured on a 2-core virtual machine: 0.06 s with threads,
/// 0.15 s with a pool of two processes, to which each further one adds a part.
const LAUNCH_S: f64 = 0.06;
const LAUNCH_PROCESS_S: f64 = 0.04;

/// Expected duration of a round, seconds. Assumes that every interpreter is as fast as the baseline, that threads of
/// a build without the GIL and processes scale, and that others do not.
#[must_use]
pub fn round_s(cells: &[PlannedCell], interpreters: &[InterpreterFacts], settings: &Settings) -> f64 {
    cells
        .iter()
        .filter(|planned| planned.skipped.is_none())
        .map(|planned| trial_s(planned, interpreters, settings))
        .sum()
}

fn trial_s(planned: &PlannedCell, interpreters: &[InterpreterFacts], settings: &Settings) -> f64 {
    let cell = &planned.cell;
    let workers = f64::from(cell.workers);
    let gil_is_on = interpreters
        .iter()
        .any(|interpreter| interpreter.tag == cell.interpreter && interpreter.gil == GilState::On);
    let (scales, launch_s) = match cell.model.family() {
        Model::Processes => (true, LAUNCH_S + LAUNCH_PROCESS_S * workers),
        Model::Threads | Model::AsyncioThreads => (!gil_is_on, LAUNCH_S),
        _ => (false, LAUNCH_S),
    };
    let makespans = match (settings.scaling, scales) {
        (Scaling::Strong, true) => 1.0 / workers,
        (Scaling::Strong, false) | (Scaling::Weak, true) => 1.0,
        (Scaling::Weak, false) => workers,
    };
    let samples = f64::from(settings.warmups + settings.samples);
    launch_s + samples * settings.target_sample_s * makespans
}
