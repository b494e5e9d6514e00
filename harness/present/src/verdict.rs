//! The verdict on a run in one sentence: does it scale, what does it cost, what to look at next.
//!
//! The findings above a table have the figures of every curve. The verdict is about one model on one interpreter, the
//! one that a reader came for: threads without the GIL, where the run has them.

use ftbench_schema::{CellStatus, CellSummary, GilState, Model, Summary, text, units};

use super::headline::{self, Finding, Part, Reading, Verdict, with_interval};
use super::laws;
use super::style::{BOLD, Style, hanging};

/// The ratio from which another model counts as faster than threads.
const CLEARLY_FASTER: f64 = 1.05;

/// The label before the sentence.
const LABEL: &str = "verdict:";

/// Renders the verdict for a terminal, with a final newline; empty without one.
#[must_use]
pub fn render(summary: &Summary, run: &str, unexplained: Option<&str>, style: Style) -> String {
    let sentence = sentence(summary, run, unexplained);
    sentence.map_or_else(String::new, |sentence| {
        hanging(&style.paint(BOLD, LABEL), LABEL.len(), &sentence, style) + "\n"
    })
}

/// Returns the verdict on a run whose folder is `run`. `unexplained` is the workload that `ftbench explain` would
/// explain, if any. `None` for a run without curves, and for one with arms, whose comparison is its verdict.
#[must_use]
pub fn sentence(summary: &Summary, run: &str, unexplained: Option<&str>) -> Option<String> {
    if !summary.arms.is_empty() {
        return None;
    }
    let subject = subject(summary)?;
    let clauses = [
        Some(scaling(&subject)),
        cost(summary, &subject),
        next(summary, &subject, run, unexplained),
    ];
    Some(clauses.into_iter().flatten().collect::<Vec<String>>().join("; "))
}

/// The finding that the verdict is about: threads without the GIL, of the last such interpreter; else threads with it;
/// else whatever comes first.
fn subject(summary: &Summary) -> Option<Finding> {
    let mut threads = headline::of_models(summary, &[Model::Threads]);
    let is_free = |finding: &Finding| gil_of(summary, finding) == Some(GilState::Off);
    if let Some(last) = threads.iter().rposition(is_free) {
        return Some(threads.swap_remove(last));
    }
    let others = || headline::findings(summary).into_iter().next();
    threads.into_iter().next().or_else(others)
}

/// The cells of a finding.
fn cells<'a>(summary: &'a Summary, finding: &'a Finding) -> impl Iterator<Item = &'a CellSummary> {
    let belongs = |cell: &&CellSummary| {
        cell.model == finding.model && cell.interpreter_label() == finding.interpreter && !cell.is_native()
    };
    summary.cells.iter().filter(belongs)
}

fn gil_of(summary: &Summary, finding: &Finding) -> Option<GilState> {
    cells(summary, finding).find_map(|cell| cell.gil)
}

fn readings(finding: &Finding) -> impl Iterator<Item = &Reading> {
    finding.parts.iter().flat_map(|part| &part.readings)
}

/// Whether it scales: `threads on 3.13t scale on 3 of 4 workloads`.
fn scaling(finding: &Finding) -> String {
    let count = |verdict: Verdict| {
        readings(finding)
            .filter(|reading| reading.verdict == verdict)
            .count()
    };
    let all = readings(finding).count();
    let [scale, slower, unclear] = [Verdict::Faster, Verdict::Slower, Verdict::Unclear].map(count);
    let subject = finding.subject();
    let [scales, does, gets] = match finding.model {
        Model::Serial | Model::Asyncio | Model::Internal => ["scales", "does", "gets"],
        _ => ["scale", "do", "get"],
    };
    match (all, scale) {
        (1, 1) => format!("{subject} {scales}"),
        (1, _) if unclear == 1 => format!("cannot tell whether {subject} {scales}"),
        (1, _) if slower == 1 => format!("{subject} {gets} slower with more workers"),
        (1, _) => format!("{subject} {does} not scale"),
        _ if unclear == all => format!("cannot tell whether {subject} {scales} on any of {all} workloads"),
        (_, 0) => format!(
            "{subject} {does} not scale on any of {all} workloads{}",
            besides(unclear)
        ),
        _ => format!(
            "{subject} {scales} on {scale} of {all} workloads{}",
            besides(unclear)
        ),
    }
}

