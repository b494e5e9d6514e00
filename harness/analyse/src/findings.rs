//! Warnings for the reader that follow from the figures.

use std::collections::{BTreeMap, BTreeSet};

use super::location::MIN_VALUES;
use ftbench_schema::text::{all_of, counted};
use ftbench_schema::{CellStatus, CellSummary, Model, Trial, Warning, WarningKind};

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
    warnings.extend(start_methods_differ(trials));
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

/// Returns a warning if the default start method of processes differs between interpreters, as since CPython 3.14.
fn start_methods_differ(trials: &[Trial]) -> Option<Warning> {
    let mut interpreters: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for trial in trials.iter().filter(|trial| trial.cell.model == Model::Processes) {
        if let Some(method) = &trial.start_method {
            let of_method = interpreters.entry(method).or_default();
            of_method.insert(trial.cell.interpreter_label());
        }
    }
    let first = interpreters.keys().next()?;
    let how: Vec<String> = interpreters
        .iter()
        .map(|(method, labels)| {
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            format!("by {method} on {}", labels.join(", "))
        })
        .collect();
    let message = format!(
        "processes are started {}; choose one method for all, such as -m processes:{first}",
        how.join(" and ")
    );
    (interpreters.len() > 1).then(|| Warning::of_run(WarningKind::StartMethodsDiffer, message))
}

