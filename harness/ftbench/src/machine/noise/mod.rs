//! Noise on the PUs that a sample uses, and the sample's cost, read from the kernel's counters.
//!
//! [`Meters`] knows which counters this machine has; a [`Watch`] reads them right before and right after each sample of
//! a trial. All computation is in [`pu_time`], [`judge`] and [`crate::machine::cost`], separate from the reading.

pub mod judge;
pub mod pressure;
pub mod pu_time;
pub mod sources;
pub mod throttle;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::machine::cost::counters::{Counters, Counts, events_between};
use crate::machine::cost::energy::{self, Zone, joules_between};
use crate::machine::cost::extra_threads::{self, CpuReading, Look, ModelThreads};
use crate::machine::cost::processes::{self, ProcessesReading, cpu_time_between, cpu_times_ns};
use ftbench_schema::units::NS_PER_S;
use ftbench_schema::{Cost, Noise, Source};
use pressure::Pressure;
use pu_time::{PuReading, Span};
use throttle::QuotaThrottling;

const STAT: &str = "/proc/stat";
const SCHEDSTAT: &str = "/proc/schedstat";
const CPUS: &str = "/sys/devices/system/cpu";
const HERTZ_PER_KILOHERTZ: u64 = 1_000;

/// The counters of noise and cost that this machine has.
#[derive(Debug, Clone, Default)]
pub struct Meters {
    /// OS indices of the PUs that ftbench may use.
    allowed_pus: Vec<u32>,
    /// The step of `/proc/stat`.
    ticks_per_second: u64,
    /// Whether there is a `/proc/schedstat`.
    schedstat: bool,
    /// `cpu.stat` of ftbench's control group and its ancestors.
    cpu_stat_files: Vec<PathBuf>,
    /// Files with the frequency of a PU, kilohertz.
    frequency_files: BTreeMap<u32, PathBuf>,
    /// Counters of energy.
    zones: Vec<Zone>,
    /// Whether hardware events can be counted.
    counters: bool,
    /// Processes that work for a trial but are not part of it.
    helpers: Vec<i32>,
}

/// The counters that were detected, and the source of each or why it has none.
#[derive(Debug, Clone)]
pub struct Detected {
    /// Reads the counters.
    pub meters: Meters,
    /// The sources, for the record.
    pub sources: Vec<Source>,
}

impl Meters {
    /// Counts the CPU time of these processes as the trial's own, not as that of others: servers that ftbench itself
    /// runs for a workload.
    #[must_use]
    pub fn with_helpers(mut self, process_ids: Vec<i32>) -> Self {
        self.helpers = process_ids;
        self
    }

    /// Starts counting the hardware events of a trial that was just started; `None` where that is not possible.
    #[must_use]
    pub fn counters_of(&self, process_id: i32) -> Option<Counters> {
        // Counting works for ftbench itself, so it fails only for a process that is gone, which is noticed soon enough.
        self.counters.then(|| Counters::attach(process_id).ok()).flatten()
    }

    /// Watches the processes of a trial whose workers are placed on `placement`; on no PU in particular when empty.
    /// `each_on_one` says whether each worker is bound to a single PU; if not, its threads may wait for each other.
    #[must_use]
    pub fn watch(
        &self,
        process_ids: Vec<i32>,
        placement: &[u32],
        each_on_one: bool,
        counters: Option<Counters>,
    ) -> Watch<'_> {
        let mut pus = if placement.is_empty() {
            self.allowed_pus.clone()
        } else {
            placement.to_vec()
        };
        pus.sort_unstable();
        pus.dedup();
        let thermal_files = pus
            .iter()
            .flat_map(|&pu| throttle::thermal_files(Path::new(CPUS), pu))
            .collect();
        Watch {
            meters: self,
            process_ids,
            own_pus: each_on_one && !placement.is_empty() && pus.len() == placement.len(),
            pus,
            thermal_files,
            counters,
            model: None,
            started: Vec::new(),
            starts_clients: None,
        }
    }
}

