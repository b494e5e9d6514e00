//! The cause that limits the scaling of a curve, determined from whole intervals and facts about the run, never from a
//! point estimate alone. Sentences about it are composed elsewhere.

use std::collections::BTreeSet;

use super::verdict::{self, FLAT_WITHIN};
use ftbench_schema::{
    CellSummary, CurveVerdict, Estimate, GilState, LawFit, Limit, LimitCause, Manifest, Model, TopologyFacts,
    WorkloadKind,
};

/// An interval whose upper end exceeds this many times its lower end is too wide to determine a cause.
const MAX_WIDTH_RATIO: f64 = 1.5;

/// A curve scales as well as the machine if at most this share of the ceiling is missing according to the upper end of
/// the interval. This is the criterion for work that shares nothing.
const AS_GOOD_WITHIN: f64 = 0.05;

/// In addition, at most this share of the ceiling may be missing according to the lower end.
const SURELY_AS_GOOD_WITHIN: f64 = 0.10;

/// Minimum missing share of the ideal speedup for which a cause is determined.
const WORTH_A_CAUSE: f64 = 0.05;

/// A CPU counts as fully used if at most this share of its time is unused, and cores if at most this share of them is
/// missing in the speedup. Splitting and handing out the work leave gaps, and other threads add a little.
const ALL_USED_WITHIN: f64 = 0.1;

/// Returns the verdict on a curve and its limit. The cells are ordered by number of workers; `ceiling` is the native
/// cell with the largest of these, and `fit` the simplest law that explains the curve.
pub fn of_curve(
    manifest: &Manifest,
    cells: &[&CellSummary],
    ceiling: Option<&CellSummary>,
    fit: Option<&LawFit>,
) -> Option<(CurveVerdict, Limit)> {
    let last = cells.last()?;
    let best = cells
        .iter()
        .filter_map(|cell| Some((cell.workers, cell.speedup?)))
        .max_by(|a, b| a.1.estimate.total_cmp(&b.1.estimate))?;
    let busy_cpus = last.cost.cpu_time_s.zip(last.makespan_s);
    let limit = Limit {
        cause: LimitCause::Unclear,
        workers: last.workers,
        speedup: last.speedup?,
        undisturbed_speedup: last.undisturbed_speedup,
        best_workers: best.0,
        best_speedup: best.1,
        cores: cores(manifest, last),
        ceiling_speedup: ceiling
            .filter(|_| !last.is_native())
            .and_then(|cell| cell.speedup),
        ceiling_fraction: last.ceiling_fraction,
        busy_cpus: busy_cpus
            .map(|(cpu_time_s, makespan_s)| cpu_time_s.estimate / makespan_s.estimate)
            .filter(|busy| busy.is_finite()),
        disturbed_share: disturbed_share(cells),
    };
    let case = Case {
        limit: &limit,
        fit,
        waiting_threads: last.cost.waiting_threads.map_or(0.0, |waiting| waiting.estimate),
        waits: waits(manifest, &last.workload),
        gil_on: last.gil == Some(GilState::On),
        model: last.model,
    };
    let verdict = case.verdict();
    let cause = case.cause(verdict);
    Some((verdict, Limit { cause, ..limit }))
}

/// Returns the number of cores available to a cell's workers: limited by the PUs they are bound to, by the machine and
/// by the quota.
fn cores(manifest: &Manifest, cell: &CellSummary) -> f64 {
    let topology = &manifest.machine.topology;
    let pus: BTreeSet<u32> = cell.placement.iter().copied().collect();
    let pus = if pus.is_empty() {
        topology.allowed_pus.len()
    } else {
        pus.len()
    };
    let pus = u32::try_from(pus).unwrap_or(u32::MAX);
    let cores = if manifest.plan.settings.pin == "smt" && !cell.placement.is_empty() {
        cores_of_siblings(topology, pus)
    } else {
        pus
    };
    let cores = f64::from(cores.min(topology.cores).max(1));
    manifest.machine.cpu_quota.map_or(cores, |quota| cores.min(quota))
}

