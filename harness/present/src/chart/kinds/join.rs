//! Several runs in one chart: their interpreters take names that say what differs, and then they are one.

use crate::chart::words;
use ftbench_schema::suggest::UnknownInterpreter;
use ftbench_schema::{CellStatus, CellSummary, Model, Scaling, Summary, Trial, text};
use itertools::Itertools;

use super::material::Material;

/// One run of several, or the part of it that is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its figures.
    pub summary: Summary,
    /// Its trials; may be empty for the kinds that do not take them.
    pub trials: Vec<Trial>,
    /// The one interpreter or arm that is shown, see [`ftbench_schema::Curve::is_named`]; `None` for all.
    pub interpreter: Option<String>,
    /// What its interpreters are called apart from their tags; `None` for what distinguishes the runs.
    pub name: Option<String>,
}

/// Runs that cannot be joined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// An interpreter that a run does not have.
    #[error(transparent)]
    UnknownInterpreter(#[from] UnknownInterpreter),
    /// Models that a run has not measured.
    #[error("{run} measured no cells of the model {}; it has {}: name one of these with --model, or none",
        text::one_of(.wanted), .known.join(", "))]
    NoModel {
        /// The run's name.
        run: String,
        /// The name that was given.
        wanted: Vec<String>,
        /// All that it has measured.
        known: Vec<&'static str>,
    },
    /// Runs whose workers do different work.
    #[error("{first} was measured with --scaling {}, {other} with --scaling {}: their figures are not of the same work; \
        draw each in a chart of its own", word(.scaling), word(.other_scaling))]
    Scaling {
        /// The first run's name.
        first: String,
        /// Whether more workers do the same work there, or more of it.
        scaling: Scaling,
        /// The name of the first of the others that differs.
        other: String,
        /// The same of it.
        other_scaling: Scaling,
    },
    /// No run was given.
    #[error("no run was given; give the folder of one")]
    Nothing,
}

/// Joins one run or several into material, with only these models, or all where none is named.
///
/// # Errors
/// When a requested interpreter or model is not there, and when runs with strong and with weak scaling are to be
/// joined.
pub fn join(mut parts: Vec<Part>, models: &[Model]) -> Result<Material, JoinError> {
    for part in &mut parts {
        narrow_to_interpreter(part)?;
        narrow_to_models(part, models)?;
    }
    refuse_unlike_scaling(&parts)?;
    let unlike_files = unlike_files(&parts);
    let names = distinctions(&parts);
    let mut parts = parts.into_iter();
    let first = parts.next().ok_or(JoinError::Nothing)?;
    if names.len() < 2 {
        return Ok(Material::of_run(first.summary, first.trials));
    }
    let machines = |part: &Part| {
        let host = text::shorten(&text::line(&part.summary.machine.hostname), 24);
        format!("{host}: {}", words::machine(&part.summary))
    };
    let method = |part: &Part| {
        let cells: Vec<_> = part.summary.cells.iter().collect();
        let day: String = part.summary.run.started_at.chars().take(10).collect();
        format!("{day}: {}", words::method(&part.summary, &cells))
    };
    let mut material = Material {
        machines: vec![machines(&first)],
        method: Some(method(&first)),
        unlike_files,
        ..Material::of_run(first.summary.clone(), Vec::new())
    };
    let mut ceilings = material.summary.cells.iter().any(|cell| cell.is_native());
    let mut joined = Summary {
        interpreters: Vec::new(),
        workloads: Vec::new(),
        arms: Vec::new(),
        arm_ratios: Vec::new(),
        free_threading_overhead: Vec::new(),
        laws: Vec::new(),
        cells: Vec::new(),
        warnings: Vec::new(),
        ..first.summary.clone()
    };
    for (part, name) in [first].into_iter().chain(parts).zip(&names) {
        ceilings |= part.summary.cells.iter().any(|cell| cell.is_native());
        let machine = machines(&part);
        if !material.machines.contains(&machine) {
            material.machines.push(machine);
        }
        if let Some(known) = &mut material.method {
            let other = method(&part);
            if !known.contains(&other) {
                known.push(' ');
                known.push_str(&other);
            }
        }
        add(&mut joined, &mut material.trials, part, name);
    }
    if material.machines.len() > 2 {
        let more = material.machines.len() - 2;
        material.machines.truncate(2);
        material
            .machines
            .push(format!("and {}", text::counted(more, "more machine")));
    }
    if ceilings {
        let note = "Ceilings are left out, because each belongs to one run.";
        material.notes.push(note.to_owned());
    }
    material.summary = joined;
    Ok(material)
}

/// The value of `--scaling` that asks for a scaling.
fn word(scaling: &Scaling) -> &'static str {
    match scaling {
        Scaling::Strong => "strong",
        Scaling::Weak => "weak",
    }
}

