//! Verdicts on ratios by their intervals.

use serde::{Deserialize, Serialize};

use crate::multiple::{FALSE_DISCOVERY_RATE, discoveries};
use ftbench_schema::Estimate;

/// The verdict on a ratio of times, NEW / BASE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// NEW takes longer by more than the smallest effect of interest, and not by chance: a regression.
    Slower,
    /// NEW takes less time by more than the smallest effect of interest, and not by chance.
    Faster,
    /// The whole interval is within the smallest effect of interest: two one-sided tests (Schuirmann, Journal of
    /// Pharmacokinetics and Biopharmaceutics 15 (1987)), at 2.5 % each.
    Same,
    /// Neither a difference nor sameness is established.
    CannotTell,
}

impl Verdict {
    /// Every verdict, worst first.
    pub const ALL: [Self; 4] = [Self::Slower, Self::Faster, Self::CannotTell, Self::Same];

    /// The verdict in words, for tables.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Slower => "slower",
            Self::Faster => "faster",
            Self::Same => "same",
            Self::CannotTell => "cannot tell",
        }
    }
}

/// A ratio of times with its interval, and the two-sided probability of a ratio at least as far from 1 if there were no
/// difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TestedRatio {
    pub ratio: Estimate,
    pub p_value: f64,
}

/// Returns a verdict for each ratio, corrected for all of them after Benjamini and Hochberg. A ratio is called a
/// difference only if it remains significant, its interval excludes 1, and it is larger than the smallest effect of
/// interest.
pub(super) fn verdicts(found: &[TestedRatio], smallest_effect: f64) -> Vec<Verdict> {
    let p_values: Vec<f64> = found.iter().map(|one| one.p_value).collect();
    let called = discoveries(&p_values, FALSE_DISCOVERY_RATE);
    let above = 1.0 + smallest_effect;
    let below = 1.0 / above;
    found
        .iter()
        .zip(called)
        .map(|(TestedRatio { ratio, .. }, called)| {
            if called && ratio.low > 1.0 && ratio.estimate > above {
                Verdict::Slower
            } else if called && ratio.high < 1.0 && ratio.estimate < below {
                Verdict::Faster
            } else if ratio.low > below && ratio.high < above {
                Verdict::Same
            } else {
                Verdict::CannotTell
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn found(low: f64, estimate: f64, high: f64, p_value: f64) -> TestedRatio {
        TestedRatio {
            ratio: Estimate { estimate, low, high },
            p_value,
        }
    }

    #[test]
    fn whole_interval_determines_the_verdict() {
        let cases = [
            (found(1.06, 1.10, 1.14, 1e-6), Verdict::Slower),
            (found(0.86, 0.90, 0.94, 1e-6), Verdict::Faster),
            (found(0.99, 1.00, 1.01, 0.9), Verdict::Same),
            // Significant, but too small to be of interest.
            (found(1.005, 1.01, 1.015, 1e-6), Verdict::Same),
            (found(1.005, 1.015, 1.025, 1e-6), Verdict::CannotTell),
            (found(0.95, 1.03, 1.12, 0.5), Verdict::CannotTell),
        ];
        for (one, expected) in cases {
            assert_eq!(verdicts(&[one], 0.02), [expected], "{one:?}");
        }
        assert_eq!(verdicts(&[cases[0].0], 0.15), [Verdict::Same]);
    }

    #[test]
    fn single_difference_among_many_needs_a_smaller_p_value() {
        let one = found(1.001, 1.05, 1.10, 0.04);
        assert_eq!(verdicts(&[one], 0.02), [Verdict::Slower]);
        let mut many = vec![found(0.96, 1.0, 1.04, 0.5); 19];
        many.push(one);
        assert!(
            verdicts(&many, 0.02)
                .iter()
                .all(|verdict| *verdict == Verdict::CannotTell)
        );
    }

    proptest! {
        #[test]
        fn swapping_the_sides_mirrors_the_verdict(estimate in 0.5_f64..2.0, width in 1.0_f64..1.2, p_value in 0.0_f64..0.1) {
            let there = found(estimate / width, estimate, estimate * width, p_value);
            let back = found(1.0 / there.ratio.high, 1.0 / estimate, 1.0 / there.ratio.low, p_value);
            let mirrored = match verdicts(&[there], 0.02)[0] {
                Verdict::Slower => Verdict::Faster,
                Verdict::Faster => Verdict::Slower,
                other => other,
            };
            // Within a rounding error of a limit, either verdict is correct.
            let near = |value: f64| [1.0, 1.02, 1.0 / 1.02].iter().any(|limit| (value - limit).abs() < 1e-9);
            if ![there.ratio.low, estimate, there.ratio.high].into_iter().any(near) {
                prop_assert_eq!(verdicts(&[back], 0.02)[0], mirrored);
            }
        }
    }
}
