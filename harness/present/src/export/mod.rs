//! A run in the formats of other tools: figures in, text out. `docs/exports.md` describes what each format can and
//! cannot hold.

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

/// Why a run cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The run does not have this interpreter.
    #[error(transparent)]
    UnknownInterpreter(#[from] UnknownInterpreter),
    /// The run has no figure to export.
    #[error("{run} has no cell that this format can hold: {why}; 'ftbench show' shows the status of each")]
    Nothing {
        /// The run.
        run: String,
        /// What is missing.
        why: &'static str,
    },
    /// A benchmark has fewer rounds than requested.
    #[error("{benchmark} has {has} rounds, not {requested}; give --rounds {has}, or measure more")]
    FewRounds {
        /// The benchmark.
        benchmark: String,
        /// The number of its rounds.
        has: usize,
        /// The number of rounds requested.
        requested: usize,
    },
    /// Serialisation as JSON failed.
    #[error("cannot write JSON: {0}; please report this bug")]
    Json(#[from] serde_json::Error),
    /// Serialisation as XML failed.
    #[error("cannot write XML: {0}; please report this bug")]
    Xml(#[from] quick_junit::SerializeError),
}

/// A measured cell with its usable trials.
#[derive(Debug, Clone)]
pub struct Measured<'a> {
    /// Its figures.
    pub summary: &'a CellSummary,
    /// The cell itself.
    pub cell: Cell,
    /// Its successful trials with a counted sample that took time, by round.
    pub trials: BTreeMap<u32, &'a Trial>,
    /// The trial values, in seconds.
    pub makespans_s: ByRound,
}

impl Measured<'_> {
    /// The units of work in one sample, at least 1.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.summary.units.unwrap_or(1).max(1)
    }

    /// The trial values per unit of work, in seconds and in the order of rounds. Units are calibrated for each run, so
    /// only these values can be compared between runs.
    #[must_use]
    pub fn unit_times_s(&self) -> Vec<f64> {
        let units = self.units() as f64;
        self.makespans_s.values().map(|value| value / units).collect()
    }
}

/// A run to export.
#[derive(Debug, Clone)]
pub struct Export<'a> {
    /// Its summary.
    pub summary: &'a Summary,
    /// The cells whose status is `ok`, in the order of the plan, without the ceiling's.
    pub measured: Vec<Measured<'a>>,
    /// Cells that were tried and are not `ok`. Their figures must not be compared with others.
    pub left_out: Vec<&'a CellSummary>,
}

impl<'a> Export<'a> {
    /// Pairs the cells of a run's summary with their trials.
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
        let python_cells = summary.cells.iter().filter(|cell| !cell.is_native());
        let (ok, others): (Vec<&CellSummary>, Vec<&CellSummary>) =
            python_cells.partition(|cell| cell.status == CellStatus::Ok);
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

    /// The interpreter that a cell ran on; `None` if the run is damaged.
    #[must_use]
    pub fn interpreter(&self, cell: &Cell) -> Option<&'a InterpreterFacts> {
        self.summary
            .interpreters
            .iter()
            .find(|interpreter| interpreter.tag == cell.interpreter)
    }

    /// Returns an error for a run without a measured cell.
    fn check_not_empty(&self) -> Result<(), ExportError> {
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

/// Keeps only the cells of this name, see [`ftbench_schema::Curve::is_named`].
///
/// # Errors
/// If the run has no such interpreter.
pub fn narrow(summary: &mut Summary, interpreter: &str) -> Result<(), ExportError> {
    if !summary.cells.iter().any(|cell| cell.is_named(interpreter)) {
        return Err(UnknownInterpreter::new(summary, interpreter).into());
    }
    summary.cells.retain(|cell| cell.is_named(interpreter));
    Ok(())
}

/// The name of a cell in a file per interpreter, which tools compare by name: `fib[threads,2]`.
#[must_use]
pub fn benchmark_name(cell: &Cell) -> String {
    format!(
        "{}[{},{}]",
        ftbench_schema::text::line(&cell.workload).trim(),
        cell.model,
        cell.workers
    )
}

/// The name of a cell in one file with several interpreters: `fib[threads,2] 3.13t`.
#[must_use]
pub fn full_name(cell: &Cell) -> String {
    format!(
        "{} {}",
        benchmark_name(cell),
        ftbench_schema::text::line(&cell.interpreter_label())
    )
}

/// The properties in which cells differ, as names and values.
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

/// Formats a value as indented JSON with a final newline.
fn pretty(value: &impl serde::Serialize) -> Result<String, ExportError> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod pyperf_tests;
#[cfg(test)]
mod tests;
