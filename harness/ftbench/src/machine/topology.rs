//! The topology of a machine as a plain value; nothing here asks the machine.
//!
//! [`super::discovery`] makes such values with hwloc; tests write them by hand.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use ftbench_schema::TopologyFacts;

/// A cache that several cores share, the last one before memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct SharedCache {
    /// Its level: 3 for an L3 cache.
    pub level: u32,
    /// Its number among the caches of that level (hwloc logical index).
    pub index: u32,
}

/// A processing unit: one hardware thread.
///
/// Only `os_index` and `numa_node` are the operating system's numbers; the others are hwloc's logical indices,
/// which are unique over the whole machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pu {
    /// The operating system's number, which placements, records and messages use.
    pub os_index: u32,
    /// Its physical core.
    pub core: u32,
    /// Its package (socket); 0 when the machine does not report it.
    pub package: u32,
    /// Its die; `None` when the package has only one or the machine does not report it.
    pub die: Option<u32>,
    /// Its nearest NUMA node, by the operating system's number; 0 when the machine does not report it.
    pub numa_node: u32,
    /// The last-level cache that its core shares with others; `None` when there is none.
    pub cache: Option<SharedCache>,
    /// Its rank among the hardware threads of its core; 0 is the first.
    pub smt_rank: u32,
    /// Rank of its kind of core on a hybrid machine: higher is faster. 0 everywhere when all are alike.
    pub efficiency: u32,
    /// Whether this process may use it: the cpuset and its own affinity mask both name it.
    pub allowed: bool,
}

/// The machine's processing units and how they are grouped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// Every PU in hwloc's logical order: depth first, so that neighbours in the list share the most.
    pub pus: Vec<Pu>,
    /// How many packages (sockets).
    pub packages: u32,
    /// How many NUMA nodes, those without cores included.
    pub numa_nodes: u32,
    /// How many physical cores.
    pub cores: u32,
    /// Whether this is the machine that ftbench runs on, and not one from `HWLOC_SYNTHETIC` or `HWLOC_XMLFILE`.
    pub is_this_system: bool,
}

impl Topology {
    /// The PUs that this process may use, in logical order.
    pub fn allowed(&self) -> impl Iterator<Item = &Pu> + Clone {
        self.pus.iter().filter(|pu| pu.allowed)
    }

    /// The PU with the operating system's number `os_index`.
    #[must_use]
    pub fn pu(&self, os_index: u32) -> Option<&Pu> {
        self.pus.iter().find(|pu| pu.os_index == os_index)
    }

    /// OS indices of the PUs that this process may use, ascending.
    #[must_use]
    pub fn allowed_pus(&self) -> Vec<u32> {
        let indices: BTreeSet<u32> = self.allowed().map(|pu| pu.os_index).collect();
        indices.into_iter().collect()
    }

    /// How many cores have a PU that this process may use.
    #[must_use]
    pub fn allowed_cores(&self) -> usize {
        self.allowed().map(|pu| pu.core).collect::<BTreeSet<_>>().len()
    }

    /// The kinds of cores, by [`Pu::efficiency`], fastest first; one when all are alike.
    #[must_use]
    pub fn kinds(&self) -> Vec<u32> {
        let kinds: BTreeSet<u32> = self.pus.iter().map(|pu| pu.efficiency).collect();
        kinds.into_iter().rev().collect()
    }

    /// The name of a kind of core; `None` when all are alike.
    #[must_use]
    pub fn kind_name(&self, efficiency: u32) -> Option<&'static str> {
        let kinds = self.kinds();
        match kinds.iter().position(|&kind| kind == efficiency)? {
            _ if kinds.len() < 2 => None,
            0 => Some("performance"),
            last if last + 1 == kinds.len() => Some("efficiency"),
            _ => Some("middle"),
        }
    }

    /// The facts that the record keeps.
    #[must_use]
    pub fn facts(&self) -> TopologyFacts {
        TopologyFacts {
            packages: self.packages,
            numa_nodes: self.numa_nodes,
            cores: self.cores,
            pus: u32::try_from(self.pus.len()).unwrap_or(u32::MAX),
            allowed_pus: self.allowed_pus(),
        }
    }
}

/// Writes PU numbers in the order given, runs of three and more as ranges: `0,2,4-7`.
#[must_use]
pub fn list_of_pus(pus: &[u32]) -> String {
    let mut text = String::new();
    let mut rest = pus;
    while let Some(&first) = rest.first() {
        let run = (first..=u32::MAX)
            .zip(rest)
            .take_while(|(expected, pu)| expected == *pu)
            .count();
        // "0-1" is no shorter than "0,1" and reads worse.
        let taken = if run > 2 { run } else { 1 };
        let (head, tail) = rest.split_at(taken);
        if !text.is_empty() {
            text.push(',');
        }
        // Writing to a String cannot fail.
        let _ = match head {
            [.., last] if taken > 2 => write!(text, "{first}-{last}"),
            _ => write!(text, "{first}"),
        };
        rest = tail;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pu(os_index: u32, core: u32, efficiency: u32) -> Pu {
        Pu {
            os_index,
            core,
            package: 0,
            die: None,
            numa_node: 0,
            cache: None,
            smt_rank: 0,
            efficiency,
            allowed: true,
        }
    }

    fn machine(pus: Vec<Pu>) -> Topology {
        Topology {
            cores: u32::try_from(pus.len()).unwrap_or(0),
            pus,
            packages: 1,
            numa_nodes: 1,
            is_this_system: false,
        }
    }

    #[test]
    fn kinds_are_named_only_where_they_differ() {
        let alike = machine(vec![pu(0, 0, 0), pu(1, 1, 0)]);
        assert_eq!(alike.kind_name(0), None);
        let three = machine(vec![pu(0, 0, 2), pu(1, 1, 1), pu(2, 2, 0)]);
        assert_eq!(three.kinds(), [2, 1, 0]);
        assert_eq!(three.kind_name(2), Some("performance"));
        assert_eq!(three.kind_name(1), Some("middle"));
        assert_eq!(three.kind_name(0), Some("efficiency"));
        assert_eq!(three.kind_name(7), None);
    }

    #[test]
    fn facts_count_what_there_is_and_name_what_is_allowed() {
        let mut two = machine(vec![pu(1, 0, 0), pu(0, 1, 0)]);
        assert_eq!(two.facts().allowed_pus, [0, 1]);
        if let Some(first) = two.pus.first_mut() {
            first.allowed = false;
        }
        let facts = two.facts();
        assert_eq!((facts.cores, facts.pus, facts.allowed_pus), (2, 2, vec![0]));
        assert_eq!(two.allowed_cores(), 1);
    }

    #[test]
    fn lists_shorten_runs_and_keep_the_order() {
        assert_eq!(list_of_pus(&[]), "");
        assert_eq!(list_of_pus(&[3]), "3");
        assert_eq!(list_of_pus(&[0, 1]), "0,1");
        assert_eq!(list_of_pus(&[0, 2, 4, 5, 6, 7]), "0,2,4-7");
        assert_eq!(list_of_pus(&[7, 6, 5, 1, 2, 3]), "7,6,5,1-3");
        assert_eq!(list_of_pus(&[u32::MAX]), "4294967295");
    }
}
