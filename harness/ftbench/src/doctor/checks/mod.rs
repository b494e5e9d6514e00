//! Checks that turn facts into findings. Pure.
//!
//! Every threshold is a constant with the reason for it. Where a comment cites `Documentation/...`, it means the Linux
//! kernel's source tree (<https://docs.kernel.org>).

mod activity;
mod builds;
mod cores;
mod frequency;
mod heat;
mod memory;
mod system;

use std::fmt;

use serde::Serialize;

use super::Severity;
use super::facts::{Facts, Unknown};

/// A check. The names are part of the format: scripts may rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The number of usable cores.
    Cores,
    /// The control group's CPU time.
    CpuQuota,
    /// PUs that this process may not use.
    Cpuset,
    /// Hardware threads that share a core.
    Smt,
    /// PUs on which the scheduler places no tasks by itself.
    IsolatedCpus,
    /// How the frequency follows the load.
    FrequencyGovernor,
    /// Frequencies above the nominal one.
    Turbo,
    /// Temperatures and throttling.
    Thermal,
    /// Mains or battery.
    Power,
    /// The load of other programs.
    Load,
    /// Time that the hypervisor takes.
    Steal,
    /// Whether the machine is a virtual one.
    Virtualisation,
    /// Available memory.
    Memory,
    /// Swapping.
    Swap,
    /// Pages that the kernel moves between NUMA nodes.
    NumaBalancing,
    /// Transparent huge pages.
    TransparentHugePages,
    /// Address space layout randomisation.
    Aslr,
    /// The source of the clocks.
    ClockSource,
    /// Whether hardware events can be counted.
    HardwareCounters,
    /// Room for results.
    DiskSpace,
    /// The interpreters to compare.
    Interpreters,
    /// Debug builds.
    DebugBuild,
    /// Builds that differ in more than the GIL.
    BuildDifferences,
}

impl Check {
    /// All checks, in the order in which findings of the same severity are shown.
    pub const ALL: [Self; 23] = [
        Self::Cores,
        Self::CpuQuota,
        Self::Cpuset,
        Self::Smt,
        Self::IsolatedCpus,
        Self::FrequencyGovernor,
        Self::Turbo,
        Self::Thermal,
        Self::Power,
        Self::Load,
        Self::Steal,
        Self::Virtualisation,
        Self::Memory,
        Self::Swap,
        Self::NumaBalancing,
        Self::TransparentHugePages,
        Self::Aslr,
        Self::ClockSource,
        Self::HardwareCounters,
        Self::DiskSpace,
        Self::Interpreters,
        Self::DebugBuild,
        Self::BuildDifferences,
    ];

    /// The check's name in files and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cores => "cores",
            Self::CpuQuota => "cpu_quota",
            Self::Cpuset => "cpuset",
            Self::Smt => "smt",
            Self::IsolatedCpus => "isolated_cpus",
            Self::FrequencyGovernor => "frequency_governor",
            Self::Turbo => "turbo",
            Self::Thermal => "thermal",
            Self::Power => "power",
            Self::Load => "load",
            Self::Steal => "steal",
            Self::Virtualisation => "virtualisation",
            Self::Memory => "memory",
            Self::Swap => "swap",
            Self::NumaBalancing => "numa_balancing",
            Self::TransparentHugePages => "transparent_huge_pages",
            Self::Aslr => "aslr",
            Self::ClockSource => "clock_source",
            Self::HardwareCounters => "hardware_counters",
            Self::DiskSpace => "disk_space",
            Self::Interpreters => "interpreters",
            Self::DebugBuild => "debug_build",
            Self::BuildDifferences => "build_differences",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// The finding of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check.
    pub check: Check,
    /// How much the finding matters.
    pub severity: Severity,
    /// What was found; for [`Severity::Unknown`], why it is unknown.
    pub found: String,
    /// The effect on the numbers; `None` if there is none.
    pub effect: Option<String>,
    /// How to fix it; `None` if nothing needs to be fixed or can be.
    pub remedy: Option<String>,
}

