//! Moderated variances: many cells, each known from few runs, share information through a common prior. Smyth, "Linear
//! models and empirical Bayes methods for assessing differential expression in microarray experiments", Statistical
//! Applications in Genetics and Molecular Biology 3 (2004), article 3.

use statrs::function::gamma::digamma;

use crate::sample::mean;

/// A variance and its precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Variance {
    pub value: f64,
    /// Degrees of freedom of a scaled chi-squared variable with the same precision; may be infinite.
    pub degrees: f64,
}

impl Variance {
    /// Combines two variances, each weighted by its degrees of freedom: the posterior of the second with the first as
    /// its prior (Smyth 2004, section 3).
    pub fn with(self, other: Self) -> Self {
        let degrees = self.degrees + other.degrees;
        let value = if self.degrees.is_infinite() || degrees <= 0.0 {
            self.value
        } else {
            (self.value * self.degrees + other.value * other.degrees) / degrees
        };
        Self { value, degrees }
    }
}

/// Estimates the common prior of several cells' variances from their moments (Smyth 2004, section 6.2); `None` with
/// fewer than two cells that vary.
pub(super) fn common_prior(variances: &[Variance]) -> Option<Variance> {
    let usable: Vec<&Variance> = variances
        .iter()
        .filter(|one| one.value > 0.0 && one.degrees > 0.0)
        .collect();
    if usable.len() < 2 {
        return None;
    }
    let logs: Vec<f64> = usable
        .iter()
        .map(|one| one.value.ln() - digamma(one.degrees / 2.0) + (one.degrees / 2.0).ln())
        .collect();
    let centre = mean(&logs);
    let spread = logs.iter().map(|log| (log - centre).powi(2)).sum::<f64>() / (logs.len() as f64 - 1.0);
    let expected: Vec<f64> = usable.iter().map(|one| trigamma(one.degrees / 2.0)).collect();
    let beyond_chance = spread - mean(&expected);
    if beyond_chance <= 0.0 {
        return Some(Variance {
            value: centre.exp(),
            degrees: f64::INFINITY,
        });
    }
    let half = inverse_trigamma(beyond_chance);
    Some(Variance {
        value: (centre + digamma(half) - half.ln()).exp(),
        degrees: 2.0 * half,
    })
}

/// Second derivative of the logarithm of the gamma function, for x above 0: recurrence 6.4.6 and asymptotic series
/// 6.4.12 of Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964).
fn trigamma(x: f64) -> f64 {
    let mut argument = x;
    let mut sum = 0.0;
    while argument < 10.0 {
        sum += 1.0 / (argument * argument);
        argument += 1.0;
    }
    let inverse = 1.0 / argument;
    let square = inverse * inverse;
    let series = 1.0 / 6.0 + square * (-1.0 / 30.0 + square * (1.0 / 42.0 - square / 30.0));
    sum + inverse + square / 2.0 + square * inverse * series
}

/// Returns the x above 0 whose trigamma is y, for y above 0: Newton's method on 1 / trigamma, which converges from
/// below for any y (Smyth 2004, appendix).
fn inverse_trigamma(y: f64) -> f64 {
    // Beyond these limits the leading term alone is exact to six digits.
    if y > 1e7 {
        return 1.0 / y.sqrt();
    }
    if y < 1e-6 {
        return 1.0 / y;
    }
    let mut x = 0.5 + 1.0 / y;
    for _ in 0..50 {
        let value = trigamma(x);
        let step = value * (1.0 - value / y) / tetragamma(x);
        x += step;
        if -step / x < 1e-8 {
            break;
        }
    }
    x
}

/// Derivative of the trigamma function, from formulas 6.4.6 and 6.4.13 of the same book.
fn tetragamma(x: f64) -> f64 {
    let mut argument = x;
    let mut sum = 0.0;
    while argument < 10.0 {
        sum -= 2.0 / argument.powi(3);
        argument += 1.0;
    }
    let inverse = 1.0 / argument;
    let square = inverse * inverse;
    let series = square * (0.5 - square * (1.0 / 6.0 - square * (1.0 / 6.0 - 0.3 * square)));
    sum - square - square * inverse - square * series
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use statrs::distribution::{ChiSquared, ContinuousCDF};

    use super::*;

    #[test]
    fn trigamma_and_tetragamma_have_their_tabulated_values() {
        let pi_squared = std::f64::consts::PI.powi(2);
        // Abramowitz and Stegun 6.4.2 and 6.4.4: trigamma(1) is pi^2 / 6, trigamma(1/2) is pi^2 / 2; tetragamma(1) is
        // -2 zeta(3).
        for (x, value) in [(1.0, pi_squared / 6.0), (0.5, pi_squared / 2.0)] {
            assert!((trigamma(x) - value).abs() < 1e-9, "{x}: {}", trigamma(x));
        }
        assert!(
            (tetragamma(1.0) + 2.404_113_806_319_188_6).abs() < 1e-8,
            "{}",
            tetragamma(1.0)
        );
    }

    /// Uses quantiles of the distribution instead of random values.
    #[test]
    fn prior_is_recovered_from_simulated_variances() {
        let degrees = 4.0;
        let drawn = ChiSquared::new(degrees).unwrap();
        let variances: Vec<Variance> = (1..200)
            .map(|rank| Variance {
                value: 9e-4 * drawn.inverse_cdf(f64::from(rank) / 200.0) / degrees,
                degrees,
            })
            .collect();
        // All have the same true variance, 9e-4: there is nothing beyond chance.
        let prior = common_prior(&variances).unwrap();
        assert!((prior.value / 9e-4 - 1.0).abs() < 0.02, "{prior:?}");
        assert!(prior.degrees > 100.0, "{prior:?}");
        // Two groups that differ a hundredfold contain little information about each other.
        let apart = variances.iter().enumerate().map(|(index, one)| Variance {
            value: one.value * if index % 2 == 0 { 0.1 } else { 10.0 },
            ..*one
        });
        let prior = common_prior(&apart.collect::<Vec<_>>()).unwrap();
        assert!(prior.degrees < 2.0, "{prior:?}");
        assert_eq!(
            common_prior(&[Variance {
                value: 1.0,
                degrees: 1.0
            }]),
            None
        );
    }

    #[test]
    fn posterior_lies_between_prior_and_data() {
        let prior = Variance {
            value: 1.0,
            degrees: 3.0,
        };
        let own = Variance {
            value: 4.0,
            degrees: 1.0,
        };
        assert_eq!(
            prior.with(own),
            Variance {
                value: 1.75,
                degrees: 4.0
            }
        );
        let certain = Variance {
            value: 1.0,
            degrees: f64::INFINITY,
        };
        assert_eq!(certain.with(own), certain);
    }

    proptest! {
        #[test]
        fn inverse_trigamma_inverts_trigamma(x in 0.01_f64..1e4) {
            let found = inverse_trigamma(trigamma(x));
            prop_assert!((found / x - 1.0).abs() < 1e-5, "{x} {found}");
        }
    }
}
