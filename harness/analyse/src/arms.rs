//! How the arms of a run compare with the first of them.

use super::estimate::{centre_of, log_contrast};
use super::ratios::Measured;
use ftbench_schema::{ArmRatio, Cell, CellStatus, Difference};

/// The time of the first arm over that of each other one, for every cell in which both were measured alike, in the order
/// of the plan: nothing failed, and something switched the GIL back on in both or in none. `differs` is left to be
/// decided with all other comparisons of the summary.
#[must_use]
pub fn of_run(measured: &Measured<'_>) -> Vec<ArmRatio> {
    let Some(base) = measured.plan().base_arm() else {
        return Vec::new();
    };
    let compared = |cell: &Cell| {
        let of_base = cell.in_arm(base);
        let found = measured.status(cell);
        let was_measured = matches!(found, Some(CellStatus::Ok | CellStatus::GilReenabled));
        if !was_measured || found != measured.status(&of_base) {
            return None;
        }
        ratio(&of_base, cell, measured)
    };
    let cells = measured.plan().cells.iter().map(|planned| &planned.cell);
    cells.filter_map(compared).collect()
}

fn ratio(of_base: &Cell, cell: &Cell, measured: &Measured<'_>) -> Option<ArmRatio> {
    let base = of_base.arm.as_deref()?;
    cell.arm.as_deref().filter(|arm| *arm != base)?;
    let of_base = measured.makespans(of_base)?;
    let own = measured.makespans(cell)?;
    let logs = log_contrast(&[of_base], &[own]);
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
