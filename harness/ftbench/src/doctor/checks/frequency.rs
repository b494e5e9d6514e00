//! Checks how fast the cores run, and what sets their frequency.

use std::collections::BTreeSet;

use super::{Check, Finding};
use crate::doctor::Severity;
use crate::doctor::facts::{Frequency, FrequencyPolicy, Unknown};
use crate::machine::topology::Topology;

/// The command that keeps the frequency high.
const PERFORMANCE: &str = "'sudo cpupower frequency-set -g performance'";

/// Drivers with governors of their own that have the names of generic ones. With these drivers, `powersave` lets the
/// hardware or the driver follow the load: `Documentation/admin-guide/pm/intel_pstate.rst`, active mode (in passive
/// mode the driver is named `intel_cpufreq`), and `Documentation/admin-guide/pm/amd-pstate.rst`, active mode (in
/// passive and guided mode it is named `amd-pstate`).
const OWN_POWERSAVE: [&str; 2] = ["intel_pstate", "amd-pstate-epp"];

/// Checks the governors. All of them are in `Documentation/admin-guide/pm/cpufreq.rst`, "Generic Scaling Governors".
///
/// The generic `powersave` keeps the lowest frequency. That is steady but still spoils: memory does not slow down with
/// the core, so work that waits for memory, and scales badly because of it, looks better relative to computation than
/// in normal use.
///
/// Governors that follow the load are only a warning, because a sample starts after a warm-up of the same work on the
/// same PU.
pub fn governor(frequency: &Frequency, topology: &Topology) -> Finding {
    let check = Check::FrequencyGovernor;
    let allowed = topology.allowed_pus();
    let policies: Vec<&FrequencyPolicy> = frequency
        .policies
        .iter()
        .filter(|policy| policy.pus.iter().any(|pu| allowed.contains(pu)))
        .collect();
    let Some(first) = policies.first() else {
        let why = "no cpufreq policy covers these PUs: the hypervisor or the firmware sets the frequency without \
                   reporting it";
        return Finding::unknown(check, &Unknown::Other(why.to_owned()));
    };
    let names: BTreeSet<String> = policies
        .iter()
        .map(|policy| format!("{} ({})", policy.governor, policy.driver))
        .collect();
    let found = names.into_iter().collect::<Vec<String>>().join(", ");
    if policies.iter().any(|policy| keeps_the_lowest(policy)) {
        return Finding::new(check, Severity::Spoils, found)
            .effect(
                "Cores are held at their lowest frequency but memory is not, so work that waits for memory looks \
                 better relative to computation than it is.",
            )
            .remedy(PERFORMANCE);
    }
    if policies.iter().any(|policy| policy.governor != first.governor) {
        return Finding::new(check, Severity::Warning, found)
            .effect(
                "Workers run under different governors depending on their PU: curves bend where the governor \
                 changes.",
            )
            .remedy(PERFORMANCE);
    }
    match first.governor.as_str() {
        "performance" => Finding::ok(check, found),
        "userspace" => Finding::new(check, Severity::Note, found)
            .effect("The frequency is the one that a program has set: steady, but perhaps not the highest."),
        "powersave" if policies.iter().all(|policy| !prefers_power(policy)) => {
            Finding::new(check, Severity::Note, found)
                .effect(
                    "The frequency follows the load, as on most machines. The first samples after a pause may be \
                     slower; warm-ups absorb most of that.",
                )
                .remedy(PERFORMANCE)
        }
        _ => Finding::new(check, Severity::Warning, found)
            .effect(
                "The frequency follows the load with a delay: intervals get wider, mostly for short samples and for \
                 workers that wait.",
            )
            .remedy(PERFORMANCE),
    }
}

fn keeps_the_lowest(policy: &FrequencyPolicy) -> bool {
    policy.governor == "powersave" && !OWN_POWERSAVE.contains(&policy.driver.as_str())
}

/// Whether `energy_performance_preference` is `power`, which saves the most energy of the five values.
fn prefers_power(policy: &FrequencyPolicy) -> bool {
    policy.preference.as_deref() == Some("power")
}

