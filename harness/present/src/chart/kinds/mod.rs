//! Makes charts from the figures of a run, one function for each kind.

mod curve_words;
mod curves;
mod gil;
mod join;
mod laws;
mod material;
pub(super) mod measured;
mod overhead;
mod series;
mod show;
mod shown;
mod suite;
mod trials;
mod workloads;

pub(crate) use curve_words::per_second;
pub(crate) use curves::{Figure, figures, of_machines};
pub use join::{JoinError, Part, join};
pub use material::Material;
pub(crate) use measured::MOST_SERIES;
pub(crate) use shown::WORKERS;

use super::Chart;

/// A kind of chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Speedup over workers, of one workload.
    Scaling,
    /// Units of work a second over workers, of one workload.
    Throughput,
    /// Speedup over the number of workers, of one workload.
    Efficiency,
    /// Time over workers, of one workload.
    Makespan,
    /// One model across interpreters, of one workload.
    Interpreters,
    /// Threads with and without the GIL, for each workload.
    Gil,
    /// What the free-threaded build costs on one worker, for each workload.
    Overhead,
    /// Peak memory over workers, of one workload.
    Memory,
    /// Speedups of all workloads by interpreter and model.
    HeatMap,
    /// Efficiencies of all workloads by interpreter and model.
    EfficiencyMap,
    /// Every sample of one workload.
    Spread,
    /// Every trial of a run, in time.
    TimeLine,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Scaling,
        Self::Throughput,
        Self::Efficiency,
        Self::Makespan,
        Self::Interpreters,
        Self::Gil,
        Self::Overhead,
        Self::Memory,
        Self::HeatMap,
        Self::EfficiencyMap,
        Self::Spread,
        Self::TimeLine,
    ];

    /// Returns the kind's name on the command line and in file names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scaling => "scaling",
            Self::Throughput => "throughput",
            Self::Efficiency => "efficiency",
            Self::Makespan => "makespan",
            Self::Interpreters => "interpreters",
            Self::Gil => "gil",
            Self::Overhead => "overhead",
            Self::Memory => "memory",
            Self::HeatMap => "heat-map",
            Self::EfficiencyMap => "efficiency-map",
            Self::Spread => "spread",
            Self::TimeLine => "time-line",
        }
    }

    /// Returns the kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether a chart of this kind shows one workload, not all of a run's.
    #[must_use]
    pub const fn of_one_workload(self) -> bool {
        matches!(
            self,
            Self::Scaling
                | Self::Throughput
                | Self::Efficiency
                | Self::Makespan
                | Self::Interpreters
                | Self::Memory
                | Self::Spread
        )
    }

    /// Whether the kind needs the trials, not only the summary.
    #[must_use]
    pub const fn takes_trials(self) -> bool {
        matches!(self, Self::Spread | Self::TimeLine)
    }
}

/// Makes the chart of a kind; those that are of a whole run ignore `workload`.
#[must_use]
pub fn make(kind: Kind, material: &Material, workload: &str) -> Chart {
    match kind {
        Kind::Scaling => curves::scaling(material, workload),
        Kind::Throughput => curves::throughput(material, workload),
        Kind::Efficiency => curves::efficiency(material, workload),
        Kind::Makespan => curves::makespan(material, workload),
        Kind::Interpreters => curves::interpreters(material, workload),
        Kind::Memory => curves::memory(material, workload),
        Kind::Gil => gil::gil(material),
        Kind::Overhead => overhead::overhead(material),
        Kind::HeatMap => suite::heat_map(material, suite::Shown::Speedup),
        Kind::EfficiencyMap => suite::heat_map(material, suite::Shown::Efficiency),
        Kind::Spread => trials::spread(material, workload),
        Kind::TimeLine => trials::time_line(material),
    }
}
