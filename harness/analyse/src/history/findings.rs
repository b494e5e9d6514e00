//! What a history tells.

use std::collections::BTreeMap;

use serde::Serialize;

use ftbench_schema::history::{MachineKey, Metric, PassedOver, RunSettings, SeriesKey};
use ftbench_schema::{CellStatus, Estimate, Kernels, WorkloadKind};

/// A change is recent while its first run is among so many newest runs of its series: long enough for three nights of
/// confirmation, and for somebody to come back from a long weekend. It is no longer when as many runs were made without the
/// series: a benchmark that was taken out, or a machine that was given up, cannot become green again by itself.
pub const RECENT_RUNS: usize = 7;

/// From this share of a machine's series on, a change that they have in common is told as one of the machine or the
/// build rather than of each.
const SHARED: f64 = 0.8;

/// One run, as reports name it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunLine {
    /// Its folder below the history's.
    pub folder: String,
    /// When it began, RFC 3339, UTC.
    pub started_at: String,
    /// The commit, where it was recorded.
    pub commit: Option<String>,
    /// What else was recorded with it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Number of its machine, from 0.
    pub machine: usize,
    /// Whether it is the first after runs on another machine.
    pub machine_changed: bool,
    /// Number of its settings, from 0; `None` where no run recorded any.
    pub settings: Option<usize>,
}

/// What was done about the drift of one machine, for the cells on one number of PUs whose workloads have one group of
/// kernels for their ceiling.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MachineDrift {
    /// Number of the machine.
    pub machine: usize,
    /// The kernels.
    pub kernels: Kernels,
    /// On how many PUs at once.
    pub pus: usize,
    /// Native series that saw it.
    pub native_series: usize,
    /// Robust standard deviation of the median series from run to run, as a share, as measured.
    pub spread: f64,
    /// The same with the drift divided out.
    pub spread_divided: f64,
    /// Whether it was divided out: whether that is quieter by a tenth.
    pub divided: bool,
}

/// What a series is of.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "of")]
pub enum Subject {
    /// One cell.
    Cell(SeriesKey),
    /// The geometric mean over all cells of a kind of workload on an interpreter, each relative to its median with the same
    /// file of the workload.
    Mean {
        /// The kind.
        kind: WorkloadKind,
        /// The interpreter with its host and arm.
        interpreter: String,
        /// How many cells.
        cells: usize,
    },
}

/// One run's value in a series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Night {
    /// Number of the run.
    pub run: usize,
    /// What became of the cell.
    pub status: CellStatus,
    /// The figure as measured, with the run's own 95 % interval; `None` where it has none.
    pub value: Option<Estimate>,
    /// The figure with the machine's drift divided out, which is what levels are made of.
    pub adjusted: Option<f64>,
}

/// A stretch of nights without a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Level {
    /// Position of its first night among the series' nights.
    pub first: usize,
    /// Position of its last.
    pub last: usize,
    /// Nights with a figure.
    pub nights: usize,
    /// The level: geometric mean, outliers brought in.
    pub value: f64,
    /// From its first night to its last along a line, as a ratio, where that is called a drift.
    pub drift: Option<f64>,
}

/// Whether a change is for the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Faster, or less memory.
    Better,
    /// Slower, or more memory.
    Worse,
}

/// Something that was not the same before and after a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// What it is.
    pub what: What,
    /// As it was in the last run before.
    pub before: String,
    /// As it is in the first run after.
    pub after: String,
}

/// What may differ between two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The interpreter's version or build.
    Interpreter,
    /// The workload's file.
    Workload,
    /// Operating system or kernel.
    System,
    /// The version of ftbench.
    Ftbench,
    /// The commit.
    Commit,
    /// The packages that were installed for it.
    Packages,
    /// The profile, where it has the same settings otherwise.
    Profile,
}

/// A confirmed change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Number of the series.
    pub series: usize,
    /// Number of the last run before it that has a figure.
    pub last_before: usize,
    /// Number of the first run after it.
    pub first_after: usize,
    /// Level before, in the metric's unit.
    pub before: f64,
    /// Level after.
    pub after: f64,
    /// After over before, with its 95 % interval.
    pub ratio: Estimate,
    /// Probability of as large a step by chance anywhere between its neighbours.
    pub p_value: f64,
    /// Whether it is for the better.
    pub direction: Direction,
    /// Whether its first run is among the newest of its series, and the series is still measured.
    pub recent: bool,
    /// What else changed at the same run.
    pub coincides_with: Vec<Difference>,
    /// Share of the machine's cells that changed the same way at the same run.
    pub shared_by: f64,
}

impl Change {
    /// Whether nearly all cells of the machine changed the same way at this run.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.shared_by >= SHARED
    }

    /// Whether the workload's own file changed with it, so that it says nothing about what the workload measures.
    #[must_use]
    pub fn is_of_workload(&self) -> bool {
        self.coincides_with
            .iter()
            .any(|difference| difference.what == What::Workload)
    }
}

/// One cell, or a mean of cells, on one machine with one kind of settings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// What it is of.
    pub subject: Subject,
    /// Number of its machine.
    pub machine: usize,
    /// Number of its settings; `None` where no run recorded any.
    pub settings: Option<usize>,
    /// Its nights, by time.
    pub nights: Vec<Night>,
    /// Its levels.
    pub levels: Vec<Level>,
    /// Standard deviation from night to night, as a share.
    pub noise: f64,
    /// Runs of its machine with its settings, between its first night and its last, in which it is not.
    pub missing: usize,
    /// Whether it was not in the first of these runs.
    pub new: bool,
}

/// All that a history tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct History {
    /// The figure.
    pub metric: Metric,
    /// Smallest relative change that counts.
    pub smallest_effect: f64,
    /// The runs, by time.
    pub runs: Vec<RunLine>,
    /// The machines, by their first run.
    pub machines: Vec<MachineKey>,
    /// Whether host names were left out, since hardly any came twice.
    pub hostnames_left_out: bool,
    /// The settings, by their first run.
    pub settings: Vec<RunSettings>,
    /// What was done about drift, one entry for each machine, group of kernels and number of PUs that cells and native
    /// cells have, if series are long enough to tell.
    pub drift: Vec<MachineDrift>,
    /// The changes: the newest first, of one run the largest.
    pub changes: Vec<Change>,
    /// The series, cells first, by name.
    pub series: Vec<Series>,
    /// What is not in the history, and why.
    pub passed_over: Vec<PassedOver>,
}

impl History {
    /// The regressions that are recent and not of a workload's own changed file: the newest runs are worse.
    pub fn regressions(&self) -> impl Iterator<Item = &Change> {
        self.changes
            .iter()
            .filter(|change| {
                change.recent && change.direction == Direction::Worse && !change.is_of_workload()
            })
            .filter(|change| self.is_last(change))
    }

    /// Whether nothing changed in the series after a change.
    fn is_last(&self, change: &Change) -> bool {
        !self
            .changes
            .iter()
            .any(|other| other.series == change.series && other.first_after > change.first_after)
    }

    /// The changes of a series, by time.
    #[must_use]
    pub fn changes_of(&self, series: usize) -> Vec<&Change> {
        let mut changes: Vec<&Change> = self
            .changes
            .iter()
            .filter(|change| change.series == series)
            .collect();
        changes.sort_by_key(|change| change.first_after);
        changes
    }
}
