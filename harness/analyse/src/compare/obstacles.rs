//! Reasons why runs cannot be compared, and cautions about them.

use std::collections::BTreeSet;

use itertools::Itertools;

use super::history::is_same_machine;
use super::material::{Run, Side};
use ftbench_schema::{MachineFacts, RunStatus, WorkloadFacts};

/// Share of disturbed samples above which a run gets a caution.
const DISTURBED_SHARE: f64 = 0.1;

/// Returns the reasons why the runs of the two sides cannot be compared; empty if they can.
pub(super) fn obstacles(base: &Side<'_>, new: &Side<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let Some((first, others)) = split(base, new) else {
        return found;
    };
    for other in others {
        let [one, another] = [&first.manifest, &other.manifest];
        if !is_same_machine(&one.machine, &another.machine) {
            found.push(format!(
                "the machines differ: {} for {}, {} for {}",
                machine(&one.machine),
                first.summary.run.name,
                machine(&another.machine),
                other.summary.run.name
            ));
        }
        let mut settings = |what: &str, of_one: String, of_another: String| {
            if of_one != of_another {
                let (name, other_name) = (&first.summary.run.name, &other.summary.run.name);
                found.push(format!(
                    "{what} differ: {of_one} for {name}, {of_another} for {other_name}"
                ));
            }
        };
        let [one, another] = [&one.plan.settings, &another.plan.settings];
        settings(
            "kinds of scaling",
            format!("{:?}", one.scaling).to_lowercase(),
            format!("{:?}", another.scaling).to_lowercase(),
        );
        settings("placement policies", one.pin.clone(), another.pin.clone());
        // Costs that are paid once per sample weigh more in short samples.
        settings(
            "lengths of samples",
            format!("{} s", one.target_sample_s),
            format!("{} s", another.target_sample_s),
        );
    }
    found.sort();
    found.dedup();
    found
}

/// Returns the reason why a workload's cells cannot be compared; `None` if they can.
pub(super) fn obstacle_of(workload: &str, base: &Side<'_>, new: &Side<'_>) -> Option<String> {
    let all = || facts_of(workload, base).chain(facts_of(workload, new));
    let hashes: BTreeSet<&str> = all().map(|facts| facts.sha256.as_str()).collect();
    let what = if all().any(|facts| facts.command.is_some()) {
        "its command, server or figures are"
    } else {
        "its file is"
    };
    (hashes.len() > 1).then(|| format!("{what} not the same in all runs"))
}

fn facts_of<'s>(workload: &'s str, side: &'s Side<'_>) -> impl Iterator<Item = &'s WorkloadFacts> {
    side.runs.iter().filter_map(move |run| run.workload(workload))
}

/// Returns what a reader must know of the runs before relying on the figures.
pub(super) fn cautions(base: &Side<'_>, new: &Side<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for run in distinct(base, new) {
        let name = &run.summary.run.name;
        match run.manifest.status {
            RunStatus::Complete => {}
            RunStatus::Interrupted => found.push(format!("{name} was interrupted")),
            RunStatus::Running => found.push(format!("{name} was killed or is still running")),
        }
        let quiet = run.summary.quiet.as_ref().filter(|quiet| quiet.samples > 0);
        if let Some(quiet) = quiet {
            let share = f64::from(quiet.disturbed) / f64::from(quiet.samples);
            if share > DISTURBED_SHARE {
                found.push(format!(
                    "{:.0} % of the samples of {name} were disturbed",
                    100.0 * share
                ));
            }
        }
    }
    let unknown: BTreeSet<&str> = distinct(base, new)
        .into_iter()
        .flat_map(|run| &run.manifest.workloads)
        .filter(|workload| workload.sha256.is_empty())
        .map(|workload| workload.name.as_str())
        .collect();
    if !unknown.is_empty() {
        let names: Vec<&str> = unknown.into_iter().collect();
        found.push(format!(
            "it is not recorded whether {} ran the same code in all runs",
            names.join(", ")
        ));
    }
    found
}

/// Returns the first run, and all other runs of both sides without duplicates.
fn split<'a>(base: &Side<'a>, new: &Side<'a>) -> Option<(&'a Run, Vec<&'a Run>)> {
    let mut runs = distinct(base, new).into_iter();
    Some((runs.next()?, runs.collect()))
}

/// Returns the runs of both sides without duplicates.
pub(super) fn distinct<'a>(base: &Side<'a>, new: &Side<'a>) -> Vec<&'a Run> {
    let runs = base.runs.iter().chain(&new.runs).copied();
    runs.unique_by(|run| std::ptr::from_ref(*run)).collect()
}

fn machine(machine: &MachineFacts) -> String {
    let topology = &machine.topology;
    let mut words = format!(
        "{} ({}), {} cores, {} of {} PUs",
        machine.cpu_model,
        machine.architecture,
        topology.cores,
        topology.allowed_pus.len(),
        topology.pus
    );
    if let Some(quota) = machine.cpu_quota {
        words.push_str(&format!(", quota {quota} CPUs"));
    }
    words
}
