//! Shared by the end-to-end tests: ftbench in a clean environment, the pair of interpreters that it runs on, and
//! readers of what it writes.

pub mod driver;
pub mod machine;
pub mod mark;
pub mod paths;
pub mod slurm;

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::Duration;

use ftbench_schema::{CellStatus, CellSummary, Manifest, Model, Summary, Trial, WarningKind};
use serde_json::Value;
use tempfile::TempDir;

use machine::Use;

/// The program under test.
pub const FTBENCH: &str = env!("CARGO_BIN_EXE_ftbench");

/// Set by contributors on whose machine no file system can be mounted, even in a user name space. CI must not set it,
/// because a skipped test proves nothing.
pub const SKIP_MOUNTS: &str = "FTBENCH_SKIP_MOUNT_TESTS";

/// Whether tests that mount file systems are to be skipped. Prints a note when they are.
pub fn are_mounts_skipped() -> bool {
    let skipped = std::env::var_os(SKIP_MOUNTS).is_some();
    if skipped {
        println!("skipped: {SKIP_MOUNTS} is set");
    }
    skipped
}

/// A command that takes longer than this is considered hung.
const TIME_LIMIT: Duration = Duration::from_secs(1_200);

/// The variables that are needed to find interpreters, to run programs and to reach package indexes. Variables that
/// begin with one of [`INHERITED_PREFIXES`] are inherited too, and nothing else.
const INHERITED: [&str; 12] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "PYENV_ROOT",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
];
const INHERITED_PREFIXES: [&str; 4] = ["UV_", "PIP_", "SSL_CERT_", "CARGO_REGISTRIES_"];

/// The part of the environment that commands under test inherit.
fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    let inherited = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        INHERITED.contains(&name.as_ref()) || INHERITED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    });
    inherited.map(|(name, value)| {
        let value = if name == "PATH" { path() } else { value };
        (name, value)
    })
}

/// The GIL build and the free-threaded build that FTBENCH_TEST_PYTHONS names for use instead of the newest pair.
fn given() -> Option<[PathBuf; 2]> {
    let given = std::env::var_os("FTBENCH_TEST_PYTHONS")?;
    let paths: Vec<PathBuf> = given.to_str()?.split(',').map(PathBuf::from).collect();
    let Ok(paths) = paths.try_into() else {
        panic!("FTBENCH_TEST_PYTHONS=GIL_BUILD,FREE_THREADED_BUILD takes the paths of two executables")
    };
    Some(paths)
}

/// The `PATH`, with the folders of the given executables before all others, so that ftbench finds them.
pub fn path() -> OsString {
    let folders = given().into_iter().flatten();
    let folders = folders.filter_map(|python| Some(python.parent()?.to_owned()));
    let users = std::env::var_os("PATH").unwrap();
    std::env::join_paths(folders.chain(std::env::split_paths(&users))).unwrap()
}

/// A temporary working folder, removed when dropped.
pub struct Sandbox {
    folder: TempDir,
    machine: Use,
}

