//! How a run measures: the profile, with what the arguments change in it.

use crate::cli::{ProfileName, RunArgs};
use crate::process::control_groups::memory_limit_bytes;
use ftbench_schema::{MachineFacts, Settings, Stopping};

/// The settings that a profile stands for.
struct Profile {
    name: &'static str,
    /// Counted samples of a trial. The more there are, the larger their share of the wall time, beside starting a
    /// process and the warm-up; the fewer, the more rounds fit into it.
    samples: u32,
    stopping: Stopping,
    target_sample_s: f64,
}

const fn profile(name: ProfileName) -> Profile {
    match name {
        ProfileName::Quick => Profile {
            name: "quick",
            samples: 3,
            stopping: Stopping {
                fewest_rounds: 5,
                most_rounds: 5,
                precision: None,
                budget_s: None,
            },
            target_sample_s: 0.06,
        },
        ProfileName::Standard => Profile {
            name: "standard",
            samples: 6,
            stopping: Stopping {
                fewest_rounds: 10,
                most_rounds: 50,
                precision: Some(0.02),
                budget_s: Some(10.0 * MINUTE_S),
            },
            target_sample_s: 0.1,
        },
        ProfileName::Thorough => Profile {
            name: "thorough",
            samples: 6,
            stopping: Stopping {
                fewest_rounds: 20,
                most_rounds: 200,
                precision: Some(0.005),
                budget_s: Some(60.0 * MINUTE_S),
            },
            target_sample_s: 0.1,
        },
    }
}

const MINUTE_S: f64 = 60.0;

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

/// How a run measures on this machine.
pub fn settings(arguments: &RunArgs, machine: &MachineFacts) -> Settings {
    let profile = profile(arguments.profile);
    let memory_bytes =
        memory_limit_bytes().map_or(machine.memory_bytes, |limit| limit.min(machine.memory_bytes));
    Settings {
        profile: profile.name.to_owned(),
        stopping: stopping(arguments, profile.stopping),
        warmups: 1,
        samples: arguments.samples.unwrap_or(profile.samples),
        target_sample_s: profile.target_sample_s,
        step_time_limit_s: arguments.timeout,
        scaling: arguments.scaling.into(),
        pin: arguments.pin.to_string(),
        limits: Some(arguments.limits.asked().on(memory_bytes)),
    }
}
