//! `ftbench compat`: packages that work, that do not, and that do harm.

use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::environments::PROJECT;
use super::package_sandbox::{Installer, Origin, PackageSandbox, gil_tag};
use crate::support::driver::{Driver, wait_until};
use crate::support::{CommandOutput, executable, output_within, pair};

/// Longer than any of these tests needs.
const LIMIT: Duration = Duration::from_secs(300);

fn workshop() -> PackageSandbox {
    PackageSandbox::new(Installer::Uv, Origin::Wheels)
}

/// Puts a wheel into the folder whose metadata has more lines, and whose module has this source.
fn package(workshop: &PackageSandbox, name: &str, metadata: &str, source: &str) {
    let info = format!("{name}-1.0.dist-info/METADATA");
    let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{metadata}");
    let module = format!("{name}.py");
    workshop.wheel_with(
        name,
        "1.0",
        "py3-none-any",
        &[(&info, &metadata), (&module, source)],
    );
}

/// `ftbench compat` on the free-threaded build of the pair. Options may have values with blanks.
fn command(workshop: &PackageSandbox, words: &str, options: &[&str]) -> Command {
    let python = executable(&pair().free_threaded);
    let mut command = workshop.command(&format!("compat -p {} {words}", python.display()));
    command.args(options);
    command
}

fn compat(workshop: &PackageSandbox, words: &str, options: &[&str]) -> CommandOutput {
    output_within(command(workshop, words, options), LIMIT)
}

/// The same in JSON, which must end with a status.
#[track_caller]
fn json(workshop: &PackageSandbox, words: &str, options: &[&str], status: i32) -> Value {
    let output = compat(workshop, &format!("{words} --format json"), options);
    output.exits_with(status);
    output.json()
}

/// A package of a result.
#[track_caller]
fn of<'a>(result: &'a Value, name: &str) -> &'a Value {
    let packages = result["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == name);
    package.unwrap_or_else(|| panic!("no {name} in {result:#}"))
}

/// Verdict and reason of a package.
#[track_caller]
fn verdict<'a>(result: &'a Value, name: &str) -> (&'a str, &'a str) {
    let package = of(result, name);
    (
        package["verdict"].as_str().unwrap(),
        package["reason"].as_str().unwrap(),
    )
}

