//! Commands other than `run`: interpreters, workloads, the machine, help and typing errors.

use std::path::Path;
use std::process::Stdio;

use crate::support::{CommandOutput, Sandbox, executable, interpreters, output_of, pair};
use serde_json::{Value, json};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

// Interpreters

#[test]
fn the_list_of_interpreters_has_all_keys() {
    let list = interpreters();
    for one in list {
        for key in [
            "tag",
            "path",
            "version",
            "implementation",
            "free_threaded",
            "gil",
            "build",
        ] {
            assert!(!one[key].is_null(), "no {key} in {one}");
        }
        let path = Path::new(one["path"].as_str().unwrap());
        assert!(path.is_absolute() && path.is_file(), "{one}");
        assert!(["on", "off"].contains(&one["gil"].as_str().unwrap()), "{one}");
        assert!(
            ["CPython", "PyPy"].contains(&one["implementation"].as_str().unwrap()),
            "{one}"
        );
        let switches = one["available_switches"].as_array().unwrap();
        let has_gil_switch = ["gil", "nogil"].map(|name| switches.contains(&json!(name)));
        assert_eq!(has_gil_switch, [one["free_threaded"] == true; 2], "{one}");
        for key in ["pgo", "lto", "jit", "debug"] {
            assert!(one["build"][key].is_boolean(), "{one}");
        }
    }
    let mut tags: Vec<&str> = list.iter().filter_map(|one| one["tag"].as_str()).collect();
    tags.sort_unstable();
    let all = tags.len();
    tags.dedup();
    assert_eq!(tags.len(), all, "a tag stands for two interpreters");
    let free_threaded = list
        .iter()
        .find(|one| one["tag"] == pair().free_threaded.as_str())
        .unwrap();
    assert_eq!(
        (&free_threaded["free_threaded"], &free_threaded["gil"]),
        (&json!(true), &json!("off"))
    );
    let gil = list.iter().find(|one| one["tag"] == pair().gil.as_str()).unwrap();
    assert_eq!(
        (&gil["free_threaded"], &gil["gil"]),
        (&json!(false), &json!("on"))
    );
}

#[test]
fn the_table_of_interpreters_shows_all() {
    let output = Sandbox::new().ftbench("python list");
    output.exits_with(0);
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines.len(), interpreters().len() + 1, "{}", output.stdout);
    assert!(
        lines.iter().any(|line| line.contains("gil, nogil")),
        "{}",
        output.stdout
    );
    for (line, one) in lines.iter().skip(1).zip(interpreters()) {
        for key in ["tag", "version", "path"] {
            assert!(
                line.contains(one[key].as_str().unwrap()),
                "no {key} of {one} in {line}"
            );
        }
    }
}

#[test]
fn modules_in_the_working_directory_do_not_hide_interpreters() {
    let sandbox = Sandbox::new();
    sandbox.file("json.py", "raise SystemExit('not the module that was meant')");
    let output = sandbox.ftbench(&format!("run fib -p {} --dry-run", pair().gil));
    output.exits_with(0);
}

#[test]
fn an_interpreter_can_be_given_by_its_path() {
    let sandbox = Sandbox::new();
    let real = executable(&pair().gil);
    let elsewhere = sandbox.script("elsewhere/python", &format!("exec {} \"$@\"", real.display()));
    let output = sandbox.ftbench(&format!("python list -p {elsewhere} --format json"));
    output.exits_with(0);
    let list = output.json();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), interpreters().len() + 1);
    let given = list.iter().find(|one| one["path"] == elsewhere.as_str()).unwrap();
    let found = list
        .iter()
        .find(|one| one["path"] == real.to_str().unwrap())
        .unwrap();
    assert_eq!(
        found["tag"],
        pair().gil.as_str(),
        "the tag stays with the interpreter that ftbench finds"
    );
    assert_ne!(given["tag"], found["tag"]);
    assert_eq!(given["version"], found["version"]);
}

