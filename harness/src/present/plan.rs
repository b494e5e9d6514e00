//! What a run is going to measure.

use super::listing;
use super::table::Style;
use super::text::{self, counted};
use crate::record::schema::{Manifest, PlannedCell};

/// The run in a line, for the moment before it starts.
#[must_use]
pub fn one_line(manifest: &Manifest) -> String {
    let plan = &manifest.plan;
    let live: Vec<&PlannedCell> = plan
        .cells
        .iter()
        .filter(|planned| planned.skipped.is_none())
        .collect();
    let tags: Vec<&str> = manifest
        .interpreters
        .iter()
        .map(|interpreter| interpreter.tag.as_str())
        .collect();
    format!(
        "{} on {}: {} in {}, seed {}",
        counted(manifest.workloads.len(), "workload"),
        text::line(&tags.join(", ")),
        counted(live.len(), "cell"),
        counted(
            usize::try_from(plan.settings.rounds).unwrap_or(usize::MAX),
            "round"
        ),
        manifest.seed,
    )
}

/// Every cell and where its workers go.
#[must_use]
pub fn table(manifest: &Manifest, style: Style) -> String {
    let rows = manifest.plan.cells.iter().map(|planned| {
        let cell = &planned.cell;
        vec![
            cell.workload.clone(),
            cell.interpreter.clone(),
            cell.model.to_string(),
            cell.workers.to_string(),
            planned
                .skipped
                .as_ref()
                .map_or_else(|| placement(planned), |reason| format!("skipped: {reason}")),
        ]
    });
    let heading = ["workload", "interpreter", "model", "workers", "PU of each worker"];
    format!(
        "{}\n{}\n",
        listing::render(&heading, rows, style),
        one_line(manifest)
    )
}

fn placement(planned: &PlannedCell) -> String {
    if planned.placement.is_empty() {
        return "not pinned".to_owned();
    }
    planned
        .placement
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}