#[test]
fn a_tree_is_resolved_installed_imported_and_judged_by_uv_and_by_pip() {
    for installer in [Installer::Uv, Installer::Pip] {
        let workshop = PackageSandbox::new(installer, Origin::Wheels);
        let requires = "Requires-Dist: example_parser\nRequires-Dist: example_loop\n\
                        Requires-Dist: example_windows ; sys_platform == 'win32'\n";
        let app = "import example_parser\nimport example_loop\n";
        package(&workshop, "example_app", requires, app);
        let level = "Classifier: Programming Language :: Python :: Free Threading :: 2 - Beta\n";
        package(
            &workshop,
            "example_parser",
            level,
            "def parse(text):\n    return text.upper()\n",
        );
        let tracker = "Project-URL: Bug Tracker, https://example.org/issues\n";
        let info = "example_loop-2.0.dist-info/METADATA";
        let metadata = format!("Metadata-Version: 2.1\nName: example_loop\nVersion: 2.0\n{tracker}");
        workshop.wheel_with("example_loop", "2.0", &gil_tag(), &[(info, &metadata)]);
        workshop.wheel("example_loop", "1.0", "py3-none-any");
        let result = match installer {
            // uv locks whatever wheels there are, as a project does.
            Installer::Uv => json(&workshop, "example_app example_parser", &[], 1),
            // pip takes the newest version that this build can install.
            Installer::Pip => json(&workshop, "example_app example_parser", &[], 0),
        };
        let (tag, packages) = (
            &result["builds"][0]["tag"],
            result["packages"].as_array().unwrap(),
        );
        assert_eq!(packages.len(), 3, "{result:#}");
        let parser = of(&result, "example-parser");
        assert_eq!(verdict(&result, "example-parser").0, "no_blocker_found");
        assert_eq!(parser["required_by"], serde_json::json!(["example-app"]));
        assert_eq!(parser["builds"][tag.as_str().unwrap()]["classifier"], "2 - Beta");
        if installer == Installer::Pip {
            assert_eq!(of(&result, "example-loop")["version"], "1.0");
            continue;
        }
        let (loop_verdict, reason) = verdict(&result, "example-loop");
        assert_eq!(loop_verdict, "no_wheel");
        assert!(
            reason.contains("1.0 is the newest version with a wheel"),
            "{reason}"
        );
        assert_eq!(verdict(&result, "example-app").0, "not_tried");
        assert_eq!(of(&result, "example-app")["blocked_by"], "example-loop");
        let table = compat(&workshop, "example_app --out out", &[]);
        table.exits_with(1);
        for words in [
            "1 of 3 packages blocks",
            "└── example-parser 1.0",
            "because of example-loop",
        ] {
            assert!(table.stdout.contains(words), "{}", table.stdout);
        }
        for file in [
            "compat.json",
            "compat.md",
            "compat.html",
            "badge.svg",
            "issue-example-loop.md",
        ] {
            let path = workshop.sandbox.path().join("out").join(file);
            assert!(path.metadata().is_ok_and(|facts| facts.len() > 100), "{file}");
        }
        // The newest version is fixed: the earlier result says what changed.
        workshop.wheel("example_loop", "3.0", "py3-none-any");
        let words = "example_app --against out/compat.json";
        let changed = json(&workshop, words, &[], 0);
        let changes = changed["changes"].as_array().unwrap();
        assert_eq!(changes.len(), 2, "{changes:?}");
        assert_eq!(changes[1]["package"], "example-loop");
        assert_eq!(changes[1]["now"]["verdict"], "no_blocker_found");
        let markdown = compat(&workshop, &format!("{words} --format markdown"), &[]);
        markdown.exits_with(0);
        let row = "| example-loop | ";
        assert_eq!(markdown.stdout.matches(row).count(), 2, "{}", markdown.stdout);
    }
}

