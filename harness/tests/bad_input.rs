//! Bad input, case by case: what is said, what is kept, and that everything else is measured.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on should stop, and one that says less than it could should say why"
)]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ftbench::record::schema::{CellStatus, Model, RunStatus, StoppedBy, TrialStatus, WarningKind};
use support::{Run, Sandbox, allowed_pus, pair, told};

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
const SHORT: [&str; 6] = ["-m", "serial", "-n", "1", "--rounds", "1"];

/// Runs workloads, given by name and source, on the pair.
fn run(sandbox: &Sandbox, workloads: &[(&str, &[u8])], arguments: &[&str], status: i32) -> Run {
    let mut words: Vec<String> = workloads
        .iter()
        .map(|(name, source)| sandbox.file(&format!("{name}.py"), source))
        .collect();
    words.extend(["-p".to_owned(), pair().words()]);
    words.extend(arguments.iter().map(|word| (*word).to_owned()));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    sandbox.run("out", &words, status)
}

// Names

#[test]
fn unknown_names_are_repeated_with_the_nearest_and_all_is_refused() {
    let sandbox = Sandbox::new();
    let gil = pair().gil.as_str();
    let cases: [(&[&str], &[&str], usize); 12] = [
        (
            &["run", "fibb"],
            &["'fibb'", "did you mean 'fib'?", "ftbench workloads list"],
            2,
        ),
        (
            &["run", "fib", "http-fetch"],
            &["'http-fetch'", "'http_fetch'"],
            2,
        ),
        (&["run", "z*"], &["'z*'"], 2),
        (&["run", "[", "fib"], &["the pattern '[' is malformed"], 2),
        (&["workloads", "show", "nbodi"], &["'nbodi'", "'nbody'"], 2),
        (
            &["run", "fib", "-p", "3.99"],
            &["3.99", "nearest here: ", gil, "ftbench python install 3.99"],
            2,
        ),
        (
            &["run", "fib", "-p", "3.8"],
            &["'3.8' is too old", "3.9 and newer"],
            2,
        ),
        (
            &["run", "fib", "-p", "snake"],
            &["'snake' is not the tag", "nearest here: "],
            2,
        ),
        (
            &["run", "fib", "-p", "./missing"],
            &["/missing does not start", "no such file"],
            2,
        ),
        // clap gives the possible values and the nearest a line each.
        (
            &["run", "fib", "-m", "thread"],
            &["'thread'", "'threads'", "asyncio-threads"],
            3,
        ),
        (
            &["run", "fib", "--pin", "core"],
            &["'core'", "cores, scatter, smt, none"],
            2,
        ),
        (&["run", "fib", "--pin", "0,99999"], &["99999"], 2),
    ];
    for (arguments, words, lines) in cases {
        println!("{arguments:?}");
        sandbox.ftbench(arguments).refuses(words, lines);
    }
    assert_eq!(
        std::fs::read_dir(sandbox.path()).unwrap().count(),
        0,
        "no folder is left behind"
    );
}

#[test]
fn values_out_of_range_are_refused() {
    let sandbox = Sandbox::new();
    for (option, value) in [
        ("--rounds", "0"),
        ("--rounds", "many"),
        ("--timeout", "-1"),
        ("--timeout", "nan"),
        ("--seed", "-1"),
        ("--profile", "fast"),
        ("--scaling", "up"),
        ("-n", "0"),
        ("-n", "2-1"),
        ("-n", "1,,2"),
        ("--format", "xml"),
    ] {
        println!("{option} {value}");
        sandbox
            .ftbench(&["run", "fib", &format!("{option}={value}")])
            .refuses(&[value], 3);
    }
}

// Workloads

