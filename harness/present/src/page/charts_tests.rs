#![allow(clippy::unwrap_used)]

use super::*;
use ftbench_fixtures::summaries;

fn charts(summary: &Summary, workload: &str) -> Charts {
    of_workload(summary, workload, &SamplesByCell::default())
}

fn metric<'c>(charts: &'c Charts, key: &str) -> &'c Metric {
    charts.metrics.iter().find(|metric| metric.key == key).unwrap()
}

#[test]
fn serial_is_a_series_without_a_speedup() {
    let charts = charts(&summaries::with_ceiling(), "fib");
    let names: Vec<&str> = charts.series.iter().map(|series| series.name.as_str()).collect();
    let all = [
        "3.13 serial",
        "3.13 threads",
        "3.13 processes",
        "3.13t serial",
        "3.13t threads",
        "3.13t processes",
    ];
    assert_eq!(names, all);
    let of_speedup: Vec<usize> = metric(&charts, "speedup")
        .values
        .iter()
        .map(|curve| curve.series)
        .collect();
    assert_eq!(of_speedup, [1, 2, 4, 5]);
    assert_eq!(metric(&charts, "makespan").values.len(), 6);
}

#[test]
fn speedup_and_efficiency_are_held_against_the_ceiling() {
    let charts = charts(&summaries::with_ceiling(), "fib");
    let lines = |key: &str| -> Vec<(&str, [f64; 2])> {
        let references = &metric(&charts, key).references;
        references
            .iter()
            .map(|line| (line.name, *line.points.last().unwrap()))
            .collect()
    };
    assert_eq!(
        lines("speedup"),
        [("ideal", [2.0, 2.0]), ("ceiling", [2.0, 1.99])]
    );
    assert_eq!(
        lines("efficiency"),
        [("ideal", [2.0, 100.0]), ("ceiling", [2.0, 99.5])]
    );
    assert!(lines("makespan").is_empty());
}

#[test]
fn the_ceiling_ends_where_the_curves_do() {
    let mut summary = summaries::with_ceiling();
    let two = |cell: &&CellSummary| cell.is_native() && cell.workload == "fib" && cell.workers == 2;
    let mut beyond = summary.cells.iter().find(two).unwrap().clone();
    beyond.workers = 4;
    beyond.speedup = Some(summaries::estimate(3.9, 1.0));
    summary.cells.push(beyond);
    let workers = |key: &str| -> Vec<Vec<f64>> {
        let charts = charts(&summary, "fib");
        let references = &metric(&charts, key).references;
        let corners = references.iter().map(|line| line.points.iter());
        corners
            .map(|corners| corners.map(|[workers, _]| *workers).collect())
            .collect()
    };
    for key in ["speedup", "efficiency"] {
        assert_eq!(workers(key), [[1.0, 2.0], [1.0, 2.0]], "{key}");
    }
}

#[test]
fn throughput_turns_the_interval_round() {
    let charts = charts(&summaries::two_cores(), "fib");
    for curve in &metric(&charts, "throughput").values {
        for Value(_, estimate, low, high, _) in &curve.points {
            assert!(low < estimate && estimate < high);
        }
    }
}

#[test]
fn one_number_of_workers_has_times_only() {
    let mut summary = summaries::two_cores();
    summary.cells.retain(|cell| cell.workers == 1);
    let keys: Vec<&str> = charts(&summary, "fib")
        .metrics
        .iter()
        .map(|metric| metric.key)
        .collect();
    assert_eq!(keys, ["throughput", "makespan"]);
}

#[test]
fn nothing_measured_nothing_drawn() {
    let charts = charts(&summaries::without_figures(), "fib");
    assert!(charts.metrics.is_empty() && charts.series.is_empty() && charts.spread.is_none());
}
