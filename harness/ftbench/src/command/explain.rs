//! `ftbench explain`: where the time of workers goes, and what they contend for.

use serde::Serialize;

use super::run::planned::{self, PlannedRun};
use super::run::{builds, ready, services};
use super::{cache_folder, json, print, remark, style};
use crate::assets::Assets;
use crate::cli::{ExplainArgs, ListFormat, OutputOptions};
use crate::error::{Error, ExitStatus, Failure};
use crate::measure::failure::TrialFailure;
use crate::measure::rounds::{FailureWithOutput, TrialRunner};
use crate::measure::runner::RealRunner;
use crate::measure::sampled::{self, Comparison, Libraries};
use crate::plan::order::{Turns, hash_seeds};
use crate::process::interrupt::Interrupt;
use ftbench_explain::report;
use ftbench_present::explain as words;
use ftbench_schema::{Explanation, Implementation, InterpreterFacts, Manifest, PlannedCell, Version};

/// Rounds, with new processes in each. The workers' time is a mean over them.
const ROUNDS: u32 = 5;

/// The versions of CPython whose layout of frames and objects is known: `ftbench_worker/sampler.py` and `objects.py`.
const OLDEST: (u16, u16) = (3, 13);
const NEWEST: (u16, u16) = (3, 15);

/// Why nothing can be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The sampler is not part of this program.
    #[error("this ftbench cannot look at workers: its sampler exists for x86-64 only")]
    NoSampler,
    /// The sampler does not know the interpreter.
    #[error("{tag} cannot be explained; give CPython 3.13, 3.14 or 3.15 with -p")]
    Interpreter {
        /// Its tag.
        tag: String,
    },
    /// There is nothing to compare.
    #[error("{workload} has no cells with 1 and with more threads here: {reason}; give another with -n")]
    NoCells {
        /// The workload.
        workload: String,
        /// Why not.
        reason: String,
    },
    /// The workload failed.
    #[error("{workload} on {tag} failed: {}{}", failed.failure, tail(failed))]
    Workload {
        /// The workload.
        workload: String,
        /// The interpreter.
        tag: String,
        /// What went wrong.
        failed: Box<FailureWithOutput>,
    },
    /// The system refuses a resource that processes need.
    #[error("cannot continue measuring: {0}; raise the limit ('ulimit -a')")]
    Refused(TrialFailure),
    /// Rounds have no samples.
    #[error("{0} has no figures: a sample took no time; give it more work per unit")]
    NoFigures(String),
}

/// What the workload printed last, below the message.
fn tail(failed: &FailureWithOutput) -> String {
    let tail = failed.output_tail.as_ref();
    tail.map_or_else(String::new, |tail| format!("\n{tail}"))
}

impl Failure for ExplainError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Interpreter { .. } | Self::NoCells { .. } => ExitStatus::WrongInput,
            Self::Workload { .. } | Self::NoFigures(_) => ExitStatus::BadAnswer,
            Self::NoSampler | Self::Refused(_) => ExitStatus::MachineFailed,
        }
    }
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Explanations<'a> {
    explanations: &'a [Explanation],
}

/// Explains each workload on each interpreter.
pub fn explain(arguments: &ExplainArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let assets = Assets::unpack(&cache_folder()?)?;
    let library = assets.sampler.ok_or(ExplainError::NoSampler)?;
    let PlannedRun { mut manifest, setup } = planned::plan(&arguments.as_run(), output)?;
    for interpreter in &manifest.interpreters {
        if !is_known(interpreter) {
            let tag = interpreter.tag.clone();
            return Err(ExplainError::Interpreter { tag }.into());
        }
    }
    builds::make(&mut manifest, output)?;
    let pairs = pairs(&manifest)?;
    let interrupt = Interrupt::listen()?;
    let server = services::start(&setup.code.workloads, &mut manifest.environment)?;
    let (mut runner, _) = ready::runner(&manifest, setup, server.as_ref(), &interrupt, output)?;
    let mut explanations = Vec::with_capacity(pairs.len());
    for (one, all) in pairs {
        let found = explained(&one, &all, manifest.seed, &mut runner, &library, output);
        let explanation = match found {
            Err(_) if interrupt.is_requested() => return Ok(ExitStatus::Interrupted),
            found => found?,
        };
        if matches!(arguments.format, ListFormat::Table) {
            print(&words::explanation(&explanation, style(output)))?;
        }
        explanations.push(explanation);
    }
    if matches!(arguments.format, ListFormat::Json) {
        print(&json(&Explanations {
            explanations: &explanations,
        })?)?;
    }
    Ok(ExitStatus::Success)
}

