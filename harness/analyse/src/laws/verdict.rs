//! Whether a curve scales, judged by what the whole interval of its speedup excludes, never by the point estimate.

use ftbench_schema::{CurveVerdict, Estimate};

/// A speedup within this share of 1 does not count: 10 % from one more core is not scaling.
pub const FLAT_WITHIN: f64 = 0.10;

/// Whether the whole interval of a speedup is too small to count.
#[must_use]
pub fn is_flat(speedup: Estimate) -> bool {
    speedup.high <= 1.0 + FLAT_WITHIN
}

/// Returns the verdict on a speedup from its interval alone.
#[must_use]
pub fn on(speedup: Estimate) -> CurveVerdict {
    let Estimate { low, high, .. } = speedup;
    let is_narrow = (high - low) / 2.0 <= FLAT_WITHIN;
    if high < 1.0 - FLAT_WITHIN {
        CurveVerdict::Slower
    } else if is_flat(speedup) || (low <= 1.0 && is_narrow) {
        CurveVerdict::DoesNotScale
    } else if low > 1.0 {
        CurveVerdict::Scales
    } else {
        CurveVerdict::CannotTell
    }
}

/// Estimates how many more rounds would settle an open verdict on this speedup, given the number of rounds so far.
///
/// Half-widths decrease with the square root of the rounds. The half-width has to become smaller than the distance to
/// 1, or than [`FLAT_WITHIN`].
#[must_use]
pub fn further_rounds(speedup: Estimate, rounds: u32) -> f64 {
    let half_width = (speedup.high.ln() - speedup.low.ln()) / 2.0;
    let wanted = speedup.estimate.ln().abs().max(FLAT_WITHIN.ln_1p());
    let factor = (half_width / wanted).powi(2);
    (f64::from(rounds) * (factor - 1.0)).ceil().max(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn estimate(estimate: f64, low: f64, high: f64) -> Estimate {
        Estimate { estimate, low, high }
    }

    #[test]
    fn whole_interval_determines_the_verdict() {
        assert_eq!(on(estimate(1.93, 1.90, 1.96)), CurveVerdict::Scales);
        assert_eq!(on(estimate(1.75, 1.25, 2.44)), CurveVerdict::Scales);
        assert_eq!(on(estimate(1.05, 1.04, 1.06)), CurveVerdict::DoesNotScale);
        assert_eq!(on(estimate(1.03, 0.95, 1.12)), CurveVerdict::DoesNotScale);
        assert_eq!(on(estimate(0.95, 0.85, 0.99)), CurveVerdict::DoesNotScale);
        assert_eq!(on(estimate(0.6, 0.5, 0.7)), CurveVerdict::Slower);
        assert_eq!(on(estimate(1.08, 0.69, 1.68)), CurveVerdict::CannotTell);
        assert_eq!(on(estimate(1.3, f64::NAN, 2.1)), CurveVerdict::CannotTell);
    }

    #[test]
    fn half_width_of_twice_the_distance_needs_four_times_the_rounds() {
        let open = estimate(1.5, 1.5_f64.powi(-1), 1.5_f64.powi(3));
        assert_eq!(on(open), CurveVerdict::CannotTell);
        assert!(
            (further_rounds(open, 10) - 30.0).abs() < 1.5,
            "{}",
            further_rounds(open, 10)
        );
    }

    proptest! {
        #[test]
        fn narrow_intervals_have_a_verdict(
            centre in 0.2_f64..5.0,
            half_width in 0.0_f64..1.0,
            rounds in 3_u32..100,
        ) {
            let speedup = estimate(centre, centre * (-half_width).exp(), centre * half_width.exp());
            prop_assert!(further_rounds(speedup, rounds) >= 1.0);
            let narrow = estimate(centre, centre * (-half_width / 20.0).exp(), centre * (half_width / 20.0).exp());
            prop_assert!(half_width / 20.0 > 0.05 || on(narrow) != CurveVerdict::CannotTell);
        }
    }
}
