//! `ftbench topology`: the machine and the order in which workers fill its PUs, as text and as a JSON value. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::machine::topology::{Pu, Topology, list_of_pus};
use crate::plan::placement::{Placer, Policy};
use ftbench_schema::text::counted;

/// The maximum number of cores that are drawn one a line; more are drawn several a line, so that they fit on a screen.
const MAX_CORES_ONE_A_LINE: u32 = 16;
/// The number of columns by which each level is indented.
const STEP: usize = 2;
/// The number of columns for a label in front of its cores, such as `L3 cache 15`.
const LABEL_WIDTH: usize = 13;

/// The output of `ftbench topology --format json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TopologyReport {
    /// Processor packages (sockets).
    pub packages: u32,
    /// NUMA nodes.
    pub numa_nodes: u32,
    /// Physical cores.
    pub cores: u32,
    /// Every PU, in hwloc's order.
    pub pus: Vec<PuReport>,
    /// OS indices of the PUs that this process may use.
    pub allowed_pus: Vec<u32>,
    /// The placement policy.
    pub policy: String,
    /// OS indices of the PUs in the order in which workers fill them; empty if workers are not bound.
    pub order: Vec<u32>,
    /// CPUs' worth of time that the control group may use; `null` if it is not limited.
    pub cpu_quota: Option<f64>,
    /// Whether this is the machine that ftbench runs on, and not one described by a file.
    pub is_this_system: bool,
}

/// One PU of the report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PuReport {
    /// The PU and the objects that contain it.
    #[serde(flatten)]
    pub pu: Pu,
    /// `performance`, `middle` or `efficiency` on hybrid machines; `null` if all cores are alike.
    pub kind: Option<&'static str>,
}

/// Describes the machine for `--format json`.
#[must_use]
pub fn report(topology: &Topology, placer: &Placer) -> TopologyReport {
    let with_kind = |pu: &Pu| PuReport {
        pu: pu.clone(),
        kind: topology.kind_name(pu.efficiency),
    };
    TopologyReport {
        packages: topology.packages,
        numa_nodes: topology.numa_nodes,
        cores: topology.cores,
        pus: topology.pus.iter().map(with_kind).collect(),
        allowed_pus: topology.allowed_pus(),
        policy: placer.policy().to_string(),
        order: placer.order().to_vec(),
        cpu_quota: placer.cpu_quota(),
        is_this_system: topology.is_this_system,
    }
}

/// Draws the machine as text, at most `width` columns wide if possible.
#[must_use]
pub fn drawing(topology: &Topology, placer: &Placer, width: usize) -> String {
    let mut drawing = Drawing::new(topology, placer, width);
    drawing.title(placer.cpu_quota());
    drawing.lines.push(String::new());
    let pus: Vec<&Pu> = topology.pus.iter().collect();
    drawing.group(&pus, &LEVELS, Heading::default());
    drawing.lines.push(String::new());
    drawing.legend(placer.policy());
    let mut text = drawing.lines.join("\n");
    text.push('\n');
    text
}

type LabelOf = fn(&Pu) -> Option<String>;

/// The labels of the objects that contain a PU, outermost first.
const LEVELS: [LabelOf; 4] = [
    |pu| Some(format!("Package {}", pu.package)),
    |pu| Some(format!("NUMA node {}", pu.numa_node)),
    |pu| pu.die.map(|die| format!("die {die}")),
    |pu| {
        pu.cache
            .map(|cache| format!("L{} cache {}", cache.level, cache.index))
    },
];

/// The line above a group, which joins the labels of all levels that have a single member.
#[derive(Debug, Clone, Default)]
struct Heading {
    labels: Vec<String>,
    indent: usize,
}

struct Drawing<'machine> {
    topology: &'machine Topology,
    /// The mark beside a PU: the number of its worker, or `x` if it is not allowed.
    marks: BTreeMap<u32, String>,
    /// The width of the widest mark for each rank of hardware threads.
    mark_widths: BTreeMap<u32, usize>,
    core_width: usize,
    pu_width: usize,
    width: usize,
    compact: bool,
    lines: Vec<String>,
}

impl<'machine> Drawing<'machine> {
    fn new(topology: &'machine Topology, placer: &Placer, width: usize) -> Self {
        let mut marks: BTreeMap<u32, String> = topology
            .pus
            .iter()
            .filter(|pu| !pu.allowed)
            .map(|pu| (pu.os_index, "x".to_owned()))
            .collect();
        marks.extend(
            (1..)
                .zip(placer.order())
                .map(|(worker, &pu): (usize, _)| (pu, format!("#{worker}"))),
        );
        let mut mark_widths = BTreeMap::new();
        for pu in &topology.pus {
            let widest: &mut usize = mark_widths.entry(pu.smt_rank).or_default();
            *widest = marks.get(&pu.os_index).map_or(0, String::len).max(*widest);
        }
        let digits = |number: Option<u32>| number.unwrap_or(0).to_string().len();
        Self {
            topology,
            marks,
            mark_widths,
            core_width: digits(topology.pus.iter().map(|pu| pu.core).max()),
            pu_width: digits(topology.pus.iter().map(|pu| pu.os_index).max()),
            width,
            compact: topology.cores > MAX_CORES_ONE_A_LINE,
            lines: Vec::new(),
        }
    }

