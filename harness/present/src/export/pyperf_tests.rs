#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::Value;

use super::*;
use ftbench_fixtures::exported::{summary, trials};

/// The pyperf file of an interpreter, as JSON.
fn pyperf_file(export: &Export<'_>, interpreter: &str) -> Value {
    let choice = pyperf::Choice {
        interpreter: Some(interpreter),
        rounds: None,
    };
    let mut files = pyperf::files(export, choice).unwrap().files;
    assert_eq!(files.len(), 1);
    serde_json::from_str(&files.remove(0).text).unwrap()
}

#[test]
fn a_trial_is_a_pyperf_process() {
    let summary = summary();
    let trials = trials(&summary, 2);
    let export = Export::new(&summary, &trials);
    let file = pyperf_file(&export, "3.13t");
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
fn every_file_has_the_same_number_of_values_if_a_trial_failed() {
    let summary = summary();
    let mut trials = trials(&summary, 5);
    // One trial failed on one build, and one has a sample less on the other.
    trials[1].status = TrialStatus::Failed;
    trials[9].samples.pop();
    let export = Export::new(&summary, &trials);
    let files = pyperf::files(&export, pyperf::Choice::default()).unwrap();
    assert_eq!(files.shortened, ["fib[threads,2]"]);
    for tag in ["3.13", "3.13t"] {
        let file = pyperf_file(&export, tag);
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
fn metadata_has_nothing_that_pyperf_refuses() {
    let mut summary = summary();
    summary.machine.hostname = "two\nlines\u{1b}".to_owned();
    summary.machine.cpu_model = " ".to_owned();
    summary.machine.topology.pus = 0;
    let trials = trials(&summary, 1);
    let file = pyperf_file(&Export::new(&summary, &trials), "3.13");
    let metadata = file["metadata"].as_object().unwrap();
    assert_eq!(metadata["hostname"], "two lines\u{fffd}");
    assert!(!metadata.contains_key("cpu_model_name") && !metadata.contains_key("cpu_count"));
    let run = &file["benchmarks"][0]["runs"][0]["metadata"];
    assert!(run.get("mem_max_rss").is_none(), "unknown, so not 0: {run}");
    assert_eq!(run["date"], "2026-11-21 08:00:00.123456");
}
