//! A comparison in words, which its formats share.

pub mod fleet;
pub mod junit;
pub mod markdown;
pub mod table;
#[cfg(test)]
#[path = "tests.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;

use ftbench_analyse::compare::{
    BetweenRuns, CellComparison, Change, Comparison, Counts, Drift, FailedInSome, Key, Pairing, SideFacts,
    Unmatched, Verdict, WorkloadComparison,
};
use ftbench_schema::{Estimate, KernelGroup, WorkloadKind};

use super::table::{Cell, Column, Table, Tone};
use ftbench_schema::text::{self, counted};
use ftbench_schema::units;

/// The verdict in one line: whether there is a regression, and the counts.
#[must_use]
pub fn verdict(comparison: &Comparison) -> String {
    let Counts {
        slower,
        faster,
        same,
        cannot_tell,
        broken,
        not_compared,
    } = comparison.counts;
    let opening = if comparison.has_regression() {
        "regression"
    } else {
        "no regression"
    };
    let effect = units::number(100.0 * comparison.smallest_effect, 2);
    let effect = effect.trim_end_matches('0').trim_end_matches('.');
    let counts = [
        (slower, "slower".to_owned()),
        (broken, "broken".to_owned()),
        (faster, "faster".to_owned()),
        (same, format!("same within {effect} %")),
        (cannot_tell, "cannot tell".to_owned()),
        (not_compared, "not compared".to_owned()),
    ];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    let cells = counted(comparison.cells.len() + comparison.unmatched.len(), "cell");
    let wholes: String = [Verdict::Slower, Verdict::Faster]
        .into_iter()
        .filter_map(|verdict| {
            let with = comparison.workloads.iter().filter(|one| one.verdict == verdict);
            let count = Some(with.count()).filter(|&count| count > 0)?;
            Some(format!(
                "{} {} as a whole; ",
                counted(count, "workload"),
                verdict.words()
            ))
        })
        .collect();
    format!("{opening}: {wholes}of {cells} {}", counts.join(", "))
}

/// Sentences on the two sides and on how they are compared.
#[must_use]
pub fn sentences(comparison: &Comparison) -> Vec<String> {
    let mut sentences = vec![format!(
        "BASE is {}, NEW is {}",
        side(&comparison.base),
        side(&comparison.new)
    )];
    sentences.push(match (comparison.pairing, &comparison.between_runs) {
        (Pairing::SameRounds, _) => {
            "paired in the same rounds: effects of the machine on both sides cancel".to_owned()
        }
        (Pairing::DifferentTimes, None) => "runs made at different times".to_owned(),
        (Pairing::DifferentTimes, Some(between)) => between_runs(between),
    });
    if comparison.interpreters_matched && comparison.base.interpreter.is_none() {
        sentences.push(
            "each side has one interpreter, and the names differ: the two are compared with each other"
                .to_owned(),
        );
    }
    if comparison.pairing == Pairing::DifferentTimes && comparison.drift.is_empty() {
        sentences.push(
            "no ceiling shows how the machine changed in between: a change that all cells share may be the machine's"
                .to_owned(),
        );
    }
    for kernels in KernelGroup::ALL {
        let of_kernels = comparison.drift.iter().filter(|one| one.kernels == kernels);
        sentences.extend(drift(kernels, &of_kernels.collect::<Vec<_>>()));
    }
    sentences
}

fn side(side: &SideFacts) -> String {
    let runs: Vec<String> = side.runs.iter().map(|name| text::line(name)).collect();
    let runs = match runs.as_slice() {
        [first, .., last] => format!("{} runs from {first} to {last}", runs.len()),
        _ => runs.join(", "),
    };
    match &side.interpreter {
        Some(name) => format!("{} in {runs}", text::line(name)),
        None => runs,
    }
}

fn between_runs(between: &BetweenRuns) -> String {
    let percent = |share: f64| units::per_cent(share, 1);
    let source = if between.runs == 0 {
        "documented values, because there is no history".to_owned()
    } else {
        format!(
            "estimated from {} and documented values",
            counted(between.runs, "run")
        )
    };
    let common: Vec<String> = between
        .common
        .iter()
        .map(|common| {
            let pus = if common.several_pus {
                "several PUs"
            } else {
                "one PU"
            };
            let without = if common.corrected {
                ""
            } else {
                " with the drift left in"
            };
            format!("{} on {pus}{without}", percent(common.deviation))
        })
        .collect();
    format!(
        "runs made at different times: intervals include the variation between runs, common to all cells ({}) and of \
         each cell ({}); standard deviations, {source}",
        common.join(", "),
        percent(between.own)
    )
}

