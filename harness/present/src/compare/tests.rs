//! Tests of the formats with one synthetic comparison that has a bit of everything.

use super::*;
use crate::style::Style;
use ftbench_analyse::compare::{COMPARISON_SCHEMA_VERSION, Common, GeometricMean, SideName};
use ftbench_fixtures::summaries::estimate;
use ftbench_schema::Model;

fn key(workload: &str, workers: u32) -> Key {
    Key {
        interpreter: Some("3.13t".to_owned()),
        workload: workload.to_owned(),
        model: Model::Threads,
        workers,
    }
}

fn cell(workload: &str, workers: u32, ratio: f64, verdict: Verdict) -> CellComparison {
    CellComparison {
        cell: key(workload, workers),
        kind: Some(WorkloadKind::Cpu),
        base_s_per_unit: Some(0.002 / f64::from(workers)),
        new_s_per_unit: Some(0.002 * ratio / f64::from(workers)),
        base_units: vec![100],
        new_units: vec![if workload == "nbody" { 200 } else { 100 }],
        ratio: estimate(ratio, 1.5),
        ratio_as_measured: Some(ratio * 1.03),
        p_value: 0.01,
        verdict,
    }
}

fn whole(workload: &str, ratio: f64, verdict: Verdict) -> WorkloadComparison {
    WorkloadComparison {
        workload: workload.to_owned(),
        cells: 6,
        ratio: estimate(ratio, 4.0),
        p_value: 0.01,
        verdict,
    }
}

fn drift(pus: usize, ratio: Estimate, taken_out: bool) -> Drift {
    Drift {
        kernels: KernelGroup::Computing,
        pus,
        cells: 4,
        ratio,
        taken_out,
    }
}

fn comparison() -> Comparison {
    let side = |name: &str| SideFacts {
        runs: vec![name.to_owned()],
        started_at: vec!["2026-11-21T08:00:00Z".to_owned()],
        interpreter: None,
    };
    let unmatched = |workload: &str, change: Change, reason: &str| Unmatched {
        cell: key(workload, 2),
        change,
        reason: Some(reason.to_owned()),
    };
    Comparison {
        schema: COMPARISON_SCHEMA_VERSION,
        base: side("monday"),
        new: side("tuesday"),
        pairing: Pairing::DifferentTimes,
        interpreters_matched: false,
        smallest_effect: 0.02,
        counts: Counts {
            slower: 1,
            faster: 1,
            same: 1,
            cannot_tell: 1,
            broken: 1,
            not_compared: 1,
        },
        drift: vec![
            drift(1, estimate(1.031, 1.0), true),
            drift(2, estimate(1.062, 2.0), true),
        ],
        between_runs: Some(BetweenRuns {
            runs: 0,
            common: vec![
                Common {
                    several_pus: false,
                    corrected: true,
                    deviation: 0.01,
                },
                Common {
                    several_pus: true,
                    corrected: true,
                    deviation: 0.042,
                },
            ],
            own: 0.013,
        }),
        geometric_means: vec![GeometricMean {
            kind: Some(WorkloadKind::Cpu),
            workloads: 3,
            cells: 4,
            ratio: estimate(1.004, 3.0),
        }],
        cells: vec![
            cell("fib", 1, 1.001, Verdict::Same),
            cell("fib", 2, 1.013, Verdict::CannotTell),
            cell("nbody", 1, 0.9, Verdict::Faster),
            cell("json_round_trip", 2, 1.1, Verdict::Slower),
        ],
        unmatched: vec![
            unmatched("queue", Change::Broken, "ValueError: <queue> is empty"),
            unmatched("sort", Change::OtherWork, "its file is not the same in all runs"),
        ],
        workloads: vec![
            whole("fib", 1.004, Verdict::CannotTell),
            whole("json_round_trip", 1.093, Verdict::Slower),
        ],
        failed_in_some: vec![FailedInSome {
            cell: key("fib", 1),
            side: SideName::Base,
            failed: 1,
            runs: 30,
            reason: Some("MemoryError".to_owned()),
        }],
        overridden: Vec::new(),
        differences: vec!["kernel: 6.1.0 in BASE, 6.1.2 in NEW".to_owned()],
        cautions: Vec::new(),
    }
}

