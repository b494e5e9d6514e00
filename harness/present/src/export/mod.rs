//! A run in the formats of other tools: figures in, text out. What each format can hold and cannot, `docs/exports.md`
//! tells.

pub mod action_benchmark;
pub mod asv;
pub mod bencher;
pub mod hyperfine;
pub mod junit;
pub mod pyperf;

use std::collections::BTreeMap;

use ftbench_analyse::estimate::{ByRound, Makespans};
use ftbench_schema::suggest::UnknownInterpreter;
use ftbench_schema::{Cell, CellStatus, CellSummary, Host, InterpreterFacts, Summary, Trial, TrialStatus};

/// Why a run cannot be exported so.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// An interpreter that the run does not have.
    #[error(transparent)]
    UnknownInterpreter(#[from] UnknownInterpreter),
    /// There is no figure to export.
    #[error("{run} has no cell that this format can hold: {why}; 'ftbench show' tells what became of each")]
    Nothing {
        /// The run.
        run: String,
        /// What is missing.
        why: &'static str,
    },
    /// Fewer rounds than asked for.
    #[error("{benchmark} has {has} rounds, not {asked}; give --rounds {has}, or measure more")]
    FewRounds {
        /// The benchmark.
        benchmark: String,
        /// What it has.
        has: usize,
        /// What was asked for.
        asked: usize,
    },
    /// serde refused.
    #[error("cannot write JSON: {0}; tell the makers of ftbench")]
    Json(#[from] serde_json::Error),
    /// The XML writer refused.
    #[error("cannot write XML: {0}; tell the makers of ftbench")]
    Xml(#[from] quick_junit::SerializeError),
}

/// A measured cell with its usable trials.
#[derive(Debug, Clone)]
pub struct Measured<'a> {
    /// Its figures.
    pub summary: &'a CellSummary,
    /// What it is.
    pub cell: Cell,
    /// The trials that ended well and have a counted sample that took time, by round.
    pub trials: BTreeMap<u32, &'a Trial>,
    /// Their trial values, seconds.
    pub makespans_s: ByRound,
}

impl Measured<'_> {
    /// Units of work in one sample, at least 1.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.summary.units.unwrap_or(1).max(1)
    }

    /// Trial values per unit of work, seconds, in the order of rounds. Units are calibrated for each run, so that only
    /// these can be compared between runs.
    #[must_use]
    pub fn unit_times_s(&self) -> Vec<f64> {
        let units = self.units() as f64;
        self.makespans_s.values().map(|value| value / units).collect()
    }
}

/// A run to be exported.
#[derive(Debug, Clone)]
pub struct Export<'a> {
    /// Its summary.
    pub summary: &'a Summary,
    /// The cells whose status is `ok`, in the order of the plan, without the ceiling's.
    pub measured: Vec<Measured<'a>>,
    /// Cells that were tried and are not `ok`: their figures are not to be compared with others.
    pub left_out: Vec<&'a CellSummary>,
}

impl<'a> Export<'a> {
    /// Of a run's summary and trials.
    #[must_use]
    pub fn new(summary: &'a Summary, trials: &'a [Trial]) -> Self {
        let mut by_cell: BTreeMap<&Cell, BTreeMap<u32, &Trial>> = BTreeMap::new();
        for trial in trials {
            if trial.status == TrialStatus::Ok
                && trial.counted_samples().any(|sample| sample.makespan_ns() > 0)
            {
                by_cell.entry(&trial.cell).or_default().insert(trial.round, trial);
            }
        }
        let of_python = summary.cells.iter().filter(|cell| !cell.is_native());
        let (ok, others): (Vec<&CellSummary>, Vec<&CellSummary>) =
            of_python.partition(|cell| cell.status == CellStatus::Ok);
        let measured = ok.into_iter().filter_map(|summary| {
            let cell = &summary.cell;
            let trials = by_cell.remove(cell)?;
            let list: Vec<&Trial> = trials.values().copied().collect();
            Some(Measured {
                summary,
                makespans_s: Makespans::of(&list).by_round(),
                cell: cell.clone(),
                trials,
            })
        });
        Self {
            summary,
            measured: measured.collect(),
            left_out: others
                .into_iter()
                .filter(|cell| cell.status != CellStatus::Skipped)
                .collect(),
        }
    }

    /// The interpreter that a cell ran on; `None` in a damaged run.
    #[must_use]
    pub fn interpreter(&self, cell: &Cell) -> Option<&'a InterpreterFacts> {
        self.summary
            .interpreters
            .iter()
            .find(|interpreter| interpreter.tag == cell.interpreter)
    }

    /// Refuses a run without a measured cell.
    fn not_empty(&self) -> Result<(), ExportError> {
        if self.measured.is_empty() {
            return Err(nothing(self.summary, "none was measured"));
        }
        Ok(())
    }
}

fn nothing(summary: &Summary, why: &'static str) -> ExportError {
    ExportError::Nothing {
        run: summary.run.name.clone(),
        why,
    }
}

/// Leaves only the cells of this name, see [`ftbench_schema::Curve::is_named`].
///
/// # Errors
/// When the run has no such interpreter.
pub fn narrow(summary: &mut Summary, interpreter: &str) -> Result<(), ExportError> {
    if !summary.cells.iter().any(|cell| cell.is_named(interpreter)) {
        return Err(UnknownInterpreter::new(summary, interpreter).into());
    }
    summary.cells.retain(|cell| cell.is_named(interpreter));
    Ok(())
}

/// What a cell is called where files of several interpreters are compared by name: `fib[threads,2]`.
#[must_use]
pub fn benchmark_name(cell: &Cell) -> String {
    format!(
        "{}[{},{}]",
        ftbench_schema::text::line(&cell.workload).trim(),
        cell.model,
        cell.workers
    )
}

/// The same with the interpreter, for one file with several: `fib[threads,2] 3.13t`.
#[must_use]
pub fn full_name(cell: &Cell) -> String {
    format!(
        "{} {}",
        benchmark_name(cell),
        ftbench_schema::text::line(&cell.interpreter_label())
    )
}

/// What differs between cells, as names and values.
fn parameters(measured: &Measured<'_>) -> BTreeMap<&'static str, String> {
    let cell = &measured.cell;
    let mut parameters = BTreeMap::from([
        ("interpreter", cell.interpreter.clone()),
        ("workload", cell.workload.clone()),
        ("model", cell.model.to_string()),
        ("workers", cell.workers.to_string()),
        ("units", measured.units().to_string()),
    ]);
    if cell.host != Host::Spawn {
        parameters.insert("host", cell.host.to_string());
    }
    parameters
}

/// Indented JSON, ending with a line end.
fn pretty(value: &impl serde::Serialize) -> Result<String, ExportError> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod pyperf_tests;
#[cfg(test)]
mod tests;
