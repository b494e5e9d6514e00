//! What on this machine will spoil the numbers, and how to mend it.
//!
//! [`read`] is the thin edge that asks the system, [`facts`] are the plain values it brings back, [`checks`] judge them.
//! What may be called spoiled is measured against what ftbench does about noise by itself: cells that are compared run
//! within seconds of each other in random order, so whatever changes slowly cancels in their ratio. What remains are
//! disturbances that fall on some cells and not on others: those that grow with the number of workers, and those that
//! make one build slower than the other.

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
    /// The system does not tell.
    Unknown,
    /// Good to know when reading the numbers.
    Note,
    /// Makes intervals wider, or shifts figures in a way that the ceiling shows too.
    Warning,
    /// Makes a comparison wrong.
    Spoils,
}

/// What the findings come to.
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

/// All of it, as `--format json` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Version of the format. Keys are added within a version, never renamed or removed.
    pub schema: u32,
    /// The computer.
    pub machine: MachineFacts,
    /// One or more for every check, the worst first.
    pub findings: Vec<Finding>,
    /// What they come to.
    pub verdict: Verdict,
}

impl Report {
    /// Judges the facts. Findings of one severity stay in the order of [`checks::Check::ALL`].
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
pub(crate) mod made_up;
