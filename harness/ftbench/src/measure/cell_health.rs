//! Follows how a cell's trials end during a run, and decides when to give it up. Pure.

use ftbench_schema::TrialStatus;

/// Consecutive failed trials after which a cell is given up. One may be chance; two are not worth a third.
const FAILURES_TO_GIVE_UP: u32 = 2;

/// Timed-out trials after which a cell is given up, consecutive or not: each costs as much as hundreds of others.
const TIMEOUTS_TO_GIVE_UP: u32 = 3;

/// How the trials of a cell have ended so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct CellHealth {
    has_succeeded: bool,
    /// Failures since the last successful trial.
    failures: u32,
    timeouts: u32,
}

impl CellHealth {
    /// Records how the next trial ended.
    pub(super) const fn record(&mut self, status: TrialStatus) {
        match status {
            TrialStatus::Ok => {
                self.has_succeeded = true;
                self.failures = 0;
            }
            TrialStatus::Failed | TrialStatus::WrongResult => self.failures += 1,
            TrialStatus::TimedOut => {
                self.failures += 1;
                self.timeouts += 1;
            }
            TrialStatus::Skipped => self.failures = FAILURES_TO_GIVE_UP,
        }
    }

    /// Whether the cell is not worth another trial. One that has never succeeded is given up at its first timeout, one
    /// that asks to be left out at once.
    pub(super) const fn is_given_up(self) -> bool {
        self.failures >= FAILURES_TO_GIVE_UP
            || self.timeouts >= TIMEOUTS_TO_GIVE_UP
            || (self.timeouts > 0 && !self.has_succeeded)
    }
}

#[cfg(test)]
mod tests {
    use TrialStatus::{Failed, Ok, Skipped, TimedOut, WrongResult};

    use super::*;

    /// After how many of these trials a cell is given up; `None` if it never is.
    fn given_up_after(statuses: &[TrialStatus]) -> Option<usize> {
        let mut health = CellHealth::default();
        let mut count = 0;
        statuses.iter().find_map(|&status| {
            health.record(status);
            count += 1;
            health.is_given_up().then_some(count)
        })
    }

    #[test]
    fn a_cell_that_asks_to_be_left_out_is() {
        assert_eq!(given_up_after(&[Skipped]), Some(1));
        assert_eq!(given_up_after(&[Ok, Skipped]), Some(2));
    }

    #[test]
    fn only_consecutive_failures_count() {
        assert_eq!(given_up_after(&[Failed, Failed, Ok]), Some(2));
        assert_eq!(given_up_after(&[Ok, WrongResult, Failed]), Some(3));
        let by_chance = [
            Failed,
            Ok,
            Ok,
            WrongResult,
            Ok,
            Failed,
            Ok,
            TimedOut,
            Ok,
            Failed,
            Ok,
        ];
        assert_eq!(given_up_after(&by_chance), None);
    }

    #[test]
    fn a_cell_is_given_up_at_its_third_timeout_or_at_the_first_without_success() {
        assert_eq!(given_up_after(&[TimedOut, Ok]), Some(1));
        assert_eq!(given_up_after(&[Failed, TimedOut]), Some(2));
        assert_eq!(given_up_after(&[Ok, TimedOut, TimedOut]), Some(3));
        assert_eq!(given_up_after(&[Ok, TimedOut, Ok, TimedOut, Ok]), None);
        assert_eq!(
            given_up_after(&[Ok, TimedOut, Ok, TimedOut, Ok, TimedOut]),
            Some(6)
        );
    }
}
