//! The centre of paired differences with its interval, and a test whether it is 0. Pure.
//!
//! Differences of two cells within a round are symmetric around their centre if noise affects both alike, and exactly
//! so if the cells are the same. The signed-rank interval requires nothing else, so heavy tails and bursts of noise
//! reduce neither its coverage nor, by much, its precision. `docs/decisions.md` has the simulation that led to choosing
//! it over the bootstrap.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::pairwise::PairwiseMeans;
use super::sample::Sample;
use ftbench_schema::Estimate;

/// Share of intervals that should contain the true value.
pub const CONFIDENCE: f64 = 0.95;

/// Minimum number of values for the signed-rank method. With fewer than six values none of its intervals has 95 %, and
/// with up to nine its ends move in large steps. Student's t is used for fewer.
pub const RANKED_FROM: usize = 10;

/// Minimum number of values for an interval: the t interval of two values is twelve times as wide as their spread.
pub const MIN_VALUES: usize = 3;

/// Beyond this number of values, the normal approximation of the signed-rank distribution differs from the exact one by
/// less than one rank.
const EXACT_UP_TO: usize = 60;

/// A centre with its 95 % interval, and the two-sided probability of differences at least as far from 0 if the centre
/// were 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Location {
    /// The centre with its interval.
    pub centre: Estimate,
    /// Two-sided p value of the centre being 0.
    pub p_value: f64,
}

/// Returns the centre of the differences: by signed ranks for at least [`RANKED_FROM`] values, by Student's t for
/// fewer. `None` with fewer than [`MIN_VALUES`].
///
/// If all values are on one side of 0, ranks cannot give a p value below 2 / 2^n, 0.002 for ten values, however far
/// from 0 the values are: among more than 25 comparisons, a single one could never be called. In that case Student's p
/// value is used if it is smaller. This preserves the level of the test. A limit of at least 2 / 2^n is reached by the
/// same values as with ranks alone. A lower limit requires both that all values are on one side and that t reaches the
/// limit, and differences with heavy tails reach a high t less often than normal ones (Benjamini, "Is the t test really
/// conservative when the parent distribution is long-tailed?", Journal of the American Statistical Association 78
/// (1983)).
#[must_use]
pub fn location(differences: &Sample) -> Option<Location> {
    match differences.len() {
        0..MIN_VALUES => None,
        MIN_VALUES..RANKED_FROM => student(differences),
        _ => Some(signed_rank(differences)),
    }
}

/// Returns the mean with Student's interval at any confidence; `None` for a single value.
#[must_use]
pub fn mean_interval(sample: &Sample, confidence: f64) -> Option<Estimate> {
    let mean = sample.mean();
    let distribution = StudentsT::new(0.0, 1.0, sample.len() as f64 - 1.0).ok()?;
    let reach = distribution.inverse_cdf(0.5 + confidence / 2.0) * sample.standard_error()?;
    Some(Estimate {
        estimate: mean,
        low: mean - reach,
        high: mean + reach,
    })
}

/// Returns the mean with Student's interval: Student, "The probable error of a mean", Biometrika 6 (1908).
fn student(differences: &Sample) -> Option<Location> {
    Some(Location {
        centre: mean_interval(differences, CONFIDENCE)?,
        p_value: students_p_value(differences)?,
    })
}

/// Returns the two-sided probability of a Student's t at least as far from 0.
fn students_p_value(differences: &Sample) -> Option<f64> {
    let mean = differences.mean();
    let error = differences.standard_error()?;
    let distribution = StudentsT::new(0.0, 1.0, differences.len() as f64 - 1.0).ok()?;
    Some(if error > 0.0 {
        2.0 * distribution.sf((mean / error).abs())
    } else if mean == 0.0 {
        1.0
    } else {
        0.0
    })
}

