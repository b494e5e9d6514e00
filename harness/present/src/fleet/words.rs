//! What is said of a fleet, and its tables, for every format.

use itertools::Itertools;

use crate::chart::per_second;
use crate::table::{Cell, Column, Table, Tone};
use ftbench_analyse::fleet::{
    CurveFigures, Figure, Fleet, Kind, MIN_NODES, Machine, NodeEffect, OnMachine, median_of_kind,
};
use ftbench_schema::text::{self, counted};
use ftbench_schema::{CellStatus, Estimate, FleetShape, NATIVE, RunStatus, units};

/// Maximum number of machines that get a column each on a terminal.
pub const MAX_COLUMNS: usize = 6;

/// Maximum number of names in a list.
const MAX_NAMES: usize = 8;

/// What the fleet is, in one sentence.
pub fn opening(fleet: &Fleet) -> String {
    let machines = counted(fleet.machines.len(), "machine");
    let kinds = counted(fleet.kinds.len(), "kind");
    let what = match fleet.shape {
        FleetShape::Same => format!("{machines} of {kinds}, the same plan on each"),
        FleetShape::Spread => {
            format!(
                "{machines} of {kinds}, one plan in {}",
                counted(fleet.shards as usize, "shard")
            )
        }
    };
    format!("Fleet {}: {what}", text::line(&fleet.fleet))
}

/// A list of names, cut after some.
fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(MAX_NAMES);
    let shown = names.iter().take(MAX_NAMES).join(", ");
    if more > 0 {
        format!("{shown} and {more} more")
    } else {
        shown
    }
}

/// A kind with its processor: `A (AMD EPYC 9554, 64 cores)`.
pub fn kind(kind: &Kind) -> String {
    let cores = counted(kind.cores as usize, "core");
    format!("{} ({}, {cores})", kind.name, text::line(&kind.cpu_model))
}

fn kind_letter(fleet: &Fleet, number: usize) -> &str {
    fleet.kinds.get(number).map_or("", |kind| kind.name.as_str())
}

/// The name of a machine with its kind, if there are several: `n1 (A)`.
pub fn machine(fleet: &Fleet, machine: &Machine) -> String {
    let name = text::line(&machine.name);
    if fleet.kinds.len() > 1 {
        format!("{name} ({})", kind_letter(fleet, machine.kind))
    } else {
        name
    }
}

const fn status(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Complete => "complete",
        RunStatus::Interrupted => "interrupted",
        RunStatus::Running => "did not end",
    }
}

/// The machines, one row each.
pub fn machines(fleet: &Fleet) -> Table {
    let each = || fleet.machines.iter();
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    Table::new(vec![
        Column::words("machine", each().map(|one| one.name.clone())),
        Column::words("kind", each().map(|one| kind_letter(fleet, one.kind).to_owned())),
        Column::figures("shard", each().map(|one| one.shard)),
        Column::words("processor", each().map(|one| one.machine.cpu_model.clone())),
        Column::figures("cores", each().map(|one| one.machine.topology.cores)),
        Column::figures("PUs", each().map(|one| one.machine.topology.allowed_pus.len())),
        Column::words("kernel", each().map(|one| one.machine.kernel.clone())),
        Column::words("microcode", each().map(|one| or_dash(&one.machine.microcode))),
        Column::words("governor", each().map(|one| or_dash(&one.machine.governor))),
        Column::figures("rounds", each().map(|one| one.rounds)),
        Column::words(
            "run",
            each().map(|one| {
                let tone = if one.status == RunStatus::Complete {
                    Tone::Plain
                } else {
                    Tone::Caution
                };
                Cell::from(status(one.status)).toned(tone)
            }),
        ),
    ])
}

