//! How the process of each cell is started, according to the plan.

use std::collections::BTreeMap;

use super::environments::Pythons;
use crate::error::SystemError;
use crate::measure::launch::{Launch, Launches, native_arguments, python_arguments};
use crate::measure::protocol::Entry;
use ftbench_schema::{ArmKind, Cell, Host, HostFacts, InterpreterFacts, Manifest, WorkloadFacts};

/// The launches of all cells that are to be measured.
pub(super) fn of_run(manifest: &Manifest, pythons: &Pythons) -> Result<Launches, SystemError> {
    let mut launches = Launches::default();
    for planned in &manifest.plan.cells {
        let cell = &planned.cell;
        if planned.skipped.is_some() || launches.knows(cell) {
            continue;
        }
        let Some(workload) = manifest
            .workloads
            .iter()
            .find(|workload| workload.name == cell.workload)
        else {
            continue;
        };
        let launch = if cell.is_native() {
            native(manifest, workload)?.map(Ok)
        } else {
            python(manifest, pythons, cell, workload)
        };
        if let Some(launch) = launch {
            launches.insert(cell, launch);
        }
    }
    Ok(launches)
}

/// The launch of a cell of the ceiling, whose workers are ftbench itself.
fn native(manifest: &Manifest, workload: &WorkloadFacts) -> Result<Option<Launch>, SystemError> {
    let Some(ceiling) = &workload.ceiling else {
        return Ok(None);
    };
    Ok(Some(Launch {
        executable: std::env::current_exe().map_err(SystemError::of(
            "find ftbench's own executable",
            "measure without the ceiling (--no-ceiling)",
        ))?,
        arguments: native_arguments(ceiling.kernel),
        environment: manifest.environment.clone(),
        fixed_variables: Vec::new(),
        entry: Entry::default(),
    }))
}

/// The launch of the interpreter's own executable or of the program that embeds it. The arguments of that program are
/// the path of the executable and the executable's own arguments.
fn python(
    manifest: &Manifest,
    pythons: &Pythons,
    cell: &Cell,
    workload: &WorkloadFacts,
) -> Option<Result<Launch, String>> {
    let interpreter = manifest.interpreter(&cell.interpreter)?;
    let launch = Launch {
        executable: interpreter.path.clone().into(),
        arguments: python_arguments(),
        environment: environment(manifest, interpreter, workload),
        fixed_variables: manifest.variables.clone(),
        entry: entry(manifest, cell, workload),
    };
    let with_packages = pythons.apply(cell, launch);
    if cell.host == Host::Spawn {
        return Some(with_packages);
    }
    let embeds_interpreter = |host: &&HostFacts| host.interpreter == cell.interpreter;
    let host = manifest.hosts.iter().find(embeds_interpreter)?;
    Some(with_packages.map(|mut launch| {
        let replaced = launch.executable.display().to_string();
        launch.arguments.insert(0, replaced);
        launch.executable = host.executable.clone().into();
        launch
    }))
}

/// The environment variables of a trial: those of every trial, the interpreter's switches, which child processes
/// inherit, and the module path of the workload's extension.
fn environment(
    manifest: &Manifest,
    interpreter: &InterpreterFacts,
    workload: &WorkloadFacts,
) -> BTreeMap<String, String> {
    let mut environment = manifest.environment.clone();
    for switch in &interpreter.switches {
        environment.insert(switch.variable().to_owned(), switch.value().to_owned());
    }
    let built = manifest.extensions.iter().find(|built| {
        built.interpreter == interpreter.tag && Some(&built.package) == workload.extension.as_ref()
    });
    if let (Some(built), Some(path)) = (built, environment.get_mut("PYTHONPATH")) {
        path.push(':');
        path.push_str(&built.folder);
    }
    environment
}

/// The location of the cell's version of the workload.
fn entry(manifest: &Manifest, cell: &Cell, workload: &WorkloadFacts) -> Entry {
    let arm = cell.arm.as_ref().and_then(|name| manifest.arm(name));
    let path_of = |kind: ArmKind| arm.filter(|arm| arm.kind == kind).map(|arm| arm.path.clone());
    Entry {
        path: path_of(ArmKind::File).unwrap_or_else(|| workload.path.clone()),
        case: workload.case.clone(),
        format: workload.format,
        arguments: workload.arguments.clone(),
        callable: workload.callable.clone(),
        call: workload.call.clone(),
        command: workload.command.clone(),
        module_folder: path_of(ArmKind::Folder),
        loop_factory: manifest.plan.settings.loop_factory.clone(),
    }
}
