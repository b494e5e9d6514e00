//! `ftbench explain`: where the time of workers goes, and what they contend for.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::run::planned::{self, PlannedRun, Purpose};
use super::run::resumed::NotAgain;
use super::run::{builds, part, ready, services};
use super::selector::Selector;
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
use crate::record::store::{self, MANIFEST};
use ftbench_analyse::summary::summarise;
use ftbench_analyse::worst::worst;
use ftbench_explain::report;
use ftbench_present::explain as words;
use ftbench_schema::{
    Cell, CurveVerdict, Explanation, GilState, Host, Implementation, InterpreterFacts, Manifest, PlannedCell,
    Summary, TrialStatus, Version,
};

/// Rounds, with new processes in each. The workers' time is a mean over them.
const ROUNDS: u32 = 5;

/// The versions of CPython whose layout of frames and objects is known: `ftbench_worker/sampler.py` and `objects.py`.
const OLDEST: (u16, u16) = (3, 13);
const NEWEST: (u16, u16) = (3, 15);

/// The step of failures that are the sampler's own: `ftbench_worker/sampler.py`.
const SAMPLER_STEP: &str = "sampler";

/// Lines of what the workload printed last that are shown, unless everything is asked for.
const TAIL_LINES: usize = 8;

/// Why nothing can be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The sampler is not part of this program.
    #[error("this ftbench cannot look at workers: its sampler exists for x86-64 and AArch64 only")]
    NoSampler,
    /// The sampler does not know the interpreter.
    #[error("{tag} cannot be explained; give CPython 3.13, 3.14 or 3.15 with -p")]
    Interpreter {
        /// Its tag.
        tag: String,
    },
    /// Options that a run has recorded.
    #[error(
        "{0} cannot be given for a run, which is measured again as it was; leave it out, or name its workload"
    )]
    OptionOfRun(&'static str),
    /// An option for runs only.
    #[error("--worst chooses curves of a run, and no run is given")]
    WorstOfWorkloads,
    /// A run and something else.
    #[error("{} is a run; explain it without other runs and workloads", .0.display())]
    RunAndOthers(PathBuf),
    /// A run without anything to explain.
    #[error(
        "{} has no figures of several threads{name} to explain; measure some with 'ftbench run -m threads'",
        folder.display()
    )]
    NoCurves {
        /// The run.
        folder: PathBuf,
        /// The selected interpreter or arm.
        name: String,
    },
    /// Nothing that was chosen can be explained.
    #[error("{}", lines(.0))]
    Nothing(Vec<NotExplained>),
    /// There is nothing to compare.
    #[error("{workload} has no cells with 1 and with more threads here: {reason}")]
    NoCells {
        /// The workload.
        workload: String,
        /// Why not.
        reason: String,
    },
    /// The workers cannot be sampled.
    #[error("{tag} cannot be sampled here: {error}")]
    Sampler {
        /// The interpreter.
        tag: String,
        /// The sampler's error.
        error: String,
    },
    /// The system refuses a resource that processes need.
    #[error("cannot continue measuring: {0}; raise the limit ('ulimit -a')")]
    Refused(TrialFailure),
}

/// What the workload printed last, below the message. The stacks of a crash or a hang begin with the innermost function.
fn tail(failed: &FailureWithOutput, output: OutputOptions) -> String {
    let text = failed.output_tail.as_deref().unwrap_or_default();
    let count = if output.verbose { usize::MAX } else { TAIL_LINES };
    let mut shown: String = text.lines().take(count).map(|line| format!("\n{line}")).collect();
    if text.lines().nth(count).is_some() {
        shown.push_str("\n... (all of it with --verbose)");
    }
    shown
}

fn lines(all: &[NotExplained]) -> String {
    let mut lines: Vec<String> = all.iter().map(NotExplained::to_string).collect();
    if all.iter().any(|curve| curve.cause == Cause::Changed) {
        lines.push(
            "Restore what has changed, measure the run again, or explain a workload by name".to_owned(),
        );
    }
    lines.join("\n")
}

