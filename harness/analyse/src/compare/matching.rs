//! Matching the cells of the two sides.

use std::collections::BTreeMap;

use serde::Serialize;

use super::drift::{self, Load};
use super::material::{Reading, Run, Side};
use ftbench_schema::{CellSummary, KernelGroup, Model, WorkloadKind};

/// The properties that two matched cells have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Key {
    /// The part of the interpreter's display label that does not distinguish the sides: with `#base` and `#new` the
    /// interpreter without the arm, with `#3.13` and `#3.13t` the arm. `None` if nothing is left.
    pub interpreter: Option<String>,
    /// The workload's name.
    pub workload: String,
    /// How workers run.
    pub model: Model,
    /// How many workers.
    pub workers: u32,
}

impl Key {
    /// Creates the key of a cell without the name of its side.
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

/// Returns the part of an interpreter's label that the name of a side leaves.
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

/// A planned cell of one of a side's runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned<'a> {
    pub run: &'a Run,
    pub cell: &'a CellSummary,
}

/// A cell on both sides, with one entry for each run of the side that planned it.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    pub key: Key,
    pub kind: Option<WorkloadKind>,
    /// The ceiling's load on as many PUs; `None` without a ceiling.
    pub load: Option<Load>,
    /// Number of PUs that its workers run on.
    pub pus: usize,
    /// Checksum of the workload's file in the first run that has it.
    pub sha256: Option<String>,
    pub base: Vec<Planned<'a>>,
    pub new: Vec<Planned<'a>>,
}

impl<'a> Pair<'a> {
    /// Returns the readings of a side's cells that have one.
    pub fn readings(cells: &[Planned<'_>]) -> Vec<Reading> {
        cells
            .iter()
            .filter_map(|planned| Reading::of(planned.cell))
            .collect()
    }

    /// Returns the runs of these readings.
    pub fn runs_with_readings(cells: &[Planned<'a>]) -> Vec<&'a Run> {
        cells
            .iter()
            .filter(|planned| Reading::of(planned.cell).is_some())
            .map(|planned| planned.run)
            .collect()
    }
}

/// Whether cells are matched by interpreter. They are not if the sides name interpreters, or if each side has a single
/// one and their labels differ.
pub(super) fn with_interpreter(base: &Side<'_>, new: &Side<'_>) -> bool {
    match (only_label(base), only_label(new)) {
        (Some(of_base), Some(of_new)) => of_base == of_new,
        _ => true,
    }
}

/// Returns the label of a side's only interpreter; `None` if the side has several.
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

/// Matches all cells of both sides, in the order of the first run of BASE, followed by those that only NEW has.
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
    let kernels = run.kernel(&key.workload).map(KernelGroup::of);
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
