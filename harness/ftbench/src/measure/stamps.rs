//! Checks whether time stamps are possible. The driver reads the same clock before it asks for a sample and after it
//! has the reply: the worker's stamps must lie between.

use rustix::time::{ClockId, clock_gettime};

use super::protocol::MeasuredShare;
use ftbench_schema::units::NS_PER_S;

/// How far a stamp may be off, nanoseconds: interpreters that compute it in floating point round it.
const TOLERANCE_NS: u64 = 1_000;

/// `CLOCK_MONOTONIC`, which `time.perf_counter_ns` reads too, nanoseconds.
#[must_use]
pub fn monotonic_ns() -> u64 {
    clock_ns(ClockId::Monotonic)
}

/// The current time of a clock, nanoseconds.
#[must_use]
pub fn clock_ns(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or_default();
    seconds * NS_PER_S + nanoseconds
}

/// The time from the beginning to the end of something, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub start_ns: u64,
    /// Its end.
    pub end_ns: u64,
}

impl Span {
    fn contains(self, inner: Self) -> bool {
        inner.start_ns.saturating_add(TOLERANCE_NS) >= self.start_ns
            && inner.end_ns <= self.end_ns.saturating_add(TOLERANCE_NS)
    }
}

/// Checks a sample's stamps, and those of its shares, against the time in which the driver waited for it.
///
/// # Errors
/// When stamps are impossible; the error names them.
pub fn check(waited: Span, sample: Span, shares: &[MeasuredShare]) -> Result<(), String> {
    if sample.end_ns <= sample.start_ns {
        return Err("a sample ended before it began".to_owned());
    }
    if !waited.contains(sample) {
        return Err("a sample's times lie outside the time in which ftbench waited for it".to_owned());
    }
    for share in shares {
        let span = Span {
            start_ns: share.start_ns,
            end_ns: share.end_ns,
        };
        if span.end_ns < span.start_ns {
            return Err("a share ended before it began".to_owned());
        }
        if !sample.contains(span) {
            return Err("a share's times lie outside its sample".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITED: Span = Span {
        start_ns: 10_000,
        end_ns: 90_000,
    };

    fn error_of(start_ns: u64, end_ns: u64, share: (u64, u64)) -> String {
        let share = MeasuredShare {
            process_id: 1,
            thread_id: 1,
            start_ns: share.0,
            end_ns: share.1,
        };
        let sample = Span { start_ns, end_ns };
        check(WAITED, sample, &[share]).err().unwrap_or_default()
    }

    #[test]
    fn nested_stamps_are_accepted() {
        assert_eq!(error_of(20_000, 80_000, (20_000, 80_000)), "");
        // Rounded by up to the tolerance.
        assert_eq!(error_of(9_500, 90_500, (9_000, 91_000)), "");
    }

    #[test]
    fn stamps_that_run_backwards_are_rejected() {
        assert!(error_of(80_000, 20_000, (30_000, 40_000)).contains("a sample ended before"));
        assert!(error_of(20_000, 20_000, (20_000, 20_000)).contains("a sample ended before"));
        assert!(error_of(20_000, 80_000, (40_000, 30_000)).contains("a share ended before"));
    }

    #[test]
    fn stamps_of_another_clock_are_rejected() {
        for (start_ns, end_ns) in [(0, 50_000), (20_000, u64::MAX), (1 << 60, (1 << 60) + 5)] {
            assert!(error_of(start_ns, end_ns, (start_ns, end_ns)).contains("ftbench waited"));
        }
        for share in [(0, 50_000), (30_000, 85_000), (u64::MAX - 1, u64::MAX)] {
            assert!(error_of(20_000, 80_000, share).contains("outside its sample"));
        }
    }
}
