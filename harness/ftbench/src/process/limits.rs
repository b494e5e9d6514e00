//! What a trial may use. Pure, but for what the machine has.

use std::time::Duration;

use ftbench_schema::Limits;

/// The share of the memory that a trial may use unless told otherwise: ftbench and the system need some too.
const MEMORY_SHARE: f64 = 0.8;

/// Most processes of a trial unless told otherwise: above the workers of the largest machines, and far below what
/// makes a machine unusable.
const PROCESSES: u32 = 1_000;

/// How much a trial may print unless told otherwise, bytes. Each byte has to be read by the driver.
const OUTPUT_BYTES: u64 = 64 << 20;

/// How long a step has lasted when its processes and memory are looked at first: samples are shorter.
pub const FIRST_LOOK: Duration = Duration::from_secs(1);

/// How often they are looked at from then on, at most.
const NEXT_LOOK: Duration = Duration::from_millis(500);

/// How much longer than the CPU time of a look the time to the next one is, at least: with many processes a look takes
/// long, and all looks together are to stay below 0.05 % of a core.
const PAUSE_PER_LOOK: u32 = 2_000;

/// What the command line says of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// Memory of a trial, bytes.
    pub memory_bytes: Option<u64>,
    /// Processes of a trial.
    pub processes: Option<u32>,
    /// What a trial may print, bytes.
    pub output_bytes: Option<u64>,
}

impl Asked {
    /// With what holds otherwise, on a machine, or in a control group, with so much memory.
    #[must_use]
    pub fn on(self, memory_bytes: u64) -> Limits {
        Limits {
            memory_bytes: self
                .memory_bytes
                .unwrap_or((memory_bytes as f64 * MEMORY_SHARE) as u64),
            processes: self.processes.unwrap_or(PROCESSES),
            output_bytes: self.output_bytes.unwrap_or(OUTPUT_BYTES),
        }
    }
}

/// How long after a look that took so much CPU time the next one is due.
#[must_use]
pub fn pause_after(look: Duration) -> Duration {
    NEXT_LOOK.max(look.saturating_mul(PAUSE_PER_LOOK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_asked_for_has_sensible_limits() {
        let limits = Asked::default().on(10 << 30);
        assert_eq!(limits.memory_bytes, 8 << 30);
        assert_eq!((limits.processes, limits.output_bytes), (1_000, 64 << 20));
        let asked = Asked {
            memory_bytes: Some(5),
            processes: Some(6),
            output_bytes: Some(7),
        };
        let limits = asked.on(10 << 30);
        assert_eq!(
            (limits.memory_bytes, limits.processes, limits.output_bytes),
            (5, 6, 7)
        );
    }

    #[test]
    fn looks_stay_below_a_two_thousandth_of_a_core() {
        assert_eq!(pause_after(Duration::from_micros(50)), Duration::from_millis(500));
        assert_eq!(pause_after(Duration::from_millis(2)), Duration::from_secs(4));
    }
}
