//! The results of several machines beside each other. Pure.
//!
//! Nodes are random effects: what is said of a kind of machine is about the nodes that could have been taken, so it
//! needs several of them. The nodes of a kind are the sample, one value each, and the interval of a ratio of two kinds
//! is Welch's ("The generalization of 'Student's' problem when several different population variances are involved",
//! Biometrika 34, 1947), of logarithms. How precisely each node was measured is part of how far nodes differ.

use std::collections::BTreeMap;

use itertools::Itertools;
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::estimate::map;
use crate::multiple::{FALSE_DISCOVERY_RATE, SMALLEST_EFFECT, discoveries};
use crate::sample::{mean, median};
use ftbench_schema::{
    CellStatus, CellSummary, Curve, Difference, Estimate, FleetEntry, FleetIndex, FleetShape,
    InterpreterFacts, MachineFacts, Model, RunStatus, Summary, text,
};

/// Minimum number of nodes of a kind for statements about the kind. Two show that nodes differ; the interval of their
/// mean reaches nine times as far as they lie apart.
pub const MIN_NODES: usize = 3;

/// The half-width of a 95 % interval, standard errors.
const REACH_95: f64 = 1.959_963_985;

/// A run of a fleet with its results.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its entry in the fleet's index.
    pub entry: FleetEntry,
    /// Its results.
    pub summary: Summary,
}

/// The results of a fleet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fleet {
    /// Version of the format.
    pub schema: u32,
    /// The fleet's identifier.
    pub fleet: String,
    /// How the plan was divided.
    pub shape: FleetShape,
    /// Number of shards.
    pub shards: u32,
    /// Shards of which there is no run.
    pub missing_shards: Vec<u32>,
    /// The workload of the reference cells; `None` if shards have the same plan.
    pub reference: Option<String>,
    /// The machines, one for each run that counts.
    pub machines: Vec<Machine>,
    /// The kinds of machines.
    pub kinds: Vec<Kind>,
    /// Conditions that are not the same on all machines.
    pub unlike: Vec<Unlike>,
    /// The figures of each curve, in the order of the first run that has it. The ceiling has none.
    pub curves: Vec<CurveFigures>,
    /// How far the nodes of each kind with several of them differ.
    pub node_spreads: Vec<NodeSpread>,
    /// Comparisons of kinds, each with the first that has enough nodes.
    pub comparisons: Vec<KindComparison>,
    /// How far each machine's reference cells are from the middle of all machines.
    pub node_effects: Vec<NodeEffect>,
    /// Runs that are not a part of the results.
    pub left_out: Vec<FleetEntry>,
}

/// One machine of a fleet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Machine {
    /// A name that no other machine of the fleet has: its node's, with the shard if it has several.
    pub name: String,
    /// The node.
    pub node: String,
    /// The number of its kind among [`Fleet::kinds`].
    pub kind: usize,
    /// The shard that it measured.
    pub shard: u32,
    /// The folder of its run, relative to that of the fleet.
    pub folder: String,
    /// The state of its run.
    pub status: RunStatus,
    /// The features that the batch system had to find in it.
    pub constraint: Option<String>,
    /// How far its clock is off at least, seconds; `None` unless the times of its run are impossible.
    pub clock_error_s: Option<f64>,
    /// Version of ftbench that measured.
    pub ftbench_version: String,
    /// When its run began, RFC 3339, UTC.
    pub started_at: String,
    /// The maximum number of rounds of a cell.
    pub rounds: u32,
    /// The computer.
    pub machine: MachineFacts,
}

/// Machines with the same processor and the same numbers of packages, cores and PUs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// A letter: `A`, `B` and so on.
    pub name: String,
    /// Processor model.
    pub cpu_model: String,
    /// Instruction set architecture.
    pub architecture: String,
    /// Processor packages.
    pub packages: u32,
    /// Physical cores.
    pub cores: u32,
    /// Hardware threads.
    pub pus: u32,
    /// Number of nodes of this kind that were measured.
    pub nodes: usize,
    /// Whether there are enough nodes for statements about the kind.
    pub is_sampled: bool,
}

