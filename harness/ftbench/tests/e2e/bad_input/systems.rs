//! Systems other than Linux.

use std::process::Command;

use crate::support::{Sandbox, paths, told};

#[test]
fn a_build_for_another_system_is_refused_before_anything_is_compiled() {
    let sandbox = Sandbox::new();
    let program = sandbox.path().join("build-script");
    let package = paths::package();
    let mut compile = Command::new("rustc");
    compile
        .args(["--edition", "2024", "-o"])
        .arg(&program)
        .arg(package.join("build.rs"));
    told(compile).ends_with(0);
    for (system, status) in [("linux", 0), ("macos", 1), ("windows", 1)] {
        let mut run = Command::new(&program);
        run.env("CARGO_CFG_TARGET_OS", system).current_dir(package);
        let told = told(run);
        told.ends_with(status);
        let is_refused = told
            .stdout
            .contains("cargo::error=ftbench runs on Linux only, and this build is for");
        assert_eq!(is_refused, status == 1, "{}", told.stdout);
        assert!(!is_refused || told.stdout.contains("in a virtual machine or in WSL 2"));
    }
}

#[test]
fn set_up_refuses_another_system() {
    let sandbox = Sandbox::new();
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
    let told = told(set_up);
    told.ends_with(1);
    told.says(&["ftbench runs on Linux only, and this is Darwin", "WSL 2"]);
}
