//! The words of a chart: its title, the machine and the builds, and the caption.

use std::collections::BTreeSet;

use itertools::Itertools;

use ftbench_schema::{CellSummary, InterpreterFacts, Model, RunStatus, Summary, Warning, WarningKind};

use super::kinds::measured::{LONGEST_NAME, LONGEST_TAG};
use crate::headline::{self, Verdict};
use ftbench_schema::{text, units};

/// Maximum number of interpreters named in a title's clause.
pub(super) const MOST_TAGS: usize = 3;
/// Maximum number of series named in a caption's sentence.
const MOST_NAMES: usize = 4;

/// The finding in words: `threads reach 1.93x on 3.13t, stay flat on 3.13, at 2 workers`.
pub(super) fn title_words(summary: &Summary, workload: &str) -> Option<String> {
    let mut of_workload = summary.clone();
    of_workload.cells.retain(|cell| cell.workload == workload);
    let findings = headline::findings(&of_workload);
    let model = findings.first()?.model;
    // With one workload a finding has one part.
    let parts = findings
        .iter()
        .filter(|finding| finding.model == model)
        .flat_map(|finding| finding.parts.iter().map(move |part| (&finding.interpreter, part)));
    let workers = parts.clone().map(|(_, part)| part.workers).max()?;
    let mut clauses = Vec::new();
    for verdict in Verdict::ALL {
        let mut speedups = Vec::new();
        let mut tags = Vec::new();
        for (interpreter, part) in parts.clone().filter(|(_, part)| part.workers == workers) {
            for reading in part.readings.iter().filter(|reading| reading.verdict == verdict) {
                speedups.push(reading.speedup.estimate);
                tags.push(text::shorten(&text::line(interpreter), LONGEST_TAG));
            }
        }
        clauses.extend(clause(verdict, &mut speedups, &tags));
    }
    let at = text::counted(usize::try_from(workers).unwrap_or(usize::MAX), "worker");
    Some(format!("{model} {}, at {at}", clauses.join(", ")))
}

fn clause(verdict: Verdict, speedups: &mut [f64], tags: &[String]) -> Option<String> {
    speedups.sort_by(f64::total_cmp);
    let low = units::times(*speedups.first()?);
    let high = units::times(*speedups.last()?);
    let range = if low == high {
        low
    } else {
        format!("{low}–{high}")
    };
    let on = on_interpreters(tags);
    Some(match verdict {
        Verdict::Faster => format!("reach {range} {on}"),
        Verdict::Flat => format!("stay flat {on}"),
        Verdict::Slower => format!("fall to {range} {on}"),
        Verdict::Unclear => format!("need more rounds {on}"),
    })
}

/// `on 3.13`, `on 3.13 and 3.14` or, where they are too many to name, `on 5 interpreters`.
pub(super) fn on_interpreters(tags: &[String]) -> String {
    if tags.len() > MOST_TAGS {
        format!("on {} interpreters", tags.len())
    } else {
        format!("on {}", text::all_of(tags))
    }
}

/// The machine: processor, cores, limits, system.
pub(crate) fn machine(summary: &Summary) -> String {
    let machine = &summary.machine;
    let mut words = vec![text::line(&machine.cpu_model)];
    // Of a run that was imported it may not be known.
    if machine.topology.cores > 0 {
        let cores = usize::try_from(machine.topology.cores).unwrap_or(usize::MAX);
        words.push(text::counted(cores, "core"));
    }
    if machine.topology.packages > 1 {
        words.push(format!("{} sockets", machine.topology.packages));
    }
    if let Some(quota) = machine.cpu_quota {
        words.push(format!("quota of {} CPUs", units::number(quota, 1)));
    }
    words.push(text::line(&machine.os));
    words.retain(|word| !word.is_empty());
    words.join(" · ")
}