/// What is missing from the results, one sentence each.
pub fn missing(fleet: &Fleet) -> Vec<String> {
    let mut lines = Vec::new();
    if !fleet.missing_shards.is_empty() {
        let shards = list(fleet.missing_shards.iter().map(u32::to_string));
        let noun = if fleet.missing_shards.len() == 1 {
            "shard"
        } else {
            "shards"
        };
        lines.push(format!("There is no run of {noun} {shards} of {}.", fleet.shards));
    }
    let unfinished = fleet
        .machines
        .iter()
        .filter(|one| one.status != RunStatus::Complete);
    let names: Vec<String> = unfinished.map(|one| text::line(&one.name)).collect();
    if !names.is_empty() {
        let verb = if names.len() == 1 { "has" } else { "have" };
        lines.push(format!(
            "{} {verb} measured only a part of the plan; figures are of what there is.",
            list(names.into_iter())
        ));
    }
    if fleet.shape == FleetShape::Spread && fleet.kinds.len() > 1 {
        let kinds = fleet.kinds.iter().map(kind).collect::<Vec<_>>().join(", ");
        lines.push(format!(
            "The plan was spread over machines that are not equal: {kinds}. Figures of different shards cannot be compared."
        ));
    }
    lines.extend(mixed_constraints(fleet));
    lines.extend(fleet.machines.iter().filter_map(|one| {
        let error_s = one.clock_error_s?;
        Some(clock(&one.name, error_s))
    }));
    lines.extend(fleet.left_out.iter().map(|run| {
        format!(
            "{} ({}) is left out: {}.",
            text::line(&run.folder),
            status(run.status),
            text::line(run.left_out.as_deref().unwrap_or_default())
        )
    }));
    lines
}

/// What is said of a clock that is off by this much at least, seconds.
#[must_use]
pub fn clock(node: &str, error_s: f64) -> String {
    let minutes = (error_s.abs() / 60.0).floor();
    format!(
        "The clock of {} is {} by at least {}: the times of its run are wrong, its figures are not.",
        text::line(node),
        if error_s > 0.0 { "ahead" } else { "behind" },
        counted(minutes, "minute")
    )
}

/// Constraints of the batch system that promised one kind of machine and had several, one sentence each.
fn mixed_constraints(fleet: &Fleet) -> Vec<String> {
    let constraints = fleet
        .machines
        .iter()
        .filter_map(|one| one.constraint.as_deref())
        .unique();
    let sentence = |constraint: &str| {
        let own = |number: usize| {
            fleet
                .machines
                .iter()
                .filter(move |one| one.kind == number && one.constraint.as_deref() == Some(constraint))
        };
        let kinds = fleet.kinds.iter().enumerate();
        let kinds = kinds.filter(|(number, _)| own(*number).next().is_some());
        let parts: Vec<String> = kinds
            .map(|(number, one)| {
                let names = own(number).map(|machine| text::line(&machine.name));
                format!("{} on {}", kind(one), list(names))
            })
            .collect();
        (parts.len() > 1).then(|| {
            format!(
                "The nodes with '{}' are of several kinds: {}.",
                text::line(constraint),
                parts.join("; ")
            )
        })
    };
    constraints.filter_map(sentence).collect()
}

/// What can be said about kinds of machines, one sentence for each kind.
pub fn claims(fleet: &Fleet) -> Vec<String> {
    let claim = |(number, one): (usize, &Kind)| {
        let nodes = counted(one.nodes, "node");
        let spreads = fleet.node_spreads.iter().filter(|spread| spread.kind == number);
        let spreads: Vec<String> = spreads
            .map(|spread| {
                format!(
                    "{} {}",
                    figure(spread.figure),
                    units::per_cent(spread.deviation, 1)
                )
            })
            .collect();
        let differ = if spreads.is_empty() {
            String::new()
        } else {
            format!(" Standard deviations between its nodes: {}.", spreads.join(", "))
        };
        let what = match one.nodes {
            0 | 1 => "it shows what this node does, and nothing about the kind".to_owned(),
            few if few < MIN_NODES => {
                format!("they show that nodes differ; statements about the kind need {MIN_NODES}")
            }
            _ => "a sample of the kind, whose spread is in every comparison of kinds".to_owned(),
        };
        format!("Kind {}, {nodes}: {what}.{differ}", kind(one))
    };
    fleet.kinds.iter().enumerate().map(claim).collect()
}

/// A figure in words.
pub const fn figure(figure: Figure) -> &'static str {
    match figure {
        Figure::OneWorker => "one worker",
        Figure::AllWorkers => "all workers",
        Figure::CeilingShare => "share of the ceiling",
    }
}

/// What is not the same on all machines, one line each.
pub fn unlike(fleet: &Fleet) -> Vec<String> {
    let name = |number: &usize| fleet.machines.get(*number).map(|one| text::line(&one.name));
    fleet
        .unlike
        .iter()
        .map(|unlike| {
            let values = unlike.values.iter().map(|(value, machines)| {
                let names = list(machines.iter().filter_map(name));
                format!("{} ({names})", text::line(value))
            });
            format!(
                "{}: {}",
                text::line(&unlike.what),
                values.collect::<Vec<_>>().join("; ")
            )
        })
        .collect()
}

