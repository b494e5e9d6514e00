#![allow(clippy::unwrap_used)]

use super::*;
use ftbench_fixtures::summaries;
use ftbench_schema::Summary;

fn charts(summary: &Summary, workload: &str) -> Charts {
    let material = Material::for_page(summary.clone());
    of_workload(&material, workload, &SamplesByCell::default()).unwrap()
}

fn svg<'c>(charts: &'c Charts, key: &str) -> &'c str {
    &charts
        .pictures
        .iter()
        .find(|picture| picture.key == key)
        .unwrap()
        .svg
}

/// The numbers of the series that a picture has.
fn drawn(svg: &str) -> Vec<usize> {
    let groups = svg.split("data-series=\"").skip(1);
    let mut numbers: Vec<usize> = groups
        .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
        .collect();
    numbers.sort_unstable();
    numbers
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
    assert_eq!(drawn(svg(&charts, "speedup")), [1, 2, 4, 5]);
    assert_eq!(drawn(svg(&charts, "makespan")), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn speedup_and_efficiency_are_compared_with_the_ceiling() {
    let charts = charts(&summaries::with_ceiling(), "fib");
    assert!(charts.has_ceiling);
    for key in ["speedup", "efficiency", "throughput"] {
        for line in [">ideal</text>", ">ceiling</text>"] {
            assert!(svg(&charts, key).contains(line), "{line} in {key}");
        }
    }
    assert!(!svg(&charts, "makespan").contains(">ideal"));
}

#[test]
fn points_carry_their_values_in_words() {
    let charts = charts(&summaries::two_cores(), "fib");
    for (key, datum) in [
        ("speedup", "data-n=\"2\" data-v=\"1.92x [1.89, 1.95]\""),
        ("efficiency", "data-n=\"2\" data-v=\"96 % [95, 97]\""),
        ("makespan", "data-n=\"1\" data-v=\"347 ms [343, 351]\""),
    ] {
        assert!(svg(&charts, key).contains(datum), "{key}: {}", svg(&charts, key));
    }
}

#[test]
fn one_number_of_workers_has_times_only() {
    let mut summary = summaries::two_cores();
    summary.cells.retain(|cell| cell.workers == 1);
    let charts = charts(&summary, "fib");
    let keys: Vec<&str> = charts
        .pictures
        .iter()
        .map(|picture| picture.key.as_str())
        .collect();
    assert_eq!(keys, ["throughput", "makespan"]);
    let at = charts.pictures.last().unwrap().at.as_deref();
    assert_eq!(at, Some("at 1 worker"));
}

#[test]
fn a_workload_without_figures_has_no_pictures() {
    assert_eq!(charts(&summaries::without_figures(), "fib"), Charts::default());
}

#[test]
fn many_workers_have_efficiencies_below_speedups() {
    let charts = charts(&summaries::many_cores(), "nbody");
    assert!(svg(&charts, "speedup").contains("point below"));
    assert!(svg(&charts, "speedup").contains("Efficiency: speedup over"));
    assert!(!svg(&charts, "makespan").contains("point below"));
}

/// Everything that a page styles or clashes on.
#[test]
fn drawings_have_classes_and_neither_colours_nor_ids() {
    let style =
        include_str!("../../assets/chart.css").to_owned() + include_str!("../../assets/report/style.css");
    for summary in [
        summaries::with_ceiling(),
        summaries::many_cores(),
        summaries::with_arms(),
        summaries::hostile(),
    ] {
        let charts = charts(&summary, &summary.cells.first().unwrap().workload);
        let keys = charts.series.iter().map(|series| series.key.as_str());
        for svg in charts.svgs().chain(keys) {
            assert!(!svg.contains("=\"#") && !svg.contains(" id="), "{svg}");
            for classes in svg.split(" class=\"").skip(1) {
                for class in classes.split('"').next().unwrap().split(' ') {
                    let is_known =
                        style.contains(&format!(".{class}")) || ["series", "below"].contains(&class);
                    assert!(is_known, "no rule for {class}");
                }
            }
        }
    }
}

#[test]
fn drawings_stay_small() {
    let charts = charts(&summaries::two_cores(), "fib");
    for picture in &charts.pictures {
        assert!(
            picture.svg.len() < 4_500,
            "{}: {} bytes",
            picture.key,
            picture.svg.len()
        );
    }
}
