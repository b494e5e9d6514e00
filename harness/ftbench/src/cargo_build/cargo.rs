//! Finds cargo and runs it.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::store::{Place, StepError};
use crate::outside;
use crate::process::leash::leashed;

/// Variables that would lead a build elsewhere than ftbench does.
const REMOVED: [&str; 6] = [
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
    "PYO3_CONFIG_FILE",
    "PYO3_CROSS",
    "PYO3_NO_PYTHON",
    "PYO3_PYTHON",
];

/// Most of cargo's words that a message repeats, characters.
const QUOTED_CHARACTERS: usize = 200;

/// Most of cargo's log in which its first error is looked for, bytes.
const MOST_LOG_BYTES: u64 = 4 << 20;

/// The cargo of the `PATH`, or the one that rustup puts into the home folder, which is on the `PATH` of later sessions
/// only.
#[must_use]
pub fn find_cargo() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let of_cargo = match std::env::var_os("CARGO_HOME") {
        Some(folder) => Some(PathBuf::from(folder)),
        None => std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")),
    };
    std::env::split_paths(&path)
        .chain(of_cargo.map(|folder| folder.join("bin")))
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
    words: Vec<OsString>,
}

/// Something that cargo made (<https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages>).
#[derive(Debug, Deserialize)]
pub struct Artifact {
    reason: String,
    manifest_path: Option<PathBuf>,
    /// The program, of a program.
    pub executable: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

impl Artifact {
    /// Whether it was made of the package with this manifest, rather than of one of its dependencies.
    fn is_of(&self, manifest: &Path) -> bool {
        let own = self.manifest_path.as_ref();
        own.is_some_and(|path| path.canonicalize().is_ok_and(|path| path == manifest))
    }

    /// The shared library, of a library that is one.
    #[must_use]
    pub fn shared_library(&self) -> Option<PathBuf> {
        let is_shared = |path: &&PathBuf| path.extension().is_some_and(|suffix| suffix == "so");
        self.filenames.iter().find(is_shared).cloned()
    }
}

impl<'a> Cargo<'a> {
    /// Of the package in a folder, optimised, with the dependencies that its `Cargo.lock` names.
    pub fn new(subcommand: &str, folder: &'a Path, place: &'a Place) -> Self {
        let mut cargo = Self {
            place,
            folder,
            variables: Vec::new(),
            words: Vec::new(),
        };
        cargo.add([subcommand, "--release", "--locked", "--manifest-path"]);
        cargo.words.push(folder.join("Cargo.toml").into());
        cargo.add(["--target-dir"]);
        cargo.words.push(place.target().into());
        cargo
    }

    /// Sets a variable of its environment.
    pub fn set(&mut self, name: &'static str, value: &Path) {
        self.variables.push((name, value.to_owned()));
    }

    /// Adds words to its command line.
    pub fn add<'w>(&mut self, words: impl IntoIterator<Item = &'w str>) {
        self.words.extend(words.into_iter().map(OsString::from));
    }

    /// Runs it, and finds what it made of the package itself.
    pub fn product(&self, wanted: impl Fn(&Artifact) -> Option<PathBuf>) -> Result<PathBuf, StepError> {
        let program = find_cargo().ok_or(StepError::NoCargo)?;
        let log = self.place.log();
        let io = |error| StepError::Io(log.clone(), error);
        let errors = File::create(&log).map_err(io)?;
        let mut command = Command::new(&program);
        let mut words = self.words.clone();
        // Before what is meant for rustc.
        words.insert(1, "--message-format=json-render-diagnostics".into());
        command
            .args(words)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder);
        for name in REMOVED {
            if !self.variables.iter().any(|(set, _)| *set == name) {
                command.env_remove(name);
            }
        }
        let started = |error| StepError::Io(program, error);
        let (mut command, leash) = match leashed(&command) {
            Ok(leashed) => leashed,
            Err(error) => return Err(started(error)),
        };
        let output = command.stderr(errors).output().map_err(started)?;
        drop(leash);
        if !output.status.success() {
            return Err(self.failed(reason(&outside::beginning(&log, MOST_LOG_BYTES))));
        }
        let manifest = self.folder.join("Cargo.toml").canonicalize().map_err(io)?;
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<Artifact>(line).ok())
            .filter(|artifact| artifact.reason == "compiler-artifact")
            .filter(|artifact| artifact.is_of(&manifest))
            .find_map(|artifact| wanted(&artifact))
            .ok_or_else(|| {
                self.failed("it made no shared library; give the [lib] crate-type = [\"cdylib\"]".to_owned())
            })
    }

    fn failed(&self, reason: String) -> StepError {
        let variables = self
            .variables
            .iter()
            .map(|(name, value)| format!("{name}={} ", value.display()));
        let words = self.words.iter().map(|word| word.to_string_lossy());
        // Words for the linker are in the log.
        let words: Vec<_> = words.take_while(|word| word != "--").collect();
        StepError::Cargo {
            reason,
            command: format!("{}cargo {}", variables.collect::<String>(), words.join(" ")),
        }
    }
}

/// The line of cargo's words that tells most: the first error.
fn reason(said: &str) -> String {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let first_error = lines().find(|line| line.starts_with("error"));
    let line = first_error
        .or_else(|| lines().next_back())
        .unwrap_or("it said nothing");
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
    fn the_first_error_tells_most() {
        assert_eq!(
            reason("  Compiling x\nerror: failed to run custom build command\n\nCaused by:\n  y\n"),
            "failed to run custom build command"
        );
        assert_eq!(
            reason("error[E0425]: cannot find\nwarning: 1"),
            "error[E0425]: cannot find"
        );
        assert_eq!(reason("a\nb\n"), "b");
        assert_eq!(reason(""), "it said nothing");
    }

    #[test]
    fn the_shared_library_is_found_among_what_was_made() {
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/a/Cargo.toml","executable":null,
            "filenames":["/t/liba.rlib","/t/liba.so"]}"#;
        let artifact: Artifact = serde_json::from_str(line).unwrap_or_else(|error| unreachable!("{error}"));
        assert_eq!(artifact.shared_library(), Some(PathBuf::from("/t/liba.so")));
    }
}
