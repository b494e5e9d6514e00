//! Failures of the machine or the environment, which exit with status 3. Wrong usage exits with 2, a bad result with 1.

use std::path::Path;

use super::{GOOD, after};
use crate::support::{Sandbox, executable, output_of, pair};

#[test]
fn output_that_cannot_be_written_exits_with_3_unless_its_reader_is_gone() {
    let sandbox = Sandbox::sharing_the_machine();
    let topology = sandbox.command("topology");
    output_of(after("exec >/dev/full", &topology)).fails(3, &["cannot write the output", "No space left"], 1);
    let unread = output_of(after("exec > >(exec true); wait $!", &topology));
    unread.exits_with(0);
    assert_eq!(unread.stderr, "");
}

#[test]
fn a_cache_that_cannot_be_written_exits_with_3() {
    let sandbox = Sandbox::sharing_the_machine();
    let mut command = sandbox.command("workloads list");
    command.env("XDG_CACHE_HOME", "/proc/ftbench");
    output_of(command).fails(3, &["cannot write", "/proc/ftbench", "set XDG_CACHE_HOME"], 1);
}

#[test]
fn a_removed_working_directory_exits_with_3() {
    let sandbox = Sandbox::sharing_the_machine();
    let doctor = sandbox.command("doctor");
    let words = "mkdir gone && cd gone && rmdir ../gone";
    output_of(after(words, &doctor)).fails(3, &["cannot find the working directory"], 1);
}

#[test]
fn processes_that_cannot_be_started_exit_with_3_and_the_run_can_be_resumed() {
    let sandbox = Sandbox::sharing_the_machine();
    let good = sandbox.file("good.py", GOOD);
    let python = executable(&pair().gil).display().to_string();
    // Other interpreters are probed at the same time and would use up some of the open files.
    let alone = "mkdir -p home; unset XDG_DATA_HOME; export HOME=$PWD/home XDG_CACHE_HOME=$PWD/home PYENV_ROOT=$PWD/home PATH=/";
    let mut stopped_in_trials = 0;
    // Starting a trial needs more open files than probing the interpreter does.
    for limit in (4..=24).step_by(3) {
        let out = format!("out-{limit}");
        let run = sandbox.command(&format!(
            "run {good} -p {python} -m serial -n 1 --rounds 2 --samples 1 --no-ceiling --profile quick --out {out}"
        ));
        let output = output_of(after(&format!("{alone}; ulimit -n {limit}"), &run));
        println!("{limit}: {:?} {}", output.status, output.stderr);
        if output.status == Some(0) {
            continue;
        }
        output.exits_with(3);
        output.stderr_has(&["Too many open files", "ulimit -a"]);
        if output.stderr.contains("cannot start a process for a trial") {
            stopped_in_trials += 1;
            let resume = format!("run --resume {out}");
            output.stderr_has(&[&resume]);
            sandbox.ftbench(&resume).exits_with(0);
        }
    }
    assert!(stopped_in_trials > 0);
}

#[test]
fn workers_that_cannot_be_sampled_exit_with_3() {
    if cfg!(not(target_arch = "x86_64")) {
        println!("skipped: needs x86-64");
        return;
    }
    let sandbox = Sandbox::sharing_the_machine();
    let good = sandbox.file("good.py", GOOD);
    let tag = &pair().free_threaded;
    let explain = sandbox.command(&format!("explain {good} -p {tag} -n 2 --pin none --quiet"));
    // A timer needs a pending signal.
    let output = output_of(after("ulimit -i 0", &explain));
    output.fails(3, &["cannot be sampled here", tag], 1);
}

#[test]
fn threads_that_cannot_be_started_exit_with_3() {
    let sandbox = Sandbox::sharing_the_machine();
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/static/charts/two-cores");
    let mut show = sandbox.command("show");
    // The stacks do not fit into the address space. They are so large that the other memory a starting thread needs
    // still fits.
    show.arg(run)
        .env("RAYON_NUM_THREADS", "4000")
        .env("RUST_MIN_STACK", (64 << 20).to_string());
    output_of(after("ulimit -v 2000000", &show)).fails(3, &["cannot start threads", "RAYON_NUM_THREADS"], 1);
}
