//! Paths that are not interpreters, and machines without a pair.

use std::path::{Path, PathBuf};

use ftbench_schema::{CellStatus, Model, WarningKind};

use super::{GOOD, SHORT, is_there};
use crate::support::{CommandOutput, Run, Sandbox, executable, output_of, pair};

/// A shell script that answers ftbench's probe like an old Python.
const OLD: &str = r#"echo 'ftbench-probe {"implementation": "CPython", "version": [3, 8, 18, "final", 0]}'"#;

#[test]
fn a_path_that_is_not_an_interpreter_is_skipped_with_a_warning() {
    let sandbox = Sandbox::sharing_the_machine();
    sandbox.file("text/python3", "not a program\n");
    sandbox.script("old/python3", OLD);
    sandbox.script("crashing/python3", "kill -SEGV $$");
    let cases = [
        ("./text/python3", "text/python3 does not start"),
        ("/bin/ls", "/ls is not a Python interpreter"),
        (
            "./old/python3",
            "old/python3 is Python 3.8.18, which is too old: ftbench measures Python 3.9 and newer",
        ),
        (
            "./crashing/python3",
            "crashing/python3 does not start: it was killed by signal 11",
        ),
        ("./old", "old does not start: it is a folder"),
        (
            "./nowhere/python3",
            "nowhere/python3 does not start: no such file",
        ),
    ];
    let good = sandbox.file("good.py", GOOD);
    let paths = cases.map(|(path, _)| path).join(",");
    let words = format!("{good} -p {} -p {paths} {SHORT}", pair().gil);
    let run = sandbox.run("out", &words, 0);
    run.all_ok("good");
    let summary = run.summary();
    assert_eq!(summary.interpreters.len(), 1);
    for (path, reason) in cases {
        println!("{path}");
        let mut warnings = summary.warnings.iter();
        let warned =
            warnings.any(|one| one.kind == WarningKind::InterpreterSkipped && one.message.contains(reason));
        assert!(warned, "{:?}", summary.warnings);
        run.output.stderr_has(&[reason]);
        // Given alone, it leaves no interpreter to measure with.
        let alone = sandbox.ftbench(&format!("run {good} -p {path}"));
        alone.fails(1, &["no interpreter is left to measure with", reason], 2);
    }
}

#[test]
fn a_real_python_that_is_too_old_is_refused() {
    let home = std::env::var_os("HOME").unwrap_or_default();
    let root = std::env::var_os("PYENV_ROOT").map_or_else(|| Path::new(&home).join(".pyenv"), Into::into);
    if !is_there("pyenv", &root) {
        return;
    }
    let versions = std::fs::read_dir(root.join("versions")).into_iter().flatten();
    let old: Vec<PathBuf> = versions
        .map(|entry| entry.unwrap())
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            ["2.7.", "3.6.", "3.7.", "3.8."]
                .iter()
                .any(|old| name.starts_with(old))
        })
        .map(|entry| entry.path().join("bin/python"))
        .filter(|path| path.exists())
        .collect();
    println!("old: {old:?}");
    let sandbox = Sandbox::sharing_the_machine();
    for path in old {
        let output = sandbox.ftbench(&format!("run fib -p {}", path.display()));
        output.fails(1, &["which is too old", "3.9 and newer"], 2);
    }
}

#[test]
fn an_interpreter_that_hangs_is_skipped() {
    let sandbox = Sandbox::sharing_the_machine();
    sandbox.script("hanging/python3", "sleep 1000");
    let good = sandbox.file("good.py", GOOD);
    let words = format!("{good} -p {} -p ./hanging/python3 {SHORT}", pair().gil);
    let run = sandbox.run("out", &words, 0);
    run.all_ok("good");
    run.output
        .stderr_has(&["hanging/python3 hangs: no answer within 10 s"]);
}

#[test]
fn an_interpreter_that_turns_out_to_be_broken_fails_its_cells_only() {
    let sandbox = Sandbox::sharing_the_machine();
    let real = executable(&pair().gil);
    // Answers the probe, then fails when it is started as a worker.
    let probe_only = sandbox.script(
        "probe-only/python3",
        &format!(
            "case \"$*\" in *ftbench_worker*) echo 'no more'; exit 4;; esac\nexec {} \"$@\"",
            real.display()
        ),
    );
    let good = sandbox.file("good.py", GOOD);
    let gil = &pair().gil;
    let run = sandbox.run("out", &format!("{good} -p {gil} -p {probe_only} {SHORT}"), 1);
    let cell = run.cell("good", gil, Model::Serial, 1);
    assert_eq!(cell.status, CellStatus::Ok);
    let mut broken = run.cells("good");
    broken.retain(|cell| cell.interpreter != *gil);
    assert_eq!(broken.len(), 1);
    for cell in broken {
        assert_eq!(cell.status, CellStatus::Failed);
        let reason = cell.reason.unwrap();
        assert!(
            reason.contains("ended with exit status 4 during start-up"),
            "{reason}"
        );
    }
}

/// Runs ftbench in an environment where it finds only the interpreters in the sandbox's `bin`.
fn isolated(sandbox: &Sandbox, words: &str) -> CommandOutput {
    let home = sandbox.path().join("home");
    let mut command = sandbox.command(words);
    command
        .env_clear()
        .env("HOME", &home)
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("PYENV_ROOT", home.join("pyenv"))
        .env("PATH", sandbox.path().join("bin"));
    output_of(command)
}

#[test]
fn without_a_free_threaded_build_the_run_continues_and_names_the_install_command() {
    let sandbox = Sandbox::sharing_the_machine();
    let real = executable(&pair().gil);
    let link = sandbox.path().join("bin").join(real.file_name().unwrap());
    std::fs::create_dir_all(sandbox.path().join("home")).unwrap();
    std::fs::create_dir_all(sandbox.path().join("bin")).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let list = isolated(&sandbox, "python list --format json");
    list.exits_with(0);
    let list = list.json();
    if list.as_array().map(Vec::len) != Some(1) {
        println!("skipped: there are Pythons outside the user's folders: {list}");
        return;
    }
    assert_eq!(list[0]["free_threaded"], false);
    assert_eq!(list[0]["source"], "PATH");
    let run = Run {
        output: isolated(&sandbox, &format!("run fib --profile quick --out out {SHORT}")),
        folder: sandbox.path().join("out"),
    };
    run.output.exits_with(0);
    run.all_ok("fib");
    let summary = run.summary();
    let mut warnings = summary.warnings.iter();
    let warning = warnings
        .find(|one| one.kind == WarningKind::NoFreeThreadedBuild)
        .unwrap();
    assert!(
        warning.message.contains("ftbench python install 3."),
        "{}",
        warning.message
    );
    run.output.stderr_has(&[&warning.message]);
    // Without any interpreter the run fails.
    std::fs::remove_file(link).unwrap();
    let nothing = isolated(&sandbox, "run fib");
    nothing.fails(
        1,
        &["no Python interpreter was found", "ftbench python install"],
        2,
    );
}
