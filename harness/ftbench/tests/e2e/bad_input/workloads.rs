//! Workloads that fail when they run.

use ftbench_schema::{CellStatus, Model, RunStatus, TrialStatus};

use super::{GOOD, SHORT, Source, run};
use crate::support::mark::Mark;
use crate::support::{Run, Sandbox, allowed_pus, output_of, pair};

/// A broken workload, with the status of its cells and words of their reason. The first word is also in the message
/// that is printed during the run.
struct Broken {
    name: &'static str,
    source: &'static str,
    status: CellStatus,
    words: &'static [&'static str],
}

const fn failing(name: &'static str, source: &'static str, words: &'static [&'static str]) -> Broken {
    Broken {
        name,
        source,
        status: CellStatus::Failed,
        words,
    }
}

const BROKEN: [Broken; 11] = [
    failing(
        "syntax",
        "def work(data, units)\n    pass\n",
        &["SyntaxError", "(in import)", "def work(data, units)", "line 1"],
    ),
    failing(
        "no_work",
        "def wrok(data, units):\n    pass\n",
        &["no_work.py defines no function 'work'"],
    ),
    failing(
        "no_function",
        "work = 3\n",
        &["no_function.py: 'work' is not a function"],
    ),
    failing(
        "bad_import",
        "import no_such_module_anywhere\ndef work(data, units): ...\n",
        &["ModuleNotFoundError", "(in import)", "line 1"],
    ),
    failing(
        "bad_setup",
        "def setup(units):\n    return {}['key']\ndef work(data, units): ...\n",
        &["KeyError: 'key' (in setup)", "line 2, in setup"],
    ),
    failing(
        "bad_work",
        "def work(data, units):\n    deeper()\ndef deeper():\n    raise ValueError('on purpose')\n",
        &["ValueError: on purpose (in work)", "line 4, in deeper"],
    ),
    failing(
        "bad_check",
        "def work(data, units): ...\ndef check(results, units):\n    raise OSError('no rule')\n",
        &["OSError: no rule (in check)", "line 3, in check"],
    ),
    Broken {
        name: "wrong",
        source: "def work(data, units): ...\ndef check(results, units):\n    assert results == [42], 'not 42'\n",
        status: CellStatus::WrongResult,
        words: &["AssertionError: not 42 (in check)", "line 3, in check"],
    },
    failing(
        "leaves",
        "import os\ndef work(data, units):\n    print('about to leave', flush=True)\n    os._exit(7)\n",
        &["ended with exit status 7", "about to leave"],
    ),
    failing(
        "raises_exit",
        "def work(data, units):\n    raise SystemExit(3)\n",
        &["SystemExit: 3 (in work)", "line 2, in work"],
    ),
    failing(
        "crashes",
        "import ctypes\ndef work(data, units):\n    ctypes.string_at(0)\n",
        // faulthandler's traceback names the signal too.
        &["killed by SIGSEGV"],
    ),
];

#[test]
fn broken_workloads_fail_with_a_reason_and_the_others_are_measured() {
    let sandbox = Sandbox::sharing_the_machine();
    let mut workloads: Vec<Source<'_>> = BROKEN
        .iter()
        .map(|broken| (broken.name, broken.source.as_bytes()))
        .collect();
    workloads.insert(5, ("good", GOOD.as_bytes()));
    let run = run(&sandbox, &workloads, SHORT, 1);
    run.all_ok("good");
    for broken in &BROKEN {
        println!("{}", broken.name);
        // The table has room for the first few reasons only; one test below looks at it.
        run.all_have(broken.name, broken.status, broken.words);
        let first = broken.words.first().unwrap();
        run.output
            .stderr_has(&[&format!("{} cannot be measured: ", broken.name), first]);
    }
    assert_eq!(run.manifest().status, RunStatus::Complete);
    assert_eq!(run.trials().len(), 2, "one for each build, of the good one");
}

