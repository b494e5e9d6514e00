//! Which cell of one side is held against which of the other.

use std::collections::BTreeMap;

use serde::Serialize;

use super::drift::{self, Load};
use super::material::{Reading, Run, Side};
use ftbench_schema::{CellSummary, Kernels, Model, WorkloadKind};

/// What two cells that are held against each other have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Key {
    /// The interpreter as reports call it, as far as it is not what the sides differ in: with `#base` and `#new` the
    /// interpreter without the arm, with `#3.13` and `#3.13t` the arm. `None` where nothing is left.
    pub interpreter: Option<String>,
    /// The workload's name.
    pub workload: String,
    /// How workers run.
    pub model: Model,
    /// How many workers.
    pub workers: u32,
}

impl Key {
    /// Of a cell, without what its side is called.
    #[must_use]
    pub fn of(cell: &CellSummary, side: Option<&str>) -> Self {
        Self {
            interpreter: remainder(cell, side),
            workload: cell.workload.clone(),
            model: cell.model,
            workers: cell.workers,
        }
    }
}

/// What is left of an interpreter's label when a side is called by a part of it.
fn remainder(cell: &CellSummary, side: Option<&str>) -> Option<String> {
    let label = cell.interpreter_label();
    let build = cell.host.label(&cell.interpreter, None);
    match side {
        None => Some(label),
        Some(name) if name == label => None,
        Some(name) if name == build => cell.arm.clone(),
        Some(name) if cell.arm.as_deref() == Some(name) => Some(build),
        Some(_) => Some(label),
    }
}

/// A cell in one of a side's runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned<'a> {
    pub run: &'a Run,
    pub cell: &'a CellSummary,
}

/// A cell on both sides: one entry for each run of the side that planned it.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    pub key: Key,
    pub kind: Option<WorkloadKind>,
    /// What the ceiling runs on as many PUs; `None` without one.
    pub load: Option<Load>,
    /// On how many PUs its workers run.
    pub pus: usize,
    /// Of the workload's file, in the first run that has it.
    pub sha256: Option<String>,
    pub base: Vec<Planned<'a>>,
    pub new: Vec<Planned<'a>>,
}

impl<'a> Pair<'a> {
    /// The readings of a side's cells, as many as there are.
    pub fn readings(cells: &[Planned<'_>]) -> Vec<Reading> {
        cells
            .iter()
            .filter_map(|planned| Reading::of(planned.cell))
            .collect()
    }

    /// The runs that these readings are of.
    pub fn read_in(cells: &[Planned<'a>]) -> Vec<&'a Run> {
        cells
            .iter()
            .filter(|planned| Reading::of(planned.cell).is_some())
            .map(|planned| planned.run)
            .collect()
    }
}

/// Whether cells are matched with their interpreters: not where the sides name them, and not where each side has a
/// single one and they are called differently.
pub(super) fn with_interpreter(base: &Side<'_>, new: &Side<'_>) -> bool {
    match (only_label(base), only_label(new)) {
        (Some(of_base), Some(of_new)) => of_base == of_new,
        _ => true,
    }
}

/// The only interpreter of a side; `None` when it has several.
pub(super) fn only_label(side: &Side<'_>) -> Option<String> {
    if let Some(name) = &side.interpreter {
        return Some(name.clone());
    }
    let mut labels: Vec<String> = side.runs.iter().flat_map(|run| run.labels()).collect();
    labels.sort();
    labels.dedup();
    match labels.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// All cells of both sides, in the order of the first run of BASE, then what only NEW has.
pub(super) fn pairs<'a>(base: &Side<'a>, new: &Side<'a>) -> Vec<Pair<'a>> {
    let with_interpreter = with_interpreter(base, new);
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    let mut positions: BTreeMap<Key, usize> = BTreeMap::new();
    for (side, is_base) in [(base, true), (new, false)] {
        let name = only_label(side).filter(|_| !with_interpreter);
        for &run in &side.runs {
            for cell in run.summary.cells.iter().filter(|cell| side.has(cell)) {
                let key = Key::of(cell, name.as_deref());
                let position = *positions.entry(key.clone()).or_insert_with(|| {
                    pairs.push(empty(key, run, cell));
                    pairs.len() - 1
                });
                if let Some(pair) = pairs.get_mut(position) {
                    let cells = if is_base { &mut pair.base } else { &mut pair.new };
                    cells.push(Planned { run, cell });
                }
            }
        }
    }
    pairs
}

fn empty<'a>(key: Key, run: &Run, cell: &CellSummary) -> Pair<'a> {
    let pus = drift::pus(cell);
    let kernels = run.kernel(&key.workload).map(Kernels::of);
    Pair {
        kind: run.kind(&key.workload),
        load: kernels.map(|kernels| Load { kernels, pus }),
        pus,
        sha256: run
            .workload(&key.workload)
            .map(|workload| workload.sha256.clone()),
        key,
        base: Vec::new(),
        new: Vec::new(),
    }
}