/// Reads the counters around the samples of one trial.
#[derive(Debug)]
pub struct Watch<'meters> {
    meters: &'meters Meters,
    process_ids: Vec<i32>,
    pus: Vec<u32>,
    /// Whether each worker has a PU of its own.
    own_pus: bool,
    thermal_files: Vec<PathBuf>,
    counters: Option<Counters>,
    /// The threads that are not extra ones; `None` when extra threads are not counted.
    model: Option<ModelThreads>,
    /// Processes that were started since the watch began; they are extra ones.
    started: Vec<i32>,
    /// The process whose children are clients of what is measured.
    starts_clients: Option<i32>,
}

/// All counters at one moment.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Counters that are read as close to the sample as possible.
    near: CloseReading,
    /// Counters that may be read a little before or after it.
    far: OuterReading,
}

#[derive(Debug, Clone)]
struct CloseReading {
    at: Instant,
    pus: PuReading,
    cpu_ns: Vec<Option<u64>>,
    helpers_cpu_ns: Vec<Option<u64>>,
}

#[derive(Debug, Clone)]
struct OuterReading {
    processes: ProcessesReading,
    /// CPU time of each process in `started`, and of its children that ended, nanoseconds.
    started_ns: BTreeMap<i32, u64>,
    counts: Counts,
    pressure: Pressure,
    quota: Option<QuotaThrottling>,
    thermal: Option<u64>,
    energy: Vec<Option<u64>>,
}

impl OuterReading {
    /// Returns the CPU time of all processes that were started since the watch began, alive or ended, nanoseconds.
    fn children_ns(&self) -> u64 {
        let ended = self.processes.ended_children_ns.values();
        let each = self.started_ns.values().chain(ended);
        each.fold(0, |sum, &one| sum.saturating_add(one))
    }
}

/// The noise and cost of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The noise during the sample.
    pub noise: Noise,
    /// The resources that it used.
    pub cost: Cost,
    /// CPU time of threads and processes other than the model's, nanoseconds; `None` when it is not known.
    pub extra_cpu_time_ns: Option<u64>,
}

