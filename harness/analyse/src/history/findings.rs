//! The results of analysing a history.

use std::collections::BTreeMap;

use serde::Serialize;

use ftbench_schema::history::{MachineKey, Metric, RunSettings, SeriesKey, SkippedFolder};
use ftbench_schema::{CellStatus, Estimate, KernelGroup, WorkloadKind};

/// A change is recent if its first run is among this many newest runs of its series. This leaves time for three nights
/// of confirmation and for a long weekend. It is no longer recent once as many runs were made without the series,
/// because a removed benchmark or machine cannot recover by itself.
pub const RECENT_RUNS: usize = 7;

/// If at least this share of a machine's cells changes together, the change is attributed to the machine or the build
/// rather than to each cell.
const SHARED: f64 = 0.8;

/// One run as listed in reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunLine {
    /// Its folder, relative to the history's.
    pub folder: String,
    /// When it began, RFC 3339, UTC.
    pub started_at: String,
    /// The commit, if it was recorded.
    pub commit: Option<String>,
    /// The labels that were recorded with the run.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Number of its machine, from 0.
    pub machine: usize,
    /// Whether it is the first run after runs on another machine.
    pub machine_changed: bool,
    /// Number of its settings, from 0; `None` if no run recorded any.
    pub settings: Option<usize>,
}

/// The drift of one machine, for the cells on one number of PUs whose ceiling belongs to one group of kernels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MachineDrift {
    /// Number of the machine.
    pub machine: usize,
    /// The ceiling's kernels that show the drift.
    pub kernels: KernelGroup,
    /// Number of PUs at once.
    pub pus: usize,
    /// Number of native series that measured the drift.
    pub native_series: usize,
    /// Robust standard deviation of the median series between runs as measured, as a share.
    pub spread: f64,
    /// The same with the drift divided out.
    pub spread_divided: f64,
    /// Whether the drift was divided out, because that makes the series quieter by a tenth.
    pub divided: bool,
}

/// The subject of a series.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "of")]
pub enum Subject {
    /// One cell.
    Cell(SeriesKey),
    /// The geometric mean over all cells of a kind of workload on an interpreter, each relative to its own median with
    /// the same workload file.
    Mean {
        /// The kind of workload.
        kind: WorkloadKind,
        /// The interpreter with its host and arm.
        interpreter: String,
        /// Number of cells.
        cells: usize,
    },
}

/// One run's value in a series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Night {
    /// Number of the run.
    pub run: usize,
    /// How the cell ended.
    pub status: CellStatus,
    /// The figure as measured, with the run's own 95 % interval; `None` if there is none.
    pub value: Option<Estimate>,
    /// The figure with the machine's drift divided out, from which levels are computed.
    pub adjusted: Option<f64>,
}

/// A stretch of nights without a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Level {
    /// Position of its first night among the series' nights.
    pub first: usize,
    /// Position of its last night.
    pub last: usize,
    /// Number of nights with a figure.
    pub nights: usize,
    /// The level: geometric mean with outliers clamped.
    pub value: f64,
    /// The ratio from its first night to its last along a line, if it is significant.
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

/// A difference between the runs before and after a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// The kind of difference.
    pub what: DifferenceKind,
    /// The value in the last run before the change.
    pub before: String,
    /// The value in the first run after the change.
    pub after: String,
}

/// A property that may differ between two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
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
    /// The profile, if the other settings are the same.
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
    /// Level before the change, in the metric's unit.
    pub before: f64,
    /// Level after the change.
    pub after: f64,
    /// Level after divided by level before, with its 95 % interval.
    pub ratio: Estimate,
    /// Probability of a step at least as large by chance anywhere between its neighbours.
    pub p_value: f64,
    /// Whether the change is for the better.
    pub direction: Direction,
    /// Whether its first run is among the newest of its series and the series is still measured.
    pub recent: bool,
    /// What else changed in the same run.
    pub coincides_with: Vec<Difference>,
    /// Share of the machine's cells that changed in the same direction in the same run.
    pub shared_by: f64,
}

