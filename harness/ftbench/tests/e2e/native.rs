//! The ceiling, end to end: on this machine, with the interpreters that `ftbench run` finds.

use serde_json::Value;

use crate::support::{Run, Sandbox, allowed_pus, pair};

fn is_native(cell: &&Value) -> bool {
    cell["interpreter"] == "native"
}

/// Runs a workload for five rounds, the minimum for reliable intervals.
#[track_caller]
fn run(sandbox: &Sandbox, words: &str) -> Run {
    sandbox.run("out", &format!("{words} --rounds 5 -m threads -n 1,2"), 0)
}

fn json(run: &Run, name: &str) -> Value {
    serde_json::from_slice(&run.read(name)).unwrap()
}

#[test]
fn a_run_measures_the_ceiling_too() {
    if allowed_pus().len() < 2 {
        return;
    }
    let sandbox = Sandbox::new();
    let run = run(&sandbox, "fib");
    let summary = json(&run, "summary.json");
    let cells = summary["cells"].as_array().unwrap();
    let native: Vec<&Value> = cells.iter().filter(is_native).collect();
    assert_eq!(native.len(), 2);
    for cell in &native {
        assert_eq!(
            (&cell["status"], &cell["host"], &cell["model"], &cell["gil"]),
            (&"ok".into(), &"spawn".into(), &"threads".into(), &Value::Null),
            "{cell}"
        );
        assert_eq!(
            (&cell["ceiling_fraction"], &cell["vs_baseline"]),
            (&Value::Null, &Value::Null)
        );
        assert!(cell["speedup"]["low"].is_f64());
        let same = |other: &&Value| !is_native(other) && other["workers"] == cell["workers"];
        for other in cells.iter().filter(same) {
            assert_eq!(other["placement"], cell["placement"]);
        }
    }
    for cell in cells.iter().filter(|cell| !is_native(cell)) {
        let fraction = &cell["ceiling_fraction"];
        if cell["model"] == "serial" {
            assert!(fraction.is_null());
            continue;
        }
        let end = |name: &str| fraction[name].as_f64().unwrap();
        assert!(
            end("low") <= end("estimate") && end("estimate") <= end("high") && end("low") > 0.0,
            "{cell}"
        );
    }
    assert_kernel_is_recorded(&run);
}

fn assert_kernel_is_recorded(run: &Run) {
    let manifest = json(run, "run.json");
    let workload = &manifest["workloads"][0];
    assert_eq!(workload["ceiling"]["kernel"], "integer");
    let trials = run.text("trials.jsonl");
    let trials: Vec<Value> = trials
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for trial in &trials {
        let units = if trial["cell"]["interpreter"] == "native" {
            &workload["ceiling"]["units"]
        } else {
            &workload["units"]
        };
        assert_eq!(
            (&trial["units"], &trial["status"]),
            (units, &"ok".into()),
            "{trial}"
        );
        for worker in trial["workers"].as_array().unwrap() {
            let number = usize::try_from(worker["worker"].as_u64().unwrap()).unwrap();
            assert_eq!(
                worker["bound_to"],
                serde_json::json!([trial["placement"][number]])
            );
        }
    }
    let native = |trial: &&Value| trial["cell"]["interpreter"] == "native";
    assert_eq!(trials.iter().filter(native).count(), 10);
}

#[test]
fn the_ceiling_is_omitted_on_request_and_without_pinning() {
    for words in ["fib --no-ceiling", "http_fetch --pin=none"] {
        let output = Sandbox::new().ftbench(&format!("run --dry-run --format json -m threads {words}"));
        output.exits_with(0);
        let plan = output.json();
        let cells = plan["cells"].as_array().unwrap();
        assert!(
            !cells.is_empty() && !cells.iter().any(|cell| is_native(&cell)),
            "{words}"
        );
    }
}

#[test]
fn every_kernel_runs_as_a_worker_of_a_real_driver() {
    if allowed_pus().len() < 2 {
        return;
    }
    let sandbox = Sandbox::sharing_the_machine();
    let kernels = ["floating_point", "memory_bandwidth"];
    let files = kernels.map(|kernel| {
        let declared = format!("# /// script\n# [tool.ftbench]\n# ceiling = \"{kernel}\"\n# ///\n");
        let work = "def work(data, units):\n    return sum(range(units * 1000))\n";
        sandbox.file(&format!("{kernel}.py"), declared + work)
    });
    let words = format!(
        "{} -p {} -m threads -n 1,2 --rounds 1",
        files.join(" "),
        pair().gil
    );
    let summary = json(&sandbox.run("out", &words, 0), "summary.json");
    for kernel in kernels {
        let workloads = summary["workloads"].as_array().unwrap();
        let workload = workloads.iter().find(|workload| workload["name"] == kernel);
        assert_eq!(workload.unwrap()["ceiling"]["kernel"], kernel);
        let cells = summary["cells"].as_array().unwrap().iter();
        let native: Vec<&Value> = cells
            .filter(|cell| is_native(cell) && cell["workload"] == kernel)
            .collect();
        assert!(
            native.len() == 2 && native.iter().all(|cell| cell["status"] == "ok"),
            "{native:?}"
        );
    }
}

#[test]
fn a_native_worker_without_a_driver_is_refused() {
    Sandbox::new()
        .ftbench("native-worker --kernel integer --channel 77 78")
        .fails(3, &["ftbench itself starts this command"], 2);
}
