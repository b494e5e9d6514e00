//! Comparisons between arms (versions of the code), in words and as a table.

use ftbench_schema::{ArmRatio, Model, Summary};

use super::headline::{Clause, Verdict, with_interval};
use super::table::{Cell, Column, Table};
use ftbench_analyse::multiple::SMALLEST_EFFECT;
use ftbench_schema::{text, units};

/// The results of one arm, with one workload on one interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Arm and interpreter, with the workload if there are several: `new on 3.13` or `fib, new on 3.13`.
    pub subject: String,
    /// One clause for one worker and one for several, where measured.
    pub clauses: Vec<Clause>,
}

/// Returns the verdict on an arm: faster or slower if the difference survives the correction for all comparisons of
/// the run. Otherwise flat if the whole interval is within [`SMALLEST_EFFECT`] of 1, and unclear if it is not.
#[must_use]
pub fn verdict(compared: &ArmRatio) -> Verdict {
    let ratio = compared.ratio;
    if compared.difference.differs {
        if ratio.estimate > 1.0 {
            Verdict::Faster
        } else {
            Verdict::Slower
        }
    } else if ratio.low >= 1.0 - SMALLEST_EFFECT && ratio.high <= 1.0 + SMALLEST_EFFECT {
        Verdict::Flat
    } else {
        Verdict::Unclear
    }
}

/// A verdict in a word or two.
#[must_use]
pub fn verdict_words(verdict: Verdict) -> String {
    match verdict {
        Verdict::Faster => "faster".to_owned(),
        Verdict::Slower => "slower".to_owned(),
        Verdict::Flat => format!("same within {} %", units::number(100.0 * SMALLEST_EFFECT, 0)),
        Verdict::Unclear => "cannot tell".to_owned(),
    }
}

/// Groups the ratios of a run by workload, interpreter and arm. Subjects name workloads if there are several.
#[must_use]
pub fn comparisons(summary: &Summary) -> Vec<Comparison> {
    let several = summary
        .arm_ratios
        .iter()
        .any(|compared| summary.arm_ratios.first().map(|first| &first.workload) != Some(&compared.workload));
    let mut groups: Vec<Vec<&ArmRatio>> = Vec::new();
    for compared in &summary.arm_ratios {
        let is_own =
            |group: &&mut Vec<&ArmRatio>| group.first().is_some_and(|first| same_group(first, compared));
        match groups.iter_mut().find(is_own) {
            Some(group) => group.push(compared),
            None => groups.push(vec![compared]),
        }
    }
    groups
        .iter()
        .filter_map(|group| comparison(group, several))
        .collect()
}

fn same_group(one: &ArmRatio, other: &ArmRatio) -> bool {
    one.workload == other.workload
        && one.interpreter == other.interpreter
        && one.host == other.host
        && one.arm == other.arm
}

fn comparison(group: &[&ArmRatio], name_workload: bool) -> Option<Comparison> {
    let first = group.first()?;
    let mut subject = format!("{} on {}", text::line(first.arm_name()), interpreter_label(first));
    if name_workload {
        subject = format!("{}, {subject}", text::shorten(&text::line(&first.workload), 32));
    }
    let shown = [one_worker(group), several_workers(group)];
    Some(Comparison {
        subject,
        clauses: shown.into_iter().flatten().map(clause).collect(),
    })
}

/// The label of the interpreter, without an arm.
fn interpreter_label(compared: &ArmRatio) -> String {
    let tag = text::shorten(&text::line(&compared.interpreter), 24);
    compared.host.label(&tag, None)
}

/// Picks serial, or else the first model with one worker.
fn one_worker<'a>(group: &[&'a ArmRatio]) -> Option<&'a ArmRatio> {
    let alone = || group.iter().copied().filter(|compared| compared.workers == 1);
    let serial = alone().find(|compared| compared.model == Model::Serial);
    serial.or_else(|| alone().next())
}