#[test]
fn a_dry_run_refuses_a_file_without_work_with_the_message_of_a_run() {
    for broken in BROKEN.iter().take(2) {
        let sandbox = Sandbox::sharing_the_machine();
        let imported = sandbox.path().join("imported");
        let source = format!("open({imported:?}, 'w').close()\n{}", broken.source);
        let file = sandbox.file(&format!("{}.py", broken.name), source);
        let words = format!("{file} -p {} {SHORT}", pair().gil);
        let dry = sandbox.ftbench(&format!("run {words} --dry-run"));
        assert!(!imported.exists(), "{} was run", broken.name);
        let cannot = format!("{} cannot be measured: ", broken.name);
        // Then a line about what the file may be instead.
        dry.refuses(&[&cannot], 2);
        let errors = dry.errors();
        let first = errors.lines().next().unwrap();
        let message = first.trim_start_matches("error: ").trim();
        sandbox.run("out", &words, 1).output.stderr_has(&[message]);
    }
}

#[test]
fn a_dry_run_accepts_whatever_may_define_work() {
    let sandbox = Sandbox::sharing_the_machine();
    let sources = [
        ("imported", "from helper import run as work\n"),
        ("all_imported", "from helper import *\n"),
        ("assigned", "if True:\n    work = print\n"),
        ("asynchronous", "async def work_async(data, units): ...\n"),
        ("unseen", "globals()['wo' + 'rk'] = print\n"),
        (
            "global_name",
            "def define():\n    global work\n    work = print\ndefine()\n",
        ),
        (
            "of_cases",
            "# /// script\n# [tool.ftbench.cases]\n# one = \"\"\n# ///\ndef work_one(data, units): ...\n",
        ),
    ];
    let files = sources.map(|(name, source)| sandbox.file(&format!("{name}.py"), source));
    let words = format!("-p {} {SHORT} --dry-run", pair().gil);
    let output = sandbox.ftbench(&format!("run {} {words}", files.join(" ")));
    output.exits_with(0);
    // A name that is local to something else is not the module's.
    let local = "class Local:\n    def work(self): ...\ndef outer():\n    work = 1\n    return work\n";
    let local = sandbox.file("local.py", local);
    let output = sandbox.ftbench(&format!("run {local} {words}"));
    output.refuses(
        &["local.py defines no function 'work'", "it looks like a module"],
        2,
    );
}

#[test]
fn a_file_of_another_kind_is_named_with_the_options_that_measure_it() {
    let sandbox = Sandbox::sharing_the_machine();
    let sources = [
        (
            "plain",
            "def bench(n):\n    return n\n",
            "a module; measure a call with --call 'bench(N)' --setup 'from plain import bench'",
        ),
        (
            "script",
            "def main(): ...\nif __name__ == '__main__':\n    main()\n",
            "a script; measure it whole with --command '{python} script.py'",
        ),
    ];
    for (name, source, words) in sources {
        let file = sandbox.file(&format!("{name}.py"), source);
        let output = sandbox.ftbench(&format!("run {file} -p {} --dry-run", pair().gil));
        output.refuses(&[&format!("{name}.py defines no function 'work'"), words], 2);
    }
    let words = format!("script.py -p {} {SHORT}", pair().gil);
    let run = sandbox.run("out", &words, 1);
    run.output
        .stderr_has(&["warning: script.py defines no function 'work'; it looks like a script"]);
}

