//! The means of all pairs of values, including each value with itself: the Walsh averages of signed-rank statistics.
//! Pure.

/// Maximum number of values for which all means are stored, in 16 MB. For more values they are counted, which takes no
/// memory.
const MAX_STORED_VALUES: usize = 2_000;

/// The means of all pairs, in order.
#[derive(Debug)]
pub(super) enum PairwiseMeans {
    /// Every mean, sorted.
    Held(Vec<f64>),
    /// The values, sorted.
    Counted(Vec<f64>),
}

impl PairwiseMeans {
    /// Creates the means of finite values.
    pub(super) fn of(values: &[f64]) -> Self {
        if values.len() <= MAX_STORED_VALUES {
            Self::held(values)
        } else {
            Self::counted(values)
        }
    }

    fn held(values: &[f64]) -> Self {
        let mut means: Vec<f64> = Vec::with_capacity(values.len() * (values.len() + 1) / 2);
        for (index, first) in values.iter().enumerate() {
            means.extend(values.iter().skip(index).map(|second| first.midpoint(*second)));
        }
        means.sort_unstable_by(f64::total_cmp);
        Self::Held(means)
    }

    fn counted(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Self::Counted(sorted)
    }

    /// Returns the number of means.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Held(means) => means.len(),
            Self::Counted(values) => values.len().saturating_mul(values.len() + 1) / 2,
        }
    }

    /// Returns the mean at a position in ascending order, from 0; NaN beyond the end.
    pub(super) fn at(&self, index: usize) -> f64 {
        match self {
            Self::Held(means) => means.get(index).copied().unwrap_or(f64::NAN),
            Self::Counted(values) => match (values.first(), values.last()) {
                (Some(first), Some(last)) if index < self.len() => self.search(index, *first, *last),
                _ => f64::NAN,
            },
        }
    }

    /// Returns the middle one, or the mean of the two in the middle.
    pub(super) fn median(&self) -> f64 {
        let middle = self.len() / 2;
        if self.len() % 2 == 1 {
            return self.at(middle);
        }
        self.at(middle.saturating_sub(1)).midpoint(self.at(middle))
    }

    /// Counts the means that are at most `bound`.
    pub(super) fn at_most(&self, bound: f64) -> usize {
        match self {
            Self::Held(means) => means.partition_point(|mean| *mean <= bound),
            // The larger the first value of a pair, the smaller the second must be.
            Self::Counted(values) => {
                let mut seconds = values.len();
                let mut count = 0;
                for (index, first) in values.iter().enumerate() {
                    while seconds > index
                        && values
                            .get(seconds - 1)
                            .is_some_and(|second| first.midpoint(*second) > bound)
                    {
                        seconds -= 1;
                    }
                    if seconds <= index {
                        break;
                    }
                    count += seconds - index;
                }
                count
            }
        }
    }

    /// Returns the smallest number that at least `index + 1` means do not exceed. Bisects the floats from `low` to
    /// `high`, which takes at most 64 steps.
    fn search(&self, index: usize, low: f64, high: f64) -> f64 {
        let (mut low, mut high) = (place(low), place(high));
        while low < high {
            let middle = low.midpoint(high);
            // `midpoint` rounds towards zero, so a negative middle may equal `high`.
            let middle = if middle == high { high - 1 } else { middle };
            if self.at_most(number(middle)) > index {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        number(low)
    }
}

/// Returns the rank of a number among all floats, as ordered by [`f64::total_cmp`].
fn place(number: f64) -> i64 {
    let bits = number.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// Returns the number with this rank.
fn number(place: i64) -> f64 {
    let bits = place ^ ((place >> 63).cast_unsigned() >> 1).cast_signed();
    f64::from_bits(bits.cast_unsigned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranks_of_floats_are_in_order() {
        let ordered = [
            f64::MIN,
            -1.0,
            -f64::MIN_POSITIVE,
            -0.0,
            0.0,
            5e-324,
            1.0,
            f64::MAX,
        ];
        let places: Vec<i64> = ordered.map(place).to_vec();
        assert!(places.is_sorted() && places.iter().all(|&at| place(number(at)) == at));
        assert_eq!(place(0.0) - place(-0.0), 1);
    }

    #[test]
    fn many_values_are_counted_instead_of_stored() {
        let values: Vec<f64> = (0..200_000).map(f64::from).collect();
        let means = PairwiseMeans::of(&values);
        assert!(matches!(means, PairwiseMeans::Counted(_)));
        assert_eq!(means.len(), 200_000 * 200_001 / 2);
        assert_eq!(means.median(), 99_999.5);
        assert_eq!((means.at(0), means.at(means.len() - 1)), (0.0, 199_999.0));
        assert!(means.at(means.len()).is_nan());
    }

    proptest! {
        #[test]
        fn counted_and_stored_means_agree(
            values in prop::collection::vec(prop_oneof![-3_i32..3, -100_000_i32..100_000].prop_map(|n| f64::from(n) / 8.0), 1..60),
            bound in -20.0_f64..20.0,
        ) {
            let (held, counted) = (PairwiseMeans::held(&values), PairwiseMeans::counted(&values));
            prop_assert_eq!(held.len(), counted.len());
            for bound in [bound, 0.0, -5e-324] {
                prop_assert_eq!(held.at_most(bound), counted.at_most(bound));
            }
            for index in 0..held.len() {
                prop_assert_eq!(held.at(index), counted.at(index), "at {}", index);
            }
            prop_assert_eq!(held.median(), counted.median());
        }
    }
}
