//! Bad input, case by case: the messages, the stored files, and that everything else is measured.

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

/// A correct workload.
const GOOD: &str = "
def work(data, units):
    total = 0
    for index in range(units * 1000):
        total += index
    return units

def check(results, units):
    assert sum(results) == units
";

/// Options for a run with the minimum number of trials.
const SHORT: &str = "-m serial -n 1 --rounds 1";

/// A workload's name and the contents of its file.
type Source<'a> = (&'a str, &'a [u8]);

/// Writes these workloads and runs them on the pair into the folder `out`; the run must exit with `status`.
#[track_caller]
fn run(sandbox: &Sandbox, workloads: &[Source<'_>], words: &str, status: i32) -> Run {
    let paths: Vec<String> = workloads
        .iter()
        .map(|(name, source)| sandbox.file(&format!("{name}.py"), source))
        .collect();
    let words = format!("{} -p {} {words}", paths.join(" "), pair().words());
    sandbox.run("out", &words, status)
}

/// The command, started by bash after these words, which may limit its resources.
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

/// Whether an optional dependency of a test exists at `path`. Prints a note when it does not.
fn is_there(what: &str, path: &Path) -> bool {
    let there = path.exists();
    if !there {
        println!("skipped: there is no {what} on this machine");
    }
    there
}