#[test]
fn broken_workloads_fail_with_their_last_words_and_the_others_are_measured() {
    let sandbox = Sandbox::new();
    let failed = CellStatus::Failed;
    let cases: [(&str, &str, CellStatus, &[&str]); 11] = [
        (
            "syntax",
            "def work(data, units)\n    pass\n",
            failed,
            &["SyntaxError", "(in import)", "def work(data, units)", "line 1"],
        ),
        (
            "no_work",
            "def wrok(data, units):\n    pass\n",
            failed,
            &["no_work.py defines no function 'work'"],
        ),
        (
            "no_function",
            "work = 3\n",
            failed,
            &["no_function.py: 'work' is not a function"],
        ),
        (
            "bad_import",
            "import no_such_module_anywhere\ndef work(data, units): ...\n",
            failed,
            &["ModuleNotFoundError", "(in import)", "line 1"],
        ),
        (
            "bad_setup",
            "def setup(units):\n    return {}['key']\ndef work(data, units): ...\n",
            failed,
            &["KeyError: 'key' (in setup)", "line 2, in setup"],
        ),
        (
            "bad_work",
            "def work(data, units):\n    return deeper()\ndef deeper():\n    raise ValueError('broken on purpose')\n",
            failed,
            &["ValueError: broken on purpose (in work)", "line 4, in deeper"],
        ),
        (
            "bad_check",
            "def work(data, units):\n    return 1\ndef check(results, units):\n    raise OSError('no rule')\n",
            failed,
            &["OSError: no rule (in check)", "line 4, in check"],
        ),
        (
            "wrong",
            "def work(data, units):\n    return 41\ndef check(results, units):\n    assert results == [42], 'not 42'\n",
            CellStatus::WrongResult,
            &["AssertionError: not 42 (in check)", "line 4, in check"],
        ),
        (
            "leaves",
            "import os\ndef work(data, units):\n    print('about to leave', flush=True)\n    os._exit(7)\n",
            failed,
            &["ended with exit status 7", "about to leave"],
        ),
        (
            "raises_exit",
            "def work(data, units):\n    raise SystemExit(3)\n",
            failed,
            &["SystemExit: 3 (in work)"],
        ),
        (
            "crashes",
            "import ctypes\ndef work(data, units):\n    ctypes.string_at(0)\n",
            failed,
            &["killed by SIGSEGV"],
        ),
    ];
    let mut workloads: Vec<(&str, &[u8])> = cases
        .iter()
        .map(|(name, source, ..)| (*name, source.as_bytes()))
        .collect();
    workloads.insert(5, ("good", GOOD.as_bytes()));
    let run = run(&sandbox, &workloads, &SHORT, 1);
    run.all_ok("good");
    for (name, _, status, words) in cases {
        println!("{name}");
        // The table shows the first few reasons in full, the summary all of them.
        for cell in run.cells(name) {
            let reason = cell.reason.clone().unwrap_or_default();
            assert_eq!(cell.status, status, "{}: {reason}", cell.cell());
            for word in words {
                assert!(reason.contains(word), "no {word:?} in:\n{reason}");
            }
        }
        run.told
            .says(&[&format!("{name} cannot be measured: "), words[0]]);
    }
    // The segmentation fault's own traceback, which faulthandler prints.
    let crashed = run.cell("crashes", &pair().gil, Model::Serial, 1).reason.unwrap();
    assert!(
        crashed.contains("line 3 in work") || crashed.contains("faulthandler"),
        "{crashed}"
    );
    assert_eq!(run.manifest().status, RunStatus::Complete);
}

#[test]
fn the_table_shows_reason_and_last_words() {
    let sandbox = Sandbox::new();
    let broken = "def work(data, units):\n    raise ValueError('broken on purpose')\n";
    let run = run(
        &sandbox,
        &[("good", GOOD.as_bytes()), ("broken", broken.as_bytes())],
        &SHORT,
        1,
    );
    run.all_ok("good");
    let words = [
        "ValueError: broken on purpose (in work)",
        "line 2, in work",
        "raise ValueError('broken on purpose')",
    ];
    run.all_fail("broken", CellStatus::Failed, &words);
    assert!(run.told.stdout.contains("failed"), "{}", run.told.stdout);
}

#[test]
fn files_that_are_hardly_text_fail_with_a_reason_or_run() {
    let sandbox = Sandbox::new();
    let garbage: Vec<u8> = (0..4096_u32).map(|index| (index * 7919 % 251) as u8).collect();
    let zeros = [0_u8; 64];
    let latin = b"def work(data, units):\n    return '\xe9'\n";
    let declared = [
        b"# -*- coding: latin-1 -*-\nNAME = '\xe9'\n".as_slice(),
        GOOD.as_bytes(),
    ]
    .concat();
    let workloads: [(&str, &[u8]); 6] = [
        ("garbage", &garbage),
        ("zeros", &zeros),
        ("empty", b""),
        ("latin", latin),
        ("declared", &declared),
        ("good", GOOD.as_bytes()),
    ];
    let run = run(&sandbox, &workloads, &SHORT, 1);
    run.all_ok("good");
    // Python decides on the encoding, and takes the one that the file declares.
    run.all_ok("declared");
    for name in ["garbage", "zeros", "empty", "latin"] {
        for cell in run.cells(name) {
            assert_eq!(cell.status, CellStatus::Failed, "{}", cell.cell());
            assert!(
                cell.reason
                    .as_ref()
                    .is_some_and(|reason| reason.contains("import")),
                "{}",
                cell.cell()
            );
        }
    }
    let latin = run.cell("latin", &pair().gil, Model::Serial, 1).reason.unwrap();
    assert!(
        latin.contains("SyntaxError") && latin.contains("utf-8"),
        "{latin}"
    );
}

