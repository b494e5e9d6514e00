//! Environments with packages: made once for each interpreter, by uv or by pip, and recorded.

use std::process::Stdio;

use super::package_sandbox::{Installer, Origin, PackageSandbox, gil_tag, run_words};
use crate::support::{output_of, pair};
use ftbench_schema::CellStatus;

/// The names and versions of an environment's packages, without the installer.
fn packages(environment: &ftbench_schema::EnvironmentFacts) -> Vec<String> {
    let packages = environment.packages.iter();
    packages
        .filter(|package| package.name != "pip")
        .map(|package| format!("{} {}", package.name, package.version))
        .collect()
}

#[test]
fn each_interpreter_gets_an_environment_once_from_uv_and_from_pip() {
    for (installer, name) in [(Installer::Uv, "uv "), (Installer::Pip, "pip ")] {
        let workshop = PackageSandbox::new(installer, Origin::Wheels);
        workshop.wheel("example_package", "1.0", "py3-none-any");
        workshop.wheel("other", "2.0", "py3-none-any");
        let check = "import example_package, other, sys\nassert 'environments' in sys.prefix, sys.prefix\n";
        let workload = workshop.workload("mine", "[\"example_package>=1\"]", check);
        let plain = workshop.workload("plain", "[]", "");
        let tags = pair().tags();
        let words = format!("{workload} {plain} --with other");
        let run = workshop.run("first", &tags, &words, 0);
        run.all_ok("mine");
        run.all_ok("plain");
        let environments = run.manifest().environments;
        assert_eq!(
            environments.len(),
            4,
            "two sets of requirements for each interpreter"
        );
        for tag in tags {
            run.output.stderr_has(&[
                &format!("installing example-package, other for {tag}"),
                &format!("installed other for {tag} in "),
            ]);
            let of = |workload: &str| {
                let mut found = environments.iter();
                found
                    .find(|one| one.interpreter == tag && one.workloads == [workload])
                    .unwrap()
            };
            let mine = of("mine");
            assert!(mine.installer.starts_with(name), "{}", mine.installer);
            assert_eq!(mine.requirements, ["example_package>=1", "other"]);
            assert_eq!(packages(mine), ["example_package 1.0", "other 2.0"]);
            assert_eq!(packages(of("plain")), ["other 2.0"]);
        }
        let (made, rest) = workshop.environments();
        assert_eq!((made.len(), rest), (4, vec![]));
        let again = workshop.run("again", &tags, &words, 0);
        again.all_ok("mine");
        assert!(
            !again.output.stderr.contains("install"),
            "{}",
            again.output.stderr
        );
        assert_eq!(again.manifest().environments, environments);
        assert_eq!(workshop.environments().0, made);
    }
}

#[test]
fn a_workload_without_packages_runs_on_the_plain_interpreter() {
    let workshop = PackageSandbox::new(Installer::Uv, Origin::Wheels);
    let check = "import sys\nassert sys.prefix == sys.base_prefix, sys.prefix\n";
    let workload = workshop.workload("plain", "[]", check);
    let run = workshop.run("out", &pair().tags(), &workload, 0);
    run.all_ok("plain");
    assert_eq!(run.manifest().environments, []);
    assert!(!run.text("run.json").contains("environments"));
    assert_eq!(workshop.environments().0, [""; 0]);
}

#[test]
fn numpy_runs_from_wheels_on_both_builds() {
    let workshop = PackageSandbox::new(Installer::Uv, Origin::Index);
    let check = "import numpy\nassert 'environments' in numpy.__file__, numpy.__file__\n";
    let workload = workshop.workload("arrays", "[\"numpy>=2\"]", check);
    let run = workshop.run("out", &pair().tags(), &workload, 0);
    run.all_ok("arrays");
    for environment in run.manifest().environments {
        assert!(
            packages(&environment)
                .iter()
                .any(|name| name.starts_with("numpy 2."))
        );
    }
}

#[test]
fn different_versions_on_the_two_builds_are_warned_about() {
    let workshop = PackageSandbox::new(Installer::Uv, Origin::Wheels);
    workshop.wheel("example_package", "1.0", "py3-none-any");
    workshop.wheel("example_package", "2.0", &gil_tag());
    let workload = workshop.workload("mine", "[\"example_package\"]", "");
    let [gil, free_threaded] = pair().tags();
    let run = workshop.run("out", &[gil, free_threaded], &workload, 0);
    let words = format!("different versions of example_package: 2.0 on {gil}, 1.0 on {free_threaded}");
    run.output.stderr_has(&[&words]);
    let warnings = run.manifest().warnings;
    assert!(
        warnings.iter().any(|warning| warning.message.contains(&words)),
        "{warnings:?}"
    );
}

