//! Differences that coincide with a change.

use super::findings::{Difference, DifferenceKind, Subject};
use ftbench_schema::history::HistoryRun;

/// Number of characters of a checksum that are shown.
const SHORT: usize = 12;

/// The runs around a change, by time. At an end of the series, a run also stands in for a missing neighbour.
#[derive(Debug, Clone, Copy)]
pub struct RunsAroundChange<'a> {
    /// The second to last run before the change.
    pub earlier: &'a HistoryRun,
    /// The last run before the change.
    pub before: &'a HistoryRun,
    /// The first run after the change.
    pub after: &'a HistoryRun,
    /// The second run with the new level.
    pub later: &'a HistoryRun,
}

/// Returns the differences between the runs around a change that may affect a series.
pub fn differences(subject: &Subject, around: RunsAroundChange<'_>) -> Vec<Difference> {
    let RunsAroundChange { before, after, .. } = around;
    let mut found = Vec::new();
    let mut compare = |what: DifferenceKind, old: &str, new: &str| {
        if old != new {
            found.push(Difference {
                what,
                before: old.to_owned(),
                after: new.to_owned(),
            });
        }
    };
    let tag = tag(subject);
    if let (Some(old), Some(new)) = (before.builds.get(tag), after.builds.get(tag)) {
        compare(DifferenceKind::Interpreter, old, new);
    }
    if let (Some(old), Some(new)) = (packages(subject, before), packages(subject, after)) {
        compare(DifferenceKind::Packages, &old, &new);
    }
    // A change of level is located to within one night, so a file that changed one night earlier or later explains it
    // too.
    if let (Some(old), Some(new)) = (file(subject, around.earlier), file(subject, around.later)) {
        let short = |sum: &str| sum.chars().take(SHORT).collect::<String>();
        compare(DifferenceKind::Workload, &short(old), &short(new));
    }
    compare(DifferenceKind::System, &before.system, &after.system);
    compare(
        DifferenceKind::Ftbench,
        &before.ftbench_version,
        &after.ftbench_version,
    );
    compare(DifferenceKind::Profile, &before.profile, &after.profile);
    if let (Some(old), Some(new)) = (&before.commit, &after.commit) {
        compare(DifferenceKind::Commit, old, new);
    }
    found
}

/// Returns the tag of the interpreter, with which its label begins.
fn tag(subject: &Subject) -> &str {
    match subject {
        Subject::Cell(key) => &key.interpreter,
        Subject::Mean { interpreter, .. } => interpreter.split(' ').next().unwrap_or_default(),
    }
}

/// Returns the checksum of a cell's workload. Means start again with a changed file, so it has no effect on them.
fn file<'r>(subject: &Subject, run: &'r HistoryRun) -> Option<&'r str> {
    match subject {
        Subject::Cell(key) => Some(run.workloads.get(&key.workload)?.sha256.as_str()),
        Subject::Mean { .. } => None,
    }
}

/// Returns the packages that a cell, or the cells of a mean, ran with; `None` if none were installed or recorded.
fn packages(subject: &Subject, run: &HistoryRun) -> Option<String> {
    let tag = tag(subject);
    let of_interpreter = run
        .environments
        .iter()
        .filter(|environment| environment.interpreter == tag);
    let mut packages: Vec<&str> = of_interpreter
        .filter(|environment| match subject {
            Subject::Cell(key) => {
                let is_of_arm = |arm: &String| environment.arms.is_empty() || environment.arms.contains(arm);
                environment.workloads.contains(&key.workload) && key.arm.as_ref().is_none_or(is_of_arm)
            }
            Subject::Mean { kind, .. } => environment.workloads.iter().any(|name| {
                let facts = run.workloads.get(name);
                facts.is_some_and(|facts| facts.kind == *kind)
            }),
        })
        .flat_map(|environment| environment.packages.split(", "))
        .filter(|package| !package.is_empty())
        .collect();
    packages.sort_unstable();
    packages.dedup();
    (!packages.is_empty()).then(|| packages.join(", "))
}