/// A condition that is not the same on all machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unlike {
    /// What differs, such as `kernel`.
    pub what: String,
    /// Each value, with the numbers of its machines.
    pub values: Vec<(String, Vec<usize>)>,
}

/// A figure of a curve on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Units of work per second of one worker.
    OneWorker,
    /// Units of work per second at the machine's largest number of workers.
    AllWorkers,
    /// The speedup at that number as a share of that of the machine's own ceiling.
    CeilingShare,
}

impl Figure {
    /// Every figure.
    pub const ALL: [Self; 3] = [Self::OneWorker, Self::AllWorkers, Self::CeilingShare];
}

/// What one machine measured of a curve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OnMachine {
    /// How the cell with the largest number of workers ended.
    pub status: CellStatus,
    /// The largest number of workers.
    pub workers: u32,
    /// Units of work per second of one worker.
    pub one_worker_per_s: Option<Estimate>,
    /// Units of work per second of all workers.
    pub all_workers_per_s: Option<Estimate>,
    /// The speedup at the largest number of workers.
    pub speedup: Option<Estimate>,
    /// That speedup divided by the ceiling's.
    pub ceiling_fraction: Option<Estimate>,
}

impl OnMachine {
    /// Returns a figure.
    #[must_use]
    pub const fn figure(&self, figure: Figure) -> Option<Estimate> {
        match figure {
            Figure::OneWorker => self.one_worker_per_s,
            Figure::AllWorkers => self.all_workers_per_s,
            Figure::CeilingShare => self.ceiling_fraction,
        }
    }
}

/// The figures of one curve on all machines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CurveFigures {
    /// The curve.
    #[serde(flatten)]
    pub curve: Curve,
    /// Its figures on each machine; `None` where it was not planned.
    pub machines: Vec<Option<OnMachine>>,
}

/// How far the nodes of one kind differ in one figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeSpread {
    /// The number of the kind.
    pub kind: usize,
    /// The figure.
    pub figure: Figure,
    /// Relative standard deviation from node to node, pooled over curves.
    pub deviation: f64,
    /// Number of curves that it is pooled over.
    pub curves: usize,
}

/// One kind of machine compared with another, by one figure of one curve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindComparison {
    /// The curve.
    #[serde(flatten)]
    pub curve: Curve,
    /// The figure.
    pub figure: Figure,
    /// The number of the kind that others are compared with.
    pub base: usize,
    /// The number of the other kind.
    pub kind: usize,
    /// The other kind's figure divided by the base's.
    pub ratio: Estimate,
    /// Whether the difference exceeds what differs between nodes of one kind.
    pub difference: Difference,
}

/// A reference cell of a machine beside those of the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeEffect {
    /// The number of the machine.
    pub machine: usize,
    /// Tag of the interpreter, or `native`.
    pub interpreter: String,
    /// The number of workers.
    pub workers: u32,
    /// Its time divided by the geometric mean over all machines.
    pub ratio: Estimate,
    /// Whether it differs.
    pub difference: Difference,
}

/// Puts the runs of a fleet beside each other. Those of `left_out` are only named.
#[must_use]
pub fn analyse(index: &FleetIndex, members: &[Member]) -> Fleet {
    let names = machine_names(&members.iter().collect::<Vec<_>>());
    let mut kinds: Vec<Kind> = Vec::new();
    let mut machines = Vec::new();
    for (member, name) in members.iter().zip(names) {
        machines.push(machine(member, name, kind_of(member, &mut kinds)));
    }
    for (number, kind) in kinds.iter_mut().enumerate() {
        let nodes = members
            .iter()
            .zip(&machines)
            .filter(|(_, machine)| machine.kind == number);
        kind.nodes = nodes.map(|(member, _)| &member.entry.node).unique().count();
        kind.is_sampled = kind.nodes >= MIN_NODES;
    }
    let curves = curves(members);
    let comparisons = compare_kinds(&curves, &machines, &kinds);
    Fleet {
        schema: ftbench_schema::SCHEMA_VERSION,
        fleet: index.fleet.clone(),
        shape: index.shape,
        shards: index.shards,
        missing_shards: index.missing(),
        reference: index.reference.clone(),
        unlike: unlike(members),
        node_spreads: node_spreads(&curves, &machines, kinds.len()),
        comparisons,
        node_effects: node_effects(index.reference.as_deref(), members),
        left_out: index
            .runs
            .iter()
            .filter(|run| run.left_out.is_some())
            .cloned()
            .collect(),
        machines,
        kinds,
        curves,
    }
}

