//! Cells without a ratio, with the reasons, and cells with a ratio that failed in some runs.

use std::collections::BTreeMap;

use super::matching::{Key, Pair, Planned};
use super::material::Run;
use super::paired;
use super::report::{Change, FailedInSome, SideName, Unmatched};
use crate::location::MIN_VALUES;
use ftbench_schema::{CellStatus, CellSummary};

/// Returns how a pair changed that was not measured on both sides; `None` if it was.
pub(super) fn change(pair: &Pair<'_>) -> Option<Unmatched> {
    let [base, new] = [&pair.base, &pair.new].map(|cells| Outcome::of(cells));
    let change = match (base.state(), new.state()) {
        (Some(State::Measured), Some(State::Measured)) => return None,
        (Some(State::Failed), Some(State::Failed)) => Change::StillBroken,
        (_, Some(State::Failed)) => Change::Broken,
        (Some(State::Failed), Some(State::Measured)) => Change::Fixed,
        (None | Some(State::Skipped), Some(State::Measured)) => Change::Added,
        (Some(State::Measured | State::Failed), None | Some(State::Skipped)) => Change::Gone,
        (None | Some(State::Skipped), None | Some(State::Skipped)) => Change::NotMeasured,
    };
    let reason = match change {
        Change::Fixed => base.reason(),
        _ => new.reason().or_else(|| base.reason()),
    };
    Some(unmatched(&pair.key, change, reason))
}

/// Returns the failures of a pair that was nevertheless measured on both sides.
pub(super) fn failed_in_some(pair: &Pair<'_>) -> Vec<FailedInSome> {
    let sides = [(SideName::Base, &pair.base), (SideName::New, &pair.new)];
    let failures = sides.into_iter().filter_map(|(side, cells)| {
        let outcome = Outcome::of(cells);
        let first = outcome.failed.first()?;
        Some(FailedInSome {
            cell: pair.key.clone(),
            side,
            failed: outcome.failed.len(),
            runs: outcome.tried(),
            reason: first_line(first.reason.as_deref()),
        })
    });
    failures.collect()
}

/// Describes a pair that is not compared because its workload is not the same on both sides; `why` has the reasons by
/// workload.
pub(super) fn other_work(pair: &Pair<'_>, why: &BTreeMap<String, String>) -> Unmatched {
    unmatched(&pair.key, Change::OtherWork, why.get(&pair.key.workload).cloned())
}

/// Describes a pair without enough rounds for an interval. `paired_in` contains the runs whose rounds are paired;
/// `None` for runs made at different times.
pub(super) fn too_few_rounds(pair: &Pair<'_>, paired_in: Option<&[&Run]>) -> Unmatched {
    let min_rounds = pair
        .base
        .iter()
        .chain(&pair.new)
        .filter(|planned| planned.cell.status == CellStatus::Ok)
        .map(|planned| planned.cell.rounds)
        .min()
        .unwrap_or(0);
    let enough = usize::try_from(min_rounds).is_ok_and(|min_rounds| min_rounds >= MIN_VALUES);
    let in_common = paired_in
        .filter(|_| enough)
        .map(|runs| paired::rounds_in_common(runs, pair));
    let reason = match in_common {
        Some(0) => "no rounds in common because they were measured one after the other; give a run of each"
            .to_owned(),
        Some(rounds) => {
            format!("an interval needs {MIN_VALUES} rounds in common, and there are {rounds}")
        }
        None => format!("an interval needs {MIN_VALUES} rounds, and there are {min_rounds}"),
    };
    unmatched(&pair.key, Change::TooFewRounds, Some(reason))
}

/// Explains why none of these cells was compared: how many for each reason, with the details of the first one.
pub(super) fn explain_nothing_compared(cells: &[Unmatched]) -> String {
    let groups = Change::ALL.into_iter().filter_map(|change| {
        let group: Vec<&Unmatched> = cells.iter().filter(|one| one.change == change).collect();
        let reason = group.iter().find_map(|one| one.reason.as_deref());
        // Reasons come from elsewhere, and the result is printed to a terminal.
        let reason = reason.map(|reason| format!(" ({})", reason.replace(char::is_control, " ")));
        let words = format!("{} of {} {}", group.len(), cells.len(), change.words());
        (!group.is_empty()).then(|| words + &reason.unwrap_or_default())
    });
    groups.collect::<Vec<String>>().join(", ")
}

fn unmatched(key: &Key, change: Change, reason: Option<String>) -> Unmatched {
    Unmatched {
        cell: key.clone(),
        change,
        reason,
    }
}

/// Returns the first line. The rest is a traceback, which is in the run.
fn first_line(reason: Option<&str>) -> Option<String> {
    reason?.lines().next().map(str::to_owned)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Measured,
    Skipped,
    Failed,
}

fn state(cell: &CellSummary) -> State {
    match cell.status {
        CellStatus::Ok => State::Measured,
        CellStatus::Skipped => State::Skipped,
        // With the GIL on, something else was measured.
        CellStatus::Failed | CellStatus::TimedOut | CellStatus::WrongResult | CellStatus::GilReenabled => {
            State::Failed
        }
    }
}

/// How a cell ended in the runs of a side.
#[derive(Debug, Default)]
struct Outcome<'a> {
    measured: usize,
    failed: Vec<&'a CellSummary>,
    skipped: Vec<&'a CellSummary>,
}