impl Change {
    /// Whether nearly all cells of the machine changed in the same direction in this run.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.shared_by >= SHARED
    }

    /// Whether the workload's own file changed too, so that the change does not indicate a regression.
    #[must_use]
    pub fn is_of_workload(&self) -> bool {
        self.coincides_with
            .iter()
            .any(|difference| difference.what == DifferenceKind::Workload)
    }
}

/// One cell, or a mean of cells, on one machine with one set of settings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// The cell or mean that the series follows.
    pub subject: Subject,
    /// Number of its machine.
    pub machine: usize,
    /// Number of its settings; `None` if no run recorded any.
    pub settings: Option<usize>,
    /// Its nights, by time.
    pub nights: Vec<Night>,
    /// Its levels.
    pub levels: Vec<Level>,
    /// Standard deviation between nights, as a share.
    pub noise: f64,
    /// Number of runs on its machine with its settings, between its first night and its last, that do not contain it.
    pub missing: usize,
    /// Whether it was missing from the first of these runs.
    pub new: bool,
}

/// Machines with the same processor, numbers of cores and PUs, and quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MachineKind {
    /// A letter: `A`, `B` and so on.
    pub name: String,
    /// The numbers of its machines.
    pub machines: Vec<usize>,
}

/// A cell or mean that recently changed on one kind of machine or several, in one direction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindVerdict {
    /// The cell or mean.
    pub subject: Subject,
    /// Whether the change is for the better.
    pub direction: Direction,
    /// Each kind that follows the subject.
    pub kinds: Vec<ChangedOnKind>,
}

/// How many machines of a kind show a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ChangedOnKind {
    /// The number of the kind.
    pub kind: usize,
    /// Number of its machines that follow the subject.
    pub machines: usize,
    /// Number of those that changed.
    pub changed: usize,
}

impl ChangedOnKind {
    /// Whether most machines of the kind changed, as a change of the kind does and one of a single machine does not.
    #[must_use]
    pub const fn is_of_kind(&self) -> bool {
        2 * self.changed > self.machines
    }
}

/// The analysis of a history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct History {
    /// The figure that is followed.
    pub metric: Metric,
    /// Smallest relative change of interest.
    pub smallest_effect: f64,
    /// The runs, by time.
    pub runs: Vec<RunLine>,
    /// The machines, in the order of their first run.
    pub machines: Vec<MachineKey>,
    /// The kinds of the machines, in the same order.
    pub kinds: Vec<MachineKind>,
    /// Whether host names were ignored because most of them occur only once.
    pub hostnames_left_out: bool,
    /// The settings, in the order of their first run.
    pub settings: Vec<RunSettings>,
    /// The drift, one entry for each combination of machine, group of kernels and number of PUs that has both cells and
    /// native cells, if series are long enough.
    pub drift: Vec<MachineDrift>,
    /// The changes, newest first; within a run, largest first.
    pub changes: Vec<Change>,
    /// What recently changed, and on which kinds of machines; empty if all are of one kind.
    pub verdicts: Vec<KindVerdict>,
    /// The series, cells first, ordered by name.
    pub series: Vec<Series>,
    /// Folders that are left out of the history, with the reasons.
    pub passed_over: Vec<SkippedFolder>,
}

impl History {
    /// Returns the recent regressions in which the workload's own file did not change: the newest runs are worse.
    pub fn regressions(&self) -> impl Iterator<Item = &Change> {
        self.recent_changes(Direction::Worse)
    }

    /// Returns the recent changes in this direction that are the last of their series and in which the workload's own
    /// file did not change.
    pub fn recent_changes(&self, direction: Direction) -> impl Iterator<Item = &Change> {
        self.changes
            .iter()
            .filter(move |change| change.recent && change.direction == direction && !change.is_of_workload())
            .filter(|change| self.is_last(change))
    }

    /// Whether the change is the last one of its series.
    fn is_last(&self, change: &Change) -> bool {
        !self
            .changes
            .iter()
            .any(|other| other.series == change.series && other.first_after > change.first_after)
    }

    /// Returns the changes of a series, by time.
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
