//! Records the trials of a run and shows its progress.

use std::collections::HashMap;
use std::time::Instant;

use super::sessions::{EarlierSessions, RunRecord};
use crate::measure::rounds::{Assignment, Calibrated, Observer, Units};
use crate::plan::cells::with_internal;
use crate::record::store::StoreError;
use crate::terminal::progress::{Outcome, Progress};
use ftbench_analyse::precision::{PrecisionTracker, RunProgress, expected_rounds, stop_reason};
use ftbench_present::terminal;
use ftbench_schema::{Cell, Manifest, Model, PlannedCell, StoppedBy, Stopping, Trial, TrialStatus, units};

/// Writes trials to the run folder, shows the progress, and ends the run when it is precise enough.
#[derive(Debug)]
pub struct RunRecorder<'run> {
    record: &'run mut RunRecord,
    progress: Progress,
    rule: Stopping,
    precision: PrecisionTracker,
    started: Instant,
    round_started: Instant,
    /// The number of cells that are still measured.
    live: u32,
    /// The time that earlier sessions took, seconds.
    earlier_s: f64,
    /// The time that the trials of each round took in earlier sessions, seconds.
    earlier_rounds_s: HashMap<u32, f64>,
    /// The number of trials that earlier sessions made.
    earlier_trials: u64,
    /// The workload of the last trial.
    measured: Option<String>,
}

impl<'run> RunRecorder<'run> {
    /// Creates a recorder that adds to earlier sessions. The time of this session starts now.
    pub fn new(record: &'run mut RunRecord, progress: Progress, earlier: &EarlierSessions) -> Self {
        record.restart_session_clock();
        let now = Instant::now();
        let mut precision = PrecisionTracker::new(record.manifest.clone());
        for trial in &earlier.trials {
            precision.add(trial);
        }
        Self {
            rule: record.manifest.plan.settings.stopping,
            record,
            progress,
            precision,
            started: now,
            round_started: now,
            live: 0,
            earlier_s: earlier.spent_s,
            earlier_rounds_s: rounds_s(&earlier.trials),
            earlier_trials: earlier.trials.len() as u64,
            measured: None,
        }
    }

    /// Plans the model `internal` for a workload that starts threads of its own. The run has no trials yet.
    pub fn use_internal(&mut self, workload: &str) {
        let manifest = &mut self.record.manifest;
        manifest.plan.cells = with_internal(std::mem::take(&mut manifest.plan.cells), workload);
        for facts in manifest
            .workloads
            .iter_mut()
            .filter(|facts| facts.name == workload)
        {
            facts.models = vec![Model::Internal];
        }
        self.precision = PrecisionTracker::new(manifest.clone());
        self.progress.above(&format!(
            "{workload} starts threads or processes of its own, so it is measured with the model internal: workers are the \
             PUs that it may use"
        ));
    }

    /// Returns the planned cells.
    pub fn cells(&self) -> Vec<PlannedCell> {
        self.record.manifest.plan.cells.clone()
    }

    /// Records what calibration found, in place of what an earlier session may have found. The trials begin.
    pub fn begin_rounds(&mut self, units: &Units) -> Result<(), StoreError> {
        record_units(units, &mut self.record.manifest);
        self.record.write()?;
        let cells = self.record.manifest.plan.cells.iter().filter(|planned| {
            planned.skipped.is_none() && units.of(&planned.cell).is_some_and(Result::is_ok)
        });
        self.live = u32::try_from(cells.count()).unwrap_or(u32::MAX);
        self.progress.begin(
            u64::from(self.live) * u64::from(self.rule.min_rounds),
            self.earlier_trials,
        );
        self.round_started = Instant::now();
        let failures = |calibrations: &HashMap<String, Calibrated>, prefix: &str| {
            for (workload, calibrated) in calibrations {
                if let Err(failure) = calibrated {
                    self.progress.above(&format!(
                        "{prefix}{workload} cannot be measured: {}",
                        failure.reason
                    ));
                }
            }
        };
        failures(&units.workloads, "");
        failures(&units.ceilings, "the ceiling of ");
        Ok(())
    }

    /// Ends the progress display.
    pub fn end(&self) {
        self.progress.end();
    }
}

