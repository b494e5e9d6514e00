//! The ratios of cells that a summary shows. A run is precise when these are, so both take them from here.

use std::collections::HashMap;

use super::estimate::{Makespans, centre_of, log_contrast, paired_ratio};
use super::location::Location;
use ftbench_schema::{Cell, CellStatus, Curve, Estimate, Host, Model, Plan};

/// The cells of a run that were measured, by what they are.
#[derive(Debug)]
pub struct Measured<'a> {
    plan: &'a Plan,
    cells: HashMap<&'a Cell, MeasuredCell<'a>>,
    host_of_baseline: Host,
}

/// What was measured of a cell.
#[derive(Debug, Clone, Copy)]
pub struct MeasuredCell<'a> {
    /// What became of it.
    pub status: CellStatus,
    /// The makespans of its good trials, seconds.
    pub makespans: &'a Makespans,
}

impl<'a> Measured<'a> {
    /// The cells of this plan that have trials.
    #[must_use]
    pub fn new(plan: &'a Plan, cells: HashMap<&'a Cell, MeasuredCell<'a>>) -> Self {
        let is_spawned = |cell: &Cell| cell.host == Host::Spawn && !cell.is_native();
        let host_of_baseline = if plan.cells.iter().any(|planned| is_spawned(&planned.cell)) {
            Host::Spawn
        } else {
            Host::Embed
        };
        Self {
            plan,
            cells,
            host_of_baseline,
        }
    }

    /// The plan of the run.
    #[must_use]
    pub const fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// The cells, in no order.
    pub fn cells(&self) -> impl Iterator<Item = &'a Cell> {
        self.cells.keys().copied()
    }

    /// What became of a cell; `None` without a trial.
    #[must_use]
    pub fn status(&self, cell: &Cell) -> Option<CellStatus> {
        self.cells.get(cell).map(|measured| measured.status)
    }

    /// The makespans of a cell's good trials; `None` without a trial.
    #[must_use]
    pub fn makespans(&self, cell: &Cell) -> Option<&'a Makespans> {
        self.cells.get(cell).map(|measured| measured.makespans)
    }

    /// The makespans of a cell that is `ok`.
    #[must_use]
    pub fn good(&self, cell: &Cell) -> Option<&'a Makespans> {
        let measured = self.cells.get(cell)?;
        (measured.status == CellStatus::Ok).then_some(measured.makespans)
    }

    /// What others may be held against: not times of wrong results, which may come from less work than was asked for.
    fn reference(&self, cell: &Cell) -> Option<&'a Makespans> {
        let measured = self.cells.get(cell)?;
        (measured.status != CellStatus::WrongResult).then_some(measured.makespans)
    }

    /// The cell that `speedup` compares a cell with: the same with one worker.
    #[must_use]
    pub fn alone(cell: &Cell) -> Cell {
        Cell {
            workers: 1,
            ..cell.clone()
        }
    }

    /// The cell that `vs_baseline` compares a cell with: the baseline's `serial` cell, spawned where the run has spawned
    /// cells. `None` for a native cell, whose units are not the workload's.
    #[must_use]
    pub fn baseline(&self, cell: &Cell) -> Option<Cell> {
        (!cell.is_native()).then(|| Cell {
            curve: Curve {
                interpreter: self.plan.baseline.clone(),
                host: self.host_of_baseline,
                workload: cell.workload.clone(),
                arm: self.plan.base_arm().map(str::to_owned),
                model: Model::Serial,
            },
            workers: 1,
        })
    }

    /// The time of a reference over that of a cell, paired by sweep and round; `None` with too few rounds in common.
    #[must_use]
    pub fn ratio(&self, reference: &Cell, cell: &Cell) -> Option<Location> {
        paired_ratio(self.reference(reference)?, self.makespans(cell)?)
    }

    /// The cell's speedup over the ceiling's at the same number of workers: from the logarithms of
    /// (T1/TN) / (C1/CN), all four of the same sweep or round, so that what slows the machine down cancels. With weak scaling
    /// both speedups are N times the ratio of times, which cancels too.
    #[must_use]
    pub fn ceiling_fraction(&self, cell: &Cell) -> Option<Estimate> {
        if cell.is_native() || cell.model == Model::Serial {
            return None;
        }
        let native = Curve::native(&cell.workload).with_workers(cell.workers);
        let [one, many] = [&Self::alone(cell), cell].map(|cell| self.reference(cell));
        let [native_one, native_many] = [&Self::alone(&native), &native].map(|cell| self.reference(cell));
        let logs = log_contrast(&[one?, native_many?], &[many?, native_one?]);
        centre_of(logs).map(|found| found.centre)
    }
}
