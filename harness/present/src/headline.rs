//! What a person wants to know first: do threads scale on this interpreter, and processes?
//!
//! Every word is decided by a whole interval, never by a point.

use ftbench_analyse::laws::verdict;
use ftbench_schema::{
    Cell, CellStatus, CellSummary, CurveLaws, CurveVerdict, Estimate, Model, Summary, WorkloadKind,
};

use super::table::Tone;
use ftbench_schema::{text, units};

/// At most so many workloads are named in one sentence.
const MOST_NAMES: usize = 3;

/// What is found of a speedup, or of a version of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is faster; a curve scales.
    Faster,
    /// There is no difference worth the name; a curve does not scale.
    Flat,
    /// It is slower.
    Slower,
    /// The interval is too wide to tell.
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
    /// Faster is good.
    pub(super) const fn tone(self) -> Tone {
        match self {
            Self::Faster => Tone::Good,
            Self::Slower => Tone::Bad,
            Self::Flat | Self::Unclear => Tone::Plain,
        }
    }

    /// Every verdict, in the order in which sentences tell them.
    pub const ALL: [Self; 4] = [Self::Faster, Self::Flat, Self::Slower, Self::Unclear];

    /// The verdict on a cell's speedup, by its interval.
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
    /// What the interval says.
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
    /// That number.
    pub workers: u32,
    /// One for each of them.
    pub readings: Vec<Reading>,
}

/// One clause of a finding: the workloads about which the same can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// What is said.
    pub verdict: Verdict,
    /// In words.
    pub words: String,
}

/// Findings about threads and processes; about the other models where a run has neither.
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

/// Findings about these models, on every interpreter that has them.
#[must_use]
pub fn of_models(summary: &Summary, models: &[Model]) -> Vec<Finding> {
    let mut labels: Vec<String> = Vec::new();
    for cell in summary.cells.iter().filter(|cell| !cell.is_native()) {
        let label = cell.interpreter_label();
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
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
            && !rests_on_a_failure(summary, cell)
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

/// Whether the cell with one worker, which the speedup is relative to, failed.
fn rests_on_a_failure(summary: &Summary, cell: &CellSummary) -> bool {
    let failures = summary.cells.iter().filter(|one| one.status.is_failure());
    failures.filter(|one| one.workers == 1).any(|one| {
        let alone = Cell {
            workers: 1,
            ..cell.cell.clone()
        };
        one.cell == alone
    })
}

/// Whether cores are what a workload needs most; one of unknown kind is taken to compute.
fn computes(summary: &Summary, workload: &str) -> bool {
    let facts = summary.workloads.iter().find(|facts| facts.name == workload);
    facts.is_none_or(|facts| matches!(facts.kind, WorkloadKind::Cpu | WorkloadKind::Memory))
}

fn finite(estimate: Estimate) -> Option<Estimate> {
    let all = [estimate.estimate, estimate.low, estimate.high];
    all.iter().all(|value| value.is_finite()).then_some(estimate)
}

impl Finding {
    /// What it is about: `threads on 3.13t`.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{} on {}", self.model, text::line(&self.interpreter))
    }

    /// What is found, for people: `1.92x on fib, nbody at 2 workers; 10.9x on http_fetch at 16 workers`.
    ///
    /// `name_workloads` where a run has several; `dress` colours or escapes a clause.
    #[must_use]
    pub fn sentence(&self, name_workloads: bool, dress: impl Fn(&Clause) -> String) -> String {
        let told = self.parts.iter().map(|part| {
            // Two parts make a long line, and the table has the intervals.
            let clauses = part.clauses(name_workloads, self.parts.len() == 1);
            let dressed: Vec<String> = clauses.iter().map(&dress).collect();
            format!("{} {}", dressed.join("; "), part.at_workers())
        });
        told.collect::<Vec<String>>().join("; ")
    }
}

impl Part {
    /// What is found, one clause per verdict; an interval, where wanted, goes with a single workload.
    fn clauses(&self, name_workloads: bool, with_intervals: bool) -> Vec<Clause> {
        Verdict::ALL
            .into_iter()
            .filter_map(|verdict| {
                let of_it: Vec<&Reading> = self
                    .readings
                    .iter()
                    .filter(|reading| reading.verdict == verdict)
                    .collect();
                let mut words = speedups(verdict, &of_it, with_intervals)?;
                if name_workloads {
                    words.push_str(&on_workloads(&of_it));
                }
                Some(Clause { verdict, words })
            })
            .collect()
    }

    /// The number of workers, as a sentence ends with it: `at 2 workers`.
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

/// A ratio with its interval: `1.93x [1.90, 1.96]`.
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
    if readings.len() > MOST_NAMES {
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
    fn sentences_group_the_workloads_by_what_can_be_said() {
        insta::assert_snapshot!(sentences(&summaries::two_cores()).join("\n"), @r"
        threads on 3.13: flat (0.98x) on fib, nbody at 2 workers
        threads on 3.13t: 1.92x on fib, nbody at 2 workers
        processes on 3.13: 1.87x to 1.88x on fib, nbody at 2 workers
        processes on 3.13t: 1.92x to 1.93x on fib, nbody at 2 workers
        ");
    }

    #[test]
    fn each_workload_speaks_at_its_own_largest_number_of_workers() {
        insta::assert_snapshot!(sentences(&summaries::suite()).join("\n"), @r"
        threads on 3.13: flat (0.98x) on 4 workloads at 2 workers; 8.20x on http_fetch at 16 workers
        threads on 3.13t: 1.92x on 4 workloads at 2 workers; 10.9x on http_fetch at 16 workers
        processes on 3.13: 1.87x to 1.90x on 5 workloads at 2 workers
        processes on 3.13t: 1.90x to 1.93x on 5 workloads at 2 workers
        ");
    }

    #[test]
    fn the_ceiling_is_no_interpreter() {
        assert_eq!(
            sentences(&summaries::with_ceiling()),
            sentences(&summaries::two_cores())
        );
    }

    #[test]
    fn cells_without_figures_say_nothing() {
        assert!(findings(&summaries::without_figures()).is_empty());
    }

    #[test]
    fn a_speedup_over_a_failed_cell_is_no_finding() {
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
    fn asyncio_speaks_only_where_it_is_alone() {
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