/// Checks turbo. A few busy cores may run faster than all of them: `Documentation/admin-guide/pm/cpufreq.rst`,
/// "Frequency Boost Support", and `no_turbo` in `intel_pstate.rst`. LLVM's tips and pyperf's guide both turn it off. It
/// is only a warning here, because the native ceiling has the same boost and `ceiling_fraction` divides it out.
pub fn turbo(frequency: &Frequency) -> Finding {
    let check = Check::Turbo;
    let (on, remedy) = match (frequency.intel_no_turbo, frequency.boost) {
        (Some(forbidden), _) => (
            !forbidden,
            "'echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo'",
        ),
        (None, Some(on)) => (on, "'echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost'"),
        (None, None) => {
            let why =
                "neither intel_pstate/no_turbo nor cpufreq/boost exists: the host or the firmware decides";
            return Finding::unknown(check, &Unknown::Other(why.to_owned()));
        }
    };
    if !on {
        return Finding::ok(check, "off: one busy core runs no faster than all of them");
    }
    Finding::new(check, Severity::Warning, "on")
        .effect(
            "One busy core runs faster than many do, so speedups are lower than the code allows. Use \
             'ceiling_fraction', in which the boost cancels.",
        )
        .remedy(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::discovery::samples;

    fn policy(pu: u32, driver: &str, governor: &str) -> FrequencyPolicy {
        FrequencyPolicy {
            pus: vec![pu],
            driver: driver.to_owned(),
            governor: governor.to_owned(),
            preference: None,
        }
    }

    fn judged(policies: Vec<FrequencyPolicy>) -> Finding {
        let frequency = Frequency {
            policies,
            intel_no_turbo: None,
            boost: None,
        };
        governor(&frequency, &samples::two_sockets())
    }

    #[test]
    fn severity_of_powersave_depends_on_the_driver() {
        for driver in ["acpi-cpufreq", "intel_cpufreq", "amd-pstate", "cppc_cpufreq"] {
            assert_eq!(
                judged(vec![policy(0, driver, "powersave")]).severity,
                Severity::Spoils,
                "{driver}"
            );
        }
        for driver in OWN_POWERSAVE {
            assert_eq!(
                judged(vec![policy(0, driver, "powersave")]).severity,
                Severity::Note,
                "{driver}"
            );
        }
        let prefers_power = FrequencyPolicy {
            preference: Some("power".to_owned()),
            ..policy(0, "amd-pstate-epp", "powersave")
        };
        assert_eq!(judged(vec![prefers_power]).severity, Severity::Warning);
    }

    #[test]
    fn governors_that_follow_the_load_are_a_warning() {
        let severity = |governor: &str| judged(vec![policy(0, "acpi-cpufreq", governor)]).severity;
        assert_eq!(severity("performance"), Severity::Ok);
        assert_eq!(severity("schedutil"), Severity::Warning);
        assert_eq!(severity("ondemand"), Severity::Warning);
        assert_eq!(severity("userspace"), Severity::Note);
    }

    #[test]
    fn different_governors_are_a_warning_unless_the_pu_is_not_allowed() {
        let mixed = judged(vec![
            policy(0, "acpi-cpufreq", "performance"),
            policy(1, "acpi-cpufreq", "schedutil"),
        ]);
        assert_eq!(mixed.severity, Severity::Warning);
        assert_eq!(
            mixed.found,
            "performance (acpi-cpufreq), schedutil (acpi-cpufreq)"
        );
        // PU 99 does not exist.
        let elsewhere = vec![
            policy(0, "acpi-cpufreq", "performance"),
            policy(99, "acpi-cpufreq", "powersave"),
        ];
        assert_eq!(judged(elsewhere).severity, Severity::Ok);
        assert_eq!(judged(Vec::new()).severity, Severity::Unknown);
    }

    #[test]
    fn turbo_is_read_from_either_file() {
        let severity = |intel_no_turbo, boost| {
            let policies = Vec::new();
            turbo(&Frequency {
                policies,
                intel_no_turbo,
                boost,
            })
            .severity
        };
        assert_eq!(severity(Some(true), None), Severity::Ok);
        assert_eq!(severity(Some(false), None), Severity::Warning);
        assert_eq!(severity(None, Some(true)), Severity::Warning);
        assert_eq!(severity(None, Some(false)), Severity::Ok);
        assert_eq!(severity(None, None), Severity::Unknown);
    }
}
