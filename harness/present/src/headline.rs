//! The headline findings of a run: do threads scale on each interpreter, and do processes?
//!
//! Every verdict is decided by a whole interval, never by a point estimate.

use ftbench_analyse::laws::verdict;
use ftbench_schema::{
    Cell, CellStatus, CellSummary, CurveLaws, CurveVerdict, Estimate, Model, Summary, WorkloadKind,
};

use super::rows;
use super::table::Tone;
use ftbench_schema::{text, units};

/// The maximum number of workloads that one sentence names.
const MAX_NAMES: usize = 3;

/// The verdict on a speedup, or on a version of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Faster; a curve scales.
    Faster,
    /// No difference that matters; a curve does not scale.
    Flat,
    /// Slower.
    Slower,
    /// The interval is too wide for a verdict.
    Unclear,
}

impl From<CurveVerdict> for Verdict {
    fn from(verdict: CurveVerdict) -> Self {
        match verdict {
            CurveVerdict::Scales | CurveVerdict::AsTheMachine => Self::Faster,
            CurveVerdict::DoesNotScale => Self::Flat,
            CurveVerdict::Slower => Self::Slower,
            CurveVerdict::CannotTell => Self::Unclear,
        }
    }
}

impl Verdict {
    /// The tone of a table cell with this verdict.
    pub(super) const fn tone(self) -> Tone {
        match self {
            Self::Faster => Tone::Good,
            Self::Slower => Tone::Bad,
            Self::Flat | Self::Unclear => Tone::Plain,
        }
    }

    /// Every verdict, in the order in which sentences list them.
    pub const ALL: [Self; 4] = [Self::Faster, Self::Flat, Self::Slower, Self::Unclear];

    /// Returns the verdict on a cell's speedup, decided by its interval.
    #[must_use]
    pub fn on(speedup: Estimate) -> Self {
        verdict::on(speedup).into()
    }
}

/// One workload's part of a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The workload's name.
    pub workload: String,
    /// Its speedup over its own one-worker time.
    pub speedup: Estimate,
    /// The verdict on the curve or, without fitted laws, on the speedup.
    pub verdict: Verdict,
    /// The verdict on the curve, of which [`Reading::verdict`] is the short form.
    pub curve_verdict: CurveVerdict,
    /// How much longer the workload's rounds would have to go on for a verdict, seconds; `None` where there is one, or where
    /// that is not known.
    pub needs_s: Option<f64>,
}

/// Finds the verdict on a cell's curve at its number of workers, and how many more seconds would settle it. Where the curve
/// has none, the interval of the speedup decides.
#[must_use]
pub fn curve_verdict(
    summary: &Summary,
    cell: &CellSummary,
    speedup: Estimate,
) -> (CurveVerdict, Option<f64>) {
    let is_its = |laws: &&CurveLaws| laws.curve == cell.curve && laws.limit.workers == cell.workers;
    summary.laws.iter().find(is_its).map_or_else(
        || (verdict::on(speedup), None),
        |laws| (laws.verdict, laws.needs_s),
    )
}

/// How one model scales on one interpreter, over the workloads of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// How workers run.
    pub model: Model,
    /// The interpreter's tag, and its host where that is not its own executable.
    pub interpreter: String,
    /// Each workload at its own largest number of workers with a speedup; workloads that compute come first.
    pub parts: Vec<Part>,
}

/// The workloads of a finding whose largest number of workers is the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The number of workers.
    pub workers: u32,
    /// One reading for each workload.
    pub readings: Vec<Reading>,
}

/// One clause of a finding, about the workloads that share a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Their verdict.
    pub verdict: Verdict,
    /// The text of the clause.
    pub words: String,
}

/// Returns the findings on threads and processes, or on the other models if the run has neither.
#[must_use]
pub fn findings(summary: &Summary) -> Vec<Finding> {
    let usual = [Model::Threads, Model::Processes];
    let every = Model::ALL.into_iter().filter(|model| *model != Model::Serial);
    let (first, rest): (Vec<Model>, Vec<Model>) = every.partition(|model| usual.contains(&model.family()));
    let found = of_models(summary, &first);
    if found.is_empty() {
        of_models(summary, &rest)
    } else {
        found
    }
}

/// Returns the findings on these models, for every interpreter that has them.
#[must_use]
pub fn of_models(summary: &Summary, models: &[Model]) -> Vec<Finding> {
    let labels = rows::interpreter_labels(summary.cells.iter().filter(|cell| !cell.is_native()));
    models
        .iter()
        .flat_map(|model| labels.iter().filter_map(|label| finding(summary, *model, label)))
        .collect()
}

