//! Correction for multiple comparisons.

/// Maximum expected share of false ones among the differences called.
pub const FALSE_DISCOVERY_RATE: f64 = 0.05;

/// Smallest relative difference of interest. Smaller ones also result from a rebuild or a different link order
/// (Mytkowicz and others, "Producing Wrong Data Without Doing Anything Obviously Wrong!", ASPLOS 2009).
pub const SMALLEST_EFFECT: f64 = 0.02;

/// Decides for each p value whether its comparison is called different, with a share of at most `rate` of false ones
/// among those called: Benjamini and Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical
/// Society B 57 (1995).
#[must_use]
pub fn discoveries(p_values: &[f64], rate: f64) -> Vec<bool> {
    let mut sorted: Vec<f64> = p_values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let threshold = (1..)
        .zip(&sorted)
        .filter(|(rank, p_value)| **p_value <= rate * f64::from(*rank) / count)
        .map(|(_, p_value): (u32, &f64)| *p_value)
        .last();
    p_values
        .iter()
        .map(|p_value| threshold.is_some_and(|threshold| *p_value <= threshold))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn published_example_has_its_published_discoveries() {
        // Section 3.2 of the paper: of 15 comparisons, the first four are called at 5 %.
        let p_values = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
            0.6528, 0.7590, 1.0,
        ];
        let called = discoveries(&p_values, 0.05);
        assert_eq!(called.iter().filter(|called| **called).count(), 4);
        assert!(called.iter().take(4).all(|called| *called));
        assert!(discoveries(&[], 0.05).is_empty());
    }

    proptest! {
        #[test]
        fn discoveries_have_the_smallest_p_values_and_include_those_of_bonferroni(p_values in prop::collection::vec(0.0_f64..1.0, 1..40)) {
            let called = discoveries(&p_values, 0.05);
            for (a, a_called) in p_values.iter().zip(&called) {
                prop_assert!(*a_called || *a > 0.05 / p_values.len() as f64);
                for (b, b_called) in p_values.iter().zip(&called) {
                    prop_assert!(a > b || *b_called <= *a_called || a == b);
                }
            }
        }
    }
}
