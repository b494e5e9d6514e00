#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::Value;

use super::action_benchmark::Metric;
use super::*;
use crate::present::made_up;
use crate::record::schema::{Memory, ProcessMemory, SCHEMA_VERSION, Sample};

/// Two threads of `fib` on both builds.
fn summary() -> Summary {
    let mut summary = made_up::two_cores();
    summary.workloads = vec![made_up::workload("fib")];
    summary
        .cells
        .retain(|cell| cell.workload == "fib" && cell.model.name() == "threads" && cell.workers == 2);
    summary
}

fn sample(number: u32, warmup: bool, makespan_ns: u64) -> Sample {
    Sample {
        sample: number,
        warmup,
        start_ns: 1000,
        end_ns: 1000 + makespan_ns,
        gil_enabled: false,
        moved: false,
        shares: Vec::new(),
        reported: BTreeMap::new(),
        noise: None,
        cost: None,
    }
}

fn trial(cell: &CellSummary, round: u32, samples: u32) -> Trial {
    let makespan_ns = (cell.makespan_s.unwrap().estimate * 1e9) as u64;
    Trial {
        schema: SCHEMA_VERSION,
        trial: u64::from(round),
        round,
        cell: cell.cell(),
        placement: cell.placement.clone(),
        units: 100,
        started_at: "2026-11-21T08:00:00.123456789Z".to_owned(),
        duration_ns: 500_000_000,
        hash_seed: 7,
        status: TrialStatus::Ok,
        reason: None,
        last_words: None,
        gil_enabled: Some(false),
        gil_enabled_by: None,
        start_method: None,
        startup_ns: None,
        workers: Vec::new(),
        samples: (0..=samples)
            .map(|number| {
                sample(
                    number,
                    number == 0,
                    makespan_ns + u64::from(round * 1000 + number),
                )
            })
            .collect(),
        memory: (round > 0).then(|| Memory {
            processes: vec![ProcessMemory {
                process_id: 1,
                rss_peak_bytes: 20_000_000,
            }],
            pss_peak_bytes: None,
        }),
    }
}

fn trials(summary: &Summary, rounds: u32) -> Vec<Trial> {
    let cells = summary.cells.iter();
    cells
        .flat_map(|cell| (0..rounds).map(move |round| trial(cell, round, 2)))
        .collect()
}

/// A file of pyperf's as JSON.
fn pyperf_of(export: &Export<'_>, interpreter: &str) -> Value {
    let choice = pyperf::Choice {
        interpreter: Some(interpreter),
        rounds: None,
    };
    let mut files = pyperf::files(export, choice).unwrap().files;
    assert_eq!(files.len(), 1);
    serde_json::from_str(&files.remove(0).text).unwrap()
}