impl Observer for RunRecorder<'_> {
    type Error = StoreError;

    fn calibrating(&mut self, cell: &Cell) {
        let prefix = if cell.is_native() { "the ceiling of " } else { "" };
        self.progress
            .remark(&format!("calibrating {prefix}{}", cell.workload));
    }

    fn starting(&mut self, group: &[Assignment<'_>]) {
        // No sample is being taken here.
        if let Some(workload) = &self.measured {
            let precision = &self.precision;
            self.progress
                .show_table(|style, height| terminal::so_far(&precision.so_far(workload), style, height));
        }
        let cells: Vec<&Cell> = group.iter().map(|assignment| &assignment.planned.cell).collect();
        self.progress.group_starts(&cells);
    }

    fn finished(&mut self, trial: Trial) -> Result<TrialStatus, StoreError> {
        let trial = match self.record.folder.append(&trial) {
            Ok(()) => trial,
            Err(too_long @ StoreError::TrialTooLong { .. }) => {
                let shorter = without_samples(trial, &too_long);
                self.record.folder.append(&shorter)?;
                shorter
            }
            Err(error) => return Err(error),
        };
        self.precision.add(&trial);
        self.measured = Some(trial.cell.workload.clone());
        self.progress
            .trial_ends(&trial.cell, trial.round, outcome(&trial));
        Ok(trial.status)
    }

    fn gave_up(&mut self, cell: &Cell) {
        self.live = self.live.saturating_sub(1);
        self.precision.give_up(cell);
        self.progress.above(&format!("gave up {cell}: it keeps failing"));
    }

    fn round_over(&mut self, rounds: u32) -> Option<StoppedBy> {
        // An earlier session may have made a part of the last round.
        let earlier_s = self
            .earlier_rounds_s
            .get(&rounds.saturating_sub(1))
            .copied()
            .unwrap_or_default();
        let progress = RunProgress {
            rounds,
            elapsed_s: self.earlier_s + self.started.elapsed().as_secs_f64(),
            next_round_s: self.round_started.elapsed().as_secs_f64() + earlier_s,
            // Used only by a rule that requires a precision.
            widest_half_width: self
                .rule
                .precision
                .and_then(|_| self.precision.widest_half_width()),
        };
        self.round_started = Instant::now();
        let expected = expected_rounds(&self.rule, &progress).max(rounds);
        self.progress.expect(u64::from(self.live) * u64::from(expected));
        stop_reason(&self.rule, &progress)
    }
}

/// The time that the trials of each round took, seconds. The trials of a group ran at the same time.
fn rounds_s(trials: &[Trial]) -> HashMap<u32, f64> {
    let mut groups_ns: HashMap<(u32, u64), u64> = HashMap::new();
    for trial in trials {
        let group = trial.group.unwrap_or(trial.trial);
        let longest_ns = groups_ns.entry((trial.round, group)).or_default();
        *longest_ns = trial.duration_ns.max(*longest_ns);
    }
    let mut rounds_s: HashMap<u32, f64> = HashMap::new();
    for ((round, _), duration_ns) in groups_ns {
        *rounds_s.entry(round).or_default() += units::seconds(duration_ns);
    }
    rounds_s
}

/// Writes the results of calibration into the manifest.
fn record_units(units: &Units, manifest: &mut Manifest) {
    let split = |found: &Calibrated| {
        let found = found.as_ref();
        (found.ok().copied(), found.err().cloned())
    };
    for workload in &mut manifest.workloads {
        if let Some(found) = units.workloads.get(&workload.name) {
            (workload.units, workload.failure) = split(found);
        }
        let found = units.ceilings.get(&workload.name);
        if let Some((ceiling, found)) = workload.ceiling.as_mut().zip(found) {
            (ceiling.units, ceiling.failure) = split(found);
        }
    }
}

/// The record of a trial that is too long with its samples: a failed trial without them.
fn without_samples(trial: Trial, too_long: &StoreError) -> Trial {
    let reason = match &trial.reason {
        Some(reason) => format!("{reason}; {too_long}"),
        None => too_long.to_string(),
    };
    let status = match trial.status {
        TrialStatus::Ok => TrialStatus::Failed,
        failed => failed,
    };
    Trial {
        status,
        reason: Some(reason),
        samples: Vec::new(),
        ..trial
    }
}

