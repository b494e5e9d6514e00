//! How PUs spent an interval, computed from the texts of `/proc/stat` and `/proc/schedstat`.
//!
//! `/proc/stat` (proc_stat(5)) counts in ticks of 10 ms, rounded down: over one sample a figure may be off by a tick
//! or more, over many it is right, because the rounding does not add up. `/proc/schedstat`
//! (`Documentation/scheduler/sched-stats.rst` of the kernel) counts nanoseconds; kernels without `CONFIG_SCHEDSTATS`
//! do not have it. It is updated when a task leaves the PU, so the current turn of a running task is missing.

use ftbench_schema::units::NS_PER_S;
use std::collections::BTreeMap;

/// Versions of `/proc/schedstat` whose seventh figure of a PU is the time of its tasks in nanoseconds: all since
/// Linux 2.6.23. Before, it was in jiffies.
const SCHEDSTAT_VERSIONS: std::ops::RangeInclusive<u32> = 14..=99;

/// One PU's counters of `/proc/stat`, since the machine was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PuTime {
    /// Idle time, including waiting for input or output, nanoseconds.
    pub idle_ns: u64,
    /// Time that the hypervisor gave to others, nanoseconds; 0 on kernels that do not report it.
    pub steal_ns: u64,
}

/// The counters of all PUs at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PuReading {
    /// From `/proc/stat`.
    pub stat: BTreeMap<u32, PuTime>,
    /// From `/proc/schedstat`: time that tasks ran, nanoseconds; `None` where the machine does not have it.
    pub run_ns: Option<BTreeMap<u32, u64>>,
}

/// The time that others used on some PUs during an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TakenByOthers {
    /// Time that the hypervisor took, nanoseconds; `None` where it is unknown.
    pub steal_ns: Option<u64>,
    /// CPU time of everything outside the trial, nanoseconds; `None` where it is unknown.
    pub others_ns: Option<u64>,
    /// How far `others_ns` may be off, nanoseconds; `None` where it is counted in nanoseconds.
    pub others_resolution_ns: Option<u64>,
}

/// Parses the counters of each PU in the text of `/proc/stat`; skips other lines.
#[must_use]
pub fn parse_stat(text: &str, ticks_per_second: u64) -> BTreeMap<u32, PuTime> {
    let nanoseconds = |ticks: u64| ticks.saturating_mul(NS_PER_S / ticks_per_second.max(1));
    let pu = |line: &str| {
        let (pu, figures) = pu_line(line)?;
        // user nice system idle iowait irq softirq steal guest guest_nice; guest is part of user.
        let figure = |position: usize| figures.get(position).copied();
        let idle = figure(3)?.saturating_add(figure(4).unwrap_or(0));
        let time = PuTime {
            idle_ns: nanoseconds(idle),
            steal_ns: nanoseconds(figure(7).unwrap_or(0)),
        };
        Some((pu, time))
    };
    text.lines().filter_map(pu).collect()
}

/// Parses the time that tasks ran on each PU, nanoseconds, in the text of `/proc/schedstat`; `None` for a version that
/// counts in another unit.
#[must_use]
pub fn parse_schedstat(text: &str) -> Option<BTreeMap<u32, u64>> {
    let version = text.lines().find_map(|line| line.strip_prefix("version "))?;
    if !SCHEDSTAT_VERSIONS.contains(&version.trim().parse().ok()?) {
        return None;
    }
    let pu = |line: &str| {
        let (pu, figures) = pu_line(line)?;
        Some((pu, figures.get(6).copied()?))
    };
    Some(text.lines().filter_map(pu).collect())
}

/// Splits `cpu7 1 2 3` into number and figures; `None` for other lines, including the sum over all PUs.
fn pu_line(line: &str) -> Option<(u32, Vec<u64>)> {
    let mut words = line.strip_prefix("cpu")?.split_ascii_whitespace();
    if !line.as_bytes().get(3)?.is_ascii_digit() {
        return None;
    }
    let pu = words.next()?.parse().ok()?;
    Some((pu, words.map_while(|word| word.parse().ok()).collect()))
}

