//! The cost of a cell's samples, and the share of its PUs that other processes used.

use super::estimate::{ByRound, once_per_trial, over_rounds};
use super::quiet::Tally;
use super::sample::median;
use ftbench_schema::{CellCost, Cost, Sample as RecordedSample, Trial, units};

/// Computes the figures of a cell with this many workers. A figure that the machine does not report is `None`.
#[must_use]
pub fn of_cell(workers: u32, trials: &[&Trial]) -> CellCost {
    let of_cost = |value: &dyn Fn(&Cost) -> Option<f64>| {
        over_rounds(&per_trial(trials, |sample| value(sample.cost.as_ref()?)))
    };
    let count = |count: Option<u64>| count.map(|count| count as f64);
    let cpu_time_s = of_cost(&|cost| Some(units::seconds(cost.cpu_time_ns?)));
    let waiting_threads = over_rounds(&per_trial(trials, |sample| {
        let noise = sample.noise.as_ref()?;
        let waiting = noise.run_queue_ns? as f64 / noise.interval_ns as f64;
        waiting.is_finite().then_some(waiting)
    }));
    let voluntary_switches = of_cost(&|cost| count(cost.voluntary_switches));
    let involuntary_switches = of_cost(&|cost| count(cost.involuntary_switches));
    let minor_faults = of_cost(&|cost| count(cost.minor_faults));
    let major_faults = of_cost(&|cost| count(cost.major_faults));
    let energy_joules = of_cost(&|cost| cost.energy_joules);
    let instructions = of_cost(&|cost| count(cost.instructions));
    let cycles = of_cost(&|cost| count(cost.cycles));
    let cache_misses = of_cost(&|cost| count(cost.cache_misses));
    let tally = Tally::of_trials(trials);
    CellCost {
        noise: over_rounds(&once_per_trial(trials, |trial| {
            Tally::of_trials(&[trial]).taken()
        })),
        watched_samples: (tally.samples > 0).then_some(tally.samples),
        disturbed_samples: (tally.samples > 0).then_some(tally.disturbed),
        cpu_utilisation: over_rounds(&per_trial(trials, |sample| utilisation(workers, sample))),
        cpu_time_s,
        waiting_threads,
        voluntary_switches,
        involuntary_switches,
        minor_faults,
        major_faults,
        energy_joules,
        instructions,
        cycles,
        cache_misses,
    }
}

/// CPU time divided by the time available to the workers. CPU time is read around the whole request, in which a single
/// thread splits the work, collects garbage and checks the results before and after the makespan; that time counts for
/// one thread.
fn utilisation(workers: u32, sample: &RecordedSample) -> Option<f64> {
    let cpu_time_ns = sample.cost.as_ref()?.cpu_time_ns? as f64;
    let makespan_ns = sample.makespan_ns();
    let around_ns = sample.noise.as_ref()?.interval_ns.saturating_sub(makespan_ns);
    let had_ns = f64::from(workers) * makespan_ns as f64 + around_ns as f64;
    (had_ns > 0.0).then(|| cpu_time_ns / had_ns)
}

/// Returns, for every successful trial, the median of `value` over its counted samples with a recorded cost. Trials in
/// which one of these samples has no value are left out.
fn per_trial(trials: &[&Trial], value: impl Fn(&RecordedSample) -> Option<f64>) -> ByRound {
    once_per_trial(trials, |trial| {
        let watched = trial.counted_samples().filter(|sample| sample.cost.is_some());
        let mut values: Vec<f64> = watched.map(&value).collect::<Option<_>>()?;
        (!values.is_empty()).then(|| median(&mut values))
    })
}
