//! Benchmarks that were written for other tools: which tool a file is for, and the names of its benchmarks.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use serde::Deserialize;

use crate::measure::environment;
use crate::outside;
use crate::process::bounded;
use ftbench_schema::Format;

/// The prefix of the line with the answer.
const MARK: &str = "ftbench-cases ";

/// How long a file may take to name its benchmarks: it imports what it needs and prepares its data.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// The name of asv's configuration.
pub const ASV_CONFIGURATION: &str = "asv.conf.json";

/// Largest such file that is read, bytes. One with comments on every key has 9 KB.
const LARGEST_CONFIGURATION_BYTES: u64 = 1 << 20;

#[allow(clippy::expect_used, reason = "a constant that the tests compile")]
fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid pattern")
}

static OWN: LazyLock<Regex> =
    LazyLock::new(|| compiled(r"(?m)^((async )?def work(_async)?\b|# \[tool\.ftbench)"));

static PYPERF: LazyLock<Regex> = LazyLock::new(|| {
    compiled(r"(?m)^[ \t]*(import ([\w., ]+, *)?pyperf\b|from pyperf import\b.*\bRunner\b)")
});

static TEST: LazyLock<Regex> = LazyLock::new(|| compiled(r"(?m)^[ \t]*(async )?def test\w*\("));

/// The fixture as a parameter, or a mark: `def test_x(benchmark)`, `@pytest.mark.codspeed_benchmark`.
static FIXTURE: LazyLock<Regex> =
    LazyLock::new(|| compiled(r"[(,]\s*benchmark\s*[,:)]|\bmark\.(codspeed_)?benchmark\b"));

/// The prefixes of asv's benchmarks
/// (<https://asv.readthedocs.io/en/stable/writing_benchmarks.html#benchmark-types>).
static ASV: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?m)^[ \t]*(async )?(def|class) ((time|timeraw|track|mem|peakmem)_|(Time|Track|Mem|PeakMem)[A-Z_])\w*[:(]",
    )
});