/// The time that others used on the PUs of `span` between two readings.
///
/// A counter that goes backwards counts as unchanged; the documentation of Linux says that idle times may do that. If a
/// PU is missing from a reading, nothing is known.
#[must_use]
pub fn between(before: &PuReading, after: &PuReading, span: &Span<'_>) -> TakenByOthers {
    let counted = |of: &dyn Fn(&PuTime) -> u64| -> Option<u64> {
        let of_pu = |pu: &u32| Some(of(after.stat.get(pu)?).saturating_sub(of(before.stat.get(pu)?)));
        let mut each = span.pus.iter().map(of_pu);
        each.try_fold(0_u64, |sum, one| Some(sum.saturating_add(one?)))
    };
    let steal_ns = counted(&|time| time.steal_ns);
    let taken = TakenByOthers {
        steal_ns,
        ..TakenByOthers::default()
    };
    let (Some(steal), Some(own)) = (steal_ns, span.own_ns) else {
        return taken;
    };
    let pus = u64::try_from(span.pus.len()).unwrap_or(u64::MAX);
    if let Some(ran) = ran_between(before, after, span.pus) {
        // A task's time on its PU is counted even while the hypervisor runs something else there.
        return TakenByOthers {
            others_ns: Some(ran.saturating_sub(steal).saturating_sub(own)),
            ..taken
        };
    }
    let capacity = span.interval_ns.saturating_mul(pus);
    // What was not idle, rather than the sum of user, system and so on: the idle time is measured, while those are
    // sampled at the kernel's ticks, and a busy PU has no idle time to be rounded.
    let others = counted(&|time| time.idle_ns).map(|idle| {
        capacity
            .saturating_sub(idle)
            .saturating_sub(steal)
            .saturating_sub(own)
    });
    TakenByOthers {
        others_ns: others,
        others_resolution_ns: others.map(|_| span.tick_ns.saturating_mul(pus)),
        ..taken
    }
}

fn ran_between(before: &PuReading, after: &PuReading, pus: &[u32]) -> Option<u64> {
    let (before, after) = (before.run_ns.as_ref()?, after.run_ns.as_ref()?);
    let ran = |pu: &u32| Some(after.get(pu)?.saturating_sub(*before.get(pu)?));
    let mut each = pus.iter().map(ran);
    each.try_fold(0_u64, |sum, one| Some(sum.saturating_add(one?)))
}