/// Picks threads, or else the first model with several workers, at its largest number of workers.
fn several_workers<'a>(group: &[&'a ArmRatio]) -> Option<&'a ArmRatio> {
    let several = || group.iter().copied().filter(|compared| compared.workers > 1);
    let threads = several().find(|compared| compared.model == Model::Threads);
    let model = threads.or_else(|| several().next())?.model;
    several()
        .filter(|compared| compared.model == model)
        .max_by_key(|compared| compared.workers)
}

/// `1.08x as fast as base [1.05, 1.11], threads x2`.
fn clause(compared: &ArmRatio) -> Clause {
    let verdict = verdict(compared);
    let base = text::line(&compared.base);
    let figures = with_interval(compared.ratio);
    let found = match verdict {
        Verdict::Faster | Verdict::Slower => {
            let (times, interval) = figures.split_once(' ').unwrap_or((&figures, ""));
            format!("{times} as fast as {base} {interval}")
        }
        Verdict::Flat => format!(
            "as fast as {base} within {} %: {figures}",
            units::number(100.0 * SMALLEST_EFFECT, 0)
        ),
        Verdict::Unclear => format!("no clear difference from {base}: {figures}"),
    };
    Clause {
        verdict,
        words: format!("{found}, {}", with_workers(compared)),
    }
}

fn with_workers(compared: &ArmRatio) -> String {
    match compared.model {
        Model::Serial => Model::Serial.name().to_owned(),
        model => format!("{model} x{}", compared.workers),
    }
}

/// The comparisons of a run, one row each.
#[must_use]
pub fn table(summary: &Summary) -> Table {
    let each = || summary.arm_ratios.iter();
    Table::new(vec![
        Column::words(
            "workload",
            each().map(|compared| text::shorten(&text::line(&compared.workload), 32)),
        ),
        Column::words("interpreter", each().map(interpreter_label)),
        Column::words("model", each().map(|compared| compared.model)),
        Column::figures("workers", each().map(|compared| compared.workers)),
        Column::words("arm", each().map(|compared| compared.arm_name())),
        Column::words(
            "times as fast as",
            each().map(|compared| format!("{}: {}", compared.base, with_interval(compared.ratio))),
        ),
        Column::words(
            "verdict",
            each().map(|compared| {
                let verdict = verdict(compared);
                Cell::from(verdict_words(verdict)).toned(verdict.tone())
            }),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::summaries;

    #[test]
    fn an_arm_is_compared_with_one_worker_and_with_several() {
        let lines = |summary: &Summary| -> Vec<String> {
            let found = comparisons(summary).into_iter();
            found
                .map(|found| {
                    let words: Vec<String> = found.clauses.into_iter().map(|clause| clause.words).collect();
                    format!("{}: {}", found.subject, words.join("; "))
                })
                .collect()
        };
        let mut summary = summaries::with_arms();
        insta::assert_snapshot!(lines(&summary).join("\n"), @"
        new on 3.13: 1.08x as fast as base [1.05, 1.11], serial; no clear difference from base: 1.02x [0.97, 1.07], threads x2
        new on 3.13t: 0.91x as fast as base [0.89, 0.93], serial; as fast as base within 2 %: 1.00x [0.99, 1.01], threads x2
        ");
        for compared in summary.arm_ratios.iter_mut().skip(4) {
            compared.cell.workload = "other".to_owned();
        }
        assert!(
            lines(&summary)
                .iter()
                .all(|line| line.starts_with("fib, new") || line.starts_with("other, new"))
        );
        assert!(comparisons(&summaries::two_cores()).is_empty());
    }

    #[test]
    fn every_comparison_is_a_row() {
        let summary = summaries::with_arms();
        let rows: Vec<Vec<String>> = table(&summary).texts().collect();
        assert_eq!(rows.len(), summary.arm_ratios.len());
        let first = rows.first().map(|row| row.join(" | "));
        insta::assert_snapshot!(first.unwrap_or_default(), @"fib | 3.13 | serial | 1 | new | base: 1.08x [1.05, 1.11] | faster");
    }
}
