//! What became of a cell, and what may rest on it.

use ftbench_schema::{Cell, CellStatus, GilState, Manifest, PlannedCell, Trial, TrialStatus};

/// What became of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    /// In a word.
    pub status: CellStatus,
    /// Why it is not `ok`.
    pub reason: Option<String>,
}

impl Verdict {
    fn new(status: CellStatus, reason: String) -> Self {
        Self {
            status,
            reason: Some(reason),
        }
    }

    /// The verdict on a cell with these trials.
    pub(super) fn on(planned: &PlannedCell, manifest: &Manifest, trials: &[&Trial]) -> Self {
        if let Some(reason) = &planned.skipped {
            return Self::new(CellStatus::Skipped, reason.clone());
        }
        let workload = manifest
            .workloads
            .iter()
            .find(|workload| workload.name == planned.cell.workload);
        if planned.cell.is_native() && workload.is_some_and(|workload| workload.failure.is_some()) {
            let reason = "the workload was not measured, so its ceiling was not either";
            return Self::new(CellStatus::Skipped, reason.to_owned());
        }
        let failure = workload.and_then(|workload| match &workload.ceiling {
            Some(ceiling) if planned.cell.is_native() => ceiling.failure.as_ref(),
            _ => workload.failure.as_ref(),
        });
        if let Some(failure) = failure {
            let reason = with_last_words(&failure.reason, failure.last_words.as_deref());
            return Self::new(status_of(failure.status), reason);
        }
        if let Some(failed) = worst(trials) {
            return Self::new(status_of(failed.status), failure_reason(failed, trials));
        }
        if trials.is_empty() {
            return Self::new(
                CellStatus::Skipped,
                "the run ended before its first trial".to_owned(),
            );
        }
        if !is_reenabled(manifest, &planned.cell, trials) {
            return Self {
                status: CellStatus::Ok,
                reason: None,
            };
        }
        let module = trials.iter().find_map(|trial| trial.gil_enabled_by.as_deref());
        let reason = module.map_or_else(
            || "something switched the GIL back on while it ran".to_owned(),
            |module| format!("importing {module} switched the GIL back on"),
        );
        Self::new(CellStatus::GilReenabled, reason)
    }
}

/// Whether a cell of an interpreter that starts without the GIL was seen to have it on.
pub(super) fn is_reenabled(manifest: &Manifest, cell: &Cell, trials: &[&Trial]) -> bool {
    let starts_without = manifest
        .interpreters
        .iter()
        .any(|interpreter| interpreter.tag == cell.interpreter && interpreter.gil == GilState::Off);
    starts_without && gil(trials) == Some(GilState::On)
}

/// The failed trial that a cell is judged by: the first one with a wrong result, for that makes the times of the others
/// doubtful too, else the first one.
fn worst<'t>(trials: &[&'t Trial]) -> Option<&'t Trial> {
    let with = |is_it: fn(TrialStatus) -> bool| trials.iter().copied().find(|trial| is_it(trial.status));
    with(|status| status == TrialStatus::WrongResult).or_else(|| with(|status| status != TrialStatus::Ok))
}

fn failure_reason(failed: &Trial, trials: &[&Trial]) -> String {
    let failures = trials
        .iter()
        .filter(|trial| trial.status != TrialStatus::Ok)
        .count();
    let reason = failed.reason.as_deref().unwrap_or("no reason was recorded");
    let counted = if failures == trials.len() {
        reason.to_owned()
    } else {
        format!("{failures} of {} trials: {reason}", trials.len())
    };
    with_last_words(&counted, failed.last_words.as_deref())
}

fn with_last_words(reason: &str, last_words: Option<&str>) -> String {
    match last_words {
        None | Some("") => reason.to_owned(),
        Some(words) => format!("{reason}\n{words}"),
    }
}

pub(super) const fn status_of(status: TrialStatus) -> CellStatus {
    match status {
        TrialStatus::Ok => CellStatus::Ok,
        TrialStatus::Failed => CellStatus::Failed,
        TrialStatus::TimedOut => CellStatus::TimedOut,
        TrialStatus::WrongResult => CellStatus::WrongResult,
    }
}

/// The state of the GIL: on when it was seen on anywhere; `None` when it was seen nowhere.
pub(super) fn gil(trials: &[&Trial]) -> Option<GilState> {
    let after_import = trials.iter().filter_map(|trial| trial.gil_enabled);
    let after_samples = trials
        .iter()
        .flat_map(|trial| &trial.samples)
        .map(|sample| sample.gil_enabled);
    after_import
        .chain(after_samples)
        .reduce(|a, b| a || b)
        .map(GilState::from_enabled)
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