/// A name for each member: its node, with the shard where the node has several, and its run where that is not enough.
#[must_use]
pub fn machine_names(members: &[&Member]) -> Vec<String> {
    let nodes = members.iter().map(|member| text::line(&member.entry.node));
    let counts = nodes.clone().counts();
    let with_shard = members.iter().zip(nodes).map(|(member, node)| {
        if counts.get(&node).is_some_and(|count| *count > 1) {
            format!("{node}/{}", member.entry.shard)
        } else {
            node
        }
    });
    let names: Vec<String> = with_shard.collect();
    let counts = names.iter().cloned().counts();
    let numbered = names.into_iter().enumerate().map(|(number, name)| {
        if counts.get(&name).is_some_and(|count| *count > 1) {
            format!("{name} ({})", number + 1)
        } else {
            name
        }
    });
    numbered.collect()
}

/// The number of a member's kind, which is added if no member before had it.
fn kind_of(member: &Member, kinds: &mut Vec<Kind>) -> usize {
    let facts = &member.summary.machine;
    let topology = &facts.topology;
    let is_same = |kind: &Kind| {
        kind.cpu_model == facts.cpu_model
            && kind.architecture == facts.architecture
            && (kind.packages, kind.cores, kind.pus) == (topology.packages, topology.cores, topology.pus)
    };
    kinds.iter().position(is_same).unwrap_or_else(|| {
        kinds.push(Kind {
            name: text::letter(kinds.len()),
            cpu_model: facts.cpu_model.clone(),
            architecture: facts.architecture.clone(),
            packages: topology.packages,
            cores: topology.cores,
            pus: topology.pus,
            nodes: 0,
            is_sampled: false,
        });
        kinds.len() - 1
    })
}

fn machine(member: &Member, name: String, kind: usize) -> Machine {
    let Member { entry, summary } = member;
    Machine {
        name,
        node: entry.node.clone(),
        kind,
        shard: entry.shard,
        folder: entry.folder.clone(),
        status: entry.status,
        constraint: entry.constraint.clone(),
        clock_error_s: entry.clock_error_s,
        ftbench_version: summary.run.ftbench_version.clone(),
        started_at: summary.run.started_at.clone(),
        rounds: summary.cells.iter().map(|cell| cell.rounds).max().unwrap_or(0),
        machine: summary.machine.clone(),
    }
}

/// The identity of a build in a few characters: its hash, or else its version.
fn build_words(facts: &InterpreterFacts) -> String {
    let identity = facts.identity.as_ref();
    let hash = identity.and_then(|identity| identity.sha256.as_deref());
    let build = facts.build_words().join(" ");
    match hash {
        Some(hash) => format!("{} {build}, sha256 {}", facts.version, text::short_hash(hash)),
        None => format!("{} {build}", facts.version),
    }
}

