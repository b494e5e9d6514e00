//! Identification of the settings that runs were measured with.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ftbench_schema::history::{HistoryRun, RunSettings};

/// The settings of a set of runs.
pub struct IdentifiedSettings {
    /// The settings, in the order of their first run.
    pub settings: Vec<RunSettings>,
    /// The number of each run's settings; `None` if no run recorded any.
    pub of_run: Vec<Option<usize>>,
}

/// Identifies settings. A run that did not record its own, as by early versions, is assumed to have the most frequent
/// settings of its machine, or else of all runs. Otherwise every series would start again with the version that records
/// them.
pub fn identify(runs: &[HistoryRun], machine_of_run: &[usize]) -> IdentifiedSettings {
    let mut settings: Vec<RunSettings> = Vec::new();
    let recorded: Vec<Option<usize>> = runs
        .iter()
        .map(|run| {
            let own = run.settings.as_ref()?;
            let known = settings.iter().position(|known| known == own);
            Some(known.unwrap_or_else(|| {
                settings.push(own.clone());
                settings.len() - 1
            }))
        })
        .collect();
    let usual_of = |machine: Option<usize>| {
        let of_machine = recorded
            .iter()
            .zip(machine_of_run)
            .filter(|(_, own)| machine.is_none_or(|machine| **own == machine))
            .filter_map(|(recorded, _)| *recorded);
        most_frequent(of_machine)
    };
    let usual = usual_of(None);
    let mut usual_of_machine: BTreeMap<usize, Option<usize>> = BTreeMap::new();
    let of_run = recorded
        .iter()
        .zip(machine_of_run)
        .map(|(recorded, machine)| {
            recorded.or_else(|| {
                *usual_of_machine
                    .entry(*machine)
                    .or_insert_with(|| usual_of(Some(*machine)).or(usual))
            })
        })
        .collect();
    IdentifiedSettings { settings, of_run }
}

/// Returns the most frequent number; of several, the smallest.
fn most_frequent(numbers: impl Iterator<Item = usize>) -> Option<usize> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for number in numbers {
        *counts.entry(number).or_default() += 1;
    }
    let most = counts
        .into_iter()
        .max_by_key(|(number, count)| (*count, Reverse(*number)));
    most.map(|(number, _)| number)
}
