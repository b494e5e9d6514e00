//! `docs/ci/ftbench-nightly`, the script for a machine without CI, with ftbench itself and with a stand-in for it.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use crate::support::machine::{Use, lock};
use crate::support::paths::harness;
use crate::support::{CommandOutput, FTBENCH, Sandbox, output_of, pair, path};

const HEALTHY: &str = "def work(data, units):
    return [sum(range(1000)) for _ in range(units)]
";
const BROKEN: &str = "def work(data, units):
    raise ValueError('broken on purpose')
";

/// Prints its arguments and exits with the status that the command's variable has. `run` makes the run folder unless
/// `NOT_MEASURED` is set.
const STAND_IN: &str = r#"echo "called: $*" >&2
case "$1" in
  doctor) exit "${DOCTOR:-0}" ;;
  run)
    while [ "$1" != --out ]; do shift; done
    [ -n "$NOT_MEASURED" ] || { mkdir "$2" && touch "$2/run.json"; }
    exit "${RUN:-0}" ;;
  history) exit "${HISTORY:-0}" ;;
esac"#;

fn night(sandbox: &Sandbox, variables: &[(&str, &str)]) -> CommandOutput {
    let script = harness().join("../docs/ci/ftbench-nightly");
    let path = format!("{}:{}", sandbox.path().display(), path().to_str().unwrap());
    let mut command = Command::new(script);
    command
        .env("PATH", path)
        .env("FTBENCH_HISTORY", sandbox.path().join("nights"))
        .env("FTBENCH_WORKLOADS", "fib nbody")
        .envs(variables.iter().copied());
    output_of(command)
}

#[test]
fn nights_are_measured_and_kept() {
    lock(Use::Shared);
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
        night(&sandbox, &[("FTBENCH_WORKLOADS", workloads), options]).exits_with(status);
        assert_eq!(runs(&sandbox).len(), number + 1);
    }
    for run in runs(&sandbox) {
        let summary = std::fs::read_to_string(run.join("summary.json")).unwrap();
        assert!(summary.contains("\"healthy\""), "{summary}");
    }
    let page = sandbox.path().join("nights/history.html");
    assert!(std::fs::read_to_string(&page).unwrap().contains("healthy"));
    // No page is written about the earlier nights when this one was not measured.
    std::fs::remove_file(&page).unwrap();
    let output = night(&sandbox, &[("FTBENCH_WORKLOADS", "missing.py"), options]);
    output.exits_with(2);
    output.stderr_has(&["missing.py"]);
    assert!(runs(&sandbox).len() == 2 && !page.exists());
}

/// The folders of the nights that were measured.
fn runs(sandbox: &Sandbox) -> Vec<PathBuf> {
    let nights = std::fs::read_dir(sandbox.path().join("nights")).unwrap();
    let nights = nights.map(|entry| entry.unwrap().path());
    nights.filter(|path| path.join("run.json").exists()).collect()
}

#[test]
fn a_night_that_cannot_be_measured_is_not_a_regression() {
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
        let output = night(&sandbox, &[(variable, value.as_str())]);
        output.exits_with(status);
        assert!(!output.stderr.contains("called: run"), "{}", output.stderr);
    }
}

/// Runs a first night with the stand-in.
fn stand_in_night(statuses: &[(&str, &str)]) -> CommandOutput {
    let sandbox = Sandbox::new();
    sandbox.script("ftbench", STAND_IN);
    night(&sandbox, statuses)
}

#[test]
fn the_exit_status_of_a_night_is_that_of_its_steps() {
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
        stand_in_night(statuses).exits_with(status);
    }
    // After a failed cell the history is still judged; after a run that was not made it is not.
    stand_in_night(&[("RUN", "1")])
        .stderr_has(&["called: run fib nbody --profile standard", "called: history "]);
    for status in ["1", "2"] {
        let refused = stand_in_night(&[("RUN", status), ("NOT_MEASURED", "yes")]);
        refused.exits_with(status.parse().unwrap());
        assert!(!refused.stderr.contains("called: history"), "{}", refused.stderr);
    }
}
