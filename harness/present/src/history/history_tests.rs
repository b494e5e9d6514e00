use crate::chart;
use crate::style::Style;
use ftbench_analyse::history::{Difference, DifferenceKind, History, Options, analyse};
use ftbench_fixtures::nights::{Machine, Step, runs};
use ftbench_schema::history::{RunSettings, SkippedFolder};

use super::{charts, json, markdown, page, table};

/// Thirty nights of two workloads, of which one becomes slower and the other faster.
fn history() -> History {
    let steps = [
        Step {
            workload: "w0",
            interpreter: "3.13t",
            night: 12,
            ratio: 0.8,
        },
        Step {
            workload: "w1",
            interpreter: "3.13t",
            night: 20,
            ratio: 1.1,
        },
    ];
    let machine = Machine {
        workloads: 2,
        ..Machine::default()
    };
    let mut history = analyse(runs(30, &steps, machine), Options::default());
    history.passed_over.push(SkippedFolder {
        folder: "night-030".to_owned(),
        reason: "did not end; 'ftbench show' shows what was measured".to_owned(),
    });
    history
}

#[test]
fn the_table_lists_changes_first() {
    insta::assert_snapshot!(table::render(&history(), true, Style::default()), @r"
    30 runs from 2026-01-01 to 2026-02-02: time per unit of 8 cells

    since 2026-01-21  night-020  commit f5ca38f748
      slower    w1 3.13t threads x1  1.00 ms -> 1.10 ms  +10.2 % [+8.1 %, +12.4 %]
      slower    w1 3.13t threads x2  2.01 ms -> 2.20 ms  +9.2 % [+7.5 %, +11.0 %]
      slower    mean of 4 cpu cells on 3.13t  0.984 -> 1.034  +5.1 % [+3.9 %, +6.4 %]
    since 2026-01-13  night-012  commit 6b51d431df
      faster    w0 3.13t threads x1  1000 µs -> 797 µs  -20.3 % [-21.4 %, -19.3 %]
      faster    w0 3.13t threads x2  2.01 ms -> 1.60 ms  -20.2 % [-21.3 %, -19.0 %]
      faster    mean of 4 cpu cells on 3.13t  1.105 -> 0.984  -11.0 % [-12.0 %, -9.9 %]

    series                        nights    level  noise  newest runs
    w0 3.13 threads x1                30  1.00 ms  2.3 %  ▃▄▅▄▃▆▆▁▆▅▃▂▄▆█▅▇▄▇▅▂▄▃▇▁▅▇▂▁▃
    w0 3.13 threads x2                30  2.01 ms  2.5 %  ▇▃▅▃▅▆▆▆▆▃▅█▄▅▇▆▄▆▄▅▇▇▄▂▆▆▅▁▅▄
    w0 3.13t threads x1               30   797 µs  1.7 %  ▇▇█▇▇████▇▇▇▁▂▂▂▂▂▁▂▂▁▂▂▁▂▂▂▁▂
    w0 3.13t threads x2               30  1.60 ms  1.8 %  █▇▇▇▇▇▇▇▇███▂▁▂▂▂▂▂▂▃▁▂▂▃▂▂▂▂▂
    w1 3.13 threads x1                30  1.00 ms  2.1 %  ▂▁▄▅▆▆▇▆▆▅▅▄▇█▅▆▂▅█▅▃▃▆▃▃▂▂▄▄▆
    w1 3.13 threads x2                30  2.00 ms  2.1 %  █▄▄▅▆▄█▃▇▇▆▅█▄▃▁▁▇▃▄▂▆█▅▅▁▅▅▄▅
    w1 3.13t threads x1               30  1.10 ms  2.5 %  ▂▃▂▄▁▂▂▃▃▂▃▃▂▂▃▂▄▂▂▂▇▇▇▇▇▄▆▅█▆
    w1 3.13t threads x2               30  2.20 ms  2.0 %  ▂▄▂▃▂▃▁▄▂▁▁▂▃▁▁▂▃▂▃▁▆▆▇▆▆▇█▆██
    mean of 4 cpu cells on 3.13       30    1.000  1.1 %  ▄▁▄▃▄▅▇▃▆▄▄▄▅▅▆▄▂▅▅▄▂▅▄▃▃▂▄▁▂▃
    mean of 4 cpu cells on 3.13t      30    1.034  1.2 %  ▇▇▇█▆▇▇█▇▇▇▇▁▁▁▁▂▂▁▁▅▃▄▄▄▃▄▃▄▄

    The drift of the machine, as the ceiling's computing kernels show it, was not divided out where that would not make the series clearly quieter: 3.2 % instead of 2.7 % on 1 PU, 3.3 % instead of 3.4 % on 2 PUs.
    skipped 1 folder:
      night-030: did not end; 'ftbench show' shows what was measured
    ");
}

#[test]
fn markdown_is_a_table_of_changes() {
    insta::assert_snapshot!(markdown::render(&history()), @r"
    ### 30 runs from 2026-01-01 to 2026-02-02: time per unit of 8 cells

    | since | cell | before | after | change | with |
    | --- | --- | ---: | ---: | ---: | --- |
    | 2026-01-21 | w1 3.13t threads x1 | 1.00 ms | 1.10 ms | 🔴 +10.2 % [+8.1 %, +12.4 %] | commit f5ca38f748 |
    | 2026-01-21 | w1 3.13t threads x2 | 2.01 ms | 2.20 ms | 🔴 +9.2 % [+7.5 %, +11.0 %] | commit f5ca38f748 |
    | 2026-01-21 | mean of 4 cpu cells on 3.13t | 0.984 | 1.034 | 🔴 +5.1 % [+3.9 %, +6.4 %] | commit f5ca38f748 |
    | 2026-01-13 | w0 3.13t threads x1 | 1000 µs | 797 µs | 🟢 -20.3 % [-21.4 %, -19.3 %] | commit 6b51d431df |
    | 2026-01-13 | w0 3.13t threads x2 | 2.01 ms | 1.60 ms | 🟢 -20.2 % [-21.3 %, -19.0 %] | commit 6b51d431df |
    | 2026-01-13 | mean of 4 cpu cells on 3.13t | 1.105 | 0.984 | 🟢 -11.0 % [-12.0 %, -9.9 %] | commit 6b51d431df |

    The drift of the machine, as the ceiling's computing kernels show it, was not divided out where that would not make the series clearly quieter: 3.2 % instead of 2.7 % on 1 PU, 3.3 % instead of 3.4 % on 2 PUs.

    skipped 1 folder:

    - `night-030`: did not end; 'ftbench show' shows what was measured
    ");
}

#[test]
fn settings_and_packages_are_named_where_they_differ() {
    let mut history = history();
    history.settings.push(RunSettings {
        pin: "none".to_owned(),
        target_sample_s: 0.06,
    });
    history.series[0].settings = Some(1);
    history.runs[3].settings = Some(1);
    history.changes[0].coincides_with.push(Difference {
        what: DifferenceKind::Packages,
        before: "mpmath 1.3.0, numpy 2.3.1".to_owned(),
        after: "mpmath 1.3.0, numpy 2.4.0".to_owned(),
    });
    let table = table::render(&history, true, Style::default());
    for words in [
        "w0 3.13 threads x1 (pin none, samples of 60.0 ms)",
        "w0 3.13 threads x2 (pin cores, samples of 100 ms)",
        "with a change of packages: numpy 2.3.1 -> numpy 2.4.0",
        "pin cores, samples of 100 ms (29 runs); pin none, samples of 60.0 ms (1 run)",
    ] {
        assert!(table.contains(words), "no {words} in\n{table}");
    }
}

#[test]
fn every_format_says_on_which_kinds_of_machines_something_changed() {
    let nights = |seed: u64, cores: u32, ratio: f64| {
        let step = Step {
            workload: "w1",
            interpreter: "3.13t",
            night: 25,
            ratio,
        };
        let machine = Machine {
            seed,
            workloads: 2,
            ..Machine::default()
        };
        let mut made = runs(30, &[step], machine);
        for run in &mut made {
            run.machine.hostname = format!("n{seed}");
            run.machine.cores = cores;
        }
        made
    };
    let machines = [nights(1, 2, 1.2), nights(2, 4, 1.0), nights(3, 8, 1.2)];
    let history = analyse(machines.concat(), Options::default());
    let words = super::words::verdicts(&history);
    insta::assert_snapshot!(words.join("\n"), @"Slower on kinds A and C, not on kind B: w1 3.13t threads x1, w1 3.13t threads x2, mean of 4 cpu cells on 3.13t");
    assert!(table::render(&history, true, Style::default()).contains(&words[0]));
    assert!(markdown::render(&history).contains("on kinds A and C, not on kind B"));
    assert!(
        page::html(&history)
            .unwrap()
            .contains("on kinds A and C, not on kind B")
    );
}

#[test]
fn json_has_a_version_and_every_series() {
    let history = history();
    let value: serde_json::Value = serde_json::from_str(&json::render(&history).unwrap()).unwrap();
    assert_eq!(value["schema"], 1);
    assert_eq!(value["metric"], "time");
    assert_eq!(value["series"].as_array().unwrap().len(), history.series.len());
    assert_eq!(value["changes"][0]["direction"], "worse");
    assert_eq!(value["settings"][0]["pin"], "cores");
    assert_eq!(value["drift"][0]["kernels"], "computing");
}

#[test]
fn the_page_has_no_scripts_and_escapes_everything() {
    let mut hostile = history();
    hostile.runs[20].commit = Some("<script>alert(1)</script>".to_owned());
    hostile.runs[20].folder = "\"><img src=x>".to_owned();
    hostile.passed_over[0].folder = "<b>".to_owned();
    let html = page::html(&hostile).unwrap();
    assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<b>"));
    assert!(html.contains("default-src &#x27;none&#x27;") && !html.contains(" style=\""));
    assert!(html.matches("<svg ").count() >= 2);
    // Its drawings have classes, which follow the reader's theme, and no colours of their own.
    let (_, drawings) = html.split_once("</style>").unwrap();
    assert!(drawings.contains("m-threads s-model") && !drawings.contains("=\"#0"));
    assert_eq!(html.matches("@font-face").count(), 2);
}

#[test]
fn a_chart_is_of_one_workload() {
    let history = history();
    assert_eq!(charts::workloads(&history), ["w0", "w1"]);
    let chart = charts::workload(&history, "w1");
    assert!(chart.title.starts_with("w1: slower by 9."), "{}", chart.title);
    assert!(chart::svg(&chart).unwrap().contains("2026-01-21"));
    let nothing = charts::workload(&history, "nbody");
    assert!(chart::svg(&nothing).is_ok());
}