#[test]
fn what_a_workload_prints_is_no_obstacle_and_stays_bounded() {
    let sandbox = Sandbox::new();
    let loud = format!(
        "{GOOD}
import sys
def setup(units):
    print('x' * 1_000_000)
    sys.stderr.write('y' * 1_000_000)
"
    );
    let loud_then_broken = "
def work(data, units):
    print('z' * 1_000_000)
    raise ValueError('after a megabyte')
";
    let loud_then_gone = "
import os
def work(data, units):
    print('z' * 1_000_000, 'the end', flush=True)
    os._exit(1)
";
    let workloads: [(&str, &[u8]); 3] = [
        ("loud", loud.as_bytes()),
        ("broken", loud_then_broken.as_bytes()),
        ("gone", loud_then_gone.as_bytes()),
    ];
    let run = run(&sandbox, &workloads, &SHORT, 1);
    run.all_ok("loud");
    run.all_fail(
        "broken",
        CellStatus::Failed,
        &["ValueError: after a megabyte (in work)"],
    );
    run.all_fail("gone", CellStatus::Failed, &["the end"]);
    for cell in run.summary().cells {
        let length = cell.reason.as_ref().map_or(0, String::len);
        assert!(length < 6_000, "{}: a reason of {length} bytes", cell.cell());
    }
    assert!(run.told.stdout.len() < 40_000, "{} bytes", run.told.stdout.len());
    assert!(run.told.stderr.len() < 10_000, "{} bytes", run.told.stderr.len());
}

#[test]
fn a_workload_that_sleeps_for_ever_is_ended() {
    let sandbox = Sandbox::new();
    let sleeping = "import time\ndef work(data, units):\n    time.sleep(1e6)\n";
    // Not in calibration, and not where the driver can see it: in a process of the pool.
    let sleeping_child = format!(
        "{GOOD}
import multiprocessing, time
quick = work
def work(data, units):
    if multiprocessing.parent_process() is not None:
        time.sleep(1e6)
    return quick(data, units)
"
    );
    let workloads: [(&str, &[u8]); 3] = [
        ("sleeping", sleeping.as_bytes()),
        ("sleeping_child", sleeping_child.as_bytes()),
        ("good", GOOD.as_bytes()),
    ];
    let mark = Mark::new("sleeps");
    let arguments = [
        "-m",
        "serial,processes",
        "-n",
        "1",
        "--rounds",
        "2",
        "--timeout",
        "6",
    ];
    let words: Vec<String> = workloads
        .iter()
        .map(|(name, source)| sandbox.file(&format!("{name}.py"), source))
        .collect();
    let pair_words = pair().words();
    let mut command = sandbox.command(["run", "--profile", "quick", "--out", "out", "-p", &pair_words]);
    command.args(words).args(arguments);
    mark.set_on(&mut command);
    let run = Run {
        told: told(command),
        folder: sandbox.path().join("out"),
    };
    run.told.ends_with(1);
    run.all_ok("good");
    run.all_fail(
        "sleeping",
        CellStatus::TimedOut,
        &["took longer than 6 s (--timeout)"],
    );
    for tag in pair().tags() {
        assert_eq!(
            run.cell("sleeping_child", tag, Model::Serial, 1).status,
            CellStatus::Ok
        );
        let child = run.cell("sleeping_child", tag, Model::Processes, 1);
        assert_eq!(child.status, CellStatus::TimedOut, "{:?}", child.reason);
    }
    // Once is enough of what takes so long.
    let timed_out = run
        .trials()
        .iter()
        .filter(|trial| trial.status == TrialStatus::TimedOut)
        .count();
    assert_eq!(timed_out, 2);
    assert_eq!(mark.processes(), Vec::<String>::new(), "left behind");
}

#[test]
fn workers_that_fail_only_in_company_fail_alone() {
    if allowed_pus().len() < 2 {
        println!("nothing is shown here: this process may use one PU only, and the test needs two");
        return;
    }
    let sandbox = Sandbox::new();
    let in_pool = |what: &str| {
        format!(
            "{GOOD}
import ctypes, multiprocessing, os
quick = work
def work(data, units):
    if multiprocessing.parent_process() is not None:
        {what}
    return quick(data, units)
"
        )
    };
    let leaves = in_pool("os._exit(9)");
    let crashes = in_pool("ctypes.string_at(0)");
    let unpicklable = in_pool("return lambda: 1");
    let pair_only = format!(
        "{GOOD}
alone = check
def check(results, units):
    assert len(results) == 1, 'two are a crowd'
    alone(results, units)
"
    );
    let workloads: [(&str, &[u8]); 5] = [
        ("leaves", leaves.as_bytes()),
        ("crashes", crashes.as_bytes()),
        ("unpicklable", unpicklable.as_bytes()),
        ("pair_only", pair_only.as_bytes()),
        ("good", GOOD.as_bytes()),
    ];
    let arguments = ["-m", "serial,threads,processes", "-n", "2", "--rounds", "1"];
    let run = run(&sandbox, &workloads, &arguments, 1);
    run.all_ok("good");
    for (workload, words) in [
        ("leaves", "a process of the pool ended with exit status 9"),
        ("crashes", "a process of the pool was killed by SIGSEGV"),
        ("unpicklable", "cannot be sent between processes"),
    ] {
        for cell in run.cells(workload) {
            let reason = cell.reason.clone().unwrap_or_default();
            if cell.model == Model::Processes {
                assert_eq!(cell.status, CellStatus::Failed, "{}", cell.cell());
                assert!(reason.contains(words), "{}: {reason}", cell.cell());
            } else {
                assert_eq!(cell.status, CellStatus::Ok, "{}: {reason}", cell.cell());
            }
        }
    }
    for cell in run.cells("pair_only") {
        let expected = if cell.workers == 2 {
            CellStatus::WrongResult
        } else {
            CellStatus::Ok
        };
        assert_eq!(cell.status, expected, "{}: {:?}", cell.cell(), cell.reason);
    }
    // A failed trial is a record like any other.
    let recorded = run.trials();
    let wrong: Vec<_> = recorded
        .iter()
        .filter(|trial| trial.status == TrialStatus::WrongResult)
        .collect();
    assert_eq!(wrong.len(), 4);
    for trial in wrong {
        assert!(
            trial
                .reason
                .as_ref()
                .is_some_and(|reason| reason.contains("two are a crowd"))
        );
        assert!(
            trial
                .last_words
                .as_ref()
                .is_some_and(|words| words.contains("Traceback"))
        );
    }
    assert_eq!(recorded.len(), run.manifest().plan.cells.len());
}

