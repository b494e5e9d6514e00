//! What keeps runs from being compared, and in what they differ otherwise.

use std::collections::{BTreeMap, BTreeSet};

use super::history::is_same_machine;
use super::matching::only_label;
use super::material::{Run, Side};
use crate::interpreter::differences;
use crate::record::schema::{InterpreterFacts, MachineFacts, RunStatus, WorkloadFacts};

/// A run with a larger share of disturbed samples is told of.
const DISTURBED_SHARE: f64 = 0.1;

/// Why the runs of the two sides cannot be compared, each in words; empty when they can.
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
        // What is paid once for each sample weighs more in a short one.
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

/// Why a workload's cells cannot be compared; `None` when they can.
pub(super) fn obstacle_of(workload: &str, base: &Side<'_>, new: &Side<'_>) -> Option<String> {
    let hashes: BTreeSet<&str> = facts_of(workload, base)
        .chain(facts_of(workload, new))
        .map(|facts| facts.sha256.as_str())
        .collect();
    (hashes.len() > 1).then(|| "its file is not the same in all runs".to_owned())
}

fn facts_of<'s>(workload: &'s str, side: &'s Side<'_>) -> impl Iterator<Item = &'s WorkloadFacts> {
    side.runs.iter().filter_map(move |run| run.workload(workload))
}

/// In what the sides differ, which may be what is compared; each in words that call them BASE and NEW.
pub(super) fn differences_of(base: &Side<'_>, new: &Side<'_>) -> Vec<String> {
    let (Some(of_base), Some(of_new)) = (base.runs.first(), new.runs.first()) else {
        return Vec::new();
    };
    let mut found = builds(base, new, of_base, of_new);
    let mut values = |what: &str, in_base: &str, in_new: &str| {
        if in_base != in_new {
            found.push(format!("{what}: {in_base} in BASE, {in_new} in NEW"));
        }
    };
    let [base_facts, new_facts] = [&of_base.manifest, &of_new.manifest];
    values("ftbench", &base_facts.ftbench_version, &new_facts.ftbench_version);
    values("host", &base_facts.machine.hostname, &new_facts.machine.hostname);
    values("operating system", &base_facts.machine.os, &new_facts.machine.os);
    values("kernel", &base_facts.machine.kernel, &new_facts.machine.kernel);
    let [base_settings, new_settings] = [&base_facts.plan.settings, &new_facts.plan.settings];
    values("profile", &base_settings.profile, &new_settings.profile);
    let counts =
        |settings: &crate::record::schema::Settings| format!("{} + {}", settings.warmups, settings.samples);
    values(
        "warm-ups + samples of a trial",
        &counts(base_settings),
        &counts(new_settings),
    );
    found.extend(packages(of_base, of_new));
    found.extend(extensions(of_base, of_new));
    found
}

/// What a reader must know of the runs before believing the figures.
pub(super) fn cautions(base: &Side<'_>, new: &Side<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for run in distinct(base, new) {
        let name = &run.summary.run.name;
        match run.manifest.status {
            RunStatus::Complete => {}
            RunStatus::Interrupted => found.push(format!("{name} was interrupted")),
            RunStatus::Running => found.push(format!("{name} was killed, or is still under way")),
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
            "whether {} did the same in all runs is not recorded",
            names.join(", ")
        ));
    }
    found
}

/// The first run, and all others of both sides, each once.
fn split<'a>(base: &Side<'a>, new: &Side<'a>) -> Option<(&'a Run, Vec<&'a Run>)> {
    let mut runs = distinct(base, new).into_iter();
    Some((runs.next()?, runs.collect()))
}

/// The runs of both sides, each once.
pub(super) fn distinct<'a>(base: &Side<'a>, new: &Side<'a>) -> Vec<&'a Run> {
    let mut runs: Vec<&'a Run> = Vec::new();
    for &run in base.runs.iter().chain(&new.runs) {
        if !runs.iter().any(|known| std::ptr::eq(*known, run)) {
            runs.push(run);
        }
    }
    runs
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

/// Builds that are held against each other: of the same tag, or the two that the sides are of.
fn builds(base: &Side<'_>, new: &Side<'_>, of_base: &Run, of_new: &Run) -> Vec<String> {
    let named = |facts: &InterpreterFacts, side: &str, in_both: bool| InterpreterFacts {
        tag: if in_both {
            format!("{} in {side}", facts.tag)
        } else {
            facts.tag.clone()
        },
        ..facts.clone()
    };
    let compare = |one: &InterpreterFacts, other: &InterpreterFacts| {
        let in_both = one.tag == other.tag;
        differences(&named(one, "BASE", in_both), &named(other, "NEW", in_both))
    };
    let interpreter = |run: &'_ Run, label: &str| -> Option<InterpreterFacts> {
        // A label is a tag, or begins with one.
        let tag = label.split(' ').next()?;
        run.manifest.interpreter(tag).cloned()
    };
    if let (Some(one), Some(other)) = (only_label(base), only_label(new)) {
        let pair = interpreter(of_base, &one).zip(interpreter(of_new, &other));
        return pair.map(|(one, other)| compare(&one, &other)).unwrap_or_default();
    }
    let in_both = of_base.manifest.interpreters.iter().filter_map(|one| {
        let other = of_new.manifest.interpreter(&one.tag)?;
        Some(compare(one, other))
    });
    in_both.flatten().collect()
}

fn packages(of_base: &Run, of_new: &Run) -> Vec<String> {
    let installed = |run: &Run| -> BTreeMap<String, BTreeSet<String>> {
        let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for package in run
            .manifest
            .environments
            .iter()
            .flat_map(|environment| &environment.packages)
        {
            packages
                .entry(package.name.clone())
                .or_default()
                .insert(package.version.clone());
        }
        packages
    };
    let [base, new] = [of_base, of_new].map(installed);
    let names: BTreeSet<&String> = base.keys().chain(new.keys()).collect();
    let versions = |side: &BTreeMap<String, BTreeSet<String>>, name: &String| -> String {
        let joined = side
            .get(name)
            .map(|versions| versions.iter().cloned().collect::<Vec<_>>().join(" and "));
        joined.unwrap_or_else(|| "none".to_owned())
    };
    names
        .into_iter()
        .filter(|name| base.get(*name) != new.get(*name))
        .map(|name| {
            format!(
                "package {name}: {} in BASE, {} in NEW",
                versions(&base, name),
                versions(&new, name)
            )
        })
        .collect()
}

fn extensions(of_base: &Run, of_new: &Run) -> Vec<String> {
    let sources = |run: &Run| -> BTreeMap<Vec<String>, String> {
        let extensions = run.manifest.extensions.iter();
        extensions
            .map(|extension| (extension.modules.clone(), extension.sha256.clone()))
            .collect()
    };
    let [base, new] = [of_base, of_new].map(sources);
    base.iter()
        .filter(|(modules, sha256)| new.get(*modules).is_some_and(|other| other != *sha256))
        .map(|(modules, _)| format!("extension {}: its sources differ", modules.join(", ")))
        .collect()
}