/// Which kinds differ by more than their nodes, one sentence for each pair of kinds and figure.
pub fn kind_differences(fleet: &Fleet) -> Vec<String> {
    let groups = fleet
        .comparisons
        .iter()
        .map(|one| (one.base, one.kind, one.figure))
        .sorted()
        .dedup();
    groups
        .map(|(base, kind, of)| {
            let own = fleet
                .comparisons
                .iter()
                .filter(|one| (one.base, one.kind, one.figure) == (base, kind, of));
            let (all, differing): (Vec<_>, Vec<_>) =
                (own.clone().collect(), own.filter(|one| one.difference.differs).collect());
            let [base, kind] = [base, kind].map(|number| kind_letter(fleet, number));
            let ratios = differing.iter().map(|one| one.ratio.estimate).sorted_by(f64::total_cmp);
            let ratios: Vec<f64> = ratios.collect();
            let range = match ratios.as_slice() {
                [] => return format!(
                    "Kind {kind} against {base}, {}: none of {} differs by more than nodes of one kind do.",
                    figure(of),
                    counted(all.len(), "curve")
                ),
                [only] => units::times(*only),
                [first, .., last] => format!("{} to {}", units::times(*first), units::times(*last)),
            };
            format!(
                "Kind {kind} against {base}, {}: {} of {} differ by more than nodes of one kind do, {range}.",
                figure(of),
                differing.len(),
                counted(all.len(), "curve")
            )
        })
        .collect()
}

/// The comparisons of kinds that differ, the largest first.
pub fn comparisons(fleet: &Fleet) -> Table {
    let size = |ratio: Estimate| ratio.estimate.ln().abs();
    let differing = fleet.comparisons.iter().filter(|one| one.difference.differs);
    let sorted: Vec<_> = differing
        .sorted_by(|a, b| size(b.ratio).total_cmp(&size(a.ratio)))
        .collect();
    let each = || sorted.iter();
    Table::new(vec![
        Column::words("workload", each().map(|one| one.curve.workload.clone())),
        Column::words(
            "curve",
            each().map(|one| format!("{} {}", one.curve.interpreter_label(), one.curve.model)),
        ),
        Column::words("figure", each().map(|one| figure(one.figure))),
        Column::words(
            "kinds",
            each().map(|one| {
                format!(
                    "{} / {}",
                    kind_letter(fleet, one.kind),
                    kind_letter(fleet, one.base)
                )
            }),
        ),
        Column::figures("ratio", each().map(|one| ratio(one.ratio))),
    ])
}

/// A ratio with its interval.
fn ratio(ratio: Estimate) -> String {
    let number = |value: f64| units::number(value, units::ratio_decimals(value));
    format!(
        "{} [{}, {}]",
        number(ratio.estimate),
        number(ratio.low),
        number(ratio.high)
    )
}

/// What the reference cells say of the nodes, one sentence each; empty if shards have the same plan.
pub fn node_effects(fleet: &Fleet) -> Vec<String> {
    let Some(reference) = &fleet.reference else {
        return Vec::new();
    };
    if fleet.node_effects.is_empty() {
        return vec![format!(
            "The reference cells of {} were measured on fewer than two machines, so nothing is known of how they differ.",
            text::line(reference)
        )];
    }
    let differing: Vec<&NodeEffect> = fleet
        .node_effects
        .iter()
        .filter(|effect| effect.difference.differs)
        .collect();
    if differing.is_empty() {
        let reach = fleet.node_effects.iter().map(|effect| {
            let Estimate { low, high, .. } = effect.ratio;
            (high.ln().abs()).max(low.ln().abs())
        });
        let widest = reach.fold(0.0, f64::max).exp() - 1.0;
        return vec![format!(
            "The machines are alike in the reference cells of {}: none is shown to differ, and none differs by more than {}. \
             Absolute figures of different shards can be compared to that precision.",
            text::line(reference),
            units::per_cent(widest, 1)
        )];
    }
    let cell = |effect: &&NodeEffect| {
        let cell = if effect.interpreter == NATIVE {
            "native"
        } else {
            effect.interpreter.as_str()
        };
        format!("{} ×{} {}", text::line(cell), effect.workers, ratio(effect.ratio))
    };
    let of_machine = |number: usize| {
        let machine = fleet.machines.get(number);
        let name = machine.map_or_else(String::new, |machine| text::line(&machine.name));
        let own = differing.iter().filter(|effect| effect.machine == number);
        format!(
            "{name} differs from the mean of all machines in the reference cells of {}, as its time divided by the mean: \
             {}. Absolute figures of its shard carry this; ratios inside it do not.",
            text::line(reference),
            own.map(cell).join(", ")
        )
    };
    let machines = differing.iter().map(|effect| effect.machine).sorted().dedup();
    machines.map(of_machine).collect()
}