#[test]
fn the_table_shows_the_reason_and_the_traceback() {
    let sandbox = Sandbox::sharing_the_machine();
    let broken = "def work(data, units):\n    raise ValueError('broken on purpose')\n";
    let workloads: [Source<'_>; 2] = [("good", GOOD.as_bytes()), ("broken", broken.as_bytes())];
    let run = run(&sandbox, &workloads, SHORT, 1);
    run.all_ok("good");
    let words = [
        "ValueError: broken on purpose (in work)",
        "line 2, in work",
        "raise ValueError('broken on purpose')",
    ];
    run.all_have("broken", CellStatus::Failed, &words);
    for word in words.iter().chain(&["failed"]) {
        assert!(
            run.output.stdout.contains(word),
            "no {word:?} in:\n{}",
            run.output.stdout
        );
    }
}

#[test]
fn files_with_unusual_encodings_run_or_fail_with_a_reason() {
    let sandbox = Sandbox::sharing_the_machine();
    let garbage: Vec<u8> = (0..4096_u32).map(|index| (index * 7919 % 251) as u8).collect();
    let declared = [
        b"# -*- coding: latin-1 -*-\nNAME = '\xe9'\n".as_slice(),
        GOOD.as_bytes(),
    ]
    .concat();
    let workloads: [Source<'_>; 6] = [
        ("garbage", &garbage),
        ("zeros", &[0; 64]),
        ("empty", b""),
        ("latin", b"def work(data, units):\n    return '\xe9'\n"),
        ("declared", &declared),
        ("good", GOOD.as_bytes()),
    ];
    let run = run(&sandbox, &workloads, SHORT, 1);
    run.all_ok("good");
    // Python uses the encoding that the file declares.
    run.all_ok("declared");
    for name in ["garbage", "zeros", "empty"] {
        run.all_have(name, CellStatus::Failed, &["in import"]);
    }
    // The message continues with `'utf-8' codec` up to 3.13, and with `Non-UTF-8 code` since 3.14.
    run.all_have("latin", CellStatus::Failed, &["SyntaxError", "in import"]);
}

#[test]
fn output_of_workloads_does_no_harm_and_is_truncated() {
    let sandbox = Sandbox::sharing_the_machine();
    let loud = format!(
        "{GOOD}
import sys
def setup(units):
    print('x' * 1_000_000)
    sys.stderr.write('y' * 1_000_000)
"
    );
    let broken = "
def work(data, units):
    print('z' * 1_000_000)
    raise ValueError('after a megabyte')
";
    let gone = "
import os
def work(data, units):
    print('z' * 1_000_000, 'the end', flush=True)
    os._exit(1)
";
    let workloads: [Source<'_>; 3] = [
        ("loud", loud.as_bytes()),
        ("broken", broken.as_bytes()),
        ("gone", gone.as_bytes()),
    ];
    let run = run(&sandbox, &workloads, SHORT, 1);
    run.all_ok("loud");
    run.all_have(
        "broken",
        CellStatus::Failed,
        &["ValueError: after a megabyte (in work)"],
    );
    run.all_have("gone", CellStatus::Failed, &["the end"]);
    for cell in run.summary().cells {
        let length = cell.reason.as_ref().map_or(0, String::len);
        assert!(length < 10_000, "{}: a reason of {length} bytes", cell.cell);
    }
    let (stdout, stderr) = (run.output.stdout.len(), run.output.stderr.len());
    assert!(stdout < 60_000 && stderr < 10_000, "{stdout} and {stderr} bytes");
}

#[test]
fn a_workload_that_sleeps_forever_is_stopped() {
    let sandbox = Sandbox::sharing_the_machine();
    let sleeping = sandbox.file(
        "sleeping.py",
        "import time\ndef work(data, units):\n    time.sleep(1e6)\n",
    );
    // Sleeps in a process of the pool, where the driver cannot see it, and not during calibration.
    let child = sandbox.file("child.py", in_pool("__import__('time').sleep(1e6)"));
    let good = sandbox.file("good.py", GOOD);
    let tags = pair().words();
    let mark = Mark::new("sleeps");
    let mut command = sandbox.command(&format!(
        "run {sleeping} {child} {good} -p {tags} --profile quick --out out -m serial,processes -n 1 --rounds 2 --timeout 5"
    ));
    mark.set_on(&mut command);
    let run = Run {
        output: output_of(command),
        folder: sandbox.path().join("out"),
    };
    run.output.exits_with(1);
    run.all_ok("good");
    let words = ["took longer than 5 s (--timeout)"];
    run.all_have("sleeping", CellStatus::TimedOut, &words);
    for cell in run.cells("child") {
        let expected = match cell.model {
            Model::Processes => CellStatus::TimedOut,
            _ => CellStatus::Ok,
        };
        assert_eq!(cell.status, expected, "{}: {:?}", cell.cell, cell.reason);
    }
    // A trial that timed out is not retried.
    let trials = run.trials();
    let timed_out = trials
        .iter()
        .filter(|trial| trial.status == TrialStatus::TimedOut);
    assert_eq!(timed_out.count(), 2);
    assert_eq!(mark.processes(), Vec::<String>::new(), "left behind");
}

/// A workload that runs this statement in the processes of a pool, and is correct elsewhere.
fn in_pool(statement: &str) -> String {
    format!(
        "{GOOD}
import ctypes, multiprocessing, os
quick = work
def work(data, units):
    if multiprocessing.parent_process() is not None:
        {statement}
    return quick(data, units)
"
    )
}

#[test]
fn processes_that_fail_leave_the_other_models_alone() {
    let sandbox = Sandbox::sharing_the_machine();
    let [leaves, crashes, unpicklable] =
        ["os._exit(9)", "ctypes.string_at(0)", "return lambda: 1"].map(in_pool);
    let workloads: [Source<'_>; 4] = [
        ("leaves", leaves.as_bytes()),
        ("crashes", crashes.as_bytes()),
        ("unpicklable", unpicklable.as_bytes()),
        ("good", GOOD.as_bytes()),
    ];
    let words = "-m serial,threads,processes -n 1 --rounds 1";
    let run = run(&sandbox, &workloads, words, 1);
    run.all_ok("good");
    for (workload, words) in [
        ("leaves", "a process of the pool ended with exit status 9"),
        ("crashes", "a process of the pool was killed by SIGSEGV"),
        ("unpicklable", "cannot be sent between processes"),
    ] {
        for cell in run.cells(workload) {
            let reason = cell.reason.clone().unwrap_or_default();
            if cell.model == Model::Processes {
                assert_eq!(cell.status, CellStatus::Failed, "{}", cell.cell);
                assert!(reason.contains(words), "{}: {reason}", cell.cell);
            } else {
                assert_eq!(cell.status, CellStatus::Ok, "{}: {reason}", cell.cell);
            }
        }
    }
    assert_eq!(run.trials().len(), run.manifest().plan.cells.len());
}

#[test]
fn a_result_that_is_wrong_with_two_workers_only_is_recorded_there() {
    if allowed_pus().len() < 2 {
        println!("skipped: this process may use one PU only, and the test needs two");
        return;
    }
    let sandbox = Sandbox::sharing_the_machine();
    let crowd = format!(
        "{GOOD}
alone = check
def check(results, units):
    assert len(results) == 1, 'two are a crowd'
    alone(results, units)
"
    );
    let words = "-m serial,threads,processes -n 2 --rounds 1 --no-ceiling";
    let run = run(&sandbox, &[("crowd", crowd.as_bytes())], words, 1);
    for cell in run.cells("crowd") {
        let expected = match cell.workers {
            2 => CellStatus::WrongResult,
            _ => CellStatus::Ok,
        };
        assert_eq!(cell.status, expected, "{}: {:?}", cell.cell, cell.reason);
    }
    // A failed trial is a record like any other.
    let trials = run.trials();
    assert_eq!(trials.len(), run.manifest().plan.cells.len());
    for trial in trials.iter().filter(|trial| trial.cell.workers == 2) {
        assert_eq!(trial.status, TrialStatus::WrongResult);
        let reason = trial.reason.as_deref().unwrap_or_default();
        assert!(reason.contains("two are a crowd"), "{reason}");
        let words = trial.output_tail.as_deref().unwrap_or_default();
        assert!(words.starts_with("Traceback"), "{words}");
    }
}

#[test]
fn a_workload_that_ignores_its_units_fails() {
    let sandbox = Sandbox::sharing_the_machine();
    let idle = "def work(data, units):\n    return None\n";
    let workloads: [Source<'_>; 2] = [("idle", idle.as_bytes()), ("good", GOOD.as_bytes())];
    let run = run(&sandbox, &workloads, SHORT, 1);
    run.all_ok("good");
    let words = ["does 'work' use its 'units'?"];
    run.all_have("idle", CellStatus::Failed, &words);
}
