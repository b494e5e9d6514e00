//! Calibrates and measures a run, until it ends or is stopped.

use std::collections::BTreeSet;
use std::io;

use super::error::RunError;
use super::ready::ReadyRun;
use super::recorder::RunRecorder;
use super::sessions::{EarlierSessions, RunRecord};
use crate::cli::OutputOptions;
use crate::command::has_colour;
use crate::error::Error;
use crate::measure::finished_trials::FinishedTrials;
use crate::measure::rounds::{self, Assignment, Schedule, TrialRunner, Units};
use crate::measure::runner::RealRunner;
use crate::plan::order::Turns;
use crate::record::folder::RunFolder;
use crate::terminal::progress::Progress;
use ftbench_analyse::extra_threads;
use ftbench_schema::{GilState, Manifest, Model, PlannedCell, StoppedBy};

/// A run that is complete or stopped. Its record says which, and what ended it.
#[derive(Debug)]
pub struct MeasuredRun {
    /// The folder, which is still locked against other processes.
    pub folder: RunFolder,
}

impl MeasuredRun {
    /// Calibrates, then makes the rounds. The folder contains everything that was measured, however this ends.
    pub fn measure(ready: ReadyRun<'_>, output: OutputOptions) -> Result<Self, Error> {
        let ReadyRun {
            mut record,
            mut runner,
            open_models,
            earlier,
            server,
        } = ready;
        let colour = has_colour(output, &io::stderr());
        let progress = Progress::new(output.quiet, output.verbose, colour);
        let stopped_by = measure(&mut record, &mut runner, &open_models, &earlier, progress);
        drop(server);
        let recorded = record.end_session(*stopped_by.as_ref().unwrap_or(&StoppedBy::Interrupt));
        // If both are errors, the first one is the cause.
        stopped_by?;
        recorded?;
        Ok(Self {
            folder: record.folder,
        })
    }
}

fn measure(
    record: &mut RunRecord,
    runner: &mut RealRunner<'_>,
    open_models: &BTreeSet<String>,
    earlier: &EarlierSessions,
    progress: Progress,
) -> Result<StoppedBy, Error> {
    if runner.is_interrupted() {
        return Ok(StoppedBy::Interrupt);
    }
    let cells = record.manifest.plan.cells.clone();
    let (seed, baseline) = (record.manifest.seed, record.manifest.plan.baseline.clone());
    let order = record.manifest.plan.settings.order;
    let without_gil = without_gil(&record.manifest);
    let known = Units::recorded(&record.manifest);
    let path = record.folder.path().to_owned();
    let mut recorder = RunRecorder::new(record, progress, earlier);
    let found = rounds::calibrate(&cells, &baseline, known, runner, &mut recorder);
    let stopped_by = match &found {
        None => StoppedBy::Interrupt,
        Some(units) => {
            for workload in open_models {
                if starts_own_threads(workload, &cells, &without_gil, units, seed, runner) {
                    recorder.use_internal(workload);
                }
            }
            recorder.begin_rounds(units)?;
            let cells = recorder.cells();
            let schedule = Schedule {
                cells: &cells,
                units,
                seed,
                order,
                finished: &FinishedTrials::of(&earlier.trials),
            };
            let ending = rounds::run_rounds(&schedule, runner, &mut recorder);
            recorder.end();
            ending?
        }
    };
    match runner.take_start_failure() {
        Some(failure) => Err(RunError::Refused {
            failure,
            folder: path,
        }
        .into()),
        None => Ok(stopped_by),
    }
}

/// Returns the tags of the interpreters that run without the GIL.
fn without_gil(manifest: &Manifest) -> BTreeSet<String> {
    let off = manifest
        .interpreters
        .iter()
        .filter(|one| one.gil == GilState::Off);
    off.map(|interpreter| interpreter.tag.clone()).collect()
}

/// Returns whether a workload starts threads or processes that share the PU of its worker. Makes a trial that is not
/// recorded, on a free-threaded build if there is one, because with the GIL threads wait for it and not for the PU.
fn starts_own_threads(
    workload: &str,
    cells: &[PlannedCell],
    without_gil: &BTreeSet<String>,
    units: &Units,
    seed: u64,
    runner: &mut RealRunner<'_>,
) -> bool {
    let is_single = |planned: &&PlannedCell| {
        let cell = &planned.cell;
        cell.workload == workload
            && cell.model == Model::Threads
            && cell.workers == 1
            && planned.skipped.is_none()
    };
    let is_free_threaded = |planned: &&PlannedCell| without_gil.contains(&planned.cell.interpreter);
    let mut single = cells.iter().filter(is_single);
    let first = single.clone().next();
    let Some(planned) = single.find(is_free_threaded).or(first) else {
        return false;
    };
    let Some(Ok(units)) = units.of(&planned.cell) else {
        return false;
    };
    let assignment = Assignment {
        trial: 0,
        round: 0,
        planned,
        units: *units,
        hash_seed: 1,
    };
    let made = runner.run(&[assignment], Turns::of_group(seed, 0));
    made.is_some_and(|made| extra_threads::starts_threads(&made.iter().collect::<Vec<_>>()))
}
