//! Integers and branches: how long the numbers 1 to 1,000 take to reach 1 by the rule of Collatz.
//!
//! A number is halved when even, else tripled and increased by 1. Each step needs the one before, its branch follows
//! the number, and how many there are shows only at the end, so that nothing can be spread over vector lanes or known
//! when compiling. It touches no memory. An interpreter's loop is of the same cloth: dependent integer work with
//! branches that follow the data.

use std::hint::black_box;

/// The numbers of one unit are 1 to this.
const LAST: u64 = 1_000;

/// Steps that they take in all: the sum of the first 1,000 terms of <https://oeis.org/A006577>.
const STEPS_PER_UNIT: u64 = 59_542;

/// Does so many units and returns the number of steps.
#[must_use]
pub fn work(units: u64) -> u64 {
    let mut steps = 0;
    for _ in 0..units {
        // Looked at anew in every unit, so that no unit can be taken from the one before.
        for number in 1..=black_box(LAST) {
            steps += steps_to_one(number);
        }
    }
    steps
}

/// What [`work`] returns.
#[must_use]
pub const fn expected(units: u64) -> u64 {
    units.wrapping_mul(STEPS_PER_UNIT)
}

/// The total stopping time of a number, at least 1.
fn steps_to_one(mut number: u64) -> u64 {
    let mut steps = 0;
    while number > 1 {
        number = if number.is_multiple_of(2) {
            number / 2
        } else {
            3 * number + 1
        };
        steps += 1;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_stopping_times() {
        // A006577: a(27) is the well-known 111; 97 and 871 are the record holders below 100 and 1,000 (A006877).
        for (number, steps) in [(1, 0), (2, 1), (27, 111), (97, 118), (871, 178)] {
            assert_eq!(steps_to_one(number), steps, "{number}");
        }
        assert_eq!((1..=100).map(steps_to_one).sum::<u64>(), 3_142);
        assert_eq!(work(1), STEPS_PER_UNIT);
    }
}
