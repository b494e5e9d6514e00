//! Runs that cannot be resumed, and the reasons given.

use std::path::Path;
use std::process::Command;

use ftbench::record::store::Checksums;
use ftbench_schema::{Manifest, WarningKind};
use rustix::process::Signal;

use super::{SLEEPS, manifest, sleeps, stopped_run, trials};
use crate::support::driver::{Checkpoint, Driver, HOLDABLE};
use crate::support::{Sandbox, executable, output_of, pair};

#[test]
fn a_run_whose_inputs_changed_is_refused_with_the_changes() {
    let sandbox = Sandbox::sharing_the_machine();
    let real = executable(&pair().gil);
    let python = sandbox.script("python3", &format!("exec {} \"$@\"", real.display()));
    stopped_run(&sandbox, &python).exits_with(130);
    let contents = || {
        let out = sandbox.path().join("out");
        ["run.json", "trials.jsonl"].map(|name| std::fs::read(out.join(name)).unwrap())
    };
    let before = contents();
    let refuses = |words: &[&str]| {
        let output = sandbox.ftbench("run --resume out");
        output.refuses(&["cannot resume out"], 4);
        output.stderr_has(words);
    };
    sandbox.file("sleeps.py", format!("{HOLDABLE}{SLEEPS}\n# later\n"));
    refuses(&["sleeps (", "sleeps.py): sha256 was ", ", is "]);
    std::fs::remove_file(sandbox.path().join("sleeps.py")).unwrap();
    refuses(&["sleeps: cannot read the workload", "sleeps.py"]);
    sleeps(&sandbox);
    std::fs::rename(&python, sandbox.path().join("elsewhere")).unwrap();
    refuses(&["python3 does not start: no such file"]);
    sandbox.script(
        "python3",
        &format!("exec {} \"$@\"", executable(&pair().free_threaded).display()),
    );
    let output = sandbox.ftbench("run --resume out");
    output.stderr_has(&["free_threaded was false, is true", "gil was on, is off"]);
    sandbox.script("python3", &format!("exec {} \"$@\"", real.display()));
    let mut other: Manifest = serde_json::from_slice(&before[0]).unwrap();
    other.machine.cpu_model = "PDP-11".to_owned();
    other.machine.topology.allowed_pus.push(4_000);
    sandbox.file("out/run.json", serde_json::to_vec(&other).unwrap());
    let output = sandbox.ftbench("run --resume out");
    output.exits_with(2);
    output.stderr_has(&[
        "the machine: cpu_model was PDP-11, is ",
        "topology.allowed_pus was [",
    ]);
    other = serde_json::from_slice(&before[0]).unwrap();
    let identity = other.interpreters[0].identity.as_mut().unwrap();
    assert!(
        identity.file.is_some() && identity.sha256.is_some(),
        "{identity:?}"
    );
    identity.sha256 = Some("0".repeat(64));
    sandbox.file("out/run.json", serde_json::to_vec(&other).unwrap());
    refuses(&[": sha256 was 0000000000, is "]);
    other.interpreters[0].identity.as_mut().unwrap().version_text = "3.13.15 (main, yesterday)".to_owned();
    sandbox.file("out/run.json", serde_json::to_vec(&other).unwrap());
    refuses(&["identity.version_text was 3.13.15 (main, yesterday), is 3."]);
    sandbox.file("out/run.json", &before[0]);
    assert_eq!(contents(), before, "a refusal changes nothing");
    sandbox.ftbench("run --resume out").exits_with(0);
}

/// A module that calls a function of another module.
const IMPORTING: &str = "
from helper import duration_s
import time

def measured():
    time.sleep(duration_s())
";

fn git(folder: &Path, words: &[&str]) {
    let mut command = Command::new("git");
    command
        .args(["-c", "user.name=a", "-c", "user.email=a@b.c"])
        .args(words)
        .current_dir(folder);
    // These are set inside git's hooks.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    let output = output_of(command);
    assert_eq!(output.status, Some(0), "git {words:?}: {}", output.stderr);
}

