#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use ftbench_schema::{GilState, Model, WarningKind};

/// A shortened file of `pyperf timeit`.
fn file() -> Value {
    json!({
        "version": "1.0",
        "metadata": {
            "hostname": "bench", "cpu_model_name": "Some CPU", "cpu_count": 8, "platform": "Linux-6.1-x86_64",
            "python_version": "3.13.15 (64-bit) revision 0123abc", "python_implementation": "cpython",
            "python_executable": "/opt/python/bin/python3.13", "python_cflags": "-Wall -O2 -DNDEBUG -O3",
            "python_config_args": "'--enable-optimizations' '--with-lto=yes'", "perf_version": "2.10.0",
            "unit": "second", "loops": 8, "inner_loops": 2, "name": "timeit"
        },
        "benchmarks": [{"runs": [
            {"metadata": {"calibrate_loops": 8}, "warmups": [[1, 0.004], [8, 0.002]]},
            {"metadata": {"date": "2026-11-21 08:00:01.5", "duration": 0.25, "mem_max_rss": 12_000_000},
             "warmups": [[8, 0.002_1]], "values": [0.002, 0.002_002]},
            {"metadata": {"date": "2026-11-21 08:00:00.5", "duration": 0.25}, "values": [0.001_998]}
        ]}]
    })
}

fn source(name: &str, file: &Value) -> Source {
    Source {
        name: name.to_owned(),
        sha256: "0123456789abcdef0123456789abcdef".to_owned(),
        suite: pyperf::parse(file.to_string().as_bytes()).unwrap(),
    }
}

fn assembled(sources: &[Source]) -> Imported {
    assemble(sources, vec!["ftbench".to_owned()], "0.1.0").unwrap()
}

fn refused(file: &Value) -> String {
    pyperf::parse(file.to_string().as_bytes())
        .unwrap_err()
        .to_string()
}

#[test]
fn pyperf_metadata_is_kept() {
    let Imported { manifest, trials } = assembled(&[source("bench.json", &file())]);
    let [interpreter] = manifest.interpreters.as_slice() else {
        panic!("{:?}", manifest.interpreters)
    };
    assert_eq!(
        (interpreter.tag.as_str(), interpreter.version.as_str()),
        ("3.13", "3.13.15")
    );
    assert_eq!(
        (interpreter.free_threaded, interpreter.gil),
        (false, GilState::On)
    );
    let build = &interpreter.build;
    assert_eq!(
        (build.pgo, build.lto, build.debug, build.optimisation.as_str()),
        (true, true, false, "-O3")
    );
    assert_eq!(
        (manifest.machine.topology.pus, manifest.machine.topology.cores),
        (8, 0)
    );
    assert_eq!(manifest.started_at, "2026-11-21T08:00:00.5Z");
    assert_eq!(manifest.ended_at.as_deref(), Some("2026-11-21T08:00:01.75Z"));
    assert_eq!(manifest.imported.unwrap().tool_version, "2.10.0");
    assert_eq!(manifest.warnings.len(), 1);
    assert_eq!(manifest.warnings[0].kind, WarningKind::Imported);
    // The run that only calibrates is left out.
    assert_eq!(trials.iter().map(|trial| trial.round).collect::<Vec<_>>(), [0, 1]);
    let first = &trials[0];
    assert_eq!(
        (first.cell.workload.as_str(), first.cell.model, first.units),
        ("timeit", Model::Serial, 16)
    );
    let makespans: Vec<u64> = first.samples.iter().map(|sample| sample.makespan_ns()).collect();
    assert_eq!(makespans, [33_600_000, 32_000_000, 32_032_000]);
    assert!(first.samples[0].warmup && !first.samples[1].warmup);
    assert_eq!(first.memory.as_ref().unwrap().rss_peak_bytes(), 12_000_000);
    assert_eq!(trials[1].memory, None);
}

#[test]
fn free_threaded_builds_are_detected_by_options_or_name() {
    for (key, value) in [
        ("python_config_args", "'--disable-gil' '--prefix=/x'"),
        ("python_executable", "/opt/python/bin/python3.13t"),
    ] {
        let mut file = file();
        file["metadata"][key] = json!(value);
        let manifest = assembled(&[source("a.json", &file)]).manifest;
        assert_eq!(manifest.interpreters[0].tag, "3.13t", "{value}");
        assert_eq!(manifest.interpreters[0].gil, GilState::Off);
    }
    let mut file = file();
    file["metadata"]["python_implementation"] = json!("pypy");
    file["metadata"]["python_version"] = json!("PyPy 7.3.11 (Python 3.9.16) (64-bit)");
    let manifest = assembled(&[source("a.json", &file)]).manifest;
    assert_eq!(
        (
            manifest.interpreters[0].tag.as_str(),
            manifest.interpreters[0].version.as_str()
        ),
        ("pypy3.9", "3.9.16")
    );
}

