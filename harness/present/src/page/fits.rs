//! What limits a workload's curves and the laws that were fitted to them, as a table and as lines to draw.

use serde::Serialize;

use crate::laws;
use ftbench_schema::{CellSummary, CurveLaws, Estimate, Summary, text, units};

/// Points of a drawn law between two neighbouring numbers of workers, so that it looks as bent as it is.
const STEPS: u32 = 8;

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

/// The curves of one workload.
#[must_use]
pub fn of_workload(summary: &Summary, workload: &str) -> Vec<Fit> {
    let of_it = summary.laws.iter().filter(|curve| curve.workload == workload);
    of_it.map(fit).collect()
}

fn fit(curve: &CurveLaws) -> Fit {
    let found = curve.best_fit();
    let told = |words: Option<String>| words.unwrap_or_else(|| units::UNKNOWN.to_owned());
    Fit {
        subject: laws::subject(curve),
        family: if curve.is_native() {
            "native"
        } else {
            curve.model.family().name()
        },
        sentence: text::line(&laws::sentence(curve)),
        law: told(found.map(|fit| laws::law(curve, fit))),
        serial_fraction: told(found.map(|fit| words(fit.serial_fraction, |value| units::number(value, 3)))),
        crosstalk: told(found.and_then(|fit| Some(words(fit.crosstalk?, small)))),
        best: told(found.and_then(|fit| Some(words(fit.peak_workers?, |value| units::number(value, 0))))),
        misses_by: told(found.map(|fit| units::per_cent(fit.relative_error, 1))),
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

/// The fitted law of the curve that a cell is on, from one worker to the most that it was fitted to.
#[must_use]
pub fn line(summary: &Summary, cell: &CellSummary) -> Vec<[f64; 2]> {
    let same = |curve: &&CurveLaws| {
        curve.workload == cell.workload
            && curve.interpreter == cell.interpreter
            && curve.host == cell.host
            && curve.arm == cell.arm
            && curve.model == cell.model
    };
    let Some(curve) = summary.laws.iter().find(same) else {
        return Vec::new();
    };
    let Some(fit) = curve.best_fit() else {
        return Vec::new();
    };
    let mut points: Vec<[f64; 2]> = Vec::new();
    let fitted = curve.fitted_workers();
    for pair in fitted.windows(2) {
        if let [from, to] = *pair {
            let (from, to) = (f64::from(from), f64::from(to));
            points.extend((0..STEPS).map(|step| {
                let workers = from * (to / from).powf(f64::from(step) / f64::from(STEPS));
                [workers, fit.speedup(workers)]
            }));
        }
    }
    let last = fitted.last().map(|&workers| f64::from(workers));
    points.extend(last.map(|workers| [workers, fit.speedup(workers)]));
    points.retain(|[workers, speedup]| workers.is_finite() && speedup.is_finite());
    points
}
