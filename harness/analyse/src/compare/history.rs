//! Groups of runs of the same thing, from which the variance between runs is estimated.

use std::collections::{BTreeMap, BTreeSet};

use super::between_runs::Row;
use super::drift::{self, Load};
use super::matching::{Key, Pair};
use super::material::{Reading, Run};
use ftbench_schema::{CellSummary, InterpreterFacts, MachineFacts};

/// Runs of the same builds and settings on the same machine, from which variances between runs are estimated.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub runs: Vec<&'a Run>,
    /// The name that selects the cells of the side, if pairs are matched without it; `None` for all cells.
    pub interpreter: Option<String>,
}

impl Group<'_> {
    /// Returns each run's readings of the pairs at these positions, with or without the machine's drift. A run with
    /// fewer than half as many readings as another is left out, because it would leave few pairs that all runs have.
    pub fn rows(&self, pairs: &[Pair<'_>], positions: &[usize], corrected: bool) -> Vec<Row> {
        let loads: BTreeSet<Load> = positions
            .iter()
            .filter_map(|&position| pairs.get(position)?.load)
            .collect();
        let shifts: BTreeMap<Load, Vec<f64>> = loads
            .into_iter()
            .filter_map(|load| Some((load, drift::within(load, &self.runs)?)))
            .collect();
        let rows = self.runs.iter().enumerate().map(|(number, run)| {
            let cells = self.cells(run);
            let reading = |&position: &usize| {
                let pair = pairs.get(position)?;
                let mut reading = Reading::of(cells.get(&pair.key)?)?;
                if corrected {
                    reading.log_s -= shifts.get(&pair.load?)?.get(number)?;
                }
                same_file(run, pair).then_some((position, reading))
            };
            positions.iter().filter_map(reading).collect()
        });
        let mut rows: Vec<Row> = rows.collect();
        let max_len = rows.iter().map(Row::len).max().unwrap_or(0);
        rows.retain(|row| !row.is_empty() && 2 * row.len() >= max_len);
        rows
    }

    fn cells<'r>(&self, run: &'r Run) -> BTreeMap<Key, &'r CellSummary> {
        let belongs = |cell: &&CellSummary| {
            !cell.is_native() && self.interpreter.as_ref().is_none_or(|name| cell.is_named(name))
        };
        let cells = run.summary.cells.iter().filter(belongs);
        cells
            .map(|cell| (Key::of(cell, self.interpreter.as_deref()), cell))
            .collect()
    }
}

/// Whether a run used the same file of the pair's workload as the comparison.
fn same_file(run: &Run, pair: &Pair<'_>) -> bool {
    let own = run.workload(&pair.key.workload).map(|workload| &workload.sha256);
    own == pair.sha256.as_ref()
}

/// Groups runs by machine, builds and settings. Runs of machines other than `like`'s are left out.
pub(super) fn similar_runs<'a>(runs: &'a [Run], like: &Run) -> Vec<Vec<&'a Run>> {
    let mut groups: Vec<Vec<&'a Run>> = Vec::new();
    let on_the_machine = runs
        .iter()
        .filter(|run| is_same_machine(&run.manifest.machine, &like.manifest.machine));
    for run in on_the_machine {
        let own = groups
            .iter_mut()
            .find(|group| group.first().is_some_and(|first| is_alike(first, run)));
        match own {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    groups
}

/// Whether these are the same machine or identical ones, such as hosted runners.
#[must_use]
pub fn is_same_machine(one: &MachineFacts, other: &MachineFacts) -> bool {
    let identity = |machine: &MachineFacts| {
        (
            machine.cpu_model.clone(),
            machine.architecture.clone(),
            machine.topology.cores,
            machine.topology.pus,
            machine.topology.allowed_pus.len(),
            machine.cpu_quota.map(f64::to_bits),
        )
    };
    identity(one) == identity(other)
}

fn is_alike(one: &Run, other: &Run) -> bool {
    let builds = |run: &Run| -> Vec<InterpreterFacts> {
        let without_path = |facts: &InterpreterFacts| InterpreterFacts {
            path: String::new(),
            // A nightly rebuild of the same version with the same options counts as the same build.
            identity: None,
            ..facts.clone()
        };
        run.manifest.interpreters.iter().map(without_path).collect()
    };
    let [of_one, of_other] = [one, other].map(|run| &run.manifest.plan.settings);
    of_one.scaling == of_other.scaling
        && of_one.pin == of_other.pin
        && of_one.target_sample_s == of_other.target_sample_s
        && one.manifest.ftbench_version == other.manifest.ftbench_version
        && builds(one) == builds(other)
}