impl Failure for ExplainError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Interpreter { .. }
            | Self::NoCells { .. }
            | Self::OptionOfRun(_)
            | Self::WorstOfWorkloads
            | Self::RunAndOthers(_)
            | Self::NoCurves { .. } => ExitStatus::WrongInput,
            Self::Nothing(curves) if curves.iter().any(NotExplained::has_failed) => ExitStatus::BadAnswer,
            Self::Nothing(_) => ExitStatus::WrongInput,
            Self::NoSampler | Self::Sampler { .. } | Self::Refused(_) => ExitStatus::MachineFailed,
        }
    }
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Explanations<'a> {
    explanations: &'a [Explanation],
    /// The curves that cannot be explained.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    not_explained: &'a [NotExplained],
}

/// A curve that cannot be explained.
#[derive(Debug, Serialize)]
pub struct NotExplained {
    workload: String,
    interpreter: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    arm: Option<String>,
    #[serde(skip)]
    cause: Cause,
    reason: String,
}

/// What kind of reason there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// It is not what the run measured any more.
    Changed,
    /// It is nothing that can be explained here.
    Unsuitable,
    /// It failed.
    Failed,
}

impl NotExplained {
    fn new(cell: &Cell, cause: Cause, reason: String) -> Self {
        Self {
            workload: cell.workload.clone(),
            interpreter: cell.interpreter.clone(),
            arm: cell.arm.clone(),
            cause,
            reason,
        }
    }

    fn has_failed(&self) -> bool {
        self.cause == Cause::Failed
    }
}

impl fmt::Display for NotExplained {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { workload, reason, .. } = self;
        let label = Host::Spawn.label(&self.interpreter, self.arm.as_deref());
        let what = if self.has_failed() {
            "failed"
        } else {
            "cannot be explained"
        };
        write!(formatter, "{workload} on {label} {what}: {reason}")
    }
}

/// Pairs of cells that are planned together.
struct Part {
    planned: PlannedRun,
    /// Cells with one worker and with several.
    pairs: Vec<(PlannedCell, PlannedCell)>,
}

