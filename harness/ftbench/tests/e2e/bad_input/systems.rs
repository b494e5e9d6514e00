//! Systems other than Linux.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Sandbox, output_of, paths};

/// The package's build scripts, as Cargo has built them: one, or some of earlier builds as well.
fn build_scripts() -> Vec<PathBuf> {
    // OUT_DIR is the folder `out` beside those of the scripts.
    let builds = Path::new(env!("OUT_DIR")).ancestors().nth(2).unwrap();
    let folders = std::fs::read_dir(builds)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let of_package = folders.filter(|folder| {
        let name = folder.file_name().unwrap().to_string_lossy();
        name.strip_prefix("ftbench-")
            .is_some_and(|rest| !rest.contains('-'))
    });
    let scripts = of_package.map(|folder| folder.join("build-script-build"));
    scripts.filter(|script| script.is_file()).collect()
}

#[test]
fn a_build_for_another_system_is_refused_before_anything_is_compiled() {
    let scripts = build_scripts();
    assert!(!scripts.is_empty());
    for script in scripts {
        for system in ["macos", "windows"] {
            // Without OUT_DIR and the compiler's variables, it can do nothing else.
            let mut run = Command::new(&script);
            run.env_clear()
                .env("CARGO_CFG_TARGET_OS", system)
                .current_dir(paths::package());
            let output = output_of(run);
            output.exits_with(1);
            for words in [
                "cargo::error=ftbench runs on Linux only, and this build is for",
                "in a virtual machine or in WSL 2",
            ] {
                assert!(output.stdout.contains(words), "{}", output.stdout);
            }
            assert_eq!(output.stdout.lines().count(), 1, "{}", output.stdout);
        }
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