/// Returns the median of the pairwise means with the interval that inverts Wilcoxon's signed-rank test: Hodges and
/// Lehmann, "Estimates of location based on rank tests", Annals of Mathematical Statistics 34 (1963); Hollander, Wolfe
/// and Chicken, "Nonparametric Statistical Methods", 3rd edition (2014), sections 3.1 to 3.3.
fn signed_rank(differences: &Sample) -> Location {
    let values = differences.values();
    let means = PairwiseMeans::of(values);
    let distribution = SignedRanks::new(values.len());
    // The first pairwise mean that, as the centre, leaves more than a tail's probability on its side.
    let excluded = distribution
        .tail_count((1.0 - CONFIDENCE) / 2.0)
        .saturating_sub(1);
    let last = means.len().saturating_sub(1);
    let centre = Estimate {
        estimate: means.median(),
        low: means.at(excluded),
        high: means.at(last.saturating_sub(excluded)),
    };
    // The statistic counts the pairwise means above 0; ties with 0 count half, as in Hollander et al., remark 3.17.
    const NEXT_BELOW_0: f64 = -5e-324;
    let [at_most_0, below_0] = [0.0, NEXT_BELOW_0].map(|bound| means.at_most(bound));
    let positive = (means.len() - at_most_0) as f64;
    let zero = (at_most_0 - below_0) as f64;
    let statistic = positive + zero / 2.0;
    let nearer_tail = statistic.min(means.len() as f64 - statistic);
    let of_ranks = (2.0 * distribution.at_most(nearer_tail)).min(1.0);
    // The pairs include each value with itself.
    let on_one_side = at_most_0 == 0 || below_0 == means.len();
    let beyond_ranks = on_one_side.then(|| students_p_value(differences)).flatten();
    Location {
        centre,
        p_value: beyond_ranks.map_or(of_ranks, |p_value| p_value.min(of_ranks)),
    }
}

/// Distribution of the sum of the ranks of the positive values among n values that are symmetric around 0.
enum SignedRanks {
    /// Cumulative probability of each sum from 0.
    Exact(Vec<f64>),
    /// Mean and standard deviation of the normal approximation.
    Approximate { mean: f64, deviation: f64 },
}

impl SignedRanks {
    fn new(count: usize) -> Self {
        if count > EXACT_UP_TO {
            let count = count as f64;
            let mean = count * (count + 1.0) / 4.0;
            return Self::Approximate {
                mean,
                deviation: (mean * (2.0 * count + 1.0) / 6.0).sqrt(),
            };
        }
        // Each rank is part of the sum with probability 1/2.
        let mut probabilities = vec![1.0];
        for rank in 1..=count {
            let without = probabilities.clone();
            probabilities.resize(without.len() + rank, 0.0);
            for probability in &mut probabilities {
                *probability /= 2.0;
            }
            for (slot, probability) in probabilities.iter_mut().skip(rank).zip(&without) {
                *slot += probability / 2.0;
            }
        }
        let mut sum = 0.0;
        for probability in &mut probabilities {
            sum += *probability;
            *probability = sum;
        }
        Self::Exact(probabilities)
    }

    /// Returns the probability of a sum of at most `sum`.
    fn at_most(&self, sum: f64) -> f64 {
        match self {
            // The sum is not negative, and the cast saturates.
            Self::Exact(cumulative) => cumulative.get(sum.floor() as usize).copied().unwrap_or(1.0),
            Self::Approximate { mean, deviation } => {
                // With a continuity correction.
                let standard = (sum + 0.5 - mean) / deviation;
                Normal::standard().cdf(standard)
            }
        }
    }

