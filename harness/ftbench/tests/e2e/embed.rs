//! The embedded host and workloads with an extension, on both builds: built once by cargo, then measured like any
//! other.
//!
//! The builds go into the user's cache: the first run on a machine builds for some minutes, later runs find them there.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::{CommandOutput, Run, Sandbox, counts, executable, output_of, output_within, pair};
use ftbench_schema::{CellStatus, GilState, Host, Linked, Model, Trial};

/// A limit on building for both interpreters, which takes a minute, and more on a busy machine.
const TIME_TO_BUILD: Duration = Duration::from_secs(1200);

/// `ftbench run` with the quick profile on the pair.
#[track_caller]
fn run(sandbox: &Sandbox, out: &str, words: &str, status: i32) -> Run {
    let words = format!(
        "run --profile quick --no-ceiling -p {} -n {} --out {out} {words}",
        pair().words(),
        counts()
    );
    let output = output_within(sandbox.command(&words), TIME_TO_BUILD);
    output.exits_with(status);
    Run {
        folder: sandbox.path().join(out),
        output,
    }
}

#[test]
fn both_hosts_measure_on_both_builds() {
    let sandbox = Sandbox::sharing_the_machine();
    let words = "fib --rounds 3 --host spawn,embed -m serial,threads,processes,asyncio";
    let run = run(&sandbox, "hosts", words, 0);
    for trial in run.trials() {
        assert_runs_in_its_host(&trial);
    }
    for tag in pair().tags() {
        for cell in run.cells("fib").iter().filter(|cell| cell.interpreter == tag) {
            if cell.host == Host::Embed && cell.model == Model::Processes {
                assert_eq!(cell.status, CellStatus::Skipped);
                let reason = cell.reason.clone().unwrap();
                assert!(reason.contains("serial, threads, asyncio"), "{reason}");
            } else {
                assert_eq!(cell.status, CellStatus::Ok, "{}: {:?}", cell.cell, cell.reason);
            }
        }
    }
    let hosts = run.manifest().hosts;
    let tags: BTreeSet<&str> = hosts.iter().map(|host| host.interpreter.as_str()).collect();
    assert_eq!(tags, pair().tags().into_iter().collect());
    for host in &hosts {
        let interpreter = run.manifest().interpreter(&host.interpreter).unwrap().clone();
        let wanted = if interpreter.build.shared {
            Linked::Shared
        } else {
            Linked::Static
        };
        assert_eq!(host.linked, wanted, "{host:?}");
        let series = if pair().free_threaded == "3.13t" && interpreter.free_threaded {
            "0.28."
        } else {
            "0.30."
        };
        assert!(host.pyo3_version.starts_with(series), "{host:?}");
    }
    // The table and the chart distinguish the two hosts.
    let embedded = format!("{} (embed)", pair().free_threaded);
    for text in [&run.output.stdout, &run.text("charts/fib.svg")] {
        assert!(text.contains(&embedded), "no {embedded} in:\n{text}");
    }
}

/// Checks that the state of the GIL is that of the build and, in the embedded host, that each worker of the model
/// `threads` is a thread of its own, none of them the main thread.
fn assert_runs_in_its_host(trial: &Trial) {
    let cell = &trial.cell;
    let with_gil = !cell.interpreter.ends_with('t');
    assert_eq!(trial.gil_enabled, Some(with_gil), "{cell}");
    if cell.host != Host::Embed {
        return;
    }
    let threads: BTreeSet<i32> = trial.workers.iter().map(|worker| worker.thread_id).collect();
    let expected = if cell.model == Model::Threads {
        cell.workers as usize
    } else {
        1
    };
    assert_eq!(threads.len(), expected, "{cell}");
    for worker in &trial.workers {
        let is_main = worker.thread_id == worker.process_id;
        assert_eq!(is_main, cell.model != Model::Threads, "{cell}");
    }
    // These threads did the shares of every sample.
    for sample in &trial.samples {
        let done_by: BTreeSet<i32> = sample
            .shares
            .iter()
            .filter_map(|share| trial.workers.get(usize::try_from(share.worker).unwrap()))
            .map(|worker| worker.thread_id)
            .collect();
        assert_eq!(done_by, threads, "{cell}");
    }
}

