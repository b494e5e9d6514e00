//! Cells that have no ratio, and why.

use std::collections::BTreeMap;

use super::matching::{Key, Pair};
use super::report::{Change, Unmatched};
use crate::record::schema::{CellStatus, CellSummary};

/// What became of a pair that was not measured on both sides; `None` for one that was.
pub(super) fn change(pair: &Pair<'_>) -> Option<Unmatched> {
    let [base, new] = [&pair.base, &pair.new].map(|cells| worst(cells));
    let change = match (base.map(state), new.map(state)) {
        (Some(State::Measured), Some(State::Measured)) => return None,
        (Some(State::Failed), Some(State::Failed)) => Change::StillBroken,
        (_, Some(State::Failed)) => Change::Broken,
        (Some(State::Failed), Some(State::Measured)) => Change::Mended,
        (None | Some(State::Skipped), Some(State::Measured)) => Change::Added,
        (Some(State::Measured | State::Failed), None | Some(State::Skipped)) => Change::Gone,
        (None | Some(State::Skipped), None | Some(State::Skipped)) => Change::NotMeasured,
    };
    let telling = match change {
        Change::Mended => base,
        _ => new.or(base),
    };
    Some(unmatched(
        &pair.key,
        change,
        telling.and_then(|cell| cell.reason.clone()),
    ))
}

/// Of a workload that is not the same on both sides.
pub(super) fn other_work(pair: &Pair<'_>, why: &BTreeMap<String, String>) -> Unmatched {
    unmatched(&pair.key, Change::OtherWork, why.get(&pair.key.workload).cloned())
}

/// Of a pair without enough rounds for an interval.
pub(super) fn too_few_rounds(pair: &Pair<'_>) -> Unmatched {
    let least = pair
        .base
        .iter()
        .chain(&pair.new)
        .map(|cell| cell.rounds)
        .min()
        .unwrap_or(0);
    let reason = format!("too few rounds for an interval: {least}");
    unmatched(&pair.key, Change::TooFewRounds, Some(reason))
}

fn unmatched(key: &Key, change: Change, reason: Option<String>) -> Unmatched {
    Unmatched {
        cell: key.clone(),
        change,
        // What follows the first line is a traceback, which the run has.
        reason: reason.and_then(|reason| reason.lines().next().map(str::to_owned)),
    }
}

#[derive(Clone, Copy)]
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

/// Of a side's runs the one that ended worst.
fn worst<'a>(cells: &[&'a CellSummary]) -> Option<&'a CellSummary> {
    let badness = |cell: &&&CellSummary| match state(cell) {
        State::Failed => 2,
        State::Skipped => 1,
        State::Measured => 0,
    };
    cells.iter().max_by_key(badness).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::record::schema::Model;

    fn changed(base: Option<CellStatus>, new: Option<CellStatus>) -> Option<Change> {
        let cell = |status: CellStatus| {
            let mut cell = super::super::simulation_tests::measured("fib", Model::Serial, 1);
            cell.status = status;
            cell.reason = Some("ValueError: no\n  traceback".to_owned());
            cell
        };
        let [base, new] = [base, new].map(|status| status.map(cell));
        let pair = Pair {
            key: Key::of(&cell(CellStatus::Ok), None),
            kind: None,
            kernel: None,
            sha256: None,
            base: base.iter().collect(),
            new: new.iter().collect(),
        };
        let found = change(&pair);
        if let Some(found) = &found {
            assert!(
                found
                    .reason
                    .as_deref()
                    .is_none_or(|reason| reason == "ValueError: no")
            );
        }
        found.map(|found| found.change)
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
}