#[test]
fn a_lock_file_is_followed() {
    let workshop = PackageSandbox::new(Installer::Uv, Origin::Wheels);
    workshop.wheel("example_package", "1.0", "py3-none-any");
    workshop.wheel("other", "1.0", "py3-none-any");
    let check = "import example_package\nassert example_package.VERSION == '1.0', example_package.VERSION\n";
    let workload = workshop.workload("mine", "[\"example_package\"]", check);
    let mut lock = workshop.command("");
    let path = lock
        .get_envs()
        .find_map(|(name, value)| (name == "PATH").then_some(value?))
        .unwrap();
    let uv = std::env::split_paths(path)
        .map(|folder| folder.join("uv"))
        .find(|uv| uv.is_file());
    let mut uv_lock = std::process::Command::new(uv.unwrap());
    uv_lock
        .args(["lock", "--script", &workload, "--no-python-downloads", "--python"])
        .arg(crate::support::executable(&pair().gil))
        .envs(
            lock.env("NO_COLOR", "1")
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    output_of(uv_lock).exits_with(0);
    // Newer than the locked version.
    workshop.wheel("example_package", "2.0", "py3-none-any");
    let words = format!("{workload} --with other");
    let run = workshop.run("out", &pair().tags(), &words, 0);
    run.all_ok("mine");
    for environment in run.manifest().environments {
        assert_eq!(packages(&environment), ["example_package 1.0", "other 1.0"]);
        assert_eq!(environment.lock_sha256.unwrap().len(), 64);
    }
    // Without the lock there is another environment.
    let locked = workshop.sandbox.path().join("mine.py.lock");
    std::fs::remove_file(&locked).unwrap();
    let newest = workshop.run("newest", &[&pair().gil], &words, 1);
    newest.all_have("mine", CellStatus::Failed, &["AssertionError: 2.0"]);
}

#[test]
fn concurrent_runs_make_one_environment() {
    let workshop = PackageSandbox::new(Installer::Pip, Origin::Wheels);
    workshop.wheel("example_package", "1.0", "py3-none-any");
    let workload = workshop.workload("mine", "[\"example_package\"]", "import example_package\n");
    let running = ["one", "two"].map(|out| {
        let mut command = workshop.command(&run_words(out, &[&pair().gil], &workload));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    });
    let mut installed = 0;
    for child in running {
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{errors}");
        installed += usize::from(
            !errors.contains("waiting for another ftbench") && errors.contains("installed example-package"),
        );
    }
    assert_eq!(installed, 1, "one installs while the other waits");
    let (made, rest) = workshop.environments();
    assert_eq!((made.len(), rest), (1, vec![]));
}

#[test]
fn an_environment_left_unfinished_by_a_killed_ftbench_is_made_again() {
    let workshop = PackageSandbox::new(Installer::Uv, Origin::Wheels);
    workshop.wheel("example_package", "1.0", "py3-none-any");
    let workload = workshop.workload("mine", "[\"example_package\"]", "import example_package\n");
    workshop.run("first", &[&pair().gil], &workload, 0).all_ok("mine");
    let (made, _) = workshop.environments();
    let folder = workshop
        .cache()
        .join("ftbench/environments")
        .join(made.first().unwrap());
    // An incomplete environment in both places.
    std::fs::remove_file(folder.join("ftbench-environment.json")).unwrap();
    let staging = folder
        .parent()
        .unwrap()
        .join(format!("{}.making", made.first().unwrap()));
    std::fs::create_dir_all(staging.join("bin")).unwrap();
    workshop.run("again", &[&pair().gil], &workload, 0).all_ok("mine");
    assert_eq!(workshop.environments().0, made);
    assert!(!staging.exists());
}

#[test]
fn a_local_wheel_is_installed_and_a_missing_one_refused() {
    let workshop = PackageSandbox::new(Installer::Pip, Origin::Wheels);
    let wheel = workshop.wheel("example_package", "1.0", "py3-none-any");
    let workload = workshop.workload("mine", "[]", "import example_package\n");
    let words = format!("{workload} --with wheels/example_package-1.0-py3-none-any.whl");
    let run = workshop.run("first", &[&pair().gil], &words, 0);
    run.all_ok("mine");
    assert_eq!(run.manifest().environments[0].requirements, [wheel]);
    let missing = workshop.ftbench(&run_words(
        "no",
        &[&pair().gil],
        &format!("{workload} --with wheels/no-1-x.whl"),
    ));
    missing.refuses(&["cannot read the wheel wheels/no-1-x.whl"], 2);
}

#[test]
fn a_dry_run_says_what_would_be_installed_and_installs_nothing() {
    let workshop = PackageSandbox::new(Installer::Uv, Origin::Wheels);
    workshop.wheel("example_package", "1.0", "py3-none-any");
    let workload = workshop.workload("mine", "[\"example_package>=1\"]", "");
    let [gil, free_threaded] = pair().tags();
    let words = format!("{} --dry-run", run_words("out", &[gil, free_threaded], &workload));
    let dry = workshop.ftbench(&words);
    dry.exits_with(0);
    dry.stderr_has(&[
        &format!("would install example-package for {gil}"),
        &format!("would install example-package for {free_threaded}"),
    ]);
    assert!(!workshop.cache().join("ftbench/environments").exists());
    workshop.run("out", &[gil], &workload, 0);
    let dry = workshop.ftbench(&words);
    dry.stderr_has(&[
        &format!("already installed: example-package for {gil}, in "),
        &format!("would install example-package for {free_threaded}"),
    ]);
}

/// A project with a compiled module `answer`, whose build system is a file of its own, as Cython's or pybind11's would be
/// a package from an index.
pub const PROJECT: [(&str, &str); 3] = [
    (
        "pyproject.toml",
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n\
         [project]\nname = 'answer'\nversion = '1.0'\n",
    ),
    (
        "backend.py",
        r#"
import os, subprocess, sysconfig, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    include = sysconfig.get_path("include")
    subprocess.check_call(["cc", "-shared", "-fPIC", "-I" + include, "answer.c", "-o", "answer.so"])
    abi = suffix.split("-")[1]
    version = f"cp{abi.rstrip('t')}-cp{abi}"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    name = f"answer-1.0-{version}-{platform}.whl"
    info = "answer-1.0.dist-info"
    files = {
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: answer\nVersion: 1.0\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nTag: {version}-{platform}\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, "answer" + suffix, f"{info}/RECORD"])
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.write("answer.so", "answer" + suffix)
        for path, text in files.items():
            wheel.writestr(path, text)
    return name
"#,
    ),
    (
        "answer.c",
        r#"
#include <Python.h>
static PyObject *answer(PyObject *module, PyObject *nothing) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {NULL}};
static PyModuleDef_Slot slots[] = {
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "answer", "", 0, methods, slots};
PyMODINIT_FUNC PyInit_answer(void) { return PyModuleDef_Init(&definition); }
"#,
    ),
];