#[test]
fn failures_in_the_embedded_host_are_reported_as_in_the_spawned_one() {
    let sandbox = Sandbox::sharing_the_machine();
    let raises = sandbox.file(
        "raises.py",
        "def work(data, units):\n    raise ValueError('a deliberate fault')\n",
    );
    let wrong = sandbox.file(
        "wrong.py",
        "def work(data, units):\n    return units\n\n\ndef check(results, units):\n    assert False, 'wrong on purpose'\n",
    );
    // Once a share has failed, the host waits for no other.
    let hangs = sandbox.file(
        "stuck.py",
        "import threading\nnever = threading.Event()\n\n\ndef split(data, workers):\n    return range(workers)\n\n\n\
         def work(data, units):\n    if data:\n        never.wait()\n    raise KeyError('first')\n",
    );
    let words = format!("{raises} {wrong} {hangs} --rounds 1 --host embed -m threads");
    let run = run(&sandbox, "faults", &words, 1);
    run.all_have("raises", CellStatus::Failed, &["a deliberate fault", "in work"]);
    run.all_have("wrong", CellStatus::WrongResult, &["wrong on purpose"]);
    run.all_have("stuck", CellStatus::Failed, &["first"]);
}

#[test]
fn extensions_run_in_both_hosts_and_the_one_that_needs_the_gil_is_named() {
    let sandbox = Sandbox::sharing_the_machine();
    let words = "rust_calls rust_calls_gil --rounds 1 --host spawn,embed -m serial,threads";
    let run = run(&sandbox, "extension", words, 0);
    for case in ["small", "attached", "detached", "callback"] {
        run.all_ok(&format!("rust_calls.{case}"));
    }
    for cell in run.cells("rust_calls_gil") {
        if cell.interpreter == pair().gil {
            assert_eq!(cell.status, CellStatus::Ok, "{}: {:?}", cell.cell, cell.reason);
        } else {
            assert_eq!(cell.status, CellStatus::GilReenabled, "{}", cell.cell);
            assert_eq!(cell.gil, Some(GilState::On));
            let reason = cell.reason.clone().unwrap();
            assert!(reason.contains("ftbench_rust_gil"), "{reason}");
        }
    }
    let extensions = run.manifest().extensions;
    assert_eq!(extensions.len(), 2, "one for each interpreter: {extensions:?}");
    for extension in extensions {
        assert_eq!(extension.modules, ["ftbench_rust", "ftbench_rust_gil"]);
        assert_eq!(extension.sha256.len(), 64);
        assert!(extension.pyo3_version.unwrap().starts_with("0.28."));
    }
}

/// Runs ftbench without cargo and with an empty cache.
fn without_cargo(sandbox: &Sandbox, words: &str) -> CommandOutput {
    let mut command = sandbox.command(words);
    command
        .env("PATH", sandbox.path())
        .env("CARGO_HOME", sandbox.path())
        .env("XDG_CACHE_HOME", sandbox.path().join("cache"));
    output_of(command)
}

#[test]
fn without_cargo_the_embedded_host_is_refused_before_anything_is_measured() {
    let sandbox = Sandbox::sharing_the_machine();
    let python = executable(&pair().gil).display().to_string();
    let words = format!("run fib --profile quick --rounds 1 -n 1 -p {python} --host embed --out refused");
    let output = without_cargo(&sandbox, &words);
    output.fails(3, &["the embedded host for", "cargo", "https://rustup.rs"], 2);
    assert!(!sandbox.path().join("refused").exists());
    let alone = without_cargo(&sandbox, &format!("run rust_calls_gil -p {python} --out refused"));
    alone.fails(
        3,
        &["every cell would be skipped", "cargo", "https://rustup.rs"],
        2,
    );

    let words =
        format!("run fib rust_calls_gil --profile quick --rounds 1 -n 1 -m serial -p {python} --out skipped");
    let output = without_cargo(&sandbox, &words);
    output.exits_with(0);
    let run = Run {
        folder: sandbox.path().join("skipped"),
        output,
    };
    run.all_ok("fib");
    run.all_have(
        "rust_calls_gil",
        CellStatus::Skipped,
        &["cargo is missing", "https://rustup.rs"],
    );
}

#[test]
fn an_extension_that_fails_to_build_shows_cargos_message() {
    let sandbox = Sandbox::sharing_the_machine();
    sandbox.file(
        "broken/Cargo.toml",
        "[package]\nname = \"broken\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n",
    );
    sandbox.file(
        "broken/Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"broken\"\nversion = \"0.0.0\"\n",
    );
    sandbox.file("broken/src/lib.rs", "compile_error!(\"broken on purpose\");\n");
    let workload = sandbox.file(
        "mine.py",
        "# /// script\n# [tool.ftbench]\n# extension = \"broken\"\n# ///\ndef work(data, units): ...\n",
    );
    let mut command = sandbox.command(&format!(
        "run {workload} --profile quick --rounds 1 -n 1 --out refused"
    ));
    command
        .env("XDG_CACHE_HOME", sandbox.path().join("cache"))
        .arg("-p")
        .arg(executable(&pair().gil));
    let output = output_of(command);
    output.exits_with(2);
    output.stderr_has(&[
        "the extension broken",
        "broken on purpose",
        ".log",
        "cargo build --release",
    ]);
    assert!(!sandbox.path().join("refused").exists());
}
