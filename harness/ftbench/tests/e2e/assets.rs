//! The Python unit tests of the worker, which is one of the embedded assets, on both builds of the pair. They take longest,
//! so they have a name that comes first.

use std::process::Command;

use crate::support::paths::harness;
use crate::support::{executable, pair};

#[track_caller]
fn unit_tests_pass_on(tag: &str) {
    let tests = harness().join("worker/tests");
    let output = Command::new(executable(tag))
        .args(["-m", "unittest", "discover", "-s"])
        .arg(&tests)
        .current_dir(harness().join(".."))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env_remove("PYTHON_GIL")
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tag}:\n{words}");
    // Some versions of unittest succeed on an empty folder.
    assert!(!words.contains("Ran 0 tests"), "{tag}:\n{words}");
}

#[test]
fn the_workers_unit_tests_pass_on_the_gil_build() {
    unit_tests_pass_on(&pair().gil);
}

#[test]
fn the_workers_unit_tests_pass_on_the_free_threaded_build() {
    unit_tests_pass_on(&pair().free_threaded);
}
