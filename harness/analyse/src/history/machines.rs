//! Identification of the machines that runs were made on.

use std::collections::HashMap;

use super::findings::{RECENT_RUNS, RunLine};
use super::series::Setup;
use ftbench_schema::history::{HistoryRun, MachineKey};

/// The machines of a set of runs.
pub struct Machines {
    /// The machines, in the order of their first run.
    pub machines: Vec<MachineKey>,
    /// The number of each run's machine.
    pub of_run: Vec<usize>,
    /// Whether host names were ignored.
    pub hostnames_left_out: bool,
}

/// Distinguishes machines by host name, processor, cores and quota. If more than half of the host names occur only
/// once, as for containers created for each run, they do not identify machines and are ignored.
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

/// Whether something that was last seen in this run is still measured: the run is among the newest of its machine, and
/// the machine is still in use, which it is not if another machine has since made as many runs.
pub fn is_current(run: usize, machine_of_run: &[usize]) -> bool {
    let Some(own) = machine_of_run.get(run) else {
        return false;
    };
    let since = |run: usize| machine_of_run.iter().skip(run + 1);
    if since(run).filter(|machine| *machine == own).count() >= RECENT_RUNS {
        return false;
    }
    let last = machine_of_run.iter().rposition(|machine| machine == own);
    let mut of_others: HashMap<usize, usize> = HashMap::new();
    for machine in since(last.unwrap_or(run)) {
        *of_others.entry(*machine).or_default() += 1;
    }
    of_others.into_values().all(|runs| runs < RECENT_RUNS)
}

/// Returns the runs as listed in reports.
pub fn run_lines(runs: &[HistoryRun], setups: &[Setup]) -> Vec<RunLine> {
    let mut last = None;
    runs.iter()
        .zip(setups)
        .map(|(run, &Setup { machine, settings })| {
            let machine_changed = last.is_some_and(|last| last != machine);
            last = Some(machine);
            RunLine {
                folder: run.folder.clone(),
                started_at: run.started_at.clone(),
                commit: run.commit.clone(),
                labels: run.labels.clone(),
                machine,
                machine_changed,
                settings,
            }
        })
        .collect()
}
