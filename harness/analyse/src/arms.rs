//! Comparison of the arms of a run with the base arm.

use super::estimate::{centre_of, log_contrast};
use super::ratios::Measured;
use ftbench_schema::{ArmRatio, Cell, CellStatus, Difference};

/// Returns the base arm's time divided by each other arm's, in the order of the plan, for every cell in which both were
/// measured under the same conditions: nothing failed, and the GIL was switched back on in both or in neither.
/// `differs` is decided later, together with all other comparisons of the summary.
#[must_use]
pub fn of_run(measured: &Measured<'_>) -> Vec<ArmRatio> {
    let Some(base) = measured.plan().base_arm() else {
        return Vec::new();
    };
    let compared = |cell: &Cell| {
        let base_cell = cell.in_arm(base);
        let status = measured.status(cell);
        let was_measured = matches!(status, Some(CellStatus::Ok | CellStatus::GilReenabled));
        if !was_measured || status != measured.status(&base_cell) {
            return None;
        }
        ratio(&base_cell, cell, measured)
    };
    let cells = measured.plan().cells.iter().map(|planned| &planned.cell);
    cells.filter_map(compared).collect()
}

fn ratio(base_cell: &Cell, cell: &Cell, measured: &Measured<'_>) -> Option<ArmRatio> {
    let base = base_cell.arm.as_deref()?;
    cell.arm.as_deref().filter(|arm| *arm != base)?;
    let base_makespans = measured.makespans(base_cell)?;
    let own = measured.makespans(cell)?;
    let logs = log_contrast(&[base_makespans], &[own]);
    let rounds = logs.len();
    let found = centre_of(logs)?;
    Some(ArmRatio {
        cell: cell.clone(),
        base: base.to_owned(),
        rounds: u32::try_from(rounds).unwrap_or(u32::MAX),
        ratio: found.centre,
        difference: Difference {
            p_value: found.p_value,
            differs: false,
        },
    })
}
