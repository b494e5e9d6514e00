//! What an interval says.

use serde::{Deserialize, Serialize};

use crate::multiple::{FALSE_DISCOVERY_RATE, discoveries};
use ftbench_schema::Estimate;

/// What is said of a ratio of times, NEW over BASE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Longer, by more than the smallest effect of interest, and not by chance: a regression.
    Slower,
    /// Shorter, likewise.
    Faster,
    /// The whole interval is within the smallest effect of interest: two one-sided tests (Schuirmann, Journal of
    /// Pharmacokinetics and Biopharmaceutics 15 (1987)), at 2.5 % each.
    Same,
    /// Neither can be said.
    CannotTell,
}

impl Verdict {
    /// Every verdict, the worst first.
    pub const ALL: [Self; 4] = [Self::Slower, Self::Faster, Self::CannotTell, Self::Same];

    /// The words for it in tables.
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

/// A ratio of times with its interval, and the two-sided probability of one as far from 1 were there no difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    pub ratio: Estimate,
    pub p_value: f64,
}

/// A verdict for each, over all of them at once: a difference is called one only if its interval excludes 1, after
/// Benjamini and Hochberg, and is larger than the smallest effect of interest.
pub(super) fn verdicts(found: &[Found], smallest_effect: f64) -> Vec<Verdict> {
    let p_values: Vec<f64> = found.iter().map(|one| one.p_value).collect();
    let called = discoveries(&p_values, FALSE_DISCOVERY_RATE);
    let above = 1.0 + smallest_effect;
    let below = 1.0 / above;
    found
        .iter()
        .zip(called)
        .map(|(Found { ratio, .. }, called)| {
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

    fn found(low: f64, estimate: f64, high: f64, p_value: f64) -> Found {
        Found {
            ratio: Estimate { estimate, low, high },
            p_value,
        }
    }

    #[test]
    fn the_whole_interval_decides() {
        let cases = [
            (found(1.06, 1.10, 1.14, 1e-6), Verdict::Slower),
            (found(0.86, 0.90, 0.94, 1e-6), Verdict::Faster),
            (found(0.99, 1.00, 1.01, 0.9), Verdict::Same),
            // Not by chance, and of no interest.
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
    fn one_among_many_needs_more() {
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
        fn turned_round_slower_is_faster(estimate in 0.5_f64..2.0, width in 1.0_f64..1.2, p_value in 0.0_f64..0.1) {
            let there = found(estimate / width, estimate, estimate * width, p_value);
            let back = found(1.0 / there.ratio.high, 1.0 / estimate, 1.0 / there.ratio.low, p_value);
            let mirrored = match verdicts(&[there], 0.02)[0] {
                Verdict::Slower => Verdict::Faster,
                Verdict::Faster => Verdict::Slower,
                other => other,
            };
            // Within a rounding error of a limit either may be said.
            let near = |value: f64| [1.0, 1.02, 1.0 / 1.02].iter().any(|limit| (value - limit).abs() < 1e-9);
            if ![there.ratio.low, estimate, there.ratio.high].into_iter().any(near) {
                prop_assert_eq!(verdicts(&[back], 0.02)[0], mirrored);
            }
        }
    }
}