fn outcome(trial: &Trial) -> Outcome {
    let times: Vec<String> = trial
        .counted_samples()
        .map(|sample| units::duration(units::seconds(sample.makespan_ns())))
        .collect();
    let brief = match trial.status {
        TrialStatus::Ok => times.last().map_or("no sample", String::as_str),
        TrialStatus::Failed => "failed",
        TrialStatus::TimedOut => "timed out",
        TrialStatus::WrongResult => "wrong result",
        TrialStatus::Skipped => "skipped",
    };
    let full = match (trial.status, &trial.reason) {
        (TrialStatus::Ok, _) => times.join(", "),
        (_, Some(reason)) => reason.clone(),
        (_, None) => brief.to_owned(),
    };
    Outcome {
        brief: brief.to_owned(),
        full,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::record::folder::RunFolder;
    use crate::record::line::LARGEST_LINE_BYTES;
    use crate::record::store::{Checksums, TRIALS, read_trials};
    use ftbench_fixtures::records::{cell, manifest, trial};
    use ftbench_schema::Model;

    /// Calls `act` with the recorder of a run of these cells. Returns the recorded trials.
    fn recorded(
        cells: &[Cell],
        precision: Option<f64>,
        act: impl FnOnce(&mut RunRecorder<'_>),
    ) -> Vec<Trial> {
        let sandbox = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(&sandbox.path().join("run")).unwrap();
        let mut manifest = manifest(cells);
        manifest.plan.settings.stopping = Stopping {
            min_rounds: 5,
            max_rounds: 1_000,
            precision,
            budget_s: None,
        };
        let trials = folder.path().join(TRIALS);
        act(&mut RunRecorder::new(
            &mut RunRecord { folder, manifest },
            Progress::new(true, false, false),
            &EarlierSessions::default(),
        ));
        read_trials(&trials, Checksums::Required).unwrap().trials
    }

    #[test]
    fn too_long_trial_is_recorded_without_its_samples() {
        let cells = [cell("3.13", Model::Serial, 1)];
        let [cell] = &cells;
        let trials = recorded(&cells, None, |recorder| {
            let mut long = trial(cell, 0, 100);
            let figures = &mut long.samples.last_mut().unwrap().reported;
            figures.insert("x".repeat(LARGEST_LINE_BYTES), 1.0);
            assert_eq!(recorder.finished(long.clone()).unwrap(), TrialStatus::Failed);
            (long.trial, long.round) = (1, 1);
            (long.status, long.reason) = (TrialStatus::WrongResult, Some("a sum is wrong".to_owned()));
            assert_eq!(recorder.finished(long).unwrap(), TrialStatus::WrongResult);
            let mut short = trial(cell, 2, 100);
            short.trial = 2;
            assert_eq!(recorder.finished(short).unwrap(), TrialStatus::Ok);
        });
        let [first, second, third] = trials.as_slice() else {
            unreachable!("three trials: {}", trials.len())
        };
        assert_eq!((first.status, first.samples.len()), (TrialStatus::Failed, 0));
        let reason = |trial: &Trial| trial.reason.clone().unwrap_or_default();
        assert!(reason(first).contains("more than the 64 MiB that a record may have"));
        assert!(reason(second).starts_with("a sum is wrong; a trial of fib takes more"));
        assert_eq!(third.samples.len(), 4);
    }

    /// Makes ten rounds with one, two and four workers. Trials of one and two workers always take the same time;
    /// `of_four` turns the trial of four workers in a round into another one, or into none.
    fn ten_rounds(
        recorder: &mut RunRecorder<'_>,
        cells: &[Cell],
        of_four: impl Fn(u32, Trial) -> Option<Trial>,
    ) {
        for round in 0..10 {
            for cell in cells {
                let steady = trial(cell, round, 100);
                let made = match cell.workers {
                    4 => of_four(round, steady),
                    _ => Some(steady),
                };
                made.map(|trial| recorder.finished(trial).unwrap());
            }
        }
    }

    #[test]
    fn cell_that_was_given_up_does_not_delay_the_end() {
        let cells = [1, 2, 4].map(|workers| cell("3.13", Model::Threads, workers));
        let [.., four] = &cells;
        recorded(&cells, Some(0.5), |recorder| {
            ten_rounds(recorder, &cells, |round, _| {
                (round < 4).then(|| trial(four, round, 1 << (4 * round)))
            });
            assert_eq!(recorder.round_over(10), None);
            recorder.gave_up(four);
            assert_eq!(recorder.round_over(10), Some(StoppedBy::Precision));
        });
    }

    #[test]
    fn cell_with_too_few_good_rounds_does_not_delay_the_end() {
        let cells = [1, 2, 4].map(|workers| cell("3.13", Model::Threads, workers));
        recorded(&cells, Some(0.5), |recorder| {
            ten_rounds(recorder, &cells, |round, mut trial| {
                if round > 1 {
                    trial.status = TrialStatus::Failed;
                }
                Some(trial)
            });
            assert_eq!(recorder.round_over(10), Some(StoppedBy::Precision));
        });
    }
}
