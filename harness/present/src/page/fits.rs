//! What limits a workload's curves and the laws that were fitted to them, as a table.

use serde::Serialize;

use crate::laws;
use ftbench_schema::{CurveLaws, Estimate, Summary, text, units};

/// What limits one curve, and its law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fit {
    /// What the curve is of.
    pub subject: String,
    /// The model's family, which its colour stands for.
    pub family: &'static str,
    /// What limits it.
    pub sentence: String,
    /// The law's name, and how far it was fitted where that is not to the end.
    pub law: String,
    /// Share of the work that workers do not share.
    pub serial_fraction: String,
    /// Cost of one more worker to each other one.
    pub crosstalk: String,
    /// The number of workers with the largest speedup.
    pub best: String,
    /// How far the law is from what was measured.
    pub misses_by: String,
}

/// Lists the curves of one workload.
#[must_use]
pub fn of_workload(summary: &Summary, workload: &str) -> Vec<Fit> {
    let of_it = summary.laws.iter().filter(|curve| curve.workload == workload);
    of_it.map(fit).collect()
}

fn fit(curve: &CurveLaws) -> Fit {
    let found = curve.best_fit();
    let or_unknown = |words: Option<String>| words.unwrap_or_else(|| units::UNKNOWN.to_owned());
    Fit {
        subject: laws::subject(curve),
        family: if curve.is_native() {
            "native"
        } else {
            curve.model.family().name()
        },
        sentence: text::line(&laws::sentence(curve)),
        law: or_unknown(found.map(|fit| laws::law(curve, fit))),
        serial_fraction: or_unknown(
            found.map(|fit| words(fit.serial_fraction, |value| units::number(value, 3))),
        ),
        crosstalk: or_unknown(found.and_then(|fit| Some(words(fit.crosstalk?, small)))),
        best: or_unknown(
            found.and_then(|fit| Some(words(fit.peak_workers?, |value| units::number(value, 0)))),
        ),
        misses_by: or_unknown(found.map(|fit| units::per_cent(fit.relative_error, 1))),
    }
}

fn words(estimate: Estimate, format: impl Fn(f64) -> String) -> String {
    format!(
        "{} [{}, {}]",
        format(estimate.estimate),
        format(estimate.low),
        format(estimate.high)
    )
}

/// Crosstalk is often far below a thousandth.
fn small(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else {
        format!("{value:.1e}")
    }
}