fn finding(summary: &Summary, model: Model, label: &str) -> Option<Finding> {
    let usable = |cell: &&CellSummary| {
        cell.status == CellStatus::Ok
            && cell.model == model
            && cell.interpreter_label() == label
            && cell.workers > 1
            && !one_worker_failed(summary, cell)
    };
    let mut largest: Vec<(&CellSummary, Estimate)> = Vec::new();
    for cell in summary.cells.iter().filter(usable) {
        let Some(speedup) = cell.speedup.and_then(finite) else {
            continue;
        };
        match largest
            .iter_mut()
            .find(|(known, _)| known.workload == cell.workload)
        {
            Some(known) if known.0.workers < cell.workers => *known = (cell, speedup),
            Some(_) => {}
            None => largest.push((cell, speedup)),
        }
    }
    largest.sort_by_key(|(cell, _)| !computes(summary, &cell.workload));
    let mut parts: Vec<Part> = Vec::new();
    for (cell, speedup) in largest {
        let (verdict, needs_s) = curve_verdict(summary, cell, speedup);
        let reading = Reading {
            workload: cell.workload.clone(),
            speedup,
            verdict: verdict.into(),
            curve_verdict: verdict,
            needs_s,
        };
        match parts.iter_mut().find(|part| part.workers == cell.workers) {
            Some(part) => part.readings.push(reading),
            None => parts.push(Part {
                workers: cell.workers,
                readings: vec![reading],
            }),
        }
    }
    (!parts.is_empty()).then(|| Finding {
        model,
        interpreter: label.to_owned(),
        parts,
    })
}

/// Whether the cell with one worker failed, to which the speedup is relative.
fn one_worker_failed(summary: &Summary, cell: &CellSummary) -> bool {
    let failures = summary.cells.iter().filter(|one| one.status.is_failure());
    failures.filter(|one| one.workers == 1).any(|one| {
        let alone = Cell {
            workers: 1,
            ..cell.cell.clone()
        };
        one.cell == alone
    })
}

/// Whether a workload computes rather than waits; one of unknown kind is assumed to compute.
fn computes(summary: &Summary, workload: &str) -> bool {
    let facts = summary.workloads.iter().find(|facts| facts.name == workload);
    facts.is_none_or(|facts| matches!(facts.kind, WorkloadKind::Cpu | WorkloadKind::Memory))
}

fn finite(estimate: Estimate) -> Option<Estimate> {
    let all = [estimate.estimate, estimate.low, estimate.high];
    all.iter().all(|value| value.is_finite()).then_some(estimate)
}

impl Finding {
    /// The model and the interpreter: `threads on 3.13t`.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{} on {}", self.model, text::line(&self.interpreter))
    }

    /// The finding as text: `1.92x on fib, nbody at 2 workers; 10.9x on http_fetch at 16 workers`.
    ///
    /// Set `name_workloads` if the run has several; `dress` colours or escapes a clause.
    #[must_use]
    pub fn sentence(&self, name_workloads: bool, dress: impl Fn(&Clause) -> String) -> String {
        let parts = self.parts.iter().map(|part| {
            // Two parts make a long line; the table has the intervals.
            let clauses = part.clauses(name_workloads, self.parts.len() == 1);
            let dressed: Vec<String> = clauses.iter().map(&dress).collect();
            format!("{} {}", dressed.join("; "), part.at_workers())
        });
        parts.collect::<Vec<String>>().join("; ")
    }
}

impl Part {
    /// One clause per verdict; with `with_intervals`, a clause on a single workload includes its interval.
    fn clauses(&self, name_workloads: bool, with_intervals: bool) -> Vec<Clause> {
        Verdict::ALL
            .into_iter()
            .filter_map(|verdict| {
                let matching: Vec<&Reading> = self
                    .readings
                    .iter()
                    .filter(|reading| reading.verdict == verdict)
                    .collect();
                let mut words = speedups(verdict, &matching, with_intervals)?;
                if name_workloads {
                    words.push_str(&on_workloads(&matching));
                }
                Some(Clause { verdict, words })
            })
            .collect()
    }

    /// The number of workers as the end of a sentence: `at 2 workers`.
    fn at_workers(&self) -> String {
        format!(
            "at {}",
            text::counted(usize::try_from(self.workers).unwrap_or(usize::MAX), "worker")
        )
    }
}