fn besides(unclear: usize) -> String {
    match unclear {
        0 => String::new(),
        unclear => format!(", cannot tell on {unclear}"),
    }
}

/// What the free-threaded build costs, and what its threads gain nevertheless.
fn cost(summary: &Summary, finding: &Finding) -> Option<String> {
    let tag = &cells(summary, finding).next()?.interpreter;
    let overhead = summary
        .free_threading_overhead
        .iter()
        .find(|overhead| overhead.workload.is_none() && overhead.free_threaded == *tag)?;
    let gil = text::line(&overhead.gil);
    let ratio = overhead.ratio;
    let (alone, then) = if ratio.low > 1.0 {
        let times = units::times(ratio.estimate);
        (format!("one worker takes {times} as long as on {gil}"), "so")
    } else if ratio.high < 1.0 {
        let times = units::times(1.0 / ratio.estimate);
        (format!("one worker is {times} as fast as on {gil}"), "and")
    } else {
        (format!("one worker takes as long as on {gil}"), "and")
    };
    let gain = finding
        .parts
        .first()
        .filter(|_| finding.model != Model::Serial)
        .and_then(|part| {
            Some(format!(
                ", {then} {} {} are {}",
                part.workers,
                finding.model,
                gain(summary, finding, part)?
            ))
        });
    Some(alone + &gain.unwrap_or_default())
}

/// How fast the workers of a part are compared with serial code: `1.14x [0.97, 1.24] as fast as serial code on 3.13`.
fn gain(summary: &Summary, finding: &Finding, part: &Part) -> Option<String> {
    let found: Vec<_> = gains(summary, finding, part)
        .filter_map(|cell| cell.vs_baseline)
        .collect();
    let lowest = found.iter().map(|ratio| ratio.estimate).reduce(f64::min)?;
    let highest = found.iter().map(|ratio| ratio.estimate).reduce(f64::max)?;
    let figures = match found.as_slice() {
        [one] => with_interval(*one),
        _ => format!("{} to {}", units::times(lowest), units::times(highest)),
    };
    let baseline = text::line(&summary.run.baseline);
    Some(format!("{figures} as fast as serial code on {baseline}"))
}

/// The cells of a part of a finding.
fn gains<'a>(
    summary: &'a Summary,
    finding: &'a Finding,
    part: &'a Part,
) -> impl Iterator<Item = &'a CellSummary> {
    cells(summary, finding).filter(|cell| {
        let is_read = |reading: &Reading| reading.workload == cell.workload;
        cell.workers == part.workers && part.readings.iter().any(is_read)
    })
}

/// What to look at next: what failed, what does not scale, what is not known yet, or what is faster.
fn next(summary: &Summary, finding: &Finding, run: &str, unexplained: Option<&str>) -> Option<String> {
    let failed = summary
        .cells
        .iter()
        .filter(|cell| cell.status.is_failure())
        .count();
    if failed > 0 {
        return Some(format!("see above why {} failed", text::counted(failed, "cell")));
    }
    if let Some(workload) = unexplained {
        let workload = text::line(workload);
        return Some(format!(
            "'ftbench explain {run}' shows why {workload} does not scale"
        ));
    }
    let open = readings(finding).find_map(|reading| Some((reading, reading.needs_s?)));
    if let Some((reading, needs_s)) = open {
        let workload = text::line(&reading.workload);
        let more = laws::roughly(needs_s);
        return Some(format!("about {more} more would settle {workload} (--budget)"));
    }
    without_gil(summary, finding)
        .or_else(|| faster(summary, finding))
        .or_else(|| Some(format!("'ftbench report {run}' shows each curve")))
}

