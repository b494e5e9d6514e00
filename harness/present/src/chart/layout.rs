//! Where things stand: labels that keep out of each other's way. Numbers only.

/// A rectangle in pixels, y downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Frame {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

/// Finds which labels, each a centre and a width, can stand beside each other with a gap: the earlier ones win.
pub(super) fn without_overlap(labels: &[(f64, f64)], gap: f64) -> Vec<bool> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    labels
        .iter()
        .map(|(centre, width)| {
            let clear = kept.iter().all(|(other, other_width)| {
                (centre - other).abs() >= f64::midpoint(*width, *other_width) + gap
            });
            if clear {
                kept.push((*centre, *width));
            }
            clear
        })
        .collect()
}

/// Places labels of one height, each as near as possible to where it wants to stand, none over another, all between `low`
/// and `high` where that has room. The places are in the order of `wanted`.
///
/// Neighbours that would overlap join into a block around their mean, as in isotonic regression by pooling (Ayer et
/// al. 1955), which gives the least sum of squared shifts.
pub(super) fn spread(wanted: &[f64], height: f64, low: f64, high: f64) -> Vec<f64> {
    struct Block {
        /// Sum over its labels of where the block's first label would stand for each to be at its place.
        sum: f64,
        count: f64,
    }
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    let place = |index: usize| wanted.get(index).copied().unwrap_or(low);
    order.sort_by(|a, b| place(*a).total_cmp(&place(*b)));
    let start = |block: &Block| {
        let last = (high - height * (block.count - 1.0)).max(low);
        (block.sum / block.count).clamp(low, last)
    };
    let mut blocks: Vec<Block> = Vec::new();
    for index in &order {
        let mut block = Block {
            sum: place(*index),
            count: 1.0,
        };
        while let Some(before) = blocks.pop() {
            if start(&before) + height * before.count <= start(&block) {
                blocks.push(before);
                break;
            }
            // The later block's labels stand `before.count` heights further down in the joined one.
            block = Block {
                sum: before.sum + block.sum - block.count * before.count * height,
                count: before.count + block.count,
            };
        }
        blocks.push(block);
    }
    let mut places = vec![low; wanted.len()];
    let mut order = order.into_iter();
    for block in &blocks {
        let mut next = start(block);
        let mut left = block.count;
        while left > 0.5 {
            if let Some(place) = order.next().and_then(|index| places.get_mut(index)) {
                *place = next;
            }
            next += height;
            left -= 1.0;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_give_way_to_earlier_ones() {
        assert_eq!(
            without_overlap(&[(0.0, 10.0), (100.0, 10.0), (8.0, 10.0)], 4.0),
            [true, true, false]
        );
    }

    #[test]
    fn crowded_labels_share_the_shift() {
        assert_eq!(spread(&[50.0, 50.0], 10.0, 0.0, 100.0), [45.0, 55.0]);
        assert_eq!(spread(&[98.0, 10.0, 97.0], 10.0, 0.0, 100.0), [100.0, 10.0, 90.0]);
        assert!(spread(&[], 10.0, 0.0, 100.0).is_empty());
    }

    proptest! {
        #[test]
        fn labels_never_overlap_where_there_is_room(wanted in prop::collection::vec(-50.0f64..150.0, 0..11)) {
            let places = spread(&wanted, 10.0, 0.0, 100.0);
            let mut sorted = places.clone();
            sorted.sort_by(f64::total_cmp);
            for pair in sorted.windows(2) {
                if let [above, below] = pair {
                    prop_assert!(below - above >= 10.0 - 1e-9, "{sorted:?}");
                }
            }
            for place in places {
                prop_assert!((-1e-9..=100.0 + 1e-9).contains(&place), "{place}");
            }
        }
    }
}
