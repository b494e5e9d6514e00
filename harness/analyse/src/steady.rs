//! Detects samples that get faster or slower during their trials. In that case the warm-up was too short, or there is
//! no steady state (Barrett et al., "Virtual Machine Warmup Blows Hot and Cold", OOPSLA 2017).

use super::estimate::{centre_of, once_per_trial};
use super::sample::median;
use ftbench_schema::{Cell, Estimate, Trial, Warning, WarningKind, text, units};

/// Maximum relative difference between the later and the earlier half of a trial's samples.
const STEADY_WITHIN: f64 = 0.05;

/// Returns the times of the later half of a trial's samples divided by those of the earlier half, with the interval
/// over rounds; `None` with too few samples or rounds.
fn change(trials: &[&Trial]) -> Option<Estimate> {
    let logs = once_per_trial(trials, |trial| {
        let mut times_s: Vec<f64> = trial
            .counted_samples()
            .map(|sample| units::seconds(sample.makespan_ns()))
            .collect();
        let half = times_s.len() / 2;
        let (earlier_s, later_s) = times_s.split_at_mut(half);
        (earlier_s.len() > 1).then(|| (median(later_s) / median(earlier_s)).ln())
    });
    centre_of(logs).map(|found| found.centre)
}

/// Returns a warning about the cells whose samples change according to their whole intervals.
#[must_use]
pub fn finding<'t>(cells: impl IntoIterator<Item = (&'t Cell, &'t [&'t Trial])>) -> Option<Warning> {
    let changing = cells.into_iter().filter_map(|(cell, trials)| {
        let change = change(trials)?;
        let is_steady = change.low <= 1.0 + STEADY_WITHIN && change.high >= 1.0 - STEADY_WITHIN;
        (!is_steady).then_some((cell, change.estimate - 1.0))
    });
    let changing: Vec<(&Cell, f64)> = changing.collect();
    let (cell, change) = changing
        .iter()
        .max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()))?;
    let others = match changing.len() - 1 {
        0 => String::new(),
        others => format!(
            ", and those of {} change too",
            text::counted(others, "other cell")
        ),
    };
    let direction = if *change < 0.0 { "shorter" } else { "longer" };
    let message = format!(
        "samples of {cell} get {direction} by {} during a trial{others}; warm up for longer (--warmup 1s); if that \
         does not help, there is no steady state",
        units::per_cent(change.abs(), 0)
    );
    let mut workloads: Vec<String> = changing.iter().map(|(cell, _)| cell.workload.clone()).collect();
    workloads.dedup();
    Some(Warning::of_workloads(WarningKind::NotSteady, message, workloads))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ftbench_fixtures::records::{cell, trial};
    use ftbench_schema::{Model, Sample};

    /// Six rounds of samples of these lengths, milliseconds.
    fn rounds(cell: &Cell, makespans_ms: &[u64]) -> Vec<Trial> {
        let of_round = |round: u32| {
            let mut trial = trial(cell, round, 100);
            let like = trial.samples.pop().unwrap();
            let sample = |makespan_ms: &u64| Sample {
                warmup: false,
                end_ns: like.start_ns + (makespan_ms + u64::from(round % 2)) * 1_000_000,
                ..like.clone()
            };
            trial.samples = makespans_ms.iter().map(sample).collect();
            trial
        };
        (0..6).map(of_round).collect()
    }

    fn found(makespans_ms: &[u64]) -> Option<String> {
        let cell = cell("3.13t", Model::Threads, 2);
        let trials = rounds(&cell, makespans_ms);
        let trials: Vec<&Trial> = trials.iter().collect();
        finding([(&cell, trials.as_slice())]).map(|warning| warning.message)
    }

    #[test]
    fn samples_that_get_shorter_or_longer_cause_a_warning() {
        insta::assert_snapshot!(found(&[200, 190, 110, 100]).unwrap(), @"samples of fib 3.13t threads x2 get shorter by 46 % during a trial; warm up for longer (--warmup 1s); if that does not help, there is no steady state");
        assert!(found(&[100, 100, 120, 120]).unwrap().contains("longer by 20 %"));
    }

    #[test]
    fn random_or_small_changes_are_steady() {
        assert_eq!(found(&[100, 130, 130, 100]), None);
        assert_eq!(found(&[100, 100, 103, 103]), None);
        // Halves of one sample each are not sufficient.
        assert_eq!(found(&[200, 100]), None);
    }
}
