//! `ftbench python install`, with a fake uv that lists and installs the given versions, and without packages for a
//! build.

use std::path::Path;
use std::process::Command;

use crate::support::machine::{Use, lock};
use crate::support::{CommandOutput, FTBENCH, Run, Sandbox, executable, output_of, pair};

/// A fake uv. Lists the tags in the file `listed`, and installs those that are also in `deliverable`, as scripts that
/// print their version.
const UV: &str = r#"
here=$(dirname "$0")/..
case "$1 $2" in
"--version "*) echo "uv 0.13.8" ;;
"python list")
  sed -E 's/^(.*)t$/\1+freethreaded/; s/^.*$/cpython-&-linux-x86_64-gnu    <download available>/' "$here/listed" ;;
"python install")
  for request; do :; done
  echo "$request" >>"$here/requests"
  version=${request%+freethreaded}
  suffix=""
  [ "$version" = "$request" ] || suffix=t
  if ! grep -qx "$version$suffix" "$here/deliverable"; then
    echo "error: No download found for request: cpython-$request" >&2
    exit 1
  fi
  name=python$(echo "$version" | cut -d. -f1,2)$suffix
  bin=$UV_PYTHON_INSTALL_DIR/cpython-$request-linux-x86_64-gnu/bin
  mkdir -p "$bin"
  printf '#!/bin/sh\nfor last; do :; done\n[ "$last" = "%s" ] && echo %s\n' "$suffix" "$version" >"$bin/$name"
  chmod +x "$bin/$name" ;;
esac
"#;

struct Uv {
    sandbox: Sandbox,
}

impl Uv {
    fn new(listed: &[&str], deliverable: &[&str]) -> Self {
        let sandbox = Sandbox::new();
        sandbox.script("bin/uv", UV);
        // None of the packages that a build needs is installed.
        sandbox.script("bin/dpkg-query", "exit 1");
        let uv = Self { sandbox };
        uv.lists(listed, deliverable);
        uv
    }

    fn lists(&self, listed: &[&str], deliverable: &[&str]) {
        self.sandbox.file("listed", listed.join("\n") + "\n");
        self.sandbox.file("deliverable", deliverable.join("\n") + "\n");
    }

    fn install(&self, tags: &str) -> CommandOutput {
        let path = std::env::var("PATH").unwrap();
        let mut command = self.sandbox.command(&format!("python install {tags}"));
        command
            .env("PATH", format!("{}/bin:{path}", self.sandbox.path().display()))
            .env("XDG_CACHE_HOME", self.sandbox.path().join("cache"))
            .env("UV_PYTHON_INSTALL_DIR", self.sandbox.path().join("pythons"));
        output_of(command)
    }

    /// The requests to install that uv has received.
    fn requests(&self) -> String {
        let text = std::fs::read_to_string(self.sandbox.path().join("requests"));
        text.unwrap_or_default().lines().collect::<Vec<_>>().join(" ")
    }
}

/// The printed tags, each with the version in the folder of its executable.
fn printed(output: &CommandOutput) -> Vec<String> {
    let line = |line: &str| {
        let (tag, path) = (line.split(' ').next().unwrap(), line.rsplit(' ').next().unwrap());
        let folder = Path::new(path).ancestors().nth(2).unwrap().file_name().unwrap();
        let version = folder
            .to_str()
            .unwrap()
            .strip_suffix("-linux-x86_64-gnu")
            .unwrap();
        format!("{tag}={}", version.strip_prefix("cpython-").unwrap())
    };
    output.stdout.lines().map(line).collect()
}

#[test]
fn without_a_tag_the_newest_release_with_both_builds_is_installed_once() {
    let listed = [
        "3.17.0a1",
        "3.17.0a1t",
        "3.16.1",
        "3.15.10",
        "3.15.10t",
        "3.14.9",
        "3.14.9t",
    ];
    let uv = Uv::new(&listed, &listed);
    let first = uv.install("");
    first.exits_with(0);
    assert_eq!(printed(&first), ["3.15=3.15.10", "3.15t=3.15.10+freethreaded"]);
    assert_eq!(uv.requests(), "3.15.10 3.15.10+freethreaded");
    let again = uv.install("");
    again.exits_with(0);
    assert_eq!(printed(&again), printed(&first));
    assert!(
        again.stdout.contains("3.15  already installed: ") && again.stderr.is_empty(),
        "{}",
        again.stderr
    );
    // A newer series is reported, not installed.
    uv.lists(&["3.16.1", "3.16.1t"], &["3.16.1", "3.16.1t"]);
    let newer = uv.install("");
    assert_eq!(printed(&newer), printed(&first));
    newer.stderr_has(&["ftbench python install 3.16 3.16t"]);
    assert_eq!(uv.requests(), "3.15.10 3.15.10+freethreaded");
}

#[test]
fn a_release_that_cannot_be_delivered_gives_way_to_the_one_before() {
    let uv = Uv::new(
        &["3.15.2", "3.15.2t", "3.14.10", "3.14.10t"],
        &["3.15.2", "3.14.10", "3.14.10t"],
    );
    let installed = uv.install("");
    installed.exits_with(0);
    assert_eq!(
        printed(&installed),
        ["3.14=3.14.10", "3.14t=3.14.10+freethreaded"]
    );
    installed
        .stderr_has(&["uv cannot deliver it: No download found for request: cpython-3.15.2+freethreaded"]);
}