#[test]
fn a_path_that_is_not_an_interpreter_is_reported_and_the_others_are_listed() {
    let sandbox = Sandbox::new();
    let output = sandbox.ftbench("python list -p /bin/ls --format json");
    output.exits_with(1);
    output.stderr_has(&["/bin/ls", "is not a Python interpreter"]);
    assert_eq!(output.json().as_array().unwrap().len(), interpreters().len());
}

#[test]
fn an_invalid_tag_is_not_installed() {
    let sandbox = Sandbox::new();
    sandbox
        .ftbench("python install latest")
        .refuses(&["'latest' is not an interpreter tag", "3.13t"], 2);
    sandbox
        .ftbench("python install 3.13 3.8")
        .refuses(&["'3.8' is too old"], 2);
    sandbox
        .ftbench("python install 3.13t+gil")
        .refuses(&["'3.13t+gil' is a run-time variant", "give the build alone"], 2);
}

// Workloads

#[test]
fn the_suite_is_listed_and_shown() {
    let sandbox = Sandbox::new();
    let listed = sandbox.ftbench("workloads list --format json");
    listed.exits_with(0);
    let list = listed.json();
    let table = sandbox.ftbench("workloads list");
    table.exits_with(0);
    let mut names = Vec::new();
    for one in list.as_array().unwrap() {
        for key in ["name", "kind", "summary", "models", "dependencies", "path"] {
            assert!(keys(one).contains(&key), "no {key} in {one}");
        }
        let name = one["name"].as_str().unwrap();
        assert!(table.stdout.contains(name) && table.stdout.contains(one["summary"].as_str().unwrap()));
        assert!(Path::new(one["path"].as_str().unwrap()).is_file(), "{one}");
        names.push(name);
    }
    for name in [
        "fib",
        "nbody",
        "sha256",
        "word_count",
        "counter_lock",
        "http_fetch",
    ] {
        assert!(names.contains(&name), "no {name} in {names:?}");
    }
    let shown = sandbox.ftbench("workloads show fib");
    shown.exits_with(0);
    assert!(shown.stdout.contains("def work(data, units):") && shown.stdout.contains("[tool.ftbench]"));
    let shown = sandbox.ftbench("workloads show fib --format json");
    shown.exits_with(0);
    assert_eq!(shown.json()["name"], "fib");
    let own = sandbox.file("own.py", "def work(data, units): ...\n");
    let shown = sandbox.ftbench(&format!("workloads show {own} --format json"));
    shown.exits_with(0);
    assert_eq!(
        (&shown.json()["name"], &shown.json()["kind"]),
        (&json!("own"), &json!("cpu"))
    );
}

// The machine

/// Two packages of two dies of two cores of two PUs each.
const SYNTHETIC: &str = "pack:2 [numa] die:2 l3:1 core:2 pu:2";

fn topology_of(synthetic: &str, words: &str) -> CommandOutput {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&format!("topology {words}"));
    command.env("HWLOC_SYNTHETIC", synthetic);
    output_of(command)
}

#[test]
fn a_synthetic_machine_is_drawn() {
    let drawn = topology_of(SYNTHETIC, "");
    drawn.exits_with(0);
    for word in [
        "2 packages, 2 NUMA nodes, 8 cores, 16 PUs",
        "not this machine",
        "Package 1",
        "die 1",
        "#8",
    ] {
        assert!(drawn.stdout.contains(word), "no {word:?} in:\n{}", drawn.stdout);
    }
    assert!(
        !drawn.stdout.contains("#9"),
        "one worker for each core:\n{}",
        drawn.stdout
    );
}