fn speedups(verdict: Verdict, readings: &[&Reading], with_intervals: bool) -> Option<String> {
    let lowest = readings
        .iter()
        .min_by(|a, b| a.speedup.estimate.total_cmp(&b.speedup.estimate))?;
    let highest = readings
        .iter()
        .max_by(|a, b| a.speedup.estimate.total_cmp(&b.speedup.estimate))?;
    let low = units::times(lowest.speedup.estimate);
    let high = units::times(highest.speedup.estimate);
    let figures = match readings {
        [one] if with_intervals && verdict != Verdict::Flat => with_interval(one.speedup),
        _ if low == high => low,
        _ => format!("{low} to {high}"),
    };
    Some(match verdict {
        Verdict::Faster => figures,
        Verdict::Flat => format!("flat ({figures})"),
        Verdict::Slower => format!("slower, {figures}"),
        Verdict::Unclear => format!("cannot tell, {figures}"),
    })
}

/// Returns a ratio with its interval in words: `1.93x [1.90, 1.96]`.
#[must_use]
pub fn with_interval(ratio: Estimate) -> String {
    let decimals = units::ratio_decimals(ratio.estimate);
    format!(
        "{} [{}, {}]",
        units::times(ratio.estimate),
        units::number(ratio.low, decimals),
        units::number(ratio.high, decimals)
    )
}

fn on_workloads(readings: &[&Reading]) -> String {
    if readings.len() > MAX_NAMES {
        return format!(" on {} workloads", readings.len());
    }
    let names: Vec<String> = readings
        .iter()
        .map(|reading| text::shorten(&text::line(&reading.workload), 32))
        .collect();
    format!(" on {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::summaries;

    fn sentences(summary: &Summary) -> Vec<String> {
        findings(summary)
            .iter()
            .map(|finding| {
                let found = finding.sentence(true, |clause| clause.words.clone());
                format!("{}: {found}", finding.subject())
            })
            .collect()
    }

    #[test]
    fn sentences_group_the_workloads_by_verdict() {
        insta::assert_snapshot!(sentences(&summaries::two_cores()).join("\n"), @r"
        threads on 3.13: flat (0.98x) on fib, nbody at 2 workers
        threads on 3.13t: 1.92x on fib, nbody at 2 workers
        processes on 3.13: 1.87x to 1.88x on fib, nbody at 2 workers
        processes on 3.13t: 1.92x to 1.93x on fib, nbody at 2 workers
        ");
    }

    #[test]
    fn each_workload_is_reported_at_its_own_largest_number_of_workers() {
        insta::assert_snapshot!(sentences(&summaries::suite()).join("\n"), @r"
        threads on 3.13: flat (0.98x) on 4 workloads at 2 workers; 8.20x on http_fetch at 16 workers
        threads on 3.13t: 1.92x on 4 workloads at 2 workers; 10.9x on http_fetch at 16 workers
        processes on 3.13: 1.87x to 1.90x on 5 workloads at 2 workers
        processes on 3.13t: 1.90x to 1.93x on 5 workloads at 2 workers
        ");
    }

    #[test]
    fn the_ceiling_does_not_count_as_an_interpreter() {
        assert_eq!(
            sentences(&summaries::with_ceiling()),
            sentences(&summaries::two_cores())
        );
    }

    #[test]
    fn cells_without_figures_have_no_findings() {
        assert!(findings(&summaries::without_figures()).is_empty());
    }

    #[test]
    fn a_speedup_over_a_failed_cell_is_not_a_finding() {
        let mut summary = summaries::two_cores();
        for cell in &mut summary.cells {
            if cell.workers == 1 && cell.model == Model::Threads && cell.interpreter == "3.13t" {
                cell.status = CellStatus::Failed;
            }
        }
        let subjects: Vec<String> = findings(&summary).iter().map(Finding::subject).collect();
        assert_eq!(
            subjects,
            ["threads on 3.13", "processes on 3.13", "processes on 3.13t"]
        );
    }

    #[test]
    fn asyncio_is_reported_only_in_a_run_without_threads_and_processes() {
        let mut summary = summaries::many_cores();
        assert!(
            findings(&summary)
                .iter()
                .all(|finding| finding.model != Model::Asyncio)
        );
        summary.cells.retain(|cell| cell.model == Model::Asyncio);
        assert!(!findings(&summary).is_empty());
    }
}