/// Returns warnings about the cells, whose failed trials say where errors arise.
#[must_use]
pub fn of_cells(cells: &[CellSummary], trials: &[Trial]) -> Vec<Warning> {
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
    warnings.extend(not_thread_safe(cells, trials));
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

/// Returns a warning about each workload for which several threads fail where one does not: on which interpreters they do,
/// and what happens in the first of their cells.
fn not_thread_safe(cells: &[CellSummary], trials: &[Trial]) -> Vec<Warning> {
    let is_of_threads = |cell: &&CellSummary| matches!(cell.model, Model::Threads | Model::AsyncioThreads);
    let fails = |cell: &&CellSummary| matches!(cell.status, CellStatus::Failed | CellStatus::WrongResult);
    let works_with_one = |failed: &CellSummary| {
        let mut others = cells
            .iter()
            .filter(|cell| cell.curve == failed.curve && cell.workers == 1 && cell.status == CellStatus::Ok);
        others.next().is_some()
    };
    let mut found: BTreeMap<&str, (BTreeSet<String>, &CellSummary)> = BTreeMap::new();
    for failed in cells.iter().filter(is_of_threads).filter(fails) {
        if works_with_one(failed) {
            let (interpreters, _) = found
                .entry(&failed.workload)
                .or_insert_with(|| (BTreeSet::new(), failed));
            interpreters.insert(failed.interpreter_label());
        }
    }
    let warning = |(workload, (interpreters, failed)): (&str, (BTreeSet<String>, &CellSummary))| {
        let interpreters: Vec<String> = interpreters.into_iter().collect();
        let reason = failed.reason.as_deref().and_then(|reason| reason.lines().next());
        let reason = reason.unwrap_or("without a reason");
        let output_tail = trials
            .iter()
            .filter(|trial| trial.cell == failed.cell)
            .find_map(|trial| trial.output_tail.as_deref());
        let (problem, advice) = if reason.contains(ADDRESS_IN_USE) {
            let advice = "each call binds the same network address, so measure it with one worker";
            ("cannot run twice at once", advice.to_owned())
        } else {
            ("is not thread-safe", advice(output_tail.unwrap_or_default()))
        };
        let place = match interpreters.len() {
            1 => String::new(),
            _ => format!("{}: ", failed.interpreter_label()),
        };
        let message = format!(
            "{workload} on {} {problem}: it fails with {} threads and not with one ({place}{reason}); {advice}",
            all_of(&interpreters),
            failed.workers,
        );
        Warning::of_workloads(WarningKind::NotThreadSafe, message, vec![workload.to_owned()])
    };
    found.into_iter().map(warning).collect()
}

/// In the message of an error that the system calls `EADDRINUSE` (errno(3)).
const ADDRESS_IN_USE: &str = "address already in use";

/// Says to whom to report an error that only several threads cause, from the end of a process's output.
fn advice(output_tail: &str) -> String {
    // The first line of a crash: https://docs.python.org/3/library/faulthandler.html.
    if output_tail.contains("Fatal Python error") {
        let modules = output_tail
            .lines()
            .find_map(|line| line.strip_prefix("Extension modules: "));
        let or_others = modules.map_or_else(String::new, |modules| {
            format!(", or to the maintainers of the extension modules that were loaded: {modules}")
        });
        return format!("report the crash to CPython (https://github.com/python/cpython/issues){or_others}");
    }
    let paths = output_tail
        .lines()
        .rev()
        .filter_map(|line| line.trim_start().strip_prefix("File \"")?.split('"').next());
    let origin = paths
        .filter(|path| !path.contains("/ftbench_worker/"))
        .map(origin)
        .find(|origin| *origin != Origin::StandardLibrary);
    match origin {
        Some(Origin::Package(name)) => format!(
            "if its calls do not share data on purpose, report this to the maintainers of {name}, where \
             the error arises"
        ),
        Some(_) => {
            "the error arises in its own code, whose calls must not share data that they change".to_owned()
        }
        None => {
            "if its calls do not share data on purpose, what they call is at fault: report this to its maintainers".to_owned()
        }
    }
}

/// Whose code a file belongs to.
#[derive(Debug, PartialEq, Eq)]
enum Origin<'a> {
    /// CPython's.
    StandardLibrary,
    /// An installed package's, by the name of its module.
    Package(&'a str),
    /// The workload's.
    Own,
}

fn origin(path: &str) -> Origin<'_> {
    let mut parts = path
        .split('/')
        .skip_while(|part| !matches!(*part, "site-packages" | "dist-packages"))
        .skip(1);
    if let Some(package) = parts.next() {
        return Origin::Package(package.strip_suffix(".py").unwrap_or(package));
    }
    let is_library =
        |parts: &[&str]| matches!(parts, ["lib" | "lib64", python] if python.starts_with("python3."));
    let parts: Vec<&str> = path.split('/').collect();
    if path.starts_with("<frozen ") || parts.windows(2).any(is_library) {
        Origin::StandardLibrary
    } else {
        Origin::Own
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::records::{cell, trial};
    use ftbench_fixtures::summaries;

    #[test]
    fn different_start_methods_are_named() {
        let started = |interpreter, method: &str| Trial {
            start_method: Some(method.to_owned()),
            ..trial(&cell(interpreter, Model::Processes, 2), 1, 10)
        };
        let same = [started("3.13", "fork"), started("3.13t", "fork")];
        assert_eq!(start_methods_differ(&same), None);
        let message = start_methods_differ(&[started("3.14", "forkserver"), started("3.13", "fork")]);
        assert_eq!(
            message.map(|warning| warning.message).as_deref(),
            Some(
                "processes are started by fork on 3.13 and by forkserver on 3.14; choose one method for all, such as \
                 -m processes:fork"
            )
        );
    }

    #[test]
    fn advice_follows_from_where_an_error_arises() {
        let raised = |files: &[&str]| {
            let frames: Vec<String> = files
                .iter()
                .map(|file| format!("  File \"{file}\", line 7, in call\n    call()"))
                .collect();
            advice(&format!("{}\nParseError: it\n", frames.join("\n")))
        };
        let own = "/home/me/bench.py";
        let library = "/opt/lib/python3.14t/json/decoder.py";
        let package = "/cache/lib/python3.14t/site-packages/sqlglot/parser.py";
        assert!(raised(&[own, package, library]).ends_with("maintainers of sqlglot, where the error arises"));
        for files in [&[own][..], &[package, own, library], &[own, "<frozen importlib>"]] {
            assert!(raised(files).contains("in its own code"), "{files:?}");
        }
        let system = "/usr/lib/python3/dist-packages/yaml/reader.py";
        assert!(raised(&[own, system]).contains("maintainers of yaml"));
        for library in [library, "/usr/lib64/python3.14/json/decoder.py"] {
            assert!(
                raised(&[library]).contains("what they call is at fault"),
                "{library}"
            );
        }
        let crash = "Fatal Python error: Segmentation fault\n\nThread 0x1:\n  File \"/home/me/bench.py\", line 1 in work";
        assert!(advice(crash).ends_with("to CPython (https://github.com/python/cpython/issues)"));
        let crash = format!("{crash}\n\nExtension modules: numpy._core, numpy.linalg (total: 2)");
        assert!(advice(&crash).ends_with("loaded: numpy._core, numpy.linalg (total: 2)"));
    }

    #[test]
    fn work_that_fails_with_several_threads_only_is_not_thread_safe() {
        let mut cells = summaries::two_cores().cells;
        assert_eq!(not_thread_safe(&cells, &[]), []);
        let fails = |cell: &CellSummary| cell.model == Model::Threads && cell.workers == 2;
        for cell in cells.iter_mut().filter(|cell| fails(cell)) {
            *cell = summaries::unmeasured(cell.clone(), CellStatus::WrongResult, "check: expected 8");
        }
        let found = not_thread_safe(&cells, &[]);
        let messages: Vec<&str> = found.iter().map(|one| one.message.as_str()).collect();
        insta::assert_snapshot!(messages.join("\n"), @"
        fib on 3.13 and 3.13t is not thread-safe: it fails with 2 threads and not with one (3.13: check: expected 8); if its calls do not share data on purpose, what they call is at fault: report this to its maintainers
        nbody on 3.13 and 3.13t is not thread-safe: it fails with 2 threads and not with one (3.13: check: expected 8); if its calls do not share data on purpose, what they call is at fault: report this to its maintainers
        ");
        for cell in cells.iter_mut().filter(|cell| fails(cell)) {
            cell.reason = Some("OSError: [Errno 98] address already in use (in work)".to_owned());
        }
        let [fib, _] = &not_thread_safe(&cells, &[])[..] else {
            unreachable!()
        };
        assert!(
            fib.message.ends_with("so measure it with one worker"),
            "{}",
            fib.message
        );
        // One that fails with one thread, too, is broken for another reason.
        for cell in cells.iter_mut().filter(|cell| cell.workers == 1) {
            *cell = summaries::unmeasured(cell.clone(), CellStatus::Failed, "work: ValueError");
        }
        assert_eq!(not_thread_safe(&cells, &[]), []);
    }
}
