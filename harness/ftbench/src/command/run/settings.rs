//! How a run measures: the profile, with what the arguments change in it.

use crate::cli::{ProfileName, RunArgs};
use crate::process::control_groups::memory_limit_bytes;
use ftbench_schema::{MachineFacts, Settings, Stopping};

/// The settings that a profile stands for.
struct Profile {
    name: &'static str,
    /// Counted samples of a trial with one worker, all together. The longer, the larger their share of the wall time, beside
    /// starting a process and the warm-up; the shorter, the more rounds fit into it.
    counted_s: f64,
    stopping: Stopping,
}

const fn profile(name: ProfileName) -> Profile {
    match name {
        ProfileName::Quick => Profile {
            name: "quick",
            counted_s: 0.25,
            stopping: Stopping {
                fewest_rounds: 5,
                most_rounds: 5,
                precision: None,
                budget_s: None,
            },
        },
        ProfileName::Standard => Profile {
            name: "standard",
            counted_s: 0.4,
            stopping: Stopping {
                fewest_rounds: 10,
                most_rounds: 50,
                precision: Some(0.02),
                budget_s: Some(10.0 * MINUTE_S),
            },
        },
        ProfileName::Thorough => Profile {
            name: "thorough",
            counted_s: 0.4,
            stopping: Stopping {
                fewest_rounds: 20,
                most_rounds: 200,
                precision: Some(0.005),
                budget_s: Some(60.0 * MINUTE_S),
            },
        },
    }
}

/// A sample of one worker where no cell has more: the shorter, the closer together those that are compared.
const ONE_WORKER_SAMPLE_S: f64 = 0.02;

/// A worker's share of a sample at the largest number of workers: five switch intervals of CPython, and long beside the time that
/// handing it out takes, 0.3 to 0.6 ms for a thread on a virtual machine with 2 cores.
const SHARE_S: f64 = 0.025;

/// A sample of one worker is no longer than this, unless shares would be shorter than [`SHORTEST_SHARE_S`].
const LONGEST_DEFAULT_SAMPLE_S: f64 = 0.3;

/// A worker's share, at least: the switch interval of CPython, within which a thread that waits for the GIL does not get it.
const SHORTEST_SHARE_S: f64 = 0.005;

/// Counted samples of a trial, at least.
const FEWEST_SAMPLES: u32 = 5;

/// How long a sample of one worker lasts where some cells have so many.
fn default_sample_s(most_workers: u32) -> f64 {
    let workers = f64::from(most_workers);
    if most_workers == 1 {
        return ONE_WORKER_SAMPLE_S;
    }
    let wanted_s = (SHARE_S * workers).min(LONGEST_DEFAULT_SAMPLE_S);
    wanted_s.max(SHORTEST_SHARE_S * workers)
}

const MINUTE_S: f64 = 60.0;

/// A window of samples is about as long as a sample was when trials did not take turns: what happens now and then in that
/// time, such as a collection of garbage, counts as it did.
const WINDOW_S: f64 = 0.08;

/// Warm-up of a trial, at least: the time that it has always had, however short the samples are.
const WARMUP_S: f64 = 0.1;

/// Rounds that end a run whose requested precision or time is never reached.
const MOST_ROUNDS: u32 = 1000;

/// The stopping rule of the profile, with what the arguments change in it.
fn stopping(arguments: &RunArgs, profile: Stopping) -> Stopping {
    if let Some(rounds) = arguments.rounds {
        return Stopping {
            fewest_rounds: rounds,
            most_rounds: rounds,
            precision: None,
            budget_s: None,
        };
    }
    if arguments.precision.is_none() && arguments.budget.is_none() {
        return profile;
    }
    Stopping {
        fewest_rounds: profile.fewest_rounds,
        most_rounds: MOST_ROUNDS,
        precision: arguments.precision.or(profile.precision),
        budget_s: arguments.budget.or(profile.budget_s),
    }
}

/// How a run measures on this machine, where cells that compute have up to so many workers.
pub fn settings(arguments: &RunArgs, machine: &MachineFacts, most_workers: u32) -> Settings {
    let profile = profile(arguments.profile);
    let memory_bytes =
        memory_limit_bytes().map_or(machine.memory_bytes, |limit| limit.min(machine.memory_bytes));
    let target_sample_s = arguments
        .sample_time
        .unwrap_or_else(|| default_sample_s(most_workers));
    let samples = arguments
        .samples
        .unwrap_or_else(|| ((profile.counted_s / target_sample_s).round() as u32).max(FEWEST_SAMPLES));
    Settings {
        profile: profile.name.to_owned(),
        stopping: stopping(arguments, profile.stopping),
        warmups: 1,
        warmup_s: arguments.warmup.unwrap_or(WARMUP_S),
        samples,
        order: arguments.order.into(),
        target_sample_s,
        window: ((WINDOW_S / target_sample_s).round() as u32).clamp(1, samples),
        step_time_limit_s: arguments.timeout,
        scaling: arguments.scaling.into(),
        pin: arguments.pin.to_string(),
        limits: Some(arguments.limits.asked().on(memory_bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_long_enough_for_the_shares_of_many_workers() {
        let near = |most_workers, expected_s: f64| {
            let found_s = default_sample_s(most_workers);
            assert!(
                (found_s - expected_s).abs() < 1e-9,
                "{most_workers} workers: {found_s} s"
            );
        };
        near(1, 0.02);
        near(2, 0.05);
        near(4, 0.1);
        near(16, 0.3);
        near(64, 0.32);
        near(192, 0.96);
    }
}
