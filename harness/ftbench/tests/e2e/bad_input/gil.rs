//! An extension module that switches the GIL back on.

use std::process::Command;

use ftbench_schema::{CellStatus, GilState, Model, WarningKind};

use super::{GOOD, Source, run};
use crate::support::{Run, Sandbox, allowed_pus, executable, output_of, pair};

/// A module that does not declare `Py_mod_gil`, so a free-threaded build switches the GIL on when it is imported (PEP
/// 703).
const EXTENSION: &str = r#"
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "old_extension", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_old_extension(void) { return PyModule_Create(&module); }
"#;

/// Prints the interpreter's include folder and the suffix of its extension modules.
const PRINT_INCLUDE_AND_SUFFIX: &str =
    "import sysconfig as s; print(s.get_path('include')); print(s.get_config_var('EXT_SUFFIX'))";

fn compile_extension(sandbox: &Sandbox) {
    let python = executable(&pair().free_threaded);
    let printed = Command::new(&python)
        .args(["-c", PRINT_INCLUDE_AND_SUFFIX])
        .output()
        .unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let (include, suffix) = printed.trim().split_once('\n').unwrap();
    let source = sandbox.file("old_extension.c", EXTENSION);
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-I", include, "-o"])
        .arg(sandbox.path().join(format!("old_extension{suffix}")))
        .arg(&source)
        .status()
        .unwrap_or_else(|error| panic!("cc does not start ({error}); `make test` installs it"));
    assert!(compiled.success(), "cc cannot compile against {include}");
}

/// A workload that imports the module on the free-threaded build, for which alone it is compiled.
fn importing() -> String {
    format!(
        "import sys
if not getattr(sys, '_is_gil_enabled', lambda: True)():
    import old_extension
{GOOD}"
    )
}

#[test]
fn explanation_names_the_gil_and_the_module_that_switches_it_on() {
    if allowed_pus().len() < 2 || cfg!(not(target_arch = "x86_64")) {
        println!("skipped: needs two PUs of x86-64");
        return;
    }
    let sandbox = Sandbox::new();
    compile_extension(&sandbox);
    let file = sandbox.file("importing.py", importing());
    let tag = &pair().free_threaded;
    let output = sandbox.ftbench(&format!("explain {file} -p {tag} -n 2 --format json"));
    output.exits_with(0);
    let explanation = &output.json()["explanations"][0];
    assert_eq!(explanation["gil_enabled"], true);
    assert_eq!(explanation["gil_enabled_by"], "old_extension");
    let time = explanation["time"].as_array().unwrap();
    let waits = time.iter().find(|row| row["category"] == "waiting for the GIL");
    assert!(waits.is_some(), "{explanation}");
}

#[test]
fn a_module_that_switches_the_gil_on_is_named() {
    let sandbox = Sandbox::sharing_the_machine();
    compile_extension(&sandbox);
    let importing = importing();
    let workloads: [Source<'_>; 2] = [("importing", importing.as_bytes()), ("good", GOOD.as_bytes())];
    let words = "-m serial,processes -n 1 --rounds 1";
    let run = run(&sandbox, &workloads, words, 0);
    run.all_ok("good");
    for model in [Model::Serial, Model::Processes] {
        let with_gil = run.cell("importing", &pair().gil, model, 1);
        assert_eq!(with_gil.status, CellStatus::Ok);
        let cell = run.cell("importing", &pair().free_threaded, model, 1);
        assert_eq!(cell.status, CellStatus::GilReenabled, "{:?}", cell.reason);
        let reason = cell.reason.unwrap_or_default();
        assert!(reason.contains("old_extension"), "{reason}");
    }
    let summary = run.summary();
    let mut warnings = summary.warnings.iter();
    let warning = warnings
        .find(|one| one.kind == WarningKind::GilReenabled)
        .unwrap();
    for word in ["importing", "old_extension", &pair().free_threaded] {
        assert!(warning.message.contains(word), "{}", warning.message);
        assert!(run.output.stdout.contains(word), "{}", run.output.stdout);
    }
    assert!(
        run.output.stdout.contains("GIL re-enabled"),
        "{}",
        run.output.stdout
    );
}

#[test]
fn a_program_that_switches_the_gil_on_is_noticed() {
    let sandbox = Sandbox::sharing_the_machine();
    compile_extension(&sandbox);
    sandbox.file("importing.py", importing());
    let [gil, build] = pair().tags();
    let mut command = sandbox.command(&format!(
        "run -p {gil},{build} -n 1 --rounds 1 --samples 2 --profile quick --no-ceiling --out out"
    ));
    command.args([
        "--command",
        "{python} importing.py",
        "--command",
        "{python} -c ''",
    ]);
    let output = output_of(command);
    output.exits_with(0);
    let run = Run {
        folder: sandbox.path().join("out"),
        output,
    };
    run.all_ok("-c ''");
    let cell = run.cell("importing.py", build, Model::Internal, 1);
    assert_eq!(
        (cell.status, cell.gil),
        (CellStatus::GilReenabled, Some(GilState::On))
    );
    let reason = cell.reason.unwrap_or_default();
    assert!(reason.contains("old_extension"), "{reason}");
    let status = run.cell("importing.py", gil, Model::Internal, 1).status;
    assert_eq!(status, CellStatus::Ok);
    let kinds = run.summary().warnings.into_iter().map(|one| one.kind);
    assert!(kinds.into_iter().any(|kind| kind == WarningKind::GilReenabled));
}

#[test]
fn with_nogil_the_gil_stays_off_despite_the_module() {
    let sandbox = Sandbox::sharing_the_machine();
    compile_extension(&sandbox);
    let importing = sandbox.file("importing.py", importing());
    let build = &pair().free_threaded;
    let variant = format!("{build}+nogil");
    let words = format!("{importing} -p {build},{variant} -m serial,processes -n 1 --rounds 1");
    let run = sandbox.run("out", &words, 0);
    for model in [Model::Serial, Model::Processes] {
        let cell = run.cell("importing", build, model, 1);
        assert_eq!(
            (cell.status, cell.gil),
            (CellStatus::GilReenabled, Some(GilState::On))
        );
        let cell = run.cell("importing", &variant, model, 1);
        assert_eq!((cell.status, cell.gil), (CellStatus::Ok, Some(GilState::Off)));
    }
    let summary = run.summary();
    let warned = summary
        .warnings
        .iter()
        .filter(|one| one.kind == WarningKind::GilReenabled);
    assert!(warned.into_iter().all(|one| !one.message.contains(&variant)));
}