fn unlike(members: &[Member]) -> Vec<Unlike> {
    let mut found = Vec::new();
    let mut add = |what: String, value: &dyn Fn(&Summary) -> Option<String>| {
        let mut values: Vec<(String, Vec<usize>)> = Vec::new();
        for (number, member) in members.iter().enumerate() {
            let Some(value) = value(&member.summary) else {
                continue;
            };
            match values.iter_mut().find(|(known, _)| *known == value) {
                Some((_, machines)) => machines.push(number),
                None => values.push((value, vec![number])),
            }
        }
        if values.len() > 1 {
            found.push(Unlike { what, values });
        }
    };
    let tags = members.iter().flat_map(|member| &member.summary.interpreters);
    for tag in tags.map(|facts| facts.tag.as_str()).unique() {
        add(format!("build of {tag}"), &|summary| {
            let mut interpreters = summary.interpreters.iter();
            interpreters.find(|facts| facts.tag == tag).map(build_words)
        });
    }
    add("ftbench".to_owned(), &|summary| {
        Some(summary.run.ftbench_version.clone())
    });
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    add("operating system".to_owned(), &|summary| {
        known(&summary.machine.os)
    });
    add("kernel".to_owned(), &|summary| known(&summary.machine.kernel));
    add("microcode".to_owned(), &|summary| {
        summary.machine.microcode.clone()
    });
    add("governor".to_owned(), &|summary| {
        let governor = summary.machine.governor.clone();
        Some(governor.unwrap_or_else(|| "none".to_owned()))
    });
    add("CPU quota".to_owned(), &|summary| {
        let quota = summary.machine.cpu_quota;
        Some(quota.map_or_else(|| "none".to_owned(), |quota| format!("{quota} CPUs")))
    });
    add("PUs that may be used".to_owned(), &|summary| {
        let (allowed, all) = (
            summary.machine.topology.allowed_pus.len(),
            summary.machine.topology.pus,
        );
        Some(if allowed == all as usize {
            "all".to_owned()
        } else {
            format!("{allowed} of {all}")
        })
    });
    found
}

fn curves(members: &[Member]) -> Vec<CurveFigures> {
    let mut curves: Vec<CurveFigures> = Vec::new();
    let mut known: BTreeMap<Curve, usize> = BTreeMap::new();
    for (number, member) in members.iter().enumerate() {
        let own = member.summary.cells.iter().filter(|cell| !cell.is_native());
        for (curve, cells) in &own.chunk_by(|cell| cell.curve.clone()) {
            let cells: Vec<&CellSummary> = cells.collect();
            let position = *known.entry(curve.clone()).or_insert_with(|| {
                curves.push(CurveFigures {
                    curve,
                    machines: vec![None; members.len()],
                });
                curves.len() - 1
            });
            let slot = curves
                .get_mut(position)
                .and_then(|curve| curve.machines.get_mut(number));
            if let Some(slot) = slot {
                *slot = on_machine(&cells);
            }
        }
    }
    curves
}

/// The figures of a curve's cells on one machine.
fn on_machine(cells: &[&CellSummary]) -> Option<OnMachine> {
    let last = cells.iter().max_by_key(|cell| cell.workers)?;
    let one = cells.iter().find(|cell| cell.workers == 1);
    Some(OnMachine {
        status: last.status,
        workers: last.workers,
        one_worker_per_s: one.and_then(|cell| cell.units_per_s),
        all_workers_per_s: last.units_per_s,
        speedup: last.speedup.filter(|_| last.model != Model::Serial),
        ceiling_fraction: last.ceiling_fraction.filter(|_| last.workers > 1),
    })
}

/// The logarithms of a figure on the nodes of a kind. A node with several machines has one value, their mean.
fn node_values(curve: &CurveFigures, figure: Figure, kind: usize, machines: &[Machine]) -> Vec<f64> {
    let mut nodes: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (machine, measured) in machines.iter().zip(&curve.machines) {
        let value = measured.as_ref().and_then(|measured| measured.figure(figure));
        let Some(value) = value.map(|value| value.estimate).filter(|value| *value > 0.0) else {
            continue;
        };
        if machine.kind == kind {
            nodes.entry(&machine.node).or_default().push(value.ln());
        }
    }
    nodes.values().map(|values| mean(values)).collect()
}

/// The variance of values, with n - 1 in the denominator.
fn variance(values: &[f64]) -> f64 {
    let middle = mean(values);
    let squares: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
    squares / (values.len() as f64 - 1.0)
}

fn node_spreads(curves: &[CurveFigures], machines: &[Machine], kinds: usize) -> Vec<NodeSpread> {
    let mut spreads = Vec::new();
    for kind in 0..kinds {
        for figure in Figure::ALL {
            let values = curves
                .iter()
                .map(|curve| node_values(curve, figure, kind, machines));
            let variances: Vec<f64> = values
                .filter(|values| values.len() > 1)
                .map(|values| variance(&values))
                .collect();
            if !variances.is_empty() {
                spreads.push(NodeSpread {
                    kind,
                    figure,
                    deviation: mean(&variances).sqrt(),
                    curves: variances.len(),
                });
            }
        }
    }
    spreads
}

