//! Detects work that starts threads or processes of its own. With most models these share the PU of the worker that started
//! them; with the model `internal` there have to be some.

use std::collections::BTreeSet;

use ftbench_schema::{Model, PlannedCell, Trial, TrialStatus, Warning, WarningKind};

/// Minimum share of the time of the workers' PUs that extra threads must use to count. On PUs of their own they could
/// shorten a sample by no more than that share. Smaller effects are within the intervals of most runs, and event loops
/// have threads that resolve host names (1 to 4 % in `scripts/thread-cases.py`). If other processes run on these PUs
/// the share is smaller, so noise may hide extra threads but never produces them.
const EXTRA_SHARE: f64 = 0.05;

/// Extra threads must also be contended in more than this share of the inspections: one of them was ready to run on a
/// PU where another one, or a worker, was too. An inspection reads one thread after the other, so it occasionally sees
/// this for threads that take turns, such as a process that is waited for: in 0 to 4 % of the inspections on a quiet
/// machine, and up to 17 % with six tasks for each PU. For threads that could use more PUs it is 70 to 100 % on a quiet
/// machine (`scripts/thread-cases.py`, 2 PUs).
const CONTENDED_SHARE: f64 = 0.2;

/// A workload that starts threads, or does not start any.
struct Finding<'a> {
    kind: WarningKind,
    workload: &'a str,
    /// Their display labels.
    interpreters: Vec<String>,
    /// Maximum number of extra threads at the same time.
    max_extra: u32,
}

/// Returns warnings about the workloads of a run, given each planned cell and its trials.
#[must_use]
pub fn findings<'a>(cells: impl Iterator<Item = (&'a PlannedCell, &'a [&'a Trial])> + Clone) -> Vec<Warning> {
    let is_internal = |planned: &PlannedCell| planned.cell.model == Model::Internal;
    let internal = cells.clone().filter(|(planned, _)| is_internal(planned));
    let internal: BTreeSet<&str> = internal
        .map(|(planned, _)| planned.cell.workload.as_str())
        .collect();
    let mut found: Vec<Finding<'_>> = Vec::new();
    for (planned, trials) in cells {
        let cell = &planned.cell;
        let (kind, max_extra) = if cell.model != Model::Internal {
            // The `serial` cell of work that divides itself is meant to have one PU.
            if cell.model == Model::Serial && internal.contains(cell.workload.as_str()) {
                continue;
            }
            let Some(max_extra) = max_extra_threads(trials) else {
                continue;
            };
            (WarningKind::StartsThreads, max_extra)
        } else if cell.workers > 1 && has_no_extra_threads(trials) {
            (WarningKind::UsesOnePu, 0)
        } else {
            continue;
        };
        let label = cell.interpreter_label();
        let is_same = |found: &&mut Finding<'_>| found.kind == kind && found.workload == cell.workload;
        match found.iter_mut().find(is_same) {
            None => found.push(Finding {
                kind,
                workload: &cell.workload,
                interpreters: vec![label],
                max_extra,
            }),
            Some(found) => {
                found.max_extra = found.max_extra.max(max_extra);
                if !found.interpreters.contains(&label) {
                    found.interpreters.push(label);
                }
            }
        }
    }
    found.iter().map(Finding::warning).collect()
}

impl Finding<'_> {
    fn warning(&self) -> Warning {
        let Self {
            workload, max_extra, ..
        } = self;
        let interpreters = self.interpreters.join(", ");
        let message = if self.kind == WarningKind::StartsThreads {
            format!(
                "{workload} starts threads or processes of its own on {interpreters} (up to {max_extra} at once in \
                 addition to its workers), which share their worker's one PU, so its times may be far too long; measure it \
                 with -m internal"
            )
        } else {
            format!(
                "{workload} starts no thread or process on {interpreters}, so it uses one PU however many it may use; \
                 with -m internal it should start as many as FTBENCH_WORKERS or the parameter 'workers' says"
            )
        };
        Warning::of_workloads(self.kind, message, vec![(*workload).to_owned()])
    }
}

/// Returns whether the work of these trials starts threads or processes that share the PU of its worker.
#[must_use]
pub fn starts_threads(trials: &[&Trial]) -> bool {
    max_extra_threads(trials).is_some()
}

/// Returns the maximum number of extra threads at the same time in the trials of a cell, if they matter: if they used
/// the PUs in at least half of the usable trials, and waited for each other or for a worker there. `None` for a cell
/// that is not pinned, because its threads run wherever the scheduler places them.
fn max_extra_threads(trials: &[&Trial]) -> Option<u32> {
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
    // Samples that are too short for an inspection are judged by CPU time alone.
    let is_contended = looks == 0 || contended as f64 > CONTENDED_SHARE * looks as f64;
    let max_extra = usable().map(|(_, extra)| extra.max_at_once).max()?;
    (is_used && is_contended).then_some(max_extra)
}

/// Returns whether no trial of a cell had threads or processes in addition to its main thread.
fn has_no_extra_threads(trials: &[&Trial]) -> bool {
    let mut usable = trials
        .iter()
        .filter(|trial| trial.status == TrialStatus::Ok)
        .filter_map(|trial| Some((trial, trial.extra_threads?)))
        .peekable();
    usable.peek().is_some()
        && usable.all(|(trial, extra)| extra.max_at_once == 0 && share_of_extra_threads(trial) <= EXTRA_SHARE)
}

/// Returns the share of its PUs' time that extra threads used during counted samples with a recorded cost; 0 if
/// unknown.
fn share_of_extra_threads(trial: &Trial) -> f64 {
    let used_ns = trial.extra_threads.and_then(|extra| extra.cpu_time_ns);
    let pus: BTreeSet<u32> = trial.placement.iter().copied().collect();
    let makespans_ns: u64 = trial
        .counted_samples()
        .filter(|sample| sample.cost.is_some())
        .fold(0, |sum, sample| sum.saturating_add(sample.makespan_ns()));
    let capacity_ns = makespans_ns as f64 * pus.len() as f64;
    if capacity_ns > 0.0 {
        used_ns.unwrap_or(0) as f64 / capacity_ns
    } else {
        0.0
    }
}

#[cfg(test)]
#[path = "extra_threads_tests.rs"]
mod tests;
