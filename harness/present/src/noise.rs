//! The noise of a run, the cost of free-threading, and the sources of the noise figures, in words.

use ftbench_schema::{Overhead, Quietness, Sensitivity, Source, Summary, WorkloadKind};

use ftbench_schema::{text, units};

/// Describes how quiet a run was:
/// `noise: steal 0.1 %, others 0.4 % of the PUs in use; 3 of 300 samples disturbed; estimates use all of them`.
#[must_use]
pub fn quiet(quiet: &Quietness) -> String {
    let shares: Vec<String> = [("steal", quiet.steal), ("others", quiet.others)]
        .into_iter()
        .filter_map(|(name, share)| Some(format!("{name} {}", per_cent(share?))))
        .collect();
    let shares = if shares.is_empty() {
        String::new()
    } else {
        format!("{} of the PUs in use; ", shares.join(", "))
    };
    let disturbed = match quiet.disturbed {
        0 => format!("none of {} samples disturbed", quiet.samples),
        disturbed => format!(
            "{disturbed} of {} samples disturbed; estimates use all of them",
            quiet.samples
        ),
    };
    format!("noise: {shares}{disturbed}")
}

/// Describes how small a difference the run can find:
/// `precision: a true difference of 3.1 % is detected in four of five such runs (median of 20 comparisons)`.
#[must_use]
pub fn sensitivity(sensitivity: &Sensitivity) -> String {
    let Sensitivity {
        difference,
        comparisons,
    } = *sensitivity;
    let median = match comparisons {
        1 => String::new(),
        several => format!(" (median of {several} comparisons)"),
    };
    format!(
        "precision: a true difference of {} is detected in four of five such runs{median}",
        per_cent(difference)
    )
}

/// Returns one line for each pair of builds: `3.13t costs 1.62x [1.60, 1.65] on one worker (geometric mean of 4
/// workloads)`.
#[must_use]
pub fn overheads(summary: &Summary) -> Vec<String> {
    let means = summary
        .free_threading_overhead
        .iter()
        .filter(|overhead| overhead.workload.is_none());
    means
        .map(|overhead| {
            let pairs = summary
                .free_threading_overhead
                .iter()
                .filter(|other| other.workload.is_none() && other.free_threaded == overhead.free_threaded);
            one_overhead(summary, overhead, pairs.count() > 1)
        })
        .collect()
}

fn one_overhead(summary: &Summary, overhead: &Overhead, several_gil_builds: bool) -> String {
    let scope = match overhead.workloads {
        // The mean of one workload is that workload.
        1 => {
            the_computing_workload(summary, overhead).map_or_else(|| text::counted(1, "workload"), text::line)
        }
        several => format!("geometric mean of {several} workloads"),
    };
    let decimals = units::ratio_decimals(overhead.ratio.estimate);
    let number = |value: f64| units::number(value, decimals);
    let over = if several_gil_builds {
        format!(" over {}", text::line(&overhead.gil))
    } else {
        String::new()
    };
    let arm = overhead
        .arm
        .as_ref()
        .map_or_else(String::new, |arm| format!(" {}", text::line(arm)));
    format!(
        "{}{arm} costs {}x [{}, {}]{over} on one worker ({scope})",
        text::line(&overhead.free_threaded),
        number(overhead.ratio.estimate),
        number(overhead.ratio.low),
        number(overhead.ratio.high),
    )
}

fn the_computing_workload<'s>(summary: &'s Summary, overhead: &Overhead) -> Option<&'s str> {
    let computes = |name: &str| {
        summary
            .workloads
            .iter()
            .any(|workload| workload.name == name && workload.kind == WorkloadKind::Cpu)
    };
    summary
        .free_threading_overhead
        .iter()
        .filter(|other| other.gil == overhead.gil && other.free_threaded == overhead.free_threaded)
        .filter_map(|other| other.workload.as_deref())
        .find(|name| computes(name))
}

/// One line for each source: where it is read from, or why it cannot be read.
#[must_use]
pub fn sources(sources: &[Source]) -> String {
    let widest = sources
        .iter()
        .map(|source| source.name.chars().count())
        .max()
        .unwrap_or(0);
    let line = |source: &Source| {
        let origin = match (&source.from, &source.reason) {
            (Some(from), _) => from.clone(),
            (None, Some(reason)) => format!("not readable here: {reason}"),
            (None, None) => "not readable here".to_owned(),
        };
        format!("{:<widest$}  {origin}", source.name.replace('_', " "))
    };
    sources.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A share in per cent, with one decimal if it is small.
fn per_cent(share: f64) -> String {
    units::per_cent(share, usize::from(share < 0.1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use ftbench_fixtures::summaries;

    #[test]
    fn a_quiet_run_is_described_in_one_line() {
        let mut run = Quietness {
            samples: 300,
            disturbed: 3,
            by: BTreeMap::new(),
            steal: Some(0.001),
            others: Some(0.123),
            run_queue: None,
        };
        insta::assert_snapshot!(quiet(&run), @"noise: steal 0.1 %, others 12 % of the PUs in use; 3 of 300 samples disturbed; estimates use all of them");
        run.steal = None;
        run.others = None;
        run.disturbed = 0;
        insta::assert_snapshot!(quiet(&run), @"noise: none of 300 samples disturbed");
    }

    #[test]
    fn the_cost_of_free_threading_has_a_line_for_each_pair() {
        let mut summary = summaries::two_cores();
        assert!(overheads(&summary).is_empty());
        let overhead = |gil: &str, workload: Option<&str>, workloads| Overhead {
            gil: gil.to_owned(),
            free_threaded: "3.13t".to_owned(),
            arm: None,
            workload: workload.map(str::to_owned),
            workloads,
            ratio: summaries::estimate(1.62, 1.5),
        };
        summary.free_threading_overhead = vec![overhead("3.13", Some("fib"), 1), overhead("3.13", None, 4)];
        insta::assert_snapshot!(overheads(&summary).join("\n"), @"3.13t costs 1.62x [1.60, 1.64] on one worker (geometric mean of 4 workloads)");
        summary.workloads = vec![ftbench_fixtures::records::workload("fib")];
        summary.free_threading_overhead = vec![
            overhead("3.13", Some("fib"), 1),
            overhead("3.13", None, 1),
            overhead("3.13.5", None, 2),
        ];
        insta::assert_snapshot!(overheads(&summary).join("\n"), @"
        3.13t costs 1.62x [1.60, 1.64] over 3.13 on one worker (fib)
        3.13t costs 1.62x [1.60, 1.64] over 3.13.5 on one worker (geometric mean of 2 workloads)
        ");
    }

    #[test]
    fn sources_name_their_origin_or_the_reason_for_none() {
        let source = |name: &str, from: Option<&str>, reason: Option<&str>| Source {
            name: name.to_owned(),
            readable: from.is_some(),
            from: from.map(str::to_owned),
            reason: reason.map(str::to_owned),
        };
        let lines = sources(&[
            source("steal", Some("/proc/stat, in steps of 10 ms"), None),
            source("run_queue", None, Some("no such file")),
        ]);
        insta::assert_snapshot!(lines, @"
        steal      /proc/stat, in steps of 10 ms
        run queue  not readable here: no such file
        ");
    }
}
