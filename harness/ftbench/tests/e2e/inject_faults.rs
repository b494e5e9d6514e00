//! `scripts/inject-faults.py` in its short form: no recorded trial is lost or wrong, and nothing is left over.

use std::process::Command;
use std::time::Duration;

use crate::support::machine::{Use, lock};
use crate::support::paths::harness;
use crate::support::{FTBENCH, executable, output_within, pair, path};

/// Many times the usual duration.
const TIME_LIMIT: Duration = Duration::from_secs(900);

#[test]
fn every_kind_of_fault_costs_no_recorded_trial() {
    lock(Use::Alone);
    let script = harness().join("../scripts/inject-faults.py");
    // The script needs Python 3.11 or newer, as the pair is.
    let mut command = Command::new(executable(&pair().gil));
    command
        .arg(script)
        .args(["--faults", "20", "--seed", "7", "--ftbench", FTBENCH])
        .args(["--python", &pair().words()])
        .env("PATH", path());
    let output = output_within(command, TIME_LIMIT);
    output.exits_with(0);
    for line in [
        "trials lost",
        "wrong numbers",
        "processes left over",
        "folders left over",
        "did not end as requested",
    ] {
        let shown = output.stdout.lines().find(|shown| shown.starts_with(line));
        let number = shown.unwrap_or_else(|| panic!("no '{line}' in\n{}", output.stdout));
        assert!(number.ends_with(" 0"), "{}", output.stdout);
    }
}
