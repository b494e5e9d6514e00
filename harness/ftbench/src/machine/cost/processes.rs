//! CPU time, context switches, page faults and waiting times of processes.
//!
//! CPU time comes from the process's CPU-time clock (clock_getcpuclockid(3)): nanoseconds, up to the moment, including
//! threads that ended. A thread's CPU time and waiting time come from `/proc/PID/task/TID/schedstat` (nanoseconds,
//! `Documentation/scheduler/sched-stats.rst`), its switches from `status` in the same folder. Faults and the CPU time
//! of children that ended come from `/proc/PID/stat` (proc_pid_status(5), proc_pid_stat(5)).

use std::collections::BTreeMap;
use std::fs;

use nix::time::ClockId;
use nix::unistd::Pid;
use procfs::process::Process;

use crate::process::tree;
use ftbench_schema::units::NS_PER_S;

/// One thread's counters since it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Thread {
    /// CPU time, nanoseconds; `None` where the kernel does not report it.
    pub cpu_time_ns: Option<u64>,
    /// Time for which it was ready to run and did not, nanoseconds; `None` where the kernel does not report it.
    pub run_queue_ns: Option<u64>,
    /// How often it gave up the CPU.
    pub voluntary_switches: Option<u64>,
    /// How often the CPU was taken from it.
    pub involuntary_switches: Option<u64>,
}

/// One process's page faults since it was started, including those of threads that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    /// Answered from memory.
    pub minor: u64,
    /// Answered from a disk.
    pub major: u64,
}

/// The threads and faults of some processes at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProcessesReading {
    /// The threads by process id and thread id.
    pub threads: BTreeMap<(i32, i32), Thread>,
    /// Page faults by process id; processes that are gone have no entry.
    pub faults: BTreeMap<i32, Faults>,
    /// CPU time of children that ended and were waited for, and of theirs, by process id, nanoseconds; in clock ticks.
    pub ended_children_ns: BTreeMap<i32, u64>,
}

/// What the processes did between two readings. The figures of threads that ended meanwhile are lost; if a whole
/// process ended, every figure is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProcessesUse {
    /// Time that threads waited for a PU, summed, nanoseconds.
    pub run_queue_ns: Option<u64>,
    /// Voluntary context switches.
    pub voluntary_switches: Option<u64>,
    /// Involuntary context switches.
    pub involuntary_switches: Option<u64>,
    /// Minor page faults.
    pub minor_faults: Option<u64>,
    /// Major page faults.
    pub major_faults: Option<u64>,
}

/// Returns the CPU time of each process so far, nanoseconds; `None` for one that is gone. Takes about a microsecond
/// each.
#[must_use]
pub fn cpu_times_ns(process_ids: &[i32]) -> Vec<Option<u64>> {
    let of_process = |&process_id: &i32| {
        let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(process_id)).ok()?;
        let time = clock.now().ok()?;
        let seconds = u64::try_from(time.tv_sec()).ok()?;
        let rest = u64::try_from(time.tv_nsec()).ok()?;
        seconds.checked_mul(NS_PER_S)?.checked_add(rest)
    };
    process_ids.iter().map(of_process).collect()
}

/// CPU time between two readings of the same processes; `None` when one ended meanwhile.
#[must_use]
pub fn cpu_time_between(before: &[Option<u64>], after: &[Option<u64>]) -> Option<u64> {
    if before.len() != after.len() {
        return None;
    }
    let pairs = before.iter().zip(after);
    let mut each = pairs.map(|(before, after)| Some((*after)?.saturating_sub((*before)?)));
    each.try_fold(0_u64, |sum, one| Some(sum.saturating_add(one?)))
}

/// Reads what the processes have done so far.
#[must_use]
pub fn read(process_ids: &[i32]) -> ProcessesReading {
    let mut reading = ProcessesReading::default();
    let tick_ns = NS_PER_S / procfs::ticks_per_second().max(1);
    for &process_id in process_ids {
        for thread_id in tree::threads(process_id) {
            let text = |file: &str| {
                fs::read_to_string(format!("/proc/{process_id}/task/{thread_id}/{file}")).unwrap_or_default()
            };
            let thread = parse_thread(&text("schedstat"), &text("status"));
            reading.threads.insert((process_id, thread_id), thread);
        }
        let stat = Process::new(process_id).and_then(|process| process.stat());
        if let Ok(stat) = stat {
            let faults = Faults {
                minor: stat.minflt,
                major: stat.majflt,
            };
            reading.faults.insert(process_id, faults);
            let ticks = u64::try_from(stat.cutime.saturating_add(stat.cstime)).unwrap_or(0);
            reading
                .ended_children_ns
                .insert(process_id, ticks.saturating_mul(tick_ns));
        }
    }
    reading
}

/// Parses the texts of a thread's `schedstat` and `status`. On kernels without `CONFIG_SCHED_INFO` the former is all
/// zeros, so its times count only if its number of turns is not 0.
#[must_use]
pub fn parse_thread(schedstat: &str, status: &str) -> Thread {
    let mut words = schedstat.split_ascii_whitespace();
    let mut next = || words.next().and_then(|word| word.parse::<u64>().ok());
    let (ran, waited) = (next(), next());
    let turns = next().unwrap_or(0);
    let switches = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse().ok()
    };
    Thread {
        cpu_time_ns: ran.filter(|_| turns > 0),
        run_queue_ns: waited.filter(|_| turns > 0),
        voluntary_switches: switches("voluntary_ctxt_switches:"),
        involuntary_switches: switches("nonvoluntary_ctxt_switches:"),
    }
}

