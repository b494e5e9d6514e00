//! Looks at a trial's threads while it warms up, to count those that its work starts besides the workers.
//!
//! Threads that a function starts and joins are gone when a sample is over. The CPU time that they used is part of the
//! process's; how many there were at once, and whether they had to wait for each other, shows only while they run.
//! Warm-up samples are not counted, so looking at them does not disturb the measurement.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::machine::noise::Watch;
use ftbench_schema::ExtraThreads;

/// Minimum time between two looks, which gives a dozen or more in a warm-up sample of 60 to 100 ms, the targets of the
/// profiles.
const PAUSE: Duration = Duration::from_millis(5);

/// Minimum ratio of a pause to the look before it, so that looking at many threads takes less than a tenth of a PU.
const PAUSE_PER_OBSERVATION: u32 = 10;

/// Maximum number of looks in one trial, so that a warm-up of minutes costs no more than one of half a second.
const MAX_OBSERVATIONS: u32 = 100;

/// The extra threads that run before `work` is called for the first time; `None` when extra threads are not counted.
pub(super) fn before_work(watch: &Watch<'_>) -> Option<ExtraThreads> {
    watch.look().map(|look| ExtraThreads {
        before_work: look.extra,
        max_at_once: look.extra,
        cpu_time_ns: Some(0),
        ..ExtraThreads::default()
    })
}

/// Takes a sample, and looks at the trial's threads while it runs.
pub(super) fn sample_while_looking<T>(
    watch: &Watch<'_>,
    found: &mut ExtraThreads,
    sample: impl FnOnce() -> T,
) -> T {
    let (over, is_over) = channel::<()>();
    thread::scope(|scope| {
        // If no thread can be started, there are no looks.
        let _ = thread::Builder::new().spawn_scoped(scope, move || {
            let mut pause = PAUSE;
            while found.looks < MAX_OBSERVATIONS
                && is_over.recv_timeout(pause) == Err(RecvTimeoutError::Timeout)
            {
                let begun = Instant::now();
                if let Some(look) = watch.look() {
                    found.max_at_once = found.max_at_once.max(look.extra);
                    found.looks += 1;
                    found.contended_looks += u32::from(look.is_contended);
                }
                pause = PAUSE.max(begun.elapsed().saturating_mul(PAUSE_PER_OBSERVATION));
            }
        });
        let taken = sample();
        drop(over);
        taken
    })
}

/// Adds a counted sample's CPU time. If one is unknown, so is the sum.
pub(super) fn add_sample(found: &mut ExtraThreads, cpu_time_ns: Option<u64>) {
    let both = found.cpu_time_ns.zip(cpu_time_ns);
    found.cpu_time_ns = both.map(|(sum, one)| sum.saturating_add(one));
}
