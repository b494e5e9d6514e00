//! `ftbench selfcheck`: experiments whose outcome is known, to check ftbench's verdicts on this machine.

use std::time::Instant;

use super::error::OutputError;
use super::run::planned::{self, PlannedRun, Purpose};
use super::run::{builds, ready, services};
use super::{json, print, remark};
use crate::cli::{ListFormat, OutputOptions, SelfcheckArgs, SelfcheckCommand};
use crate::error::{Error, ExitStatus, Failure};
use crate::measure::failure::TrialFailure;
use crate::measure::rounds::{Assignment, TrialRunner};
use crate::plan::order::{Turns, hash_seeds};
use crate::process::interrupt::Interrupt;
use ftbench_analyse::estimate::Makespans;
use ftbench_analyse::selfcheck::{Experiment, Report, report};
use ftbench_present::selfcheck;
use ftbench_schema::{Manifest, Model, PlannedCell, TrialStatus};

/// The minimum number of rounds of an experiment, however short its time. Fewer rounds are too few for a rank test.
const MIN_ROUNDS: u32 = 10;

/// Why the experiments cannot be made or completed.
#[derive(Debug, thiserror::Error)]
enum SelfcheckError {
    /// The experiments need serial code.
    #[error("the workload has no serial cell here; give another with --workload")]
    NoSerialCell,
    /// The workload fails in calibration.
    #[error("{0}")]
    Calibration(TrialFailure),
    /// The workload fails in an experiment.
    #[error("a trial failed: {0}")]
    Trial(String),
    /// The system refuses a resource that trials need.
    #[error("cannot continue measuring: {0}; raise the limit ('ulimit -a')")]
    Refused(TrialFailure),
}

impl Failure for SelfcheckError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::NoSerialCell => ExitStatus::WrongInput,
            Self::Calibration(_) | Self::Trial(_) => ExitStatus::BadAnswer,
            Self::Refused(_) => ExitStatus::MachineFailed,
        }
    }
}

/// Runs the experiments and reports how many called the arms different.
pub fn selfcheck(command: &SelfcheckCommand, output: OutputOptions) -> Result<ExitStatus, Error> {
    let (arguments, effect) = match command {
        SelfcheckCommand::Aa(arguments) => (arguments, 0.0),
        SelfcheckCommand::Power { arguments, effect } => (arguments, *effect),
    };
    let PlannedRun { mut manifest, setup } =
        planned::plan(&arguments.as_run(), None, Purpose::Measure, output)?;
    builds::make(&mut manifest, output)?;
    let interrupt = Interrupt::listen()?;
    let planned = serial_cell(&manifest)?;
    let server = services::start(&setup.code.workloads, &mut manifest.environment)?;
    let (mut runner, _) = ready::runner(&manifest, setup, server.as_ref(), &interrupt, output)?;
    let units = runner
        .calibrate(&planned, &[1])
        .map_err(|failed| match runner.take_start_failure() {
            Some(refused) => SelfcheckError::Refused(refused),
            None => SelfcheckError::Calibration(failed.failure),
        })?;
    let arms = [units, slowed(units, effect)];
    remark(
        output,
        &selfcheck::opening(&planned.cell, arguments.experiments, arguments.seconds, arms),
    );
    let mut experiments = Vec::new();
    for number in 0..arguments.experiments {
        let bench = Bench {
            planned: &planned,
            arms,
            seed: manifest.seed.wrapping_add(u64::from(number)),
        };
        let Some(experiment) = bench.experiment(&mut runner, arguments.seconds)? else {
            if let Some(refused) = runner.take_start_failure() {
                return Err(SelfcheckError::Refused(refused).into());
            }
            break;
        };
        remark(output, &selfcheck::line(number, &experiment));
        experiments.push(experiment);
    }
    let Some(report) = report(&experiments, effect) else {
        return Ok(ExitStatus::Interrupted);
    };
    show(&report, arguments)?;
    Ok(match (interrupt.is_requested(), report.passed) {
        (true, _) => ExitStatus::Interrupted,
        (false, true) => ExitStatus::Success,
        (false, false) => ExitStatus::BadAnswer,
    })
}

fn show(report: &Report, arguments: &SelfcheckArgs) -> Result<(), OutputError> {
    match arguments.format {
        ListFormat::Json => print(&json(report)?),
        ListFormat::Table => print(&selfcheck::summary(report)),
    }
}

fn serial_cell(manifest: &Manifest) -> Result<PlannedCell, SelfcheckError> {
    let plan = &manifest.plan;
    let serial = plan.cells.iter().find(|planned| {
        planned.cell.model == Model::Serial
            && planned.cell.interpreter == plan.baseline
            && planned.skipped.is_none()
    });
    serial.cloned().ok_or(SelfcheckError::NoSerialCell)
}

/// The units of the slower arm. More work is a slowdown of known size.
fn slowed(units: u64, effect: f64) -> u64 {
    // Units are far below 2^53, and a cast saturates.
    (units as f64 * (1.0 + effect)).round() as u64
}

/// One experiment's arms.
struct Bench<'a> {
    planned: &'a PlannedCell,
    /// Units of work in a sample of each arm.
    arms: [u64; 2],
    seed: u64,
}

impl Bench<'_> {
    /// Makes rounds of both arms in random order until the time is up. Returns `None` when interrupted.
    fn experiment(
        &self,
        runner: &mut dyn TrialRunner,
        seconds: f64,
    ) -> Result<Option<Experiment>, SelfcheckError> {
        let started = Instant::now();
        let mut makespans = [Makespans::default(), Makespans::default()];
        for round in 0.. {
            let round_started = Instant::now();
            let cells = self.arms.iter().map(|_| &self.planned.cell);
            let seeds = hash_seeds(cells, self.seed, round);
            let first_trial = u64::from(round) * self.arms.len() as u64;
            let assignments = self.arms.iter().zip(seeds).zip(first_trial..);
            let assignments: Vec<Assignment<'_>> = assignments
                .map(|((&units, hash_seed), trial)| Assignment {
                    trial,
                    round,
                    planned: self.planned,
                    units,
                    hash_seed,
                })
                .collect();
            let Some(trials) = runner.run(&assignments, Turns::of_group(self.seed, first_trial)) else {
                return Ok(None);
            };
            for (kept, trial) in makespans.iter_mut().zip(trials) {
                if trial.status != TrialStatus::Ok {
                    return Err(SelfcheckError::Trial(trial.reason.unwrap_or_default()));
                }
                kept.add(&trial);
            }
            let next_ends_s = (started.elapsed() + round_started.elapsed()).as_secs_f64();
            if round + 1 >= MIN_ROUNDS && next_ends_s > seconds {
                break;
            }
        }
        let [first, second] = &makespans;
        Ok(Experiment::new(first, second, started.elapsed().as_secs_f64()))
    }
}