#[test]
fn packages_that_do_harm_are_reported_and_leave_nothing_behind() {
    let workshop = workshop();
    let marker = format!("ftbench-left-over-{}", std::process::id());
    let child = format!(
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', \
         'import time; time.sleep(1000)  # {marker}'], start_new_session=True)\n"
    );
    for (name, source) in [
        ("x_raises", "raise ValueError('no')\n"),
        ("x_hangs", "import time\nwhile True:\n    time.sleep(1)\n"),
        ("x_exits", "import os\nos._exit(3)\n"),
        ("x_quits", "raise SystemExit(4)\n"),
        ("x_crashes", "import ctypes\nctypes.string_at(0)\n"),
        ("x_prints", "print('x' * 1_000_000)\n"),
        ("x_starts", &child),
        ("x_deletes", "import os, shutil\nshutil.rmtree(os.getcwd())\n"),
        ("x_warns", "import warnings\nwarnings.warn('careful')\n"),
    ] {
        package(&workshop, name, "", source);
    }
    let names = "x_raises x_hangs x_exits x_quits x_crashes x_prints x_starts x_deletes x_warns";
    let result = json(&workshop, &format!("{names} --timeout 5 --jobs 3"), &[], 1);
    for (name, expected, part) in [
        ("x-raises", "fails", "ValueError: no"),
        ("x-hangs", "fails", "does not end within 5 s"),
        ("x-exits", "fails", "ends the interpreter with status 3"),
        ("x-quits", "fails", "SystemExit: 4"),
        ("x-crashes", "crashes", "SIGSEGV"),
        ("x-prints", "no_blocker_found", ""),
        ("x-starts", "no_blocker_found", ""),
        ("x-deletes", "no_blocker_found", ""),
        ("x-warns", "no_blocker_found", ""),
    ] {
        let (found, reason) = verdict(&result, name);
        assert_eq!(found, expected, "{name}: {reason}");
        assert!(reason.contains(part), "{name}: {reason}");
    }
    let tag = result["builds"][0]["tag"].as_str().unwrap();
    let import = |name: &str| &of(&result, name)["builds"][tag]["imports"][0];
    assert_eq!(import("x-warns")["warnings"], serde_json::json!(["careful"]));
    let traceback = import("x-crashes")["traceback"].as_str().unwrap();
    assert!(traceback.contains("string_at"), "{traceback}");
    let traceback = import("x-hangs")["traceback"].as_str().unwrap();
    assert!(traceback.contains("x_hangs.py"), "{traceback}");
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let command_line = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&command_line).into_owned())
    });
    let left: Vec<String> = processes.filter(|line| line.contains(&marker)).collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn an_extension_that_switches_the_gil_on_is_named_with_what_it_declares() {
    let workshop = workshop();
    for (name, contents) in PROJECT {
        workshop.sandbox.file(&format!("good/{name}"), contents);
        let slots = "#ifdef Py_GIL_DISABLED\n    {Py_mod_gil, Py_MOD_GIL_NOT_USED},\n#endif\n";
        workshop
            .sandbox
            .file(&format!("old/{name}"), contents.replace(slots, ""));
        let needs = contents.replace("Py_MOD_GIL_NOT_USED", "Py_MOD_GIL_USED");
        workshop.sandbox.file(&format!("needs/{name}"), needs);
    }
    package(&workshop, "user", "Requires-Dist: answer\n", "import answer\n");
    let result = json(&workshop, "./good user", &["--call", "answer.answer()"], 0);
    assert_eq!(verdict(&result, "answer").0, "no_blocker_found");
    let tag = result["builds"][0]["tag"].as_str().unwrap();
    let on = &of(&result, "answer")["builds"][tag];
    assert_eq!(on["imports"][0]["extensions"][0]["gil"], "not_needed", "{on:#}");
    assert!(on["calls"][0]["calls"].as_u64().unwrap() > 0, "{on:#}");
    for (folder, declares) in [
        ("old", "declares nothing"),
        ("needs", "declares that it needs the GIL"),
    ] {
        let result = json(&workshop, &format!("./{folder} user"), &[], 1);
        let (found, reason) = verdict(&result, "answer");
        assert_eq!(found, "gil_reenabled", "{result:#}");
        assert!(
            reason.starts_with("answer, which ") && reason.contains(declares),
            "{reason}"
        );
        let switch = &of(&result, "answer")["builds"][tag]["imports"][0]["gil_enabled_by"][0];
        assert_eq!(switch["is_established_alone"], true);
        assert_eq!(of(&result, "user")["blocked_by"], "answer");
        compat(&workshop, &format!("./{folder} --fail-on crashes"), &[]).exits_with(0);
    }
}

#[test]
fn submodules_that_cannot_be_imported_are_listed_and_do_not_decide() {
    let workshop = workshop();
    let files = [
        ("example/__init__.py", ""),
        ("example/core.py", ""),
        ("example/windows.py", "import winreg\n"),
    ];
    workshop.wheel_with("example", "1.0", "py3-none-any", &files);
    let result = json(&workshop, "example --deep", &[], 0);
    let (found, reason) = verdict(&result, "example");
    assert_eq!(found, "no_blocker_found");
    assert!(reason.contains("cannot be imported: example.windows"), "{reason}");
    let tag = result["builds"][0]["tag"].as_str().unwrap();
    let imports = of(&result, "example")["builds"][tag]["imports"]
        .as_array()
        .unwrap();
    let windows = imports
        .iter()
        .find(|import| import["module"] == "example.windows");
    let reason = windows.unwrap()["reason"].as_str().unwrap();
    assert_eq!(reason, "ModuleNotFoundError: No module named 'winreg'");
}

#[test]
fn results_that_differ_in_threads_are_found() {
    let workshop = workshop();
    let source = "import threading\nhome = threading.get_ident()\n\
                  def same(text):\n    return text.upper()\n\
                  def different():\n    return threading.current_thread() is threading.main_thread()\n\
                  def random():\n    return object()\n";
    package(&workshop, "example", "", source);
    let run = |call: &str, status| json(&workshop, "example --stress=0.2", &["--call", call], status);
    let good = run("example.same('a')", 0);
    assert_eq!(verdict(&good, "example").0, "no_blocker_found");
    let bad = run("example.different()", 1);
    let (found, reason) = verdict(&bad, "example");
    assert_eq!(found, "fails");
    assert!(
        reason.contains("differ from that of one thread: False instead of True"),
        "{reason}"
    );
    let (found, reason) = {
        let random = run("example.random()", 1);
        let (found, reason) = verdict(&random, "example");
        (found.to_owned(), reason.to_owned())
    };
    assert_eq!(found, "fails");
    assert!(
        reason.contains("one thread alone gets another result"),
        "{reason}"
    );
}

