//! Finds problems on this machine that would skew results, and how to fix them.
//!
//! [`read`] is the thin layer that reads the system, [`facts`] are the resulting plain values, and [`checks`] evaluate
//! them. The severity of a finding takes into account how ftbench itself deals with noise. Compared cells run within
//! seconds of each other in random order, so slow changes cancel in their ratio. What does not cancel are disturbances
//! that affect some cells and not others: those that grow with the number of workers, and those that make one build
//! slower than the other.

pub mod checks;
pub mod facts;
pub mod read;

use serde::Serialize;

use checks::Finding;
use facts::Facts;
use ftbench_schema::{MachineFacts, SCHEMA_VERSION};

/// How much a finding matters. Ordered: later is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// The system does not report it.
    Unknown,
    /// Useful to know when reading the numbers.
    Note,
    /// Widens intervals, or shifts figures in a way that the ceiling shows too.
    Warning,
    /// Makes a comparison wrong.
    Spoils,
}

/// The overall verdict of the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No warning.
    Fit,
    /// There are warnings.
    WithCare,
    /// At least one finding spoils comparisons.
    Spoiled,
}

/// The machine, the findings and the verdict, as printed by `--format json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Version of the format. Within a version, keys may be added but are never renamed or removed.
    pub schema: u32,
    /// The computer.
    pub machine: MachineFacts,
    /// At least one finding for each check, the worst first.
    pub findings: Vec<Finding>,
    /// The overall verdict.
    pub verdict: Verdict,
}

impl Report {
    /// Evaluates the facts. Findings of the same severity keep the order of [`checks::Check::ALL`].
    #[must_use]
    pub fn new(machine: MachineFacts, facts: &Facts) -> Self {
        let mut findings = checks::findings(facts);
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let worst = findings.first().map(|finding| finding.severity);
        Self {
            schema: SCHEMA_VERSION,
            machine,
            verdict: match worst {
                Some(Severity::Spoils) => Verdict::Spoiled,
                Some(Severity::Warning) => Verdict::WithCare,
                _ => Verdict::Fit,
            },
            findings,
        }
    }
}

#[cfg(test)]
pub(crate) mod fixtures;
