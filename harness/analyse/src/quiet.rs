//! How quiet a run was. Disturbed samples stay in the estimates; the reader gets a warning and decides.

use std::collections::BTreeMap;

use super::sample::median;
use ftbench_schema::text::{counted, was};
use ftbench_schema::{
    Disturbance, Noise, Quietness, Sample as RecordedSample, Trial, TrialStatus, Warning, WarningKind,
};

/// A sample is disturbed if its PUs ran slower than this share of the cell's usual frequency. Computing takes longer in
/// proportion. The clocks of boosting processors vary by about 2 % by themselves, so a limit closer to 1 than 5 % would
/// cause warnings all the time.
const FREQUENCY_SHARE: f64 = 0.95;

/// Share of disturbed samples above which a run gets a warning. A trial's value is the median of three samples. If one
/// sample in ten is disturbed, two of three are in 3 % of the trials (3 p^2 - 2 p^3), which has little effect on the
/// median over rounds. With one in five it would be 10 %.
const DISTURBED_SHARE: f64 = 0.1;

/// A part of a total time. Integers, so that sums do not depend on their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Part {
    part_ns: u128,
    of_ns: u128,
}

impl Part {
    fn add(&mut self, part_ns: Option<u64>, of_ns: u64) {
        if let Some(part_ns) = part_ns {
            self.part_ns += u128::from(part_ns);
            self.of_ns += u128::from(of_ns);
        }
    }

    fn share(self) -> Option<f64> {
        (self.of_ns > 0).then(|| self.part_ns as f64 / self.of_ns as f64)
    }
}

/// The summed noise of some samples. Sums of coarse counters are accurate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tally {
    /// Number of counted samples with recorded noise.
    pub(super) samples: u32,
    /// Number of them that something disturbed.
    pub(super) disturbed: u32,
    by: BTreeMap<Disturbance, u32>,
    steal: Part,
    others: Part,
    run_queue: Part,
}

impl Tally {
    /// Sums up the counted samples of one cell's successful trials.
    pub(super) fn of_trials(trials: &[&Trial]) -> Self {
        let samples = || {
            trials
                .iter()
                .filter(|trial| trial.status == TrialStatus::Ok)
                .flat_map(|trial| trial.counted_samples())
                .filter_map(|sample: &RecordedSample| sample.noise.as_ref())
        };
        let mut frequencies: Vec<f64> = samples()
            .filter_map(|noise| noise.frequency_hz)
            .map(|hertz| hertz as f64)
            .collect();
        let usual_hz = (!frequencies.is_empty()).then(|| median(&mut frequencies));
        let mut tally = Self::default();
        for noise in samples() {
            tally.add(noise, usual_hz);
        }
        tally
    }

    fn add(&mut self, noise: &Noise, usual_hz: Option<f64>) {
        let slow = noise
            .frequency_hz
            .zip(usual_hz)
            .is_some_and(|(hertz, usual_hz)| (hertz as f64) < FREQUENCY_SHARE * usual_hz);
        let mut causes = noise.disturbed_by.clone();
        causes.extend(slow.then_some(Disturbance::Frequency));
        self.samples += 1;
        self.disturbed += u32::from(!causes.is_empty());
        for cause in causes {
            *self.by.entry(cause).or_default() += 1;
        }
        let capacity_ns = noise.capacity_ns();
        self.steal.add(noise.steal_ns, capacity_ns);
        self.others.add(noise.others_ns, capacity_ns);
        self.run_queue.add(noise.run_queue_ns, capacity_ns);
    }

    /// Returns the share of time that the hypervisor and other processes used; `None` if neither is known.
    pub(super) fn taken(&self) -> Option<f64> {
        match (self.steal.share(), self.others.share()) {
            (None, None) => None,
            (steal, others) => Some(steal.unwrap_or(0.0) + others.unwrap_or(0.0)),
        }
    }

    fn merge(mut self, other: &Self) -> Self {
        self.samples += other.samples;
        self.disturbed += other.disturbed;
        for (cause, count) in &other.by {
            *self.by.entry(*cause).or_default() += count;
        }
        for (own, theirs) in [
            (&mut self.steal, other.steal),
            (&mut self.others, other.others),
            (&mut self.run_queue, other.run_queue),
        ] {
            own.part_ns += theirs.part_ns;
            own.of_ns += theirs.of_ns;
        }
        self
    }
}

/// Returns how quiet a run was, given the trials of each of its cells; `None` if no counted sample has recorded noise.
#[must_use]
pub fn of_run<'t>(cells: impl Iterator<Item = &'t [&'t Trial]>) -> Option<Quietness> {
    let tally = cells
        .map(Tally::of_trials)
        .fold(Tally::default(), |sum, tally| sum.merge(&tally));
    (tally.samples > 0).then(|| Quietness {
        samples: tally.samples,
        disturbed: tally.disturbed,
        steal: tally.steal.share(),
        others: tally.others.share(),
        run_queue: tally.run_queue.share(),
        by: tally.by,
    })
}

/// Returns a warning if many samples were disturbed.
#[must_use]
pub fn finding(quiet: &Quietness) -> Option<Warning> {
    if f64::from(quiet.disturbed) <= DISTURBED_SHARE * f64::from(quiet.samples) {
        return None;
    }
    let mut causes: Vec<(&Disturbance, &u32)> = quiet.by.iter().collect();
    causes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let causes: Vec<String> = causes
        .iter()
        .map(|(cause, count)| format!("{} {count}", cause.words()))
        .collect();
    Some(Warning::of_run(
        WarningKind::Disturbed,
        format!(
            "{} of {} {} disturbed ({}); estimates use all of them, so their intervals are wider; stop other \
             programs on this machine, or measure more rounds",
            quiet.disturbed,
            counted(quiet.samples, "sample"),
            was(quiet.disturbed),
            causes.join(", ")
        ),
    ))
}

#[cfg(test)]
#[path = "quiet_tests.rs"]
mod tests;
