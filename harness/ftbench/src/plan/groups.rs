//! Decides which trials can be alive together. Pure.

use ftbench_schema::Cell;

/// Splits cells, each with the memory that its trial needs, into groups whose trials fit into `memory_bytes`. Curves
/// stay whole where they fit, because a speedup is the ratio of two of their cells. Returns indices into `cells`, each
/// once.
#[must_use]
pub fn split_by_memory(cells: &[(&Cell, u64)], memory_bytes: u64) -> Vec<Vec<usize>> {
    let mut curves: Vec<Vec<usize>> = Vec::new();
    for (index, (cell, _)) in cells.iter().enumerate() {
        let is_same_curve = |curve: &&mut Vec<usize>| {
            let first = curve.first().and_then(|&first| cells.get(first));
            first.is_some_and(|(first, _)| first.curve == cell.curve)
        };
        match curves.iter_mut().find(is_same_curve) {
            Some(curve) => curve.push(index),
            None => curves.push(vec![index]),
        }
    }
    let bytes = |indices: &[usize]| -> u64 {
        let each = indices.iter().filter_map(|&index| cells.get(index));
        each.fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
    };
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for curve in curves {
        let parts = if bytes(&curve) > memory_bytes {
            curve.into_iter().map(|index| vec![index]).collect()
        } else {
            vec![curve]
        };
        for part in parts {
            let fits = |group: &&mut Vec<usize>| bytes(group).saturating_add(bytes(&part)) <= memory_bytes;
            match groups.iter_mut().find(fits) {
                Some(group) => group.extend(part),
                None => groups.push(part),
            }
        }
    }
    // Restores the order of `cells`, which is random.
    for group in &mut groups {
        group.sort_unstable();
    }
    groups
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use proptest::prelude::*;

    use super::*;
    use ftbench_fixtures::records::cell;
    use ftbench_schema::Model;

    fn cells(workers: u32) -> Vec<Cell> {
        let of = |interpreter, model| (1..=workers).map(move |workers| cell(interpreter, model, workers));
        let threads = of("3.13", Model::Threads).chain(of("3.13t", Model::Threads));
        threads.chain(of("3.13t", Model::Processes)).collect()
    }

    fn groups(weights: &[u64], memory_bytes: u64) -> Vec<Vec<usize>> {
        let cells = cells(u32::try_from(weights.len() / 3).unwrap_or(0));
        let weighed: Vec<(&Cell, u64)> = cells.iter().zip(weights.iter().copied()).collect();
        split_by_memory(&weighed, memory_bytes)
    }

    #[test]
    fn curves_stay_whole_where_they_fit() {
        assert_eq!(groups(&[1, 2, 1, 2, 1, 2], 9), [[0, 1, 2, 3, 4, 5]]);
        assert_eq!(groups(&[1, 2, 1, 2, 1, 2], 6), [vec![0, 1, 2, 3], vec![4, 5]]);
        assert_eq!(
            groups(&[1, 2, 1, 2, 1, 9], 6),
            [vec![0, 1, 2, 3], vec![4], vec![5]]
        );
        assert_eq!(groups(&[0, 0, 0, 0, 0, 0], 0), [[0, 1, 2, 3, 4, 5]]);
        assert!(groups(&[], 6).is_empty());
    }

    proptest! {
        #[test]
        fn every_cell_comes_once_and_groups_fit(weights in prop::collection::vec(0_u64..10, 0..30), memory in 0_u64..30) {
            let found = groups(&weights, memory);
            let mut all = found.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..weights.len() / 3 * 3).collect::<Vec<_>>());
            for group in found {
                let bytes: u64 = group.iter().map(|&index| weights[index]).sum();
                prop_assert!(bytes <= memory || group.len() == 1);
            }
        }
    }
}
