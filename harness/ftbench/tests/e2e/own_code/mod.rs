//! The user's own code: its packages, its functions, two versions of it, and the template for a workload.

mod arms;
mod callables;
mod compat;
mod environments;
mod failures;
mod foreign;
mod loops;
mod memory;
mod new;
mod package_sandbox;
mod programs;
mod scripts;
mod servers;

use crate::support::{CommandOutput, Run, Sandbox, output_of, pair};

/// `ftbench run` on the pair with these options, whose values may contain blanks, into the folder `out`.
fn run_with(sandbox: &Sandbox, words: &str, options: &[(&str, &str)]) -> CommandOutput {
    let mut command = sandbox.command(&format!(
        "run --profile quick --no-ceiling --out out -p {} {words}",
        pair().words()
    ));
    for (option, value) in options {
        command.arg(option).arg(value);
    }
    output_of(command)
}

/// Checks the status of `run_with` and opens its run.
fn finished(sandbox: &Sandbox, output: CommandOutput, status: i32) -> Run {
    output.exits_with(status);
    Run {
        folder: sandbox.path().join("out"),
        output,
    }
}