/// What the processes did between two readings. All figures of a new thread count; a thread without figures, because it
/// is just ending, is left out. A counter that goes backwards, as when a thread's id is reused, counts as unchanged.
#[must_use]
pub fn between(before: &ProcessesReading, after: &ProcessesReading) -> ProcessesUse {
    let over_threads = |of: &dyn Fn(&Thread) -> Option<u64>| -> Option<u64> {
        let each = after.threads.iter().filter_map(|(id, thread)| {
            let earlier = before.threads.get(id).and_then(of).unwrap_or(0);
            Some(of(thread)?.saturating_sub(earlier))
        });
        each.reduce(u64::saturating_add)
    };
    let over_processes = |of: &dyn Fn(&Faults) -> u64| -> Option<u64> {
        let mut each = before.faults.iter().map(|(id, earlier)| {
            let later = after.faults.get(id)?;
            Some(of(later).saturating_sub(of(earlier)))
        });
        each.try_fold(0_u64, |sum, one| Some(sum.saturating_add(one?)))
    };
    if before.faults.keys().any(|id| !after.faults.contains_key(id)) || before.faults.is_empty() {
        return ProcessesUse::default();
    }
    ProcessesUse {
        run_queue_ns: over_threads(&|thread| thread.run_queue_ns),
        voluntary_switches: over_threads(&|thread| thread.voluntary_switches),
        involuntary_switches: over_threads(&|thread| thread.involuntary_switches),
        minor_faults: over_processes(&|faults| faults.minor),
        major_faults: over_processes(&|faults| faults.major),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    /// Linux 6.18, shortened.
    const STATUS: &str = "Name:\tpython3.13t\nState:\tS (sleeping)\nThreads:\t3\nSigQ:\t0/31655\n\
        Cpus_allowed_list:\t0-1\nvoluntary_ctxt_switches:\t1520\nnonvoluntary_ctxt_switches:\t37\n";

    fn reading(run_queue_ns: u64, minor: u64) -> ProcessesReading {
        let thread = Thread {
            cpu_time_ns: Some(900),
            run_queue_ns: Some(run_queue_ns),
            voluntary_switches: Some(10),
            involuntary_switches: Some(run_queue_ns / 10),
        };
        ProcessesReading {
            threads: BTreeMap::from([((5, 5), thread)]),
            faults: BTreeMap::from([(5, Faults { minor, major: 1 })]),
            ended_children_ns: BTreeMap::new(),
        }
    }

    #[test]
    fn files_of_a_thread_are_parsed() {
        let read = parse_thread("9842311023 40640 221\n", STATUS);
        assert_eq!(
            read,
            Thread {
                cpu_time_ns: Some(9_842_311_023),
                run_queue_ns: Some(40_640),
                voluntary_switches: Some(1_520),
                involuntary_switches: Some(37),
            }
        );
        assert_eq!(parse_thread("0 0 0\n", ""), Thread::default());
    }

    #[test]
    fn new_threads_count_from_their_start() {
        let before = reading(1_000, 50);
        let mut after = reading(1_500, 53);
        let newcomer = Thread {
            cpu_time_ns: Some(30),
            run_queue_ns: Some(70),
            voluntary_switches: Some(2),
            involuntary_switches: Some(1),
        };
        after.threads.insert((5, 6), newcomer);
        assert_eq!(
            between(&before, &after),
            ProcessesUse {
                run_queue_ns: Some(570),
                voluntary_switches: Some(2),
                involuntary_switches: Some(51),
                minor_faults: Some(3),
                major_faults: Some(0),
            }
        );
    }

    #[test]
    fn a_process_that_ended_makes_its_figures_unknown() {
        let gone = ProcessesReading::default();
        assert_eq!(between(&reading(1, 1), &gone), ProcessesUse::default());
        assert_eq!(between(&gone, &gone), ProcessesUse::default());
        assert_eq!(cpu_time_between(&[Some(5), Some(6)], &[Some(9), None]), None);
        assert_eq!(
            cpu_time_between(&[Some(5), Some(6)], &[Some(9), Some(4)]),
            Some(4)
        );
        let backwards = between(&reading(100, 50), &reading(90, 40));
        assert_eq!(
            (backwards.run_queue_ns, backwards.minor_faults),
            (Some(0), Some(0))
        );
    }

    #[test]
    fn this_process_uses_cpu_time_and_has_threads() {
        let me = i32::try_from(std::process::id()).unwrap();
        let before = cpu_times_ns(&[me]);
        let reading = read(&[me]);
        assert!(cpu_time_between(&before, &cpu_times_ns(&[me])).unwrap() > 0);
        // Only this thread, because those of other tests may end at any time.
        let this_thread = (me, nix::unistd::gettid().as_raw());
        assert!(reading.threads[&this_thread].voluntary_switches.is_some());
        assert!(reading.faults[&me].minor > 0);
        // The kernel's largest process id is 2^22.
        assert_eq!(cpu_times_ns(&[(1 << 22) + 1]), [None]);
    }

    proptest! {
        #[test]
        fn any_text_is_parsed(schedstat in "[0-9 x]{0,60}", status in "((non)?voluntary_ctxt_switches:[\t 0-9x]{0,25}\n){0,4}") {
            let _ = parse_thread(&schedstat, &status);
        }
    }
}
