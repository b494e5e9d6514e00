//! How each cell's process is started, from what the plan says.

use std::collections::BTreeMap;

use super::environments::Pythons;
use crate::error::Error;
use crate::measure::launch::{Launch, Launches, native_arguments, python_arguments};
use crate::measure::protocol::Entry;
use crate::record::schema::{Cell, InterpreterFacts, Manifest, WorkloadFacts};

/// Of every cell that is to be measured.
pub(super) fn of_run(manifest: &Manifest, pythons: &Pythons) -> Result<Launches, Error> {
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
            spawned(manifest, cell, workload).map(|launch| pythons.lead(cell, launch))
        };
        if let Some(launch) = launch {
            launches.insert(cell, launch);
        }
    }
    Ok(launches)
}

/// The ceiling's workers are ftbench itself.
fn native(manifest: &Manifest, workload: &WorkloadFacts) -> Result<Option<Launch>, Error> {
    let Some(ceiling) = &workload.ceiling else {
        return Ok(None);
    };
    Ok(Some(Launch {
        executable: std::env::current_exe().map_err(Error::OwnExecutable)?,
        arguments: native_arguments(ceiling.kernel),
        environment: manifest.environment.clone(),
        entry: Entry::default(),
    }))
}

/// The interpreter's own executable.
fn spawned(manifest: &Manifest, cell: &Cell, workload: &WorkloadFacts) -> Option<Launch> {
    let interpreter = manifest
        .interpreters
        .iter()
        .find(|interpreter| interpreter.tag == cell.interpreter)?;
    Some(Launch {
        executable: interpreter.path.clone().into(),
        arguments: python_arguments(),
        environment: environment(manifest, interpreter),
        entry: entry(workload),
    })
}

/// The run's environment and the interpreter's switches, which the processes that a trial starts inherit.
fn environment(manifest: &Manifest, interpreter: &InterpreterFacts) -> BTreeMap<String, String> {
    let mut environment = manifest.environment.clone();
    for switch in &interpreter.switches {
        environment.insert(switch.variable().to_owned(), switch.value().to_owned());
    }
    environment
}

fn entry(workload: &WorkloadFacts) -> Entry {
    Entry {
        path: workload.path.clone(),
        case: workload.case.clone(),
        callable: workload.callable.clone(),
    }
}