#[test]
fn the_terminal_has_the_verdict_first() {
    insta::assert_snapshot!(table::render(&comparison(), Style::default()), @r"
    regression: 1 workload slower as a whole; of 6 cells 1 slower, 1 broken, 1 faster, 1 same within 2 %, 1 cannot tell, 1 not compared
    - BASE is monday, NEW is tuesday
    - runs made at different times: intervals include the variation between runs, common to all cells
      (1.0 % on one PU, 4.2 % on several PUs) and of each cell (1.3 %); standard deviations, documented
      values, because there is no history
    - according to the ceiling's computing kernels (4 workloads), the machine itself was 3.1 % [2.1,
      4.1] slower on 1 PU, 6.2 % [4.1, 8.3] slower on 2 PUs in NEW; taken out
    warning: compared without the 1 of 30 runs of BASE that failed: fib 3.13t threads x1: MemoryError
    warning: samples of nbody had over 1.5 times as many units on one side; times are compared per unit,
             which is exact only if they are proportional to units

    workload         interpreter  model    workers     BASE      NEW            NEW / BASE  verdict
    ───────────────────────────────────────────────────────────────────────────────────────────────────
    json_round_trip  3.13t        threads        2  1.00 ms  1.10 ms  1.100 [1.084, 1.117]  slower
    nbody            3.13t        threads        1  2.00 ms  1.80 ms  0.900 [0.886, 0.913]  faster
    fib              3.13t        threads        2  1.00 ms  1.01 ms  1.013 [0.998, 1.028]  cannot tell
    fib              3.13t        threads        1  2.00 ms  2.00 ms  1.001 [0.986, 1.016]  same

    - broken: queue 3.13t threads x2: ValueError: <queue> is empty
    - not comparable: sort 3.13t threads x2: its file is not the same in all runs

    as a whole, on one PU  cells            NEW / BASE  verdict
    json_round_trip            6  1.093 [1.049, 1.137]  slower
    fib                        6  1.004 [0.964, 1.044]  cannot tell

    geometric mean  workloads  cells            NEW / BASE
    cpu                     3      4  1.004 [0.974, 1.034]

    differences between the sides
    - kernel: 6.1.0 in BASE, 6.1.2 in NEW
    ");
}

#[test]
fn slower_rows_are_red_and_fit_the_terminal() {
    let style = Style {
        colour: true,
        width: Some(60),
    };
    let shown = table::render(&comparison(), style);
    let row = shown.lines().find(|line| line.contains("json_rou")).unwrap();
    assert!(row.contains("\u{1b}[38;5;9m") && !row.contains(" ms"), "{row:?}");
}