fn compare_kinds(curves: &[CurveFigures], machines: &[Machine], kinds: &[Kind]) -> Vec<KindComparison> {
    let sampled: Vec<usize> = (0..kinds.len())
        .filter(|kind| kinds.get(*kind).is_some_and(|kind| kind.is_sampled))
        .collect();
    let [base, others @ ..] = sampled.as_slice() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for curve in curves {
        for (&kind, figure) in others.iter().cartesian_product(Figure::ALL) {
            let [ours, theirs] = [*base, kind].map(|kind| node_values(curve, figure, kind, machines));
            if ours.len() < MIN_NODES || theirs.len() < MIN_NODES {
                continue;
            }
            let (ratio, p_value) = welch(&ours, &theirs);
            found.push(KindComparison {
                curve: curve.curve.clone(),
                figure,
                base: *base,
                kind,
                ratio,
                difference: Difference {
                    p_value,
                    differs: false,
                },
            });
        }
    }
    let p_values: Vec<f64> = found.iter().map(|one| one.difference.p_value).collect();
    for (one, called) in found.iter_mut().zip(discoveries(&p_values, FALSE_DISCOVERY_RATE)) {
        one.difference.differs = called && is_large(one.ratio);
    }
    found
}

/// Whether a ratio is larger than the smallest effect of interest and its interval excludes 1.
fn is_large(ratio: Estimate) -> bool {
    (ratio.estimate.ln().abs() > (1.0 + SMALLEST_EFFECT).ln()) && (ratio.low > 1.0 || ratio.high < 1.0)
}

/// The ratio of two means of logarithms with Welch's interval and p value.
fn welch(base: &[f64], other: &[f64]) -> (Estimate, f64) {
    let parts = [base, other].map(|values| variance(values) / values.len() as f64);
    let error = parts.iter().sum::<f64>().sqrt();
    let log = mean(other) - mean(base);
    let per_degree: f64 = parts
        .iter()
        .zip([base, other])
        .map(|(part, values)| part * part / (values.len() as f64 - 1.0))
        .sum();
    let degrees = error.powi(4) / per_degree;
    let student = StudentsT::new(0.0, 1.0, degrees).ok().filter(|_| error > 0.0);
    let (reach, p_value) = match student {
        Some(student) => (
            student.inverse_cdf(0.975) * error,
            2.0 * student.cdf(-(log / error).abs()),
        ),
        // Nodes without any difference, as made up ones.
        None => (0.0, if log == 0.0 { 1.0 } else { 0.0 }),
    };
    let logs = Estimate {
        estimate: log,
        low: log - reach,
        high: log + reach,
    };
    (map(logs, f64::exp), p_value)
}

/// The time of a unit of work of a reference cell.
struct UnitTime {
    machine: usize,
    /// Its logarithm.
    log: f64,
    /// The standard error of that.
    error: f64,
}

