//! Detects work that starts threads or processes of its own. With most models these share the PU of the worker that started
//! them; with the model `internal` there have to be some.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ftbench_schema::text::counted;
use ftbench_schema::{Cell, Model, PlannedCell, Trial, TrialStatus, Warning, WarningKind, WorkloadFacts};

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
    /// The threads of the cell that has the most.
    threads: Threads,
    /// Libraries with more than one thread in a pool, and the largest number of them.
    pools: BTreeMap<&'a str, u32>,
}

/// The threads of a cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Threads {
    /// All that were seen at the same time, workers included; processes with one thread count as one.
    total: u32,
    workers: u32,
    /// The PUs that they may use.
    pus: usize,
}

impl Threads {
    fn of(planned: &PlannedCell, max_extra: u32) -> Self {
        let workers = planned.cell.workers;
        let pus: BTreeSet<u32> = planned.placement.iter().copied().collect();
        Self {
            total: workers.saturating_add(max_extra),
            workers,
            pus: pus.len(),
        }
    }
}

impl fmt::Display for Threads {
    /// Writes the product, such as `4 workers x 8 threads = 32 threads on 4 PUs`, or a sum if all workers do not have
    /// the same number.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { total, workers, pus } = *self;
        let of_workers = counted(workers, "worker");
        let how = match total.checked_rem(workers) {
            Some(0) => format!("{of_workers} x {}", counted(total / workers, "thread")),
            _ => format!("{of_workers} + {}", counted(total - workers, "thread")),
        };
        write!(formatter, "{how} = {} on {} PU", counted(total, "thread"), pus)?;
        formatter.write_str(if pus == 1 { "" } else { "s" })
    }
}

/// Returns warnings about the workloads of a run, given each planned cell and its trials.
#[must_use]
pub fn findings<'a>(
    workloads: &[WorkloadFacts],
    cells: impl Iterator<Item = (&'a PlannedCell, &'a [&'a Trial])> + Clone,
) -> Vec<Warning> {
    let is_command = |cell: &Cell| {
        let mut commands = workloads.iter().filter(|facts| facts.command.is_some());
        commands.any(|facts| facts.name == cell.workload)
    };
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
        } else if cell.workers > 1 && is_command(cell) && has_single_thread(trials) {
            (WarningKind::UsesOnePu, 1)
        } else if cell.workers > 1 && has_no_extra_threads(trials) {
            (WarningKind::UsesOnePu, 0)
        } else {
            continue;
        };
        let label = cell.interpreter_label();
        let is_same = |found: &Finding<'_>| found.kind == kind && found.workload == cell.workload;
        let position = found.iter().position(is_same).unwrap_or(found.len());
        if position == found.len() {
            found.push(Finding {
                kind,
                workload: &cell.workload,
                interpreters: Vec::new(),
                threads: Threads::default(),
                pools: BTreeMap::new(),
            });
        }
        let Some(found) = found.get_mut(position) else {
            continue;
        };
        found.threads = found.threads.max(Threads::of(planned, max_extra));
        if !found.interpreters.contains(&label) {
            found.interpreters.push(label);
        }
        let pools = trials.iter().flat_map(|trial| &trial.thread_pools);
        for pool in pools.filter(|pool| pool.threads > 1) {
            let threads = found.pools.entry(&pool.library).or_default();
            *threads = pool.threads.max(*threads);
        }
    }
    found.iter().map(Finding::warning).collect()
}

impl Finding<'_> {
    fn warning(&self) -> Warning {
        let Self {
            workload, threads, ..
        } = self;
        let interpreters = self.interpreters.join(", ");
        let message = if self.kind == WarningKind::StartsThreads {
            let pools = self.pools.iter();
            let pools: String = pools
                .map(|(library, threads)| format!("; {library} has {threads} threads"))
                .collect();
            let or_one = match pools.as_str() {
                "" => "",
                _ => ", or give libraries one thread with --env OMP_NUM_THREADS=1",
            };
            format!(
                "{workload} starts threads or processes of its own on {interpreters} (up to {threads}{pools}), so its \
                 times may be far too long; measure it with -m internal{or_one}"
            )
        } else if self.threads.total > self.threads.workers {
            format!(
                "{workload} uses one PU on {interpreters} however many it may use; let the command start as many threads \
                 or processes as {{workers}} or FTBENCH_WORKERS says"
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

/// Returns whether the program of a command had at most one thread at any time. That thread is one in addition to
/// those of the worker that starts it.
fn has_single_thread(trials: &[&Trial]) -> bool {
    let usable = trials.iter().filter(|trial| trial.status == TrialStatus::Ok);
    let mut observed = usable.filter_map(|trial| trial.extra_threads).peekable();
    observed.peek().is_some() && observed.all(|extra| extra.looks > 0 && extra.max_at_once <= 1)
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