/// The name of a curve in tables.
fn curve(figures: &CurveFigures) -> String {
    format!("{} {}", figures.curve.interpreter_label(), figures.curve.model)
}

/// The figures of a curve on a machine: `×2  23.4 k/s  96 %`.
fn cell(measured: Option<&OnMachine>) -> Cell {
    let Some(measured) = measured else {
        return Cell::from("");
    };
    let Some(rate) = measured.all_workers_per_s else {
        let tone = if measured.status.is_failure() {
            Tone::Bad
        } else {
            Tone::Plain
        };
        return Cell::from(measured.status.words())
            .toned(tone)
            .dimmed(measured.status == CellStatus::Skipped);
    };
    let share = measured
        .ceiling_fraction
        .map(|share| units::per_cent(share.estimate, 0));
    let share = share.map_or_else(String::new, |share| format!("  {share}"));
    Cell::from(format!(
        "×{}  {}{share}",
        measured.workers,
        per_second(rate.estimate)
    ))
}

/// The figures of one workload: curves by machines or, if there are more machines than columns, by kinds.
pub fn figures(fleet: &Fleet, workload: &str, max_columns: usize) -> Table {
    let own: Vec<&CurveFigures> = fleet
        .curves
        .iter()
        .filter(|figures| figures.curve.workload == workload)
        .collect();
    let mut columns = vec![Column::words("curve", own.iter().map(|figures| curve(figures)))];
    let measuring: Vec<usize> = (0..fleet.machines.len())
        .filter(|number| {
            own.iter()
                .any(|figures| figures.machines.get(*number).is_some_and(Option::is_some))
        })
        .collect();
    if measuring.len() <= max_columns {
        for number in measuring {
            let heading = fleet.machines.get(number).map(|one| machine(fleet, one));
            let cells = own
                .iter()
                .map(|figures| cell(figures.machines.get(number).and_then(Option::as_ref)));
            columns.push(Column::figures(&heading.unwrap_or_default(), cells));
        }
    } else {
        for (number, kind) in fleet.kinds.iter().enumerate().take(max_columns) {
            let heading = format!("{} ({})", kind.name, counted(kind.nodes, "node"));
            let cells = own.iter().map(|figures| of_kind(fleet, figures, number));
            columns.push(Column::figures(&heading, cells));
        }
    }
    Table::new(columns)
}

/// The medians over the machines of a kind.
fn of_kind(fleet: &Fleet, figures: &CurveFigures, kind: usize) -> String {
    let median = |figure| median_of_kind(figures, figure, kind, &fleet.machines);
    let rate = median(Figure::AllWorkers).map(per_second);
    let share = median(Figure::CeilingShare).map(|share| units::per_cent(share, 0));
    [rate, share].into_iter().flatten().join("  ")
}

/// The names of the workloads, in the order of the plan.
pub fn workloads(fleet: &Fleet) -> Vec<&str> {
    fleet
        .curves
        .iter()
        .map(|figures| figures.curve.workload.as_str())
        .unique()
        .collect()
}

/// How to read the figures.
pub fn method(fleet: &Fleet, by_kind: bool) -> String {
    let columns = if by_kind {
        "Columns are kinds of machines, with medians over their machines: "
    } else {
        ""
    };
    let across = match fleet.shape {
        FleetShape::Same => "",
        FleetShape::Spread => " Ratios are of cells of one machine; no comparison spans two.",
    };
    format!(
        "{columns}×workers, units of work per second at the machine's largest number of workers, and that speedup as a \
         share of the machine's own ceiling.{across}"
    )
}
