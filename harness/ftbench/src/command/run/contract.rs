//! Finds workload files that cannot define `work`, without running them.

use std::ffi::OsStr;
use std::path::Path;

use super::error::RunError;
use super::planned::PlannedRun;
use crate::interpreter::run_script;
use crate::workload::Workload;

const SCRIPT: &str = include_str!("contract.py");

/// The prefix of the line with the answer.
const MARK: &str = "ftbench-contract ";

/// Checks the workload files of a planned run.
///
/// # Errors
/// Names the first workload in which every interpreter of the run finds a fault. The text of the fault is the
/// baseline's, which is the one that a trial would fail with.
pub fn check(planned: &PlannedRun) -> Result<(), RunError> {
    let code = &planned.setup.code;
    let workloads = code.workloads.iter().chain(code.arms.files());
    let mut suspects: Vec<(&Workload, Option<String>)> = workloads
        .filter(|workload| workload.callable.is_none())
        .map(|workload| (workload, None))
        .collect();
    for interpreter in &planned.manifest.interpreters {
        let files: Vec<&Workload> = suspects.iter().map(|(workload, _)| *workload).collect();
        let found = faults(Path::new(&interpreter.path), &files);
        suspects = suspects
            .into_iter()
            .zip(found)
            .filter(|(_, fault)| fault.is_some())
            .map(|((workload, first), fault)| (workload, first.or(fault)))
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

/// The fault that an interpreter finds in each of these files; `None` for all of them if it does not answer.
fn faults(python: &Path, workloads: &[&Workload]) -> Vec<Option<String>> {
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
    let mut found: Vec<Option<String>> = found.unwrap_or_default();
    found.resize(workloads.len(), None);
    found
}