impl Watch<'_> {
    /// From now on, counts threads and processes other than these as extra ones.
    pub fn count_extra_threads(&mut self, model: ModelThreads) {
        self.model = Some(model);
    }

    /// Looks for extra threads at this moment; `None` when they are not counted.
    #[must_use]
    pub fn look(&self) -> Option<Look> {
        let model = self.model.as_ref()?;
        Some(extra_threads::look(model, &self.process_ids))
    }

    /// Also reads the CPU time of those of these processes that were started after the watch began.
    pub fn include_started(&mut self, processes: &[i32]) {
        let started = processes.iter().filter(|id| !self.process_ids.contains(id));
        self.started = started.copied().collect();
    }

    /// Leaves the CPU time of the children that this process starts during samples out of the cost. It still does not
    /// count as that of others.
    pub fn leave_out_clients_of(&mut self, process_id: i32) {
        self.starts_clients = Some(process_id);
    }

    /// CPU time of clients that have ended, nanoseconds.
    fn clients_ns(&self, far: &OuterReading) -> u64 {
        let starter = self.starts_clients.as_ref();
        let ended = starter.and_then(|id| far.processes.ended_children_ns.get(id));
        ended.copied().unwrap_or(0)
    }

    /// Reads all counters before a sample, those that must be close to it last.
    #[must_use]
    pub fn before(&mut self) -> Reading {
        let far = self.far();
        let near = self.near();
        Reading { near, far }
    }

    /// Reads all counters after a sample, those that must be close to it first, and compares.
    #[must_use]
    pub fn since(&mut self, before: &Reading) -> Observed {
        let near = self.near();
        let frequency_hz = self.frequency_hz();
        let far = self.far();
        let mut observed = self.compare(before, &Reading { near, far });
        observed.noise.frequency_hz = frequency_hz;
        observed
    }

    fn near(&self) -> CloseReading {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let run_ns = self
            .meters
            .schedstat
            .then(|| pu_time::parse_schedstat(&text(SCHEDSTAT)))
            .flatten();
        CloseReading {
            at: Instant::now(),
            cpu_ns: cpu_times_ns(&self.process_ids),
            helpers_cpu_ns: cpu_times_ns(&self.meters.helpers),
            pus: PuReading {
                stat: pu_time::parse_stat(&text(STAT), self.meters.ticks_per_second),
                run_ns,
            },
        }
    }

    fn far(&mut self) -> OuterReading {
        OuterReading {
            processes: processes::read(&self.process_ids),
            started_ns: self.started_ns(),
            counts: self.counters.as_mut().map(Counters::read).unwrap_or_default(),
            pressure: pressure::read(),
            quota: throttle::quota_throttling(&self.meters.cpu_stat_files),
            thermal: sum(self.thermal_files.iter().map(|path| number(path))),
            energy: energy::read(&self.meters.zones),
        }
    }

    fn started_ns(&self) -> BTreeMap<i32, u64> {
        let clocks = self.started.iter().zip(cpu_times_ns(&self.started));
        let ended = processes::read(&self.started).ended_children_ns;
        clocks
            .filter_map(|(id, clock_ns)| {
                Some((*id, clock_ns?.saturating_add(ended.get(id).copied().unwrap_or(0))))
            })
            .collect()
    }

    /// CPU time of threads and processes other than the model's, nanoseconds.
    fn extra_cpu_time_ns(&self, before: &Reading, after: &Reading) -> Option<u64> {
        let model = self.model.as_ref()?;
        let clocks = |near: &CloseReading| -> BTreeMap<i32, u64> {
            let clocks = self.process_ids.iter().zip(&near.cpu_ns);
            clocks
                .filter_map(|(id, clock_ns)| Some((*id, (*clock_ns)?)))
                .collect()
        };
        let (earlier, later) = (clocks(&before.near), clocks(&after.near));
        let before = CpuReading {
            clocks_ns: &earlier,
            children_ns: before.far.children_ns(),
            processes: &before.far.processes,
        };
        let after = CpuReading {
            clocks_ns: &later,
            children_ns: after.far.children_ns(),
            processes: &after.far.processes,
        };
        extra_threads::cpu_time_between(model, before, after)
    }

    /// The mean frequency of the PUs, hertz.
    fn frequency_hz(&self) -> Option<u64> {
        let each = self
            .pus
            .iter()
            .map(|pu| number(self.meters.frequency_files.get(pu)?));
        let count = u64::try_from(self.pus.len()).ok()?;
        let mean_khz = sum(each)?.checked_div(count)?;
        mean_khz.checked_mul(HERTZ_PER_KILOHERTZ)
    }

    fn compare(&self, before: &Reading, after: &Reading) -> Observed {
        let passed = after.near.at.saturating_duration_since(before.near.at);
        let interval_ns = u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX);
        let children_ns = after.far.children_ns().saturating_sub(before.far.children_ns());
        let clients_ns = self
            .clients_ns(&after.far)
            .saturating_sub(self.clients_ns(&before.far));
        let all_ns = cpu_time_between(&before.near.cpu_ns, &after.near.cpu_ns)
            .map(|own_ns| own_ns.saturating_add(children_ns));
        let cpu_time_ns = all_ns.map(|all_ns| all_ns.saturating_sub(clients_ns));
        let helpers_ns = cpu_time_between(&before.near.helpers_cpu_ns, &after.near.helpers_cpu_ns);
        let span = Span {
            pus: &self.pus,
            interval_ns,
            own_ns: all_ns
                .zip(helpers_ns)
                .map(|(own, helpers)| own.saturating_add(helpers)),
            tick_ns: NS_PER_S / self.meters.ticks_per_second.max(1),
        };
        let taken = pu_time::between(&before.near.pus, &after.near.pus, &span);
        let (from, to) = (&before.far, &after.far);
        let used = processes::between(&from.processes, &to.processes);
        let quota = from.quota.zip(to.quota);
        let waited = to.pressure.since(from.pressure);
        let mut noise = Noise {
            interval_ns,
            pus: self.pus.clone(),
            steal_ns: taken.steal_ns,
            others_ns: taken.others_ns,
            others_resolution_ns: taken.others_resolution_ns,
            run_queue_ns: used.run_queue_ns,
            cpu_pressure_ns: waited.cpu_ns,
            memory_pressure_ns: waited.memory_ns,
            io_pressure_ns: waited.io_ns,
            frequency_hz: None,
            thermal_throttles: from.thermal.zip(to.thermal).map(|(a, b)| b.saturating_sub(a)),
            quota_throttled_periods: quota.map(|(a, b)| b.periods.saturating_sub(a.periods)),
            driver_ns: None,
            quota_throttled_ns: quota.map(|(a, b)| b.duration_ns.saturating_sub(a.duration_ns)),
            disturbed_by: Vec::new(),
        };
        noise.disturbed_by = judge::disturbances(&noise, self.own_pus);
        let cost = Cost {
            cpu_time_ns,
            voluntary_switches: used.voluntary_switches,
            involuntary_switches: used.involuntary_switches,
            minor_faults: used.minor_faults,
            major_faults: used.major_faults,
            energy_joules: joules_between(&self.meters.zones, &from.energy, &to.energy),
            instructions: events_between(from.counts.instructions, to.counts.instructions),
            cycles: events_between(from.counts.cycles, to.counts.cycles),
            cache_misses: events_between(from.counts.cache_misses, to.counts.cache_misses),
        };
        Observed {
            noise,
            cost,
            extra_cpu_time_ns: self.extra_cpu_time_ns(before, after),
        }
    }
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The sum; `None` without values, or when one is unknown.
fn sum(each: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    each.reduce(|a, b| Some(a?.saturating_add(b?))).flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn this_machine() -> Detected {
        sources::find(&[0])
    }

    #[test]
    fn a_watch_sees_what_this_process_does() {
        let me = i32::try_from(std::process::id()).unwrap();
        let meters = this_machine().meters;
        let mut watch = meters.watch(vec![me], &[], true, None);
        let before = watch.before();
        let mut work = 0_u64;
        for number in 0..1_000_000_u64 {
            work = std::hint::black_box(work.wrapping_mul(31).wrapping_add(number));
        }
        let observed = watch.since(&before);
        assert!(observed.cost.cpu_time_ns.unwrap() > 0);
        assert!(observed.cost.minor_faults.is_some() && observed.cost.voluntary_switches.is_some());
        assert_eq!(observed.noise.pus, [0]);
        assert!(observed.noise.interval_ns > 0);
    }

    #[test]
    fn cpu_time_of_clients_is_left_out_of_the_cost() {
        let me = i32::try_from(std::process::id()).unwrap();
        let meters = this_machine().meters;
        let cpu_time_ns = |leave_out: bool| {
            let mut watch = meters.watch(vec![me], &[], false, None);
            if leave_out {
                watch.leave_out_clients_of(me);
            }
            let mut before = watch.before();
            let mut after = before.clone();
            before.far.processes.ended_children_ns.insert(me, NS_PER_S);
            after.far.processes.ended_children_ns.insert(me, 3 * NS_PER_S);
            watch.compare(&before, &after).cost.cpu_time_ns
        };
        assert_eq!(cpu_time_ns(false), Some(2 * NS_PER_S));
        assert_eq!(cpu_time_ns(true), Some(0));
    }

    #[test]
    fn workers_that_share_a_pu_have_none_of_their_own() {
        let meters = this_machine().meters;
        assert!(meters.watch(vec![], &[0, 1], true, None).own_pus);
        assert!(!meters.watch(vec![], &[0, 0], true, None).own_pus);
        assert!(!meters.watch(vec![], &[], true, None).own_pus);
        assert!(!meters.watch(vec![], &[0, 1], false, None).own_pus);
    }

    #[test]
    fn sums_of_the_unknown_are_unknown() {
        assert_eq!(sum([Some(1), Some(2)].into_iter()), Some(3));
        assert_eq!(sum([Some(1), None].into_iter()), None);
        assert_eq!(sum(std::iter::empty()), None);
    }
}