/// An interval on some PUs.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    /// The PUs (OS index).
    pub pus: &'a [u32],
    /// Its length, nanoseconds.
    pub interval_ns: u64,
    /// Our own CPU time in it, nanoseconds.
    pub own_ns: Option<u64>,
    /// The step in which `/proc/stat` counts, nanoseconds.
    pub tick_ns: u64,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    /// Linux 6.18, a virtual machine with 2 PUs.
    const STAT: &str = "\
cpu  269366 0 54007 368073 1788 0 332 213 0 0
cpu0 130506 0 25916 189620 462 0 52 105 0 0
cpu1 138859 0 28091 178453 1325 0 279 108 0 0
intr 2188777 0 0 0 0 0 1 14
ctxt 4766134
btime 1763711223
processes 59219
procs_running 3
procs_blocked 0
softirq 1231871 0 163577 4 102823 29340 0 1 510373 0 425753
";
    /// The form of Linux 2.6.9: no steal, and PU 1 is off line.
    const OLD_STAT: &str = "cpu  100 0 50 1000 5 0 1\ncpu0 60 0 20 500 5 0 1\ncpu2 40 0 30 500 0 0 0\n";

    /// The form of version 15 (Linux 5 and most of 6): two PUs with a domain each.
    const SCHEDSTAT: &str = "\
version 15
timestamp 4295892341
cpu0 0 0 0 0 0 0 123456789012 4567890 1234
domain0 03 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
cpu1 0 0 0 0 0 0 98765432109 87654 4321
domain0 03 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
";

    const MS: u64 = 1_000_000;

    fn reading(pus: &[(u64, u64)]) -> PuReading {
        let stat = (0..).zip(pus.iter().map(|&(idle_ms, steal_ms)| PuTime {
            idle_ns: idle_ms * MS,
            steal_ns: steal_ms * MS,
        }));
        PuReading {
            stat: stat.collect(),
            run_ns: None,
        }
    }

    fn span(pus: &[u32], own_ms: u64) -> Span<'_> {
        Span {
            pus,
            interval_ns: 100 * MS,
            own_ns: Some(own_ms * MS),
            tick_ns: 10 * MS,
        }
    }

    #[test]
    fn pus_are_keyed_by_their_number() {
        let new = parse_stat(STAT, 100);
        assert_eq!(new.len(), 2);
        assert_eq!(
            new[&1],
            PuTime {
                idle_ns: (178_453 + 1_325) * 10 * MS,
                steal_ns: 1_080 * MS,
            }
        );
        let old = parse_stat(OLD_STAT, 100);
        assert_eq!(old.keys().copied().collect::<Vec<_>>(), [0, 2]);
        assert_eq!(old[&2].steal_ns, 0);
    }

    #[test]
    fn schedstat_has_the_time_that_tasks_ran() {
        let ran = parse_schedstat(SCHEDSTAT).unwrap();
        assert_eq!(ran, BTreeMap::from([(0, 123_456_789_012), (1, 98_765_432_109)]));
        assert_eq!(
            parse_schedstat(&SCHEDSTAT.replace("version 15", "version 13")),
            None
        );
        assert_eq!(parse_schedstat(""), None);
    }

    #[test]
    fn others_exclude_idle_stolen_and_own_time() {
        let before = reading(&[(1_000, 50), (7_000, 0)]);
        let after = reading(&[(1_010, 60), (7_100, 0)]);
        let taken = between(&before, &after, &span(&[0], 50));
        assert_eq!(
            taken,
            TakenByOthers {
                steal_ns: Some(10 * MS),
                others_ns: Some(30 * MS),
                others_resolution_ns: Some(10 * MS),
            }
        );
        let both = between(&before, &after, &span(&[0, 1], 50));
        assert_eq!(
            (both.others_ns, both.others_resolution_ns),
            (Some(30 * MS), Some(20 * MS))
        );
    }

    #[test]
    fn schedstat_is_preferred_where_there_is_one() {
        let mut before = reading(&[(1_000, 50)]);
        let mut after = reading(&[(1_000, 60)]);
        before.run_ns = Some(BTreeMap::from([(0, 5_000)]));
        after.run_ns = Some(BTreeMap::from([(0, 5_000 + 97 * MS + 123)]));
        let taken = between(&before, &after, &span(&[0], 80));
        assert_eq!(taken.others_ns, Some(7 * MS + 123));
        assert_eq!(taken.others_resolution_ns, None);
    }

    #[test]
    fn missing_counters_are_unknown_and_backward_ones_unchanged() {
        let before = reading(&[(1_000, 50)]);
        assert_eq!(
            between(&before, &before, &span(&[3], 0)),
            TakenByOthers::default()
        );
        let unknown_own = Span {
            own_ns: None,
            ..span(&[0], 0)
        };
        let taken = between(&before, &before, &unknown_own);
        assert_eq!((taken.steal_ns, taken.others_ns), (Some(0), None));
        let backwards = between(&before, &reading(&[(900, 40)]), &span(&[0], 100));
        assert_eq!((backwards.steal_ns, backwards.others_ns), (Some(0), Some(0)));
    }

    proptest! {
        #[test]
        fn any_text_is_parsed(text in "(version [0-9]{0,3}\n)?((cpu)?[0-9]{0,25}( [0-9]{0,25}){0,12}\n){0,5}.{0,40}", ticks in 0_u64..2000) {
            let stat = parse_stat(&text, ticks);
            let reading = PuReading { stat, run_ns: parse_schedstat(&text) };
            let pus: Vec<u32> = reading.stat.keys().copied().collect();
            let taken = between(&reading, &reading, &span(&pus, 0));
            prop_assert!(taken.steal_ns == Some(0));
        }
    }
}
