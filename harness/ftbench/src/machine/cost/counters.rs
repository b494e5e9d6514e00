//! Instructions, cycles and cache misses of a process and everything that it starts, through perf events
//! (perf_event_open(2)).

use std::fmt;
use std::fs;
use std::io;
use std::time::Duration;

use perf_event::events::{Event, Hardware};
use perf_event::{Builder, Counter};

/// The kernel's setting of who may count what (`Documentation/admin-guide/sysctl/kernel.rst`).
const PARANOID: &str = "/proc/sys/kernel/perf_event_paranoid";

/// Counts events of one process, its threads and the processes that it starts, in user mode, from when it was
/// attached: attach it while the process has a single thread and no children.
pub struct Counters {
    instructions: Counter,
    cycles: Counter,
    /// `None` on processors that count the others but not cache misses.
    cache_misses: Option<Counter>,
}

impl fmt::Debug for Counters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Counters").finish_non_exhaustive()
    }
}

/// A counter at one moment. Where there are more counters than the processor has room for, each counts part of the
/// time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Events counted so far.
    pub events: u64,
    /// Time for which the counter has been enabled.
    pub enabled: Duration,
    /// Time for which it actually counted.
    pub running: Duration,
}

/// All counters at one moment; `None` where one cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Instructions retired.
    pub instructions: Option<Count>,
    /// Clock cycles.
    pub cycles: Option<Count>,
    /// Misses of the last-level cache.
    pub cache_misses: Option<Count>,
}

impl Counters {
    /// Starts counters of this process and of the threads and processes that it starts later.
    ///
    /// # Errors
    ///
    /// When the machine has no such counters, or does not let us use them.
    pub fn attach(process_id: i32) -> io::Result<Self> {
        Ok(Self {
            instructions: counter(process_id, Hardware::INSTRUCTIONS)?,
            cycles: counter(process_id, Hardware::CPU_CYCLES)?,
            cache_misses: counter(process_id, Hardware::CACHE_MISSES).ok(),
        })
    }

    /// The counters now.
    pub fn read(&mut self) -> Counts {
        Counts {
            instructions: count(&mut self.instructions),
            cycles: count(&mut self.cycles),
            cache_misses: self.cache_misses.as_mut().and_then(count),
        }
    }
}

fn counter(process_id: i32, event: impl Event) -> io::Result<Counter> {
    Builder::new(event)
        .observe_pid(process_id)
        .any_cpu()
        .inherit(true)
        .enabled(true)
        .build()
}

fn count(counter: &mut Counter) -> Option<Count> {
    let data = counter.read_full().ok()?;
    Some(Count {
        events: data.count(),
        enabled: data.time_enabled()?,
        running: data.time_running()?,
    })
}

/// Events between two readings. If the counter was on for part of the time, the count is scaled up, as
/// perf_event_open(2) advises; `None` when it was never on although there was something to count.
#[must_use]
pub fn events_between(before: Option<Count>, after: Option<Count>) -> Option<u64> {
    let (before, after) = (before?, after?);
    let events = after.events.checked_sub(before.events)?;
    let enabled = after.enabled.checked_sub(before.enabled)?.as_nanos();
    let running = after.running.checked_sub(before.running)?.as_nanos();
    if running >= enabled {
        return Some(events);
    }
    let scaled = u128::from(events).checked_mul(enabled)?.checked_div(running)?;
    u64::try_from(scaled).ok()
}

/// Explains why events cannot be counted and how to fix that.
#[must_use]
pub fn reason(error: &io::Error) -> String {
    let paranoid = fs::read_to_string(PARANOID).unwrap_or_default();
    explain(error, paranoid.trim())
}

fn explain(error: &io::Error, paranoid: &str) -> String {
    let is = |errno: rustix::io::Errno| error.raw_os_error() == Some(errno.raw_os_error());
    if is(rustix::io::Errno::NOENT) || is(rustix::io::Errno::OPNOTSUPP) || is(rustix::io::Errno::NODEV) {
        "the processor has no counters that the kernel can use; virtual machines often have none".to_owned()
    } else if is(rustix::io::Errno::NOSYS) {
        "the kernel was built without perf events".to_owned()
    } else if is(rustix::io::Errno::ACCESS) || is(rustix::io::Errno::PERM) {
        format!(
            "not permitted: kernel.perf_event_paranoid is {paranoid}, 2 or less is needed, and containers must allow \
             perf_event_open"
        )
    } else {
        error.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use perf_event::events::Software;
    use proptest::prelude::*;

    use super::*;

    fn at(events: u64, enabled_ms: u64, running_ms: u64) -> Option<Count> {
        Some(Count {
            events,
            enabled: Duration::from_millis(enabled_ms),
            running: Duration::from_millis(running_ms),
        })
    }

    #[test]
    fn counter_that_was_on_part_of_the_time_is_scaled() {
        assert_eq!(events_between(at(100, 10, 10), at(350, 110, 110)), Some(250));
        assert_eq!(events_between(at(100, 10, 10), at(350, 110, 60)), Some(500));
        assert_eq!(events_between(at(100, 10, 10), at(100, 110, 10)), None);
        assert_eq!(events_between(at(100, 10, 10), at(100, 10, 10)), Some(0));
        assert_eq!(events_between(at(100, 10, 10), at(99, 20, 20)), None);
        assert_eq!(events_between(None, at(1, 1, 1)), None);
    }

    /// Counts an event of the kernel itself, so that the code can be tested where the processor counts nothing.
    #[test]
    fn child_processes_are_counted_too() {
        let mut shell = std::process::Command::new("sh");
        shell
            .args([
                "-c",
                "read go; sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'",
            ])
            .stdin(std::process::Stdio::piped());
        let mut child = shell.spawn().unwrap();
        let id = i32::try_from(child.id()).unwrap();
        let Ok(mut counter) = counter(id, Software::TASK_CLOCK) else {
            // Not permitted here, so there is nothing to test.
            drop(child.stdin.take());
            child.wait().unwrap();
            return;
        };
        let before = count(&mut counter);
        io::Write::write_all(child.stdin.as_mut().unwrap(), b"go\n").unwrap();
        child.wait().unwrap();
        assert!(events_between(before, count(&mut counter)).unwrap() > 0);
    }

    #[test]
    fn reasons_say_what_to_do() {
        let reason = |errno: rustix::io::Errno| explain(&errno.into(), "4");
        insta::assert_snapshot!(reason(rustix::io::Errno::NOENT), @"the processor has no counters that the kernel can use; virtual machines often have none");
        insta::assert_snapshot!(reason(rustix::io::Errno::ACCESS), @"not permitted: kernel.perf_event_paranoid is 4, 2 or less is needed, and containers must allow perf_event_open");
        assert!(reason(rustix::io::Errno::NOSYS).contains("without perf events"));
        assert!(!reason(rustix::io::Errno::MFILE).is_empty());
    }

    proptest! {
        #[test]
        fn any_readings_are_accepted(numbers in prop::array::uniform6(any::<u64>())) {
            let [a, b, c, d, e, f] = numbers;
            let count = |events, enabled, running| Some(Count {
                events,
                enabled: Duration::from_nanos(enabled),
                running: Duration::from_nanos(running),
            });
            let _ = events_between(count(a, b, c), count(d, e, f));
        }
    }
}
