//! The charts of a fleet: the curves of all machines in one chart.

use itertools::Itertools;

use crate::chart::{self, Chart, JoinError, MOST_SERIES, Part};
use ftbench_analyse::fleet::{Fleet, Member};
use ftbench_schema::text::counted;
use ftbench_schema::{GilState, Model, Summary};

/// What the charts of a workload show of each machine: one interpreter with one model.
struct Shown {
    interpreter: String,
    model: Model,
}

/// Makes the charts of a workload: units of work a second, and the share of each machine's own ceiling. Empty if no
/// machine has a curve of it.
///
/// # Errors
/// When runs of different work are joined, as in no fleet.
pub fn of_workload(fleet: &Fleet, members: &[Member], workload: &str) -> Result<Vec<Chart>, JoinError> {
    let Some(shown) = shown(members, workload) else {
        return Ok(Vec::new());
    };
    let has_curve = |summary: &Summary| {
        summary.cells.iter().any(|cell| {
            cell.workload == workload
                && cell.model == shown.model
                && cell.interpreter == shown.interpreter
                && cell.units_per_s.is_some()
        })
    };
    let having: Vec<usize> = (0..members.len())
        .filter(|number| {
            members
                .get(*number)
                .is_some_and(|member| has_curve(&member.summary))
        })
        .collect();
    let drawn = drawn(fleet, &having);
    let parts = drawn.iter().filter_map(|number| {
        let (member, machine) = (members.get(*number)?, fleet.machines.get(*number)?);
        let mut summary = member.summary.clone();
        summary.cells.retain(|cell| cell.workload == workload);
        summary.workloads.retain(|facts| facts.name == workload);
        let concerns = |name: &String| name == workload;
        summary
            .warnings
            .retain(|warning| warning.workloads.is_empty() || warning.workloads.iter().any(concerns));
        summary.laws.clear();
        Some(Part {
            summary,
            trials: Vec::new(),
            interpreter: Some(shown.interpreter.clone()),
            name: Some(machine.name.clone()),
        })
    });
    let mut parts: Vec<Part> = parts.collect();
    // One machine alone is drawn under its name too.
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    if let [only] = parts.as_mut_slice() {
        only.name = None;
    }
    let mut material = chart::join(parts, &[shown.model])?;
    material.summary.run.baseline.clear();
    let mut charts = chart::of_machines(&material, workload);
    if drawn.len() < having.len() {
        let note = format!(
            "{} of {} are drawn, those of all kinds in turn.",
            drawn.len(),
            counted(having.len(), "machine")
        );
        for chart in &mut charts {
            chart.caption.insert(0, note.clone());
        }
    }
    Ok(charts)
}

/// Threads without the GIL if there are such, or else the first other curve over several workers.
fn shown(members: &[Member], workload: &str) -> Option<Shown> {
    let cells = || {
        let all = members.iter().flat_map(|member| &member.summary.cells);
        all.filter(|cell| cell.workload == workload && !cell.is_native() && cell.units_per_s.is_some())
    };
    let scales = |model: Model| model != Model::Serial;
    let found = cells()
        .find(|cell| cell.model == Model::Threads && cell.gil == Some(GilState::Off))
        .or_else(|| cells().find(|cell| cell.model == Model::Threads))
        .or_else(|| cells().find(|cell| scales(cell.model)))
        .or_else(|| cells().next())?;
    Some(Shown {
        interpreter: found.interpreter_label(),
        model: found.model,
    })
}

/// As many machines as a chart has room for, the first of each kind, then the second of each, and so on.
fn drawn(fleet: &Fleet, having: &[usize]) -> Vec<usize> {
    let kind = |number: &usize| fleet.machines.get(*number).map_or(0, |machine| machine.kind);
    let mut seen = vec![0_usize; fleet.kinds.len()];
    let turns = having.iter().map(|number| {
        let turn = seen.get_mut(kind(number)).map_or(0, |count| {
            *count += 1;
            *count
        });
        (turn, *number)
    });
    let first = turns.sorted().take(MOST_SERIES).map(|(_, number)| number);
    first.sorted().collect()
}
