//! How a quantity is shown: its unit, its words and its axis' title.

use crate::chart::lines::efficiency_words;
use crate::headline;
use ftbench_schema::units::{self, TimeUnit};
use ftbench_schema::{Estimate, Scaling};

use super::curve_words;
use super::measured::{Line, Quantity};

/// How a quantity is shown.
pub(super) struct Show {
    pub(super) quantity: Quantity,
    pub(super) title: String,
    /// What an estimate is multiplied with for the axis.
    pub(super) factor: f64,
    /// Writes an estimate.
    pub(super) words: fn(f64) -> String,
    /// Writes an estimate with its interval.
    pub(super) interval_words: fn(Estimate) -> String,
    /// The one-worker value that ideal and ceiling are multiples of; `None` without those.
    pub(super) one_worker: Option<f64>,
}

impl Show {
    pub(super) fn speedup(scaling: Scaling) -> Self {
        let title = match scaling {
            Scaling::Strong => "Speedup over one worker (higher is better)",
            Scaling::Weak => "Scaled speedup: work grows with workers (higher is better)",
        };
        Self {
            one_worker: Some(1.0),
            ..Self::ratio(Quantity::Speedup, title)
        }
    }

    /// Shows a speed over another one.
    pub(super) fn ratio(quantity: Quantity, title: &str) -> Self {
        Self {
            quantity,
            title: title.to_owned(),
            factor: 1.0,
            words: units::times,
            interval_words: headline::with_interval,
            one_worker: None,
        }
    }

    pub(super) fn efficiency() -> Self {
        Self {
            words: |share| units::per_cent(share, 0),
            interval_words: |share| efficiency_words(share.estimate, share.low, share.high),
            one_worker: Some(1.0),
            ..Self::ratio(
                Quantity::Efficiency,
                "Efficiency: speedup over the number of workers (higher is better)",
            )
        }
    }

    pub(super) fn ceiling_share() -> Self {
        Self {
            quantity: Quantity::CeilingShare,
            title: "Speedup as a share of the machine's own ceiling (higher is better)".to_owned(),
            one_worker: None,
            ..Self::efficiency()
        }
    }

    pub(super) fn throughput(lines: &[Line<'_>]) -> Self {
        let values = || lines.iter().flat_map(|line| &line.values);
        let typical = units::typical(values().map(|(_, value)| value.estimate)).unwrap_or(1.0);
        let (divisor, prefix) = units::si_prefix(typical);
        let unit = match prefix {
            "G" => "Billions of units",
            "M" => "Millions of units",
            "k" => "Thousands of units",
            _ => "Units",
        };
        let alone = values().filter(|(workers, _)| *workers == 1);
        let fastest = alone.map(|(_, value)| value.estimate).fold(0.0, f64::max);
        Self {
            quantity: Quantity::Throughput,
            title: format!("{unit} of work per second (higher is better)"),
            factor: divisor.recip(),
            words: curve_words::per_second,
            interval_words: curve_words::per_second_with_interval,
            one_worker: (fastest > 0.0).then_some(fastest),
        }
    }

    pub(super) fn makespan(lines: &[Line<'_>]) -> Self {
        let estimates = lines.iter().flat_map(|line| &line.values);
        let typical = units::typical(estimates.map(|(_, value)| value.estimate)).unwrap_or(1.0);
        let unit = TimeUnit::for_typical(typical);
        Self {
            quantity: Quantity::Makespan,
            title: format!("Makespan, {} (lower is better)", unit.symbol()),
            factor: unit.from_seconds(1.0),
            words: units::duration,
            interval_words: curve_words::duration_with_interval,
            one_worker: None,
        }
    }

    /// Shows bytes; `counting` says which pages count. The axis counts MiB, and its marks have units of their own.
    pub(super) fn memory(counting: &str) -> Self {
        Self {
            quantity: Quantity::Memory,
            title: format!("Peak memory of all processes, {counting} (lower is better)"),
            factor: 1.0 / f64::from(1 << 20),
            words: units::bytes,
            interval_words: |bytes| units::bytes(bytes.estimate),
            one_worker: None,
        }
    }

    /// Converts a speedup to this quantity, as it is on the axis.
    pub(super) fn of_speedup(&self, speedup: f64, workers: f64, one_worker: f64) -> f64 {
        match self.quantity {
            Quantity::Efficiency => speedup / workers,
            _ => speedup * one_worker * self.factor,
        }
    }
}
