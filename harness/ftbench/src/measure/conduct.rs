//! How a cell does in the course of a run, and when it is given up. Pure.

use ftbench_schema::TrialStatus;

/// Failed trials one after the other after which a cell is given up; one might be chance, two are not worth a third.
const FAILURES_TO_GIVE_UP: u32 = 2;

/// Trials that used up a time limit after which a cell is given up, whatever is between them: each costs as much as
/// hundreds of others.
const TIME_OUTS_TO_GIVE_UP: u32 = 3;

/// How the trials of a cell went so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Conduct {
    has_succeeded: bool,
    /// Since the last trial that went well.
    failures: u32,
    time_outs: u32,
}

impl Conduct {
    /// Takes how the next trial went.
    pub(super) const fn take(&mut self, status: TrialStatus) {
        match status {
            TrialStatus::Ok => {
                self.has_succeeded = true;
                self.failures = 0;
            }
            TrialStatus::Failed | TrialStatus::WrongResult => self.failures += 1,
            TrialStatus::TimedOut => {
                self.failures += 1;
                self.time_outs += 1;
            }
        }
    }

    /// Whether it is not worth another trial. One that has never ended well gets no second time limit to use up.
    pub(super) const fn is_hopeless(self) -> bool {
        self.failures >= FAILURES_TO_GIVE_UP
            || self.time_outs >= TIME_OUTS_TO_GIVE_UP
            || (self.time_outs > 0 && !self.has_succeeded)
    }
}

#[cfg(test)]
mod tests {
    use TrialStatus::{Failed, Ok, TimedOut, WrongResult};

    use super::*;

    /// After how many of these trials a cell is given up; `None` if it goes on.
    fn given_up_after(statuses: &[TrialStatus]) -> Option<usize> {
        let mut conduct = Conduct::default();
        let mut made = 0;
        statuses.iter().find_map(|&status| {
            conduct.take(status);
            made += 1;
            conduct.is_hopeless().then_some(made)
        })
    }

    #[test]
    fn failures_count_one_after_the_other() {
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
    fn a_time_limit_is_used_up_again_only_by_what_has_worked_and_not_for_ever() {
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
