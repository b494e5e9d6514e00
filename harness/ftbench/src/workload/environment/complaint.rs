//! Summarises in a line why an installer failed.

use std::sync::LazyLock;

use regex::Regex;

use super::Wanted;
use crate::workload::Requirement;

/// Longest part of an installer's line that is quoted, characters.
const MAX_QUOTED_CHARACTERS: usize = 400;

/// Words of uv and pip, lower case, which mean that the index does not answer.
const UNREACHABLE: [&str; 8] = [
    "error sending request",
    "failed to fetch",
    "dns error",
    "newconnectionerror",
    "nameresolutionerror",
    "connecttimeouterror",
    "max retries exceeded",
    "network was disabled",
];

/// uv: `orjson>=2.0.7 has no usable wheels`, `orjson<=2.0.6 has no wheels with a ... ABI tag`.
#[allow(clippy::expect_used, reason = "a constant that the tests compile")]
static NO_WHEELS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"([A-Za-z0-9][A-Za-z0-9._-]*?)(?:[<>=!~][^\s]*)? has no (?:usable )?wheels")
        .expect("a valid pattern")
});

/// uv: `Because six-teen was not found in the package registry`.
#[allow(clippy::expect_used, reason = "a constant that the tests compile")]
static NO_PACKAGE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"([A-Za-z0-9][A-Za-z0-9._-]*) was not found in").expect("a valid pattern"));

/// pip: `Could not find a version that satisfies the requirement orjson (from versions: none)`.
#[allow(clippy::expect_used, reason = "a constant that the tests compile")]
static NO_VERSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"satisfies the requirement ([A-Za-z0-9][A-Za-z0-9._-]*).*\(from versions: ([^)]*)\)")
        .expect("a valid pattern")
});

/// uv: `A path (example-1.0-cp313-cp313t-linux_x86_64.whl) dependency is incompatible with the current platform`; pip:
/// `ERROR: example-1.0-cp313-cp313t-linux_x86_64.whl is not a supported wheel on this platform.`
#[allow(clippy::expect_used, reason = "a constant that the tests compile")]
static OTHER_WHEEL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"([^\s/()]+\.whl)(?:\) dependency is incompatible|\s+is\s+not\s+a\s+supported\s+wheel)")
        .expect("a valid pattern")
});

/// Words of `python -m venv`, and of a Python without pip, which mean that an interpreter cannot install packages.
const NO_PIP: [&str; 4] = [
    "'-m', 'ensurepip'",
    "because ensurepip is not",
    "no module named venv",
    "no module named pip",
];

const BUILD_IT: &str = "build it with --allow-source-builds";

/// Names the package and the build, and quotes the installer's most informative line.
pub(super) fn complaint(output: &str, wanted: &Wanted) -> String {
    let tag = &wanted.interpreter.tag;
    let own = reason(output);
    let lower = output.to_lowercase();
    let name = |pattern: &Regex| Some(pattern.captures(output)?.get(1)?.as_str().to_owned());
    let what = if is_unreachable(output) {
        format!(
            "cannot install {} for {tag} because the package index does not answer",
            wanted.names().join(", ")
        )
    } else if NO_PIP.iter().any(|words| lower.contains(words)) {
        format!(
            "cannot install {} for {tag} because it has no ensurepip and there is no uv: install uv \
             (https://docs.astral.sh/uv), or use a build with ensurepip (Debian, Ubuntu: apt-get install python3-venv)",
            wanted.names().join(", ")
        )
    } else if let Some(wheel) = name(&OTHER_WHEEL) {
        other_wheel(&wheel, tag)
    } else if let Some(name) = name(&NO_WHEELS) {
        match wanted.requirements.iter().find(|one| one.name() == name) {
            Some(Requirement::Wheel(path)) => {
                let file = path.file_name().unwrap_or_default();
                other_wheel(&file.to_string_lossy(), tag)
            }
            _ => format!("no wheel of {name} for {tag} (another version may have one, or {BUILD_IT})"),
        }
    } else if let Some(name) = name(&NO_PACKAGE) {
        format!("no package {name} for {tag}")
    } else if let Some(found) = NO_VERSION.captures(output) {
        let part = |number| found.get(number).map_or("", |part| part.as_str());
        match part(2) {
            // pip does not distinguish a package without wheels from one that does not exist.
            "none" if !wanted.source_builds => {
                format!(
                    "no wheel of {} for {tag}, or no such package ({BUILD_IT})",
                    part(1)
                )
            }
            "none" => format!("no package {} for {tag}", part(1)),
            _ => format!("no requested version of {} has a wheel for {tag}", part(1)),
        }
    } else {
        format!("cannot install {} for {tag}", wanted.names().join(", "))
    };
    format!("{what}: {own}")
}

