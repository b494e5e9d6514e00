//! Machines and environments that fail ftbench: status 3, where a wrong call has 2 and a bad answer 1.

use std::path::Path;

use super::{GOOD, after};
use crate::support::{Sandbox, executable, pair, told};

#[test]
fn output_that_cannot_be_written_ends_with_3_unless_its_reader_is_gone() {
    let sandbox = Sandbox::new();
    let topology = sandbox.command("topology");
    told(after("exec >/dev/full", &topology)).fails(3, &["cannot write the output", "No space left"], 1);
    let unread = told(after("exec > >(exec true); wait $!", &topology));
    unread.ends_with(0);
    assert_eq!(unread.stderr, "");
}

#[test]
fn a_cache_that_cannot_be_written_ends_with_3() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("workloads list");
    command.env("XDG_CACHE_HOME", "/proc/ftbench");
    told(command).fails(3, &["cannot write", "/proc/ftbench", "set XDG_CACHE_HOME"], 1);
}

#[test]
fn a_working_directory_that_is_gone_ends_with_3() {
    let sandbox = Sandbox::new();
    let doctor = sandbox.command("doctor");
    let words = "mkdir gone && cd gone && rmdir ../gone";
    told(after(words, &doctor)).fails(3, &["cannot tell the working directory"], 1);
}

#[test]
fn processes_that_cannot_be_started_end_with_3_and_the_run_can_be_resumed() {
    let sandbox = Sandbox::new();
    let good = sandbox.file("good.py", GOOD);
    let python = executable(&pair().gil).display().to_string();
    // Other interpreters, which are asked at the same time, would take some of the open files.
    let alone = "mkdir -p home; unset XDG_DATA_HOME; export HOME=$PWD/home XDG_CACHE_HOME=$PWD/home PYENV_ROOT=$PWD/home PATH=/";
    let mut stopped_in_trials = 0;
    // Starting a trial takes more of them than asking the interpreter does.
    for limit in (4..=24).step_by(3) {
        let out = format!("out-{limit}");
        let run = sandbox.command(&format!(
            "run {good} -p {python} -m serial -n 1 --rounds 2 --samples 1 --no-ceiling --profile quick --out {out}"
        ));
        let told = told(after(&format!("{alone}; ulimit -n {limit}"), &run));
        println!("{limit}: {:?} {}", told.status, told.stderr);
        if told.status == Some(0) {
            continue;
        }
        told.ends_with(3);
        told.says(&["Too many open files", "ulimit -a"]);
        if told.stderr.contains("starts no process for a trial") {
            stopped_in_trials += 1;
            let resume = format!("run --resume {out}");
            told.says(&[&resume]);
            sandbox.ftbench(&resume).ends_with(0);
        }
    }
    assert!(stopped_in_trials > 0);
}

#[test]
fn threads_that_cannot_be_started_end_with_3() {
    let sandbox = Sandbox::new();
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/static/charts/two-cores");
    let mut show = sandbox.command("show");
    // The stacks do not fit into the address space. They are large, so that the little that a thread needs besides when
    // it starts still does.
    show.arg(run)
        .env("RAYON_NUM_THREADS", "4000")
        .env("RUST_MIN_STACK", (64 << 20).to_string());
    told(after("ulimit -v 2000000", &show)).fails(3, &["cannot start threads", "RAYON_NUM_THREADS"], 1);
}
