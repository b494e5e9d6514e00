//! The plan of a run.

use std::collections::BTreeMap;

use super::progress::minutes_and_seconds;
use crate::plan::duration;
use ftbench_present::style::Style;
use ftbench_present::table::Table;
use ftbench_schema::text::{self, counted};
use ftbench_schema::{Manifest, PlannedCell, Stopping, WorkloadFacts, units};

/// Summarises the run in one line, which is shown before it starts.
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
    let arms: Vec<&str> = manifest.arms.iter().map(|arm| arm.name.as_str()).collect();
    let in_arms = if arms.is_empty() {
        String::new()
    } else {
        format!(" in arms {}", text::line(&arms.join(", ")))
    };
    let round_s = duration::round_s(&plan.cells, &manifest.interpreters, &plan.settings);
    let calibration_s = duration::calibration_s(&plan.cells, &plan.settings);
    format!(
        "{}{}{in_arms} on {}: {} in {}, seed {}",
        counted(manifest.workloads.len(), "workload"),
        for_tools(&manifest.workloads),
        text::line(&tags.join(", ")),
        counted(live.len(), "cell"),
        rounds_and_time(&plan.settings.stopping, calibration_s, round_s),
        manifest.seed,
    )
}

/// How many of the workloads were written for which other tools: ` (3 for asv, 1 for pyperf)`, or nothing.
fn for_tools(workloads: &[WorkloadFacts]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for format in workloads.iter().filter_map(|workload| workload.format) {
        *counts.entry(format.name()).or_default() += 1;
    }
    let words: Vec<String> = counts
        .iter()
        .map(|(tool, count)| format!("{count} for {tool}"))
        .collect();
    if words.is_empty() {
        return String::new();
    }
    format!(" ({})", words.join(", "))
}

/// The number of rounds and the time that they are expected to take with the calibration before them.
fn rounds_and_time(rule: &Stopping, calibration_s: f64, round_s: f64) -> String {
    let of_rounds = |rounds: u32| calibration_s + f64::from(rounds) * round_s;
    let min_s = of_rounds(rule.min_rounds);
    if rule.min_rounds == rule.max_rounds {
        let rounds = usize::try_from(rule.min_rounds).unwrap_or(usize::MAX);
        return format!(
            "{}, about {}",
            counted(rounds, "round"),
            minutes_and_seconds(min_s)
        );
    }
    let max_s = of_rounds(rule.max_rounds);
    let longest_s = rule
        .budget_s
        .map_or(max_s, |budget_s| budget_s.max(min_s).min(max_s));
    let precise = rule.precision.map_or_else(String::new, |precision| {
        format!(
            ", until intervals are within {} %",
            units::number(precision * 100.0, 1)
        )
    });
    format!(
        "{} to {} rounds{precise}: about {} to {}",
        rule.min_rounds,
        rule.max_rounds,
        minutes_and_seconds(min_s),
        minutes_and_seconds(longest_s),
    )
}

/// A table of all cells with the PUs of their workers.
#[must_use]
pub fn table(manifest: &Manifest, style: Style) -> String {
    let rows = manifest.plan.cells.iter().map(|planned| {
        let cell = &planned.cell;
        [
            cell.workload.clone(),
            cell.interpreter_label(),
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
        "{}\n\n{}\n",
        Table::of_rows(heading, rows).list(style),
        one_line(manifest)
    )
}

fn placement(planned: &PlannedCell) -> String {
    if planned.placement.is_empty() {
        return "not pinned".to_owned();
    }
    let words = |pus: &[u32]| pus.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let own = words(&planned.placement);
    if planned.client_placement.is_empty() {
        own
    } else {
        format!("{own}; client: {}", words(&planned.client_placement))
    }
}