#[test]
fn calls_that_work_are_measured() {
    let workshop = workshop();
    let source = "def total(count):\n    return sum(range(count))\n";
    package(&workshop, "example", "", source);
    let options = ["--call", "example.total(1000)"];
    let result = json(&workshop, "example --measure --stress=0.2 --out out", &options, 0);
    let tag = result["builds"][0]["tag"].as_str().unwrap();
    let on = &of(&result, "example")["builds"][tag];
    let measured = &on["scaling"][0];
    assert_eq!(measured["call"], "example.total(1000)", "{on:#}");
    assert!(
        measured["speedup"]["estimate"].as_f64().unwrap() > 0.0,
        "{measured}"
    );
    let rests_on = on["rests_on"].as_array().unwrap();
    assert!(
        rests_on.iter().any(|evidence| evidence == "measured"),
        "{rests_on:?}"
    );
    let run = workshop
        .sandbox
        .path()
        .join(format!("out/run-{tag}/summary.json"));
    assert!(run.is_file());
    let again = compat(&workshop, "example --measure --out out", &options);
    again.refuses(&[&format!("run-{tag}")], 2);
}

#[test]
fn wrong_calls_say_what_to_do() {
    let workshop = workshop();
    package(&workshop, "example", "Requires-Dist: absent<2\n", "");
    package(&workshop, "good", "", "");
    let refused = |words: &str, part: &str| {
        let output = compat(&workshop, words, &[]);
        output.refuses(&[part], 2);
    };
    refused("", "no packages given");
    refused("-r missing.txt", "cannot read missing.txt");
    refused("-r empty.txt -r empty.txt", "cannot read empty.txt");
    refused("./nowhere", "neither a wheel nor a folder");
    refused(
        "good --against good.json",
        "cannot read the earlier result good.json",
    );
    let python = executable(&pair().free_threaded);
    let switched = workshop.ftbench(&format!("compat good -p {}+gil", python.display()));
    switched.refuses(&["has switches, which compat does not apply"], 1);
    // One that cannot be resolved does not keep the others from being tried.
    let result = json(
        &workshop,
        "good example nosuchpackage",
        &["colour ; os_name == 'nt'"],
        1,
    );
    assert_eq!(verdict(&result, "good").0, "no_blocker_found");
    for (name, part) in [
        ("example", "absent"),
        ("nosuchpackage", "nosuchpackage was not found"),
    ] {
        let (found, reason) = verdict(&result, name);
        assert_eq!(found, "fails");
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!(
        verdict(&result, "colour"),
        ("not_tried", "its marker excludes this build")
    );
    let conflict = compat(&workshop, "good==1.0 --quiet", &["good==2.0"]);
    conflict.fails(1, &["cannot resolve the packages for"], 2);
}

#[test]
fn an_interrupted_check_shows_what_is_known() {
    let workshop = workshop();
    package(&workshop, "quick", "", "");
    let started = workshop.sandbox.path().join("started");
    let slow = format!("import time\nopen({started:?}, 'w').close()\ntime.sleep(1000)\n");
    package(&workshop, "slow", "", &slow);
    let driver = Driver::start(command(&workshop, "quick slow --jobs 1 --format json", &[]));
    wait_until("the import begins", || started.exists());
    driver.send(Signal::INT);
    let output = driver.end();
    output.exits_with(130);
    let result = output.json();
    assert_eq!(result["interrupted"], true);
    assert_eq!(verdict(&result, "quick").0, "no_blocker_found");
    // What was tried is kept: only the rest is tried again.
    let again = json(&workshop, "quick slow --timeout 1", &[], 1);
    assert_eq!(verdict(&again, "slow").0, "fails");
}