#[test]
fn a_workload_that_ignores_its_units_is_found_out() {
    let sandbox = Sandbox::new();
    let idle = "def work(data, units):\n    return None\n";
    let run = run(
        &sandbox,
        &[("idle", idle.as_bytes()), ("good", GOOD.as_bytes())],
        &SHORT,
        1,
    );
    run.all_ok("good");
    run.all_fail("idle", CellStatus::Failed, &["does 'work' use its 'units'?"]);
}

#[test]
fn files_that_are_no_workloads_are_refused() {
    let sandbox = Sandbox::new();
    let block = |lines: &str| format!("# /// script\n{lines}# ///\ndef work(data, units): ...\n");
    let table = |line: &str| block(&format!("# [tool.ftbench]\n# {line}\n"));
    let file = |name: &str, contents: String| sandbox.file(name, contents);
    std::fs::create_dir(sandbox.path().join("folder.py")).unwrap();
    let cases: [(String, &[&str]); 10] = [
        (
            file("key.py", table("modles = [\"serial\"]")),
            &["key.py", "modles", "models"],
        ),
        (
            file("kind.py", table("kind = \"gpu\"")),
            &["kind.py", "gpu", "cpu"],
        ),
        (
            file("model.py", table("models = [\"fibers\"]")),
            &["model.py", "fibers"],
        ),
        (file("toml.py", table("summary = \"open")), &["toml.py"]),
        (
            file("unclosed.py", "# /// script\n# a = 1\nimport x\n".to_owned()),
            &["unclosed.py", "not closed"],
        ),
        (
            file("two.py", block("").repeat(2)),
            &["two.py", "2 '# /// script' blocks"],
        ),
        (
            file("python.py", block("# requires-python = \"three\"\n")),
            &["python.py", "requires-python"],
        ),
        (
            file("large.py", "#".repeat(5 << 20)),
            &["large.py", "a workload is one Python file"],
        ),
        ("missing.py".to_owned(), &["missing.py", "No such file"]),
        (
            sandbox.path().join("folder.py").display().to_string(),
            &["folder.py", "it is not a file"],
        ),
    ];
    for (path, words) in cases {
        println!("{path}");
        sandbox.ftbench(&["run", &path]).refuses(words, 2);
    }
    let (first, second) = (sandbox.file("a/mine.py", GOOD), sandbox.file("b/mine.py", GOOD));
    sandbox
        .ftbench(&["run", &first, &second])
        .refuses(&["a/mine.py", "b/mine.py", "rename one"], 2);
    let another_fib = sandbox.file("fib.py", GOOD);
    sandbox
        .ftbench(&["run", "fib", &another_fib])
        .refuses(&["'fib'", "rename one"], 2);
}

#[test]
fn a_workload_that_needs_another_python_is_skipped() {
    let sandbox = Sandbox::new();
    let newer = format!("# /// script\n# requires-python = \">=3.99\"\n# ///\n{GOOD}");
    let run = run(
        &sandbox,
        &[("newer", newer.as_bytes()), ("good", GOOD.as_bytes())],
        &SHORT,
        0,
    );
    run.all_ok("good");
    for cell in run.cells("newer") {
        assert_eq!(cell.status, CellStatus::Skipped);
        assert_eq!(cell.reason.as_deref(), Some("it requires Python >=3.99"));
    }
    let newer = sandbox.file("newer.py", newer);
    sandbox
        .ftbench(&["run", &newer])
        .refuses(&["every cell would be skipped", ">=3.99"], 2);
}

// Workers

#[test]
fn more_workers_than_pus_are_refused_with_what_is_allowed_and_why() {
    let sandbox = Sandbox::new();
    let pus = allowed_pus().len();
    let too_many = (pus + 62).to_string();
    let told = sandbox.ftbench(&["run", "fib", "-n", &too_many]);
    told.refuses(&[&format!("{too_many} workers"), "--pin none"], 2);
    let explained = ["cpuset and affinity mask allow", "quota"]
        .iter()
        .any(|word| told.stderr.contains(word));
    assert!(
        explained && told.stderr.contains("Ask for at most "),
        "{}",
        told.stderr
    );
}

