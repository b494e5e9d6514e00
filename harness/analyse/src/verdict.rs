//! How a cell ended, and the reason.

use ftbench_schema::{Cell, CellStatus, GilState, Manifest, PlannedCell, Trial, TrialStatus};

/// How a cell ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The status.
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

    /// Determines the verdict on a cell from its trials.
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
            let reason = with_output_tail(&failure.reason, failure.output_tail.as_deref());
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

/// Whether the GIL was on in a cell of an interpreter that starts with the GIL off.
pub(super) fn is_reenabled(manifest: &Manifest, cell: &Cell, trials: &[&Trial]) -> bool {
    let starts_without = manifest
        .interpreters
        .iter()
        .any(|interpreter| interpreter.tag == cell.interpreter && interpreter.gil == GilState::Off);
    starts_without && gil(trials) == Some(GilState::On)
}

/// Returns the failed trial that determines the verdict: the first one with a wrong result, because that makes the
/// times of the others doubtful too, or else the first failed one.
fn worst<'t>(trials: &[&'t Trial]) -> Option<&'t Trial> {
    let first = |matches: fn(TrialStatus) -> bool| trials.iter().copied().find(|trial| matches(trial.status));
    first(|status| status == TrialStatus::WrongResult).or_else(|| first(|status| status != TrialStatus::Ok))
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
    with_output_tail(&counted, failed.output_tail.as_deref())
}

fn with_output_tail(reason: &str, output_tail: Option<&str>) -> String {
    match output_tail {
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
        TrialStatus::Skipped => CellStatus::Skipped,
    }
}

/// Returns the state of the GIL: on if it was on in any trial; `None` if it was never recorded.
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
