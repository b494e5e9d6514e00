//! Draws what is random in each round: the order of blocks, the order of cells inside their block, the turns of their
//! trials, and hash seeds.

use std::collections::HashMap;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use ftbench_schema::Cell;

/// The random streams of one seed, one for each kind of choice, so that none shifts another.
mod stream {
    /// Orders: this plus the round's number.
    pub const ORDER: u64 = 0;
    /// Hash seeds: this plus the round's number.
    pub const HASH_SEED: u64 = 1 << 32;
    /// Turns: this plus the number of the group's first trial.
    pub const TURNS: u64 = 1 << 33;
}

fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(stream);
    generator
}

/// Blocks of indices into `cells` in the order in which a round visits them.
///
/// The cells of one workload form a block, so that cells that are compared are measured together. The order depends on
/// the seed, the round and the list of cells alone.
#[must_use]
pub fn round_order(cells: &[Cell], seed: u64, round: u32) -> Vec<Vec<usize>> {
    let mut blocks: Vec<Vec<usize>> = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let block = blocks.iter_mut().find(|block| {
            block
                .first()
                .and_then(|&first| cells.get(first))
                .is_some_and(|first| first.workload == cell.workload)
        });
        match block {
            Some(block) => block.push(index),
            None => blocks.push(vec![index]),
        }
    }
    let mut generator = generator(seed, stream::ORDER + u64::from(round));
    blocks.shuffle(&mut generator);
    for block in &mut blocks {
        block.shuffle(&mut generator);
    }
    blocks
}

/// The orders in which trials take turns, sweep by sweep; the group is named by its first trial.
#[derive(Debug)]
pub struct Turns(ChaCha8Rng);

impl Turns {
    /// The turns of a group.
    #[must_use]
    pub fn of_group(seed: u64, first_trial: u64) -> Self {
        Self(generator(seed, stream::TURNS.wrapping_add(first_trial)))
    }

    /// Puts trials in the order of the next sweep.
    pub fn next_sweep<T>(&mut self, trials: &mut [T]) {
        trials.shuffle(&mut self.0);
    }
}

/// `PYTHONHASHSEED` of each cell's trial in a round. CPython takes 0 (no randomisation) to 4294967295; 0 is left out.
///
/// All cells of a workload have the same one, so that its effect on the time of a dict cancels in their ratios (common
/// random numbers: Law, *Simulation Modeling and Analysis*, section 11.2).
#[must_use]
pub fn hash_seeds<'c>(cells: impl IntoIterator<Item = &'c Cell>, seed: u64, round: u32) -> Vec<u32> {
    let mut generator = generator(seed, stream::HASH_SEED + u64::from(round));
    let mut drawn: HashMap<&str, u32> = HashMap::new();
    let workloads = cells.into_iter().map(|cell| cell.workload.as_str());
    workloads
        .map(|workload| {
            *drawn
                .entry(workload)
                .or_insert_with(|| generator.next_u32().max(1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use proptest::prelude::*;

    use super::*;
    use ftbench_fixtures::records::cell_of;
    use ftbench_schema::Model;

    fn cells(workloads: usize, each: u32) -> Vec<Cell> {
        (0..workloads)
            .flat_map(|workload| {
                let cell = move |workers| cell_of(&format!("w{workload}"), "3.13t", Model::Threads, workers);
                (1..=each).map(cell)
            })
            .collect()
    }

    #[test]
    fn the_order_of_a_seed_never_changes() {
        // Runs are repeated and resumed by seed: a change here makes old seeds mean something else.
        assert_eq!(round_order(&cells(2, 3), 7, 0), [[1, 2, 0], [3, 5, 4]]);
        let mut trials = [0, 1, 2, 3];
        Turns::of_group(7, 12).next_sweep(&mut trials);
        assert_eq!(trials, [0, 3, 1, 2]);
        assert_eq!(
            hash_seeds(&cells(2, 2), 7, 0),
            [4_024_836_692, 4_024_836_692, 1_578_418_910, 1_578_418_910]
        );
    }

    #[test]
    fn rounds_differ() {
        let cells = cells(3, 6);
        assert_ne!(round_order(&cells, 7, 0), round_order(&cells, 7, 1));
        assert_ne!(round_order(&cells, 7, 0), round_order(&cells, 8, 0));
        assert_ne!(hash_seeds(&cells, 7, 0), hash_seeds(&cells, 7, 1));
    }

    #[test]
    fn every_cell_is_as_likely_to_come_first_in_its_block() {
        let cells = cells(1, 4);
        let mut firsts = [0_u32; 4];
        for round in 0..4000 {
            firsts[round_order(&cells, 1, round)[0][0]] += 1;
        }
        // Binomial with mean 1000 and standard deviation 27.
        assert!(
            firsts.iter().all(|&count| (860..1140).contains(&count)),
            "{firsts:?}"
        );
    }

    proptest! {
        #[test]
        fn an_order_is_a_permutation_that_keeps_blocks_together(workloads in 1_usize..6, each in 1_u32..6, seed: u64, round: u32) {
            let cells = cells(workloads, each);
            let order = round_order(&cells, seed, round);
            let mut sorted = order.concat();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..cells.len()).collect::<Vec<_>>());
            prop_assert_eq!(order.len(), workloads);
            for block in order {
                let mut names: Vec<&str> = block.iter().map(|&index| cells[index].workload.as_str()).collect();
                names.dedup();
                prop_assert_eq!(names.len(), 1);
            }
        }
    }
}
