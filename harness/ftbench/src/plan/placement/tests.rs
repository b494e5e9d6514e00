#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::machine::discovery::samples;
use crate::machine::topology::{Pu, SharedCache};

fn filled(topology: &Topology, policy: &str) -> Vec<u32> {
    order(topology, &policy.parse().unwrap()).unwrap()
}

fn placer(topology: &Topology, policy: &str, cpu_quota: Option<f64>) -> Placer {
    Placer::new(topology, policy.parse().unwrap(), cpu_quota).unwrap()
}

// 2 sockets x 2 dies x 2 cores x 2 threads. hwloc's numbering: core c has PUs 2c and 2c + 1; dies hold cores
// 0 1 | 2 3 and, on the second socket, 4 5 | 6 7.
#[test]
fn each_policy_has_its_order_on_two_sockets() {
    let machine = samples::two_sockets();
    assert_eq!(filled(&machine, "cores"), [0, 2, 4, 6, 8, 10, 12, 14]);
    assert_eq!(filled(&machine, "smt"), Vec::from_iter(0..16));
    // Socket 0, socket 1, then the other die of each, then the second core of each die in the same order.
    assert_eq!(filled(&machine, "scatter"), [0, 8, 4, 12, 2, 10, 6, 14]);
    assert_eq!(filled(&machine, "15,0-2"), [15, 0, 1, 2]);
    assert!(filled(&machine, "none").is_empty());
}