impl Finding {
    fn new(check: Check, severity: Severity, found: impl Into<String>) -> Self {
        Self {
            check,
            severity,
            found: found.into(),
            effect: None,
            remedy: None,
        }
    }

    fn ok(check: Check, found: impl Into<String>) -> Self {
        Self::new(check, Severity::Ok, found)
    }

    fn unknown(check: Check, why: &Unknown) -> Self {
        Self::new(check, Severity::Unknown, why.to_string())
    }

    fn effect(mut self, effect: impl Into<String>) -> Self {
        self.effect = Some(effect.into());
        self
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// The findings of all checks, at least one for each, in the order of [`Check::ALL`].
#[must_use]
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![
        cores::cores(&facts.cores),
        cores::quota(&facts.cores),
        cores::cpuset(&facts.cores),
        cores::smt(&facts.cores),
        cores::isolated(&facts.cores),
        frequency::governor(&facts.frequency, &facts.cores.topology),
        frequency::turbo(&facts.frequency),
        heat::thermal(&facts.heat, &facts.activity),
        heat::power(&facts.power),
        activity::load(&facts.activity, &facts.cores.topology),
        activity::steal(&facts.activity, &facts.cores.topology),
        activity::virtualisation(&facts.activity),
        memory::memory(&facts.memory, &facts.cores.topology),
        memory::swap(&facts.memory, &facts.activity),
        memory::numa_balancing(&facts.memory, &facts.cores.topology),
        memory::huge_pages(&facts.memory),
        system::aslr(&facts.kernel),
        system::clock_source(&facts.kernel),
        system::hardware_counters(&facts.kernel),
        system::disk_space(&facts.folder),
    ];
    findings.extend(builds::interpreters(&facts.builds));
    findings.push(builds::debug_build(&facts.builds));
    findings.extend(builds::build_differences(&facts.builds));
    findings
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::*;
    use crate::doctor::fixtures;

    #[test]
    fn every_check_reports_under_its_own_name() {
        let findings = findings(&fixtures::quiet_workstation());
        let reported: Vec<Check> = findings.iter().map(|finding| finding.check).collect();
        assert_eq!(reported, Check::ALL);
        let names: BTreeSet<String> = Check::ALL
            .iter()
            .map(|check| serde_json::to_value(check).unwrap().as_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, Check::ALL.iter().map(ToString::to_string).collect());
    }

    #[test]
    fn quiet_workstation_has_no_remedies() {
        for finding in findings(&fixtures::quiet_workstation()) {
            assert_eq!(finding.severity, Severity::Ok, "{finding:?}");
            assert_eq!(finding.remedy, None, "{finding:?}");
        }
    }

    #[test]
    fn every_problem_has_an_effect_and_spoiling_ones_a_remedy() {
        for finding in findings(&fixtures::busy_virtual_machine()) {
            if finding.severity >= Severity::Note {
                assert!(finding.effect.is_some(), "{finding:?}");
            }
            if finding.severity == Severity::Spoils {
                assert!(finding.remedy.is_some(), "{finding:?}");
            }
        }
    }

    #[test]
    fn unreadable_system_is_unknown_rather_than_spoiling() {
        let findings = findings(&fixtures::unreadable_system());
        let unknown = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Unknown)
            .count();
        assert!(unknown >= 12, "{findings:#?}");
        // Only the missing interpreter spoils.
        let spoils: Vec<Check> = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Spoils)
            .map(|finding| finding.check)
            .collect();
        assert_eq!(spoils, [Check::Interpreters]);
    }

    #[test]
    fn manual_lists_every_check() {
        let manual = include_str!("../../../../../docs/doctor.md");
        for check in Check::ALL {
            assert!(manual.contains(&format!("| `{check}` |")), "{check}");
        }
    }
}