/// The run to make if threads took turns under the GIL because the run has no other interpreter.
fn without_gil(summary: &Summary, finding: &Finding) -> Option<String> {
    let all_have_gil = summary.interpreters.iter().all(|one| one.gil == GilState::On);
    let tag = text::line(&cells(summary, finding).next()?.interpreter);
    let is_version = tag
        .chars()
        .all(|character| character.is_ascii_digit() || character == '.');
    let is_question = finding.model == Model::Threads && all_have_gil && is_version;
    is_question.then(|| format!("'-p {tag},{tag}t' adds threads without the GIL"))
}

/// The model that is clearly faster than the one that the verdict is about, with as many workers.
fn faster(summary: &Summary, finding: &Finding) -> Option<String> {
    let part = finding.parts.first()?;
    let own = mean_gain(summary, finding, part)?;
    let rivals = headline::findings(summary).into_iter().filter_map(|rival| {
        let same = rival.parts.iter().find(|other| other.workers == part.workers)?;
        let covers_all = same.readings.len() >= part.readings.len();
        let gain = mean_gain(summary, &rival, same).filter(|_| covers_all)?;
        Some((rival.subject(), gain))
    });
    let (subject, gain) = rivals.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let times = units::times(gain / own);
    (gain > own * CLEARLY_FASTER).then(|| format!("{} {subject} are faster still ({times})", part.workers))
}

