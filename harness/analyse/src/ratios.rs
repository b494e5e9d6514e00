//! The ratios of cells that a summary shows. They also determine the precision of a run.

use std::collections::HashMap;

use super::estimate::{Makespans, centre_of, log_contrast, paired_ratio};
use super::location::Location;
use ftbench_schema::{Cell, CellStatus, Curve, Estimate, Host, Model, Plan, Scaling};

/// The measured cells of a run.
#[derive(Debug)]
pub struct Measured<'a> {
    plan: &'a Plan,
    cells: HashMap<&'a Cell, MeasuredCell<'a>>,
    host_of_baseline: Host,
}

/// The measurements of a cell.
#[derive(Debug, Clone, Copy)]
pub struct MeasuredCell<'a> {
    /// How the cell ended.
    pub status: CellStatus,
    /// The makespans of its successful trials, seconds.
    pub makespans: &'a Makespans,
}

impl<'a> Measured<'a> {
    /// Takes the cells of this plan that have trials.
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

    /// Returns the cells in arbitrary order.
    pub fn cells(&self) -> impl Iterator<Item = &'a Cell> {
        self.cells.keys().copied()
    }

    /// Returns how a cell ended; `None` without a trial.
    #[must_use]
    pub fn status(&self, cell: &Cell) -> Option<CellStatus> {
        self.cells.get(cell).map(|measured| measured.status)
    }

    /// Returns the makespans of a cell's successful trials; `None` without a trial.
    #[must_use]
    pub fn makespans(&self, cell: &Cell) -> Option<&'a Makespans> {
        self.cells.get(cell).map(|measured| measured.makespans)
    }

    /// Returns the makespans of a cell whose status is `ok`.
    #[must_use]
    pub fn ok_makespans(&self, cell: &Cell) -> Option<&'a Makespans> {
        let measured = self.cells.get(cell)?;
        (measured.status == CellStatus::Ok).then_some(measured.makespans)
    }

    /// Returns the makespans of a cell that others are compared with. Wrong results are excluded, because they may come
    /// from less work.
    fn reference(&self, cell: &Cell) -> Option<&'a Makespans> {
        let measured = self.cells.get(cell)?;
        (measured.status != CellStatus::WrongResult).then_some(measured.makespans)
    }

    /// Returns the cell that `speedup` compares a cell with: the same one with one worker.
    #[must_use]
    pub fn single_worker(cell: &Cell) -> Cell {
        Cell {
            workers: 1,
            ..cell.clone()
        }
    }

    /// Returns the cell that `vs_baseline` compares a cell with: the baseline's `serial` cell, spawned if the run has
    /// spawned cells. `None` for a native cell, whose units are not the workload's.
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

    /// Returns the work of a cell divided by that of a reference. With weak scaling, N workers do N times the work
    /// (Gustafson, "Reevaluating Amdahl's Law", 1988).
    #[must_use]
    pub fn work_ratio(&self, reference: &Cell, cell: &Cell) -> f64 {
        match self.plan.settings.scaling {
            Scaling::Strong => 1.0,
            Scaling::Weak => f64::from(cell.workers) / f64::from(reference.workers),
        }
    }

    /// Returns the time of a reference divided by that of a cell, paired by sweep and round; `None` with too few rounds
    /// in common.
    #[must_use]
    pub fn ratio(&self, reference: &Cell, cell: &Cell) -> Option<Location> {
        paired_ratio(self.reference(reference)?, self.makespans(cell)?)
    }

    /// Returns the cell's speedup divided by the ceiling's with the same number of workers. It is computed from the
    /// logarithms of (T1/TN) / (C1/CN), all four from the same sweep or round, so that disturbances of the machine
    /// cancel. With weak scaling both speedups are N times the ratio of times, which cancels too.
    #[must_use]
    pub fn ceiling_fraction(&self, cell: &Cell) -> Option<Estimate> {
        if cell.is_native() || cell.model == Model::Serial {
            return None;
        }
        let native = Curve::native(&cell.workload).with_workers(cell.workers);
        let [one, many] = [&Self::single_worker(cell), cell].map(|cell| self.reference(cell));
        let [native_one, native_many] =
            [&Self::single_worker(&native), &native].map(|cell| self.reference(cell));
        let logs = log_contrast(&[one?, native_many?], &[many?, native_one?]);
        centre_of(logs).map(|found| found.centre)
    }
}
