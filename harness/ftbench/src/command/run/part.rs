//! A part of a recorded run, which is measured again for `ftbench explain`.

use super::changes;
use super::planned::PlannedRun;
use super::resumed::{NotAgain, plan_again};
use crate::assets::Assets;
use crate::cli::OutputOptions;
use crate::command::cache_folder;
use ftbench_schema::{EnvironmentFacts, Manifest, ModuleFacts, PlannedCell, Settings};

/// Plans the cells of one curve of a recorded run again, with these settings. What else the run measured may have changed.
pub fn plan_curve(
    recorded: &Manifest,
    cells: &[PlannedCell],
    settings: Settings,
    output: OutputOptions,
) -> Result<PlannedRun, NotAgain> {
    let planned = plan_again(of_curve(recorded, cells, settings), output)?;
    if let Some(before) = &recorded.modules {
        let assets = Assets::unpack(&cache_folder()?)?;
        let now = planned.setup.code.modules(&assets.workloads, None);
        let own: Vec<ModuleFacts> = before
            .iter()
            .filter(|module| now.iter().any(|now| now.path == module.path))
            .cloned()
            .collect();
        NotAgain::if_changed(changes::modules(&own, &now))?;
    }
    Ok(planned)
}

/// Checks that the packages of a curve are those with which it was measured. `planned` is the manifest of the curve.
pub fn check_packages(planned: &Manifest, installed: &[EnvironmentFacts]) -> Result<(), NotAgain> {
    NotAgain::if_changed(changes::environments(&planned.environments, installed))
}

/// A manifest with what one curve needs. Arms stay, because there are at least two.
fn of_curve(recorded: &Manifest, cells: &[PlannedCell], settings: Settings) -> Manifest {
    let mut own = recorded.clone();
    let is_used = |of: &dyn Fn(&PlannedCell) -> bool| cells.iter().any(of);
    own.interpreters
        .retain(|interpreter| is_used(&|planned| planned.cell.interpreter == interpreter.tag));
    own.workloads
        .retain(|workload| is_used(&|planned| planned.cell.workload == workload.name));
    own.hosts.clear();
    own.extensions.retain(|extension| {
        let is_of = |planned: &PlannedCell| planned.cell.interpreter == extension.interpreter;
        let packages = own.workloads.iter().map(|workload| workload.extension.as_ref());
        is_used(&is_of)
            && packages
                .into_iter()
                .any(|package| package == Some(&extension.package))
    });
    own.environments = own
        .environments
        .into_iter()
        .filter_map(|environment| of_cells(environment, cells))
        .collect();
    // Modules of other workloads may be gone.
    own.modules = None;
    own.plan.settings = settings;
    own.plan.cells = cells.to_vec();
    own
}

/// An environment as it is recorded for these cells alone; `None` if they do not use it.
fn of_cells(environment: EnvironmentFacts, cells: &[PlannedCell]) -> Option<EnvironmentFacts> {
    let user = cells.iter().map(|planned| &planned.cell).find(|cell| {
        let is_of_arm = cell
            .arm
            .as_ref()
            .is_none_or(|arm| environment.arms.is_empty() || environment.arms.contains(arm));
        environment.interpreter == cell.interpreter
            && environment.workloads.contains(&cell.workload)
            && is_of_arm
    })?;
    Some(EnvironmentFacts {
        workloads: vec![user.workload.clone()],
        arms: user.arm.iter().cloned().collect(),
        ..environment
    })
}

#[cfg(test)]
mod tests {
    use ftbench_fixtures::interpreters::facts;
    use ftbench_fixtures::records::{cell_of, environment, manifest, planned, workload};
    use ftbench_schema::Model;

    use super::*;

    #[test]
    fn manifest_of_a_curve_has_nothing_of_others() {
        let cells = [("a", "3.14t"), ("a", "3.14"), ("b", "3.14t")]
            .map(|(workload, tag)| cell_of(workload, tag, Model::Threads, 1));
        let mut recorded = manifest(&cells);
        recorded.interpreters = ["3.14", "3.14t"].map(facts).to_vec();
        recorded.workloads = ["a", "b"].map(workload).to_vec();
        recorded.environments = ["3.14", "3.14t"].map(|tag| environment(tag, &[])).to_vec();
        for environment in &mut recorded.environments {
            environment.workloads = vec!["a".to_owned(), "b".to_owned()];
        }
        let settings = recorded.plan.settings.clone();
        let own = of_curve(&recorded, &[planned(&cells[2])], settings);
        assert_eq!(own.interpreters, [facts("3.14t")]);
        assert_eq!(own.workloads, [workload("b")]);
        assert_eq!(own.plan.cells, [planned(&cells[2])]);
        let [of_b] = &own.environments[..] else {
            unreachable!("{:?}", own.environments)
        };
        assert_eq!(
            (of_b.interpreter.as_str(), of_b.workloads.as_slice()),
            ("3.14t", &["b".to_owned()][..])
        );
    }
}
