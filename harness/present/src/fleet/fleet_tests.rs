//! The formats of a fleet, from synthetic runs.

use super::*;
use crate::style::Style;
use ftbench_analyse::fleet::{Fleet, Member, analyse};
use ftbench_fixtures::fleets::{SyntheticNode, same_plan, spread_plan};
use ftbench_schema::{FleetEntry, FleetIndex, Summary};

fn node(name: &str, cores: u32, speed: f64) -> SyntheticNode<'_> {
    SyntheticNode { name, cores, speed }
}

fn analysed(made: (FleetIndex, Vec<(FleetEntry, Summary)>)) -> (Fleet, Vec<Member>) {
    let runs = made.1.into_iter();
    let members: Vec<Member> = runs.map(|(entry, summary)| Member { entry, summary }).collect();
    (analyse(&made.0, &members), members)
}

#[test]
fn table_has_machines_in_columns_and_says_what_can_be_claimed() {
    let (fleet, _) = analysed(same_plan(&[node("a", 2, 1.0), node("b", 64, 1.5)]));
    insta::assert_snapshot!(table::render(&fleet, Style::default()), @r"
    Fleet 0123456789abcdef: 2 machines of 2 kinds, the same plan on each

    machine  kind  shard  processor                        cores  PUs  kernel  microcode  governor  rounds  run
    a        A         0  AMD EPYC 9554 64-Core Processor      2    2  6.1.0   -          -             10  complete
    b        B         1  AMD EPYC 9554 64-Core Processor     64   64  6.1.0   -          -             10  complete

    Kind A (AMD EPYC 9554 64-Core Processor, 2 cores), 1 node: it shows what this node does, and nothing about the kind.
    Kind B (AMD EPYC 9554 64-Core Processor, 64 cores), 1 node: it shows what this node does, and nothing about the kind.

    fib
    curve                      a (A)            b (B)
    3.13 serial            ×1  288/s        ×1  432/s
    3.13 threads     ×2  282/s  49 %  ×2  424/s  49 %
    3.13 processes   ×2  499/s  94 %  ×2  748/s  94 %
    3.13t serial           ×1  263/s        ×1  395/s
    3.13t threads    ×2  505/s  96 %  ×2  758/s  96 %
    3.13t processes  ×2  468/s  96 %  ×2  702/s  96 %

    nbody
    curve                      a (A)             b (B)
    3.13 serial            ×1  480/s         ×1  720/s
    3.13 threads     ×2  473/s  49 %   ×2  709/s  49 %
    3.13 processes   ×2  835/s  94 %  ×2  1253/s  94 %
    3.13t serial           ×1  439/s         ×1  658/s
    3.13t threads    ×2  844/s  97 %  ×2  1266/s  97 %
    3.13t processes  ×2  783/s  97 %  ×2  1174/s  97 %

    ×workers, units of work per second at the machine's largest number of workers, and that speedup as a share of the machine's own ceiling.
    ");
}

#[test]
fn spread_plan_names_the_slow_node() {
    let (fleet, _) = analysed(spread_plan(&[
        node("a", 2, 1.0),
        node("b", 2, 1.0),
        node("c", 2, 0.8),
    ]));
    insta::assert_snapshot!(table::render(&fleet, Style::default()), @r"
    Fleet 0123456789abcdef: 3 machines of 1 kind, one plan in 3 shards

    machine  kind  shard  processor                        cores  PUs  kernel  microcode  governor  rounds  run
    a        A         0  AMD EPYC 9554 64-Core Processor      2    2  6.1.0   -          -             10  complete
    b        A         1  AMD EPYC 9554 64-Core Processor      2    2  6.1.0   -          -             10  complete
    c        A         2  AMD EPYC 9554 64-Core Processor      2    2  6.1.0   -          -             10  complete

    Kind A (AMD EPYC 9554 64-Core Processor, 2 cores), 3 nodes: a sample of the kind, whose spread is in every comparison of kinds. Standard deviations between its nodes: one worker 15.4 %, all workers 15.4 %, share of the ceiling 0.0 %.

    a differs from the mean of all machines in the reference cells of fib, as its time divided by the mean: 3.13 ×1 0.93 [0.92, 0.94], native ×1 0.93 [0.92, 0.94], native ×2 0.93 [0.92, 0.94]. Absolute figures of its shard carry this; ratios inside it do not.
    b differs from the mean of all machines in the reference cells of fib, as its time divided by the mean: 3.13 ×1 0.93 [0.92, 0.94], native ×1 0.93 [0.92, 0.94], native ×2 0.93 [0.92, 0.94]. Absolute figures of its shard carry this; ratios inside it do not.
    c differs from the mean of all machines in the reference cells of fib, as its time divided by the mean: 3.13 ×1 1.16 [1.15, 1.17], native ×1 1.16 [1.15, 1.17], native ×2 1.16 [1.15, 1.17]. Absolute figures of its shard carry this; ratios inside it do not.

    fib
    curve                          a          b          c
    3.13 serial            ×1  288/s  ×1  288/s  ×1  231/s
    3.13 threads     ×2  282/s  49 %
    3.13 processes   ×2  499/s  94 %
    3.13t serial           ×1  263/s
    3.13t threads    ×2  505/s  96 %
    3.13t processes  ×2  468/s  96 %

    nbody
    curve                          b                c
    3.13 serial            ×1  480/s        ×1  384/s
    3.13 threads     ×2  473/s  49 %  ×2  378/s  49 %
    3.13 processes   ×2  835/s  94 %  ×2  668/s  94 %
    3.13t serial           ×1  439/s        ×1  351/s
    3.13t threads    ×2  844/s  97 %  ×2  675/s  97 %
    3.13t processes  ×2  783/s  97 %  ×2  626/s  97 %

    ×workers, units of work per second at the machine's largest number of workers, and that speedup as a share of the machine's own ceiling. Ratios are of cells of one machine; no comparison spans two.
    ");
}

#[test]
fn spread_plan_on_unequal_machines_is_a_warning() {
    let (fleet, _) = analysed(spread_plan(&[node("a", 2, 1.0), node("b", 64, 1.0)]));
    let text = table::render(&fleet, Style::default());
    assert!(
        text.contains("warning: The plan was spread over machines that are not equal: A ("),
        "{text}"
    );
}

#[test]
fn more_machines_than_columns_are_shown_by_kind() {
    let names: Vec<String> = (0..8).map(|number| format!("n{number}")).collect();
    let nodes: Vec<SyntheticNode<'_>> = names
        .iter()
        .enumerate()
        .map(|(number, name)| {
            node(
                name,
                if number < 4 { 2 } else { 64 },
                if number < 4 { 1.0 } else { 1.5 },
            )
        })
        .collect();
    let (fleet, _) = analysed(same_plan(&nodes));
    let text = table::render(&fleet, Style::default());
    assert!(
        text.contains("A (4 nodes)") && text.contains("B (4 nodes)"),
        "{text}"
    );
    assert!(
        text.contains("Kind B against A, all workers: 12 of 12 curves differ"),
        "{text}"
    );
}

#[test]
fn page_has_a_line_for_each_machine_and_escapes_names() {
    let (fleet, members) = analysed(same_plan(&[
        node("a<b>", 2, 1.0),
        node("b", 2, 1.1),
        node("c", 64, 1.5),
    ]));
    let html = page::html(&fleet, &members).unwrap();
    assert!(!html.contains("a<b>"), "markup of a name");
    for name in ["3.13t a", "3.13t b", "3.13t c"] {
        assert!(html.contains(name), "{name}");
    }
    // Absolute figures and shares of the ceiling, of each of two workloads.
    assert_eq!(html.matches("<figure class=\"fleet\">").count(), 4);
    assert!(
        html.contains("share of the machine&#39;s own ceiling") || html.contains("machine's own ceiling")
    );
}

#[test]
fn markdown_and_json_have_every_machine() {
    let (fleet, _) = analysed(same_plan(&[node("a|b", 2, 1.0), node("b", 2, 1.1)]));
    let markdown = markdown::render(&fleet);
    assert!(
        markdown.contains("a\\|b") && markdown.contains("### fib"),
        "{markdown}"
    );
    let json = serde_json::to_value(&fleet).unwrap();
    assert_eq!(json["machines"].as_array().unwrap().len(), 2);
    assert_eq!(json["curves"][0]["machines"].as_array().unwrap().len(), 2);
    assert_eq!(json["schema"], 1);
}