/// Returns the number of cores of this many PUs that were filled core by core. On a hybrid machine, cores without
/// siblings are filled last.
fn cores_of_siblings(topology: &TopologyFacts, pus: u32) -> u32 {
    let per_core = topology.pus.div_ceil(topology.cores.max(1));
    let siblings = topology.pus.saturating_sub(topology.cores);
    let cores_with_siblings = siblings.checked_div(per_core.saturating_sub(1)).unwrap_or(0);
    let shared = pus.min(cores_with_siblings.saturating_mul(per_core));
    shared.div_ceil(per_core.max(1)) + (pus - shared)
}

fn disturbed_share(cells: &[&CellSummary]) -> Option<f64> {
    let known = cells
        .iter()
        .filter_map(|cell| Some((cell.cost.disturbed_samples?, cell.cost.watched_samples?)));
    let (disturbed, watched) = known.fold((0, 0), |sum, (disturbed, watched)| {
        (sum.0 + u64::from(disturbed), sum.1 + u64::from(watched))
    });
    (watched > 0).then(|| disturbed as f64 / watched as f64)
}

/// Whether a workload waits most of the time, so that its workers do not need a core each.
pub fn waits(manifest: &Manifest, workload: &str) -> bool {
    let facts = manifest.workloads.iter().find(|facts| facts.name == workload);
    facts.is_some_and(|facts| facts.kind == WorkloadKind::Io)
}

/// Returns the cells of a curve, ordered by number of workers, up to the number of cores, beyond which the lack of
/// cores limits it. Returns all cells if the workload waits or the curve is flat anyway.
pub fn with_a_core_each<'a, 'b>(manifest: &Manifest, cells: &'a [&'b CellSummary]) -> &'a [&'b CellSummary] {
    let lacks_cores = |last: &CellSummary| {
        let grows = last.speedup.is_some_and(|speedup| !verdict::is_flat(speedup));
        grows && !waits(manifest, &last.workload) && f64::from(last.workers) > cores(manifest, last)
    };
    if !cells.last().is_some_and(|last| lacks_cores(last)) {
        return cells;
    }
    let has_cores = |cell: &&&CellSummary| f64::from(cell.workers) <= cores(manifest, cell);
    let count = cells.iter().take_while(has_cores).count();
    cells.get(..count).unwrap_or_default()
}

struct Case<'a> {
    limit: &'a Limit,
    fit: Option<&'a LawFit>,
    /// Threads that were ready to run while the PUs were in use by others.
    waiting_threads: f64,
    waits: bool,
    gil_on: bool,
    model: Model,
}

