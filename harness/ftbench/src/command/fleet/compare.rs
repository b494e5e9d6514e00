//! `ftbench compare` of two fleets.

use std::path::PathBuf;

use super::read::folder_of;
use crate::cli::{CompareArgs, OutputOptions};
use crate::command::compare::{CompareError, SelectedRuns, compare_runs};
use crate::command::selector::Selector;
use crate::error::Error;
use crate::record::fleet::read_index;
use crate::record::store;
use ftbench_analyse::compare::Comparison;
use ftbench_analyse::compare::fleet::{FleetComparison, MachineComparison, pair};

/// Compares two fleets machine by machine. A machine whose runs cannot be compared is left out with the reason, unless
/// no machine can.
pub fn compare(
    [base, new]: [Selector<'_>; 2],
    arguments: &CompareArgs,
    output: OutputOptions,
) -> Result<FleetComparison, Error> {
    let indexes = [read_index(base.folder)?, read_index(new.folder)?];
    let [base_index, new_index] = &indexes;
    let (pairs, left_out) = pair(base_index, new_index, arguments.anyway);
    if pairs.is_empty() {
        return Err(CompareError::NoMachine(left_out.join("; ")).into());
    }
    let mut fleets = FleetComparison::of(base_index, new_index, left_out);
    let mut first_error = None;
    for one in pairs {
        let folders = [
            folder_of(base.folder, &one.base)?,
            folder_of(new.folder, &one.new)?,
        ];
        let compared = compare_pair(&folders, [base.name, new.name], arguments, output);
        match compared {
            Ok(comparison) => {
                let machine = store::read_header(&folders[1])?.manifest.machine;
                fleets.machines.push(MachineComparison {
                    machine: one.name,
                    cores: machine.topology.cores,
                    pus: machine.topology.pus,
                    cpu_model: machine.cpu_model,
                    comparison,
                });
            }
            Err(error) => {
                fleets.left_out.push(format!("{}: {error}", one.name));
                first_error.get_or_insert(error);
            }
        }
    }
    match first_error {
        Some(error) if fleets.machines.is_empty() => Err(error),
        _ => Ok(fleets),
    }
}

fn compare_pair(
    [base, new]: &[PathBuf; 2],
    names: [Option<&str>; 2],
    arguments: &CompareArgs,
    output: OutputOptions,
) -> Result<Comparison, Error> {
    let runs = [SelectedRuns::in_folder(base)?, SelectedRuns::in_folder(new)?];
    compare_runs(&runs, names, arguments, output)
}