#[test]
fn a_process_of_pyperfs_is_a_trial() {
    let summary = summary();
    let trials = trials(&summary, 2);
    let export = Export::new(&summary, &trials);
    let file = pyperf_of(&export, "3.13t");
    insta::assert_json_snapshot!(file, @r##"
    {
      "version": "1.0",
      "metadata": {
        "unit": "second",
        "hostname": "bench",
        "cpu_model_name": "AMD EPYC 9554 64-Core Processor",
        "cpu_count": 2,
        "cpu_cores": 2,
        "platform": "Debian GNU/Linux 12, 6.1.0, x86_64",
        "ftbench_version": "0.1.0",
        "ftbench_run": "20261121T080000Z-bench",
        "ftbench_started_at": "2026-11-21T08:00:00Z",
        "interpreter": "3.13t",
        "scaling": "strong",
        "python_version": "3.13.15",
        "python_executable": "/opt/python/3.13t/bin/python",
        "python_implementation": "cpython",
        "python_compiler": "GCC 12.2.0",
        "python_cflags": "-O3",
        "python_config_args": "--disable-gil",
        "free_threaded": true
      },
      "benchmarks": [
        {
          "metadata": {
            "name": "fib[threads,2]",
            "loops": 100,
            "workload": "fib",
            "model": "threads",
            "workers": 2,
            "units": 100,
            "kind": "cpu",
            "cpu_affinity": "0,1"
          },
          "runs": [
            {
              "metadata": {
                "date": "2026-11-21 08:00:00.123456",
                "duration": 0.5,
                "round": 0,
                "python_hash_seed": 7,
                "gil_enabled": false
              },
              "values": [
                0.00197916667,
                0.00197916668
              ],
              "warmups": [
                [
                  100,
                  0.00197916666
                ]
              ]
            },
            {
              "metadata": {
                "date": "2026-11-21 08:00:00.123456",
                "duration": 0.5,
                "round": 1,
                "python_hash_seed": 7,
                "gil_enabled": false,
                "mem_max_rss": 20000000
              },
              "values": [
                0.00197917667,
                0.00197917668
              ],
              "warmups": [
                [
                  100,
                  0.00197917666
                ]
              ]
            }
          ]
        }
      ]
    }
    "##);
}

#[test]
fn every_file_has_as_many_values_even_where_a_trial_failed() {
    let summary = summary();
    let mut trials = trials(&summary, 5);
    // One failed on one build, and one has a sample less on the other.
    trials[1].status = TrialStatus::Failed;
    trials[9].samples.pop();
    let export = Export::new(&summary, &trials);
    let files = pyperf::files(&export, pyperf::Choice::default()).unwrap();
    assert_eq!(files.shortened, ["fib[threads,2]"]);
    for tag in ["3.13", "3.13t"] {
        let file = pyperf_of(&export, tag);
        let runs = file["benchmarks"][0]["runs"].as_array().unwrap();
        let rounds: Vec<u64> = runs
            .iter()
            .map(|run| run["metadata"]["round"].as_u64().unwrap())
            .collect();
        assert_eq!(rounds, [0, 2, 3, 4]);
        assert!(
            runs.iter()
                .all(|run| run["values"].as_array().unwrap().len() == 1)
        );
    }
    let choice = |rounds| pyperf::Choice {
        interpreter: None,
        rounds: Some(rounds),
    };
    assert_eq!(pyperf::files(&export, choice(4)).unwrap().files.len(), 2);
    let error = pyperf::files(&export, choice(5)).unwrap_err().to_string();
    assert_eq!(
        error,
        "fib[threads,2] has 4 rounds, not 5; give --rounds 4, or measure more"
    );
}

#[test]
fn metadata_hold_nothing_that_pyperf_refuses() {
    let mut summary = summary();
    summary.machine.hostname = "two\nlines\u{1b}".to_owned();
    summary.machine.cpu_model = " ".to_owned();
    summary.machine.topology.pus = 0;
    let trials = trials(&summary, 1);
    let file = pyperf_of(&Export::new(&summary, &trials), "3.13");
    let metadata = file["metadata"].as_object().unwrap();
    assert_eq!(metadata["hostname"], "two lines\u{fffd}");
    assert!(!metadata.contains_key("cpu_model_name") && !metadata.contains_key("cpu_count"));
    let run = &file["benchmarks"][0]["runs"][0]["metadata"];
    assert!(run.get("mem_max_rss").is_none(), "not known, and so not 0: {run}");
    assert_eq!(run["date"], "2026-11-21 08:00:00.123456");
}

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
fn the_action_gets_one_direction_in_a_file() {
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
    // 100 units in a sample.
    let makespan_s = summary.cells[0].makespan_s.unwrap().estimate;
    assert!((times[0]["value"].as_f64().unwrap() - makespan_s * 1e4).abs() < 1e-9);
    assert!(times[0]["range"].as_str().unwrap().starts_with("± "));
}

#[test]
fn a_speedup_takes_several_workers() {
    let mut summary = summary();
    for cell in &mut summary.cells {
        cell.workers = 1;
    }
    let trials = trials(&summary, 3);
    let error = action_benchmark::render(&Export::new(&summary, &trials), Metric::Speedup).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a speedup takes a cell with several workers"),
        "{error}"
    );
}

#[test]
fn bencher_gets_intervals() {
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
fn asv_gets_a_grid_with_holes() {
    let mut summary = made_up::two_cores();
    summary.workloads = vec![made_up::workload("fib")];
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
    let files = asv::files(&Export::new(&summary, &trials), &commit).unwrap();
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
    let mut summary = made_up::without_figures();
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
fn an_interpreter_that_is_not_there_gets_the_nearest() {
    let mut summary = summary();
    let error = narrow(&mut summary, "3.14t").unwrap_err().to_string();
    assert!(
        error.contains("no interpreter '3.14t'") && error.contains("it has 3.13, 3.13t"),
        "{error}"
    );
    narrow(&mut summary, "3.13t").unwrap();
    assert_eq!(summary.cells.len(), 1);
}

#[test]
fn foreign_names_do_no_harm() {
    let summary = made_up::hostile();
    let trials = trials(&summary, 1);
    let export = Export::new(&summary, &trials);
    let commit = asv::Commit {
        hash: "01234567".to_owned(),
        date_ms: 0,
    };
    for file in asv::files(&export, &commit).unwrap() {
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