/// Refuses runs with different scaling: speedups and rates of units are calculated differently where every worker does all
/// of the work.
fn refuse_unlike_scaling(parts: &[Part]) -> Result<(), JoinError> {
    let mut runs = parts.iter().map(|part| &part.summary.run);
    let Some(first) = runs.next() else {
        return Ok(());
    };
    runs.find(|run| run.scaling != first.scaling)
        .map_or(Ok(()), |other| {
            Err(JoinError::Scaling {
                first: text::line(&first.name),
                scaling: first.scaling,
                other: text::line(&other.name),
                other_scaling: other.scaling,
            })
        })
}

/// Finds workloads whose file is not the same in all runs. A callable has no file to compare.
fn unlike_files(parts: &[Part]) -> Vec<String> {
    let mut files: Vec<(&str, &str)> = Vec::new();
    let mut unlike: Vec<String> = Vec::new();
    for facts in parts.iter().flat_map(|part| &part.summary.workloads) {
        if facts.sha256.is_empty() {
            continue;
        }
        match files.iter().find(|(name, _)| *name == facts.name) {
            None => files.push((&facts.name, &facts.sha256)),
            Some((_, known)) if *known != facts.sha256 && !unlike.contains(&facts.name) => {
                unlike.push(facts.name.clone());
            }
            Some(_) => {}
        }
    }
    unlike
}

/// Keeps only the cells of the requested models.
fn narrow_to_models(part: &mut Part, models: &[Model]) -> Result<(), JoinError> {
    if models.is_empty() {
        return Ok(());
    }
    let is_shown = |model: Model| models.contains(&model) || models.contains(&model.family());
    let summary = &mut part.summary;
    let is_own = |cell: &CellSummary| !cell.is_native() && cell.status != CellStatus::Skipped;
    let own = summary.cells.iter().filter(|cell| is_own(cell));
    let known = own.map(|cell| cell.model.name()).unique().collect();
    summary
        .cells
        .retain(|cell| cell.is_native() || is_shown(cell.model));
    if !summary.cells.iter().any(is_own) {
        return Err(JoinError::NoModel {
            run: text::line(&summary.run.name),
            wanted: models.iter().map(Model::to_string).collect(),
            known,
        });
    }
    part.trials.retain(|trial| is_shown(trial.cell.model));
    Ok(())
}

/// Keeps only the requested interpreter or arm.
fn narrow_to_interpreter(part: &mut Part) -> Result<(), UnknownInterpreter> {
    let Some(wanted) = &part.interpreter else {
        return Ok(());
    };
    let summary = &mut part.summary;
    if !summary.cells.iter().any(|cell| cell.is_named(wanted)) {
        return Err(UnknownInterpreter::new(summary, wanted));
    }
    summary
        .cells
        .retain(|cell| cell.is_native() || cell.is_named(wanted));
    let has_cell = |tag: &str| summary.cells.iter().any(|cell| cell.interpreter == tag);
    summary.interpreters.retain(|facts| has_cell(&facts.tag));
    summary.laws.retain(|laws| laws.is_named(wanted));
    summary
        .free_threading_overhead
        .retain(|overhead| has_cell(&overhead.free_threaded));
    part.trials.retain(|trial| trial.cell.is_named(wanted));
    Ok(())
}

/// What distinguishes each run's interpreters from those of the others: nothing where their tags do, else the machine, the
/// day, the time or the folder, whichever is the first to distinguish all runs.
fn distinctions(parts: &[Part]) -> Vec<String> {
    let differ = |names: &[String]| names.iter().all_unique();
    let given: Option<Vec<String>> = parts.iter().map(|part| part.name.clone()).collect();
    if let Some(names) = given.filter(|names| differ(names)) {
        return names;
    }
    let of = |name: &dyn Fn(&Summary) -> String| -> Vec<String> {
        parts.iter().map(|part| name(&part.summary)).collect()
    };
    let hosts = of(&|summary| summary.machine.hostname.clone());
    let one_machine = hosts.iter().all(|host| Some(host) == hosts.first());
    let tags: Vec<String> = parts
        .iter()
        .flat_map(|part| part.summary.interpreters.iter().map(|facts| facts.tag.clone()))
        .collect();
    if one_machine && differ(&tags) {
        return vec![String::new(); parts.len()];
    }
    let until = |end: usize| {
        of(&|summary| {
            let moment: String = summary.run.started_at.chars().take(end).collect();
            moment.replace('T', " ")
        })
    };
    let candidates = [
        hosts,
        until(10),
        until(16),
        of(&|summary| summary.run.name.clone()),
    ];
    candidates
        .into_iter()
        .find(|names| differ(names))
        .unwrap_or_else(|| (1..=parts.len()).map(|number| format!("run {number}")).collect())
}

