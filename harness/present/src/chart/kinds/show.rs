//! How a quantity is shown: its unit, its words and its axis' title.

use ftbench_schema::units;

use super::curve_words;
use super::measured::{Line, Quantity};

/// How a quantity is shown.
pub(super) struct Show {
    pub(super) quantity: Quantity,
    pub(super) title: String,
    /// What an estimate is multiplied with for the axis.
    pub(super) factor: f64,
    /// An estimate in words.
    pub(super) words: fn(f64) -> String,
    /// The one-worker value that ideal and ceiling are multiples of; `None` without those.
    pub(super) one_worker: Option<f64>,
}

impl Show {
    pub(super) fn new(quantity: Quantity, title: &str) -> Self {
        Self {
            quantity,
            title: title.to_owned(),
            factor: 1.0,
            words: match quantity {
                Quantity::Efficiency => |share| units::per_cent(share, 0),
                _ => units::times,
            },
            one_worker: matches!(quantity, Quantity::Speedup | Quantity::Efficiency).then_some(1.0),
        }
    }

    pub(super) fn throughput(lines: &[Line<'_>]) -> Self {
        let values = || lines.iter().flat_map(|line| &line.values);
        let typical = units::typical(values().map(|(_, value)| value.estimate)).unwrap_or(1.0);
        let (factor, unit) = match typical {
            large if large >= 1e9 => (1e-9, "Billions of units"),
            large if large >= 1e6 => (1e-6, "Millions of units"),
            large if large >= 1e4 => (1e-3, "Thousands of units"),
            _ => (1.0, "Units"),
        };
        let alone = values().filter(|(workers, _)| *workers == 1);
        let fastest = alone.map(|(_, value)| value.estimate).fold(0.0, f64::max);
        Self {
            quantity: Quantity::Throughput,
            title: format!("{unit} of work per second (higher is better)"),
            factor,
            words: curve_words::per_second,
            one_worker: (fastest > 0.0).then_some(fastest),
        }
    }

    /// What a speedup is in this quantity, on the axis.
    pub(super) fn of_speedup(&self, speedup: f64, workers: f64, one_worker: f64) -> f64 {
        match self.quantity {
            Quantity::Efficiency => speedup / workers,
            _ => speedup * one_worker * self.factor,
        }
    }
}
