//! What earlier sittings of a run have made of it, so that none of it is made again. Pure.

use std::collections::{HashMap, HashSet};

use ftbench_schema::{Cell, Trial, TrialStatus};

/// A trial of an earlier sitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeTrial {
    /// Its number in the run.
    pub trial: u64,
    /// How it ended.
    pub status: TrialStatus,
}

/// The trials of earlier sittings, by round and cell; none for a run that begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    rounds: HashMap<u32, HashMap<Cell, MadeTrial>>,
    numbers: HashSet<u64>,
}

impl Made {
    /// Those of a record.
    #[must_use]
    pub fn of(trials: &[Trial]) -> Self {
        let mut made = Self::default();
        for trial in trials {
            let of_trial = MadeTrial {
                trial: trial.trial,
                status: trial.status,
            };
            let round = made.rounds.entry(trial.round).or_default();
            round.entry(trial.cell.clone()).or_insert(of_trial);
            made.numbers.insert(trial.trial);
        }
        made
    }

    /// The trial of a cell in a round, if it was made.
    #[must_use]
    pub fn trial(&self, round: u32, cell: &Cell) -> Option<MadeTrial> {
        self.rounds.get(&round)?.get(cell).copied()
    }

    /// Whether a later round was begun: then nothing ended the run after this one.
    #[must_use]
    pub fn goes_beyond(&self, round: u32) -> bool {
        self.rounds.keys().any(|&made| made > round)
    }

    /// This number, or the next one that no trial has. It is free unless lines of the record are lost.
    #[must_use]
    pub fn free_number(&self, trial: u64) -> u64 {
        let mut free = trial;
        while self.numbers.contains(&free) {
            free += 1;
        }
        free
    }
}