#[test]
fn markdown_can_be_a_comment() {
    insta::assert_snapshot!(markdown::render(&comparison()), @r"
    **Regression: 1 workload slower as a whole; of 6 cells 1 slower, 1 broken, 1 faster, 1 same within 2 %, 1 cannot tell, 1 not compared**

    - warning: compared without the 1 of 30 runs of BASE that failed: fib 3.13t threads x1: MemoryError
    - warning: samples of nbody had over 1.5 times as many units on one side; times are compared per unit, which is exact only if they are proportional to units

    | as a whole, on one PU | cells | NEW / BASE | verdict |
    | --- | ---: | ---: | --- |
    | json\_round\_trip | 6 | 1.093 [1.049, 1.137] | **slower** |

    | workload | interpreter | model | workers | BASE | NEW | NEW / BASE | verdict |
    | --- | --- | --- | ---: | ---: | ---: | ---: | --- |
    | json\_round\_trip | 3.13t | threads | 2 | 1.00 ms | 1.10 ms | 1.100 [1.084, 1.117] | **slower** |
    | nbody | 3.13t | threads | 1 | 2.00 ms | 1.80 ms | 0.900 [0.886, 0.913] | **faster** |

    - broken: queue 3.13t threads x2: ValueError: &lt;queue&gt; is empty

    | geometric mean | workloads | cells | NEW / BASE |
    | --- | ---: | ---: | ---: |
    | cpu | 3 | 4 | 1.004 [0.974, 1.034] |

    <details><summary>All 4 compared cells</summary>

    | workload | interpreter | model | workers | BASE | NEW | NEW / BASE | verdict |
    | --- | --- | --- | ---: | ---: | ---: | ---: | --- |
    | json\_round\_trip | 3.13t | threads | 2 | 1.00 ms | 1.10 ms | 1.100 [1.084, 1.117] | **slower** |
    | nbody | 3.13t | threads | 1 | 2.00 ms | 1.80 ms | 0.900 [0.886, 0.913] | **faster** |
    | fib | 3.13t | threads | 2 | 1.00 ms | 1.01 ms | 1.013 [0.998, 1.028] | cannot tell |
    | fib | 3.13t | threads | 1 | 2.00 ms | 2.00 ms | 1.001 [0.986, 1.016] | same |

    </details>

    <details><summary>All 2 workloads as a whole</summary>

    | as a whole, on one PU | cells | NEW / BASE | verdict |
    | --- | ---: | ---: | --- |
    | json\_round\_trip | 6 | 1.093 [1.049, 1.137] | **slower** |
    | fib | 6 | 1.004 [0.964, 1.044] | cannot tell |

    </details>

    <details><summary>Cells without a ratio</summary>

    - not comparable: sort 3.13t threads x2: its file is not the same in all runs

    </details>

    <details><summary>Differences between the sides</summary>

    - kernel: 6.1.0 in BASE, 6.1.2 in NEW

    </details>

    <sub>BASE is monday, NEW is tuesday.<br>runs made at different times: intervals include the variation between runs, common to all cells (1.0 % on one PU, 4.2 % on several PUs) and of each cell (1.3 %); standard deviations, documented values, because there is no history.<br>according to the ceiling's computing kernels (4 workloads), the machine itself was 3.1 % \[2.1, 4.1\] slower on 1 PU, 6.2 % \[4.1, 8.3\] slower on 2 PUs in NEW; taken out.</sub>
    ");
}

#[test]
fn junit_has_a_case_for_each_cell() {
    let mut comparison = comparison();
    comparison.drift.clear();
    comparison.between_runs = None;
    comparison.pairing = Pairing::SameRounds;
    comparison.cells.retain(|cell| cell.cell.workload != "nbody");
    assert!(
        junit::render(&comparison)
            .unwrap()
            .contains(r#"<failure message="NEW / BASE 1.093 [1.049, 1.137]" type="slower"/>"#)
    );
    comparison.workloads.clear();
    let xml = junit::render(&comparison).unwrap();
    let suite = |name: &str| {
        let from = xml.find(&format!("    <testsuite name=\"{name}\"")).unwrap();
        let length = xml[from..].find("</testsuite>").unwrap();
        &xml[from..from + length]
    };
    insta::assert_snapshot!(suite("fib").trim_end(), @r#"
    <testsuite name="fib" tests="2" skipped="1" errors="0" failures="0">
        <properties>
            <property name="comparison.0" value="BASE is monday, NEW is tuesday"/>
            <property name="comparison.1" value="paired in the same rounds: effects of the machine on both sides cancel"/>
        </properties>
        <testcase name="fib 3.13t threads x1" classname="ftbench.fib">
            <system-out>same: NEW / BASE 1.001 [0.986, 1.016]</system-out>
        </testcase>
        <testcase name="fib 3.13t threads x2" classname="ftbench.fib">
            <skipped message="cannot tell: NEW / BASE 1.013 [0.998, 1.028]"/>
            <system-out>cannot tell: NEW / BASE 1.013 [0.998, 1.028]</system-out>
        </testcase>
    "#);
    assert!(
        suite("json_round_trip")
            .contains(r#"<failure message="NEW / BASE 1.100 [1.084, 1.117]" type="slower"/>"#)
    );
    assert!(
        suite("queue").contains(r#"<failure message="ValueError: &lt;queue&gt; is empty" type="broken"/>"#)
    );
    assert!(suite("sort").contains("<skipped message="));
    let read = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!((read.tests, read.failures, read.errors), (5, 2, 0));
}

#[test]
fn foreign_names_are_escaped() {
    let mut comparison = comparison();
    let hostile = "<script>|\u{1b}[2J@everyone";
    comparison.cells[0].cell.workload = hostile.to_owned();
    comparison.unmatched[0].reason = Some(hostile.to_owned());
    comparison.failed_in_some[0].reason = Some(hostile.to_owned());
    comparison.base.runs = vec![hostile.to_owned()];
    comparison.differences.push(hostile.to_owned());
    let text = markdown::render(&comparison);
    assert!(
        !text.contains("<script>") && !text.contains('\u{1b}') && !text.contains(" @"),
        "{text}"
    );
    assert!(!table::render(&comparison, Style::default()).contains('\u{1b}'));
    let xml = junit::render(&comparison).unwrap();
    assert!(!xml.contains('\u{1b}') && !xml.contains("<script>"), "{xml}");
}

#[test]
fn a_comparison_reports_no_regression_and_pairing_in_one_run() {
    let mut comparison = comparison();
    comparison.cells.retain(|cell| cell.verdict == Verdict::Same);
    comparison.workloads.clear();
    comparison.unmatched.clear();
    comparison.counts = Counts {
        same: 1,
        ..Counts::default()
    };
    assert_eq!(verdict(&comparison), "no regression: of 1 cell 1 same within 2 %");
    comparison.pairing = Pairing::SameRounds;
    comparison.drift.clear();
    comparison.base.interpreter = Some("3.13".to_owned());
    let sentences = sentences(&comparison);
    assert_eq!(sentences[0], "BASE is 3.13 in monday, NEW is tuesday");
    assert!(
        sentences[1].starts_with("paired in the same rounds") && sentences.len() == 2,
        "{sentences:?}"
    );
}

#[test]
fn failures_in_some_runs_with_one_cause_are_one_warning() {
    let mut comparison = comparison();
    let mut more = comparison.failed_in_some.clone();
    for workers in 2..8 {
        more.extend(comparison.failed_in_some.iter().cloned().map(|mut one| {
            one.cell.workers = workers;
            one
        }));
    }
    more[6].side = SideName::New;
    comparison.failed_in_some = more;
    assert_eq!(
        failed_in_some(&comparison),
        [
            "compared without the 1 of 30 runs of BASE that failed: fib 3.13t threads x1, fib 3.13t threads x2, \
             fib 3.13t threads x3, fib 3.13t threads x4, 2 more: MemoryError",
            "compared without the 1 of 30 runs of NEW that failed: fib 3.13t threads x7: MemoryError"
        ]
    );
}