#[test]
fn a_function_whose_module_changed_is_not_resumed() {
    let sandbox = Sandbox::sharing_the_machine();
    let helper =
        |seconds: &str| format!("{HOLDABLE}def duration_s():\n    wait_at('call')\n    return {seconds}\n");
    sandbox.file("mine/__init__.py", "");
    sandbox.file("mine/module.py", IMPORTING);
    sandbox.file("helper.py", helper("0.01"));
    sandbox.file("unrelated.py", "");
    for words in [
        &["init", "--quiet"][..],
        &["add", "."],
        &["commit", "--quiet", "-m", "1"],
    ] {
        git(sandbox.path(), words);
    }
    let words = format!(
        "run --callable mine.module:measured -p {} -m serial -n 1 --rounds 8 --samples 1 --no-ceiling --out out",
        pair().gil
    );
    let hold = Checkpoint::at(&sandbox, "out", 2, "helper:trial:call");
    let mut driver = Driver::start(sandbox.command(&words));
    hold.wait(&mut driver);
    driver.send(Signal::INT);
    driver.end().exits_with(130);
    hold.release();
    let out = sandbox.path().join("out");
    let names = || -> Vec<String> {
        let modules = manifest(&out).modules.unwrap().into_iter();
        modules.map(|module| module.name).collect()
    };
    assert_eq!(names(), ["helper", "mine"]);
    let before = trials(&out, Checksums::Required);
    sandbox.file("helper.py", helper("0.02"));
    let output = sandbox.ftbench("run --resume out");
    output.refuses(
        &[
            "cannot resume out",
            "the module helper (",
            "helper.py): sha256 was ",
        ],
        3,
    );
    sandbox.file("helper.py", helper("0.01"));
    sandbox.file("mine/module.py", format!("{IMPORTING}# later\n"));
    let output = sandbox.ftbench("run --resume out");
    output.refuses(
        &["cannot resume out", "the module mine (", "mine): sha256 was "],
        3,
    );
    assert_eq!(trials(&out, Checksums::Required), before);
    sandbox.file("mine/module.py", IMPORTING);
    // The commit changes, but none of the measured code.
    sandbox.file("unrelated.py", "later = 1\n");
    git(sandbox.path(), &["commit", "--quiet", "-a", "-m", "2"]);
    sandbox.ftbench("run --resume out").exits_with(0);
    assert_eq!(trials(&out, Checksums::Required).len(), 8);
    let manifest = manifest(&out);
    let warned = manifest
        .warnings
        .iter()
        .find(|warning| warning.kind == WarningKind::SessionsDiffer);
    let [first, second] = &manifest.sessions[..] else {
        panic!("{:?}", manifest.sessions)
    };
    let [was, is] = [first, second].map(|session| &session.commit.as_ref().unwrap().id[..12]);
    assert_eq!(manifest.commit.unwrap().id[..12], *was);
    let differences = format!("commit {was}, then {is}");
    assert!(warned.unwrap().message.ends_with(&differences), "{differences}");
}

#[test]
fn a_folder_that_is_not_a_run_is_not_resumed() {
    let sandbox = Sandbox::sharing_the_machine();
    sandbox.ftbench("run --resume nowhere").refuses(
        &["nowhere/trials.jsonl", "give the folder that 'ftbench run' wrote"],
        2,
    );
    sandbox.file("empty/trials.jsonl", "");
    sandbox
        .ftbench("run --resume empty")
        .refuses(&["stopped before its plan was written", "begin again"], 2);
    let theirs = "a line\nthe last one, without a line end";
    let trials = sandbox.file("theirs/trials.jsonl", theirs);
    let resume = || sandbox.ftbench("run --resume theirs");
    resume().refuses(&["no run.json", "give the folder that 'ftbench run' wrote"], 2);
    sandbox.file("theirs/run.json", r#"{"name": "another tool's"}"#);
    resume().refuses(&["theirs/run.json is damaged: missing field `schema`"], 2);
    sandbox.file("theirs/run.json", r#"{"schema": 99}"#);
    resume().refuses(&["run.json has format 99", "newer ftbench"], 2);
    assert_eq!(std::fs::read_to_string(trials).unwrap(), theirs);
    sandbox
        .ftbench("run fib --resume out")
        .refuses(&["cannot be used with"], 2);
}