#[test]
fn workers_that_are_not_pinned_may_be_more_than_pus() {
    let sandbox = Sandbox::new();
    let many = allowed_pus().len() + 2;
    let arguments = [
        "-m",
        "threads,processes",
        "-n",
        &many.to_string(),
        "--pin",
        "none",
        "--rounds",
        "1",
    ];
    let run = run(&sandbox, &[("good", GOOD.as_bytes())], &arguments, 0);
    run.all_ok("good");
    let widest = run.cell(
        "good",
        &pair().free_threaded,
        Model::Threads,
        u32::try_from(many).unwrap(),
    );
    assert_eq!(widest.status, CellStatus::Ok);
}

#[test]
fn a_pu_that_is_not_there_is_refused() {
    let sandbox = Sandbox::new();
    sandbox
        .ftbench(&["run", "fib", "--pin", "60000"])
        .refuses(&["60000", "ftbench topology"], 2);
    sandbox
        .ftbench(&["run", "fib", "--pin", "0,0"])
        .refuses(&["names PU 0 twice"], 3);
}

// Interpreters

#[test]
fn what_is_no_interpreter_is_named_and_skipped_and_the_rest_is_measured() {
    let sandbox = Sandbox::new();
    let text = sandbox.file("python3.13", "not a program\n");
    let old = sandbox.script(
        "old/python3",
        r#"echo 'ftbench-probe {"implementation": "CPython", "version": [3, 8, 18, "final", 0]}'"#,
    );
    let crashing = sandbox.script("crashing/python3", "kill -SEGV $$");
    let folder = sandbox.path().join("old").display().to_string();
    let cases: [(&str, &[&str]); 6] = [
        (&text, &["python3.13 does not start"]),
        ("/bin/ls", &["/ls is not a Python interpreter"]),
        (
            &old,
            &["old/python3 is Python 3.8.18, which is too old", "3.9 and newer"],
        ),
        (&crashing, &["crashing/python3 does not start: signal 11"]),
        (&folder, &["old does not start: it is a folder"]),
        (
            "./nowhere/python3",
            &["nowhere/python3 does not start: no such file"],
        ),
    ];
    let good = sandbox.file("good.py", GOOD);
    let mut words = vec![good.as_str(), "-p", &pair().gil];
    words.extend(cases.iter().flat_map(|(path, _)| ["-p", *path]));
    words.extend(SHORT);
    let run = sandbox.run("out", &words, 0);
    run.all_ok("good");
    let summary = run.summary();
    assert_eq!(summary.interpreters.len(), 1);
    for (path, reasons) in &cases {
        println!("{path}");
        for reason in *reasons {
            let warned = summary
                .warnings
                .iter()
                .any(|one| one.kind == WarningKind::InterpreterSkipped && one.message.contains(reason));
            assert!(warned, "{:?}", summary.warnings);
            run.told.says(&[reason]);
            assert_eq!(
                run.told.stderr.matches(reason).count(),
                run.told.stderr.matches(reasons[0]).count().max(1)
            );
        }
        // With it alone there is nothing left.
        let refused = sandbox.ftbench(&["run", &good, "-p", path]);
        refused.refuses(
            &[&["no interpreter is left to measure with"], *reasons].concat(),
            2,
        );
    }
}

#[test]
fn a_real_python_that_is_too_old_is_skipped() {
    let folder = std::env::var_os("PYENV_ROOT").map_or_else(
        || Path::new(&std::env::var_os("HOME").unwrap_or_default()).join(".pyenv"),
        Into::into,
    );
    let versions = std::fs::read_dir(folder.join("versions"))
        .into_iter()
        .flatten()
        .flatten();
    let old: Vec<_> = versions
        .filter(|entry| {
            ["2.7", "3.6", "3.7", "3.8"]
                .iter()
                .any(|old| entry.file_name().to_string_lossy().starts_with(old))
        })
        .map(|entry| entry.path().join("bin/python"))
        .filter(|path| path.exists())
        .collect();
    if old.is_empty() {
        println!("nothing is shown here: pyenv has no Python below 3.9 on this machine");
    }
    let sandbox = Sandbox::new();
    for path in old {
        sandbox
            .ftbench(&["run", "fib", "-p", path.to_str().unwrap()])
            .refuses(&["which is too old"], 2);
    }
}

#[test]
fn an_interpreter_that_hangs_is_skipped() {
    let sandbox = Sandbox::new();
    let hanging = sandbox.script("hanging/python3", "sleep 1000");
    let good = sandbox.file("good.py", GOOD);
    let words = [&[good.as_str(), "-p", &pair().gil, "-p", &hanging], &SHORT[..]].concat();
    let run = sandbox.run("out", &words, 0);
    run.all_ok("good");
    run.told.says(&["hanging/python3 hangs: no answer within 10 s"]);
}