impl<'a> Outcome<'a> {
    fn of(cells: &[Planned<'a>]) -> Self {
        let mut outcome = Self::default();
        for &Planned { cell, .. } in cells {
            match state(cell) {
                State::Measured => outcome.measured += 1,
                State::Failed => outcome.failed.push(cell),
                State::Skipped => outcome.skipped.push(cell),
            }
        }
        outcome
    }

    /// Number of runs in which it was started.
    fn tried(&self) -> usize {
        self.measured + self.failed.len()
    }

    /// Returns the state in most of the runs that tried it, so that neither one bad night among many nor one good night
    /// among many bad ones decides. `None` if no run planned it.
    fn state(&self) -> Option<State> {
        if self.measured > self.failed.len() {
            Some(State::Measured)
        } else if !self.failed.is_empty() {
            Some(State::Failed)
        } else {
            (!self.skipped.is_empty()).then_some(State::Skipped)
        }
    }

    /// Returns why it has no figure; `None` if it has one, and if the reason is unknown.
    fn reason(&self) -> Option<String> {
        let cell = match self.state()? {
            State::Measured => return None,
            State::Failed => self.failed.first()?,
            State::Skipped => self.skipped.first()?,
        };
        let reason = first_line(cell.reason.as_deref())?;
        Some(if self.measured > 0 {
            format!("in {} of {} runs, {reason}", self.failed.len(), self.tried())
        } else {
            reason
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::super::simulation_tests::{SHARED, Simulation, measured};
    use super::*;
    use ftbench_schema::Model;

    fn cell(status: CellStatus) -> CellSummary {
        let mut cell = measured("fib", Model::Serial, 1);
        cell.status = status;
        cell.reason = (status != CellStatus::Ok).then(|| "ValueError: no\n  traceback".to_owned());
        cell
    }

    /// Returns the change and the failures of a cell with these statuses in the runs of the two sides.
    fn outcome(base: &[CellStatus], new: &[CellStatus]) -> (Option<Unmatched>, Vec<FailedInSome>) {
        let run = Simulation::new(SHARED, 1).run(None);
        let cells =
            |statuses: &[CellStatus]| -> Vec<CellSummary> { statuses.iter().copied().map(cell).collect() };
        let [base, new] = [base, new].map(cells);
        let planned = |cell| Planned { run: &run, cell };
        let pair = Pair {
            key: Key::of(&cell(CellStatus::Ok), None),
            kind: None,
            load: None,
            pus: 1,
            sha256: None,
            base: base.iter().map(planned).collect(),
            new: new.iter().map(planned).collect(),
        };
        (change(&pair), failed_in_some(&pair))
    }

    fn changed(base: Option<CellStatus>, new: Option<CellStatus>) -> Option<Change> {
        let (change, _) = outcome(base.as_slice(), new.as_slice());
        if let Some(reason) = change.as_ref().and_then(|change| change.reason.as_deref()) {
            assert_eq!(reason, "ValueError: no");
        }
        change.map(|change| change.change)
    }

    #[test]
    fn statuses_of_both_sides_determine_the_change() {
        use CellStatus::{Failed, GilReenabled, Ok, Skipped, TimedOut};
        let cases = [
            (Some(Ok), Some(Ok), None),
            (Some(Ok), Some(Failed), Some(Change::Broken)),
            (Some(Ok), Some(GilReenabled), Some(Change::Broken)),
            (None, Some(TimedOut), Some(Change::Broken)),
            (Some(Failed), Some(Failed), Some(Change::StillBroken)),
            (Some(Failed), Some(Ok), Some(Change::Fixed)),
            (None, Some(Ok), Some(Change::Added)),
            (Some(Ok), None, Some(Change::Gone)),
            (Some(Ok), Some(Skipped), Some(Change::Gone)),
            (Some(Skipped), Some(Skipped), Some(Change::NotMeasured)),
        ];
        for (base, new, expected) in cases {
            assert_eq!(changed(base, new), expected, "{base:?} {new:?}");
        }
    }

    #[test]
    fn majority_of_a_sides_runs_determines_its_state() {
        use CellStatus::{Failed, Ok, Skipped};
        let nights = |failed: usize, skipped: usize| {
            let mut nights = vec![Ok; 30 - failed - skipped];
            nights.extend(vec![Failed; failed]);
            nights.extend(vec![Skipped; skipped]);
            nights
        };
        let change = |base: &[CellStatus], new: &[CellStatus]| outcome(base, new).0.map(|one| one.change);
        // One bad night of thirty neither hides a new measurement nor excuses a new failure.
        assert_eq!(change(&nights(1, 1), &[Ok]), None);
        assert_eq!(change(&nights(1, 0), &[Failed]), Some(Change::Broken));
        assert_eq!(change(&nights(0, 29), &[Ok]), None);
        assert_eq!(change(&nights(15, 0), &[Ok]), Some(Change::Fixed));
        assert_eq!(change(&nights(0, 0), &[Ok, Failed, Ok]), None);
        assert_eq!(change(&nights(0, 0), &[Ok, Failed]), Some(Change::Broken));
        assert_eq!(change(&nights(0, 0), &[Skipped, Ok, Skipped]), None);
    }

    #[test]
    fn failures_in_some_runs_are_reported() {
        use CellStatus::{Failed, Ok, Skipped};
        let (change, failures) = outcome(&[Ok, Failed, Ok, Skipped], &[Ok]);
        assert_eq!(change, None);
        let [failure] = failures.as_slice() else {
            panic!("{failures:?}")
        };
        assert_eq!(
            (failure.side, failure.failed, failure.runs),
            (SideName::Base, 1, 3)
        );
        assert_eq!(failure.reason.as_deref(), Some("ValueError: no"));
        let (change, _) = outcome(&[Ok, Ok], &[Failed, Ok]);
        assert_eq!(
            change.unwrap().reason.as_deref(),
            Some("in 1 of 2 runs, ValueError: no")
        );
    }
}
