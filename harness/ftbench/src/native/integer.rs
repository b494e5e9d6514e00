//! Integers and branches: the number of steps from the numbers 1 to 1,000 down to 1 by the rule of Collatz.
//!
//! An even number is halved; an odd one is tripled and increased by 1. Each step needs the previous one, its branch
//! depends on the number, and the number of steps is known only at the end, so that the compiler can neither vectorise
//! nor precompute anything. It touches no memory. An interpreter's loop is similar: dependent integer work with
//! branches that depend on the data.

use std::hint::black_box;

/// The last number of one unit; the first is 1.
const LAST: u64 = 1_000;

/// The number of steps for all of them: the sum of the first 1,000 terms of <https://oeis.org/A006577>.
const STEPS_PER_UNIT: u64 = 59_542;

/// Does `units` units of work and returns the number of steps.
#[must_use]
pub fn work(units: u64) -> u64 {
    let mut steps = 0;
    for _ in 0..units {
        // Hidden from the compiler in every unit, so that it cannot reuse the result of the previous unit.
        for number in 1..=black_box(LAST) {
            steps += steps_to_one(number);
        }
    }
    steps
}

/// The result of [`work`].
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
    fn stopping_times_are_the_published_ones() {
        // A006577: a(27) is the well-known 111; 97 and 871 are the record holders below 100 and 1,000 (A006877).
        for (number, steps) in [(1, 0), (2, 1), (27, 111), (97, 118), (871, 178)] {
            assert_eq!(steps_to_one(number), steps, "{number}");
        }
        assert_eq!((1..=100).map(steps_to_one).sum::<u64>(), 3_142);
        assert_eq!(work(1), STEPS_PER_UNIT);
    }
}
