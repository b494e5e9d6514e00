//! The scripts in the steps of `docs/ci/pull-request.yml`, run without GitHub.

use std::process::Command;

use crate::support::paths::harness;
use crate::support::{CommandOutput, Sandbox, output_of};

/// Prints `TEXT` and exits with `STATUS`.
const STAND_IN: &str = r#"printf '%s' "$TEXT"
exit "$STATUS""#;

/// The workflow for pull requests.
fn workflow() -> String {
    let path = harness().join("../docs/ci/pull-request.yml");
    std::fs::read_to_string(path).unwrap()
}

/// The script of a step: the text indented below its `run: |`.
fn script(step: &str) -> String {
    let text = workflow();
    let (_, of_step) = text.split_once(&format!("- name: {step}\n")).unwrap();
    let (of_step, _) = of_step.split_once("- name: ").unwrap_or((of_step, ""));
    let (_, script) = of_step.split_once("run: |\n").unwrap();
    let lines = script.lines().map_while(|line| line.strip_prefix("          "));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Runs a step as GitHub does: with `bash -e`, and with files for its outputs and its summary.
fn run(sandbox: &Sandbox, step: &str, variables: &[(&str, &str)]) -> CommandOutput {
    let path = format!("{}:{}", sandbox.path().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command
        .args(["-e", "-c", &script(step)])
        .current_dir(sandbox.path())
        .env("PATH", path)
        .env("GITHUB_OUTPUT", sandbox.file("output", ""))
        .env("GITHUB_STEP_SUMMARY", sandbox.file("page", ""))
        .envs(variables.iter().copied());
    output_of(command)
}

fn text(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.path().join(name)).unwrap()
}

#[test]
fn a_pull_request_gets_a_comment_only_after_a_comparison() {
    let sandbox = Sandbox::new();
    sandbox.script("ftbench", STAND_IN);
    for (printed, status, expected) in [
        ("all is well", "0", "compared=yes\n"),
        ("a regression", "1", "compared=yes\n"),
        // The comment of an earlier job is still in the workspace.
        ("", "2", ""),
    ] {
        let output = run(&sandbox, "Compare", &[("TEXT", printed), ("STATUS", status)]);
        output.exits_with(status.parse().unwrap());
        assert_eq!(text(&sandbox, "output"), expected, "{status}");
        assert_eq!(text(&sandbox, "page"), printed);
    }
}

#[test]
fn a_branch_is_compared_with_what_it_was_merged_into() {
    let sandbox = Sandbox::new();
    let repository = sandbox.path().join("repository");
    std::fs::create_dir(&repository).unwrap();
    let git = |words: &str| -> String {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=tests", "-c", "user.email=tests@example.org"])
            .args(words.split_whitespace())
            .current_dir(&repository);
        let output = output_of(command);
        output.exits_with(0);
        output.stdout.trim().to_owned()
    };
    git("init --quiet --initial-branch main");
    git("commit --quiet --allow-empty --message first");
    git("checkout --quiet -b branch");
    git("commit --quiet --allow-empty --message change");
    git("checkout --quiet main");
    // Another change, merged after the pull request was opened.
    git("commit --quiet --allow-empty --message second");
    let base = git("rev-parse HEAD");
    git("checkout --quiet --detach");
    git("merge --quiet --no-ff --message merge branch");
    let head = sandbox.path().join("head");
    // As deep as the workflow's own checkout.
    assert!(workflow().contains("path: head\n          fetch-depth: 2\n"));
    git(&format!(
        "clone --quiet --depth 2 file://{} {}",
        repository.display(),
        head.display()
    ));
    run(&sandbox, "Find the base commit", &[]).exits_with(0);
    assert_eq!(text(&sandbox, "output"), format!("commit={base}\n"));
}
