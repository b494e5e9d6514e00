//! Benchmarks that were written for other tools: which tool a file is for, and the names of its benchmarks.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use serde::Deserialize;

use crate::measure::environment;
use crate::process::bounded;
use ftbench_schema::Format;

/// Lists the benchmarks of a file for another tool, or says in one line why that failed.
pub type Cases<'a> = dyn Fn(&Path, Format) -> Result<Vec<String>, String> + 'a;

/// The prefix of the line with the answer.
const MARK: &str = "ftbench-cases ";

/// How long a file may take to name its benchmarks: it imports what it needs and prepares its data.
const TIME_LIMIT: Duration = Duration::from_secs(60);

#[allow(clippy::expect_used, reason = "a constant that the tests compile")]
static PYPERF: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^[ \t]*(import pyperf\b|from pyperf import\b.*\bRunner\b)").expect("a valid pattern")
});

#[allow(clippy::expect_used, reason = "a constant that the tests compile")]
static OWN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^((async )?def work(_async)?\b|# \[tool\.ftbench)").expect("a valid pattern")
});

/// Returns the tool that a file was written for; `None` for ftbench itself or if there is no sign of another one.
#[must_use]
pub fn format_of(source: &str) -> Option<Format> {
    (PYPERF.is_match(source) && !OWN.is_match(source)).then_some(Format::Pyperf)
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Names(Vec<String>),
    Failure(String),
}

/// Lists the benchmarks of a file with an interpreter, which may run the file, but none of them. `worker` is the folder
/// that holds the worker's package.
///
/// # Errors
/// Says in one line why the file did not name them.
pub fn cases(python: &Path, worker: &Path, path: &Path, format: Format) -> Result<Vec<String>, String> {
    let mut command = Command::new(python);
    command
        .args(["-s", "-m", "ftbench_worker.cases", format.name()])
        .arg(path)
        .env_clear()
        .envs(environment::of_this_process(worker));
    let ended = bounded::run(&mut command, TIME_LIMIT).map_err(|error| error.to_string())?;
    let with = python.display();
    if ended.status.is_none() {
        let limit_s = TIME_LIMIT.as_secs();
        return Err(format!("run with {with}, it has not ended within {limit_s} s"));
    }
    let output = String::from_utf8_lossy(&ended.output);
    let answer = output.lines().rev().find_map(|line| line.strip_prefix(MARK));
    match answer.map(serde_json::from_str) {
        Some(Ok(Answer::Names(names))) => Ok(names),
        Some(Ok(Answer::Failure(reason))) => Err(format!("run with {with}, {reason}")),
        _ => Err(format!("run with {with}, it ended before it had named them")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_for_pyperf_are_recognised() {
        for source in [
            "import pyperf\nrunner = pyperf.Runner()\n",
            "if True:\n    import pyperf\n",
            "from pyperf import perf_counter, Runner\n",
        ] {
            assert_eq!(format_of(source), Some(Format::Pyperf), "{source}");
        }
        for source in [
            "",
            "import pyperformance\n",
            "from pyperf import perf_counter\n",
            "# import pyperf\n",
            "import pyperf\ndef work(data, units): ...\n",
            "import pyperf\nasync def work_async(data, units): ...\n",
            "# /// script\n# [tool.ftbench.cases]\n# a = \"\"\n# ///\nimport pyperf\ndef work_a(data, units): ...\n",
        ] {
            assert_eq!(format_of(source), None, "{source}");
        }
    }
}
