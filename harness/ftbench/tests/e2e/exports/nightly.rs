//! The script for a machine without CI: with ftbench itself, and with a stand-in that ends as it is told.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use crate::support::machine::measure_alone;
use crate::support::paths::harness;
use crate::support::{FTBENCH, Sandbox, Told, pair, path, told};

const HEALTHY: &str = "def work(data, units):
    return [sum(range(1000)) for _ in range(units)]
";
const BROKEN: &str = "def work(data, units):
    raise ValueError('no night is without one')
";

/// Tells what it was called with, and ends with the status that a variable has for the command. Of a run there is a
/// folder, unless a variable says that there is none.
const STAND_IN: &str = r#"echo "called: $*" >&2
case "$1" in
  doctor) exit "${DOCTOR:-0}" ;;
  run)
    while [ "$1" != --out ]; do shift; done
    [ -n "$NOT_MEASURED" ] || { mkdir "$2" && touch "$2/run.json"; }
    exit "${RUN:-0}" ;;
  history) exit "${HISTORY:-0}" ;;
esac"#;

fn night(sandbox: &Sandbox, variables: &[(&str, &str)]) -> Told {
    let script = harness().join("../docs/ci/ftbench-nightly");
    let path = format!("{}:{}", sandbox.path().display(), path().to_str().unwrap());
    let mut command = Command::new(script);
    command
        .env("PATH", path)
        .env("FTBENCH_HISTORY", sandbox.path().join("nights"))
        .env("FTBENCH_WORKLOADS", "fib nbody")
        .envs(variables.iter().copied());
    told(command)
}

#[test]
fn nights_are_measured_and_kept() {
    measure_alone();
    let sandbox = Sandbox::new();
    symlink(FTBENCH, sandbox.path().join("ftbench")).unwrap();
    let options = format!(
        "-p {} -m serial --profile quick --rounds 3 --samples 1 --no-ceiling",
        pair().gil
    );
    let options = ("FTBENCH_OPTIONS", options.as_str());
    let healthy = sandbox.file("healthy.py", HEALTHY);
    let both = format!("{healthy} {}", sandbox.file("broken.py", BROKEN));
    for (number, (workloads, status)) in [(healthy.as_str(), 0), (both.as_str(), 1)]
        .into_iter()
        .enumerate()
    {
        night(&sandbox, &[("FTBENCH_WORKLOADS", workloads), options]).ends_with(status);
        assert_eq!(runs(&sandbox).len(), number + 1);
    }
    for run in runs(&sandbox) {
        let summary = std::fs::read_to_string(run.join("summary.json")).unwrap();
        assert!(summary.contains("\"healthy\""), "{summary}");
    }
    let page = sandbox.path().join("nights/history.html");
    assert!(std::fs::read_to_string(&page).unwrap().contains("healthy"));
    // Nothing is told of the nights before where this one was not measured.
    std::fs::remove_file(&page).unwrap();
    let told = night(&sandbox, &[("FTBENCH_WORKLOADS", "missing.py"), options]);
    told.ends_with(2);
    told.says(&["missing.py"]);
    assert!(runs(&sandbox).len() == 2 && !page.exists());
}

/// The folders of the nights that were measured.
fn runs(sandbox: &Sandbox) -> Vec<PathBuf> {
    let nights = std::fs::read_dir(sandbox.path().join("nights")).unwrap();
    let nights = nights.map(|entry| entry.unwrap().path());
    nights.filter(|path| path.join("run.json").exists()).collect()
}

#[test]
fn what_keeps_a_night_from_being_measured_is_no_regression() {
    let sandbox = Sandbox::new();
    sandbox.script("ftbench", STAND_IN);
    let file = sandbox.file("file", "");
    for (variable, value, status) in [
        ("FTBENCH_HISTORY", format!("{file}/nights"), 3),
        (
            "FTBENCH_REPOSITORY",
            sandbox.path().join("none").display().to_string(),
            2,
        ),
    ] {
        let told = night(&sandbox, &[(variable, value.as_str())]);
        told.ends_with(status);
        assert!(!told.stderr.contains("called: run"), "{}", told.stderr);
    }
}

/// The first night of a stand-in.
fn stood_in(statuses: &[(&str, &str)]) -> Told {
    let sandbox = Sandbox::new();
    sandbox.script("ftbench", STAND_IN);
    night(&sandbox, statuses)
}

#[test]
fn a_night_ends_with_what_it_found() {
    for (statuses, status) in [
        (&[][..], 0),
        (&[("DOCTOR", "1")], 0),
        (&[("RUN", "1")], 1),
        (&[("HISTORY", "1")], 1),
        (&[("RUN", "1"), ("HISTORY", "1")], 1),
        (&[("RUN", "1"), ("HISTORY", "3")], 3),
        (&[("RUN", "2")], 2),
        (&[("RUN", "3")], 3),
        (&[("RUN", "130")], 130),
        (&[("HISTORY", "2")], 2),
    ] {
        stood_in(statuses).ends_with(status);
    }
    // A cell that failed does not keep the others from being judged; a run that was not made does.
    stood_in(&[("RUN", "1")]).says(&["called: run fib nbody --profile standard", "called: history "]);
    for status in ["1", "2"] {
        let refused = stood_in(&[("RUN", status), ("NOT_MEASURED", "yes")]);
        refused.ends_with(status.parse().unwrap());
        assert!(!refused.stderr.contains("called: history"), "{}", refused.stderr);
    }
}
