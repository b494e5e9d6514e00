//! The limits of a trial. Pure.

use std::time::Duration;

use ftbench_schema::Limits;

/// Default share of the memory that a trial may use. ftbench and the system need some too.
const MEMORY_SHARE: f64 = 0.8;

/// Default maximum number of processes of a trial: above the workers of the largest machines, and far below what makes
/// a machine unusable.
const PROCESSES: u32 = 1_000;

/// Default limit on what a trial may print, bytes. The driver has to read every byte.
const OUTPUT_BYTES: u64 = 64 << 20;

/// When the processes and memory of a step are first checked: samples are shorter.
pub const FIRST_CHECK: Duration = Duration::from_secs(1);

/// Minimum pause between later checks.
const MIN_PAUSE: Duration = Duration::from_millis(500);

/// Minimum ratio of a pause to the CPU time of the check before it: with many processes a check takes long, and all
/// checks together must stay below 0.05 % of a core.
const PAUSE_PER_CHECK: u32 = 2_000;

/// The limits given on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestedLimits {
    /// Memory of a trial, bytes.
    pub memory_bytes: Option<u64>,
    /// Processes of a trial.
    pub processes: Option<u32>,
    /// What a trial may print, bytes.
    pub output_bytes: Option<u64>,
}

impl RequestedLimits {
    /// Fills in the defaults for a machine, or a control group, with this much memory.
    #[must_use]
    pub fn or_defaults(self, memory_bytes: u64) -> Limits {
        Limits {
            memory_bytes: self
                .memory_bytes
                .unwrap_or((memory_bytes as f64 * MEMORY_SHARE) as u64),
            processes: self.processes.unwrap_or(PROCESSES),
            output_bytes: self.output_bytes.unwrap_or(OUTPUT_BYTES),
        }
    }
}

/// How long to pause after a check that took this much CPU time.
#[must_use]
pub fn pause_after(check: Duration) -> Duration {
    MIN_PAUSE.max(check.saturating_mul(PAUSE_PER_CHECK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_limits_get_defaults_and_given_ones_are_kept() {
        let limits = RequestedLimits::default().or_defaults(10 << 30);
        assert_eq!(limits.memory_bytes, 8 << 30);
        assert_eq!((limits.processes, limits.output_bytes), (1_000, 64 << 20));
        let requested = RequestedLimits {
            memory_bytes: Some(5),
            processes: Some(6),
            output_bytes: Some(7),
        };
        let limits = requested.or_defaults(10 << 30);
        assert_eq!(
            (limits.memory_bytes, limits.processes, limits.output_bytes),
            (5, 6, 7)
        );
    }

    #[test]
    fn checks_stay_below_a_two_thousandth_of_a_core() {
        assert_eq!(pause_after(Duration::from_micros(50)), Duration::from_millis(500));
        assert_eq!(pause_after(Duration::from_millis(2)), Duration::from_secs(4));
    }
}
