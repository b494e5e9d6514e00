//! Detects work that needs more memory with each sample, as opposed to a large working set.

use super::estimate::once_per_trial;
use super::location::MIN_VALUES;
use super::sample::median;
use ftbench_schema::{Cell, Trial, Warning, WarningKind, text, units};

/// Minimum growth during a trial, as a share of the memory before the first counted sample.
const MIN_SHARE: f64 = 0.02;

/// Minimum growth during a trial, bytes. Free lists and arenas of allocators vary by less.
const MIN_BYTES: f64 = 1024.0 * 1024.0;

/// Minimum share of the growth that falls into the later half of a trial's samples. A leak has half of it there, and
/// caches and arenas that fill up at the beginning have less and less.
const MIN_LATER_SHARE: f64 = 0.25;

/// Minimum number of counted samples of a trial; with fewer, a half is a single sample.
const MIN_SAMPLES: usize = 4;

/// How much more memory a trial needs at its end.
struct Growth {
    per_sample_bytes: f64,
    share: f64,
}

/// Returns the growth of a trial whose memory clearly grows until its end.
fn growth(trial: &Trial) -> Option<Growth> {
    let memory = trial.memory.as_ref()?;
    let bytes = memory.growth_bytes()?;
    let first_bytes = memory.anonymous_first_bytes? as f64;
    let later_bytes = memory.anonymous_last_bytes? as f64 - memory.anonymous_middle_bytes? as f64;
    let samples = trial.counted_samples().count();
    let grows = samples >= MIN_SAMPLES
        && bytes >= MIN_BYTES
        && bytes >= MIN_SHARE * first_bytes
        && later_bytes >= MIN_LATER_SHARE * bytes;
    grows.then(|| Growth {
        per_sample_bytes: bytes / samples as f64,
        share: bytes / first_bytes.max(1.0),
    })
}

/// Returns a warning about the cells whose memory grows in all of their trials.
#[must_use]
pub fn finding<'t>(cells: impl IntoIterator<Item = (&'t Cell, &'t [&'t Trial])>) -> Option<Warning> {
    let growing = cells.into_iter().filter_map(|(cell, trials)| {
        let all = once_per_trial(trials, |_| Some(0.0)).len();
        let typical = |of: fn(Growth) -> f64| {
            let found = once_per_trial(trials, |trial| growth(trial).map(of));
            let mut found: Vec<f64> = found.into_values().collect();
            (found.len() == all && all >= MIN_VALUES).then(|| median(&mut found))
        };
        Some((
            cell,
            typical(|growth| growth.per_sample_bytes)?,
            typical(|growth| growth.share)?,
        ))
    });
    let growing: Vec<(&Cell, f64, f64)> = growing.collect();
    let (cell, per_sample_bytes, share) = growing.iter().max_by(|(_, a, _), (_, b, _)| a.total_cmp(b))?;
    let others = match growing.len() - 1 {
        0 => String::new(),
        others => format!(", and that of {} grows too", text::counted(others, "other cell")),
    };
    let message = format!(
        "the memory of {cell} grows by {} with each sample, {} in a trial{others}; its work keeps what it allocates, or \
         leaves cycles that were not collected yet",
        units::bytes(*per_sample_bytes),
        units::per_cent(*share, 0)
    );
    let mut workloads: Vec<String> = growing.iter().map(|(cell, ..)| cell.workload.clone()).collect();
    workloads.dedup();
    Some(Warning::of_workloads(
        WarningKind::MemoryGrows,
        message,
        workloads,
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ftbench_fixtures::records::{cell, sample, trial};
    use ftbench_schema::{Memory, Model};

    const MIB: u64 = 1024 * 1024;

    /// A trial with this memory before, in the middle of, and after ten counted samples, MiB.
    fn of_round(cell: &Cell, round: u32, mib: [u64; 3]) -> Trial {
        let mut trial = trial(cell, round, 100);
        trial.samples = (0..=10).map(|number| sample(cell, number, 1)).collect();
        let [first, middle, last] = mib.map(|mib| Some(mib * MIB));
        trial.memory = Some(Memory {
            processes: Vec::new(),
            pss_peak_bytes: None,
            anonymous_peak_bytes: last,
            file_peak_bytes: None,
            anonymous_first_bytes: first,
            anonymous_middle_bytes: middle,
            anonymous_last_bytes: last,
        });
        trial
    }

    fn found(rounds: &[[u64; 3]]) -> Option<String> {
        let cell = cell("3.13t", Model::Threads, 2);
        let trials: Vec<Trial> = (0..)
            .zip(rounds)
            .map(|(round, mib)| of_round(&cell, round, *mib))
            .collect();
        let trials: Vec<&Trial> = trials.iter().collect();
        finding([(&cell, trials.as_slice())]).map(|warning| warning.message)
    }

    #[test]
    fn leak_in_every_trial_causes_a_warning() {
        insta::assert_snapshot!(found(&[[100, 110, 120], [100, 111, 121], [100, 108, 119]]).unwrap(), @"the memory of fib 3.13t threads x2 grows by 2.00 MiB with each sample, 20 % in a trial; its work keeps what it allocates, or leaves cycles that were not collected yet");
    }

    #[test]
    fn steady_memory_causes_none_however_large() {
        assert_eq!(found(&[[4_000; 3]; 5]), None);
        // Noise of an allocator, in both directions.
        assert_eq!(found(&[[100, 103, 107], [107, 104, 101], [100, 104, 108]]), None);
        // Less than 2 %.
        assert_eq!(found(&[[1_000, 1_005, 1_010]; 5]), None);
        // It fills up at the beginning.
        assert_eq!(found(&[[100, 150, 152]; 5]), None);
        // It shrinks.
        assert_eq!(found(&[[100, 90, 80]; 5]), None);
    }

    #[test]
    fn too_few_trials_or_samples_cause_none() {
        assert_eq!(found(&[[100, 110, 120]; 2]), None);
        let cell = cell("3.13t", Model::Threads, 2);
        let mut trials: Vec<Trial> = (0..5)
            .map(|round| of_round(&cell, round, [100, 110, 120]))
            .collect();
        trials.iter_mut().for_each(|trial| trial.samples.truncate(4));
        let trials: Vec<&Trial> = trials.iter().collect();
        assert!(finding([(&cell, trials.as_slice())]).is_none());
    }
}