impl Case<'_> {
    fn verdict(&self) -> CurveVerdict {
        let by_interval = verdict::on(self.limit.speedup);
        if self.is_as_good_as_the_machine() {
            CurveVerdict::AsTheMachine
        } else if by_interval != CurveVerdict::Slower && self.takes_turns_on_one_cpu() {
            CurveVerdict::DoesNotScale
        } else {
            by_interval
        }
    }

    fn cause(&self, verdict: CurveVerdict) -> LimitCause {
        let Estimate { low, high, .. } = self.limit.speedup;
        let workers = f64::from(self.limit.workers);
        let is_flat = verdict::is_flat(self.limit.speedup);
        if is_flat || matches!(verdict, CurveVerdict::DoesNotScale | CurveVerdict::Slower) {
            self.cause_of_flat()
        } else if verdict == CurveVerdict::CannotTell
            || (verdict == CurveVerdict::Scales && high > MAX_WIDTH_RATIO * low)
        {
            LimitCause::Unclear
        } else if low > workers * (1.0 + WORTH_A_CAUSE) {
            LimitCause::Superlinear
        } else if low >= workers * (1.0 - WORTH_A_CAUSE) && !self.peak_is_measured() {
            LimitCause::NothingSeen
        } else if verdict == CurveVerdict::AsTheMachine {
            LimitCause::Machine
        } else if self.shares_cores() && self.uses_all_cores() {
            LimitCause::Cores
        } else {
            self.cause_of_growing()
        }
    }

    /// A speedup above the number of cores results from waiting, whatever the kind of the workload.
    fn uses_all_cores(&self) -> bool {
        let Estimate { low, high, .. } = self.limit.speedup;
        let cores = self.limit.cores;
        low <= (1.0 + ALL_USED_WITHIN) * cores && high >= (1.0 - ALL_USED_WITHIN) * cores
    }

    fn is_slower(&self) -> bool {
        verdict::on(self.limit.speedup) == CurveVerdict::Slower
    }

    fn takes_turns(&self) -> bool {
        self.gil_on
            && match self.model {
                Model::Threads | Model::AsyncioThreads => true,
                // It may have processes of its own instead.
                Model::Internal => self.keeps_one_cpu_busy(),
                _ => false,
            }
    }

    /// Workers that use one of several CPUs together gain nothing from the others, however wide the interval is.
    fn takes_turns_on_one_cpu(&self) -> bool {
        let may_gain_nothing = self.limit.speedup.low <= 1.0 + FLAT_WITHIN;
        may_gain_nothing && !self.waits && self.limit.cores >= 1.5 && self.keeps_one_cpu_busy()
    }

    /// Whether one thread at a time runs or would run if others left it a CPU, all the time.
    fn keeps_one_cpu_busy(&self) -> bool {
        let busy = self.limit.busy_cpus;
        busy.is_some_and(|busy| (busy + self.waiting_threads - 1.0).abs() <= ALL_USED_WITHIN)
    }

    fn shares_cores(&self) -> bool {
        !self.waits && f64::from(self.limit.workers) > self.limit.cores
    }

    fn is_as_good_as_the_machine(&self) -> bool {
        let fraction = self.limit.ceiling_fraction;
        fraction.is_some_and(|fraction| {
            fraction.high >= 1.0 - AS_GOOD_WITHIN && fraction.low >= 1.0 - SURELY_AS_GOOD_WITHIN
        })
    }

    fn peak_is_measured(&self) -> bool {
        let peak = self.fit.and_then(|fit| fit.peak_workers);
        peak.is_some_and(|peak| peak.estimate <= f64::from(self.limit.workers))
    }

    fn cause_of_flat(&self) -> LimitCause {
        if self.limit.cores < 1.5 && !self.waits {
            LimitCause::Cores
        } else if self.is_as_good_as_the_machine() {
            LimitCause::Machine
        } else if self.model.shares_one_thread() && !self.waits {
            LimitCause::OneThread
        } else if self.takes_turns() && !self.waits {
            LimitCause::Gil
        } else {
            self.cause_of_growing()
        }
    }

    fn cause_of_growing(&self) -> LimitCause {
        if self.takes_turns() && self.keeps_one_cpu_busy() {
            return LimitCause::Gil;
        }
        if self.model.shares_one_thread() && self.keeps_one_cpu_busy() {
            return LimitCause::OneThread;
        }
        let Some(fit) = self.fit else {
            // Taking turns does not make anything slower; a slowdown is due to a cost that one worker does not have.
            return if self.is_slower() {
                LimitCause::Crosstalk
            } else if self.takes_turns_on_one_cpu() {
                LimitCause::OneAtATime
            } else {
                LimitCause::Unexplained
            };
        };
        let workers = f64::from(self.limit.workers);
        let crosstalk = fit.crosstalk.map_or(0.0, |crosstalk| crosstalk.estimate);
        if self.peak_is_measured() || crosstalk * workers > fit.serial_fraction.estimate {
            LimitCause::Crosstalk
        } else if fit.serial_fraction.low <= 0.0 {
            LimitCause::Unexplained
        } else if self.takes_turns() && !self.waits {
            LimitCause::GilInPart
        } else {
            LimitCause::SerialFraction
        }
    }
}

#[cfg(test)]
#[path = "limit_tests.rs"]
mod tests;