    fn title(&mut self, cpu_quota: Option<f64>) {
        let Topology {
            packages,
            numa_nodes,
            cores,
            pus,
            is_this_system,
        } = self.topology;
        self.lines.push(format!(
            "{}, {}, {}, {}",
            counted(*packages, "package"),
            counted(*numa_nodes, "NUMA node"),
            counted(*cores, "core"),
            counted(pus.len(), "PU"),
        ));
        let allowed = self.topology.allowed_pus();
        if allowed.len() < pus.len() {
            let number = counted(allowed.len(), "PU");
            self.line_with_ending(
                format!("this process may use {number}"),
                &format!(": {}", list_of_pus(&allowed)),
            );
        }
        if let Some(quota) = cpu_quota {
            self.lines.push(format!(
                "the control group's quota is {quota} CPUs' worth of time"
            ));
        }
        if !is_this_system {
            self.lines
                .push("not this machine: HWLOC_SYNTHETIC or HWLOC_XMLFILE describes it".to_owned());
        }
    }

    /// Writes a line, with its ending if there is room: a list of PUs may be long.
    fn line_with_ending(&mut self, line: String, ending: &str) {
        let fits = line.len() + ending.len() <= self.width;
        self.lines.push(if fits { line + ending } else { line });
    }

    fn group(&mut self, pus: &[&Pu], levels: &[LabelOf], mut heading: Heading) {
        let Some((label_of, inner)) = levels.split_first() else {
            return self.kinds(pus, heading);
        };
        let groups: Vec<&[&Pu]> = pus
            .chunk_by(|one, next| label_of(one) == label_of(next))
            .collect();
        if groups.len() > 1 {
            heading = Heading {
                indent: self.headline(&heading),
                labels: Vec::new(),
            };
        }
        for group in groups {
            let mut heading = heading.clone();
            heading.labels.extend(group.first().and_then(|pu| label_of(pu)));
            self.group(group, inner, heading);
        }
    }

    /// Writes the heading and returns the indentation of the lines under it.
    fn headline(&mut self, heading: &Heading) -> usize {
        if heading.labels.is_empty() {
            return heading.indent;
        }
        let labels = heading.labels.join(", ");
        self.lines
            .push(format!("{:indent$}{labels}", "", indent = heading.indent));
        heading.indent + STEP
    }

    fn kinds(&mut self, pus: &[&Pu], heading: Heading) {
        let name_of = |pu: &&Pu| self.topology.kind_name(pu.efficiency);
        let kinds: Vec<(&[&Pu], Option<&str>)> = pus
            .chunk_by(|one, next| one.efficiency == next.efficiency)
            .map(|kind| (kind, kind.first().and_then(name_of)))
            .collect();
        if kinds.iter().all(|(_, name)| name.is_none()) {
            return self.cores(pus, &heading);
        }
        let indent = self.headline(&heading);
        for (kind, name) in kinds {
            let labels = name.map(|name| format!("{name} cores")).into_iter().collect();
            self.cores(kind, &Heading { labels, indent });
        }
    }

    fn cores(&mut self, pus: &[&Pu], heading: &Heading) {
        let cores: Vec<&[&Pu]> = pus.chunk_by(|one, next| one.core == next.core).collect();
        let mut label = match heading.labels.as_slice() {
            [label] if self.compact && label.len() < LABEL_WIDTH => label.as_str(),
            _ => "",
        };
        let (margin, indent) = if label.is_empty() {
            (0, self.headline(heading))
        } else {
            (LABEL_WIDTH, heading.indent)
        };
        let rows = if self.compact {
            self.several_a_line(&cores, self.width.saturating_sub(indent + margin))
        } else {
            cores.iter().map(|core| self.one_a_line(core)).collect()
        };
        for row in rows {
            let line = format!("{:indent$}{label:margin$}{row}", "");
            self.lines.push(line.trim_end().to_owned());
            label = "";
        }
    }

    fn one_a_line(&self, core: &[&Pu]) -> String {
        let number = core.first().map_or(0, |pu| pu.core);
        let pus: String = core.iter().map(|pu| format!("  PU {}", self.cell(pu))).collect();
        format!("core {number:>width$}{pus}", width = self.core_width)
    }

    fn several_a_line(&self, cores: &[&[&Pu]], room: usize) -> Vec<String> {
        let cell_of = |core: &&[&Pu]| {
            let pus: Vec<String> = core.iter().map(|pu| self.cell(pu)).collect();
            format!("[{}]", pus.join(" "))
        };
        let cells: Vec<String> = cores.iter().map(cell_of).collect();
        let widest = cells.iter().map(String::len).max().unwrap_or(0);
        let max_a_line = ((room + 1) / (widest + 1)).max(1);
        // Lines of equal length are easier to count than full lines with a remainder.
        let lines = cells.len().div_ceil(max_a_line).max(1);
        let line_of = |line: &[String]| {
            let padded: Vec<String> = line.iter().map(|cell| format!("{cell:widest$}")).collect();
            padded.join(" ")
        };
        cells
            .chunks(cells.len().div_ceil(lines).max(1))
            .map(line_of)
            .collect()
    }

    /// The number of a PU and its mark, as wide as for the other PUs of its rank.
    fn cell(&self, pu: &Pu) -> String {
        let number = format!("{:>width$}", pu.os_index, width = self.pu_width);
        match self.mark_widths.get(&pu.smt_rank) {
            None | Some(0) => number,
            Some(&width) => {
                let mark = self.marks.get(&pu.os_index).map_or("", String::as_str);
                format!("{number} {mark:width$}")
            }
        }
    }

    fn legend(&mut self, policy: &Policy) {
        match policy {
            Policy::None => self.lines.push("workers are not bound (--pin none)".to_owned()),
            _ => self.line_with_ending(
                "#n   the n-th PU that workers fill".to_owned(),
                &format!(" (--pin {policy})"),
            ),
        }
        if self.topology.pus.iter().any(|pu| !pu.allowed) {
            self.lines
                .push("x    not allowed: left out by the cpuset or the affinity mask".to_owned());
        }
        if self.compact {
            self.lines
                .push("[ ]  a core, with the numbers of its PUs".to_owned());
        }
    }
}

#[cfg(test)]
mod tests;
