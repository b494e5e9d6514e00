//! The settings of a run: its profile, with the changes that the arguments make.

use crate::cli::{ProfileName, RunRequest};
use crate::process::control_groups::memory_limit_bytes;
use ftbench_schema::{MachineFacts, Settings, Stopping};

/// The settings of a profile.
struct Profile {
    name: &'static str,
    /// Total length of the counted samples of a trial with one worker, seconds. If it is longer, a larger part of the
    /// wall time is measured rather than spent on starting processes and warming up; if it is shorter, more rounds fit.
    counted_s: f64,
    stopping: Stopping,
}

const fn profile(name: ProfileName) -> Profile {
    match name {
        ProfileName::Quick => Profile {
            name: "quick",
            counted_s: 0.2,
            stopping: Stopping {
                min_rounds: 5,
                max_rounds: 5,
                precision: None,
                budget_s: None,
            },
        },
        ProfileName::Standard => Profile {
            name: "standard",
            counted_s: 0.4,
            stopping: Stopping {
                min_rounds: 10,
                max_rounds: 50,
                precision: Some(0.02),
                budget_s: Some(10.0 * MINUTE_S),
            },
        },
        ProfileName::Thorough => Profile {
            name: "thorough",
            counted_s: 0.4,
            stopping: Stopping {
                min_rounds: 20,
                max_rounds: 200,
                precision: Some(0.005),
                budget_s: Some(60.0 * MINUTE_S),
            },
        },
    }
}

/// The length of a sample if all cells have one worker. Compared samples are closer together if they are short.
const ONE_WORKER_SAMPLE_S: f64 = 0.02;

/// A worker's share of a sample at the largest number of workers. It is five switch intervals of CPython, and much
/// longer than handing it out takes: 0.3 to 0.6 ms for a thread on a virtual machine with 2 cores.
const SHARE_S: f64 = 0.025;

/// The maximum length of a sample of one worker, unless shares would be shorter than [`MIN_SHARE_S`].
const MAX_DEFAULT_SAMPLE_S: f64 = 0.3;

/// The minimum share of a worker: the switch interval of CPython, within which a thread that waits for the GIL does not
/// get it.
const MIN_SHARE_S: f64 = 0.005;

/// The minimum number of counted samples of a trial.
const MIN_SAMPLES: u32 = 4;

/// The default length of a sample of one worker, seconds, if cells have up to `max_workers`.
fn default_sample_s(max_workers: u32) -> f64 {
    let workers = f64::from(max_workers);
    if max_workers == 1 {
        return ONE_WORKER_SAMPLE_S;
    }
    let wanted_s = (SHARE_S * workers).min(MAX_DEFAULT_SAMPLE_S);
    wanted_s.max(MIN_SHARE_S * workers)
}

const MINUTE_S: f64 = 60.0;

/// The length of a window of samples. It is about as long as a sample was before trials took turns, so that occasional
/// events in that time, such as a garbage collection, count as before.
const WINDOW_S: f64 = 0.08;

/// The minimum warm-up of a trial. It does not depend on the length of samples.
const WARMUP_S: f64 = 0.1;

/// The maximum number of rounds if the requested precision or time is never reached.
const MAX_ROUNDS: u32 = 1000;

/// The stopping rule of the profile, with the changes that the arguments make.
fn stopping(arguments: &RunRequest, profile: Stopping) -> Stopping {
    if let Some(rounds) = arguments.rounds {
        return Stopping {
            min_rounds: rounds,
            max_rounds: rounds,
            precision: None,
            budget_s: None,
        };
    }
    if arguments.precision.is_none() && arguments.budget.is_none() {
        return profile;
    }
    Stopping {
        min_rounds: profile.min_rounds,
        max_rounds: MAX_ROUNDS,
        precision: arguments.precision.or(profile.precision),
        budget_s: arguments.budget.or(profile.budget_s),
    }
}

/// The settings of a run on this machine, if cells that compute have up to `max_workers`.
pub fn settings(arguments: &RunRequest, machine: &MachineFacts, max_workers: u32) -> Settings {
    let profile = profile(arguments.profile);
    let memory_bytes =
        memory_limit_bytes().map_or(machine.memory_bytes, |limit| limit.min(machine.memory_bytes));
    let target_sample_s = arguments
        .sample_time
        .unwrap_or_else(|| default_sample_s(max_workers));
    let samples = arguments
        .samples
        .unwrap_or_else(|| ((profile.counted_s / target_sample_s).round() as u32).max(MIN_SAMPLES));
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
        loop_factory: arguments.loop_factory.as_ref().map(ToString::to_string),
        limits: Some(arguments.limits.requested().or_defaults(memory_bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_samples_grow_with_the_number_of_workers() {
        let near = |max_workers, expected_s: f64| {
            let found_s = default_sample_s(max_workers);
            assert!(
                (found_s - expected_s).abs() < 1e-9,
                "{max_workers} workers: {found_s} s"
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
