//! The native kernels, which measure the machine itself. Pure: numbers in, numbers out, no clock and no thread.
//!
//! `docs/ceiling.md` describes the purpose of each. Every kernel does its work in units of equal cost, in a way that a
//! compiler can neither leave out nor vectorise unexpectedly, and its result is checked every time.

pub mod floating_point;
pub mod integer;
pub mod memory_bandwidth;

use ftbench_schema::Kernel;
use memory_bandwidth::Arrays;

/// A kernel and the memory that one worker needs for it.
#[derive(Debug)]
pub enum Workspace {
    /// See [`integer`].
    Integer,
    /// See [`floating_point`].
    FloatingPoint,
    /// See [`memory_bandwidth`].
    MemoryBandwidth(Arrays),
}

/// A kernel returned a wrong result: the processor or the compiler is broken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "{units} units of the {kernel} kernel gave {found}, not {expected}; do not trust this machine's numbers"
)]
pub struct WrongResult {
    kernel: Kernel,
    units: u64,
    found: f64,
    expected: f64,
}

impl Workspace {
    /// Makes a workspace and writes to all of its memory, so that the memory is close to the calling core.
    ///
    /// `memory_bytes` is for [`Kernel::MemoryBandwidth`]: its three arrays together have at least as many bytes.
    #[must_use]
    pub fn new(kernel: Kernel, memory_bytes: u64) -> Self {
        match kernel {
            Kernel::Integer => Self::Integer,
            Kernel::FloatingPoint => Self::FloatingPoint,
            Kernel::MemoryBandwidth => Self::MemoryBandwidth(Arrays::new(memory_bytes)),
        }
    }

    /// Does `units` units of work.
    ///
    /// # Errors
    /// If the result is wrong.
    pub fn work(&mut self, units: u64) -> Result<(), WrongResult> {
        // Exact, because no sum of a trial comes near 2^53.
        let (kernel, found, expected, tolerance) = match self {
            Self::Integer => {
                let (found, expected) = (integer::work(units), integer::expected(units));
                (Kernel::Integer, found as f64, expected as f64, 0.0)
            }
            Self::FloatingPoint => (
                Kernel::FloatingPoint,
                floating_point::work(units),
                floating_point::expected(units),
                floating_point::TOLERANCE_PER_UNIT * units as f64,
            ),
            Self::MemoryBandwidth(arrays) => {
                let (found, expected) = (arrays.work(units), memory_bandwidth::expected(units));
                (Kernel::MemoryBandwidth, found, expected, 0.0)
            }
        };
        if (found - expected).abs() <= tolerance {
            Ok(())
        } else {
            Err(WrongResult {
                kernel,
                units,
                found,
                expected,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn every_number_of_units_gives_the_expected_result(first in 0_u64..9, second in 0_u64..9) {
            for kernel in Kernel::ALL {
                let mut workspace = Workspace::new(kernel, 1 << 20);
                prop_assert_eq!(workspace.work(first), Ok(()));
                prop_assert_eq!(workspace.work(second), Ok(()));
            }
        }

        #[test]
        fn every_unit_adds_the_same_to_the_result(units in 1_u64..6) {
            prop_assert_eq!(integer::work(units), units * integer::work(1));
            prop_assert!((floating_point::work(units) - units as f64 * floating_point::work(1)).abs() < 1e-12);
        }
    }

    #[test]
    fn the_error_of_a_wrong_result_names_the_expected_one() {
        let wrong = WrongResult {
            kernel: Kernel::Integer,
            units: 2,
            found: 3.0,
            expected: 4.0,
        };
        insta::assert_snapshot!(wrong, @"2 units of the integer kernel gave 3, not 4; do not trust this machine's numbers");
    }
}
