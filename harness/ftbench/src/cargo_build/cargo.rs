//! Finds cargo and runs it.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::store::{Place, StepError};
use crate::outside;
use crate::process::guarded_program::guarded;

/// Environment variables that would redirect a build.
const REMOVED: [&str; 6] = [
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
    "PYO3_CONFIG_FILE",
    "PYO3_CROSS",
    "PYO3_NO_PYTHON",
    "PYO3_PYTHON",
];

/// The maximum number of characters of cargo's output that a message quotes.
const QUOTED_CHARACTERS: usize = 200;

/// The maximum number of bytes of cargo's log that are searched for its first error.
const MAX_LOG_BYTES: u64 = 4 << 20;

/// Finds cargo on the `PATH`, or the one that rustup installs into the home folder, which is on the `PATH` only after
/// the next login.
#[must_use]
pub fn find_cargo() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let cargo_home = match std::env::var_os("CARGO_HOME") {
        Some(folder) => Some(PathBuf::from(folder)),
        None => std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")),
    };
    std::env::split_paths(&path)
        .chain(cargo_home.map(|folder| folder.join("bin")))
        .map(|folder| folder.join("cargo"))
        .find(|path| {
            path.metadata()
                .is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
        })
}

/// One run of cargo.
#[derive(Debug)]
pub struct Cargo<'a> {
    place: &'a Place,
    folder: &'a Path,
    variables: Vec<(&'static str, PathBuf)>,
    arguments: Vec<OsString>,
}

/// A product of a build (<https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages>).
#[derive(Debug, Deserialize)]
pub struct Artifact {
    reason: String,
    manifest_path: Option<PathBuf>,
    /// The executable, if the artifact is a program.
    pub executable: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

impl Artifact {
    /// Whether it belongs to the package with this manifest, rather than to one of its dependencies.
    fn is_of(&self, manifest: &Path) -> bool {
        let own = self.manifest_path.as_ref();
        own.is_some_and(|path| path.canonicalize().is_ok_and(|path| path == manifest))
    }

    /// The shared library, if the artifact has one.
    #[must_use]
    pub fn shared_library(&self) -> Option<PathBuf> {
        let is_shared = |path: &&PathBuf| path.extension().is_some_and(|suffix| suffix == "so");
        self.filenames.iter().find(is_shared).cloned()
    }
}

impl<'a> Cargo<'a> {
    /// Prepares a release build of the package in a folder, with the dependencies that its `Cargo.lock` names.
    pub fn new(subcommand: &str, folder: &'a Path, place: &'a Place) -> Self {
        let mut cargo = Self {
            place,
            folder,
            variables: Vec::new(),
            arguments: Vec::new(),
        };
        cargo.add([subcommand, "--release", "--locked", "--manifest-path"]);
        cargo.arguments.push(folder.join("Cargo.toml").into());
        cargo.add(["--target-dir"]);
        cargo.arguments.push(place.target().into());
        cargo
    }

    /// Sets a variable of its environment.
    pub fn set(&mut self, name: &'static str, value: &Path) {
        self.variables.push((name, value.to_owned()));
    }

    /// Adds arguments to its command line.
    pub fn add<'w>(&mut self, arguments: impl IntoIterator<Item = &'w str>) {
        self.arguments.extend(arguments.into_iter().map(OsString::from));
    }

    /// Runs it and returns the artifact of the package itself that `wanted` selects.
    pub fn product(&self, wanted: impl Fn(&Artifact) -> Option<PathBuf>) -> Result<PathBuf, StepError> {
        let program = find_cargo().ok_or(StepError::NoCargo)?;
        let log = self.place.log();
        let io = |error| StepError::Io(log.clone(), error);
        let errors = File::create(&log).map_err(io)?;
        let mut command = Command::new(&program);
        let mut arguments = self.arguments.clone();
        // Before the arguments for rustc.
        arguments.insert(1, "--message-format=json-render-diagnostics".into());
        command
            .args(arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder);
        for name in REMOVED {
            if !self.variables.iter().any(|(set, _)| *set == name) {
                command.env_remove(name);
            }
        }
        let not_started = |error| StepError::Io(program, error);
        let (mut command, program_guard) = match guarded(&command) {
            Ok(guarded) => guarded,
            Err(error) => return Err(not_started(error)),
        };
        let output = command.stderr(errors).output().map_err(not_started)?;
        drop(program_guard);
        if !output.status.success() {
            return Err(self.failed(reason(&outside::beginning(&log, MAX_LOG_BYTES))));
        }
        let manifest = self.folder.join("Cargo.toml").canonicalize().map_err(io)?;
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<Artifact>(line).ok())
            .filter(|artifact| artifact.reason == "compiler-artifact")
            .filter(|artifact| artifact.is_of(&manifest))
            .find_map(|artifact| wanted(&artifact))
            .ok_or_else(|| {
                self.failed("it made no shared library; set crate-type = [\"cdylib\"] in [lib]".to_owned())
            })
    }

    fn failed(&self, reason: String) -> StepError {
        let variables = self
            .variables
            .iter()
            .map(|(name, value)| format!("{name}={} ", value.display()));
        let arguments = self.arguments.iter().map(|word| word.to_string_lossy());
        // The linker's arguments are in the log.
        let arguments: Vec<_> = arguments.take_while(|word| word != "--").collect();
        StepError::Cargo {
            reason,
            command: format!("{}cargo {}", variables.collect::<String>(), arguments.join(" ")),
        }
    }
}

/// The most informative line of cargo's output: the first error, or else the last line.
fn reason(output: &str) -> String {
    let lines = || output.lines().map(str::trim).filter(|line| !line.is_empty());
    let first_error = lines().find(|line| line.starts_with("error"));
    let line = first_error
        .or_else(|| lines().next_back())
        .unwrap_or("it printed nothing");
    line.trim_start_matches("error: ")
        .chars()
        .filter(|letter| !letter.is_control())
        .take(QUOTED_CHARACTERS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_the_reason() {
        assert_eq!(
            reason("  Compiling x\nerror: failed to run custom build command\n\nCaused by:\n  y\n"),
            "failed to run custom build command"
        );
        assert_eq!(
            reason("error[E0425]: cannot find\nwarning: 1"),
            "error[E0425]: cannot find"
        );
        assert_eq!(reason("a\nb\n"), "b");
        assert_eq!(reason(""), "it printed nothing");
    }

    #[test]
    fn the_shared_library_is_found_among_the_files() {
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/a/Cargo.toml","executable":null,
            "filenames":["/t/liba.rlib","/t/liba.so"]}"#;
        let artifact: Artifact = serde_json::from_str(line).unwrap_or_else(|error| unreachable!("{error}"));
        assert_eq!(artifact.shared_library(), Some(PathBuf::from("/t/liba.so")));
    }
}
