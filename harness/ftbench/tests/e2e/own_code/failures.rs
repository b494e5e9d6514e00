//! A package that cannot be installed fails its own cells, with a reason, and nothing else.

use ftbench_schema::CellStatus;

use super::package_sandbox::{Installer, Origin, PackageSandbox, gil_tag, run_words};
use crate::support::{Run, executable, output_of, pair};

#[test]
fn a_package_without_a_wheel_for_the_free_threaded_build_fails_there_alone() {
    let [gil, free_threaded] = pair().tags();
    for (with, own_words) in [
        (Installer::Uv, "only found wheels for `gil-only`"),
        (
            Installer::Pip,
            "Could not find a version that satisfies the requirement gil_only",
        ),
    ] {
        let workshop = PackageSandbox::new(with, Origin::Wheels);
        workshop.wheel("gil_only", "1.0", &gil_tag());
        let workload = workshop.workload("mine", "[\"gil_only\"]", "import gil_only\n");
        let plain = workshop.workload("plain", "[]", "");
        let run = workshop.run("out", &[gil, free_threaded], &format!("{workload} {plain}"), 1);
        run.all_ok("plain");
        for cell in run.cells("mine") {
            if cell.interpreter == gil {
                assert_eq!(cell.status, CellStatus::Ok, "{:?}", cell.reason);
                continue;
            }
            assert_eq!(cell.status, CellStatus::Failed);
            let reason = cell.reason.unwrap();
            assert!(reason.contains("no wheel of gil"), "{reason}");
            assert!(
                reason.contains(&format!("for {free_threaded}")) && reason.contains(own_words),
                "{reason}"
            );
            let log = reason.rsplit_once("full output of the installer: ").unwrap().1;
            let log = std::fs::read_to_string(log.trim_end_matches(')')).unwrap();
            assert!(log.starts_with("$ ") && log.contains(own_words), "{log}");
        }
        assert!(
            run.output.stdout.contains("no wheel of gil"),
            "{}",
            run.output.stdout
        );
        let (made, rest) = workshop.environments();
        assert_eq!((made.len(), rest), (1, vec![]));
    }
}

#[test]
fn a_wheel_for_another_abi_fails_where_it_does_not_fit() {
    let [gil, free_threaded] = pair().tags();
    for with in [Installer::Uv, Installer::Pip] {
        let workshop = PackageSandbox::new(with, Origin::Wheels);
        let wheel = workshop.wheel("gil_only", "1.0", &gil_tag());
        let workload = workshop.workload("mine", "[]", "import gil_only\n");
        let words = format!("{workload} --with {wheel}");
        let run = workshop.run("out", &[gil, free_threaded], &words, 1);
        for cell in run.cells("mine") {
            if cell.interpreter == gil {
                assert_eq!(cell.status, CellStatus::Ok, "{:?}", cell.reason);
                continue;
            }
            let reason = cell.reason.unwrap();
            let words = format!("is not for {free_threaded}; give one that was built for it: ");
            assert!(
                reason.contains("the wheel gil_only-1.0-") && reason.contains(&words),
                "{reason}"
            );
        }
    }
}

#[test]
fn an_interpreter_without_ensurepip_needs_uv() {
    let workshop = PackageSandbox::new(Installer::Pip, Origin::Wheels);
    workshop.wheel("example_package", "1.0", "py3-none-any");
    let workload = workshop.workload("mine", "[\"example_package\"]", "import example_package\n");
    let plain = workshop.workload("plain", "[]", "");
    // The message of `venv` where the module is missing.
    let body = format!(
        "case \"$*\" in *'-m venv'*) echo \"Error: Command '['$4/bin/python', '-m', 'ensurepip', '--upgrade']' \
         returned non-zero exit status 1.\"; exit 1;; esac\nexec {} \"$@\"",
        executable(&pair().gil).display()
    );
    let bare = workshop.sandbox.script("bare/python3", &body);
    let words =
        format!("run --profile quick --out out {workload} {plain} -p {bare} -m serial -n 1 --rounds 1");
    let run = Run {
        output: workshop.ftbench(&words),
        folder: workshop.sandbox.path().join("out"),
    };
    run.output.exits_with(1);
    run.all_ok("plain");
    run.all_have(
        "mine",
        CellStatus::Failed,
        &["it has no ensurepip and there is no uv: install uv (https://"],
    );
}

#[test]
fn unknown_packages_and_invalid_requirements_fail_with_a_reason() {
    for (with, words) in [
        (Installer::Uv, "no package not-there for"),
        (Installer::Pip, "no wheel of not_there for"),
    ] {
        let workshop = PackageSandbox::new(with, Origin::Wheels);
        let absent = workshop.workload("absent", "[\"not_there\"]", "");
        let option = workshop.workload("option", "[\"--index-url=http://127.0.0.1:9\"]", "");
        let run = workshop.run("out", &[&pair().gil], &format!("{absent} {option}"), 1);
        run.all_have("absent", CellStatus::Failed, &[words]);
        run.all_have("option", CellStatus::Failed, &["is not a requirement"]);
        assert_eq!(run.trials(), vec![]);
    }
}

#[test]
fn an_index_that_does_not_answer_is_given_as_the_reason() {
    let workshop = PackageSandbox::new(Installer::Uv, Origin::Index);
    let workload = workshop.workload("mine", "[\"example_nowhere\"]", "");
    let mut command = workshop.command(&run_words("out", &[&pair().gil], &workload));
    command
        .env("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
        .env("UV_HTTP_RETRIES", "0")
        .env("UV_CACHE_DIR", workshop.cache().join("uv"));
    let run = Run {
        output: output_of(command),
        folder: workshop.sandbox.path().join("out"),
    };
    run.output.exits_with(1);
    run.all_have(
        "mine",
        CellStatus::Failed,
        &["the package index does not answer: ", "127.0.0.1:9"],
    );
}

#[test]
fn a_lock_file_without_uv_or_without_a_package_fails_with_a_remedy() {
    let workshop = PackageSandbox::new(Installer::Pip, Origin::Wheels);
    let locked = workshop.workload("locked", "[\"example_package\"]", "");
    let lacking = workshop.workload("lacking", "[\"example_package\", \"other\"]", "");
    for name in ["locked", "lacking"] {
        workshop.sandbox.file(
            &format!("{name}.py.lock"),
            "version = 1\n[[package]]\nname = \"example-package\"\nversion = \"1.0\"\n",
        );
    }
    let run = workshop.run("out", &[&pair().gil], &format!("{locked} {lacking}"), 1);
    run.all_have("locked", CellStatus::Failed, &["needs uv"]);
    run.all_have(
        "lacking",
        CellStatus::Failed,
        &["depends on other", "uv lock --script"],
    );
}

#[test]
fn malformed_options_are_refused() {
    let workshop = PackageSandbox::new(Installer::Pip, Origin::Wheels);
    for (words, expected) in [
        ("--callable function", "write 'package.module:function'"),
        ("--callable my_file.py:main", "'my_file:main'"),
        ("--with -r", "is not a requirement"),
        ("--with numpy=2", "malformed versions"),
        (
            "--with ./folder",
            "neither a wheel nor a folder with a pyproject.toml",
        ),
    ] {
        let words = words.replace("--with ", "--with=");
        workshop
            .ftbench(&format!("run {words} --dry-run"))
            .refuses(&[expected], 2);
    }
}
