//! Bad input, case by case: what is said, what is kept, and that everything else is measured.

mod descriptions;
mod files;
mod gil;
mod interpreters;
mod machine;
mod names;
mod out;
mod stopped;
mod systems;
mod workloads;

use std::path::Path;
use std::process::Command;

use crate::support::{Run, Sandbox, pair};

/// A workload with nothing wrong.
const GOOD: &str = "
def work(data, units):
    total = 0
    for index in range(units * 1000):
        total += index
    return units

def check(results, units):
    assert sum(results) == units
";

/// The fewest trials that a run can have.
const SHORT: &str = "-m serial -n 1 --rounds 1";

/// A workload's name and what its file holds.
type Source<'a> = (&'a str, &'a [u8]);

/// Runs workloads of one's own on the pair into the folder `out`; ends with this status.
#[track_caller]
fn run(sandbox: &Sandbox, workloads: &[Source<'_>], words: &str, status: i32) -> Run {
    let paths: Vec<String> = workloads
        .iter()
        .map(|(name, source)| sandbox.file(&format!("{name}.py"), source))
        .collect();
    let words = format!("{} -p {} {words}", paths.join(" "), pair().words());
    sandbox.run("out", &words, status)
}

/// A command that is started after these words of bash, which may limit what it may use.
fn after(words: &str, command: &Command) -> Command {
    let environment = command
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    let mut bash = Command::new("bash");
    bash.current_dir(command.get_current_dir().unwrap())
        .env_clear()
        .envs(environment)
        .args(["-c", &format!("{words}; exec \"$@\""), "bash"])
        .arg(command.get_program())
        .args(command.get_args());
    bash
}

/// Whether something is on this machine that a test can do without; where it is not, the test says so.
fn is_there(what: &str, path: &Path) -> bool {
    let there = path.exists();
    if !there {
        println!("nothing is shown here: there is no {what} on this machine");
    }
    there
}
