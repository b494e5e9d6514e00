//! Keeps every trial and tells of it.

use std::collections::HashMap;
use std::time::Instant;

use crate::analyse::estimate::{ByRound, makespans_s};
use crate::analyse::precision::{Reference, Standing, expected_rounds, stop, widest_half_width};
use crate::measure::rounds::{Assignment, Calibrated, Observer, Units};
use crate::present::progress::{Outcome, Progress};
use crate::present::units;
use crate::record::schema::{Cell, Manifest, Plan, StoppedBy, Stopping, Trial, TrialStatus};
use crate::record::store::{RunFolder, StoreError};

/// Writes trials to the run folder, shows the progress, and sees when the run is precise enough.
#[derive(Debug)]
pub struct Keeper<'run> {
    folder: &'run mut RunFolder,
    progress: Progress,
    rule: Stopping,
    baseline: String,
    first_arm: Option<String>,
    started: Instant,
    round_started: Instant,
    /// Cells that are still measured.
    live: u32,
    makespans: HashMap<Cell, ByRound>,
    /// What earlier sittings took, seconds: all of it, and of each round's trials.
    spent_s: f64,
    rounds_s: HashMap<u32, f64>,
    /// Trials that they made.
    before: u64,
}

/// What earlier sittings of a run made, and the time that they took; nothing for a run that begins.
#[derive(Debug, Default)]
pub struct Earlier {
    /// Their trials.
    pub trials: Vec<Trial>,
    /// Their time, seconds.
    pub spent_s: f64,
}

impl<'run> Keeper<'run> {
    /// The run's time counts from now on.
    pub fn new(folder: &'run mut RunFolder, progress: Progress, plan: &Plan) -> Self {
        let now = Instant::now();
        Self {
            folder,
            progress,
            rule: plan.settings.stopping,
            baseline: plan.baseline.clone(),
            first_arm: plan.base_arm().map(str::to_owned),
            started: now,
            round_started: now,
            live: 0,
            makespans: HashMap::new(),
            spent_s: 0.0,
            rounds_s: HashMap::new(),
            before: 0,
        }
    }

    /// Counts in what earlier sittings made.
    pub fn take_over(&mut self, earlier: &Earlier) {
        self.spent_s = earlier.spent_s;
        for trial in &earlier.trials {
            self.count(trial);
            self.before += 1;
            *self.rounds_s.entry(trial.round).or_default() += trial.duration_ns as f64 / 1e9;
        }
    }

    /// The folder.
    pub const fn folder(&mut self) -> &mut RunFolder {
        self.folder
    }

    fn count(&mut self, trial: &Trial) {
        self.makespans
            .entry(trial.cell.clone())
            .or_default()
            .extend(makespans_s(&[trial]));
    }

    /// Calibration is over, the trials begin.
    pub fn begin(&mut self, manifest: &Manifest, units: &Units) {
        let cells = manifest.plan.cells.iter().filter(|planned| {
            planned.skipped.is_none() && units.of(&planned.cell).is_some_and(Result::is_ok)
        });
        self.live = u32::try_from(cells.count()).unwrap_or(u32::MAX);
        self.progress.begin(
            u64::from(self.live) * u64::from(self.rule.fewest_rounds),
            self.before,
        );
        self.round_started = Instant::now();
        let failures = |side: &HashMap<String, Calibrated>, of: &str| {
            for (workload, calibrated) in side {
                if let Err(failure) = calibrated {
                    self.progress
                        .above(&format!("{of}{workload} cannot be measured: {}", failure.reason));
                }
            }
        };
        failures(&units.workloads, "");
        failures(&units.ceilings, "the ceiling of ");
    }

    /// The trials are over.
    pub fn end(&self) {
        self.progress.end();
    }
}

impl Observer for Keeper<'_> {
    type Error = StoreError;

    fn calibrating(&mut self, cell: &Cell) {
        let of = if cell.is_native() { "the ceiling of " } else { "" };
        self.progress
            .remark(&format!("calibrating {of}{}", cell.workload));
    }

    fn starting(&mut self, assignment: &Assignment<'_>) {
        self.progress.trial_starts(&assignment.planned.cell);
    }

    fn finished(&mut self, trial: Trial) -> Result<(), StoreError> {
        self.folder.append(&trial)?;
        self.count(&trial);
        self.progress
            .trial_ends(&trial.cell, trial.round, outcome(&trial));
        Ok(())
    }

    fn gave_up(&mut self, cell: &Cell) {
        self.live = self.live.saturating_sub(1);
        self.progress.above(&format!("gave up {cell}: it keeps failing"));
    }

    fn round_over(&mut self, rounds: u32) -> Option<StoppedBy> {
        let reference = Reference {
            interpreter: &self.baseline,
            arm: self.first_arm.as_deref(),
        };
        // The last round may be in part of an earlier sitting.
        let earlier_s = self
            .rounds_s
            .get(&rounds.saturating_sub(1))
            .copied()
            .unwrap_or_default();
        let standing = Standing {
            rounds,
            elapsed_s: self.spent_s + self.started.elapsed().as_secs_f64(),
            next_round_s: self.round_started.elapsed().as_secs_f64() + earlier_s,
            // Only a rule that asks for precision looks at it.
            widest_half_width: self
                .rule
                .precision
                .and_then(|_| widest_half_width(&self.makespans, reference)),
        };
        self.round_started = Instant::now();
        let expected = expected_rounds(&self.rule, &standing).max(rounds);
        self.progress.expect(u64::from(self.live) * u64::from(expected));
        stop(&self.rule, &standing)
    }
}

fn outcome(trial: &Trial) -> Outcome {
    let times: Vec<String> = trial
        .counted_samples()
        .map(|sample| units::duration(sample.makespan_ns() as f64 / 1e9))
        .collect();
    let brief = match trial.status {
        TrialStatus::Ok => times.last().map_or("no sample", String::as_str),
        TrialStatus::Failed => "failed",
        TrialStatus::TimedOut => "timed out",
        TrialStatus::WrongResult => "wrong result",
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