/// The exit status and the output of a command.
pub struct CommandOutput {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Sandbox {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            machine: Use::Alone,
        }
    }

    /// A sandbox for a test whose assertions hold whatever else the machine does.
    pub fn sharing_the_machine() -> Self {
        Self {
            machine: Use::Shared,
            ..Self::new()
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file; returns its path as a word for a command line.
    pub fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Writes an executable shell script; returns its path.
    pub fn script(&self, name: &str, body: &str) -> String {
        let path = self.file(name, format!("#!/bin/sh\n{body}\n"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// ftbench with `words` as its arguments, in this folder and a clean environment. When the command measures, other
    /// tests wait until the calling one ends, unless both share the machine.
    pub fn command(&self, words: &str) -> Command {
        if machine::measures(words) {
            machine::lock(self.machine);
        }
        let mut command = Command::new(FTBENCH);
        command
            .args(words.split_whitespace())
            .current_dir(self.path())
            .env_clear()
            .envs(environment())
            .env("LANG", "C.UTF-8");
        command
    }

    pub fn ftbench(&self, words: &str) -> CommandOutput {
        output_of(self.command(words))
    }

    /// `ftbench run` with the quick profile into the folder `out`, which must exit with `status`. Takes three samples
    /// unless `words` give a number.
    #[track_caller]
    pub fn run(&self, out: &str, words: &str, status: i32) -> Run {
        let samples = if words.contains("--samples") {
            ""
        } else {
            "--samples 3"
        };
        let output = self.ftbench(&format!("run --profile quick {samples} --out {out} {words}"));
        output.exits_with(status);
        Run {
            folder: self.path().join(out),
            output,
        }
    }
}

/// Runs a command and returns its output.
pub fn output_of(command: Command) -> CommandOutput {
    output_within(command, TIME_LIMIT)
}

/// Runs a command that may take up to `limit`.
pub fn output_within(command: Command, limit: Duration) -> CommandOutput {
    let output = assert_cmd::Command::from_std(command)
        .timeout(limit)
        .output()
        .unwrap();
    CommandOutput::of(output)
}

impl CommandOutput {
    /// The output of a process that has exited. Fails when it panicked.
    #[track_caller]
    pub fn of(output: Output) -> Self {
        let output = Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
        output
    }

    #[track_caller]
    pub fn exits_with(&self, status: i32) {
        assert_eq!(
            self.status,
            Some(status),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
    }

    /// Checks that the command or its input was refused: see [`CommandOutput::fails`], with status 2.
    #[track_caller]
    pub fn refuses(&self, words: &[&str], lines: usize) {
        self.fails(2, words, lines);
    }

    /// Checks that the command failed with this status, an empty standard output, and an error message of at most
    /// `lines` lines that contains these words. clap's pointers to the help are not counted.
    #[track_caller]
    pub fn fails(&self, status: i32, words: &[&str], lines: usize) {
        self.exits_with(status);
        assert_eq!(self.stdout, "");
        let errors = self.errors();
        assert!(errors.starts_with("error: "), "{}", self.stderr);
        self.stderr_has(words);
        let message = errors.lines().filter(|line| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with("Usage:") && !line.starts_with("For more information")
        });
        assert!(
            message.count() <= lines,
            "more than {lines} lines:\n{}",
            self.stderr
        );
    }

    /// Standard error without the warnings about pre-releases at its beginning.
    pub fn errors(&self) -> String {
        let is_about_pre_release =
            |line: &&str| line.starts_with("warning: ") && line.contains(" is a pre-release, ");
        let lines: Vec<&str> = self.stderr.lines().skip_while(is_about_pre_release).collect();
        lines.join("\n")
    }

    /// Checks that standard error contains these words.
    #[track_caller]
    pub fn stderr_has(&self, words: &[&str]) {
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in:\n{}", self.stderr);
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// A finished or stopped run: its folder, and the output of the command that made it.
pub struct Run {
    pub folder: PathBuf,
    pub output: CommandOutput,
}

impl Run {
    pub fn read(&self, name: &str) -> Vec<u8> {
        let path = self.folder.join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub fn manifest(&self) -> Manifest {
        serde_json::from_slice(&self.read("run.json")).unwrap()
    }

    pub fn summary(&self) -> Summary {
        serde_json::from_slice(&self.read("summary.json")).unwrap()
    }

    /// Every line of `trials.jsonl`, the last of which must end with a line end.
    pub fn trials(&self) -> Vec<Trial> {
        let text = self.text("trials.jsonl");
        assert!(text.is_empty() || text.ends_with('\n'));
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// All cells of a workload.
    pub fn cells(&self, workload: &str) -> Vec<CellSummary> {
        let mut cells = self.summary().cells;
        cells.retain(|cell| cell.workload == workload);
        assert!(!cells.is_empty(), "no cell of {workload}");
        cells
    }

    pub fn cell(&self, workload: &str, interpreter: &str, model: Model, workers: u32) -> CellSummary {
        let found = self
            .cells(workload)
            .into_iter()
            .find(|cell| cell.interpreter == interpreter && cell.model == model && cell.workers == workers);
        found.unwrap_or_else(|| panic!("no cell {workload} {interpreter} {model} x{workers}"))
    }

    /// Checks that every cell of the workload was measured.
    #[track_caller]
    pub fn all_ok(&self, workload: &str) {
        for cell in self.cells(workload) {
            assert_eq!(cell.status, CellStatus::Ok, "{}: {:?}", cell.cell, cell.reason);
            assert!(cell.rounds > 0 && cell.samples > 0, "{}", cell.cell);
        }
    }

    /// Checks that every cell of the workload has this status and a reason with these words.
    #[track_caller]
    pub fn all_have(&self, workload: &str, status: CellStatus, words: &[&str]) {
        for cell in self.cells(workload) {
            let reason = cell.reason.clone().unwrap_or_default();
            assert_eq!(cell.status, status, "{}: {reason}", cell.cell);
            for word in words {
                assert!(reason.contains(word), "no {word:?} for {}:\n{reason}", cell.cell);
            }
        }
    }
}

/// Tags of a GIL build and a free-threaded build of one version.
pub struct Pair {
    pub gil: String,
    pub free_threaded: String,
}

impl Pair {
    pub fn tags(&self) -> [&str; 2] {
        [&self.gil, &self.free_threaded]
    }

    /// Both tags, as the value of `-p`.
    pub fn words(&self) -> String {
        self.tags().join(",")
    }
}

/// The interpreters that `ftbench python list` finds.
pub fn interpreters() -> &'static [Value] {
    static LIST: OnceLock<Vec<Value>> = OnceLock::new();
    LIST.get_or_init(|| {
        let output = Sandbox::new().ftbench("python list --format json");
        output.exits_with(0);
        output.json().as_array().unwrap().clone()
    })
}

/// The pair that the tests run on. It is required, because a skipped test proves nothing.
pub fn pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| match given() {
        Some(given) => given_pair(&given),
        None => newest_pair(),
    })
}

/// Whether a cell failed because a package has no wheel for a release candidate, which is not a fault of ftbench's.
pub fn has_no_wheel_yet(cell: &CellSummary, summary: &Summary) -> bool {
    let mut kinds = summary.warnings.iter().map(|warning| warning.kind);
    let reason = cell.reason.as_deref().unwrap_or_default();
    reason.starts_with("no wheel of ") && kinds.any(|kind| kind == WarningKind::PreRelease)
}

fn given_pair(given: &[PathBuf; 2]) -> Pair {
    let [gil, free_threaded] = given.each_ref().map(|python| {
        let real = std::fs::canonicalize(python).unwrap();
        let found = interpreters()
            .iter()
            .find(|one| one["path"] == real.to_str().unwrap());
        let found = found.unwrap_or_else(|| panic!("ftbench does not find {}", real.display()));
        let tag = found["tag"].as_str().unwrap().to_owned();
        (tag, found["free_threaded"] == true)
    });
    assert!(
        !gil.1 && free_threaded.1,
        "FTBENCH_TEST_PYTHONS names the GIL build first"
    );
    Pair {
        gil: gil.0,
        free_threaded: free_threaded.0,
    }
}

/// The pair that `run` chooses: the newest one, without pre-releases.
pub fn newest_pair() -> Pair {
    let is_release = |one: &&Value| {
        let version = one["version"].as_str().unwrap_or_default();
        version
            .chars()
            .all(|letter| letter.is_ascii_digit() || letter == '.')
    };
    let releases = interpreters().iter().filter(is_release);
    let tags: Vec<&str> = releases.filter_map(|one| one["tag"].as_str()).collect();
    let minor = |tag: &&str| tag.strip_prefix("3.").and_then(|minor| minor.parse::<u32>().ok());
    let newest = tags
        .iter()
        .filter(|gil| tags.contains(&format!("{gil}t").as_str()))
        .filter_map(|gil| Some((minor(gil)?, gil)))
        .max();
    let Some((_, gil)) = newest else {
        panic!(
            "these tests need a GIL and a free-threaded build of one version of CPython, and ftbench finds only \
             {tags:?}; `make test` gets them (scripts/install-python.sh --newest-pair)"
        )
    };
    Pair {
        gil: (*gil).to_owned(),
        free_threaded: format!("{gil}t"),
    }
}

/// The path of the interpreter with this tag.
pub fn executable(tag: &str) -> PathBuf {
    let found = interpreters().iter().find(|one| one["tag"] == tag);
    PathBuf::from(found.unwrap()["path"].as_str().unwrap())
}

/// The cache folder of the user who runs the tests.
pub fn users_cache() -> PathBuf {
    std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"),
        PathBuf::from,
    )
}

/// The PUs that this process may use.
pub fn allowed_pus() -> Vec<u32> {
    let output = Sandbox::new().ftbench("topology --format json");
    output.exits_with(0);
    let report = output.json();
    let allowed = report["allowed_pus"].as_array().unwrap().iter();
    allowed
        .map(|pu| u32::try_from(pu.as_u64().unwrap()).unwrap())
        .collect()
}

/// Numbers of workers, 1 and 2 where the machine has room for it, as the value of `-n`.
pub fn counts() -> &'static str {
    if allowed_pus().len() >= 2 { "1,2" } else { "1" }
}
