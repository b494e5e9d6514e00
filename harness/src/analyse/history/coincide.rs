//! What else was not the same in the first run after a change.

use super::{Difference, Subject, What};
use crate::record::schema::history::HistoryRun;

/// So many characters of a checksum tell files apart for people.
const SHORT: usize = 12;

/// What differs between two runs and may have to do with a series.
pub fn differences(subject: &Subject, before: &HistoryRun, after: &HistoryRun) -> Vec<Difference> {
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
    let tag = match subject {
        Subject::Cell(key) => key.interpreter.as_str(),
        Subject::Mean { interpreter, .. } => interpreter.split(' ').next().unwrap_or_default(),
    };
    if let (Some(old), Some(new)) = (before.builds.get(tag), after.builds.get(tag)) {
        compare(What::Interpreter, old, new);
    }
    let workload = |run: &HistoryRun| match subject {
        Subject::Cell(key) => run.workloads.get(&key.workload).map(|facts| facts.sha256.clone()),
        Subject::Mean { .. } => None,
    };
    if let (Some(old), Some(new)) = (workload(before), workload(after)) {
        let short = |sum: &str| sum.chars().take(SHORT).collect::<String>();
        compare(What::Workload, &short(&old), &short(&new));
    }
    compare(What::System, &before.system, &after.system);
    compare(What::Ftbench, &before.ftbench_version, &after.ftbench_version);
    if let (Some(old), Some(new)) = (&before.commit, &after.commit) {
        compare(What::Commit, old, new);
    }
    found
}