/// A sentence on the drift of the machine as the kernels of one group show it; `None` if none was measured.
fn drift(kernels: KernelGroup, drifts: &[&Drift]) -> Option<String> {
    let name = match kernels {
        KernelGroup::Computing => "computing",
        KernelGroup::Memory => "memory",
    };
    let cells = drifts.iter().map(|drift| drift.cells).max()?;
    let none_taken_out = drifts.iter().all(|drift| !drift.taken_out);
    let changes: Vec<String> = drifts
        .iter()
        .map(|drift| {
            let left = if drift.taken_out || none_taken_out {
                ""
            } else {
                " (left in)"
            };
            format!("{} on {}{left}", change(drift.ratio), counted(drift.pus, "PU"))
        })
        .collect();
    Some(format!(
        "according to the ceiling's {name} kernels ({}), the machine itself was {} in NEW; {}",
        counted(cells, "workload"),
        changes.join(", "),
        if none_taken_out { "left in" } else { "taken out" }
    ))
}

/// Formats a ratio of times: `3.1 % [2.1, 4.1] slower`.
fn change(ratio: Estimate) -> String {
    let percent = |ratio: f64| units::number(100.0 * (ratio - 1.0), 1);
    let Estimate { estimate, low, high } = ratio;
    let (what, sign) = if estimate >= 1.0 {
        ("slower", 1.0)
    } else {
        ("faster", -1.0)
    };
    let ends = if sign > 0.0 { [low, high] } else { [high, low] };
    let [from, to] = ends.map(|end| percent(1.0 + sign * (end - 1.0)));
    format!(
        "{} % [{from}, {to}] {what}",
        percent(1.0 + sign * (estimate - 1.0))
    )
}

/// The cells, one row each; the times of both sides are included if `with_times`, and names are shortened to
/// `longest_name` characters.
fn cell_table(cells: &[&CellComparison], with_times: bool, longest_name: usize) -> Table {
    let each = || cells.iter();
    let name = |name: &str| text::shorten(&text::line(name), longest_name);
    let mut columns = vec![Column::words(
        "workload",
        each().map(|cell| name(&cell.cell.workload)),
    )];
    if each().any(|cell| cell.cell.interpreter.is_some()) {
        let interpreters = each().map(|cell| name(cell.cell.interpreter.as_deref().unwrap_or_default()));
        columns.push(Column::words("interpreter", interpreters));
    }
    columns.push(Column::words("model", each().map(|cell| cell.cell.model)));
    columns.push(Column::figures("workers", each().map(|cell| cell.cell.workers)));
    if with_times {
        columns.push(Column::figures(
            "BASE",
            each().map(|cell| per_unit(cell.base_s_per_unit)),
        ));
        columns.push(Column::figures(
            "NEW",
            each().map(|cell| per_unit(cell.new_s_per_unit)),
        ));
    }
    columns.push(ratios(each().map(|cell| (cell.ratio, cell.verdict))));
    columns.push(verdicts(each().map(|cell| cell.verdict)));
    Table::new(columns)
}

/// Workloads as a whole, one row each.
fn workload_table(wholes: &[&WorkloadComparison]) -> Table {
    let each = || wholes.iter();
    Table::new(vec![
        Column::words("as a whole, on one PU", each().map(|whole| &whole.workload)),
        Column::figures("cells", each().map(|whole| whole.cells)),
        ratios(each().map(|whole| (whole.ratio, whole.verdict))),
        verdicts(each().map(|whole| whole.verdict)),
    ])
}

/// The geometric means, one row each.
fn mean_table(comparison: &Comparison) -> Table {
    let each = || comparison.geometric_means.iter();
    Table::new(vec![
        Column::words(
            "geometric mean",
            each().map(|mean| mean.kind.map_or("all", WorkloadKind::name)),
        ),
        Column::figures("workloads", each().map(|mean| mean.workloads)),
        Column::figures("cells", each().map(|mean| mean.cells)),
        Column::figures("NEW / BASE", each().map(|mean| ratio(mean.ratio))),
    ])
}

fn ratios(each: impl Iterator<Item = (Estimate, Verdict)>) -> Column {
    let cells = each.map(|(value, verdict)| Cell::from(ratio(value)).toned(tone(verdict)));
    Column::figures("NEW / BASE", cells)
}

fn verdicts(each: impl Iterator<Item = Verdict>) -> Column {
    Column::words(
        "verdict",
        each.map(|verdict| Cell::from(verdict.words()).toned(tone(verdict))),
    )
}

const fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Slower => Tone::Bad,
        Verdict::Faster => Tone::Good,
        Verdict::CannotTell => Tone::Caution,
        Verdict::Same => Tone::Plain,
    }
}

/// A ratio of times with its interval.
fn ratio(ratio: Estimate) -> String {
    let decimals = if ratio.estimate.abs() < 9.995 {
        3
    } else {
        units::ratio_decimals(ratio.estimate)
    };
    let [value, low, high] =
        [ratio.estimate, ratio.low, ratio.high].map(|value| units::number(value, decimals));
    format!("{value} [{low}, {high}]")
}

fn per_unit(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| units::UNKNOWN.to_owned(), units::duration)
}