#[test]
fn an_interpreter_that_turns_out_to_be_broken_fails_its_cells_only() {
    let sandbox = Sandbox::new();
    let real = support::executable(&pair().gil);
    // Answers the probe, and is gone when it is to measure.
    let turncoat = sandbox.script(
        "turncoat/python3",
        &format!(
            "case \"$*\" in *ftbench_worker*) echo 'no more'; exit 4;; esac\nexec {} \"$@\"",
            real.display()
        ),
    );
    let good = sandbox.file("good.py", GOOD);
    let words = [&[good.as_str(), "-p", &pair().gil, "-p", &turncoat], &SHORT[..]].concat();
    let run = sandbox.run("out", &words, 1);
    assert_eq!(
        run.cell("good", &pair().gil, Model::Serial, 1).status,
        CellStatus::Ok
    );
    let broken: Vec<_> = run
        .cells("good")
        .into_iter()
        .filter(|cell| cell.interpreter != pair().gil)
        .collect();
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

#[test]
fn without_a_free_threaded_build_the_run_goes_on_and_says_how_to_get_one() {
    let sandbox = Sandbox::new();
    let home = sandbox.path().join("home");
    let bin = sandbox.path().join("bin");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::create_dir_all(&bin).unwrap();
    let real = support::executable(&pair().gil);
    std::os::unix::fs::symlink(&real, bin.join(real.file_name().unwrap())).unwrap();
    let isolated = |arguments: &[&str]| {
        let mut command = sandbox.command(arguments);
        command
            .env_clear()
            .env("HOME", &home)
            .env("XDG_CACHE_HOME", home.join("cache"));
        command.env("PYENV_ROOT", home.join("pyenv")).env("PATH", &bin);
        told(command)
    };
    let list = isolated(&["python", "list", "--format", "json"]);
    list.ends_with(0);
    let found = list.json();
    let Some([one]) = found.as_array().map(Vec::as_slice) else {
        println!(
            "nothing is shown here: this machine has Pythons elsewhere than in the user's folders: {found}"
        );
        return;
    };
    assert_eq!(
        (&one["free_threaded"], &one["source"]),
        (&false.into(), &"PATH".into())
    );
    let words = [&["run", "fib", "--profile", "quick", "--out", "out"], &SHORT[..]].concat();
    let run = Run {
        told: isolated(&words),
        folder: sandbox.path().join("out"),
    };
    run.told.ends_with(0);
    run.all_ok("fib");
    let warnings = run.summary().warnings;
    let warning = warnings
        .iter()
        .find(|one| one.kind == WarningKind::NoFreeThreadedBuild)
        .unwrap();
    assert!(
        warning.message.contains("ftbench python install 3."),
        "{}",
        warning.message
    );
    run.told.says(&[&warning.message]);
    // With no interpreter at all there is nothing to run on.
    std::fs::remove_file(bin.join(real.file_name().unwrap())).unwrap();
    isolated(&["run", "fib"]).refuses(&["no Python interpreter was found", "ftbench python install"], 2);
}

/// An extension module that does not declare `Py_mod_gil`, so that importing it switches the GIL on (PEP 703).
const EXTENSION: &str = r#"
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "old_extension", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_old_extension(void) { return PyModule_Create(&module); }
"#;

#[test]
fn a_module_that_switches_the_gil_on_is_named() {
    let sandbox = Sandbox::new();
    let python = support::executable(&pair().free_threaded);
    let said = Command::new(&python)
        .args([
            "-c",
            "import sysconfig; print(sysconfig.get_path('include'), sysconfig.get_config_var('EXT_SUFFIX'))",
        ])
        .output()
        .unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let (include, suffix) = said.trim().rsplit_once(' ').unwrap();
    let source = sandbox.file("old_extension.c", EXTENSION);
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(sandbox.path().join(format!("old_extension{suffix}")))
        .args(["-I", include, &source])
        .status();
    let compiled =
        compiled.unwrap_or_else(|error| panic!("cc does not start ({error}); `make test` installs it"));
    assert!(compiled.success(), "cc cannot compile against {include}");
    // The GIL build has no such module, and needs none.
    let workload = format!(
        "import sys\nif not getattr(sys, '_is_gil_enabled', lambda: True)():\n    import old_extension\n{GOOD}"
    );
    let arguments = ["-m", "serial,processes", "-n", "1", "--rounds", "1"];
    let run = run(
        &sandbox,
        &[("importing", workload.as_bytes()), ("good", GOOD.as_bytes())],
        &arguments,
        0,
    );
    run.all_ok("good");
    let pair = pair();
    for model in [Model::Serial, Model::Processes] {
        assert_eq!(run.cell("importing", &pair.gil, model, 1).status, CellStatus::Ok);
        let cell = run.cell("importing", &pair.free_threaded, model, 1);
        assert_eq!(cell.status, CellStatus::GilReenabled, "{:?}", cell.reason);
        assert!(cell.reason.is_some_and(|reason| reason.contains("old_extension")));
    }
    let warnings = run.summary().warnings;
    let warning = warnings
        .iter()
        .find(|one| one.kind == WarningKind::GilReenabled)
        .unwrap();
    assert!(
        warning.message.contains("importing") && warning.message.contains("old_extension"),
        "{}",
        warning.message
    );
    assert!(run.told.stdout.contains("GIL re-enabled") && run.told.stdout.contains("old_extension"));
}

// The run's folder

#[test]
fn a_folder_that_cannot_be_written_is_told_before_the_first_trial() {
    let sandbox = Sandbox::new();
    sandbox.file("full/notes.txt", "mine");
    let in_the_way = sandbox.file("file", "mine");
    for (out, words) in [
        ("full", ["full exists and is not empty", "never overwritten"]),
        (&in_the_way, ["file", "choose another --out"]),
        ("file/below", ["file/below", "choose another --out"]),
        ("/proc/ftbench/out", ["/proc/ftbench/out", "choose another --out"]),
    ] {
        println!("{out}");
        let told = sandbox.ftbench(&["run", "fib", "-p", &pair().gil, "--out", out]);
        told.refuses(&words, 2);
    }
    assert_eq!(
        std::fs::read_to_string(sandbox.path().join("full/notes.txt")).unwrap(),
        "mine"
    );
    assert_eq!(std::fs::read_to_string(&in_the_way).unwrap(), "mine");
}

#[test]
fn a_run_is_never_overwritten() {
    let sandbox = Sandbox::new();
    let good = sandbox.file("good.py", GOOD);
    let words = [&[good.as_str(), "-p", &pair().gil], &SHORT[..]].concat();
    let run = sandbox.run("out", &words, 0);
    let before = (
        run.read("run.json"),
        run.read("trials.jsonl"),
        run.read("summary.json"),
    );
    let again = sandbox.ftbench(&[&["run", "--out", "out"], &words[..]].concat());
    again.refuses(&["out exists and is not empty"], 2);
    assert_eq!(
        before,
        (
            run.read("run.json"),
            run.read("trials.jsonl"),
            run.read("summary.json")
        )
    );
}

#[test]
fn a_disk_that_fills_up_ends_the_run_and_what_was_recorded_is_readable() {
    let sandbox = Sandbox::new();
    let good = sandbox.file("good.py", GOOD);
    // No file may become longer than this: room for the manifest and for some of the trials.
    const BLOCKS_OF_1024_BYTES: u32 = 20;
    let mut command = sandbox.command(["run"]);
    let ftbench = command.get_program().to_owned();
    let environment: Vec<_> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    command = Command::new("bash");
    command
        .current_dir(sandbox.path())
        .env_clear()
        .envs(environment)
        .args(["-c", &format!("ulimit -f {BLOCKS_OF_1024_BYTES}; exec \"$@\"")])
        .arg("bash")
        .arg(ftbench)
        .args([
            "run",
            &good,
            "-p",
            &pair().words(),
            "-m",
            "serial,threads",
            "-n",
            "1",
            "--rounds",
            "20",
        ])
        .args(["--profile", "quick", "--out", "out"]);
    let told = told(command);
    told.ends_with(2);
    told.says(&["error: cannot write ", "trials.jsonl", "File too large"]);
    let shown = sandbox.ftbench(&["show", "out"]);
    shown.ends_with(0);
    assert!(
        shown.stdout.contains("good") && shown.stdout.contains("serial"),
        "{}",
        shown.stdout
    );
    let summary = sandbox.ftbench(&["show", "out", "--format", "json"]).json();
    assert_ne!(summary["run"]["status"], "complete");
    assert!(
        summary["cells"]
            .as_array()
            .unwrap()
            .iter()
            .any(|cell| cell["rounds"].as_u64() > Some(0))
    );
}

#[test]
fn a_folder_that_is_no_run_or_is_damaged_is_told() {
    let sandbox = Sandbox::new();
    let good = sandbox.file("good.py", GOOD);
    sandbox
        .ftbench(&["show", "nowhere"])
        .refuses(&["nowhere/run.json", "No such file"], 2);
    let words = [
        &[good.as_str(), "-p", &pair().gil],
        &SHORT[..4],
        &["--rounds", "3"],
    ]
    .concat();
    let run = sandbox.run("out", &words, 0);
    let (manifest, trials) = (run.text("run.json"), run.text("trials.jsonl"));
    // A power cut leaves the last line unfinished.
    sandbox.file("out/trials.jsonl", &trials[..trials.len() - 40]);
    let shown = sandbox.ftbench(&["show", "out", "--format", "json"]);
    shown.ends_with(0);
    assert_eq!(shown.json()["cells"][0]["rounds"], 2);
    let lines: Vec<&str> = trials.lines().collect();
    sandbox.file(
        "out/trials.jsonl",
        format!("{}\nnonsense\n{}\n", lines[0], lines[1]),
    );
    sandbox
        .ftbench(&["show", "out"])
        .refuses(&["trials.jsonl line 2 is damaged"], 2);
    sandbox.file("out/trials.jsonl", &trials);
    sandbox.file(
        "out/run.json",
        manifest.replacen("\"schema\": 1", "\"schema\": 99", 1),
    );
    sandbox
        .ftbench(&["show", "out"])
        .refuses(&["run.json has format 99", "newer ftbench"], 2);
    sandbox.file("out/run.json", &manifest[..manifest.len() / 2]);
    sandbox
        .ftbench(&["show", "out"])
        .refuses(&["run.json is damaged"], 2);
}

// Being stopped

/// A variable that ftbench passes on to workers, as it does every locale category, and that finds them in `/proc`.
struct Mark {
    value: String,
}

impl Mark {
    const NAME: &str = "LC_FTBENCH_TEST";

    fn new(test: &str) -> Self {
        Self {
            value: format!("{test}-{}", std::process::id()),
        }
    }

    fn set_on(&self, command: &mut Command) {
        command.env(Self::NAME, &self.value);
    }

    /// The command lines of all processes with this mark.
    fn processes(&self) -> Vec<String> {
        let entry = format!("{}={}", Self::NAME, self.value).into_bytes();
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes
            .filter(|process| {
                let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
                environment
                    .split(|byte| *byte == 0)
                    .any(|variable| variable == entry)
            })
            .map(|process| {
                let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
                String::from_utf8_lossy(&words).replace('\0', " ")
            })
            .collect()
    }
}

/// Waits until something is so, and fails when it takes too long.
#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Starts a run that would take minutes, interrupts it once some trials are recorded, and gives back the run.
fn interrupted(sandbox: &Sandbox, workload: &str, mark: &Mark) -> Run {
    let folder = sandbox.path().join("out");
    let mut command = sandbox.command([
        "run",
        workload,
        "-p",
        &pair().words(),
        "--out",
        "out",
        "--rounds",
        "500",
    ]);
    command.args(["-m", "serial,threads,processes", "-n", "1", "--profile", "quick"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    mark.set_on(&mut command);
    let driver = command.spawn().unwrap();
    let trials = folder.join("trials.jsonl");
    let lines = || std::fs::read_to_string(&trials).map_or(0, |text| text.lines().count());
    wait_until("ten trials", || lines() >= 10);
    wait_until("a worker", || {
        mark.processes()
            .iter()
            .any(|command| command.contains("ftbench_worker"))
    });
    let id = rustix::process::Pid::from_raw(i32::try_from(driver.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let output = driver.wait_with_output().unwrap();
    let told = support::Told {
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    Run { folder, told }
}

#[test]
fn an_interrupted_run_keeps_and_shows_what_was_measured_and_leaves_no_process() {
    let sandbox = Sandbox::new();
    let good = sandbox.file("good.py", GOOD);
    let mark = Mark::new("interrupt");
    let run = interrupted(&sandbox, &good, &mark);
    run.told.ends_with(130);
    assert_eq!(mark.processes(), Vec::<String>::new(), "left behind");
    assert_eq!(run.manifest().status, RunStatus::Interrupted);
    let (trials, summary) = (run.trials(), run.summary());
    assert!(trials.len() >= 10 && trials.iter().all(|trial| trial.status == TrialStatus::Ok));
    assert_eq!(
        (summary.run.status, summary.stopped_by),
        (RunStatus::Interrupted, Some(StoppedBy::Interrupt))
    );
    let rounds: u32 = summary.cells.iter().map(|cell| cell.rounds).sum();
    assert_eq!(rounds as usize, trials.len());
    for name in ["samples.csv", "charts/good.svg", "charts/good.png"] {
        assert!(!run.read(name).is_empty());
    }
    assert!(
        run.told.stdout.contains("good") && run.told.stdout.contains("serial"),
        "{}",
        run.told.stdout
    );
}

#[test]
fn a_run_that_is_interrupted_in_calibration_ends_too() {
    let sandbox = Sandbox::new();
    let sleeping = sandbox.file(
        "sleeping.py",
        "import time\ndef work(data, units):\n    time.sleep(1e6)\n",
    );
    let mark = Mark::new("calibration");
    let mut command = sandbox.command(["run", &sleeping, "-p", &pair().gil, "--out", "out"]);
    command
        .args(SHORT)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    mark.set_on(&mut command);
    let mut driver = command.spawn().unwrap();
    wait_until("a worker", || {
        mark.processes()
            .iter()
            .any(|command| command.contains("ftbench_worker"))
    });
    let id = rustix::process::Pid::from_raw(i32::try_from(driver.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    assert_eq!(driver.wait().unwrap().code(), Some(130));
    assert_eq!(mark.processes(), Vec::<String>::new(), "left behind");
    let shown = sandbox.ftbench(&["show", "out", "--format", "json"]);
    shown.ends_with(0);
    assert_eq!(shown.json()["run"]["status"], "interrupted");
}
