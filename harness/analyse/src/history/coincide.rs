//! What else was not the same in the first run after a change.

use super::findings::{Difference, Subject, What};
use ftbench_schema::history::HistoryRun;

/// So many characters of a checksum tell files apart for people.
const SHORT: usize = 12;

/// The runs about a change, by time; at an end of the series a run stands for its neighbour that is not there.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The last but one before it.
    pub earlier: &'a HistoryRun,
    /// The last before it.
    pub before: &'a HistoryRun,
    /// The first after it.
    pub after: &'a HistoryRun,
    /// The second after it.
    pub later: &'a HistoryRun,
}

/// What differs between the runs about a change and may have to do with a series.
pub fn differences(subject: &Subject, around: Around<'_>) -> Vec<Difference> {
    let Around { before, after, .. } = around;
    let mut found = Vec::new();
    let mut compare = |what: What, old: &str, new: &str| {
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
        compare(What::Interpreter, old, new);
    }
    if let (Some(old), Some(new)) = (packages(subject, before), packages(subject, after)) {
        compare(What::Packages, &old, &new);
    }
    // A level's change is found within a night of its place, and a file that changed excuses it.
    if let (Some(old), Some(new)) = (file(subject, around.earlier), file(subject, around.later)) {
        let short = |sum: &str| sum.chars().take(SHORT).collect::<String>();
        compare(What::Workload, &short(old), &short(new));
    }
    compare(What::System, &before.system, &after.system);
    compare(What::Ftbench, &before.ftbench_version, &after.ftbench_version);
    compare(What::Profile, &before.profile, &after.profile);
    if let (Some(old), Some(new)) = (&before.commit, &after.commit) {
        compare(What::Commit, old, new);
    }
    found
}

/// The tag of the interpreter, with which its label begins.
fn tag(subject: &Subject) -> &str {
    match subject {
        Subject::Cell(key) => &key.interpreter,
        Subject::Mean { interpreter, .. } => interpreter.split(' ').next().unwrap_or_default(),
    }
}

/// The checksum of a cell's workload. In a mean a changed file begins anew, so it changes nothing there.
fn file<'r>(subject: &Subject, run: &'r HistoryRun) -> Option<&'r str> {
    match subject {
        Subject::Cell(key) => Some(run.workloads.get(&key.workload)?.sha256.as_str()),
        Subject::Mean { .. } => None,
    }
}

/// The packages that a cell, or the cells of a mean, ran with; `None` where none were installed, or none are recorded.
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
