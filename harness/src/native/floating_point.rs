//! Floating point: half of a circular orbit, by the leapfrog method.
//!
//! Unit mass, unit constant of gravity, from (1, 0) with velocity (0, 1). A step is the inner loop of an n-body program
//! for one pair: multiplications and additions, a square root and a division, each waiting for the one before. After
//! half a period the body is at (-1, 0), whatever the machine.

use std::f64::consts::PI;
use std::hint::black_box;

/// Steps of half an orbit.
const STEPS: u32 = 2_048;

/// How far one unit's result may be from [`expected`]. The leapfrog's error is of second order in the step (Hairer,
/// Lubich and Wanner, "Geometric Numerical Integration", Springer 2006, I.1.4): here (pi/2048)^2, 2.4e-6, times less
/// than 1.
pub const TOLERANCE_PER_UNIT: f64 = 3e-6;

/// Does so many units and returns the sum of the abscissae reached.
#[must_use]
pub fn work(units: u64) -> f64 {
    let mut sum = 0.0;
    for _ in 0..units {
        // Looked at anew in every unit, so that no unit can be taken from the one before.
        sum += half_an_orbit(black_box(STEPS));
    }
    sum
}

/// What [`work`] returns, to within [`TOLERANCE_PER_UNIT`] a unit.
#[must_use]
pub const fn expected(units: u64) -> f64 {
    -(units as f64)
}

/// Where the body is along the x axis after half a period.
fn half_an_orbit(steps: u32) -> f64 {
    let step = PI / f64::from(steps);
    let (mut x, mut y) = (1.0, 0.0);
    // Half a kick first: from here on velocities are those between two positions.
    let (mut velocity_x, mut velocity_y) = (-0.5 * step, 1.0);
    for _ in 0..steps {
        x += step * velocity_x;
        y += step * velocity_y;
        let square: f64 = x * x + y * y;
        let pull = step / (square * square.sqrt());
        velocity_x -= pull * x;
        velocity_y -= pull * y;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_period_leads_to_the_other_side() {
        assert!((work(1) + 1.0).abs() < TOLERANCE_PER_UNIT, "{}", work(1));
        // Of second order: with half of the steps, about four times as far off.
        let ratio = (half_an_orbit(STEPS / 8) + 1.0) / (half_an_orbit(STEPS / 4) + 1.0);
        assert!((3.5..4.5).contains(&ratio), "{ratio}");
    }

    #[test]
    fn no_work_is_not_taken_for_work() {
        assert!((half_an_orbit(0) - expected(1)).abs() > TOLERANCE_PER_UNIT);
        assert!((work(3) - expected(4)).abs() > 4.0 * TOLERANCE_PER_UNIT);
    }
}
