//! Warnings for the reader that follow from the figures.

use std::collections::BTreeSet;

use super::location::MIN_VALUES;
use ftbench_schema::text::counted;
use ftbench_schema::{CellStatus, CellSummary, Trial, Warning, WarningKind};

/// Fewer rounds than this cause a warning: the minimum of every stopping rule.
const FEW_ROUNDS: u32 = 5;

/// Returns warnings about the trials.
#[must_use]
pub fn of_trials(trials: &[Trial]) -> Vec<Warning> {
    let samples = || {
        trials
            .iter()
            .flat_map(|trial| &trial.samples)
            .filter(|sample| !sample.warmup)
    };
    let moved = samples().filter(|sample| sample.moved).count();
    let mut warnings = Vec::new();
    if moved > 0 {
        let all = samples().count();
        warnings.push(Warning::of_run(
            WarningKind::WorkersMoved,
            format!(
                "in {moved} of {all} samples a worker was seen on a PU other than its own; \
                 something else changes bindings on this machine"
            ),
        ));
    }
    let computing: BTreeSet<(&str, String)> = trials
        .iter()
        .filter(|trial| trial.waiting_cpu_ns.is_some())
        .map(|trial| (trial.cell.workload.as_str(), trial.cell.interpreter_label()))
        .collect();
    for (workload, interpreter) in computing {
        warnings.push(Warning::of_workloads(
            WarningKind::ComputesWhileWaiting,
            format!(
                "{workload} on {interpreter} keeps computing between its samples, so some of its cells were \
                 measured alone and their ratios have wider intervals; end its threads before 'work' returns"
            ),
            vec![workload.to_owned()],
        ));
    }
    warnings
}

/// Returns warnings about the cells.
#[must_use]
pub fn of_cells(cells: &[CellSummary]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let reenabled: BTreeSet<(&str, String, &str)> = cells
        .iter()
        .filter(|cell| cell.status == CellStatus::GilReenabled)
        .map(|cell| {
            (
                cell.workload.as_str(),
                cell.interpreter_label(),
                cell.reason.as_deref().unwrap_or_default(),
            )
        })
        .collect();
    for (workload, interpreter, reason) in reenabled {
        warnings.push(Warning::of_workloads(
            WarningKind::GilReenabled,
            format!("{workload} on {interpreter} ran with the GIL on: {reason}"),
            vec![workload.to_owned()],
        ));
    }
    let measured = cells
        .iter()
        .filter(|cell| cell.rounds > 0 && cell.status == CellStatus::Ok);
    if let Some(min_rounds) = measured
        .map(|cell| cell.rounds)
        .min()
        .filter(|&min_rounds| min_rounds < FEW_ROUNDS)
    {
        warnings.push(Warning::of_run(WarningKind::FewRounds, few_rounds(min_rounds)));
    }
    warnings
}

fn few_rounds(min_rounds: u32) -> String {
    let rounds = counted(min_rounds, "round");
    if usize::try_from(min_rounds).is_ok_and(|rounds| rounds < MIN_VALUES) {
        return format!(
            "some cells have {rounds}, too few for an interval, so no figure is shown; measure at least {MIN_VALUES}"
        );
    }
    format!(
        "some cells have {rounds}; with fewer than {FEW_ROUNDS}, less than 95 % of the intervals of makespans contain \
         the true value"
    )
}
