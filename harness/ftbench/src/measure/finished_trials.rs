//! The trials that earlier sessions of a run have finished, so that none of them is repeated. Pure.

use std::collections::{HashMap, HashSet};

use ftbench_schema::{Cell, Trial, TrialStatus};

/// A trial of an earlier session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FinishedTrial {
    /// Its number in the run.
    pub trial: u64,
    /// How it ended.
    pub status: TrialStatus,
}

/// The trials of earlier sessions, by round and cell; empty for a new run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FinishedTrials {
    rounds: HashMap<u32, HashMap<Cell, FinishedTrial>>,
    numbers: HashSet<u64>,
}

impl FinishedTrials {
    /// Indexes the trials of a record.
    #[must_use]
    pub fn of(trials: &[Trial]) -> Self {
        let mut all = Self::default();
        for trial in trials {
            let finished = FinishedTrial {
                trial: trial.trial,
                status: trial.status,
            };
            let round = all.rounds.entry(trial.round).or_default();
            round.entry(trial.cell.clone()).or_insert(finished);
            all.numbers.insert(trial.trial);
        }
        all
    }

    /// The trial of a cell in a round; `None` if it has not run yet.
    #[must_use]
    pub fn trial(&self, round: u32, cell: &Cell) -> Option<FinishedTrial> {
        self.rounds.get(&round)?.get(cell).copied()
    }

    /// Whether a later round was begun. If so, the run did not end after this one.
    #[must_use]
    pub fn has_later_round(&self, round: u32) -> bool {
        self.rounds.keys().any(|&begun| begun > round)
    }

    /// The first number, from this one on, that no trial has. It is this one unless lines of the record were lost.
    #[must_use]
    pub fn next_free_number(&self, trial: u64) -> u64 {
        let mut free = trial;
        while self.numbers.contains(&free) {
            free += 1;
        }
        free
    }
}
