//! `scripts/inject-faults.py` in its short form: nothing that was recorded is lost, wrong or left over.

use std::process::Command;
use std::time::Duration;

use crate::support::machine::measure_alone;
use crate::support::paths::harness;
use crate::support::{FTBENCH, executable, pair, path, told_within};

/// Many times what it takes.
const TIME_LIMIT: Duration = Duration::from_secs(900);

#[test]
fn forty_faults_cost_no_recorded_trial() {
    measure_alone();
    let script = harness().join("../scripts/inject-faults.py");
    // The script needs 3.11, which the pair that is measured is newer than.
    let mut command = Command::new(executable(&pair().gil));
    command
        .arg(script)
        .args(["--faults", "40", "--seed", "7", "--ftbench", FTBENCH])
        .args(["--python", &pair().words()])
        .env("PATH", path());
    let told = told_within(command, TIME_LIMIT);
    told.ends_with(0);
    for line in [
        "trials lost",
        "wrong numbers",
        "processes left over",
        "folders left over",
        "did not end as told",
    ] {
        let shown = told.stdout.lines().find(|shown| shown.starts_with(line));
        let number = shown.unwrap_or_else(|| panic!("no '{line}' in\n{}", told.stdout));
        assert!(number.ends_with(" 0"), "{}", told.stdout);
    }
}