/// The reference cells of each machine against the geometric mean of all machines.
fn node_effects(reference: Option<&str>, members: &[Member]) -> Vec<NodeEffect> {
    let Some(reference) = reference else {
        return Vec::new();
    };
    let is_reference = |cell: &&CellSummary, summary: &Summary| {
        let is_baseline = cell.interpreter == summary.run.baseline && cell.model == Model::Serial;
        cell.workload == reference && cell.status == CellStatus::Ok && (cell.is_native() || is_baseline)
    };
    let mut cells: BTreeMap<(String, u32), Vec<UnitTime>> = BTreeMap::new();
    for (number, member) in members.iter().enumerate() {
        let summary = &member.summary;
        for cell in summary.cells.iter().filter(|cell| is_reference(cell, summary)) {
            // The time of a unit of work, since each machine calibrates on its own.
            let Some(rate) = cell.units_per_s.filter(|rate| rate.low > 0.0) else {
                continue;
            };
            let error = (rate.high.ln() - rate.low.ln()) / (2.0 * REACH_95);
            let key = (cell.interpreter.clone(), cell.workers);
            cells.entry(key).or_default().push(UnitTime {
                machine: number,
                log: -rate.estimate.ln(),
                error,
            });
        }
    }
    let mut effects = Vec::new();
    for ((interpreter, workers), measured) in cells {
        let count = measured.len() as f64;
        if measured.len() < 2 {
            continue;
        }
        let logs: Vec<f64> = measured.iter().map(|one| one.log).collect();
        let squares: f64 = measured.iter().map(|one| one.error * one.error).sum();
        for one in &measured {
            // The machine is a part of the mean.
            let own = one.error * one.error;
            let deviation = ((1.0 - 2.0 / count) * own + squares / (count * count))
                .max(0.0)
                .sqrt();
            let log = one.log - mean(&logs);
            let reach = REACH_95 * deviation;
            effects.push(NodeEffect {
                machine: one.machine,
                interpreter: interpreter.clone(),
                workers,
                ratio: map(
                    Estimate {
                        estimate: log,
                        low: log - reach,
                        high: log + reach,
                    },
                    f64::exp,
                ),
                difference: Difference {
                    p_value: normal_p_value(log, deviation),
                    differs: false,
                },
            });
        }
    }
    let p_values: Vec<f64> = effects.iter().map(|effect| effect.difference.p_value).collect();
    for (effect, called) in effects
        .iter_mut()
        .zip(discoveries(&p_values, FALSE_DISCOVERY_RATE))
    {
        effect.difference.differs = called && is_large(effect.ratio);
    }
    effects.sort_by_key(|effect| effect.machine);
    effects
}

fn normal_p_value(log: f64, deviation: f64) -> f64 {
    let normal = Normal::new(0.0, 1.0).ok().filter(|_| deviation > 0.0);
    normal.map_or(f64::from(u8::from(log == 0.0)), |normal| {
        2.0 * normal.cdf(-(log / deviation).abs())
    })
}

