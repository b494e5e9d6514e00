//! Detects workloads of which one unit takes longer than a sample, so that samples are as long as that.

use std::collections::{BTreeMap, BTreeSet};

use ftbench_schema::{
    Manifest, Model, PlannedCell, Scaling, Trial, TrialStatus, Warning, WarningKind, units,
};

/// What the cells of a workload show.
#[derive(Default)]
struct Found {
    /// Time of one unit in the fastest sample of one worker, seconds.
    unit_s: Option<f64>,
    worker_counts: BTreeSet<u32>,
}

/// Returns a warning about each workload with several numbers of workers of which one unit takes longer than a sample,
/// given each planned cell and its trials.
#[must_use]
pub fn findings<'a>(
    manifest: &Manifest,
    cells: impl Iterator<Item = (&'a PlannedCell, &'a [&'a Trial])>,
) -> Vec<Warning> {
    let settings = &manifest.plan.settings;
    let mut found: BTreeMap<&str, Found> = BTreeMap::new();
    // Work that divides itself decides what a unit is.
    let divided =
        cells.filter(|(planned, _)| !planned.cell.is_native() && planned.cell.model != Model::Internal);
    for (PlannedCell { cell, .. }, trials) in divided {
        let found = found.entry(&cell.workload).or_default();
        found.worker_counts.insert(cell.workers);
        if cell.workers == 1 {
            let times = trials.iter().filter(|trial| trial.status == TrialStatus::Ok);
            let times = times.flat_map(|trial| {
                let each = trial.counted_samples();
                each.map(|sample| units::seconds(sample.makespan_ns()) / trial.units.max(1) as f64)
            });
            found.unit_s = times.chain(found.unit_s).min_by(f64::total_cmp);
        }
    }
    let in_order = manifest.workloads.iter();
    in_order
        .filter_map(|facts| {
            let Found { unit_s, worker_counts } = found.get(facts.name.as_str())?;
            let unit_s = unit_s.filter(|&unit_s| unit_s > settings.target_sample_s)?;
            let units = facts.units.filter(|_| worker_counts.len() > 1)?;
            let is_call = facts.call.is_some() || facts.callable.is_some();
            let noun = if is_call { "call" } else { "unit" };
            let how = match settings.scaling {
                Scaling::Strong => format!(
                    "a sample is {units} {noun}s, which divide evenly among the workers; --scaling weak gives each \
                     worker one, in less time"
                ),
                Scaling::Weak => format!("each worker does {units} in a sample"),
            };
            let message = format!(
                "one {noun} of {} takes {}, longer than a sample ({}): {how}",
                facts.name,
                units::duration(unit_s),
                units::duration(settings.target_sample_s),
            );
            Some(Warning::of_workloads(WarningKind::LongUnit, message, vec![facts.name.clone()]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::records::{cell, manifest, trial};

    /// The messages about a workload of which a sample of one worker has two units and takes this long, milliseconds.
    fn found(counts: &[u32], makespan_ms: u64, scaling: Scaling) -> Vec<String> {
        let cells: Vec<_> = counts
            .iter()
            .map(|&workers| cell("3.13t", Model::Threads, workers))
            .collect();
        let mut manifest = manifest(&cells);
        manifest.plan.settings.target_sample_s = 0.05;
        manifest.plan.settings.scaling = scaling;
        for facts in &mut manifest.workloads {
            facts.units = Some(2);
        }
        let trials: Vec<Trial> = cells
            .iter()
            .map(|cell| Trial {
                units: 2,
                ..trial(cell, 0, makespan_ms)
            })
            .collect();
        let trials: Vec<Vec<&Trial>> = trials.iter().map(|trial| vec![trial]).collect();
        let planned = manifest.plan.cells.iter().zip(trials.iter().map(Vec::as_slice));
        let found = findings(&manifest, planned);
        found.into_iter().map(|warning| warning.message).collect()
    }

    #[test]
    fn units_that_are_longer_than_a_sample_are_named_with_what_is_done() {
        insta::assert_snapshot!(found(&[1, 2], 2_000, Scaling::Strong).join("\n"), @"one unit of fib takes 1.00 s, longer than a sample (50.0 ms): a sample is 2 units, which divide evenly among the workers; --scaling weak gives each worker one, in less time");
        insta::assert_snapshot!(found(&[1, 2], 2_000, Scaling::Weak).join("\n"), @"one unit of fib takes 1.00 s, longer than a sample (50.0 ms): each worker does 2 in a sample");
    }

    #[test]
    fn short_units_and_single_workers_cause_no_warning() {
        assert_eq!(found(&[1, 2], 80, Scaling::Strong), Vec::<String>::new());
        assert_eq!(found(&[1], 2_000, Scaling::Strong), Vec::<String>::new());
    }
}