/// The geometric mean of what the cells of a part gain over serial code.
fn mean_gain(summary: &Summary, finding: &Finding, part: &Part) -> Option<f64> {
    let is_good = |cell: &&CellSummary| cell.status == CellStatus::Ok;
    let logs: Vec<f64> = gains(summary, finding, part)
        .filter(is_good)
        .filter_map(|cell| Some(cell.vs_baseline?.estimate.ln()))
        .collect();
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::interpreters::interpreter;
    use ftbench_fixtures::summaries::{self, difference, estimate};
    use ftbench_schema::{LimitCause, Overhead};

    fn with_cost(ratio: f64) -> Summary {
        let mut summary = summaries::two_cores();
        summary.free_threading_overhead.push(Overhead {
            gil: "3.13".to_owned(),
            free_threaded: "3.13t".to_owned(),
            arm: None,
            workload: None,
            workloads: 2,
            ratio: estimate(ratio, 2.0),
        });
        summary
    }

    fn said(summary: &Summary) -> String {
        sentence(summary, "results/RUN", None).unwrap_or_default()
    }

    fn one_workload(mut summary: Summary) -> Summary {
        summary.cells.retain(|cell| cell.workload == "fib");
        summary
    }

    /// Gives threads without the GIL another speedup at two workers.
    fn with_speedup(mut summary: Summary, speedup: f64, per_cent: f64) -> Summary {
        let is_meant = |cell: &&mut CellSummary| {
            cell.model == Model::Threads && cell.interpreter == "3.13t" && cell.workers == 2
        };
        for cell in summary.cells.iter_mut().filter(is_meant) {
            let speedup = estimate(speedup, per_cent);
            cell.speedup = Some(speedup);
            cell.speedup_difference = Some(difference(speedup));
            cell.vs_baseline = Some(estimate(speedup.estimate * 0.9, per_cent));
        }
        summary
    }

    #[test]
    fn sentence_has_scaling_cost_and_what_to_look_at() {
        assert_eq!(
            said(&with_cost(1.10)),
            "threads on 3.13t scale on 2 of 2 workloads; one worker takes 1.10x as long as on 3.13, so 2 threads are \
             1.75x to 1.76x as fast as serial code on 3.13; 'ftbench report results/RUN' shows each curve"
        );
        assert_eq!(
            said(&one_workload(with_cost(1.0))),
            "threads on 3.13t scale; one worker takes as long as on 3.13, and 2 threads are 1.75x [1.72, 1.78] as fast as \
             serial code on 3.13; 'ftbench report results/RUN' shows each curve"
        );
        assert!(said(&with_cost(0.8)).contains("one worker is 1.25x as fast as on 3.13, and 2 threads"));
    }

    #[test]
    fn threads_that_do_not_scale_lead_to_explain() {
        let flat = with_speedup(one_workload(with_cost(1.1)), 1.0, 2.0);
        assert_eq!(
            sentence(&flat, "results/RUN", Some("fib")).as_deref(),
            Some(
                "threads on 3.13t do not scale; one worker takes 1.10x as long as on 3.13, so 2 threads are 0.90x \
                 [0.88, 0.92] as fast as serial code on 3.13; 'ftbench explain results/RUN' shows why fib does not scale"
            )
        );
        let slower = with_speedup(with_cost(1.1), 0.5, 2.0);
        assert!(said(&slower).starts_with("threads on 3.13t do not scale on any of 2 workloads; "));
        assert!(said(&one_workload(slower)).starts_with("threads on 3.13t get slower with more workers; "));
    }

    #[test]
    fn faster_processes_are_named() {
        let slow = with_speedup(one_workload(with_cost(1.1)), 1.4, 2.0);
        assert!(
            said(&slow).ends_with("; 2 processes on 3.13 are faster still (1.37x)"),
            "{}",
            said(&slow)
        );
    }

    #[test]
    fn unclear_curve_says_what_it_takes() {
        let mut unclear = with_speedup(one_workload(with_cost(1.1)), 1.2, 40.0);
        let curve = unclear
            .cells
            .iter()
            .find(|cell| cell.model == Model::Threads && cell.interpreter == "3.13t")
            .map(|cell| cell.curve.clone());
        unclear.laws.extend(
            curve.map(|curve| summaries::unfitted(curve, &[1, 2], LimitCause::Unclear, estimate(1.2, 40.0))),
        );
        assert!(said(&unclear).starts_with("cannot tell whether threads on 3.13t scale; "));
        assert!(
            said(&unclear).ends_with("; about 42 s more would settle fib (--budget)"),
            "{}",
            said(&unclear)
        );
    }

    #[test]
    fn failures_come_first() {
        let mut summary = with_cost(1.1);
        for cell in summary
            .cells
            .iter_mut()
            .filter(|cell| cell.model == Model::Processes)
        {
            cell.status = CellStatus::Failed;
        }
        assert!(said(&summary).ends_with("; see above why 8 cells failed"));
    }

    #[test]
    fn run_with_the_gil_alone_leads_to_a_free_threaded_build() {
        let mut summary = summaries::two_cores();
        summary.cells.retain(|cell| cell.interpreter == "3.13");
        summary.interpreters = vec![interpreter("3.13", "3.13.15")];
        assert_eq!(
            said(&summary),
            "threads on 3.13 do not scale on any of 2 workloads; '-p 3.13,3.13t' adds threads without the GIL"
        );
    }

    #[test]
    fn runs_of_arms_and_runs_without_curves_have_no_verdict() {
        assert_eq!(sentence(&summaries::with_arms(), "RUN", None), None);
        assert_eq!(sentence(&summaries::without_figures(), "RUN", None), None);
        let style = Style::default();
        assert_eq!(render(&summaries::without_figures(), "RUN", None, style), "");
        let narrow = Style {
            colour: false,
            width: Some(60),
        };
        let wrapped = render(&with_cost(1.1), "RUN", None, narrow);
        assert!(wrapped.starts_with("verdict: threads on 3.13t scale") && wrapped.ends_with('\n'));
        assert!(
            wrapped.lines().all(|line| line.chars().count() <= 60),
            "{wrapped}"
        );
    }
}
