//! Cells that have no ratio, and why; and cells that have one although they failed now and then.

use std::collections::BTreeMap;

use super::matching::{Key, Pair, Planned};
use super::material::Run;
use super::paired;
use super::report::{Change, FailedInSome, SideName, Unmatched};
use crate::location::FEWEST_VALUES;
use ftbench_schema::{CellStatus, CellSummary};

/// What became of a pair that was not measured on both sides; `None` for one that was.
pub(super) fn change(pair: &Pair<'_>) -> Option<Unmatched> {
    let [base, new] = [&pair.base, &pair.new].map(|cells| Outcome::of(cells));
    let change = match (base.state(), new.state()) {
        (Some(State::Measured), Some(State::Measured)) => return None,
        (Some(State::Failed), Some(State::Failed)) => Change::StillBroken,
        (_, Some(State::Failed)) => Change::Broken,
        (Some(State::Failed), Some(State::Measured)) => Change::Mended,
        (None | Some(State::Skipped), Some(State::Measured)) => Change::Added,
        (Some(State::Measured | State::Failed), None | Some(State::Skipped)) => Change::Gone,
        (None | Some(State::Skipped), None | Some(State::Skipped)) => Change::NotMeasured,
    };
    let reason = match change {
        Change::Mended => base.reason(),
        _ => new.reason().or_else(|| base.reason()),
    };
    Some(unmatched(&pair.key, change, reason))
}

/// Where a pair that was measured on both sides failed nevertheless.
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

/// Of a workload that is not the same on both sides.
pub(super) fn other_work(pair: &Pair<'_>, why: &BTreeMap<String, String>) -> Unmatched {
    unmatched(&pair.key, Change::OtherWork, why.get(&pair.key.workload).cloned())
}

/// Of a pair without enough rounds for an interval. `paired_in` are the runs in whose rounds pairs are formed; `None` for
/// runs made at different times.
pub(super) fn too_few_rounds(pair: &Pair<'_>, paired_in: Option<&[&Run]>) -> Unmatched {
    let least = pair
        .base
        .iter()
        .chain(&pair.new)
        .filter(|planned| planned.cell.status == CellStatus::Ok)
        .map(|planned| planned.cell.rounds)
        .min()
        .unwrap_or(0);
    let enough = usize::try_from(least).is_ok_and(|least| least >= FEWEST_VALUES);
    let in_common = paired_in
        .filter(|_| enough)
        .map(|runs| paired::rounds_in_common(runs, pair));
    let reason = match in_common {
        Some(0) => {
            "no round in common, for they were measured one after the other; give a run of each".to_owned()
        }
        Some(rounds) => {
            format!("an interval takes {FEWEST_VALUES} rounds that both have, and there are {rounds}")
        }
        None => format!("an interval takes {FEWEST_VALUES} rounds, and there are {least}"),
    };
    unmatched(&pair.key, Change::TooFewRounds, Some(reason))
}