// The same machine as Linux numbers it: core c has PUs c and c + 8.
#[test]
fn orders_follow_the_topology_and_not_the_numbers() {
    let machine = samples::two_sockets_as_linux_numbers_them();
    assert_eq!(filled(&machine, "cores"), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(
        filled(&machine, "smt"),
        [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15]
    );
    assert_eq!(filled(&machine, "scatter"), [0, 4, 2, 6, 1, 5, 3, 7]);
}

#[test]
fn client_gets_the_cores_that_a_server_leaves_or_else_their_other_threads() {
    let machine = samples::two_sockets();
    let placer = placer(&machine, "cores", None);
    assert_eq!(placer.left_by(&[0, 2, 4, 6, 8, 10]), [12, 13, 14, 15]);
    assert_eq!(
        placer.left_by(&[0, 2, 4, 6, 8, 10, 12, 14]),
        [1, 3, 5, 7, 9, 11, 13, 15]
    );
    assert_eq!(placer.left_by(&Vec::from_iter(0..16)), [0_u32; 0]);
    assert_eq!(placer.left_by(&[]), [0_u32; 0], "not pinned");
}

#[test]
fn client_gets_only_pus_that_are_allowed() {
    let mut machine = samples::two_sockets();
    for pu in &mut machine.pus {
        pu.allowed = pu.os_index < 6;
    }
    let placer = placer(&machine, "cores", None);
    assert_eq!(placer.left_by(&[0]), [2, 3, 4, 5]);
}

// Performance cores 0 to 3 have PUs 0 1 | 2 3 | 4 5 | 6 7, efficiency cores 4 to 7 have PUs 8, 9, 10, 11.
#[test]
fn performance_cores_come_before_efficiency_cores() {
    let machine = samples::hybrid();
    assert_eq!(filled(&machine, "cores"), [0, 2, 4, 6, 8, 9, 10, 11]);
    assert_eq!(filled(&machine, "smt"), Vec::from_iter(0..12));
    assert_eq!(filled(&machine, "scatter"), [0, 2, 4, 6, 8, 9, 10, 11]);
    assert_eq!(filled(&machine, "8,0"), [8, 0]);
}

#[test]
fn performance_cores_come_first_even_when_the_machine_lists_them_last() {
    let mut machine = samples::hybrid();
    for pu in &mut machine.pus {
        pu.efficiency = 1 - pu.efficiency;
    }
    assert_eq!(filled(&machine, "cores"), [8, 9, 10, 11, 0, 2, 4, 6]);
    assert_eq!(filled(&machine, "smt"), [8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7]);
}

// Core c has PUs c and c + 8; allowed are 1 9 (core 1), 2 10 (core 2), 3 (core 3) on socket 0, 6 14 (core 6) on
// socket 1. Cores 2 and 3 share a die.
#[test]
fn only_pus_of_the_cpuset_are_used() {
    let machine = samples::two_sockets_in_a_cpuset();
    assert_eq!(filled(&machine, "cores"), [1, 2, 3, 6]);
    assert_eq!(filled(&machine, "smt"), [1, 9, 2, 10, 3, 6, 14]);
    assert_eq!(filled(&machine, "scatter"), [1, 6, 2, 3]);
    assert_eq!(filled(&machine, "14,9"), [14, 9]);
}

#[test]
fn a_core_whose_first_thread_is_forbidden_gives_its_second() {
    let mut machine = samples::two_sockets();
    for pu in &mut machine.pus {
        pu.allowed = [1, 3].contains(&pu.os_index);
    }
    assert_eq!(filled(&machine, "cores"), [1, 3]);
}

#[test]
fn one_pu_is_the_whole_order_of_every_policy() {
    let machine = samples::one_pu();
    for policy in ["cores", "scatter", "smt", "0"] {
        assert_eq!(filled(&machine, policy), [0], "{policy}");
    }
}

#[test]
fn a_large_server_fills_one_node_before_the_next_or_spreads_over_all() {
    let machine = samples::server();
    assert_eq!(filled(&machine, "cores"), Vec::from_iter(0..128));
    // 2 sockets, then the next of 4 nodes each, then the second of 2 caches each, then the next core of 8 each.
    let scattered = filled(&machine, "scatter");
    assert_eq!(scattered[..10], [0, 64, 16, 80, 32, 96, 48, 112, 8, 72]);
    assert_eq!(scattered[16..18], [1, 65]);
}

#[test]
fn lists_with_missing_or_forbidden_pus_are_refused() {
    let machine = samples::two_sockets_in_a_cpuset();
    let error = |list: &str| order(&machine, &list.parse().unwrap()).unwrap_err().to_string();
    insta::assert_snapshot!(error("1,16"), @"'--pin 1,16': this machine has no PU 16; it has 0-15 ('ftbench topology' draws them)");
    insta::assert_snapshot!(error("1,0"), @r"
    '--pin 1,0': this process may not use PU 0; its cpuset and affinity mask allow 1-3,6,9,10,14
    Choose from these, or start ftbench where more are allowed ('taskset', 'docker run --cpuset-cpus').
    ");
}

#[test]
fn nothing_allowed_is_an_error_unless_nothing_is_bound() {
    let mut machine = samples::one_pu();
    machine.pus[0].allowed = false;
    assert_eq!(
        order(&machine, &Policy::Cores),
        Err(PlacementError::NothingAllowed)
    );
    assert_eq!(order(&machine, &Policy::None), Ok(vec![]));
}

#[test]
fn exclusive_workers_get_a_pu_each() {
    let placer = placer(&samples::two_sockets(), "cores", None);
    assert_eq!(placer.place(3, Sharing::Exclusive).unwrap(), [0, 2, 4]);
    assert_eq!(placer.place(8, Sharing::Exclusive).unwrap(), placer.order());
    assert_eq!(placer.limit(), 8);
}

#[test]
fn shared_workers_reuse_pus_in_turn() {
    let placer = placer(&samples::two_sockets(), "0,4,2", Some(1.0));
    assert_eq!(placer.place(7, Sharing::Shared).unwrap(), [0, 4, 2, 0, 4, 2, 0]);
    assert_eq!(placer.place(2, Sharing::Shared).unwrap(), [0, 4]);
}

#[test]
fn unbound_workers_have_no_limit() {
    let placer = placer(&samples::two_sockets(), "none", Some(1.5));
    assert!(placer.place(1000, Sharing::Exclusive).unwrap().is_empty());
    placer.check_quota(1000).unwrap();
}

#[test]
fn max_is_what_the_policy_and_the_quota_leave() {
    let machine = samples::two_sockets_in_a_cpuset();
    let limit = |policy: &str, quota| placer(&machine, policy, quota).limit();
    assert_eq!(
        (limit("cores", None), limit("smt", None), limit("none", None)),
        (4, 7, 7)
    );
    assert_eq!(
        (
            limit("1,2", None),
            limit("cores", Some(2.5)),
            limit("cores", Some(64.0))
        ),
        (2, 2, 4)
    );
    assert_eq!(limit("cores", Some(0.5)), 1);
}

#[test]
fn the_error_for_too_many_workers_says_what_is_allowed_and_why() {
    let refused = |machine: &Topology, policy: &str, quota| {
        let error = placer(machine, policy, quota)
            .place(64, Sharing::Exclusive)
            .unwrap_err();
        error.to_string()
    };
    insta::assert_snapshot!(refused(&samples::synthetic("pack:1 core:2 pu:1"), "cores", None), @r"
    64 workers do not fit: '--pin cores' has 2 PUs, one for each core. The machine has 2 PUs on 2 cores; cpuset and affinity mask allow 0,1 on 2 cores
    ask for at most 2, or leave the workers to the scheduler with '--pin none', which has no limit
    ");
    insta::assert_snapshot!(refused(&samples::two_sockets_in_a_cpuset(), "cores", None), @r"
    64 workers do not fit: '--pin cores' has 4 PUs, one for each core. The machine has 16 PUs on 8 cores; cpuset and affinity mask allow 1-3,6,9,10,14 on 4 cores
    ask for at most 4, use '--pin smt' for up to 7, or leave the workers to the scheduler with '--pin none', which has no limit
    ");
    insta::assert_snapshot!(refused(&samples::two_sockets_in_a_cpuset(), "cores", Some(3.5)), @r"
    64 workers do not fit: '--pin cores' has 4 PUs, one for each core. The machine has 16 PUs on 8 cores; cpuset and affinity mask allow 1-3,6,9,10,14 on 4 cores; the CPU quota is 3.5
    ask for at most 3, or leave the workers to the scheduler with '--pin none', which has no limit
    ");
    insta::assert_snapshot!(refused(&samples::two_sockets(), "smt", None), @r"
    64 workers do not fit: '--pin smt' has 16 PUs. The machine has 16 PUs on 8 cores; cpuset and affinity mask allow 0-15 on 8 cores
    ask for at most 16, or leave the workers to the scheduler with '--pin none', which has no limit
    ");
    insta::assert_snapshot!(refused(&samples::synthetic("pack:1 core:2 pu:1"), "1", None), @r"
    64 workers do not fit: '--pin 1' has 1 PU. The machine has 2 PUs on 2 cores; cpuset and affinity mask allow 0,1 on 2 cores
    ask for at most 1, use '--pin cores' for up to 2, or leave the workers to the scheduler with '--pin none', which has no limit
    ");
    insta::assert_snapshot!(refused(&samples::two_sockets(), "1,2", None), @r"
    64 workers do not fit: '--pin 1,2' has 2 PUs. The machine has 16 PUs on 8 cores; cpuset and affinity mask allow 0-15 on 8 cores
    ask for at most 2, use '--pin cores' for up to 8, use '--pin smt' for up to 16, or leave the workers to the scheduler with '--pin none', which has no limit
    ");
    insta::assert_snapshot!(refused(&samples::one_pu(), "0", None), @r"
    64 workers do not fit: '--pin 0' has 1 PU. The machine has 1 PU on 1 core; cpuset and affinity mask allow 0 on 1 core
    ask for at most 1, or leave the workers to the scheduler with '--pin none', which has no limit
    ");
}

#[test]
fn a_quota_below_the_workers_is_an_error_with_a_remedy() {
    check_quota(2, 2.0).unwrap();
    placer(&samples::two_sockets(), "cores", None)
        .check_quota(8)
        .unwrap();
    let refused = placer(&samples::two_sockets(), "cores", Some(2.5))
        .check_quota(4)
        .unwrap_err();
    insta::assert_snapshot!(refused, @r"
    4 workers would be throttled: the control group's quota is 2.5 CPUs' worth of time
    ask for at most 2 ('-n 2'), raise the quota ('docker run --cpus 4'), or measure with the throttling, which '--pin none' allows
    ");
    insta::assert_snapshot!(check_quota(1, 0.5).unwrap_err(), @r"
    1 worker would be throttled: the control group's quota is 0.5 CPUs' worth of time
    even one worker needs a whole CPU: raise the quota ('docker run --cpus 1'), or measure with the throttling, which '--pin none' allows
    ");
}

prop_compose! {
    /// Any machine whose parts nest, as hwloc's do: sockets of nodes of caches of cores of threads.
    fn any_machine()(
        packages in 1_u32..4,
        nodes in 1_u32..4,
        caches in 1_u32..4,
        cores in 1_u32..5,
        threads in 1_u32..4,
    )(
        kinds in proptest::collection::vec(0_u32..3, (packages * nodes * caches * cores) as usize),
        allowed in proptest::collection::vec(proptest::bool::weighted(0.7), (core_count(packages, nodes, caches, cores) * threads) as usize),
        per in Just([nodes, caches, cores, threads]),
        packages in Just(packages),
    ) -> Topology {
        let [nodes, caches, cores, threads] = per;
        let all_cores = packages * nodes * caches * cores;
        let pus = (0..all_cores * threads).map(|position| {
            let core = position / threads;
            let cache = core / cores;
            let node = cache / caches;
            let rank = position % threads;
            Pu {
                os_index: rank * all_cores + core,
                core,
                package: node / nodes,
                die: None,
                numa_node: node,
                cache: Some(SharedCache { level: 3, index: cache }),
                smt_rank: rank,
                efficiency: kinds[core as usize],
                allowed: allowed[position as usize],
            }
        });
        Topology {
            pus: pus.collect(),
            packages,
            numa_nodes: packages * nodes,
            cores: all_cores,
            is_this_system: true,
        }
    }
}

const fn core_count(packages: u32, nodes: u32, caches: u32, cores: u32) -> u32 {
    packages * nodes * caches * cores
}

fn sorted(mut pus: Vec<u32>) -> Vec<u32> {
    pus.sort_unstable();
    pus
}

/// How often neighbours in the order lie in different groups.
fn changes<T: PartialEq>(pus: &[&Pu], group: impl Fn(&Pu) -> T) -> usize {
    pus.windows(2)
        .filter(|pair| group(pair[0]) != group(pair[1]))
        .count()
}

proptest! {
    #[test]
    fn orders_are_sound(machine in any_machine()) {
        let Ok(cores) = order(&machine, &Policy::Cores) else {
            prop_assert_eq!(machine.allowed().count(), 0);
            return Ok(());
        };
        let scatter = order(&machine, &Policy::Scatter).unwrap();
        let smt = order(&machine, &Policy::Smt).unwrap();

        // `smt` is all allowed PUs, each once; `cores` and `scatter` are one allowed PU of each core.
        prop_assert_eq!(sorted(smt.clone()), machine.allowed_pus());
        prop_assert_eq!(sorted(scatter.clone()), sorted(cores.clone()));
        prop_assert_eq!(cores.len(), machine.allowed_cores());
        let of = |pus: &[u32]| -> Vec<Pu> { pus.iter().map(|&pu| machine.pu(pu).unwrap().clone()).collect() };
        let distinct: std::collections::BTreeSet<u32> = of(&cores).iter().map(|pu| pu.core).collect();
        prop_assert_eq!(distinct.len(), cores.len());

        // `smt` keeps siblings together and visits the cores in the order of `cores`.
        let mut visited: Vec<u32> = of(&smt).iter().map(|pu| pu.core).collect();
        visited.dedup();
        prop_assert_eq!(visited, of(&cores).iter().map(|pu| pu.core).collect::<Vec<_>>());

        // Faster kinds come first everywhere.
        for order in [&cores, &scatter, &smt] {
            prop_assert!(of(order).iter().rev().map(|pu| pu.efficiency).is_sorted());
        }

        // Inside a kind `cores` never comes back to a node or cache that it left.
        for kind in machine.kinds() {
            let (all, spread) = (of(&cores), of(&scatter));
            let same: Vec<&Pu> = all.iter().filter(|pu| pu.efficiency == kind).collect();
            let distinct = |group: fn(&Pu) -> u32| {
                same.iter().map(|pu| group(pu)).collect::<std::collections::BTreeSet<_>>().len()
            };
            let nodes = distinct(|pu| pu.numa_node);
            prop_assert_eq!(changes(&same, |pu| pu.numa_node), nodes.saturating_sub(1));
            prop_assert_eq!(changes(&same, |pu| pu.cache), distinct(|pu| pu.cache.unwrap().index).saturating_sub(1));
            // `scatter` has been on every package before it is on one for the second time.
            let packages = distinct(|pu| pu.package);
            let first: std::collections::BTreeSet<u32> = spread.iter().filter(|pu| pu.efficiency == kind)
                .take(packages).map(|pu| pu.package).collect();
            prop_assert_eq!(first.len(), packages);
        }
    }

    #[test]
    fn placements_are_the_start_of_the_order(machine in any_machine(), workers in 1_u32..40) {
        let Ok(placer) = Placer::new(&machine, Policy::Cores, None) else { return Ok(()) };
        let room = placer.order().len();
        match placer.place(workers, Sharing::Exclusive) {
            Ok(pus) => prop_assert_eq!(&pus[..], &placer.order()[..workers as usize]),
            Err(_) => prop_assert!(workers as usize > room),
        }
        let shared = placer.place(workers, Sharing::Shared).unwrap();
        prop_assert_eq!(shared.len(), workers as usize);
        // No PU has two workers more than another.
        let load = |pu: &u32| shared.iter().filter(|other| *other == pu).count();
        let loads: Vec<usize> = placer.order().iter().map(load).collect();
        prop_assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 1);
    }
}