static BENCHMARK_FOLDER: LazyLock<Regex> =
    LazyLock::new(|| compiled(r#"(?m)^[^/\n]*"benchmark_dir"\s*:\s*"([^"]+)""#));

/// Returns the tool that a file was written for; `None` for ftbench itself or if there is no sign of another one.
#[must_use]
pub fn format_of(source: &str) -> Option<Format> {
    if OWN.is_match(source) {
        return None;
    }
    let signs = [
        (Format::Pyperf, PYPERF.is_match(source)),
        (Format::Pytest, TEST.is_match(source) && FIXTURE.is_match(source)),
        (Format::Asv, ASV.is_match(source)),
    ];
    signs
        .into_iter()
        .find_map(|(format, found)| found.then_some(format))
}

/// Returns whether a file has benchmarks, ftbench's own or another tool's.
#[must_use]
pub fn has_benchmarks(source: &str) -> bool {
    OWN.is_match(source) || format_of(source).is_some()
}

/// Returns the folder whose files are to be measured, if a path names a folder or asv's configuration. The folder of a
/// project for asv is the one that its configuration names.
///
/// # Errors
/// When the configuration cannot be read.
pub fn folder_of_benchmarks(path: &Path) -> io::Result<Option<PathBuf>> {
    let is_folder = path.is_dir();
    let configuration = if is_folder {
        path.join(ASV_CONFIGURATION)
    } else {
        path.to_owned()
    };
    if configuration
        .file_name()
        .is_none_or(|name| name != ASV_CONFIGURATION)
        || !configuration.is_file()
    {
        return Ok(is_folder.then(|| path.to_owned()));
    }
    let contents = outside::read(&configuration, LARGEST_CONFIGURATION_BYTES)?;
    let contents = String::from_utf8_lossy(&contents);
    // Comments make it no JSON. asv's default is the folder "benchmarks".
    let named = BENCHMARK_FOLDER
        .captures(&contents)
        .and_then(|found| found.get(1));
    let named = named.map_or("benchmarks", |found| found.as_str());
    Ok(Some(configuration.with_file_name(named)))
}

/// A file for another tool.
#[derive(Debug)]
pub struct File<'a> {
    /// Its path.
    pub path: &'a Path,
    /// The tool.
    pub format: Format,
    /// Arguments of a script.
    pub arguments: &'a [String],
    /// The expression by which pytest selects tests, as its option `-k`.
    pub keyword: Option<&'a str>,
    /// A folder of modules that it imports.
    pub modules: Option<&'a Path>,
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
pub fn cases(python: &Path, worker: &Path, file: &File<'_>) -> Result<Vec<String>, String> {
    let mut environment = environment::of_this_process(worker);
    if let (Some(folder), Some(path)) = (file.modules, environment.get_mut("PYTHONPATH")) {
        path.push_str(&format!(":{}", folder.display()));
    }
    let mut command = Command::new(python);
    command
        .args(["-s", "-m", "ftbench_worker.cases", file.format.name()])
        .arg(file.path)
        .args(file.arguments)
        .env_clear()
        .envs(environment);
    if let Some(keyword) = file.keyword {
        command.env("FTBENCH_KEYWORD", keyword);
    }
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
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::file_tree::file_tree;

    #[test]
    fn files_for_other_tools_are_recognised() {
        for (format, source) in [
            (Format::Pyperf, "import pyperf\nrunner = pyperf.Runner()\n"),
            (Format::Pyperf, "if True:\n    import pyperf\n"),
            (Format::Pyperf, "import os, os.path as p, pyperf\n"),
            (Format::Pyperf, "from pyperf import perf_counter, Runner\n"),
            (Format::Asv, "def time_keys():\n    pass\n"),
            (
                Format::Asv,
                "class Suite:\n    def peakmem_list(self, n):\n        pass\n",
            ),
            (Format::Asv, "class TimeSuite:\n    def time(self): ...\n"),
            (Format::Pytest, "def test_a(benchmark):\n    benchmark(f)\n"),
            (
                Format::Pytest,
                "class TestA:\n    def test_a(self, tmp_path, benchmark: Fixture): ...\n",
            ),
            (Format::Pytest, "@pytest.mark.benchmark\ndef test_a(): ...\n"),
            (Format::Pytest, "def time_it(): ...\ndef test_a(benchmark): ...\n"),
        ] {
            assert_eq!(format_of(source), Some(format), "{source}");
            assert!(has_benchmarks(source), "{source}");
        }
        for source in [
            "",
            "import pyperformance\n",
            "import notpyperf, other.pyperf\n",
            "from pyperf import perf_counter\n",
            "# import pyperf\n",
            "def test_a(tmp_path): ...\n",
            "def run(benchmark): ...\n",
            "def timeout(): ...\ndef tracker(): ...\n",
        ] {
            assert_eq!(format_of(source), None, "{source}");
            assert!(!has_benchmarks(source), "{source}");
        }
        for source in [
            "import pyperf\ndef work(data, units): ...\n",
            "def time_a(): ...\nasync def work_async(data, units): ...\n",
            "# /// script\n# [tool.ftbench.cases]\n# a = \"\"\n# ///\nimport pyperf\ndef work_a(data, units): ...\n",
        ] {
            assert_eq!(format_of(source), None, "{source}");
            assert!(has_benchmarks(source), "{source}");
        }
    }

    #[test]
    fn the_folder_of_a_project_for_asv_is_the_one_that_its_configuration_names() {
        let with = |configuration: &str| {
            let root = file_tree(&[(ASV_CONFIGURATION, configuration)]);
            let of = |path: &Path| folder_of_benchmarks(path).unwrap().unwrap();
            let found = of(root.path());
            assert_eq!(found, of(&root.path().join(ASV_CONFIGURATION)));
            found.strip_prefix(root.path()).unwrap().to_owned()
        };
        for (named, configuration) in [
            (
                "bench/marks",
                "{\n  // \"benchmark_dir\": \"no\",\n  \"benchmark_dir\": \"bench/marks\",\n}",
            ),
            ("benchmarks", "{\"version\": 1}"),
        ] {
            assert_eq!(with(configuration), Path::new(named));
        }
        let other = file_tree(&[("a.py", ""), ("other.json", "{}")]);
        let found = |name: &str| folder_of_benchmarks(&other.path().join(name)).unwrap();
        assert_eq!((found("a.py"), found("other.json")), (None, None));
        assert_eq!(
            folder_of_benchmarks(other.path()).unwrap().as_deref(),
            Some(other.path())
        );
    }
}
