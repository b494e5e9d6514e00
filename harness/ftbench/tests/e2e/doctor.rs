//! `ftbench doctor` on this machine. Its findings depend on the machine, so these tests check only the format of the
//! output and the exit status. The findings of each check are tested next to the checks.

use std::collections::BTreeSet;

use assert_cmd::Command;
use ftbench::doctor::checks::Check;
use serde_json::Value;

fn doctor() -> Command {
    let mut command = Command::cargo_bin("ftbench").unwrap();
    command.arg("doctor").env_remove("NO_COLOR");
    command
}

fn json(command: &mut Command) -> (i32, Value) {
    let output = command.args(["--format", "json"]).output().unwrap();
    (
        output.status.code().unwrap(),
        serde_json::from_slice(&output.stdout).unwrap(),
    )
}

#[test]
fn json_has_every_check_and_the_exit_status_follows_the_verdict() {
    let (status, report) = json(&mut doctor());
    let findings = report["findings"].as_array().unwrap();
    let checks: BTreeSet<&str> = findings
        .iter()
        .map(|finding| finding["check"].as_str().unwrap())
        .collect();
    assert_eq!(checks, Check::ALL.iter().map(|check| check.name()).collect());
    let spoils = findings.iter().any(|finding| finding["severity"] == "spoils");
    assert_eq!(status, i32::from(spoils));
    assert_eq!(report["verdict"] == "spoiled", spoils);
    assert_eq!(report["schema"], 1);
    assert!(report["machine"]["topology"]["pus"].as_u64().unwrap() > 0);
    for finding in findings {
        assert!(!finding["found"].as_str().unwrap().is_empty(), "{finding}");
        let healthy = finding["severity"] == "ok";
        assert!(!healthy || finding["remedy"].is_null(), "{finding}");
    }
}

#[test]
fn the_table_names_every_check_within_80_columns() {
    let output = doctor().output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)));
    let shown = String::from_utf8(output.stdout).unwrap();
    for check in Check::ALL {
        assert!(shown.contains(&format!(" {check}: ")), "{check} in {shown}");
    }
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
}

#[test]
fn a_single_core_spoils_results() {
    let mut command = doctor();
    // hwloc reports this description instead of the machine.
    let (status, report) = json(command.env("HWLOC_SYNTHETIC", "pack:1 [numa] core:1 pu:1"));
    let cores = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["check"] == "cores")
        .unwrap();
    assert_eq!((status, &cores["severity"]), (1, &"spoils".into()));
}

#[test]
fn a_missing_interpreter_exits_with_1() {
    let output = doctor().args(["-p", "3.99t"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("3.99t"));
    assert!(output.stdout.is_empty());
}
