//! Fleets without an engine: plans are run one after the other on this machine, under the names of different nodes.

mod slurm;

use std::path::{Path, PathBuf};

use ftbench_schema::{FleetIndex, FleetPlan, Manifest, Model, NATIVE, RunStatus};
use rustix::process::Signal;
use serde_json::Value;

use crate::support::driver::{Checkpoint, Driver, HOLDABLE};
use crate::support::{CommandOutput, Sandbox, pair};

/// A workload that takes the same time on a busy machine, so that few samples are enough.
const SLEEPS: &str = "
def work(data, units):
    wait_at('work')
    time.sleep(0.01 * units)
    return units

def check(results, units):
    assert sum(results) == units
";

/// Options with which a shard takes a few seconds.
const SHORT: &str = "--profile quick --rounds 3 --samples 1 --no-ceiling";

fn sleeps(sandbox: &Sandbox, names: &[&str]) -> String {
    let paths = names
        .iter()
        .map(|name| sandbox.file(&format!("{name}.py"), format!("{HOLDABLE}{SLEEPS}")));
    paths.collect::<Vec<_>>().join(" ")
}

fn plan(sandbox: &Sandbox, number: u32) -> FleetPlan {
    let path = sandbox.path().join(format!("plans/shard-{number}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn index(sandbox: &Sandbox) -> FleetIndex {
    serde_json::from_slice(&std::fs::read(sandbox.path().join("fleet/fleet.json")).unwrap()).unwrap()
}

fn manifest(folder: &Path) -> Manifest {
    serde_json::from_slice(&std::fs::read(folder.join("run.json")).unwrap()).unwrap()
}

/// Runs a shard under the name of a node into `results/NODE`.
fn run_shard(sandbox: &Sandbox, number: u32, node: &str) -> CommandOutput {
    let words = format!("run --plan plans/shard-{number}.json --out results/{node} --format json");
    let mut command = sandbox.command(&words);
    command.env("FTBENCH_NODE", node);
    crate::support::output_of(command)
}

fn folders(sandbox: &Sandbox) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(sandbox.path().join("fleet/runs")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_plan_is_spread_over_shards_run_collected_and_reported() {
    let sandbox = Sandbox::sharing_the_machine();
    let files = sleeps(&sandbox, &["a", "b", "c"]);
    let gil = &pair().gil;
    let words = format!(
        "fleet plan --shards 2 --out plans {files} -p {gil} -m serial,threads -n 1,2 --pin none {SHORT}"
    );
    let planned = sandbox.ftbench(&words);
    planned.exits_with(0);
    assert_eq!(planned.stdout, "plans/shard-0.json\nplans/shard-1.json\n");
    planned.stderr_has(&["every shard has the reference cells of a"]);
    sandbox
        .ftbench(&words)
        .refuses(&["plans exists and is not empty"], 1);
    let [first, second] = [0, 1].map(|number| plan(&sandbox, number));
    assert_eq!(first.shard.fleet, second.shard.fleet);
    assert_eq!(first.workers.as_deref(), Some("1,2"));
    let text = serde_json::to_string(&second).unwrap();
    assert!(
        !text.contains("placement") && !text.contains("allowed_pus"),
        "{text}"
    );
    let names = |plan: &FleetPlan| -> Vec<String> {
        let mut names: Vec<String> = plan.curves.iter().map(|curve| curve.workload.clone()).collect();
        names.dedup();
        names
    };
    assert_eq!(
        (names(&first), names(&second)),
        (vec!["a".into(), "c".into()], vec!["a".into(), "b".into()])
    );

    for (number, node) in [(0, "n0"), (1, "n1")] {
        let output = run_shard(&sandbox, number, node);
        output.exits_with(0);
        let summary = output.json();
        let cells = summary["cells"].as_array().unwrap();
        let of_reference: Vec<&Value> = cells.iter().filter(|cell| cell["workload"] == "a").collect();
        // The second shard has only the reference of the first workload: serial code on the baseline.
        assert_eq!(of_reference.len(), if number == 0 { 3 } else { 1 });
        assert!(cells.iter().all(|cell| cell["rounds"] == 3), "{cells:?}");
        let fleet = manifest(&sandbox.path().join("results").join(node))
            .fleet
            .unwrap();
        assert_eq!((fleet.shard.shard, fleet.node.as_str()), (number, node));
    }
    // The same command again finds a complete run.
    let again = run_shard(&sandbox, 0, "n0");
    again.exits_with(0);
    again.stderr_has(&["is complete; nothing is left to measure"]);

    let collected = sandbox.ftbench("fleet collect results results/n0 --out fleet");
    collected.exits_with(0);
    collected.stderr_has(&["2 runs added", "1 run given twice and counted once"]);
    let index = index(&sandbox);
    assert_eq!((index.runs.len(), index.missing()), (2, vec![]));
    let shown = sandbox.ftbench("show fleet --format json");
    shown.exits_with(0);
    let fleet = shown.json();
    assert_eq!(fleet["machines"].as_array().unwrap().len(), 2);
    assert_eq!(fleet["kinds"].as_array().unwrap().len(), 1);
    assert_eq!(fleet["node_effects"].as_array().unwrap().len(), 2);
    let curves = fleet["curves"].as_array().unwrap();
    let measured = |curve: &Value| {
        curve["machines"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| !one.is_null())
            .count()
    };
    for curve in curves {
        let is_reference = curve["workload"] == "a" && curve["model"] == "serial";
        assert_eq!(measured(curve), if is_reference { 2 } else { 1 }, "{curve}");
    }
    sandbox.ftbench("report fleet").exits_with(0);
    let page = std::fs::read_to_string(sandbox.path().join("fleet/report.html")).unwrap();
    assert!(
        page.contains("n0") && page.contains("n1") && page.contains("<svg"),
        "no machines or no charts"
    );
    sandbox.ftbench("show fleet").exits_with(0);
    sandbox.ftbench("show fleet --format markdown").exits_with(0);
    sandbox
        .ftbench("show fleet --format csv")
        .refuses(&["samples are those of one run"], 1);
    sandbox
        .ftbench("plot fleet --chart throughput --workload a")
        .exits_with(0);
    sandbox.ftbench("history fleet").exits_with(0);
    sandbox
        .ftbench("export fleet --format csv")
        .refuses(&["give a folder for them with --out"], 1);
    sandbox
        .ftbench("export fleet --format csv --out exported")
        .exits_with(0);
    let exported = std::fs::read_dir(sandbox.path().join("exported")).unwrap();
    assert_eq!(exported.count(), 2);
}

#[test]
fn max_and_the_ceiling_are_resolved_where_a_shard_is_run() {
    let sandbox = Sandbox::sharing_the_machine();
    let words = format!(
        "fleet plan --shape same --shards 3 --out plans -p {} -m threads -n max --profile quick --rounds 5 fib",
        pair().free_threaded
    );
    sandbox.ftbench(&words).exits_with(0);
    let shard = plan(&sandbox, 2);
    assert_eq!((shard.shard.shards, shard.workers.as_deref()), (3, Some("max")));
    assert!(shard.curves.iter().any(|curve| curve.interpreter == NATIVE));
    let shown = sandbox.ftbench("run --plan plans/shard-2.json --dry-run --format json");
    shown.exits_with(0);
    let plan = shown.json();
    let most = crate::support::allowed_pus().len();
    let cells = plan["cells"].as_array().unwrap();
    let threads = cells
        .iter()
        .filter(|cell| cell["model"] == Model::Threads.name() && cell["interpreter"] != NATIVE);
    let workers: Vec<u64> = threads.map(|cell| cell["workers"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = if most > 1 { vec![1, most as u64] } else { vec![1] };
    assert_eq!(workers, expected);
    assert_eq!(plan["settings"]["stopping"]["fewest_rounds"], 5);
}

#[test]
fn a_stopped_shard_is_resumed_by_the_same_command_and_collected_again() {
    let sandbox = Sandbox::sharing_the_machine();
    let files = sleeps(&sandbox, &["a"]);
    let words = format!(
        "fleet plan --shape same --shards 2 --out plans {files} -p {} -m serial -n 1 --pin none {SHORT}",
        pair().gil
    );
    sandbox.ftbench(&words).exits_with(0);
    let hold = Checkpoint::at(&sandbox, "results/n0", 1, "a:trial:work");
    let mut command = sandbox.command("run --plan plans/shard-0.json --out results/n0");
    command.env("FTBENCH_NODE", "n0");
    let mut driver = Driver::start(command);
    hold.wait(&mut driver);
    // Collected while it is measured.
    let early = sandbox.ftbench("fleet collect results/n0 --out fleet");
    early.exits_with(0);
    early.stderr_has(&["no run of shard 1 of 2 was collected", "1 run is not complete"]);
    assert_eq!(
        (index(&sandbox).runs[0].status, index(&sandbox).runs[0].trials),
        (RunStatus::Running, 1)
    );
    driver.send(Signal::INT);
    driver.end().exits_with(130);
    hold.release();
    sandbox.ftbench("show fleet").exits_with(0);

    let resumed = run_shard(&sandbox, 0, "n0");
    resumed.exits_with(0);
    resumed.stderr_has(&["resuming results/n0, which has 1 trial"]);
    assert_eq!(resumed.json()["cells"][0]["rounds"], 3);
    // Two at once, of the run that has grown and of another one.
    run_shard(&sandbox, 1, "n1").exits_with(0);
    let both = ["n0", "n1"]
        .map(|node| Driver::start(sandbox.command(&format!("fleet collect results/{node} --out fleet"))));
    for driver in both {
        driver.end().exits_with(0);
    }
    let index = index(&sandbox);
    let runs: Vec<_> = index
        .counted()
        .map(|run| (run.node.as_str(), run.status, run.trials))
        .collect();
    assert_eq!(
        runs,
        [("n0", RunStatus::Complete, 3), ("n1", RunStatus::Complete, 3)]
    );
    assert_eq!((folders(&sandbox).len(), index.missing()), (2, vec![]));
}

#[test]
fn a_collect_that_is_killed_at_any_moment_is_repeated() {
    let sandbox = Sandbox::new();
    let shards = 8;
    // Records of some megabytes, so that copying takes a while.
    let sources: Vec<Vec<u8>> = (0..shards)
        .map(|shard| synthetic_run(&sandbox, shard, shards))
        .collect();
    for delay_ms in (0..60).step_by(3) {
        let mut driver = Driver::start(sandbox.command("fleet collect results --out fleet"));
        std::thread::sleep(std::time::Duration::from_millis(delay_ms));
        driver.child().kill().unwrap();
        driver.wait();
        // What is there is whole.
        for folder in std::fs::read_dir(sandbox.path().join("fleet/runs"))
            .into_iter()
            .flatten()
        {
            let folder = folder.unwrap().path();
            if folder.file_name().unwrap().to_str().unwrap().starts_with('.') {
                continue;
            }
            let shard = manifest(&folder).fleet.unwrap().shard.shard;
            assert_eq!(
                std::fs::read(folder.join("trials.jsonl")).unwrap(),
                sources[shard as usize]
            );
        }
        // Begins again with an empty folder now and then.
        if delay_ms % 4 == 0 {
            let _ = std::fs::remove_dir_all(sandbox.path().join("fleet"));
        }
    }
    sandbox.ftbench("fleet collect results --out fleet").exits_with(0);
    let index = index(&sandbox);
    assert_eq!((index.counted().count(), index.missing()), (8, vec![]));
    assert_eq!(
        folders(&sandbox).len(),
        8,
        "what killed processes left was removed"
    );
}

/// Writes a run of a shard without an interpreter, and returns its record.
fn synthetic_run(sandbox: &Sandbox, shard: u32, shards: u32) -> Vec<u8> {
    use ftbench_fixtures::records::{cell, manifest, trial};
    let cells = [cell("3.13", Model::Serial, 1)];
    let mut run = manifest(&cells);
    let plan = ftbench_fixtures::fleets::plan_of(&run);
    run.fleet = Some(ftbench_schema::FleetRun {
        shard: ftbench_schema::FleetShard {
            shard,
            shards,
            ..plan.shard
        },
        node: format!("n{shard}"),
        planned_at: None,
    });
    run.status = RunStatus::Complete;
    let line = serde_json::to_string(&trial(&cells[0], 0, 100)).unwrap();
    let record = format!("{line}\n").repeat(4_000);
    sandbox.file(
        &format!("results/n{shard}/run.json"),
        serde_json::to_vec(&run).unwrap(),
    );
    sandbox.file(&format!("results/n{shard}/trials.jsonl"), &record);
    record.into_bytes()
}

#[test]
fn fleets_are_compared_machine_by_machine() {
    let sandbox = Sandbox::sharing_the_machine();
    let files = sleeps(&sandbox, &["a"]);
    for (fleet, nodes) in [("first", &["n0", "n1"][..]), ("second", &["n0"])] {
        let words = format!(
            "fleet plan --shape same --shards 2 --out plans {files} -p {} -m serial -n 1 --pin none {SHORT}",
            pair().words()
        );
        sandbox.ftbench(&words).exits_with(0);
        for (number, node) in (0..).zip(nodes) {
            run_shard(&sandbox, number, node).exits_with(0);
        }
        let words = format!("fleet collect results --out {fleet}");
        sandbox.ftbench(&words).exits_with(0);
        for folder in ["plans", "results"] {
            std::fs::remove_dir_all(sandbox.path().join(folder)).unwrap();
        }
    }
    let compared = sandbox.ftbench("compare first second --format json --fail-on never");
    compared.exits_with(0);
    let fleets = compared.json();
    let machines = fleets["machines"].as_array().unwrap();
    assert_eq!(machines.len(), 1);
    assert_eq!(machines[0]["machine"], "n0");
    assert_eq!(machines[0]["comparison"]["cells"].as_array().unwrap().len(), 2);
    assert_eq!(fleets["left_out"].as_array().unwrap(), &["n1 has no run in NEW"]);
    // Two interpreters of one fleet are paired in the rounds of each machine.
    let [gil, free_threaded] = pair().tags();
    let words = format!("compare first#{gil} first#{free_threaded} --fail-on never");
    let paired = sandbox.ftbench(&words);
    paired.exits_with(0);
    for words in ["of 2 machines", "n0", "n1", "paired in the same rounds"] {
        assert!(
            paired.stdout.contains(words),
            "no {words:?} in:\n{}",
            paired.stdout
        );
    }
    for format in ["markdown", "junit"] {
        let other = sandbox.ftbench(&format!("{words} --format {format}"));
        other.exits_with(0);
        assert!(
            other.stdout.contains("n0") && other.stdout.contains("n1"),
            "{}",
            other.stdout
        );
    }
    sandbox
        .ftbench("compare first first")
        .refuses(&["is on both sides"], 1);
    // A fleet beside a run, and what the other commands make of an interpreter of a fleet.
    sandbox.ftbench(&format!("show first#{gil}")).exits_with(0);
    let history = sandbox.ftbench("history . --format json");
    history.exits_with(0);
    let history = history.json();
    let machines: Vec<&str> = history["machines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|machine| machine["hostname"].as_str().unwrap())
        .collect();
    assert_eq!(machines, ["n0", "n1"]);
}

#[test]
fn another_build_other_code_and_another_fleet_are_refused() {
    let sandbox = Sandbox::sharing_the_machine();
    let files = sleeps(&sandbox, &["a"]);
    let gil = &pair().gil;
    let words = |out: &str| {
        format!(
            "fleet plan --shape same --shards 1 --out {out} {files} -p {gil} -m serial -n 1 --pin none {SHORT}"
        )
    };
    sandbox.ftbench(&words("plans")).exits_with(0);
    let path = sandbox.path().join("plans/shard-0.json");
    let good = std::fs::read_to_string(&path).unwrap();
    let altered = |key: &str, value: &str| {
        let mut plan: Value = serde_json::from_str(&good).unwrap();
        *plan.pointer_mut(key).unwrap() = value.into();
        std::fs::write(&path, plan.to_string()).unwrap();
    };
    let other_hash = "ab".repeat(32);
    altered("/interpreters/0/identity/sha256", &other_hash);
    let refused = sandbox.ftbench("run --plan plans/shard-0.json --out out");
    refused.refuses(
        &[
            "cannot measure plans/shard-0.json here",
            gil,
            "sha256 was abababab",
            "--builds version",
        ],
        3,
    );
    assert!(!sandbox.path().join("out").exists());
    altered("/workloads/0/sha256", &other_hash);
    sandbox
        .ftbench("run --plan plans/shard-0.json --out out")
        .refuses(&["a (", "sha256 was abababab"], 3);
    altered("/ftbench_version", "0.0.1");
    sandbox
        .ftbench("run --plan plans/shard-0.json --out out")
        .refuses(&["was planned by ftbench 0.0.1"], 1);
    std::fs::write(&path, &good[..good.len() / 2]).unwrap();
    sandbox
        .ftbench("run --plan plans/shard-0.json --out out")
        .refuses(&["shard-0.json is damaged"], 1);
    sandbox
        .ftbench("run --plan plans/gone.json")
        .refuses(&["'ftbench fleet plan' wrote"], 1);
    std::fs::write(&path, &good).unwrap();
    sandbox
        .ftbench("run --plan plans/shard-0.json -n 2")
        .refuses(&["cannot be used with"], 1);
    run_shard(&sandbox, 0, "n0").exits_with(0);
    sandbox
        .ftbench("fleet collect results/n0 --out fleet")
        .exits_with(0);

    // Another fleet of the same plan, and a run of its own.
    std::fs::remove_dir_all(sandbox.path().join("plans")).unwrap();
    sandbox.ftbench(&words("plans")).exits_with(0);
    run_shard(&sandbox, 0, "n1").exits_with(0);
    sandbox.run(
        "alone",
        &format!("{files} -p {gil} -m serial -n 1 --rounds 1 --samples 1 --no-ceiling"),
        0,
    );
    let mixed = sandbox.ftbench("fleet collect results alone --out fleet");
    mixed.exits_with(1);
    mixed.stderr_has(&["results/n1 belongs to another fleet", "alone is a run of its own"]);
    assert_eq!(index(&sandbox).runs.len(), 1);
    sandbox
        .ftbench("fleet collect alone --out other")
        .refuses(&["no run of a fleet was found"], 2);
    sandbox
        .ftbench("fleet collect results --out results")
        .refuses(&["is not the folder of a fleet"], 1);
}

#[test]
fn archived_interpreters_and_packages_are_unpacked_where_a_shard_is_run() {
    let sandbox = Sandbox::sharing_the_machine();
    let files = sleeps(&sandbox, &["a"]);
    let gil = &pair().gil;
    sandbox.file("a.py", format!("import six\n{HOLDABLE}{SLEEPS}"));
    let words = format!(
        "fleet plan --shape same --shards 1 --archive --out plans {files} --with six -p {gil} -m serial -n 1 \
         --pin none {SHORT}"
    );
    sandbox.ftbench(&words).exits_with(0);
    let planned = plan(&sandbox, 0);
    let archives = planned.archives;
    assert_eq!((archives.len(), planned.environments.len()), (1, 1));
    let run = |out: &str| {
        let mut command = sandbox.command(&format!("run --plan plans/shard-0.json --out {out}"));
        command.env("XDG_CACHE_HOME", sandbox.path().join("cache"));
        // Nothing can be installed.
        command.env("UV_OFFLINE", "1").env("PIP_NO_INDEX", "1");
        crate::support::output_of(command)
    };
    run("out").exits_with(0);
    let mut run_here = manifest(&sandbox.path().join("out"));
    assert_eq!(run_here.environments[0].requirements, ["six"]);
    let interpreter = run_here.interpreters.remove(0);
    let unpacked = sandbox
        .path()
        .join("cache/ftbench/builds")
        .canonicalize()
        .unwrap();
    assert!(
        Path::new(&interpreter.path).starts_with(&unpacked),
        "{}",
        interpreter.path
    );
    assert_eq!(interpreter.tag, *gil);
    // Another archive is refused.
    let archive = sandbox.path().join("plans").join(&archives[0].file);
    std::fs::write(&archive, "another archive").unwrap();
    std::fs::remove_dir_all(unpacked).unwrap();
    run("second").refuses(&["is not the archive of the plan"], 1);
    assert!(!sandbox.path().join("second").exists());
}

#[test]
fn calls_that_no_fleet_can_follow_are_refused() {
    let sandbox = Sandbox::new();
    for (words, message) in [
        (
            "fleet plan --shards 2 --out plans fib --pin 0,1",
            "--pin 0,1 names PUs",
        ),
        (
            "fleet plan --shards 3 --out plans fib nbody -p GIL",
            "3 shards cannot share 2 workloads",
        ),
        (
            "fleet plan --shards 1 --out plans fib --out x",
            "the options of 'ftbench run' in the plan are wrong",
        ),
        ("fleet plan --shards 0 --out plans fib", "0 is not in 1..=10000"),
        ("show plans", "cannot read plans/run.json"),
    ] {
        let words = words.replace("GIL", &pair().gil);
        sandbox.ftbench(&words).refuses(&[message], 2);
    }
}
