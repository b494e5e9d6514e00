//! Finds how many units make a sample of the target length. Pure: it takes times and returns what to try next.

/// Maximum number of units in a sample. A workload that is still too fast then does not use its `units`.
const MAX_UNITS: u64 = 1 << 40;

/// A sample that takes this many times the target's length is not made longer, although less of it is timed, and a warm-up
/// not longer than this many times what was requested: those of a benchmark which starts a program for each unit and times
/// a part of it.
pub(super) const UNTIMED: u32 = 50;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Time a sample of this many units.
    Try(u64),
    /// Use this many units.
    Use(u64),
    /// Give up: even the maximum number of units took too little time, so the workload does not use its `units`.
    GiveUp,
}

/// Doubles the units until a sample lasts the target, then scales back in proportion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calibration {
    target_ns: u64,
    /// Units are a multiple of this, so that they split evenly among every number of workers.
    multiple: u64,
    units: u64,
}

impl Calibration {
    /// Starts with the smallest number of units that splits evenly for each of the worker counts.
    #[must_use]
    pub fn new(target_ns: u64, worker_counts: &[u32]) -> Self {
        let multiple = even_multiple(worker_counts);
        Self {
            target_ns: target_ns.max(1),
            multiple,
            units: multiple,
        }
    }

    /// The first step.
    #[must_use]
    pub const fn first(&self) -> Next {
        Next::Try(self.units)
    }

    /// Takes the makespan of the requested sample, and the time that it took with what is not timed. Returns what to do
    /// next.
    pub fn next_after(&mut self, makespan_ns: u64, elapsed_ns: u64) -> Next {
        if makespan_ns >= self.target_ns {
            return Next::Use(self.scaled_back(makespan_ns));
        }
        if elapsed_ns >= self.target_ns.saturating_mul(u64::from(UNTIMED)) {
            return Next::Use(self.units);
        }
        self.units = match self.units.checked_mul(2) {
            Some(units) if units <= MAX_UNITS => units,
            _ => return Next::GiveUp,
        };
        Next::Try(self.units)
    }

    /// The units that come nearest to the target, as a multiple of `multiple` and at least one of it.
    fn scaled_back(&self, makespan_ns: u64) -> u64 {
        let exact = u128::from(self.units) * u128::from(self.target_ns) / u128::from(makespan_ns.max(1));
        let multiple = u128::from(self.multiple);
        let rounded = (exact + multiple / 2) / multiple * multiple;
        // Scaled back from `units`, a u64, by a factor of at most 1; rounding adds less than one multiple.
        u64::try_from(rounded)
            .unwrap_or(self.units)
            .clamp(self.multiple, self.units.max(self.multiple))
    }
}

/// Largest common multiple that is used. Above it, shares that differ by one unit in thousands do not matter.
const LARGEST_MULTIPLE: u64 = 960;

/// The least common multiple of the worker counts or, if that is unwieldy, enough units that shares differ by at most a
/// few per cent.
fn even_multiple(worker_counts: &[u32]) -> u64 {
    let mut multiple = 1_u64;
    for &count in worker_counts {
        let count = u64::from(count.max(1));
        multiple = multiple / greatest_common_divisor(multiple, count) * count;
        if multiple > LARGEST_MULTIPLE {
            return worker_counts
                .iter()
                .copied()
                .map(u64::from)
                .max()
                .unwrap_or(1)
                .saturating_mul(32);
        }
    }
    multiple
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Calibrates a workload of the given cost. Returns its units, or `None` when the calibration gives up.
    fn calibrate(mut calibration: Calibration, cost: impl Fn(u64) -> u64) -> Option<u64> {
        let mut next = calibration.first();
        loop {
            match next {
                Next::Try(units) => next = calibration.next_after(cost(units), cost(units)),
                Next::Use(units) => return Some(units),
                Next::GiveUp => return None,
            }
        }
    }

    #[test]
    fn a_sample_lasts_about_the_target() {
        let units = calibrate(Calibration::new(100_000_000, &[1, 2, 4]), |units| units * 300_000);
        // 100 ms / 0.3 ms = 333, to the nearest multiple of four.
        assert_eq!(units, Some(332));
    }

    #[test]
    fn each_worker_gets_a_unit_even_when_one_exceeds_the_target() {
        assert_eq!(
            calibrate(Calibration::new(1_000, &[1, 2]), |units| units * 1_000_000),
            Some(2)
        );
    }

    #[test]
    fn a_sample_of_which_little_is_timed_is_not_made_longer() {
        let mut calibration = Calibration::new(20_000_000, &[1]);
        assert_eq!(calibration.next_after(1_000, 600_000_000), Next::Try(2));
        assert_eq!(calibration.next_after(2_000, 1_200_000_000), Next::Use(2));
    }

    #[test]
    fn a_workload_that_ignores_its_units_is_detected() {
        assert_eq!(calibrate(Calibration::new(100_000_000, &[1]), |_| 50), None);
    }

    proptest! {
        #[test]
        fn units_split_evenly_or_nearly(target in 1_u64..1 << 40, cost_ns in 1_u64..1 << 30, counts in prop::collection::vec(1_u32..200, 0..8)) {
            let units = calibrate(Calibration::new(target, &counts), |units| units.saturating_mul(cost_ns));
            if let Some(units) = units {
                for count in counts {
                    let largest_share = units.div_ceil(u64::from(count));
                    let even_share = units as f64 / f64::from(count);
                    prop_assert!(largest_share as f64 <= even_share * 1.04, "{units} among {count}");
                }
            }
        }
    }
}
