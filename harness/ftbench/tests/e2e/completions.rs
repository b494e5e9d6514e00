//! Completion by a real bash.

use std::process::Command;

use crate::support::{FTBENCH, Sandbox, output_of, pair, path};

/// Completes the last of its arguments, as bash does when the tab key is pressed.
const COMPLETE: &str = r#"
source <("$0" completions bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9
_clap_complete_ftbench ftbench "${COMP_WORDS[COMP_CWORD]}" ""
printf '%s\n' "${COMPREPLY[@]}"
"#;

#[test]
fn bash_completes_workloads_files_runs_and_interpreters() {
    let sandbox = Sandbox::sharing_the_machine();
    let runs = ["results/20261121T080000Z-a", "results/20261122T080000Z-b"];
    for run in runs {
        sandbox.file(&format!("{run}/run.json"), "{}");
    }
    sandbox.file("nbodies.py", "");
    let completed = |words: &[&str]| {
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-c", COMPLETE, FTBENCH, "ftbench"])
            .args(words)
            .current_dir(sandbox.path())
            .env("PATH", path());
        let output = output_of(bash);
        output.exits_with(0);
        output.stdout
    };
    assert_eq!(completed(&["run", "nbo"]), "nbody\nnbodies.py\n");
    let [older, newer] = runs;
    assert_eq!(completed(&["show", "results/2"]), format!("{newer}\n{older}\n"));
    let tags = completed(&["run", "-p", "3.1"]);
    for tag in pair().tags() {
        assert!(tags.lines().any(|line| line == tag), "{tag} in {tags}");
    }
}