    /// Returns how many of the smallest sums have a total probability of at most `probability`.
    fn tail_count(&self, probability: f64) -> usize {
        match self {
            Self::Exact(cumulative) => cumulative.iter().take_while(|sum| **sum <= probability).count(),
            Self::Approximate { mean, deviation } => {
                let quantile = mean + deviation * Normal::standard().inverse_cdf(probability) + 0.5;
                quantile.floor().max(0.0) as usize
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.to_vec()).unwrap()
    }

    fn assert_near(value: f64, expected: f64) {
        assert!(
            (value - expected).abs() < 1e-6 * expected.abs().max(1.0),
            "{value} is not {expected}"
        );
    }

    /// Darwin's maize: differences in height of cross- and self-fertilised plants, in eighths of an inch; Fisher,
    /// "The Design of Experiments" (1935), table 3.
    const DARWIN: [f64; 15] = [
        49.0, -67.0, 8.0, 16.0, 6.0, 23.0, 28.0, 41.0, 14.0, 29.0, 56.0, 24.0, 75.0, 60.0, -48.0,
    ];

    #[test]
    fn students_interval_agrees_with_scipy() {
        // SciPy 1.17.1: stats.ttest_1samp([0.02, -0.01, 0.03, 0.05, 0.01], 0), and its confidence_interval()
        let found = location(&sample(&[0.02, -0.01, 0.03, 0.05, 0.01])).unwrap();
        assert_near(found.centre.estimate, 0.02);
        assert_near(found.centre.low, -0.007_764_451_051_977_938);
        assert_near(found.centre.high, 0.047_764_451_051_977_935);
        assert_near(found.p_value, 0.116_116_523_516_815_65);
    }

    #[test]
    fn signed_ranks_agree_with_scipy_and_tables() {
        let found = location(&sample(&DARWIN)).unwrap();
        // SciPy 1.17.1: stats.wilcoxon(darwin, method="exact"): statistic 24, p 0.041259765625
        assert_near(found.p_value, 0.041_259_765_625);
        // The median of the 120 pairwise means, and the 26th from either end: for 15 values the critical sum at
        // 2.5 % is 25 (Hollander, Wolfe and Chicken, table A.4).
        assert_eq!(
            found.centre,
            Estimate {
                estimate: 25.0,
                low: 4.0,
                high: 41.5
            }
        );
    }

    #[test]
    fn students_p_value_extends_below_the_smallest_p_value_of_ranks() {
        let smallest_of_ten = 2.0 / 1024.0;
        // SciPy 1.17.1: stats.ttest_1samp(CLOSE, 0): p 1.3671981696e-06; FAR: 0.0111179926
        let close = [0.05, 0.07, 0.04, 0.06, 0.05, 0.08, 0.03, 0.05, 0.06, 0.04];
        let far = [0.02, 0.11, 0.04, 0.09, 0.30, 0.05, 0.01, 0.07, 0.16, 0.03];
        for sign in [1.0, -1.0] {
            let p_value = |values: &[f64]| {
                let signed: Vec<f64> = values.iter().map(|value| sign * value).collect();
                location(&sample(&signed)).unwrap().p_value
            };
            let of_close = p_value(&close);
            assert!((of_close / 1.367_198_17e-6 - 1.0).abs() < 1e-6, "{of_close}");
            assert_near(p_value(&far), smallest_of_ten);
            // If the least of them is on the other side, ranks alone decide.
            let mut one_negative = close;
            one_negative[6] = -0.03;
            assert_near(p_value(&one_negative), 2.0 * smallest_of_ten);
        }
    }

    #[test]
    fn few_values_have_no_centre_and_equal_values_have_zero_width() {
        assert_eq!(location(&sample(&[1.0, 2.0])), None);
        for count in [5, 12] {
            let same = location(&sample(&vec![0.5; count])).unwrap();
            assert_eq!((same.centre.low, same.centre.high), (0.5, 0.5));
            assert!(same.p_value < 0.001 || count < RANKED_FROM);
            assert_near(location(&sample(&vec![0.0; count])).unwrap().p_value, 1.0);
        }
    }

    #[test]
    fn normal_approximation_agrees_with_the_exact_distribution() {
        let exact = SignedRanks::new(EXACT_UP_TO);
        let count = EXACT_UP_TO as f64;
        let mean = count * (count + 1.0) / 4.0;
        let approximate = SignedRanks::Approximate {
            mean,
            deviation: (mean * (2.0 * count + 1.0) / 6.0).sqrt(),
        };
        assert!(exact.tail_count(0.025).abs_diff(approximate.tail_count(0.025)) <= 1);
        assert!((exact.at_most(650.0) - approximate.at_most(650.0)).abs() < 1e-3);
    }

    proptest! {
        #[test]
        fn interval_and_p_value_agree(values in prop::collection::vec(-10.0_f64..10.0, 3..80)) {
            let found = location(&sample(&values)).unwrap();
            let Estimate { estimate, low, high } = found.centre;
            prop_assert!(low <= estimate && estimate <= high);
            prop_assert!((0.0..=1.0).contains(&found.p_value));
            // Ties with 0 and the approximation may move a p value slightly across 5 %.
            let excludes_0 = low > 0.0 || high < 0.0;
            if !(0.045..0.055).contains(&found.p_value) {
                prop_assert_eq!(excludes_0, found.p_value < 0.05, "{:?}", found);
            }
        }

        #[test]
        fn mirrored_values_have_the_mirrored_interval(values in prop::collection::vec(-10.0_f64..10.0, 3..40)) {
            let here = location(&sample(&values)).unwrap();
            let there = location(&sample(&values.iter().map(|value| -value).collect::<Vec<_>>())).unwrap();
            prop_assert!((here.centre.low + there.centre.high).abs() < 1e-9);
            prop_assert!((here.p_value - there.p_value).abs() < 1e-9);
        }
    }
}
