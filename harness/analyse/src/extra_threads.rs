//! Whether work starts threads or processes of its own, which then share the PU of the worker that started them.

use std::collections::BTreeSet;

use ftbench_schema::{PlannedCell, Trial, TrialStatus, Warning, WarningKind};

/// Extra threads count when they use more than this share of the time of the PUs that the workers are bound to. On PUs of
/// their own they could shorten a sample by no more than that share; what is smaller is within the intervals of most runs,
/// and event loops have threads that look up the names of hosts (1 to 4 % in `scripts/thread-cases.py`). Where other
/// processes run on these PUs the share gets smaller, so that noise may hide extra threads and never makes them up.
const EXTRA_SHARE: f64 = 0.05;

/// And when in more than this share of the looks one of them was ready to run on a PU where another one, or a worker, was
/// too. A look reads one thread after the other, and so finds this now and then of threads that take turns, such as a
/// process that is waited for: in 0 to 4 % of the looks on a quiet machine, up to 17 % with six tasks for each PU. Of
/// threads that could use more PUs it is found in 70 to 100 % on a quiet machine (`scripts/thread-cases.py`, 2 PUs).
const CONTENDED_SHARE: f64 = 0.2;

/// A workload that starts threads.
struct Found<'a> {
    workload: &'a str,
    /// As reports call them.
    interpreters: Vec<String>,
    /// The most extra threads that were seen at once.
    most: u32,
}

/// Warnings about the workloads of a run, from each planned cell and its trials.
#[must_use]
pub fn findings<'a>(cells: impl Iterator<Item = (&'a PlannedCell, &'a [&'a Trial])>) -> Vec<Warning> {
    let mut found: Vec<Found<'_>> = Vec::new();
    for (planned, trials) in cells {
        let Some(most) = most_of_cell(trials) else {
            continue;
        };
        let cell = &planned.cell;
        let label = cell.interpreter_label();
        match found.iter_mut().find(|found| found.workload == cell.workload) {
            None => found.push(Found {
                workload: &cell.workload,
                interpreters: vec![label],
                most,
            }),
            Some(found) => {
                found.most = found.most.max(most);
                if !found.interpreters.contains(&label) {
                    found.interpreters.push(label);
                }
            }
        }
    }
    found.iter().map(Found::warning).collect()
}

impl Found<'_> {
    fn warning(&self) -> Warning {
        Warning::of_workloads(
            WarningKind::StartsThreads,
            format!(
                "{} starts threads or processes of its own on {} (up to {} at once beside its workers), which share \
                 their worker's one PU; its times may be far too long: measure it with --pin none",
                self.workload,
                self.interpreters.join(", "),
                self.most,
            ),
            vec![self.workload.to_owned()],
        )
    }
}

/// The most extra threads that were seen at once in the trials of a cell, when they are more than nothing: when in half of
/// its usable trials or more they used the PUs, and when they waited for each other or for a worker there. `None` for a
/// cell that is not pinned: its threads go where the scheduler sends them.
fn most_of_cell(trials: &[&Trial]) -> Option<u32> {
    let usable = || {
        let pinned = trials
            .iter()
            .filter(|trial| trial.status == TrialStatus::Ok && !trial.placement.is_empty());
        pinned.filter_map(|trial| Some((trial, trial.extra_threads?)))
    };
    let used = usable().filter(|(trial, _)| share_of_extra_threads(trial) > EXTRA_SHARE);
    let is_used = 2 * used.count() >= usable().count();
    let (looks, contended) = usable().fold((0, 0), |(looks, contended), (_, extra)| {
        (
            looks + u64::from(extra.looks),
            contended + u64::from(extra.contended_looks),
        )
    });
    // Where samples are too short to look at, their CPU time has to do.
    let is_contended = looks == 0 || contended as f64 > CONTENDED_SHARE * looks as f64;
    let most = usable().map(|(_, extra)| extra.most).max()?;
    (is_used && is_contended).then_some(most)
}

/// The share of its PUs' time that extra threads used while counted samples of the trial ran that were watched; 0 where it is
/// not known.
fn share_of_extra_threads(trial: &Trial) -> f64 {
    let used_ns = trial.extra_threads.and_then(|extra| extra.cpu_time_ns);
    let pus: BTreeSet<u32> = trial.placement.iter().copied().collect();
    let made_ns: u64 = trial
        .counted_samples()
        .filter(|sample| sample.cost.is_some())
        .fold(0, |sum, sample| sum.saturating_add(sample.makespan_ns()));
    let capacity_ns = made_ns as f64 * pus.len() as f64;
    if capacity_ns > 0.0 {
        used_ns.unwrap_or(0) as f64 / capacity_ns
    } else {
        0.0
    }
}

#[cfg(test)]
#[path = "extra_threads_tests.rs"]
mod tests;
