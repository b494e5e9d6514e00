//! How many units make a sample of the target length. Pure: it is told times and says what to try next.

/// Most units that a sample may have. A workload that is still too fast then does not use its `units`.
const MOST_UNITS: u64 = 1 << 40;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Time a sample of this many units.
    Try(u64),
    /// Use this many.
    Use(u64),
    /// Even the most units took no time: the workload does not use them.
    Hopeless,
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
    /// Starts with the fewest units that split evenly among each of the numbers of workers.
    #[must_use]
    pub fn new(target_ns: u64, worker_counts: &[u32]) -> Self {
        let multiple = even_multiple(worker_counts);
        Self {
            target_ns: target_ns.max(1),
            multiple,
            units: multiple,
        }
    }

    /// The first thing to try.
    #[must_use]
    pub const fn first(&self) -> Next {
        Next::Try(self.units)
    }

    /// Takes the time of the sample asked for and says what to do next.
    pub fn took(&mut self, makespan_ns: u64) -> Next {
        if makespan_ns >= self.target_ns {
            return Next::Use(self.scaled_back(makespan_ns));
        }
        self.units = match self.units.checked_mul(2) {
            Some(units) if units <= MOST_UNITS => units,
            _ => return Next::Hopeless,
        };
        Next::Try(self.units)
    }

    /// The multiple nearest to the target, and at least one of it.
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

/// Largest multiple that is worth it; above, shares that differ by one unit of thousands do not matter.
const LARGEST_MULTIPLE: u64 = 960;

/// Least common multiple of the numbers of workers, or, where that is unwieldy, a number of units so large that
/// shares differ by at most a few per cent.
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

    /// Runs a calibration against a workload with the given cost, and returns units and the number of samples.
    fn calibrate(mut calibration: Calibration, cost: impl Fn(u64) -> u64) -> Option<u64> {
        let mut next = calibration.first();
        loop {
            match next {
                Next::Try(units) => next = calibration.took(cost(units)),
                Next::Use(units) => return Some(units),
                Next::Hopeless => return None,
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
    fn one_huge_unit_is_split_all_the_same() {
        assert_eq!(
            calibrate(Calibration::new(1_000, &[1, 2]), |units| units * 1_000_000),
            Some(2)
        );
    }

    #[test]
    fn a_workload_that_ignores_its_units_is_found_out() {
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