/// Adds a run's part, its interpreters renamed.
fn add(joined: &mut Summary, trials: &mut Vec<Trial>, part: Part, name: &str) {
    let renamed = |tag: &str| {
        if name.is_empty() {
            tag.to_owned()
        } else {
            format!("{tag} {}", text::shorten(&text::line(name), 20))
        }
    };
    let Summary {
        interpreters,
        workloads,
        free_threading_overhead,
        laws,
        cells,
        warnings,
        ..
    } = part.summary;
    for mut facts in interpreters {
        facts.tag = renamed(&facts.tag);
        joined.interpreters.push(facts);
    }
    for workload in workloads {
        if !joined.workloads.iter().any(|known| known.name == workload.name) {
            joined.workloads.push(workload);
        }
    }
    for mut cell in cells.into_iter().filter(|cell| !cell.is_native()) {
        cell.interpreter = renamed(&cell.interpreter);
        joined.cells.push(cell);
    }
    for mut curve in laws.into_iter().filter(|curve| !curve.is_native()) {
        curve.curve.interpreter = renamed(&curve.interpreter);
        joined.laws.push(curve);
    }
    for mut overhead in free_threading_overhead {
        overhead.gil = renamed(&overhead.gil);
        overhead.free_threaded = renamed(&overhead.free_threaded);
        joined.free_threading_overhead.push(overhead);
    }
    for warning in warnings {
        if !joined.warnings.contains(&warning) {
            joined.warnings.push(warning);
        }
    }
    for mut trial in part.trials {
        trial.cell.interpreter = renamed(&trial.cell.interpreter);
        trials.push(trial);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::chart::{Kind, make};
    use ftbench_fixtures::summaries;

    fn part(name: &str) -> Part {
        let mut summary = summaries::suite();
        name.clone_into(&mut summary.run.name);
        Part {
            summary,
            trials: Vec::new(),
            interpreter: None,
            name: None,
        }
    }

    #[test]
    fn a_model_that_a_run_does_not_have_is_refused() {
        let mut with_ceiling = part("one");
        summaries::add_ceiling(&mut with_ceiling.summary, f64::from);
        let refused = join(vec![with_ceiling.clone()], &[Model::Interpreters, Model::Asyncio]).unwrap_err();
        insta::assert_snapshot!(refused, @"one measured no cells of the model interpreters or asyncio; it has threads, processes, serial: name one of these with --model, or none");
        let mut without = part("other");
        without
            .summary
            .cells
            .retain(|cell| cell.model.family() != Model::Processes);
        let refused = join(vec![with_ceiling.clone(), without], &[Model::Processes]).unwrap_err();
        assert!(
            refused.to_string().starts_with("other measured no cells"),
            "{refused}"
        );
        assert!(join(vec![with_ceiling], &[Model::Asyncio, Model::Processes]).is_ok());
    }

    #[test]
    fn strong_and_weak_scaling_are_not_drawn_together() {
        let mut weak = part("weak-run");
        weak.summary.run.scaling = Scaling::Weak;
        let refused = join(vec![part("strong-run"), weak.clone()], &[]).unwrap_err();
        insta::assert_snapshot!(refused, @"strong-run was measured with --scaling strong, weak-run with --scaling weak: their figures are not of the same work; draw each in a chart of its own");
        assert!(join(vec![weak.clone(), weak], &[]).is_ok());
    }

    #[test]
    fn a_chart_of_runs_with_unlike_files_says_so() {
        let mut parts = [part("one"), part("other")];
        for (part, sums) in parts.iter_mut().zip([["a", "b", ""], ["A", "b", "c"]]) {
            for (facts, sum) in part.summary.workloads.iter_mut().zip(sums) {
                sum.clone_into(&mut facts.sha256);
            }
        }
        let material = join(parts.to_vec(), &[]).unwrap();
        let caption_of = |kind: Kind, workload: &str| make(kind, &material, workload).caption.join("\n");
        let note = "Note: the file of http_fetch is not the same in all of these runs; what differs may be the code.";
        for (kind, workload, expected) in [
            (Kind::Scaling, "http_fetch", true),
            (Kind::HeatMap, "", true),
            // Alike, and not known in one of them.
            (Kind::Scaling, "fib", false),
            (Kind::Scaling, "nbody", false),
        ] {
            let caption = caption_of(kind, workload);
            assert_eq!(caption.contains(note), expected, "{workload}: {caption}");
            assert_eq!(
                caption.contains("not the same"),
                expected,
                "{workload}: {caption}"
            );
        }
    }
}