#[test]
fn files_of_the_same_build_get_different_tags_and_are_not_paired() {
    let mut other = file();
    other["metadata"]["hostname"] = json!("elsewhere");
    let imported = assembled(&[source("base.json", &file()), source("head.json.gz", &other)]);
    let tags: Vec<&str> = imported
        .manifest
        .interpreters
        .iter()
        .map(|interpreter| interpreter.tag.as_str())
        .collect();
    assert_eq!(tags, ["3.13@base", "3.13@head"]);
    assert_eq!(imported.manifest.plan.baseline, "3.13@base");
    let rounds: Vec<u32> = imported.trials.iter().map(|trial| trial.round).collect();
    assert_eq!(rounds, [0, 1, 2, 3]);
    let messages: Vec<&str> = imported
        .manifest
        .warnings
        .iter()
        .map(|warning| warning.message.as_str())
        .collect();
    assert!(
        messages[1].contains("measured one after the other"),
        "{messages:?}"
    );
    assert!(
        messages[2].starts_with("head.json.gz was measured on another machine"),
        "{messages:?}"
    );
}

#[test]
fn short_values_are_kept_exactly() {
    let mut file = file();
    file["metadata"]["loops"] = json!(1);
    file["metadata"]["inner_loops"] = json!(1);
    file["benchmarks"][0]["runs"] = json!([{"values": [3.517e-8, 3.6e-8]}]);
    let trials = assembled(&[source("a.json", &file)]).trials;
    let sample = &trials[0].samples[0];
    let per_unit_s = sample.makespan_ns() as f64 / 1e9 / trials[0].units as f64;
    assert!((per_unit_s / 3.517e-8 - 1.0).abs() < 1e-6, "{per_unit_s}");
}

#[test]
fn errors_name_the_place_in_the_file() {
    let bytes = |bytes: &[u8]| pyperf::parse(bytes).unwrap_err().to_string();
    assert!(bytes(b"").contains("not pyperf JSON"));
    assert!(bytes(b"{\"benchmarks\": []}").contains("version"));
    let mut changed = file();
    changed["version"] = json!(6);
    assert!(refused(&changed).contains("pyperf convert OLD.json -o NEW.json"));
    for version in [json!(1.0), json!("2.0"), json!(null)] {
        changed["version"] = version;
        assert!(
            refused(&changed).contains("this ftbench reads \"1.0\""),
            "{}",
            refused(&changed)
        );
    }
    let with = |path: &str, value: Value| {
        let mut changed = file();
        *changed.pointer_mut(path).unwrap() = value;
        refused(&changed)
    };
    assert!(with("/metadata/name", json!(" ")).starts_with("benchmark 1: it has no name"));
    assert!(with("/metadata/unit", json!("byte")).contains("only timeit (byte)"));
    assert!(
        with("/benchmarks/0/runs/1/values", json!([0.001, 0.0])).contains("'timeit', run 2: a value is 0")
    );
    assert!(with("/benchmarks/0/runs/1/values", json!([-1])).contains("a value is -1"));
    assert!(with("/benchmarks/0/runs/1/values", json!("x")).contains("not pyperf JSON"));
    assert!(with("/benchmarks/0/runs/1/warmups", json!([[0, 1.0]])).contains("a warm-up is [0, 1]"));
    assert!(with("/benchmarks/0/runs/2", json!({})).contains("run 3: it has neither values nor warm-ups"));
    assert!(with("/benchmarks", json!([])).contains("runs without values"));
    let twice = json!([file()["benchmarks"][0], file()["benchmarks"][0]]);
    assert!(with("/benchmarks", twice).contains("timeit: the name occurs twice"));
}

#[test]
fn a_file_that_cannot_be_a_run_is_refused_by_name() {
    let mut huge = file();
    huge["benchmarks"][0]["runs"] = json!([{"values": [1e12]}]);
    let error = assemble(&[source("huge.json", &huge)], Vec::new(), "0.1.0").unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot import huge.json: timeit: a value of 1000000000000 s cannot be kept in nanoseconds; leave that \
         benchmark out"
    );
    let mut other = file();
    other["metadata"]["python_implementation"] = json!("graalpy");
    let error = assemble(&[source("graal.json", &other)], Vec::new(), "0.1.0").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot import graal.json: it was measured on 'graalpy'")
    );
}

