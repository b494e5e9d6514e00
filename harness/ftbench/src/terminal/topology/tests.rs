#![allow(clippy::unwrap_used)]

use super::*;
use crate::machine::discovery::samples;

/// The number of columns of an ordinary terminal.
const WIDTH: usize = 80;

fn drawn(topology: &Topology, policy: &str, cpu_quota: Option<f64>) -> String {
    let placer = Placer::new(topology, policy.parse().unwrap(), cpu_quota).unwrap();
    drawing(topology, &placer, WIDTH)
}

#[test]
fn a_small_machine_is_drawn_in_full() {
    let mut machine = samples::synthetic("pack:1 [numa] l3:1 core:2 pu:1");
    machine.is_this_system = true;
    insta::assert_snapshot!(drawn(&machine, "cores", None), @r"
    1 package, 1 NUMA node, 2 cores, 2 PUs

    Package 0, NUMA node 0, L3 cache 0
      core 0  PU 0 #1
      core 1  PU 1 #2

    #n   the n-th PU that workers fill (--pin cores)
    ");
}

#[test]
fn a_single_pu_is_drawn() {
    insta::assert_snapshot!(drawn(&samples::one_pu(), "cores", None), @r"
    1 package, 1 NUMA node, 1 core, 1 PU
    not this machine: HWLOC_SYNTHETIC or HWLOC_XMLFILE describes it

    Package 0, NUMA node 0
      core 0  PU 0 #1

    #n   the n-th PU that workers fill (--pin cores)
    ");
}

#[test]
fn two_sockets_are_drawn_with_dies_and_hardware_threads() {
    insta::assert_snapshot!(drawn(&samples::two_sockets_as_linux_numbers_them(), "scatter", None), @r"
    2 packages, 2 NUMA nodes, 8 cores, 16 PUs
    not this machine: HWLOC_SYNTHETIC or HWLOC_XMLFILE describes it

    Package 0, NUMA node 0
      die 0, L3 cache 0
        core 0  PU  0 #1  PU  8
        core 1  PU  1 #5  PU  9
      die 1, L3 cache 1
        core 2  PU  2 #3  PU 10
        core 3  PU  3 #7  PU 11
    Package 1, NUMA node 1
      die 2, L3 cache 2
        core 4  PU  4 #2  PU 12
        core 5  PU  5 #6  PU 13
      die 3, L3 cache 3
        core 6  PU  6 #4  PU 14
        core 7  PU  7 #8  PU 15

    #n   the n-th PU that workers fill (--pin scatter)
    ");
}

#[test]
fn pus_outside_the_cpuset_are_marked_and_the_quota_is_shown() {
    insta::assert_snapshot!(drawn(&samples::two_sockets_in_a_cpuset(), "smt", Some(2.5)), @r"
    2 packages, 2 NUMA nodes, 8 cores, 16 PUs
    this process may use 7 PUs: 1-3,6,9,10,14
    the control group's quota is 2.5 CPUs' worth of time
    not this machine: HWLOC_SYNTHETIC or HWLOC_XMLFILE describes it

    Package 0, NUMA node 0
      die 0, L3 cache 0
        core 0  PU  0 x   PU  8 x
        core 1  PU  1 #1  PU  9 #2
      die 1, L3 cache 1
        core 2  PU  2 #3  PU 10 #4
        core 3  PU  3 #5  PU 11 x
    Package 1, NUMA node 1
      die 2, L3 cache 2
        core 4  PU  4 x   PU 12 x
        core 5  PU  5 x   PU 13 x
      die 3, L3 cache 3
        core 6  PU  6 #6  PU 14 #7
        core 7  PU  7 x   PU 15 x

    #n   the n-th PU that workers fill (--pin smt)
    x    not allowed: left out by the cpuset or the affinity mask
    ");
}

#[test]
fn kinds_of_cores_are_named() {
    insta::assert_snapshot!(drawn(&samples::hybrid(), "smt", None), @r"
    1 package, 1 NUMA node, 8 cores, 12 PUs
    not this machine: HWLOC_SYNTHETIC or HWLOC_XMLFILE describes it

    Package 0, NUMA node 0, L3 cache 0
      performance cores
        core 0  PU  0 #1   PU  1 #2
        core 1  PU  2 #3   PU  3 #4
        core 2  PU  4 #5   PU  5 #6
        core 3  PU  6 #7   PU  7 #8
      efficiency cores
        core 4  PU  8 #9
        core 5  PU  9 #10
        core 6  PU 10 #11
        core 7  PU 11 #12

    #n   the n-th PU that workers fill (--pin smt)
    ");
}

#[test]
fn unbound_workers_have_no_order() {
    insta::assert_snapshot!(drawn(&samples::synthetic("pack:1 core:2 pu:2"), "none", None), @r"
    1 package, 1 NUMA node, 2 cores, 4 PUs
    not this machine: HWLOC_SYNTHETIC or HWLOC_XMLFILE describes it

    Package 0, NUMA node 0
      core 0  PU 0  PU 1
      core 1  PU 2  PU 3

    workers are not bound (--pin none)
    ");
}

#[test]
fn large_machines_have_several_cores_a_line() {
    insta::assert_snapshot!(drawn(&samples::server(), "cores", None), @r"
    2 packages, 8 NUMA nodes, 128 cores, 256 PUs
    not this machine: HWLOC_SYNTHETIC or HWLOC_XMLFILE describes it

    Package 0
      NUMA node 0
        L3 cache 0   [  0 #1   128] [  1 #2   129] [  2 #3   130] [  3 #4   131]
                     [  4 #5   132] [  5 #6   133] [  6 #7   134] [  7 #8   135]
        L3 cache 1   [  8 #9   136] [  9 #10  137] [ 10 #11  138] [ 11 #12  139]
                     [ 12 #13  140] [ 13 #14  141] [ 14 #15  142] [ 15 #16  143]
      NUMA node 1
        L3 cache 2   [ 16 #17  144] [ 17 #18  145] [ 18 #19  146] [ 19 #20  147]
                     [ 20 #21  148] [ 21 #22  149] [ 22 #23  150] [ 23 #24  151]
        L3 cache 3   [ 24 #25  152] [ 25 #26  153] [ 26 #27  154] [ 27 #28  155]
                     [ 28 #29  156] [ 29 #30  157] [ 30 #31  158] [ 31 #32  159]
      NUMA node 2
        L3 cache 4   [ 32 #33  160] [ 33 #34  161] [ 34 #35  162] [ 35 #36  163]
                     [ 36 #37  164] [ 37 #38  165] [ 38 #39  166] [ 39 #40  167]
        L3 cache 5   [ 40 #41  168] [ 41 #42  169] [ 42 #43  170] [ 43 #44  171]
                     [ 44 #45  172] [ 45 #46  173] [ 46 #47  174] [ 47 #48  175]
      NUMA node 3
        L3 cache 6   [ 48 #49  176] [ 49 #50  177] [ 50 #51  178] [ 51 #52  179]
                     [ 52 #53  180] [ 53 #54  181] [ 54 #55  182] [ 55 #56  183]
        L3 cache 7   [ 56 #57  184] [ 57 #58  185] [ 58 #59  186] [ 59 #60  187]
                     [ 60 #61  188] [ 61 #62  189] [ 62 #63  190] [ 63 #64  191]
    Package 1
      NUMA node 4
        L3 cache 8   [ 64 #65  192] [ 65 #66  193] [ 66 #67  194] [ 67 #68  195]
                     [ 68 #69  196] [ 69 #70  197] [ 70 #71  198] [ 71 #72  199]
        L3 cache 9   [ 72 #73  200] [ 73 #74  201] [ 74 #75  202] [ 75 #76  203]
                     [ 76 #77  204] [ 77 #78  205] [ 78 #79  206] [ 79 #80  207]
      NUMA node 5
        L3 cache 10  [ 80 #81  208] [ 81 #82  209] [ 82 #83  210] [ 83 #84  211]
                     [ 84 #85  212] [ 85 #86  213] [ 86 #87  214] [ 87 #88  215]
        L3 cache 11  [ 88 #89  216] [ 89 #90  217] [ 90 #91  218] [ 91 #92  219]
                     [ 92 #93  220] [ 93 #94  221] [ 94 #95  222] [ 95 #96  223]
      NUMA node 6
        L3 cache 12  [ 96 #97  224] [ 97 #98  225] [ 98 #99  226] [ 99 #100 227]
                     [100 #101 228] [101 #102 229] [102 #103 230] [103 #104 231]
        L3 cache 13  [104 #105 232] [105 #106 233] [106 #107 234] [107 #108 235]
                     [108 #109 236] [109 #110 237] [110 #111 238] [111 #112 239]
      NUMA node 7
        L3 cache 14  [112 #113 240] [113 #114 241] [114 #115 242] [115 #116 243]
                     [116 #117 244] [117 #118 245] [118 #119 246] [119 #120 247]
        L3 cache 15  [120 #121 248] [121 #122 249] [122 #123 250] [123 #124 251]
                     [124 #125 252] [125 #126 253] [126 #127 254] [127 #128 255]

    #n   the n-th PU that workers fill (--pin cores)
    [ ]  a core, with the numbers of its PUs
    ");
}

#[test]
fn large_hybrid_machines_have_several_cores_a_line() {
    let mut machine = samples::synthetic("pack:1 [numa] l3:1 core:24 pu:1");
    for pu in &mut machine.pus {
        pu.efficiency = u32::from(pu.core < 8);
        pu.allowed = pu.core != 3;
    }
    insta::assert_snapshot!(drawn(&machine, "scatter", None), @r"
    1 package, 1 NUMA node, 24 cores, 24 PUs
    this process may use 23 PUs: 0-2,4-23
    not this machine: HWLOC_SYNTHETIC or HWLOC_XMLFILE describes it

    Package 0, NUMA node 0, L3 cache 0
      performance cores
        [ 0 #1 ] [ 1 #2 ] [ 2 #3 ] [ 3 x  ] [ 4 #4 ] [ 5 #5 ] [ 6 #6 ] [ 7 #7 ]
      efficiency cores
        [ 8 #8 ] [ 9 #9 ] [10 #10] [11 #11] [12 #12] [13 #13] [14 #14] [15 #15]
        [16 #16] [17 #17] [18 #18] [19 #19] [20 #20] [21 #21] [22 #22] [23 #23]

    #n   the n-th PU that workers fill (--pin scatter)
    x    not allowed: left out by the cpuset or the affinity mask
    [ ]  a core, with the numbers of its PUs
    ");
}

#[test]
fn the_json_value_has_every_field() {
    let machine = samples::hybrid();
    let placer = Placer::new(&machine, Policy::Cores, Some(1.5)).unwrap();
    let mut value = serde_json::to_value(report(&machine, &placer)).unwrap();
    let pus = value["pus"].take();
    insta::assert_snapshot!(value, @r#"{"packages":1,"numa_nodes":1,"cores":8,"pus":null,"allowed_pus":[0,1,2,3,4,5,6,7,8,9,10,11],"policy":"cores","order":[0,2,4,6,8,9,10,11],"cpu_quota":1.5,"is_this_system":false}"#);
    insta::assert_snapshot!(pus[1], @r#"{"os_index":1,"core":0,"package":0,"die":null,"numa_node":0,"cache":{"level":3,"index":0},"smt_rank":1,"efficiency":1,"allowed":true,"kind":"performance"}"#);
    assert_eq!(pus.as_array().unwrap().len(), 12);
}

#[test]
fn drawings_fit_an_ordinary_terminal_and_show_every_pu() {
    let machines = [
        samples::one_pu(),
        samples::two_sockets(),
        samples::two_sockets_in_a_cpuset(),
        samples::hybrid(),
        samples::server(),
        samples::synthetic("pack:1 [numa] l3:1 core:128 pu:1"),
        samples::synthetic("pack:4 [numa] l3:4 core:24 pu:2"),
        samples::synthetic("pack:1 core:17 pu:8"),
    ];
    for machine in machines {
        for policy in ["cores", "scatter", "smt", "none"] {
            let text = drawn(&machine, policy, Some(1.25));
            let widest = text.lines().map(str::len).max().unwrap();
            assert!(widest <= WIDTH, "{text}");
            let placed = numbered_pus(&text);
            let placer = Placer::new(&machine, policy.parse().unwrap(), None).unwrap();
            assert_eq!(placed, placer.order().len(), "{text}");
        }
    }
}

#[test]
fn a_list_of_pus_that_does_not_fit_is_left_out() {
    let mut machine = samples::server();
    for pu in &mut machine.pus {
        pu.allowed = pu.os_index % 2 == 0;
    }
    let text = drawn(&machine, "cores", None);
    assert!(text.contains("\nthis process may use 128 PUs\n"), "{text}");
}

/// Counts the PUs that have a worker's number.
fn numbered_pus(text: &str) -> usize {
    let marks = text.split_whitespace().filter_map(|word| word.strip_prefix('#'));
    marks
        .filter(|mark| mark.starts_with(|first: char| first.is_ascii_digit()))
        .count()
}