fn is_known(interpreter: &InterpreterFacts) -> bool {
    let version = interpreter.version.parse::<Version>();
    let known = version.is_ok_and(|version| (OLDEST..=NEWEST).contains(&(version.major, version.minor)));
    known && interpreter.implementation == Implementation::CPython
}

/// The cells with one worker and with most workers of each workload on each interpreter.
fn pairs(manifest: &Manifest) -> Result<Vec<(PlannedCell, PlannedCell)>, ExplainError> {
    let mut pairs = Vec::new();
    for workload in &manifest.workloads {
        for interpreter in &manifest.interpreters {
            let cells = manifest.plan.cells.iter().filter(|planned| {
                planned.cell.workload == workload.name && planned.cell.interpreter == interpreter.tag
            });
            let live = || cells.clone().filter(|planned| planned.skipped.is_none());
            let one = live().find(|planned| planned.cell.workers == 1);
            let all = live()
                .filter(|planned| planned.cell.workers > 1)
                .max_by_key(|planned| planned.cell.workers);
            let (Some(one), Some(all)) = (one, all) else {
                let reason = cells.clone().find_map(|planned| planned.skipped.clone());
                return Err(ExplainError::NoCells {
                    workload: workload.name.clone(),
                    reason: reason.unwrap_or_else(|| "there is room for one only".to_owned()),
                });
            };
            pairs.push((one.clone(), all.clone()));
        }
    }
    Ok(pairs)
}

fn explained(
    one: &PlannedCell,
    all: &PlannedCell,
    seed: u64,
    runner: &mut RealRunner<'_>,
    library: &std::path::Path,
    output: OutputOptions,
) -> Result<Explanation, ExplainError> {
    let cell = &all.cell;
    remark(output, &words::opening(cell, ROUNDS));
    let failed = |failed: FailureWithOutput| ExplainError::Workload {
        workload: cell.workload.clone(),
        tag: cell.interpreter.clone(),
        failed: Box::new(failed),
    };
    let units = match runner.calibrate(one, &[1, cell.workers]) {
        Ok(units) => units,
        Err(failure) => {
            return Err(match runner.take_start_failure() {
                Some(refused) => ExplainError::Refused(refused),
                None => failed(failure),
            });
        }
    };
    let comparison = Comparison {
        one,
        all,
        units,
        library,
    };
    let mut libraries = Libraries::default();
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let hash_seed = hash_seeds([cell], seed, round).first().copied().unwrap_or(1);
        let turns = Turns::of_group(seed, u64::from(round));
        let made = sampled::round(runner.equipment(), &comparison, &mut libraries, hash_seed, turns);
        rounds.push(made.map_err(|failure| match failure.failure {
            refused @ TrialFailure::NoProcess(_) => ExplainError::Refused(refused),
            _ => failed(failure),
        })?);
    }
    let figures = report::time(&rounds).zip(report::cost(&rounds));
    let ((total, time), cost) = figures.ok_or_else(|| ExplainError::NoFigures(cell.workload.clone()))?;
    Ok(Explanation {
        workload: cell.workload.clone(),
        interpreter: cell.interpreter.clone(),
        workers: cell.workers,
        rounds: ROUNDS,
        total,
        time,
        contended: report::contended(&rounds),
        cost,
    })
}
