//! Memory bandwidth: the triad, `a[i] = b[i] + s * c[i]`, on arrays that do not fit into any cache.
//!
//! The kernel is the last of STREAM's four: J. D. McCalpin, "Memory Bandwidth and Machine Balance in Current High
//! Performance Computers", IEEE TCCA Newsletter, December 1995, <https://www.cs.virginia.edu/stream/>.

use std::hint::black_box;

/// The length of the part of each array that one unit covers: 16,384 numbers of 8 bytes, 384 KiB for the three arrays.
const UNIT_LENGTH: usize = 16_384;

/// The number of bytes of the three arrays in one unit.
const UNIT_BYTES: u64 = 3 * 8 * UNIT_LENGTH as u64;

/// `s` runs from 0 to one less than this, with a new value in each unit, so that no pass writes the values already
/// there.
const SCALARS: u64 = 1_021;

const B: f64 = 1.0;
const C: f64 = 2.0;

/// One worker's arrays.
#[derive(Debug)]
pub struct Arrays {
    a: Vec<f64>,
    b: Vec<f64>,
    c: Vec<f64>,
    /// The start of the next unit: each sample continues where the previous one ended, away from data still in a cache.
    next: usize,
}

impl Arrays {
    /// Allocates three arrays of at least `bytes` bytes together, and writes to all of them.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let units = usize::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(usize::MAX);
        let length = units.max(1).saturating_mul(UNIT_LENGTH);
        // Not zero: zeroed memory is handed out without being touched.
        Self {
            a: vec![-1.0; length],
            b: vec![B; length],
            c: vec![C; length],
            next: 0,
        }
    }

    /// Does `units` units of work, starting over at the end of the arrays, and returns the sum of one written number
    /// per unit.
    #[must_use]
    pub fn work(&mut self, units: u64) -> f64 {
        let mut sum = 0.0;
        for unit in 0..units {
            if self.next >= self.a.len() {
                self.next = 0;
            }
            let end = self.next + UNIT_LENGTH;
            let range = self.next..end;
            self.next = end;
            let (Some(a), Some(b), Some(c)) = (
                self.a.get_mut(range.clone()),
                self.b.get(range.clone()),
                self.c.get(range),
            ) else {
                continue;
            };
            triad(a, b, c, (unit % SCALARS) as f64);
            sum += black_box(a).last().copied().unwrap_or_default();
        }
        sum
    }
}

fn triad(a: &mut [f64], b: &[f64], c: &[f64], scalar: f64) {
    for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
        *a = b + scalar * c;
    }
}

/// The result of [`Arrays::work`], which is exact because all numbers are whole and small.
#[must_use]
pub const fn expected(units: u64) -> f64 {
    let (rounds, rest) = (units / SCALARS, units % SCALARS);
    let scalars = rounds * (SCALARS * (SCALARS - 1) / 2) + rest * rest.saturating_sub(1) / 2;
    B * units as f64 + C * scalars as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_every_array_is_used() {
        let mut arrays = Arrays::new(2 * UNIT_BYTES);
        assert_eq!(arrays.a.len(), 2 * UNIT_LENGTH);
        // Units 0 to 2 with s = 0, 1, 2: the third one is back at the beginning.
        assert_eq!(arrays.work(3), 1.0 + 3.0 + 5.0);
        let (first, second) = arrays.a.split_at(UNIT_LENGTH);
        assert!(first.iter().all(|&a| a == 5.0) && second.iter().all(|&a| a == 3.0));
    }

    #[test]
    fn sums_are_as_expected_beyond_the_last_scalar() {
        let mut arrays = Arrays::new(0);
        for units in [0, 1, SCALARS - 1, SCALARS, SCALARS + 1, 2 * SCALARS + 7] {
            assert_eq!(arrays.work(units), expected(units), "{units}");
        }
    }

    #[test]
    fn arrays_have_at_least_the_requested_bytes() {
        let arrays = Arrays::new(10 * UNIT_BYTES + 1);
        assert_eq!(arrays.a.len() + arrays.b.len() + arrays.c.len(), 33 * UNIT_LENGTH);
    }
}
