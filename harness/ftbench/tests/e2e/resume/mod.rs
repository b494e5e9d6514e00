//! Runs that are stopped by an interrupt, a kill, a full disk or the loss of their folder, and how they are resumed.

mod disk;
mod kills;
mod refused;

use std::path::Path;

use ftbench::record::store::{self, Checksums};
use ftbench_schema::{Manifest, Trial};
use rustix::process::Signal;

use crate::support::driver::{Checkpoint, Driver, HOLDABLE};
use crate::support::{CommandOutput, Sandbox, pair};

/// A workload that takes the same time on a busy machine, so that few samples are enough.
const SLEEPS: &str = "
def work(data, units):
    wait_at('work')
    time.sleep(0.02 * units)
    return units

def check(results, units):
    assert sum(results) == units
";

/// Writes the workload `sleeps.py`, which a test can hold, and returns its path.
fn sleeps(sandbox: &Sandbox) -> String {
    sandbox.file("sleeps.py", format!("{HOLDABLE}{SLEEPS}"))
}

fn manifest(folder: &Path) -> Manifest {
    serde_json::from_slice(&std::fs::read(folder.join("run.json")).unwrap()).unwrap()
}

/// The trials of a record that must be undamaged.
fn trials(folder: &Path, checksums: Checksums) -> Vec<Trial> {
    let recorded = store::read_trials(&folder.join("trials.jsonl"), checksums).unwrap();
    assert_eq!(recorded.warnings, []);
    recorded.trials
}

/// Makes a run of one serial cell in the folder `out` and stops it after two of eight trials.
fn stopped_run(sandbox: &Sandbox, python: &str) -> CommandOutput {
    let sleeps = sleeps(sandbox);
    let words =
        format!("run {sleeps} -p {python} -m serial -n 1 --rounds 8 --samples 1 --no-ceiling --out out");
    let hold = Checkpoint::at(sandbox, "out", 2, "sleeps:trial:work");
    let mut driver = Driver::start(sandbox.command(&words));
    hold.wait(&mut driver);
    driver.send(Signal::INT);
    let output = driver.end();
    hold.release();
    output
}

#[test]
fn an_interrupted_run_names_the_resume_command_and_excludes_other_processes() {
    let sandbox = Sandbox::sharing_the_machine();
    let sleeps = sleeps(&sandbox);
    let words = format!(
        "run {sleeps} -p {} -m serial -n 1 --rounds 8 --samples 1 --no-ceiling --out out",
        pair().gil
    );
    let hold = Checkpoint::at(&sandbox, "out", 1, "sleeps:trial:work");
    let mut driver = Driver::start(sandbox.command(&words));
    hold.wait(&mut driver);
    let second = sandbox.ftbench("run --resume out");
    second.refuses(
        &[
            "out is in use by another ftbench",
            &format!("(process {})", driver.id()),
        ],
        2,
    );
    sandbox
        .ftbench(&words)
        .refuses(&["out exists and is not empty"], 2);
    sandbox.ftbench("show out").exits_with(0);
    sandbox.ftbench("report out --out page.html").exits_with(0);
    driver.send(Signal::INT);
    let output = driver.end();
    output.exits_with(130);
    output.stderr_has(&["resume with 'ftbench run --resume out'"]);
}

#[test]
fn a_stopped_run_is_resumed_once() {
    let sandbox = Sandbox::sharing_the_machine();
    stopped_run(&sandbox, &pair().gil).exits_with(130);
    let out = sandbox.path().join("out");
    let before = trials(&out, Checksums::Required);
    let output = sandbox.ftbench("run --resume out --format json");
    output.exits_with(0);
    assert_eq!(output.json()["run"]["status"], "complete");
    assert_eq!(output.json()["cells"][0]["rounds"], 8);
    let after = trials(&out, Checksums::Required);
    assert_eq!(after.len(), 8);
    assert_eq!(after[..before.len()], before);
    let sessions = manifest(&out).sessions;
    assert_eq!(sessions.len(), 2);
    assert!(sessions.iter().all(|session| session.ended_at.is_some()));
    let again = sandbox.ftbench("run --resume out");
    again.exits_with(0);
    again.stderr_has(&["out is complete; nothing is left to measure"]);
    assert_eq!(trials(&out, Checksums::Required), after);
}

#[test]
fn a_run_of_two_files_with_one_name_is_resumed() {
    let sandbox = Sandbox::sharing_the_machine();
    for folder in ["a", "b"] {
        sandbox.file(&format!("{folder}/bench.py"), format!("{HOLDABLE}{SLEEPS}"));
    }
    let words = format!(
        "a/bench.py b/bench.py -p {} -m serial -n 1 --no-ceiling",
        pair().gil
    );
    let run = sandbox.run("out", &format!("{words} --rounds 3 --samples 1"), 0);
    let names = ["a/bench", "b/bench"];
    for name in names {
        run.all_ok(name);
    }
    for chart in ["a_bench.svg", "b_bench.svg"] {
        assert!(run.folder.join("charts").join(chart).is_file(), "{chart}");
    }
    // As if it had been stopped before its last trial.
    let path = run.folder.join("run.json");
    let finished = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, finished.replace("\"complete\"", "\"interrupted\"")).unwrap();
    let path = run.folder.join("trials.jsonl");
    let record = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = record.split_inclusive('\n').collect();
    std::fs::write(&path, lines[..lines.len() - 1].concat()).unwrap();
    let output = sandbox.ftbench("run --resume out --format json");
    output.exits_with(0);
    let summary = output.json();
    let workloads = summary["workloads"].as_array().unwrap().iter();
    assert_eq!(workloads.map(|one| &one["name"]).collect::<Vec<_>>(), names);
    let cells = summary["cells"].as_array().unwrap();
    assert!(cells.iter().all(|cell| cell["rounds"] == 3), "{cells:?}");
    sandbox
        .ftbench("plot out --chart scaling --workload b/bench")
        .exits_with(0);
}

#[test]
fn a_run_without_checksums_is_resumed() {
    let sandbox = Sandbox::sharing_the_machine();
    stopped_run(&sandbox, &pair().gil).exits_with(130);
    let out = sandbox.path().join("out");
    let mut older: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("run.json")).unwrap()).unwrap();
    let object = older.as_object_mut().unwrap();
    object.remove("sessions").unwrap();
    object.insert("status".to_owned(), "running".into());
    std::fs::write(out.join("run.json"), older.to_string()).unwrap();
    let lines: Vec<String> = trials(&out, Checksums::Required)
        .iter()
        .map(|trial| format!("{}\n", serde_json::to_string(trial).unwrap()))
        .collect();
    // And an unfinished line, as a kill leaves it.
    let torn = "{\"schema\":1,\"trial\":7,\"rou";
    std::fs::write(out.join("trials.jsonl"), format!("{}{torn}", lines.concat())).unwrap();
    let output = sandbox.ftbench("run --resume out --format json");
    output.exits_with(0);
    output.stderr_has(&[&format!("removed {} bytes of an unfinished line", torn.len())]);
    assert_eq!(output.json()["cells"][0]["rounds"], 8);
    assert!(!output.stdout.contains("damaged_record"));
    let text = std::fs::read_to_string(out.join("trials.jsonl")).unwrap();
    let with_checksum = text.lines().filter(|line| line.contains("\"crc32\":")).count();
    assert_eq!(with_checksum, 8 - lines.len());
    let sessions = manifest(&out).sessions;
    assert_eq!(
        sessions
            .iter()
            .map(|session| session.checksums)
            .collect::<Vec<_>>(),
        [false, true]
    );
}
