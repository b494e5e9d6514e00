//! Floating point: half of a circular orbit, by the leapfrog method, of several bodies at once.
//!
//! Unit mass, unit constant of gravity, from (1, 0) with velocity (0, 1). A step is the inner loop of an n-body program
//! for one pair: multiplications and additions, a square root and a division, each waiting for the one before. A single
//! body would leave the units of a core idle most of the time, so that another thread on the core would cost it
//! nothing; compiled numerical code has many such chains at once. After half a period each body is at (-1, 0) on every
//! machine.

use std::f64::consts::PI;
use std::hint::black_box;

/// Steps of half an orbit.
const STEPS: u32 = 2_048;

/// The number of bodies in orbit at once, which do not affect each other. With four, another thread on the same core
/// still costs hardly anything (docs/decisions.md).
const BODIES: usize = 8;

/// The maximum difference between one unit's result and [`expected`]. The leapfrog's error is of second order in the
/// step (Hairer, Lubich and Wanner, "Geometric Numerical Integration", Springer 2006, I.1.4): here (pi/2048)^2, 2.4e-6,
/// times less than 1.
pub const TOLERANCE_PER_UNIT: f64 = 3e-6;

/// Does `units` units of work and returns the sum over units of the mean abscissa reached.
#[must_use]
pub fn work(units: u64) -> f64 {
    let mut sum = 0.0;
    for _ in 0..units {
        // Hidden from the compiler in every unit, so that it cannot reuse the result of the previous unit.
        let bodies = half_an_orbit(black_box(STEPS));
        sum += bodies.iter().sum::<f64>() / BODIES as f64;
    }
    sum
}

/// The result of [`work`], to within [`TOLERANCE_PER_UNIT`] a unit.
#[must_use]
pub const fn expected(units: u64) -> f64 {
    -(units as f64)
}

/// The positions of the bodies along the x axis after half a period.
fn half_an_orbit(steps: u32) -> [f64; BODIES] {
    let step = PI / f64::from(steps);
    let start = Body {
        x: 1.0,
        y: 0.0,
        // Half a kick first: from now on, velocities are those between two positions.
        velocity_x: -0.5 * step,
        velocity_y: 1.0,
    };
    // Hidden from the compiler, so that it does not know that the bodies are alike.
    let mut bodies = black_box([start; BODIES]);
    for _ in 0..steps {
        for body in &mut bodies {
            body.drift_and_kick(step);
        }
    }
    bodies.map(|body| body.x)
}

#[derive(Debug, Clone, Copy)]
struct Body {
    x: f64,
    y: f64,
    velocity_x: f64,
    velocity_y: f64,
}

impl Body {
    fn drift_and_kick(&mut self, step: f64) {
        self.x += step * self.velocity_x;
        self.y += step * self.velocity_y;
        let square = self.x * self.x + self.y * self.y;
        let pull = step / (square * square.sqrt());
        self.velocity_x -= pull * self.x;
        self.velocity_y -= pull * self.y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_period_ends_on_the_other_side() {
        assert!((work(1) + 1.0).abs() < TOLERANCE_PER_UNIT, "{}", work(1));
        // The method is of second order: with half of the steps the error is about four times as large.
        let [coarse, fine] = [STEPS / 8, STEPS / 4].map(half_an_orbit);
        for (coarse, fine) in coarse.iter().zip(fine) {
            let ratio = (coarse + 1.0) / (fine + 1.0);
            assert!((3.5..4.5).contains(&ratio), "{ratio}");
        }
    }

    #[test]
    fn missing_work_is_not_taken_for_work() {
        assert!(
            half_an_orbit(0)
                .iter()
                .all(|x| (x - expected(1)).abs() > TOLERANCE_PER_UNIT)
        );
        assert!((work(3) - expected(4)).abs() > 4.0 * TOLERANCE_PER_UNIT);
    }
}