/// The median over the machines of a kind of a figure of a curve; `None` if none has it.
#[must_use]
pub fn median_of_kind(
    curve: &CurveFigures,
    figure: Figure,
    kind: usize,
    machines: &[Machine],
) -> Option<f64> {
    let mut values = node_values(curve, figure, kind, machines);
    (!values.is_empty()).then(|| median(&mut values).exp())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use ftbench_fixtures::fleets::{SyntheticNode, same_plan, spread_plan};

    fn node(name: &str, cores: u32, speed: f64) -> SyntheticNode<'_> {
        SyntheticNode { name, cores, speed }
    }

    fn members(runs: Vec<(FleetEntry, Summary)>) -> Vec<Member> {
        let runs = runs.into_iter();
        runs.map(|(entry, summary)| Member { entry, summary }).collect()
    }

    fn same(nodes: &[SyntheticNode<'_>]) -> Fleet {
        let (index, runs) = same_plan(nodes);
        analyse(&index, &members(runs))
    }

    #[test]
    fn one_node_says_nothing_about_its_kind() {
        let fleet = same(&[node("a", 2, 1.0), node("b", 64, 3.0)]);
        let kinds: Vec<_> = fleet
            .kinds
            .iter()
            .map(|kind| (kind.name.as_str(), kind.nodes, kind.is_sampled))
            .collect();
        assert_eq!(kinds, [("A", 1, false), ("B", 1, false)]);
        assert_eq!((fleet.comparisons.len(), fleet.node_spreads.len()), (0, 0));
    }

    #[test]
    fn kinds_of_three_nodes_differ_if_they_differ_by_more_than_their_nodes() {
        let kinds = |factor: f64| {
            let speeds = [1.0, 1.02, 0.98];
            let names = ["a0", "a1", "a2", "b0", "b1", "b2"];
            let of = |position: usize| {
                let cores = if position < 3 { 2 } else { 64 };
                let own = if position < 3 { 1.0 } else { factor };
                node(names[position], cores, own * speeds[position % 3])
            };
            same(&[of(0), of(1), of(2), of(3), of(4), of(5)])
        };
        let differing = |fleet: &Fleet, figure: Figure| {
            let own = fleet.comparisons.iter().filter(|one| one.figure == figure);
            own.filter(|one| one.difference.differs).count()
        };
        let faster = kinds(1.5);
        assert_eq!(differing(&faster, Figure::AllWorkers), faster.curves.len());
        // Both scale as well.
        assert_eq!(differing(&faster, Figure::CeilingShare), 0);
        let one = faster
            .comparisons
            .iter()
            .find(|one| one.figure == Figure::AllWorkers)
            .unwrap();
        assert!((one.ratio.estimate - 1.5).abs() < 1e-9, "{:?}", one.ratio);
        assert!(one.ratio.low < 1.45 && one.ratio.high > 1.55, "{:?}", one.ratio);
        let alike = kinds(1.01);
        assert_eq!(
            alike
                .comparisons
                .iter()
                .filter(|one| one.difference.differs)
                .count(),
            0
        );
        let spread = faster
            .node_spreads
            .iter()
            .find(|one| one.figure == Figure::OneWorker)
            .unwrap();
        assert!((spread.deviation - 0.02).abs() < 0.001, "{spread:?}");
    }

    #[test]
    fn interval_of_two_kinds_is_welchs() {
        // Two samples of unequal variances; the p value comes from integrating Student's density numerically.
        let a = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9].map(|value: f64| value / 10.0);
        let b = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0].map(|value: f64| value / 10.0);
        let (ratio, p_value) = welch(&a, &b);
        assert!((ratio.estimate.ln() - 0.25).abs() < 1e-9, "{ratio:?}");
        assert!((p_value - 0.201_989).abs() < 1e-5, "{p_value}");
        assert!(ratio.low < 1.0 && ratio.high > 1.0);
    }

    #[test]
    fn slow_node_of_a_spread_plan_is_found_by_its_reference_cells() {
        let (index, runs) = spread_plan(&[node("a", 2, 1.0), node("b", 2, 1.0), node("c", 2, 0.8)]);
        let fleet = analyse(&index, &members(runs));
        let differing: Vec<usize> = fleet
            .node_effects
            .iter()
            .filter(|effect| effect.difference.differs && effect.ratio.estimate > 1.0)
            .map(|effect| effect.machine)
            .dedup()
            .collect();
        assert_eq!(differing, [2]);
        let slow = fleet
            .node_effects
            .iter()
            .find(|effect| effect.machine == 2)
            .unwrap();
        // The node is a third of the mean that it is compared with.
        assert!(
            (slow.ratio.estimate - 0.8_f64.powf(-2.0 / 3.0)).abs() < 1e-9,
            "{slow:?}"
        );
        let alike = spread_plan(&[node("a", 2, 1.0), node("b", 2, 1.001)]);
        let fleet = analyse(&alike.0, &members(alike.1));
        assert!(fleet.node_effects.iter().all(|effect| !effect.difference.differs));
    }

    #[test]
    fn what_differs_between_machines_is_named() {
        let (index, mut runs) = same_plan(&[node("a", 2, 1.0), node("b", 2, 1.0)]);
        "6.5".clone_into(&mut runs[1].1.machine.kernel);
        runs[1].1.machine.governor = Some("powersave".to_owned());
        runs[1].1.interpreters[1].version = "3.13.16".to_owned();
        let fleet = analyse(&index, &members(runs));
        let unlike: Vec<&str> = fleet.unlike.iter().map(|unlike| unlike.what.as_str()).collect();
        assert_eq!(unlike, ["build of 3.13t", "kernel", "governor"]);
    }

    #[test]
    fn runs_of_one_node_have_names_of_their_own_and_count_as_one_node() {
        let fleet = same(&[node("a", 2, 1.0), node("a", 2, 1.1), node("b", 2, 1.0)]);
        let names: Vec<&str> = fleet
            .machines
            .iter()
            .map(|machine| machine.name.as_str())
            .collect();
        assert_eq!(names, ["a/0", "a/1", "b"]);
        assert_eq!(fleet.kinds[0].nodes, 2);
    }
}