/// The builds, those of one version together: `CPython 3.13.15 (3.13 and 3.13t: -O3)`. Those whose version is not known, as in
/// some files of other tools, are left out.
pub(crate) fn builds(summary: &Summary) -> String {
    let mut versions: Vec<(String, Vec<&InterpreterFacts>)> = Vec::new();
    for facts in summary
        .interpreters
        .iter()
        .filter(|facts| !facts.version.is_empty())
    {
        let version = format!("{} {}", facts.implementation, text::line(&facts.version));
        match versions.iter_mut().find(|(known, _)| *known == version) {
            Some((_, alike)) => alike.push(facts),
            None => versions.push((version, vec![facts])),
        }
    }
    let words: Vec<String> = versions
        .iter()
        .map(|(version, alike)| of_version(version, alike))
        .collect();
    words.join(" · ")
}

fn of_version(version: &str, interpreters: &[&InterpreterFacts]) -> String {
    let tag = |facts: &&InterpreterFacts| text::shorten(&text::line(&facts.tag), LONGEST_TAG);
    let first = interpreters.first().map(|facts| build(facts)).unwrap_or_default();
    if interpreters.iter().all(|facts| build(facts) == first) {
        let tags: Vec<String> = interpreters.iter().map(tag).collect();
        return format!("{version} ({}: {first})", text::all_of(&tags));
    }
    let each: Vec<String> = interpreters
        .iter()
        .map(|facts| format!("{}: {}", tag(facts), build(facts)))
        .collect();
    format!("{version} ({})", each.join(", "))
}

fn build(facts: &InterpreterFacts) -> String {
    match facts.build_words().as_slice() {
        [] => "build unknown".to_owned(),
        words => text::line(&words.join(" ")),
    }
}

/// Explains the ceiling.
pub(super) fn ceiling(summary: &Summary, workload: &str) -> String {
    let facts = summary.workloads.iter().find(|facts| facts.name == workload);
    let kernel = facts.and_then(|facts| facts.ceiling.as_ref()).map_or_else(
        || "a native kernel".to_owned(),
        |ceiling| format!("the native kernel {}", ceiling.kernel),
    );
    format!("Ceiling: {kernel} on the same PUs, in the same rounds.")
}

/// Collects what a reader must know: what is missing, then warnings of the workloads that are drawn and of the run. There is
/// room for a few of them, and what concerns the drawn work matters most.
pub(super) fn notes(summary: &Summary, cells: &[&CellSummary]) -> Vec<String> {
    let drawn = |warning: &&Warning| {
        cells
            .iter()
            .any(|cell| warning.workloads.contains(&cell.workload))
    };
    let of_run =
        |warning: &&Warning| warning.workloads.is_empty() && warning.kind != WarningKind::InterpreterSkipped;
    let warnings = summary.warnings.iter();
    let warnings = warnings
        .clone()
        .filter(drawn)
        .chain(warnings.filter(of_run))
        .map(|warning| format!("Note: {}", text::line(&warning.message)));
    missing(cells).into_iter().chain(warnings).collect()
}

/// The cells that failed: `Failed, so not drawn: 3.13t threads at 64, 128; all of 3.13 asyncio.`
fn missing(cells: &[&CellSummary]) -> Option<String> {
    let failed = cells.iter().filter(|cell| cell.status.is_failure());
    let places = failed.map(|cell| (cell.interpreter_label(), cell.model));
    let failed: Vec<(String, Model)> = places.unique().collect();
    let several = workloads(cells).len() > 1;
    let more = failed.len().saturating_sub(MOST_NAMES);
    let mut names: Vec<String> = failed
        .iter()
        .take(MOST_NAMES)
        .map(|(label, model)| {
            let name = text::shorten(&format!("{} {model}", text::line(label)), LONGEST_NAME);
            let mut alike = cells.to_vec();
            alike.retain(|cell| cell.interpreter_label() == *label && cell.model == *model);
            what_failed(&name, &alike, several)
        })
        .collect();
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    (!names.is_empty()).then(|| format!("Failed, so not drawn: {}.", names.join("; ")))
}

/// Names what failed of the cells of one model on one interpreter: `3.13t threads at 64, 128`, or where several workloads are
/// drawn `3.13t threads of fib at 64`.
fn what_failed(name: &str, cells: &[&CellSummary], several: bool) -> String {
    let mut failed = cells.to_vec();
    failed.retain(|cell| cell.status.is_failure());
    if failed.len() == cells.len() {
        return format!("all of {name}");
    }
    let of = match workloads(&failed).as_slice() {
        _ if !several => String::new(),
        few @ ([_] | [_, _]) => format!(" of {}", text::all_of(few)),
        many => format!(" of {} workloads", many.len()),
    };
    let workers: BTreeSet<u32> = failed.iter().map(|cell| cell.workers).collect();
    let workers: Vec<String> = workers.iter().map(u32::to_string).collect();
    format!("{name}{of} at {}", workers.join(", "))
}

