use crate::analyse::history::made_up::{Machine, Step, runs};
use crate::analyse::history::{History, Options, analyse};
use crate::present::chart;
use crate::present::table::Style;
use crate::record::schema::history::PassedOver;

use super::{charts, json, markdown, page, table};

/// Thirty nights of two workloads, of which one becomes slower and another faster.
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
    history.passed_over.push(PassedOver {
        folder: "night-030".to_owned(),
        reason: "did not end; 'ftbench show' tells what was measured".to_owned(),
    });
    history
}

#[test]
fn the_table_tells_changes_first() {
    insta::assert_snapshot!(table::render(&history(), true, Style::default()), @"");
}

#[test]
fn markdown_is_a_table_of_changes() {
    insta::assert_snapshot!(markdown::render(&history()), @"");
}

#[test]
fn json_has_a_version_and_every_series() {
    let history = history();
    let value: serde_json::Value = serde_json::from_str(&json::render(&history).unwrap()).unwrap();
    assert_eq!(value["schema"], 1);
    assert_eq!(value["metric"], "time");
    assert_eq!(value["series"].as_array().unwrap().len(), history.series.len());
    assert_eq!(value["changes"][0]["direction"], "worse");
}

#[test]
fn the_page_runs_nothing_and_escapes_everything() {
    let mut hostile = history();
    hostile.runs[20].commit = Some("<script>alert(1)</script>".to_owned());
    hostile.runs[20].folder = "\"><img src=x>".to_owned();
    hostile.passed_over[0].folder = "<b>".to_owned();
    let html = page::html(&hostile).unwrap();
    assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<b>"));
    assert!(html.contains("default-src 'none'") && !html.contains("style=\""));
    assert!(html.matches("<svg ").count() >= 2);
    assert!(html.contains("var(--threads)"));
}

#[test]
fn a_chart_is_of_one_workload() {
    let history = history();
    assert_eq!(charts::workloads(&history), ["w0", "w1"]);
    let chart = charts::workload(&history, "w1");
    assert!(chart.title.starts_with("w1: slower by +"), "{}", chart.title);
    assert!(chart::svg(&chart).unwrap().contains("2026-01-21"));
    let nothing = charts::workload(&history, "nbody");
    assert!(chart::svg(&nothing).is_ok());
}
