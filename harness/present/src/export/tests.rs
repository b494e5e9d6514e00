#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::Value;

use super::action_benchmark::Metric;
use super::*;
use ftbench_fixtures::exported::{summary, trials};
use ftbench_fixtures::summaries;

#[test]
fn hyperfine_has_a_result_for_each_cell() {
    let summary = summary();
    let mut trials = trials(&summary, 2);
    trials.pop();
    insta::assert_snapshot!(hyperfine::render(&Export::new(&summary, &trials)).unwrap(), @r##"
    {
      "results": [
        {
          "command": "fib 3.13 threads x2",
          "mean": 0.3540821335,
          "stddev": 7.071067812068809e-7,
          "median": 0.3540821335,
          "user": null,
          "system": null,
          "min": 0.3540816335,
          "max": 0.3540826335,
          "times": [
            0.3540816335,
            0.3540826335
          ],
          "exit_codes": [
            0,
            0
          ],
          "parameters": {
            "interpreter": "3.13",
            "model": "threads",
            "units": "100",
            "workers": "2",
            "workload": "fib"
          }
        },
        {
          "command": "fib 3.13t threads x2",
          "mean": 0.19791666749999998,
          "stddev": null,
          "median": 0.19791666749999998,
          "user": null,
          "system": null,
          "min": 0.19791666749999998,
          "max": 0.19791666749999998,
          "times": [
            0.19791666749999998
          ],
          "exit_codes": [
            0
          ],
          "parameters": {
            "interpreter": "3.13t",
            "model": "threads",
            "units": "100",
            "workers": "2",
            "workload": "fib"
          }
        }
      ]
    }
    "##);
}

#[test]
fn a_file_for_the_action_has_one_direction() {
    let summary = summary();
    let trials = trials(&summary, 3);
    let export = Export::new(&summary, &trials);
    insta::assert_snapshot!(action_benchmark::render(&export, Metric::Speedup).unwrap(), @r##"
    [
      {
        "name": "fib[threads,2] 3.13",
        "unit": "x",
        "value": 0.98,
        "range": "± 0.01469999999999999",
        "extra": "95 % interval: 0.9652999999999999 to 0.9946999999999999\nrounds: 10\nunits of work in a sample: 100"
      },
      {
        "name": "fib[threads,2] 3.13t",
        "unit": "x",
        "value": 1.92,
        "range": "± 0.028799999999999826",
        "extra": "95 % interval: 1.8912 to 1.9487999999999996\nrounds: 10\nunits of work in a sample: 100"
      }
    ]
    "##);
    let times = action_benchmark::render(&export, Metric::Time).unwrap();
    let times: Value = serde_json::from_str(&times).unwrap();
    assert_eq!(times[0]["name"], "fib[threads,2] 3.13");
    assert_eq!(times[0]["unit"], "us/iter");
    // A sample has 100 units.
    let makespan_s = summary.cells[0].makespan_s.unwrap().estimate;
    assert!((times[0]["value"].as_f64().unwrap() - makespan_s * 1e4).abs() < 1e-9);
    assert!(times[0]["range"].as_str().unwrap().starts_with("± "));
}

#[test]
fn a_speedup_needs_several_workers() {
    let mut summary = summary();
    for cell in &mut summary.cells {
        cell.workers = 1;
    }
    let trials = trials(&summary, 3);
    let error = action_benchmark::render(&Export::new(&summary, &trials), Metric::Speedup).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a speedup needs a cell with several workers"),
        "{error}"
    );
}

#[test]
fn bencher_has_intervals() {
    let summary = summary();
    let trials = trials(&summary, 3);
    insta::assert_snapshot!(bencher::render(&Export::new(&summary, &trials)).unwrap(), @r##"
    {
      "fib[threads,2] 3.13": {
        "latency": {
          "value": 3540816.326530612,
          "lower_value": 3498326.5306122447,
          "upper_value": 3583306.1224489794
        },
        "speedup": {
          "value": 0.98,
          "lower_value": 0.9652999999999999,
          "upper_value": 0.9946999999999999
        }
      },
      "fib[threads,2] 3.13t": {
        "latency": {
          "value": 1979166.6666666667,
          "lower_value": 1955416.6666666667,
          "upper_value": 2002916.666666667
        },
        "speedup": {
          "value": 1.92,
          "lower_value": 1.8912,
          "upper_value": 1.9487999999999996
        }
      }
    }
    "##);
}

#[test]
fn asv_has_null_where_an_interpreter_was_not_measured() {
    let mut summary = summaries::two_cores();
    summary.workloads = vec![ftbench_fixtures::records::workload("fib")];
    summary
        .cells
        .retain(|cell| cell.workload == "fib" && cell.model.name() == "threads");
    // The free-threaded build was not measured with one worker.
    summary
        .cells
        .retain(|cell| cell.interpreter == "3.13" || cell.workers == 2);
    summary.machine.hostname = "../a b".to_owned();
    let trials = trials(&summary, 3);
    let commit = asv::Commit {
        hash: "0123456789abcdef".to_owned(),
        date_ms: 1_700_000_000_000,
    };
    let known = asv::Benchmarks::default();
    let files = asv::files(&Export::new(&summary, &trials), &commit, known).unwrap();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "benchmarks.json",
            "_a_b/machine.json",
            "_a_b/01234567-3.13.json",
            "_a_b/01234567-3.13t.json"
        ]
    );
    let holes: Value = serde_json::from_str(&files[3].text).unwrap();
    let row = &holes["results"]["ftbench.time_fib_threads"];
    assert!(row[0][0].is_null() && row[0][1].is_f64(), "{row}");
    assert_eq!(row[1], serde_json::json!([["1", "2"]]));
    assert_eq!(
        holes["result_columns"].as_array().unwrap().len(),
        row.as_array().unwrap().len()
    );
    assert_eq!(holes["params"]["machine"], "_a_b");
    assert_eq!(
        (&holes["date"], &holes["version"]),
        (&1_700_000_000_000_i64.into(), &2.into())
    );
    insta::assert_snapshot!(files[0].text, @r##"
    {
      "ftbench.time_fib_threads": {
        "code": "# fib, threads: ",
        "name": "ftbench.time_fib_threads",
        "param_names": [
          "workers"
        ],
        "params": [
          [
            "1",
            "2"
          ]
        ],
        "pretty_name": "fib, threads",
        "type": "time",
        "unit": "seconds",
        "version": "1"
      },
      "version": 2
    }
    "##);
}

#[test]
fn a_failed_cell_is_a_failed_test() {
    let mut summary = summaries::without_figures();
    summary.cells.truncate(4);
    summary.cells[3].status = CellStatus::Ok;
    summary.cells[3].reason = None;
    let trials = [];
    insta::assert_snapshot!(junit::render(&summary, &trials).unwrap(), @r##"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="ftbench 20261121T080000Z-bench" tests="4" skipped="0" failures="3" errors="0">
        <testsuite name="fib" tests="4" skipped="0" errors="0" failures="3">
            <properties>
                <property name="machine" value="bench"/>
            </properties>
            <testcase name="fib 3.13 serial x1" classname="ftbench.fib" time="0.000">
                <failure message="ZeroDivisionError: division by zero" type="failed">ZeroDivisionError: division by zero
    Traceback (most recent call last):
      File &quot;fib.py&quot;, line 9, in work
        return 1 / 0
    ZeroDivisionError: division by zero</failure>
            </testcase>
            <testcase name="fib 3.13 threads x1" classname="ftbench.fib" time="0.000">
                <failure message="no answer to &apos;sample&apos; within 60 s" type="timed out">no answer to &apos;sample&apos; within 60 s</failure>
            </testcase>
            <testcase name="fib 3.13 threads x2" classname="ftbench.fib" time="0.000">
                <failure message="check: expected 6765, got 6764" type="wrong result">check: expected 6765, got 6764</failure>
            </testcase>
            <testcase name="fib 3.13 processes x1" classname="ftbench.fib" time="0.000"/>
        </testsuite>
    </testsuites>
    "##);
}

#[test]
fn cells_that_are_not_ok_and_the_ceiling_are_left_out() {
    let mut summary = summary();
    summary.cells[0].status = CellStatus::GilReenabled;
    let mut native = summary.cells[1].clone();
    native.interpreter = "native".to_owned();
    summary.cells.push(native);
    let trials = trials(&summary, 3);
    let export = Export::new(&summary, &trials);
    let names: Vec<String> = export
        .measured
        .iter()
        .map(|measured| full_name(&measured.cell))
        .collect();
    assert_eq!(names, ["fib[threads,2] 3.13t"]);
    assert_eq!(export.left_out.len(), 1);
    let nothing = Export::new(&summary, &[]);
    for error in [
        hyperfine::render(&nothing).unwrap_err(),
        bencher::render(&nothing).unwrap_err(),
        pyperf::files(&nothing, pyperf::Choice::default()).unwrap_err(),
    ] {
        assert!(error.to_string().contains("none was measured"), "{error}");
    }
}

#[test]
fn an_unknown_interpreter_is_refused_with_the_known_ones() {
    let mut summary = summary();
    let error = narrow(&mut summary, "3.14t").unwrap_err().to_string();
    assert!(
        error.contains("no interpreter or arm '3.14t'") && error.contains("it has 3.13, 3.13t"),
        "{error}"
    );
    narrow(&mut summary, "3.13t").unwrap();
    assert_eq!(summary.cells.len(), 1);
}

#[test]
fn foreign_names_are_escaped() {
    let summary = summaries::hostile();
    let trials = trials(&summary, 1);
    let export = Export::new(&summary, &trials);
    let commit = asv::Commit {
        hash: "01234567".to_owned(),
        date_ms: 0,
    };
    for file in asv::files(&export, &commit, asv::Benchmarks::default()).unwrap() {
        assert!(
            !file.path.contains("..") && !file.path.contains('\n'),
            "{}",
            file.path
        );
        serde_json::from_str::<Value>(&file.text).unwrap();
    }
    let xml = junit::render(&summary, &trials).unwrap();
    assert!(!xml.contains("<script>") && !xml.contains('\u{1b}'));
    for file in pyperf::files(&export, pyperf::Choice::default()).unwrap().files {
        let document: Value = serde_json::from_str(&file.text).unwrap();
        for benchmark in document["benchmarks"].as_array().unwrap() {
            let name = benchmark["metadata"]["name"].as_str().unwrap();
            assert!(!name.contains(['\n', '\u{1b}']));
        }
    }
}