/// The names of the workloads of cells, in their order.
fn workloads(cells: &[&CellSummary]) -> Vec<String> {
    let name = |cell: &&CellSummary| text::shorten(&text::line(&cell.workload), LONGEST_TAG);
    cells.iter().map(name).unique().collect()
}

/// Notes that a difference between joined runs may be due to the code: `fib's file is not the same in all of these runs.`
pub(super) fn unlike_files(unlike: &[String], cells: &[&CellSummary]) -> Option<String> {
    let mut of_them = cells.to_vec();
    of_them.retain(|cell| unlike.contains(&cell.workload));
    let files = match workloads(&of_them).as_slice() {
        [] => return None,
        [only] => format!("the file of {only} is"),
        few @ ([_, _] | [_, _, _]) => format!("the files of {} are", text::all_of(few)),
        many => format!("the files of {} workloads are", many.len()),
    };
    Some(format!(
        "Note: {files} not the same in all of these runs; what differs may be the code."
    ))
}

/// Describes how it was measured.
pub(super) fn method(summary: &Summary, cells: &[&CellSummary]) -> String {
    let rounds = cells.iter().map(|cell| cell.rounds).filter(|rounds| *rounds > 0);
    let run = &summary.run;
    let ended = match run.status {
        RunStatus::Complete => "",
        RunStatus::Interrupted => " (interrupted)",
        RunStatus::Running => " (not yet ended)",
    };
    let rounds = match (rounds.clone().min(), rounds.max()) {
        (Some(min), Some(max)) if min < max => format!("{min} to {max} rounds{ended}, "),
        (_, Some(max)) => {
            let rounds = text::counted(usize::try_from(max).unwrap_or(usize::MAX), "round");
            format!("{rounds}{ended}, ")
        }
        _ => String::new(),
    };
    format!(
        "{rounds}seed {}, profile {}, ftbench {}.",
        run.seed,
        text::line(&run.profile),
        text::line(&run.ftbench_version)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::summaries;
    use ftbench_schema::CellStatus;

    #[test]
    fn a_note_names_the_workloads_that_failed() {
        let mut summary = summaries::suite();
        for cell in &mut summary.cells {
            let of = |names: &[&str]| names.contains(&cell.workload.as_str());
            let fails = match cell.interpreter.as_str() {
                "3.13" => of(&["fib", "nbody"]),
                _ => of(&["fib", "nbody", "mandelbrot"]) && cell.workers == 2,
            };
            if fails && cell.model == Model::Threads {
                *cell = summaries::unmeasured(cell.clone(), CellStatus::Failed, "no");
            }
        }
        let notes_of = |summary: &Summary| {
            let cells: Vec<&CellSummary> = summary.cells.iter().collect();
            notes(summary, &cells)
        };
        assert_eq!(
            notes_of(&summary),
            [
                "Failed, so not drawn: 3.13 threads of fib and nbody at 1, 2; 3.13t threads of 3 workloads at 2."
            ]
        );
        summary.cells.retain(|cell| cell.workload == "fib");
        summary.warnings.push(summaries::builds_differ());
        let of_workload = |name: &str| {
            let workloads = vec![name.to_owned()];
            Warning::of_workloads(
                WarningKind::StartsThreads,
                format!("{name} starts threads."),
                workloads,
            )
        };
        summary
            .warnings
            .extend([of_workload("fib"), of_workload("nbody")]);
        let of_one = notes_of(&summary);
        assert_eq!(
            of_one.first().map(String::as_str),
            Some("Failed, so not drawn: all of 3.13 threads; 3.13t threads at 2.")
        );
        assert_eq!(
            of_one.get(1).map(String::as_str),
            Some("Note: fib starts threads.")
        );
        assert!(of_one.len() == 3, "{of_one:?}");
    }
}
