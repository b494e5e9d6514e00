//! Scaling laws in `summary.json`: what was fitted to a curve, and what limits it.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::cell::Curve;
use super::interpreter::GilState;
use super::summary::Estimate;

/// A law of how speedup grows with the number of workers N.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Law {
    /// N / (1 + s (N - 1)): a serial fraction s of the work takes turns. G. M. Amdahl, "Validity of the single processor
    /// approach to achieving large scale computing capabilities", AFIPS 1967.
    Amdahl,
    /// N / (1 + s (N - 1) + k N (N - 1)): besides, every pair of workers costs k, so that more workers can be slower. The
    /// Universal Scalability Law: N. J. Gunther, "Guerrilla Capacity Planning", Springer 2007, equation 4.31.
    Usl,
    /// N - s (N - 1): the work grows with the workers (weak scaling), and only the serial fraction s of the time does not.
    /// J. L. Gustafson, "Reevaluating Amdahl's Law", Communications of the ACM 31(5), 1988.
    Gustafson,
}

impl Law {
    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Amdahl => "Amdahl",
            Self::Usl => "USL",
            Self::Gustafson => "Gustafson",
        }
    }

    /// The speedup that it foretells for so many workers.
    #[must_use]
    pub fn speedup(self, serial_fraction: f64, crosstalk: f64, workers: f64) -> f64 {
        let others = workers - 1.0;
        match self {
            Self::Amdahl => workers / (1.0 + serial_fraction * others),
            Self::Usl => workers / (1.0 + serial_fraction * others + crosstalk * workers * others),
            Self::Gustafson => workers - serial_fraction * others,
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// One law, fitted to one curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LawFit {
    /// The law.
    pub law: Law,
    /// Share of the work (Gustafson: of the time) that workers do not share, from 0 to 1.
    pub serial_fraction: Estimate,
    /// Cost of one more worker to each other one, as a share of the work; `None` for the laws without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crosstalk: Option<Estimate>,
    /// The number of workers with the largest speedup, sqrt((1 - s) / k), at least 1; `None` unless crosstalk's interval
    /// excludes 0. It may lie beyond the workers that were measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_workers: Option<Estimate>,
    /// The speedup that no number of workers exceeds by Amdahl's law, 1/s; `None` for the other laws, and where the
    /// interval of s holds 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speedup_limit: Option<Estimate>,
    /// Root mean square over the numbers of workers of log(measured / fitted): 0.03 is a law that misses by 3 %.
    pub relative_error: f64,
}

impl LawFit {
    /// The speedup that the fitted law foretells for so many workers.
    #[must_use]
    pub fn speedup(&self, workers: f64) -> f64 {
        let crosstalk = self.crosstalk.map_or(0.0, |crosstalk| crosstalk.estimate);
        self.law
            .speedup(self.serial_fraction.estimate, crosstalk, workers)
    }
}

/// Why no law was fitted to a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NotFitted {
    /// Too few numbers of workers.
    FewWorkerCounts {
        /// How many there are, one worker included.
        counts: u32,
        /// How many it takes.
        needed: u32,
    },
    /// Too few rounds that have all of the curve's cells.
    FewRounds {
        /// How many there are.
        rounds: u32,
        /// How many it takes.
        needed: u32,
    },
    /// Its largest number of workers has fewer cores than that, and a law would take their lack for the program's; too few
    /// numbers of workers have a core for each.
    SharedCores,
}

/// What keeps a curve from growing with its workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitCause {
    /// One thread at a time runs Python code.
    Gil,
    /// The workers take turns in part, and the GIL is on: it may be why.
    GilInPart,
    /// All workers are tasks of one thread.
    OneThread,
    /// There are no more cores.
    Cores,
    /// The ceiling grows no more either.
    Machine,
    /// Workers cost each other time: more of them are, or will be, slower.
    Crosstalk,
    /// A part of the work does not spread over the workers.
    SerialFraction,
    /// It falls short of its number of workers, and there are too few counts to tell why.
    Untold,
    /// More speedup than workers.
    Superlinear,
    /// It grows with its workers as far as was measured.
    NothingSeen,
    /// The interval of the speedup is too wide to say.
    Unclear,
}

/// What keeps a curve from growing, with the facts that say so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// What it is.
    pub cause: LimitCause,
    /// The largest number of workers with a speedup; the figures below are of that cell.
    pub workers: u32,
    /// Its speedup.
    pub speedup: Estimate,
    /// The number of workers with the largest speedup measured.
    pub best_workers: u32,
    /// Theirs.
    pub best_speedup: Estimate,
    /// The cores that its workers had at most.
    pub cores: f64,
    /// The ceiling's speedup at that number of workers; `None` without a ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_speedup: Option<Estimate>,
    /// The speedup over the ceiling's; `None` without a ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_fraction: Option<Estimate>,
    /// How many CPUs' worth of time its processes used while it ran; `None` where CPU time is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_cpus: Option<f64>,
    /// Share of its counted samples that something disturbed; `None` where that is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbed_share: Option<f64>,
}

/// How one workload scales with one model on one interpreter: the laws fitted to its speedups, and what limits it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurveLaws {
    /// The curve; its fields read as these laws' own.
    #[serde(flatten)]
    pub curve: Curve,
    /// GIL state of its cells; `None` for the ceiling.
    pub gil: Option<GilState>,
    /// The numbers of workers of the curve, 1 first.
    pub workers: Vec<u32>,
    /// Rounds that have all of them, or of those that laws were fitted to.
    pub rounds: u32,
    /// The laws that were fitted; none for [`CurveLaws::not_fitted`].
    pub fits: Vec<LawFit>,
    /// The largest number of workers that they were fitted to, where that is not the curve's: beyond it workers share
    /// cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fitted_up_to: Option<u32>,
    /// The simplest law that explains the curve; `None` where none was fitted.
    pub enough: Option<Law>,
    /// Why none was fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_fitted: Option<NotFitted>,
    /// What keeps it from growing.
    pub limit: Limit,
}

impl Deref for CurveLaws {
    type Target = Curve;

    fn deref(&self) -> &Curve {
        &self.curve
    }
}

impl CurveLaws {
    /// The numbers of workers that laws were fitted to, 1 first.
    #[must_use]
    pub fn fitted_workers(&self) -> &[u32] {
        let most = self.fitted_up_to.unwrap_or(u32::MAX);
        let count = self
            .workers
            .iter()
            .take_while(|workers| **workers <= most)
            .count();
        self.workers.get(..count).unwrap_or_default()
    }

    /// The fit of the law that is enough.
    #[must_use]
    pub fn best_fit(&self) -> Option<&LawFit> {
        self.fits.iter().find(|fit| Some(fit.law) == self.enough)
    }
}