fn other_wheel(file: &str, tag: &str) -> String {
    format!("the wheel {file} is not for {tag}; give one that was built for it")
}

/// Whether what an installer printed says that the package index did not answer.
#[must_use]
pub fn is_unreachable(output: &str) -> bool {
    let lower = output.to_lowercase();
    UNREACHABLE.iter().any(|words| lower.contains(words))
}

/// The most informative line of what an installer printed before it failed: uv's hint on wheels, else its causes, else
/// pip's first error, else the last line.
#[must_use]
pub fn reason(output: &str) -> String {
    let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    // The log also has the commands.
    let lines: Vec<&str> = output.lines().filter(|line| !line.starts_with("$ ")).collect();
    let hint = lines
        .iter()
        .filter_map(|line| line.trim().strip_prefix("hint: "))
        .find(|hint| hint.contains("found wheels for") || hint.starts_with("The wheel is compatible with"));
    let after = |prefix: &str| {
        let start = lines
            .iter()
            .position(|line| line.trim_start().starts_with(prefix))?;
        let rest = lines.get(start..)?;
        let paragraph: Vec<&str> = rest
            .iter()
            .take_while(|line| !line.trim().is_empty())
            .copied()
            .collect();
        // A cause after the first follows it as a clause.
        Some(line(&paragraph.join(" ")).replace(" cause: ", ": "))
    };
    let pip = || {
        let errors = lines
            .iter()
            .filter_map(|line| line.trim().strip_prefix("ERROR: "));
        errors
            .clone()
            .find(|error| !error.starts_with("Ignored"))
            .map(line)
    };
    let last = || {
        lines
            .iter()
            .rev()
            .find(|line| !line.trim().is_empty())
            .map(|last| line(last))
    };
    let found = hint
        .map(line)
        .or_else(|| Some(after("cause: ")?.trim_start_matches("cause: ").to_owned()))
        .or_else(|| Some(after("error: ")?.trim_start_matches("error: ").to_owned()))
        .or_else(pip)
        .or_else(last)
        .unwrap_or_else(|| "it said nothing".to_owned());
    if found.chars().count() <= MAX_QUOTED_CHARACTERS {
        return found;
    }
    let beginning: String = found.chars().take(MAX_QUOTED_CHARACTERS).collect();
    format!("{beginning}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_schema::InterpreterFacts;

    fn summary(output: &str) -> String {
        summary_for("orjson", output)
    }

    fn summary_for(requirement: &str, output: &str) -> String {
        let wanted = Wanted {
            interpreter: InterpreterFacts {
                tag: "3.13t".to_owned(),
                ..ftbench_fixtures::interpreters::facts("3.13.15t")
            },
            requirements: requirement.parse().into_iter().collect(),
            lock: None,
            source_builds: false,
            independently: false,
            hashes: std::collections::BTreeSet::new(),
        };
        complaint(output, &wanted)
    }

    // What uv 0.13.8 and pip 26.0 printed, shortened.
    #[test]
    fn output_of_uv_is_summarised() {
        insta::assert_snapshot!(summary("Using Python 3.13.15 environment at: e
error: No solution found when resolving dependencies
  cause: Because orjson<=2.0.6 has no wheels with a free-threading compatible ABI tag and only
             orjson<=2.0.6
         we can conclude that orjson<2.0.7 cannot be used.
         And because orjson>=2.0.7 has no usable wheels, your requirements are unsatisfiable.

hint: You require free-threaded CPython 3.13 (`cp313t`), but we only found wheels for `orjson` (v2.0.6) with the following Python ABI tags: `cp35m`, `cp36m`

hint: Wheels are required for `orjson` because building from source is disabled for all packages
"), @"no wheel of orjson for 3.13t (another version may have one, or build it with --allow-source-builds): You require free-threaded CPython 3.13 (`cp313t`), but we only found wheels for `orjson` (v2.0.6) with the following Python ABI tags: `cp35m`, `cp36m`");
        insta::assert_snapshot!(summary("error: No solution found when resolving dependencies
  cause: Because six-teen was not found in the package registry and you require six-teen, we can conclude that your requirements are unsatisfiable.
"), @"no package six-teen for 3.13t: Because six-teen was not found in the package registry and you require six-teen, we can conclude that your requirements are unsatisfiable.");
        insta::assert_snapshot!(summary("error: Request failed after 3 retries in 11.9s
  cause: Failed to fetch: http://127.0.0.1:9/simple/six/
  cause: tcp connect error
"), @"cannot install orjson for 3.13t because the package index does not answer: Failed to fetch: http://127.0.0.1:9/simple/six/: tcp connect error");
    }

    #[test]
    fn output_of_pip_is_summarised() {
        insta::assert_snapshot!(summary("ERROR: Could not find a version that satisfies the requirement orjson (from versions: none)
ERROR: No matching distribution found for orjson
"), @"no wheel of orjson for 3.13t, or no such package (build it with --allow-source-builds): Could not find a version that satisfies the requirement orjson (from versions: none)");
        insta::assert_snapshot!(summary("ERROR: Ignored the following yanked versions: 2.4.0
ERROR: Could not find a version that satisfies the requirement numpy<1 (from versions: 2.1.0, 2.1.1)
ERROR: No matching distribution found for numpy<1
"), @"no requested version of numpy has a wheel for 3.13t: Could not find a version that satisfies the requirement numpy<1 (from versions: 2.1.0, 2.1.1)");
        insta::assert_snapshot!(summary("WARNING: Retrying after connection broken by 'NewConnectionError(\"refused\")': /simple/six/
ERROR: Could not find a version that satisfies the requirement six (from versions: none)
"), @"cannot install orjson for 3.13t because the package index does not answer: Could not find a version that satisfies the requirement six (from versions: none)");
    }

    #[test]
    fn a_wheel_for_another_abi_is_named() {
        insta::assert_snapshot!(summary("Resolved 1 package in 7ms
error: Failed to determine installation plan
  cause: A path (wheels/example-1.0-cp313-cp313-linux_x86_64.whl) dependency is incompatible with the current platform

hint: The wheel is compatible with CPython 3.13 (`cp313`), but you're using free-threaded CPython 3.13 (`cp313t`)
"), @"the wheel example-1.0-cp313-cp313-linux_x86_64.whl is not for 3.13t; give one that was built for it: The wheel is compatible with CPython 3.13 (`cp313`), but you're using free-threaded CPython 3.13 (`cp313t`)");
        insta::assert_snapshot!(summary("ERROR: example-1.0-cp313-cp313-linux_x86_64.whl is not a supported wheel on this platform.
"), @"the wheel example-1.0-cp313-cp313-linux_x86_64.whl is not for 3.13t; give one that was built for it: example-1.0-cp313-cp313-linux_x86_64.whl is not a supported wheel on this platform.");
        let uv =
            "  cause: Because example==1.0 has no wheels with a matching Python version tag (e.g., `cp313`)";
        let named = summary_for("./example-1.0-cp314-cp314-linux_x86_64.whl", uv);
        let beginning = "the wheel example-1.0-cp314-cp314-linux_x86_64.whl is not for 3.13t; give one ";
        assert!(named.starts_with(beginning), "{named}");
    }

    // What CPython 3.14 without the module, and Debian's without the package, printed.
    #[test]
    fn an_interpreter_without_ensurepip_needs_uv() {
        insta::assert_snapshot!(summary("$ /opt/python3.13t -I -m venv /cache/e
Error: Command '['/cache/e/bin/python3.13t', '-m', 'ensurepip', '--upgrade', '--default-pip']' returned non-zero exit status 1.
"), @"cannot install orjson for 3.13t because it has no ensurepip and there is no uv: install uv (https://docs.astral.sh/uv), or use a build with ensurepip (Debian, Ubuntu: apt-get install python3-venv): Error: Command '['/cache/e/bin/python3.13t', '-m', 'ensurepip', '--upgrade', '--default-pip']' returned non-zero exit status 1.");
        insta::assert_snapshot!(summary("The virtual environment was not created successfully because ensurepip is not
available.  On Debian/Ubuntu systems, you need to install the python3-venv
package using the following command.

    apt install python3.11-venv

Failing command: /cache/e/bin/python3
"), @"cannot install orjson for 3.13t because it has no ensurepip and there is no uv: install uv (https://docs.astral.sh/uv), or use a build with ensurepip (Debian, Ubuntu: apt-get install python3-venv): Failing command: /cache/e/bin/python3");
        assert!(summary("/usr/bin/python3: No module named venv\n").contains("install uv"));
    }

    #[test]
    fn unknown_output_is_quoted() {
        assert_eq!(
            summary("one\n\ntwo  three\n\n"),
            "cannot install orjson for 3.13t: two three"
        );
        assert_eq!(summary(""), "cannot install orjson for 3.13t: it said nothing");
        assert!(summary(&"x".repeat(9999)).chars().count() < 500);
    }
}
