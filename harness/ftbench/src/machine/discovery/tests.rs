#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn environment(set: &[(&'static str, &'static str)]) -> impl Fn(&str) -> Option<OsString> {
    let set = set.to_vec();
    move |name| {
        let (_, value) = set.iter().find(|(variable, _)| *variable == name)?;
        Some(OsString::from(value))
    }
}

/// `os_index: package/numa/die/cache/core.smt_rank`, so that a machine can be read at a glance.
fn table(topology: &Topology) -> Vec<String> {
    let optional = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let row = |pu: &Pu| {
        let (die, cache) = (optional(pu.die), optional(pu.cache.map(|cache| cache.index)));
        let (package, numa, core, rank) = (pu.package, pu.numa_node, pu.core, pu.smt_rank);
        format!("{}: {package}/{numa}/{die}/{cache}/{core}.{rank}", pu.os_index)
    };
    topology.pus.iter().map(row).collect()
}

#[test]
fn two_sockets_with_two_dies_and_smt() {
    let topology = samples::two_sockets();
    assert_eq!(
        (topology.packages, topology.numa_nodes, topology.cores),
        (2, 2, 8)
    );
    assert!(!topology.is_this_system);
    assert!(topology.pus.iter().all(|pu| pu.allowed && pu.efficiency == 0));
    assert_eq!(
        table(&topology),
        [
            "0: 0/0/0/0/0.0",
            "1: 0/0/0/0/0.1",
            "2: 0/0/0/0/1.0",
            "3: 0/0/0/0/1.1",
            "4: 0/0/1/1/2.0",
            "5: 0/0/1/1/2.1",
            "6: 0/0/1/1/3.0",
            "7: 0/0/1/1/3.1",
            "8: 1/1/2/2/4.0",
            "9: 1/1/2/2/4.1",
            "10: 1/1/2/2/5.0",
            "11: 1/1/2/2/5.1",
            "12: 1/1/3/3/6.0",
            "13: 1/1/3/3/6.1",
            "14: 1/1/3/3/7.0",
            "15: 1/1/3/3/7.1",
        ]
    );
}

#[test]
fn linux_numbering_separates_siblings() {
    let topology = samples::two_sockets_as_linux_numbers_them();
    let numbers: Vec<u32> = topology.pus.iter().map(|pu| pu.os_index).collect();
    assert_eq!(numbers, [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15]);
    let cache = topology.pu(12).unwrap().cache.unwrap();
    assert_eq!((cache.level, cache.index), (3, 2));
}

#[test]
fn hybrid_kinds_are_ranked() {
    let topology = samples::hybrid();
    assert_eq!(topology.cores, 8);
    let pu = |os_index: u32| topology.pu(os_index).unwrap();
    assert_eq!((pu(7).efficiency, pu(7).core, pu(7).smt_rank), (1, 3, 1));
    assert_eq!((pu(8).efficiency, pu(8).core, pu(8).smt_rank), (0, 4, 0));
    assert_eq!(topology.kinds(), [1, 0]);
}

#[test]
fn a_cpuset_forbids_pus_without_hiding_them() {
    let topology = samples::two_sockets_in_a_cpuset();
    assert_eq!(topology.pus.len(), 16);
    assert_eq!(topology.allowed_pus(), [1, 2, 3, 6, 9, 10, 14]);
    assert_eq!(topology.allowed_cores(), 4);
}

#[test]
fn sparse_descriptions_have_no_dies_and_no_shared_cache() {
    assert_eq!(table(&samples::one_pu()), ["0: 0/0/-/-/0.0"]);
    // No packages, no cores, private L2 caches only.
    let bare = samples::synthetic("l2:2 pu:1");
    assert_eq!((bare.packages, bare.cores), (1, 2));
    assert_eq!(table(&bare), ["0: 0/0/-/-/0.0", "1: 0/0/-/-/1.0"]);
}

#[test]
fn the_nearest_numa_node_is_the_smallest_that_holds_the_pu() {
    // Node 0 is slow memory attached to the whole machine, as CXL expanders are.
    let topology = samples::synthetic("[numa] pack:2 [numa] core:2 pu:1");
    let nodes: Vec<u32> = topology.pus.iter().map(|pu| pu.numa_node).collect();
    let (first, second) = (nodes[0], nodes[2]);
    assert_eq!(topology.numa_nodes, 3);
    assert_eq!(nodes, [first, first, second, second]);
    assert_ne!(first, second);
}

#[test]
fn this_machine_has_a_pu_that_may_be_used() {
    let discovered = Discovered::load().unwrap();
    let topology = discovered.topology();
    if topology.is_this_system {
        assert!(topology.allowed().count() >= 1);
    }
    assert!(topology.cores as usize <= topology.pus.len());
}

#[test]
fn a_description_that_would_fill_the_memory_is_refused() {
    let refused = refuse_dangerous_description(environment(&[("HWLOC_SYNTHETIC", "pu:4000000000")]));
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("HWLOC_SYNTHETIC=pu:4000000000"), "{message}");
    refuse_dangerous_description(environment(&[("HWLOC_SYNTHETIC", "pu:4")])).unwrap();
    refuse_dangerous_description(environment(&[("HWLOC_XMLFILE", "")])).unwrap();
}

#[test]
fn a_description_that_hwloc_ignores_is_an_error() {
    let here = Hwloc::new().unwrap();
    let refused = refuse_ignored_description(&here, environment(&[("HWLOC_SYNTHETIC", "garbage")]));
    let message = refused.unwrap_err().to_string();
    assert!(
        message.starts_with("hwloc cannot use HWLOC_SYNTHETIC=garbage\n"),
        "{message}"
    );
    refuse_ignored_description(&here, environment(&[])).unwrap();
    refuse_ignored_description(&here, environment(&[("HWLOC_XMLFILE", "")])).unwrap();
    let own = [("HWLOC_XMLFILE", "own.xml"), ("HWLOC_THISSYSTEM", "1")];
    refuse_ignored_description(&here, environment(&own)).unwrap();
    let other = samples::hwloc("pack:1 core:1 pu:1");
    refuse_ignored_description(&other, environment(&[("HWLOC_SYNTHETIC", "…")])).unwrap();
}
