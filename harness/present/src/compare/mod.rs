//! What a comparison says, in words that its formats share.

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
use ftbench_schema::{Estimate, Kernels, WorkloadKind};

use super::table::{Cell, Column, Table, Tone};
use ftbench_schema::text::{self, counted};
use ftbench_schema::units;

/// The verdict in a line: whether there is a regression, and the counts.
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
    let told: Vec<String> = counts
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
    format!("{opening}: {wholes}of {cells} {}", told.join(", "))
}

/// What is compared with what, and which kind of comparison it is.
#[must_use]
pub fn sentences(comparison: &Comparison) -> Vec<String> {
    let mut told = vec![format!(
        "BASE is {}, NEW is {}",
        side(&comparison.base),
        side(&comparison.new)
    )];
    told.push(match (comparison.pairing, &comparison.between_runs) {
        (Pairing::SameRounds, _) => {
            "paired in the same rounds: what the machine did to both cancels".to_owned()
        }
        (Pairing::DifferentTimes, None) => "runs made at different times".to_owned(),
        (Pairing::DifferentTimes, Some(between)) => between_runs(between),
    });
    if comparison.interpreters_matched && comparison.base.interpreter.is_none() {
        told.push("each side has one interpreter, and they are called differently: they are compared with each other".to_owned());
    }
    if comparison.pairing == Pairing::DifferentTimes && comparison.drift.is_empty() {
        told.push(
            "no ceiling tells what the machine did meanwhile: a common change of all cells may be the machine's".to_owned(),
        );
    }
    for kernels in Kernels::ALL {
        let of_kernels = comparison.drift.iter().filter(|one| one.kernels == kernels);
        told.extend(drift(kernels, &of_kernels.collect::<Vec<_>>()));
    }
    told
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
        "documented values, for there is no history".to_owned()
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
        "runs made at different times: intervals carry what lies between runs, for all cells together {}, and for each \
         {} (standard deviations, {source})",
        common.join(", "),
        percent(between.own)
    )
}

/// What the machine did as kernels of one group saw it; `None` where none did.
fn drift(kernels: Kernels, drifts: &[&Drift]) -> Option<String> {
    let name = match kernels {
        Kernels::Computing => "computing",
        Kernels::Memory => "memory",
    };
    let cells = drifts.iter().map(|drift| drift.cells).max()?;
    let none = drifts.iter().all(|drift| !drift.taken_out);
    let told: Vec<String> = drifts
        .iter()
        .map(|drift| {
            let left = if drift.taken_out || none { "" } else { " (left in)" };
            format!("{} on {}{left}", change(drift.ratio), counted(drift.pus, "PU"))
        })
        .collect();
    Some(format!(
        "by the ceiling's {name} kernels ({}) the machine itself was {} in NEW; {}",
        counted(cells, "workload"),
        told.join(", "),
        if none { "left in" } else { "taken out" }
    ))
}

/// "3.1 % [2.1, 4.1] slower"
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

/// The cells, a row each; without the times of both sides where there is no room, and names of so many characters.
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

/// Workloads as a whole, a row each.
fn workload_table(wholes: &[&WorkloadComparison]) -> Table {
    let each = || wholes.iter();
    Table::new(vec![
        Column::words("as a whole, on one PU", each().map(|whole| &whole.workload)),
        Column::figures("cells", each().map(|whole| whole.cells)),
        ratios(each().map(|whole| (whole.ratio, whole.verdict))),
        verdicts(each().map(|whole| whole.verdict)),
    ])
}

/// The geometric means, a row each.
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

/// The cells in the order in which they matter: by verdict, the worst first, and those of a verdict as they came.
fn by_verdict(comparison: &Comparison) -> Vec<&CellComparison> {
    let mut cells: Vec<&CellComparison> = comparison.cells.iter().collect();
    cells.sort_by_key(|cell| order(cell.verdict));
    cells
}

/// The workloads likewise.
fn workloads_by_verdict(comparison: &Comparison) -> Vec<&WorkloadComparison> {
    let mut workloads: Vec<&WorkloadComparison> = comparison.workloads.iter().collect();
    workloads.sort_by_key(|whole| order(whole.verdict));
    workloads
}

fn order(verdict: Verdict) -> Option<usize> {
    Verdict::ALL.iter().position(|one| *one == verdict)
}

/// Cells without a ratio that have the same cause.
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

/// How many cells of a group are named.
const NAMED: usize = 4;

fn group_sentence(group: &Group<'_>) -> String {
    format!(
        "{}: {}{}",
        group.change.words(),
        names(&group.cells),
        because(group.reason)
    )
}

/// The first cells' names.
fn names(cells: &[&Key]) -> String {
    let mut names: Vec<String> = cells.iter().take(NAMED).map(|key| name(key)).collect();
    if cells.len() > NAMED {
        names.push(format!("{} more", cells.len() - NAMED));
    }
    names.join(", ")
}

fn because(reason: Option<&str>) -> String {
    reason
        .map(|reason| format!(": {}", text::line(reason)))
        .unwrap_or_default()
}

/// The cells that were compared although they failed in some runs, those with the same cause together.
fn failed_in_some(comparison: &Comparison) -> Vec<String> {
    let alike = |one: &FailedInSome, other: &FailedInSome| {
        (one.side, one.failed, one.runs, &one.reason) == (other.side, other.failed, other.runs, &other.reason)
    };
    let mut groups: Vec<(&FailedInSome, Vec<&Key>)> = Vec::new();
    for failure in &comparison.failed_in_some {
        match groups.iter_mut().find(|(first, _)| alike(first, failure)) {
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
            because(first.reason.as_deref())
        )
    };
    groups.into_iter().map(sentence).collect()
}

/// A cell's name, `fib 3.13t threads x2`.
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

/// What else a reader must know: in what the sides differ, what was overridden, what stands in the way of believing.
fn remarks(comparison: &Comparison) -> Vec<String> {
    let overridden = comparison
        .overridden
        .iter()
        .map(|why| format!("compared all the same: {why}"));
    let told = overridden
        .chain(comparison.cautions.iter().cloned())
        .chain(failed_in_some(comparison))
        .chain(changed_units(comparison));
    told.map(|line| text::line(&line)).collect()
}

/// Times are compared per unit. That is exact where a sample's time is proportional to its units; what is paid once for
/// each sample weighs more where there are fewer.
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
            "samples of {} had more than half as many units again on one side; times are compared per unit, which is exact \
             where they are proportional",
            workloads.join(", ")
        )
    })
}