/// Why none of these cells was compared, in words: how many for which reason, with the first one's.
pub(super) fn why_nothing(cells: &[Unmatched]) -> String {
    let groups = Change::ALL.into_iter().filter_map(|change| {
        let group: Vec<&Unmatched> = cells.iter().filter(|one| one.change == change).collect();
        let told = group.iter().find_map(|one| one.reason.as_deref());
        // Reasons come from elsewhere, and this goes to a terminal.
        let told = told.map(|reason| format!(" ({})", reason.replace(char::is_control, " ")));
        let words = format!("{} of {} {}", group.len(), cells.len(), change.words());
        (!group.is_empty()).then(|| words + &told.unwrap_or_default())
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

/// What follows the first line is a traceback, which the run has.
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
        // With the GIL on it is another thing that was measured.
        CellStatus::Failed | CellStatus::TimedOut | CellStatus::WrongResult | CellStatus::GilReenabled => {
            State::Failed
        }
    }
}

/// What became of a cell in the runs of a side.
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

    /// Runs in which it was started.
    fn tried(&self) -> usize {
        self.measured + self.failed.len()
    }

    /// What holds for most of the runs that tried it: a bad night among many hides no cell, and neither does a good one
    /// among bad ones make it whole. `None` where no run planned it.
    fn state(&self) -> Option<State> {
        if self.measured > self.failed.len() {
            Some(State::Measured)
        } else if !self.failed.is_empty() {
            Some(State::Failed)
        } else {
            (!self.skipped.is_empty()).then_some(State::Skipped)
        }
    }

    /// Why it has no figure; `None` where it has one, or where none is known.
    fn reason(&self) -> Option<String> {
        let telling = match self.state()? {
            State::Measured => return None,
            State::Failed => self.failed.first()?,
            State::Skipped => self.skipped.first()?,
        };
        let reason = first_line(telling.reason.as_deref())?;
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

    /// What is said of a cell that ended so in the runs of either side.
    fn told(base: &[CellStatus], new: &[CellStatus]) -> (Option<Unmatched>, Vec<FailedInSome>) {
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
        let (change, _) = told(base.as_slice(), new.as_slice());
        if let Some(reason) = change.as_ref().and_then(|change| change.reason.as_deref()) {
            assert_eq!(reason, "ValueError: no");
        }
        change.map(|change| change.change)
    }

    #[test]
    fn every_change_has_a_name() {
        use CellStatus::{Failed, GilReenabled, Ok, Skipped, TimedOut};
        let cases = [
            (Some(Ok), Some(Ok), None),
            (Some(Ok), Some(Failed), Some(Change::Broken)),
            (Some(Ok), Some(GilReenabled), Some(Change::Broken)),
            (None, Some(TimedOut), Some(Change::Broken)),
            (Some(Failed), Some(Failed), Some(Change::StillBroken)),
            (Some(Failed), Some(Ok), Some(Change::Mended)),
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
    fn most_runs_of_a_side_decide() {
        use CellStatus::{Failed, Ok, Skipped};
        let nights = |failed: usize, skipped: usize| {
            let mut nights = vec![Ok; 30 - failed - skipped];
            nights.extend(vec![Failed; failed]);
            nights.extend(vec![Skipped; skipped]);
            nights
        };
        let change = |base: &[CellStatus], new: &[CellStatus]| told(base, new).0.map(|told| told.change);
        // One bad night of thirty neither hides what is measured now nor excuses what fails now.
        assert_eq!(change(&nights(1, 1), &[Ok]), None);
        assert_eq!(change(&nights(1, 0), &[Failed]), Some(Change::Broken));
        assert_eq!(change(&nights(0, 29), &[Ok]), None);
        assert_eq!(change(&nights(15, 0), &[Ok]), Some(Change::Mended));
        assert_eq!(change(&nights(0, 0), &[Ok, Failed, Ok]), None);
        assert_eq!(change(&nights(0, 0), &[Ok, Failed]), Some(Change::Broken));
        assert_eq!(change(&nights(0, 0), &[Skipped, Ok, Skipped]), None);
    }

    #[test]
    fn failures_in_some_runs_are_told() {
        use CellStatus::{Failed, Ok, Skipped};
        let (change, failures) = told(&[Ok, Failed, Ok, Skipped], &[Ok]);
        assert_eq!(change, None);
        let [failure] = failures.as_slice() else {
            panic!("{failures:?}")
        };
        assert_eq!(
            (failure.side, failure.failed, failure.runs),
            (SideName::Base, 1, 3)
        );
        assert_eq!(failure.reason.as_deref(), Some("ValueError: no"));
        let (change, _) = told(&[Ok, Ok], &[Failed, Ok]);
        assert_eq!(
            change.unwrap().reason.as_deref(),
            Some("in 1 of 2 runs, ValueError: no")
        );
    }
}