#[test]
fn the_json_has_the_order_of_each_policy() {
    for (policy, order) in [
        ("cores", json!([0, 2, 4, 6, 8, 10, 12, 14])),
        ("scatter", json!([0, 8, 4, 12, 2, 10, 6, 14])),
        ("smt", json!((0..16).collect::<Vec<u32>>())),
        ("5,3-4", json!([5, 3, 4])),
        ("none", json!([])),
    ] {
        let report = topology_of(SYNTHETIC, &format!("--pin {policy} --format json"));
        report.exits_with(0);
        let report = report.json();
        assert_eq!(report["order"], order, "{policy}");
        let shape = ["packages", "numa_nodes", "cores"].map(|key| report[key].as_u64());
        assert_eq!(shape, [Some(2), Some(2), Some(8)]);
        assert_eq!(report["pus"].as_array().unwrap().len(), 16);
        assert_eq!(report["is_this_system"], json!(false));
    }
}

#[test]
fn this_machine_is_drawn() {
    let sandbox = Sandbox::new();
    let report = sandbox.ftbench("topology --format json");
    report.exits_with(0);
    assert_eq!(report.json()["is_this_system"], json!(true));
    // The standard library respects a CPU quota too, so its number may be lower.
    let usable = std::thread::available_parallelism().unwrap().get();
    assert!(report.json()["allowed_pus"].as_array().unwrap().len() >= usable);
    sandbox.ftbench("topology").exits_with(0);
}

#[test]
fn an_invalid_machine_description_is_refused() {
    topology_of("pack:zero", "").fails(3, &["HWLOC_SYNTHETIC=pack:zero", "unset HWLOC_SYNTHETIC"], 2);
    topology_of(SYNTHETIC, "--pin 16").refuses(&["no PU 16", "0-15"], 2);
    topology_of(SYNTHETIC, "--pin core").refuses(&["'core'", "cores, scatter, smt, none"], 2);
}

// Help and typing errors

#[test]
fn every_command_has_help() {
    let sandbox = Sandbox::new();
    let overview = sandbox.ftbench("--help");
    for command in [
        "",
        "run",
        "python",
        "python list",
        "python install",
        "workloads",
        "workloads list",
        "workloads show",
        "topology",
        "doctor",
        "selfcheck",
        "selfcheck aa",
        "selfcheck power",
        "show",
    ] {
        let output = sandbox.ftbench(&format!("{command} --help"));
        output.exits_with(0);
        assert!(output.stdout.contains("Usage: ftbench"), "{command}");
        assert_eq!(output.stderr, "");
        let widest = output.stdout.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{command}:\n{}", output.stdout);
        if let Some(name) = command.split(' ').next().filter(|name| !name.is_empty()) {
            assert!(overview.stdout.contains(&format!("\n  {name} ")), "{name}");
        }
    }
    let version = sandbox.ftbench("--version");
    version.exits_with(0);
    assert_eq!(version.stdout, format!("ftbench {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn typing_errors_get_a_suggestion() {
    let sandbox = Sandbox::new();
    for (words, given, meant) in [
        ("rum", "'rum'", "'run'"),
        ("topolgy", "'topolgy'", "'topology'"),
        ("python lst", "'lst'", "'list'"),
        ("run --rouns 3", "'--rouns'", "'--rounds'"),
        ("run --workrs=3", "'--workrs'", "'--workers'"),
        ("run --profile quik", "'quik'", "'quick'"),
        ("topology --format jsn", "'jsn'", "'json'"),
    ] {
        sandbox.ftbench(words).refuses(&[given, meant], 3);
    }
}

#[test]
fn colour_follows_the_option_and_the_environment() {
    let sandbox = Sandbox::new();
    let coloured = |option: &str, no_color: &str| {
        let mut command = sandbox.command(&format!("python list {option}"));
        command.env("NO_COLOR", no_color);
        let output = output_of(command);
        output.exits_with(0);
        output.stdout.contains('\u{1b}')
    };
    assert!(!coloured("", ""), "no terminal is there");
    assert!(!coloured("--color never", ""));
    assert!(coloured("--color always", ""));
    // The command line takes precedence over the environment (https://no-color.org).
    assert!(coloured("--color always", "1"));
    assert!(!coloured("", "1"));
}

#[test]
fn a_closed_output_pipe_is_not_an_error() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("workloads show fib");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), errors.as_ref()), (Some(0), ""));
}