/// Explains each workload on each interpreter, or the worst curves of a run.
pub fn explain(arguments: &ExplainArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let assets = Assets::unpack(&cache_folder()?)?;
    let library = assets.sampler.ok_or(ExplainError::NoSampler)?;
    let mut not_explained = Vec::new();
    let parts = match selected_run(arguments)? {
        Some(run) => worst_of_run(run, arguments, &mut not_explained, output)?,
        None => vec![workloads(arguments, output)?],
    };
    let interrupt = Interrupt::listen()?;
    let mut explanations = Vec::new();
    for Part { planned, pairs } in parts {
        let PlannedRun { mut manifest, setup } = planned;
        let server = services::start(&setup.code.workloads, &mut manifest.environment)?;
        let (mut runner, installed) = ready::runner(&manifest, setup, server.as_ref(), &interrupt, output)?;
        if interrupt.is_requested() {
            return Ok(ExitStatus::Interrupted);
        }
        if let (Err(why), Some((one, _))) = (part::check_packages(&manifest, &installed), pairs.first()) {
            let reason = changes_or_error(why)?;
            not_explained.push(NotExplained::new(&one.cell, Cause::Changed, reason));
            continue;
        }
        for (one, all) in pairs {
            let explanation = match explained(&one, &all, manifest.seed, &mut runner, &library, output) {
                Ok(Ok(explanation)) => explanation,
                _ if interrupt.is_requested() => return Ok(ExitStatus::Interrupted),
                Ok(Err(curve)) => {
                    not_explained.push(curve);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if matches!(arguments.format, ListFormat::Table) {
                let gap = if explanations.is_empty() { "" } else { "\n" };
                print(&format!(
                    "{gap}{}",
                    words::explanation(&explanation, style(output))
                ))?;
            }
            explanations.push(explanation);
        }
    }
    if explanations.is_empty() {
        return Err(ExplainError::Nothing(not_explained).into());
    }
    for curve in &not_explained {
        let (kind, quiet) = if curve.has_failed() {
            ("error", false)
        } else {
            ("warning", output.quiet)
        };
        remark(OutputOptions { quiet, ..output }, &format!("{kind}: {curve}"));
    }
    if matches!(arguments.format, ListFormat::Json) {
        print(&json(&Explanations {
            explanations: &explanations,
            not_explained: &not_explained,
        })?)?;
    }
    if not_explained.iter().any(NotExplained::has_failed) {
        return Ok(ExitStatus::BadAnswer);
    }
    Ok(ExitStatus::Success)
}

/// Plans the cells of workloads.
fn workloads(arguments: &ExplainArgs, output: OutputOptions) -> Result<Part, Error> {
    if arguments.worst.is_some() {
        return Err(ExplainError::WorstOfWorkloads.into());
    }
    let mut planned = planned::plan(&arguments.as_run(), None, Purpose::Measure, output)?;
    for interpreter in &planned.manifest.interpreters {
        if !is_known(interpreter) {
            let tag = interpreter.tag.clone();
            return Err(ExplainError::Interpreter { tag }.into());
        }
    }
    builds::make(&mut planned.manifest, output)?;
    let pairs = pairs(&planned.manifest)?;
    Ok(Part { planned, pairs })
}

/// The run that is to be explained; `None` if the arguments name workloads.
fn selected_run(arguments: &ExplainArgs) -> Result<Option<Selector<'_>>, ExplainError> {
    let selectors = arguments.workloads.iter().map(|word| Selector::of(word));
    let is_run = |selector: &Selector<'_>| selector.folder.join(MANIFEST).is_file();
    let Some(run) = selectors.into_iter().find(is_run) else {
        return Ok(None);
    };
    if arguments.workloads.len() > 1 {
        return Err(ExplainError::RunAndOthers(run.folder.to_owned()));
    }
    match arguments.option_of_workloads() {
        Some(option) => Err(ExplainError::OptionOfRun(option)),
        None => Ok(Some(run)),
    }
}

/// Plans the worst curves of a run again, without those that have changed.
fn worst_of_run(
    run: Selector<'_>,
    arguments: &ExplainArgs,
    not_explained: &mut Vec<NotExplained>,
    output: OutputOptions,
) -> Result<Vec<Part>, Error> {
    let recorded = store::read(run.folder)?;
    for damage in recorded.damage() {
        remark(output, &format!("warning: {damage}"));
    }
    let summary = summarise(&recorded.name, &recorded.manifest, &recorded.trials);
    let manifest = recorded.manifest;
    let choice = worst(&summary, run.name, arguments.worst(), is_known);
    if choice.worst.is_empty() && choice.left_out.is_empty() {
        return Err(ExplainError::NoCurves {
            folder: run.folder.to_owned(),
            name: run.name.map_or_else(String::new, |name| format!(" on {name}")),
        }
        .into());
    }
    for (curve, obstacle) in &choice.left_out {
        let reason = obstacle.to_string();
        not_explained.push(NotExplained::new(&curve.cell, Cause::Unsuitable, reason));
    }
    remark(output, &words::worst(&choice.worst));
    let settings = arguments.settings_of_run(&manifest.plan.settings);
    let mut parts = Vec::with_capacity(choice.worst.len());
    for curve in choice.worst {
        let find = |cell: &Cell| manifest.plan.cells.iter().find(|planned| planned.cell == *cell);
        let one_worker = curve.cell.curve.clone().with_workers(1);
        let Some(pair) = find(&one_worker).cloned().zip(find(&curve.cell).cloned()) else {
            let reason = "the run has no cell with one worker".to_owned();
            not_explained.push(NotExplained::new(&curve.cell, Cause::Unsuitable, reason));
            continue;
        };
        let cells = [pair.0.clone(), pair.1.clone()];
        match part::plan_curve(&manifest, &cells, settings.clone(), output) {
            Ok(mut planned) => {
                planned.manifest.seed = arguments.seed.unwrap_or(planned.manifest.seed);
                parts.push(Part {
                    planned,
                    pairs: vec![pair],
                });
            }
            Err(why) => {
                let reason = changes_or_error(why)?;
                not_explained.push(NotExplained::new(&curve.cell, Cause::Changed, reason));
            }
        }
    }
    Ok(parts)
}

/// What has changed, as a reason.
fn changes_or_error(why: NotAgain) -> Result<String, Error> {
    match why {
        NotAgain::Changed(changes) => Ok(format!("it has changed:\n{}", changes.join("\n"))),
        NotAgain::Failed(error) => Err(error),
    }
}

/// The workload that a run's reader would want explained: the one whose threads scale worst, if they do not scale
/// although the GIL is off.
pub(super) fn worth_explaining(summary: &Summary) -> Option<String> {
    let curve = worst(summary, None, 1, is_known).worst.into_iter().next()?;
    let law = summary.laws.iter().find(|law| law.curve == curve.cell.curve)?;
    let is_flat = matches!(law.verdict, CurveVerdict::DoesNotScale | CurveVerdict::Slower);
    (is_flat && law.gil == Some(GilState::Off)).then_some(curve.cell.curve.workload)
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
                    reason: reason.unwrap_or_else(|| {
                        "there is room for one only; give another number with -n".to_owned()
                    }),
                });
            };
            pairs.push((one.clone(), all.clone()));
        }
    }
    Ok(pairs)
}