#[test]
fn without_any_release_the_reasons_and_the_next_step_are_given() {
    let uv = Uv::new(&["3.17.0a1", "3.17.0a1t"], &["3.17.0a1", "3.17.0a1t"]);
    let none = uv.install("");
    none.exits_with(1);
    none.stderr_has(&[
        "both a GIL and a free-threaded build cannot be installed",
        "uv: it lists no release with both builds",
        "source package: ",
        "next: ",
        "-p PATH",
    ]);
    assert_eq!(uv.requests(), "");
    // A version manager may provide a shim for uv that fails.
    uv.sandbox.script("bin/uv", "exit 1");
    for tags in ["", "3.15"] {
        let none = uv.install(tags);
        none.exits_with(1);
        none.stderr_has(&[
            "cannot be installed",
            "there is no uv on the PATH",
            "next: install uv",
        ]);
    }
}

#[test]
fn a_series_means_a_pre_release_only_while_no_release_is_listed() {
    let candidate = ["3.15.0rc1", "3.15.0rc1t", "3.15.0b4"];
    let uv = Uv::new(&candidate, &candidate);
    let installed = uv.install("3.15");
    installed.exits_with(0);
    installed.stderr_has(&["3.15  is a pre-release, 3.15.0rc1: no release of it is listed yet"]);
    assert_eq!(printed(&installed), ["3.15=3.15.0rc1"]);
    let exact = uv.install("3.15.0b4 3.15.0rc1t");
    exact.exits_with(0);
    assert!(!exact.stderr.contains("is a pre-release"), "{}", exact.stderr);
    let kept = uv.install("3.15");
    kept.exits_with(0);
    kept.stderr_has(&["3.15.0rc1 is a pre-release, and no release can be installed"]);
    assert!(
        kept.stdout.contains("3.15  already installed: "),
        "{}",
        kept.stdout
    );
    // A release of the series is listed, so a pre-release does not replace it.
    uv.lists(&["3.16.0a2t", "3.16.0t", "3.15.0"], &["3.16.0a2t", "3.15.0"]);
    let refused = uv.install("3.16t");
    refused.exits_with(1);
    refused.stderr_has(&[
        "3.16t cannot be installed",
        "cpython-3.16.0+freethreaded",
        "next: ",
    ]);
    let release = uv.install("3.15");
    release.exits_with(0);
    assert_eq!(printed(&release), ["3.15=3.15.0"]);
}

#[test]
fn an_unknown_version_is_refused_with_those_listed() {
    let uv = Uv::new(
        &["3.15.2", "3.15.2t", "3.12.16"],
        &["3.15.2", "3.15.2t", "3.12.16"],
    );
    let unknown = uv.install("3.99");
    unknown.exits_with(1);
    unknown.stderr_has(&[
        "3.99 cannot be installed",
        "next: ask for a listed version: 3.15.2, 3.12.16; or",
    ]);
    let never = uv.install("3.12t");
    never.exits_with(2);
    never.stderr_has(&[
        "'3.12t': CPython has free-threaded builds from 3.13 on",
        "ask for 3.12",
    ]);
    assert_eq!(uv.requests(), "3.99");
}

/// A uv that delivers the builds that these tests run on.
const UV_OF_THE_PAIR: &str = r#"
case "$1 $2" in
"--version "*) echo "uv 0.13.8" ;;
"python list") printf 'cpython-VERSION%s-linux-x86_64-gnu    <download available>\n' '' +freethreaded ;;
"python install")
  for request; do :; done
  mkdir -p "$UV_PYTHON_INSTALL_DIR"
  case $request in *+freethreaded) prefix=FREE_THREADED ;; *) prefix=GIL ;; esac
  ln -s "$prefix" "$UV_PYTHON_INSTALL_DIR/cpython-$request-linux-x86_64-gnu" ;;
esac
"#;

#[test]
fn a_run_installs_the_pair_that_is_missing_if_the_user_agrees() {
    let sandbox = Sandbox::sharing_the_machine();
    lock(Use::Shared);
    let [gil, free_threaded] = pair().tags().map(executable);
    let version = output_of({
        let mut python = Command::new(&gil);
        python.args(["-c", "import platform; print(platform.python_version())"]);
        python
    });
    let prefix = |python: &Path| python.ancestors().nth(2).unwrap().to_str().unwrap().to_owned();
    let uv = UV_OF_THE_PAIR
        .replace("VERSION", version.stdout.trim())
        .replace("FREE_THREADED", &prefix(&free_threaded))
        .replace("GIL", &prefix(&gil));
    sandbox.script("bin/uv", &uv);
    let isolated = |command: &mut Command| {
        let home = sandbox.path().join("home");
        command
            .current_dir(sandbox.path())
            .env_clear()
            .env("HOME", &home)
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("UV_PYTHON_INSTALL_DIR", home.join("uv"))
            .env("PATH", format!("{}/bin:/usr/bin:/bin", sandbox.path().display()));
    };
    // util-linux's script gives a command a terminal.
    let words = "run fib -m serial --profile quick --rounds 1 --samples 1 --no-ceiling --out out";
    sandbox.file("answer", "n\n");
    let mut asked = Command::new("sh");
    asked.args([
        "-c",
        &format!("script -qec '{FTBENCH} {words}' /dev/null < answer"),
    ]);
    isolated(&mut asked);
    let asked = output_of(asked);
    assert!(asked.stdout.contains("Install it now? [Y/n]"), "{}", asked.stdout);
    assert!(!sandbox.path().join("home/uv").exists());

    let mut agreed = sandbox.command(&format!("{words} --yes").replace("--out out", "--out both"));
    isolated(&mut agreed);
    let agreed = output_of(agreed);
    agreed.exits_with(0);
    agreed.stderr_has(&["asking uv"]);
    let run = Run {
        folder: sandbox.path().join("both"),
        output: agreed,
    };
    let summary = run.summary();
    let builds: Vec<bool> = summary.interpreters.iter().map(|one| one.free_threaded).collect();
    assert_eq!(builds, [false, true]);
}
