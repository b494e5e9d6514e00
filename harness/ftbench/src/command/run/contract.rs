//! Finds out what `work` is in workload files, without running them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use serde::Deserialize;

use super::code::Code;
use super::error::RunError;
use crate::interpreter::run_script;
use crate::workload::Workload;
use ftbench_schema::{InterpreterFacts, Model, WorkloadFacts};

const SCRIPT: &str = include_str!("contract.py");

/// The prefix of the line with the answer.
const MARK: &str = "ftbench-contract ";

/// What an interpreter's parser finds out about a workload file.
#[derive(Debug, Clone, Default, Deserialize)]
struct Contract {
    /// Why the file cannot define `work`, in a trial's words.
    #[serde(default)]
    fault: Option<String>,
    /// What a file without `work` is instead, and how to measure it.
    #[serde(default)]
    hint: Option<String>,
    /// Whether `work` has a third parameter `workers`, and so divides its units itself.
    #[serde(default)]
    takes_workers: bool,
}

impl Contract {
    /// What is wrong, followed by the hint, if there is one.
    fn fault_with_hint(self) -> Option<String> {
        let hint = self.hint.map(|hint| format!("; {hint}"));
        self.fault.map(|fault| fault + &hint.unwrap_or_default())
    }
}

/// Returns the names of the user's own workloads that name no model.
pub fn open_models(workloads: &[Workload], facts: &[WorkloadFacts], suite: &Path) -> BTreeSet<String> {
    let all = workloads.iter().zip(facts);
    all.filter(|(workload, facts)| is_open(workload, facts, suite))
        .map(|(workload, _)| workload.name.clone())
        .collect()
}

fn is_open(workload: &Workload, facts: &WorkloadFacts, suite: &Path) -> bool {
    facts.models.is_empty() && !workload.path.starts_with(suite)
}

/// Gives the model `internal` to workloads that name no model and whose `work` takes the number of workers. Returns what
/// to do about files that have no `work`.
pub fn choose_models(
    interpreters: &[InterpreterFacts],
    workloads: &[Workload],
    facts: &mut [WorkloadFacts],
    suite: &Path,
) -> Vec<String> {
    let Some(interpreter) = interpreters.first() else {
        return Vec::new();
    };
    let (files, facts): (Vec<&Workload>, Vec<&mut WorkloadFacts>) = workloads
        .iter()
        .zip(facts)
        .filter(|(workload, facts)| workload.is_file() && is_open(workload, facts, suite))
        .unzip();
    if files.is_empty() {
        return Vec::new();
    }
    let contracts = contracts(Path::new(&interpreter.path), &files);
    let mut hints = Vec::new();
    for (facts, contract) in facts.into_iter().zip(contracts) {
        if contract.takes_workers {
            facts.models = vec![Model::Internal];
        }
        if contract.hint.is_some() {
            hints.extend(contract.fault_with_hint());
        }
    }
    hints
}

/// Says about each workload why it cannot be measured, if it is a file of the user's that an interpreter's parser finds
/// a fault in.
pub fn faults(python: &Path, workloads: &[Workload], suite: &Path) -> Vec<Option<String>> {
    let is_own = |workload: &Workload| workload.is_file() && !workload.path.starts_with(suite);
    let files: Vec<&Workload> = workloads.iter().filter(|workload| is_own(workload)).collect();
    let mut found = contracts(python, &files).into_iter();
    let of_workload = |workload| {
        let contract = is_own(workload).then(|| found.next()).flatten();
        contract.and_then(Contract::fault_with_hint)
    };
    workloads.iter().map(of_workload).collect()
}

/// Checks the files of a run that is only planned, with its interpreters.
///
/// # Errors
/// Names the first workload in which every interpreter of the run finds a fault. The text of the fault is the
/// baseline's, which is the one that a trial would fail with.
pub fn check(code: &Code, interpreters: &[InterpreterFacts]) -> Result<(), RunError> {
    let workloads = code.workloads.iter().chain(code.arms.files());
    let mut suspects: Vec<(&Workload, Option<String>)> = workloads
        .filter(|workload| workload.is_file())
        .map(|workload| (workload, None))
        .collect();
    for interpreter in interpreters {
        let files: Vec<&Workload> = suspects.iter().map(|(workload, _)| *workload).collect();
        let found = contracts(Path::new(&interpreter.path), &files);
        suspects = suspects
            .into_iter()
            .zip(found)
            .filter(|(_, contract)| contract.fault.is_some())
            .map(|((workload, first), contract)| {
                let hint = contract.hint.map(|hint| format!("\n{hint}")).unwrap_or_default();
                let fault = contract.fault.map(|fault| format!("{fault} (in import){hint}"));
                (workload, first.or(fault))
            })
            .collect();
    }
    match suspects.into_iter().next() {
        Some((workload, Some(fault))) => Err(RunError::Unmeasurable {
            workload: workload.name.clone(),
            fault,
        }),
        _ => Ok(()),
    }
}

/// Asks an interpreter about each of these files. Says nothing about them if it does not answer.
fn contracts(python: &Path, workloads: &[&Workload]) -> Vec<Contract> {
    let words = workloads.iter().flat_map(|workload| {
        let case = workload.case.as_deref().unwrap_or_default();
        [workload.path.as_os_str(), OsStr::new(case)]
    });
    let words: Vec<&OsStr> = words.collect();
    let answer = run_script(python, SCRIPT, &words).ok();
    let found = answer.as_deref().and_then(|answer| {
        let line = answer.lines().find_map(|line| line.strip_prefix(MARK))?;
        serde_json::from_str(line).ok()
    });
    let mut found: Vec<Contract> = found.unwrap_or_default();
    found.resize(workloads.len(), Contract::default());
    found
}
