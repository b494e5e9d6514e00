//! Machines for tests, which the real hwloc makes from descriptions.

#![allow(clippy::unwrap_used)]

use hwlocality::Topology as Hwloc;
use hwlocality::cpu::cpuset::CpuSet;
use hwlocality::ffi::PositiveInt;
use hwlocality::topology::builder::BuildFlags;
use hwlocality::topology::editor::{AllowSet, RestrictFlags};

use super::super::topology::Topology;
use super::Discovered;

/// hwloc's topology of a synthetic description.
pub(crate) fn hwloc(description: &str) -> Hwloc {
    Hwloc::builder()
        .with_flags(BuildFlags::INCLUDE_DISALLOWED)
        .unwrap()
        .from_synthetic(description)
        .unwrap()
        .build()
        .unwrap()
}

/// The topology of a synthetic description, as the plain value.
pub(crate) fn synthetic(description: &str) -> Topology {
    plain(hwloc(description))
}

/// 2 sockets with 2 dies each, 2 cores per die, 2 threads per core; hwloc's numbering: siblings are n and n + 1.
pub(crate) fn two_sockets() -> Topology {
    synthetic("pack:2 [numa] die:2 l3:1 core:2 pu:2")
}

/// The same machine as Linux numbers it: first threads 0 to 7, their siblings 8 to 15.
pub(crate) fn two_sockets_as_linux_numbers_them() -> Topology {
    synthetic("pack:2 [numa] die:2 l3:1 core:2 pu:2(indexes=2*8:8*1)")
}

/// 4 performance cores with 2 threads each (PUs 0 to 7) and 4 efficiency cores with 1 (PUs 8 to 11).
pub(crate) fn hybrid() -> Topology {
    let mut hwloc = hwloc("pack:1 [numa] l3:1 core:8 pu:2(indexes=0,1,2,3,4,5,6,7,8,12,9,13,10,14,11,15)");
    hwloc.edit(|editor| {
        editor.restrict(&set(0..12), RestrictFlags::empty()).unwrap();
        editor.register_cpu_kind(&set(8..12), Some(0), []).unwrap();
        editor.register_cpu_kind(&set(0..8), Some(1), []).unwrap();
    });
    plain(hwloc)
}

/// [`two_sockets_as_linux_numbers_them`] where the cpuset allows PUs 1, 2, 3, 6, 9, 10 and 14: one thread of cores
/// 3 and both of cores 1, 2 and 6.
pub(crate) fn two_sockets_in_a_cpuset() -> Topology {
    let mut hwloc = hwloc("pack:2 [numa] die:2 l3:1 core:2 pu:2(indexes=2*8:8*1)");
    let allowed = set([1, 2, 3, 6, 9, 10, 14]);
    hwloc.edit(|editor| {
        let allow = AllowSet::Custom {
            cpuset: Some(&allowed),
            nodeset: None,
        };
        editor.allow(allow).unwrap();
    });
    plain(hwloc)
}

/// A virtual machine with a single PU.
pub(crate) fn one_pu() -> Topology {
    synthetic("pack:1 [numa] core:1 pu:1")
}

/// 2 sockets of 64 cores, 4 NUMA nodes per socket, 8 cores per L3 cache, 2 threads per core, as Linux numbers them.
pub(crate) fn server() -> Topology {
    synthetic("pack:2 group:4 [numa] l3:2 core:8 pu:2(indexes=2*128:128*1)")
}

fn plain(hwloc: Hwloc) -> Topology {
    Discovered::from_hwloc(hwloc).unwrap().topology().clone()
}

fn set(pus: impl IntoIterator<Item = usize>) -> CpuSet {
    pus.into_iter()
        .map(|pu| PositiveInt::try_from(pu).unwrap())
        .collect()
}
