//! The script for a machine without CI, with a stand-in for ftbench that ends as it is told.

use std::path::Path;
use std::process::Command;

use super::support::{Sandbox, Told, told};

/// Tells what it was called with, and ends with the status that a variable has for the command.
const STAND_IN: &str = r#"echo "called: $*" >&2
case "$1" in
  doctor) exit "${DOCTOR:-0}" ;;
  run) exit "${RUN:-0}" ;;
  history) exit "${HISTORY:-0}" ;;
esac"#;

fn night(sandbox: &Sandbox, statuses: &[(&str, &str)]) -> Told {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ci/ftbench-nightly");
    let path = format!("{}:{}", sandbox.path().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(script);
    command
        .env("PATH", path)
        .env("FTBENCH_HISTORY", sandbox.path().join("nights"))
        .env("FTBENCH_WORKLOADS", "fib nbody")
        .envs(statuses.iter().copied());
    told(command)
}

#[test]
fn a_night_ends_with_what_it_found() {
    let sandbox = Sandbox::new();
    sandbox.script("ftbench", STAND_IN);
    for (statuses, status) in [
        (&[][..], 0),
        (&[("DOCTOR", "1")], 0),
        (&[("RUN", "1")], 1),
        (&[("HISTORY", "1")], 1),
        (&[("RUN", "1"), ("HISTORY", "1")], 1),
        (&[("RUN", "2")], 2),
        (&[("RUN", "130")], 2),
        (&[("HISTORY", "2")], 2),
    ] {
        night(&sandbox, statuses).ends_with(status);
    }
    // A cell that failed does not keep the others from being judged; a run that was not made does.
    night(&sandbox, &[("RUN", "1")]).says(&["called: run fib nbody --profile standard", "called: history "]);
    let refused = night(&sandbox, &[("RUN", "2")]);
    assert!(!refused.stderr.contains("called: history"), "{}", refused.stderr);
}
