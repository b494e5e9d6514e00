//! Systems other than Linux.

use std::process::Command;

use crate::support::{Sandbox, output_of, paths};

#[test]
fn a_build_for_another_system_is_refused_before_anything_is_compiled() {
    let sandbox = Sandbox::sharing_the_machine();
    let program = sandbox.path().join("build-script");
    let package = paths::package();
    let mut compile = Command::new("rustc");
    compile
        .args(["--edition", "2024", "-o"])
        .arg(&program)
        .arg(package.join("build.rs"));
    output_of(compile).exits_with(0);
    for (system, status) in [("linux", 0), ("macos", 1), ("windows", 1)] {
        let mut run = Command::new(&program);
        run.env("CARGO_CFG_TARGET_OS", system).current_dir(package);
        let output = output_of(run);
        output.exits_with(status);
        let is_refused = output
            .stdout
            .contains("cargo::error=ftbench runs on Linux only, and this build is for");
        assert_eq!(is_refused, status == 1, "{}", output.stdout);
        assert!(!is_refused || output.stdout.contains("in a virtual machine or in WSL 2"));
    }
}

#[test]
fn set_up_refuses_another_system() {
    let sandbox = Sandbox::sharing_the_machine();
    sandbox.script("bin/uname", "echo Darwin");
    let path = format!(
        "{}/bin:{}",
        sandbox.path().display(),
        std::env::var("PATH").unwrap()
    );
    let mut set_up = Command::new("bash");
    set_up
        .arg(paths::harness().join("../scripts/set-up.sh"))
        .env("PATH", path);
    let output = output_of(set_up);
    output.exits_with(1);
    output.stderr_has(&["ftbench runs on Linux only, and this is Darwin", "WSL 2"]);
}
