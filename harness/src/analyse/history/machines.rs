//! Which runs were made on one machine.

use std::collections::HashMap;

use super::RunLine;
use crate::record::schema::history::{HistoryRun, MachineKey};

/// The machines of some runs.
pub struct Machines {
    /// Each, by its first run.
    pub machines: Vec<MachineKey>,
    /// The number of each run's machine.
    pub of_run: Vec<usize>,
    /// Whether host names were left out.
    pub hostnames_left_out: bool,
}

/// Tells machines apart by host name, processor, cores and quota. Where more than half of the host names come once only,
/// as in containers that are new for every run, they say nothing about the machine and are left out.
pub fn identify(runs: &[HistoryRun]) -> Machines {
    let mut named: HashMap<&str, usize> = HashMap::new();
    for run in runs {
        *named.entry(&run.machine.hostname).or_default() += 1;
    }
    let once = named.values().filter(|runs| **runs == 1).count();
    let hostnames_left_out = runs.len() > 2 && 2 * once > runs.len();
    let mut machines: Vec<MachineKey> = Vec::new();
    let of_run = runs
        .iter()
        .map(|run| {
            let mut key = run.machine.clone();
            if hostnames_left_out {
                key.hostname.clear();
            }
            machines
                .iter()
                .position(|known| *known == key)
                .unwrap_or_else(|| {
                    machines.push(key);
                    machines.len() - 1
                })
        })
        .collect();
    Machines {
        machines,
        of_run,
        hostnames_left_out,
    }
}

/// The runs as reports name them.
pub fn run_lines(runs: &[HistoryRun], machine_of_run: &[usize]) -> Vec<RunLine> {
    let mut last = None;
    runs.iter()
        .zip(machine_of_run)
        .map(|(run, &machine)| {
            let machine_changed = last.is_some_and(|last| last != machine);
            last = Some(machine);
            RunLine {
                folder: run.folder.clone(),
                started_at: run.started_at.clone(),
                commit: run.commit.clone(),
                labels: run.labels.clone(),
                machine,
                machine_changed,
            }
        })
        .collect()
}