/// The cells by verdict, the worst first; those with the same verdict stay in order.
fn by_verdict(comparison: &Comparison) -> Vec<&CellComparison> {
    let mut cells: Vec<&CellComparison> = comparison.cells.iter().collect();
    cells.sort_by_key(|cell| order(cell.verdict));
    cells
}

/// The workloads by verdict, the worst first; those with the same verdict stay in order.
fn workloads_by_verdict(comparison: &Comparison) -> Vec<&WorkloadComparison> {
    let mut workloads: Vec<&WorkloadComparison> = comparison.workloads.iter().collect();
    workloads.sort_by_key(|whole| order(whole.verdict));
    workloads
}

fn order(verdict: Verdict) -> Option<usize> {
    Verdict::ALL.iter().position(|one| *one == verdict)
}

/// Cells without a ratio, all for the same reason.
struct Group<'a> {
    change: Change,
    reason: Option<&'a str>,
    cells: Vec<&'a Key>,
}

fn groups(comparison: &Comparison) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for Unmatched { cell, change, reason } in &comparison.unmatched {
        let reason = reason.as_deref();
        let known = groups
            .iter_mut()
            .find(|group| group.change == *change && group.reason == reason);
        match known {
            Some(group) => group.cells.push(cell),
            None => groups.push(Group {
                change: *change,
                reason,
                cells: vec![cell],
            }),
        }
    }
    groups.sort_by_key(|group| Change::ALL.iter().position(|change| *change == group.change));
    groups
}

/// The maximum number of cells that are named for a group.
const MAX_NAMES: usize = 4;

fn group_sentence(group: &Group<'_>) -> String {
    format!(
        "{}: {}{}",
        group.change.words(),
        names(&group.cells),
        reason_suffix(group.reason)
    )
}

/// The names of the first cells, and the number of the others.
fn names(cells: &[&Key]) -> String {
    let mut names: Vec<String> = cells.iter().take(MAX_NAMES).map(|key| name(key)).collect();
    if cells.len() > MAX_NAMES {
        names.push(format!("{} more", cells.len() - MAX_NAMES));
    }
    names.join(", ")
}

fn reason_suffix(reason: Option<&str>) -> String {
    reason
        .map(|reason| format!(": {}", text::line(reason)))
        .unwrap_or_default()
}

/// Warnings about cells that were compared although they failed in some runs, one for each cause.
fn failed_in_some(comparison: &Comparison) -> Vec<String> {
    let same_cause = |one: &FailedInSome, other: &FailedInSome| {
        (one.side, one.failed, one.runs, &one.reason) == (other.side, other.failed, other.runs, &other.reason)
    };
    let mut groups: Vec<(&FailedInSome, Vec<&Key>)> = Vec::new();
    for failure in &comparison.failed_in_some {
        match groups.iter_mut().find(|(first, _)| same_cause(first, failure)) {
            Some((_, cells)) => cells.push(&failure.cell),
            None => groups.push((failure, vec![&failure.cell])),
        }
    }
    let sentence = |(first, cells): (&FailedInSome, Vec<&Key>)| {
        format!(
            "compared without the {} of {} runs of {} that failed: {}{}",
            first.failed,
            first.runs,
            first.side.word(),
            names(&cells),
            reason_suffix(first.reason.as_deref())
        )
    };
    groups.into_iter().map(sentence).collect()
}

/// The name of a cell: `fib 3.13t threads x2`.
fn name(key: &Key) -> String {
    let mut words = vec![text::line(&key.workload)];
    words.extend(
        key.interpreter
            .as_ref()
            .map(|interpreter| text::line(interpreter)),
    );
    words.push(key.model.to_string());
    words.push(format!("x{}", key.workers));
    words.join(" ")
}

/// Warnings for the reader: overridden obstacles, cautions, cells that failed in some runs, and changed units.
fn remarks(comparison: &Comparison) -> Vec<String> {
    let overridden = comparison
        .overridden
        .iter()
        .map(|why| format!("compared anyway: {why}"));
    let remarks = overridden
        .chain(comparison.cautions.iter().cloned())
        .chain(failed_in_some(comparison))
        .chain(changed_units(comparison));
    remarks.map(|line| text::line(&line)).collect()
}

/// A warning about workloads whose samples have far more units on one side. Times are compared per unit, which is exact
/// if a sample's time is proportional to its units; a fixed cost per sample weighs more with fewer units.
fn changed_units(comparison: &Comparison) -> Option<String> {
    let far = |one: u64, other: u64| one.max(other) as f64 > 1.5 * one.min(other) as f64;
    let mut workloads: Vec<String> = comparison
        .cells
        .iter()
        .filter(|cell| {
            cell.base_units
                .iter()
                .any(|one| cell.new_units.iter().any(|other| far(*one, *other)))
        })
        .map(|cell| text::line(&cell.cell.workload))
        .collect();
    workloads.dedup();
    (!workloads.is_empty()).then(|| {
        format!(
            "samples of {} had over 1.5 times as many units on one side; times are compared per unit, which is exact \
             only if they are proportional to units",
            workloads.join(", ")
        )
    })
}
