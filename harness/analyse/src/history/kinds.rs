//! On which kinds of machines something recently changed.

use super::findings::{ChangedOnKind, Direction, History, KindVerdict, MachineKind, Subject};
use ftbench_schema::history::MachineKey;
use ftbench_schema::text;

/// The kinds of these machines.
pub fn kinds(machines: &[MachineKey]) -> Vec<MachineKind> {
    let without_name = |key: &MachineKey| MachineKey {
        hostname: String::new(),
        ..key.clone()
    };
    let mut kinds: Vec<(MachineKey, MachineKind)> = Vec::new();
    for (number, key) in machines.iter().enumerate() {
        let key = without_name(key);
        match kinds.iter_mut().find(|(known, _)| *known == key) {
            Some((_, kind)) => kind.machines.push(number),
            None => {
                let name = text::letter(kinds.len());
                let machines = vec![number];
                kinds.push((key, MachineKind { name, machines }));
            }
        }
    }
    kinds.into_iter().map(|(_, kind)| kind).collect()
}

/// The verdicts on everything that recently changed, in the order of the series; empty if all machines are of one kind.
pub fn verdicts(history: &History) -> Vec<KindVerdict> {
    if history.kinds.len() < 2 {
        return Vec::new();
    }
    let mut subjects: Vec<&Subject> = Vec::new();
    for series in &history.series {
        if !subjects.iter().any(|known| is_same(known, &series.subject)) {
            subjects.push(&series.subject);
        }
    }
    let changed = |direction| -> Vec<usize> {
        let changes = history.recent_changes(direction);
        changes.map(|change| change.series).collect()
    };
    let mut found = Vec::new();
    for (direction, changed) in [Direction::Worse, Direction::Better].map(|one| (one, changed(one))) {
        for subject in &subjects {
            let series = history.series.iter().enumerate();
            let own = series.filter(|(_, one)| is_same(&one.subject, subject));
            let own: Vec<(usize, usize)> = own.map(|(number, one)| (number, one.machine)).collect();
            if !own.iter().any(|(series, _)| changed.contains(series)) {
                continue;
            }
            let on_kind = |(kind, of): (usize, &MachineKind)| {
                let mut on = ChangedOnKind {
                    kind,
                    machines: 0,
                    changed: 0,
                };
                for machine in &of.machines {
                    // A machine has several series if its settings changed.
                    let mut series = own.iter().filter(|(_, of)| of == machine).peekable();
                    on.machines += usize::from(series.peek().is_some());
                    on.changed += usize::from(series.any(|(series, _)| changed.contains(series)));
                }
                (on.machines > 0).then_some(on)
            };
            found.push(KindVerdict {
                subject: (*subject).clone(),
                direction,
                kinds: history.kinds.iter().enumerate().filter_map(on_kind).collect(),
            });
        }
    }
    found
}

/// Whether two series follow the same thing. Machines of different kinds have means over different numbers of cells.
fn is_same(one: &Subject, other: &Subject) -> bool {
    match (one, other) {
        (Subject::Cell(one), Subject::Cell(other)) => one == other,
        (
            Subject::Mean {
                kind, interpreter, ..
            },
            Subject::Mean {
                kind: other_kind,
                interpreter: other_interpreter,
                ..
            },
        ) => (kind, interpreter) == (other_kind, other_interpreter),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::history::{Options, analyse};
    use ftbench_fixtures::nights::{Machine, Step, runs};
    use ftbench_schema::history::HistoryRun;

    /// Thirty nights of a machine with this name and number of cores, on which `w1` becomes slower if it is affected.
    fn nights(seed: u64, name: &str, cores: u32, is_affected: bool) -> Vec<HistoryRun> {
        let step = Step {
            workload: "w1",
            interpreter: "3.13t",
            night: 25,
            ratio: 1.2,
        };
        let steps = if is_affected { vec![step] } else { Vec::new() };
        let machine = Machine {
            seed,
            workloads: 2,
            ..Machine::default()
        };
        let mut made = runs(30, &steps, machine);
        for run in &mut made {
            name.clone_into(&mut run.machine.hostname);
            run.machine.cores = cores;
            run.folder = format!("{name}/{}", run.folder);
        }
        made
    }

    #[test]
    fn change_of_two_kinds_out_of_three_is_named_with_its_kinds() {
        let mut all = nights(1, "a", 2, true);
        for (seed, name, cores, is_affected) in [
            (2, "b0", 4, false),
            (3, "b1", 4, false),
            (4, "b2", 4, true),
            (5, "c", 8, true),
        ] {
            all.extend(nights(seed, name, cores, is_affected));
        }
        let history = analyse(all, Options::default());
        let kinds: Vec<(&str, usize)> = history
            .kinds
            .iter()
            .map(|kind| (kind.name.as_str(), kind.machines.len()))
            .collect();
        assert_eq!(kinds, [("A", 1), ("B", 3), ("C", 1)]);
        let of_cell = |workers: u32| {
            let mut verdicts = history
                .verdicts
                .iter()
                .filter(|one| one.direction == Direction::Worse);
            let found = verdicts.find(|one| match &one.subject {
                Subject::Cell(key) => {
                    key.workload == "w1" && key.interpreter == "3.13t" && key.workers == workers
                }
                Subject::Mean { .. } => false,
            });
            let kinds = &found.unwrap().kinds;
            kinds
                .iter()
                .map(|one| (one.changed, one.machines, one.is_of_kind()))
                .collect::<Vec<_>>()
        };
        for workers in [1, 2] {
            assert_eq!(of_cell(workers), [(1, 1, true), (1, 3, false), (1, 1, true)]);
        }
        let is_of_w0 =
            |verdict: &KindVerdict| matches!(&verdict.subject, Subject::Cell(key) if key.workload == "w0");
        assert!(!history.verdicts.iter().any(is_of_w0), "{:?}", history.verdicts);
    }

    #[test]
    fn machines_of_one_kind_have_no_verdicts_by_kind() {
        let mut all = nights(1, "a", 2, true);
        all.extend(nights(2, "b", 2, true));
        let history = analyse(all, Options::default());
        assert_eq!((history.machines.len(), history.kinds.len()), (2, 1));
        assert_eq!(history.verdicts, []);
        assert!(history.regressions().next().is_some());
    }
}
