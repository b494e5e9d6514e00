//! Calibrates and measures a run, until it ends or is stopped.

use super::error::RunError;
use super::ready::ReadyRun;
use super::recorder::RunRecorder;
use super::sessions::{EarlierSessions, RunRecord};
use crate::cli::OutputOptions;
use crate::error::Error;
use crate::measure::finished_trials::FinishedTrials;
use crate::measure::rounds::{self, Schedule, TrialRunner, Units};
use crate::measure::runner::RealRunner;
use crate::record::folder::RunFolder;
use crate::terminal::progress::Progress;
use ftbench_schema::StoppedBy;

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
            earlier,
            server,
        } = ready;
        let progress = Progress::new(output.quiet, output.verbose);
        let stopped_by = measure(&mut record, &mut runner, &earlier, progress);
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
    earlier: &EarlierSessions,
    progress: Progress,
) -> Result<StoppedBy, Error> {
    if runner.is_interrupted() {
        return Ok(StoppedBy::Interrupt);
    }
    let cells = record.manifest.plan.cells.clone();
    let (seed, baseline) = (record.manifest.seed, record.manifest.plan.baseline.clone());
    let order = record.manifest.plan.settings.order;
    let known = Units::recorded(&record.manifest);
    let path = record.folder.path().to_owned();
    let mut recorder = RunRecorder::new(record, progress, earlier);
    let found = rounds::calibrate(&cells, &baseline, known, runner, &mut recorder);
    let stopped_by = match &found {
        None => StoppedBy::Interrupt,
        Some(units) => {
            recorder.begin_rounds(units)?;
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