#[test]
fn a_project_is_built_for_each_interpreter_and_built_again_when_it_changes() {
    for installer in [Installer::Uv, Installer::Pip] {
        let workshop = PackageSandbox::new(installer, Origin::Wheels);
        for (name, contents) in PROJECT {
            workshop.sandbox.file(&format!("project/{name}"), contents);
        }
        let work = "from answer import answer\n\ndef work(data, units):\n    for _ in range(units):\n        assert answer() == 42\n";
        let declared = format!("# /// script\n# [tool.ftbench]\n# extension = \"project\"\n# ///\n{work}");
        let declared = workshop.sandbox.file("declared.py", declared);
        let plain = workshop.sandbox.file("plain.py", work);
        let tags = pair().tags();
        workshop.run("first", &tags, &declared, 0).all_ok("declared");
        let (made, _) = workshop.environments();
        assert_eq!(made.len(), 2);
        workshop
            .run("second", &tags, &format!("{plain} --with ./project"), 0)
            .all_ok("plain");
        assert_eq!(workshop.environments().0, made, "it was built already");
        workshop
            .sandbox
            .file("project/answer.c", PROJECT[2].1.replace("42", "43"));
        let changed = workshop.run("third", &tags[..1], &plain, 1);
        changed.all_have("plain", CellStatus::Failed, &["No module named 'answer'"]);
        let changed = workshop.run("fourth", &tags[..1], &declared, 1);
        changed.all_have("declared", CellStatus::Failed, &["AssertionError"]);
        workshop.sandbox.file("project/answer.c", "no C");
        let broken = workshop.run("fifth", &tags[..1], &declared, 1);
        broken.all_have("declared", CellStatus::Failed, &["cannot install project for"]);
    }
}