#[test]
fn cells_that_ftbench_exported_are_restored() {
    let mut file = file();
    let metadata = json!({
        "ftbench_version": "0.1.0", "ftbench_run": "r", "ftbench_started_at": "t", "interpreter": "3.13t+gil",
        "workload": "fib", "model": "threads", "workers": 2, "kind": "shared", "cpu_affinity": "0,1",
        "free_threaded": true, "gil_enabled": true, "switches": "gil", "name": "fib[threads,2]"
    });
    file["metadata"]
        .as_object_mut()
        .unwrap()
        .extend(metadata.as_object().unwrap().clone());
    file["benchmarks"][0]["runs"] = json!([
        {"values": [0.1], "metadata": {"round": 4}},
        {"values": [0.1], "metadata": {"round": 2}}
    ]);
    let Imported { manifest, trials } = assembled(&[source("a.json", &file), source("b.json", &file)]);
    assert_eq!(trials[0].cell.to_string(), "fib 3.13t+gil@a threads x2");
    assert_eq!(manifest.interpreters[0].switches.len(), 1);
    assert_eq!(trials[0].placement, [0, 1]);
    let rounds: Vec<u32> = trials.iter().map(|trial| trial.round).collect();
    assert_eq!(rounds, [4, 2, 4, 2], "from one run, so they are paired");
    assert_eq!(manifest.warnings.len(), 1);
    // A round that occurs twice is not believed.
    file["benchmarks"][0]["runs"][1]["metadata"]["round"] = json!(4);
    let trials = assembled(&[source("a.json", &file)]).trials;
    assert_eq!(trials.iter().map(|trial| trial.round).collect::<Vec<_>>(), [0, 1]);
}

/// A file that ftbench exported from a run, with processes of these rounds.
fn exported(run: &str, rounds: &[u32]) -> Value {
    let mut file = file();
    file["metadata"]["ftbench_run"] = json!(run);
    file["metadata"]["ftbench_started_at"] = json!("2026-11-21T08:00:00Z");
    let process = |round: &u32| json!({"values": [0.1], "metadata": {"round": round}});
    file["benchmarks"][0]["runs"] = rounds.iter().map(process).collect();
    file
}

#[test]
fn rounds_of_a_run_in_two_files_do_not_overlap_those_of_another_file() {
    let first = source("a.json", &exported("r", &[0, 1]));
    let other = source("b.json", &exported("s", &[0, 1, 2]));
    let last = source("c.json", &exported("r", &[0, 1, 2, 3, 4]));
    let trials = assembled(&[first, other, last]).trials;
    let rounds = |tag: &str| {
        let own = trials.iter().filter(|trial| trial.cell.interpreter == tag);
        own.map(|trial| trial.round).collect::<Vec<_>>()
    };
    assert_eq!(rounds("3.13@a"), [0, 1]);
    assert_eq!(rounds("3.13@c"), [0, 1, 2, 3, 4]);
    assert_eq!(rounds("3.13@b"), [5, 6, 7]);
}

#[test]
fn a_benchmark_with_rounds_of_two_runs_gets_its_own_rounds() {
    let mut merged = exported("r", &[1, 0, 2]);
    merged["benchmarks"][0]["runs"][2]["metadata"]["ftbench_run"] = json!("s");
    let trials = assembled(&[
        source("a.json", &exported("r", &[0, 1])),
        source("b.json", &merged),
    ])
    .trials;
    let rounds: Vec<u32> = trials.iter().map(|trial| trial.round).collect();
    assert_eq!(rounds, [0, 1, 2, 3, 4]);
}

#[test]
fn builds_are_detected_by_the_options_of_configure() {
    let build = |options: &str| {
        let mut file = file();
        file["metadata"]["python_config_args"] = json!(options);
        assembled(&[source("a.json", &file)]).manifest.interpreters[0]
            .build
            .clone()
    };
    for option in [
        "--with-lto",
        "--with-lto=thin",
        "--with-lto=full",
        "--with-lto=yes",
    ] {
        assert!(build(&format!("'{option}' '--prefix=/x'")).lto, "{option}");
    }
    for options in [
        "",
        "'--with-lto=no'",
        "'--with-lto=full' '--with-lto=no'",
        "'--with-ltoo'",
    ] {
        assert!(!build(options).lto, "{options}");
    }
    assert!(build("'--enable-experimental-jit=yes-off'").jit);
    assert!(!build("'--enable-experimental-jit=interpreter'").jit);
}

/// Any JSON value, small.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = pyperf::parse(&bytes);
    }

    #[test]
    fn no_change_of_a_file_makes_the_import_panic(
        path in prop::sample::select(vec![
            "/version", "/metadata", "/metadata/loops", "/metadata/cpu_count", "/metadata/python_version",
            "/metadata/python_executable", "/metadata/name", "/benchmarks", "/benchmarks/0", "/benchmarks/0/runs",
            "/benchmarks/0/runs/1", "/benchmarks/0/runs/1/values", "/benchmarks/0/runs/1/values/0",
            "/benchmarks/0/runs/1/warmups", "/benchmarks/0/runs/1/metadata/date",
            "/benchmarks/0/runs/1/metadata/duration", "/benchmarks/0/runs/1/metadata/mem_max_rss",
        ]),
        value in any_json(),
    ) {
        let mut file = file();
        *file.pointer_mut(path).unwrap() = value;
        if let Ok(suite) = pyperf::parse(file.to_string().as_bytes()) {
            let source = Source { name: "a.json".to_owned(), sha256: String::new(), suite };
            let _ = assemble(&[source], Vec::new(), "0.1.0");
        }
    }
}