/// Explains one workload on one interpreter, or says why that is not possible; an error ends the command.
fn explained(
    one: &PlannedCell,
    all: &PlannedCell,
    seed: u64,
    runner: &mut RealRunner<'_>,
    library: &Path,
    output: OutputOptions,
) -> Result<Result<Explanation, NotExplained>, ExplainError> {
    let cell = &all.cell;
    remark(output, &words::opening(cell, ROUNDS));
    let failed = |failed: FailureWithOutput| {
        let (cause, how) = match failed.failure.status() {
            TrialStatus::Skipped => (Cause::Unsuitable, "it skips itself: "),
            _ => (Cause::Failed, ""),
        };
        let reason = format!("{how}{}{}", failed.failure, tail(&failed, output));
        NotExplained::new(cell, cause, reason)
    };
    let units = match runner.calibrate(one, &[1, cell.workers]) {
        Ok(units) => units,
        Err(failure) => {
            return match runner.take_start_failure() {
                Some(refused) => Err(ExplainError::Refused(refused)),
                None => Ok(Err(failed(failure))),
            };
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
        rounds.push(match made {
            Ok(round) => round,
            Err(failure) => match failure.failure {
                refused @ TrialFailure::NoProcess(_) => return Err(ExplainError::Refused(refused)),
                TrialFailure::Workload { step, error, .. } if step == SAMPLER_STEP => {
                    let tag = cell.interpreter_label();
                    return Err(ExplainError::Sampler { tag, error });
                }
                _ => return Ok(Err(failed(failure))),
            },
        });
    }
    let figures = report::time(&rounds).zip(report::cost(&rounds));
    let Some(((total, time), cost)) = figures else {
        let reason = "a sample took no time; give it more work per unit".to_owned();
        return Ok(Err(NotExplained::new(cell, Cause::Failed, reason)));
    };
    let (gil_enabled, gil_enabled_by) = report::gil(&rounds);
    let mut processes = rounds.iter().flat_map(|round| [&round.one, &round.all]);
    Ok(Ok(Explanation {
        has_symbols: processes.all(|process| process.profile.has_symbols),
        workload: cell.workload.clone(),
        interpreter: cell.interpreter.clone(),
        arm: cell.arm.clone(),
        gil_enabled,
        gil_enabled_by,
        workers: cell.workers,
        rounds: ROUNDS,
        total,
        time,
        contended: report::contended(&rounds),
        cost,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::interpreters::interpreter;
    use ftbench_fixtures::summaries;
    use ftbench_schema::LimitCause;

    #[test]
    fn a_curve_that_stays_flat_without_the_gil_is_worth_explaining() {
        let mut summary = summaries::two_cores();
        let worst = worst(&summary, None, 1, is_known).worst.remove(0).cell.curve;
        let with_speedup = |speedup: f64| {
            let speedup = summaries::estimate(speedup, 5.0);
            vec![summaries::unfitted(
                worst.clone(),
                &[1, 2],
                LimitCause::Crosstalk,
                speedup,
            )]
        };
        summary.laws = with_speedup(1.0);
        assert_eq!(worth_explaining(&summary).as_ref(), Some(&worst.workload));
        summary
            .laws
            .iter_mut()
            .for_each(|law| law.gil = Some(GilState::On));
        assert_eq!(worth_explaining(&summary), None);
        summary.laws = with_speedup(1.9);
        assert_eq!(worth_explaining(&summary), None);
    }

    #[test]
    fn other_implementations_and_versions_are_unknown() {
        let known = ["3.13.0", "3.14.7", "3.15.0rc1"];
        for version in known {
            assert!(is_known(&interpreter("any", version)), "{version}");
        }
        for version in ["3.12.11", "3.16.0a1", "4.0.0"] {
            assert!(!is_known(&interpreter("any", version)), "{version}");
        }
        assert!(!is_known(&interpreter("pypy3.13", "3.13.0")));
    }
}
