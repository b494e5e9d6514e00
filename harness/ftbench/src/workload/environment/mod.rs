//! Environments: the packages of workloads, installed once for each interpreter and set of requirements.
//!
//! An environment is a virtual environment below ftbench's cache folder, named after a digest of everything that
//! determines its contents. It is made in a folder beside its own and renamed, so that it exists completely or not at
//! all, and under a lock, so that two ftbench processes do not both make it. The installer's output is kept beside it.

mod archived;
pub mod complaint;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod installer;
mod lock;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::requirement::{Requirement, RequirementError};
use crate::outside;
use ftbench_schema::{InterpreterFacts, PackageFacts};
use installer::Installation;
pub use installer::{Hooks, Installer};
pub use lock::Lock;

/// Version of the way environments are made. Raise it with every change, so that older environments are not used.
const FORMAT: u32 = 2;

/// File in an environment that describes it. It is written last.
const RECORD: &str = "ftbench-environment.json";

/// Largest such file that is read, bytes: many times that of an environment with a thousand packages.
const LARGEST_RECORD_BYTES: u64 = 4 << 20;

/// An environment that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The interpreter.
    pub interpreter: InterpreterFacts,
    /// The packages to install, sorted, each once.
    pub requirements: BTreeSet<Requirement>,
    /// The lock file that pins the workload's own requirements.
    pub lock: Option<Lock>,
    /// Whether packages without a wheel may be built from source.
    pub source_builds: bool,
    /// Whether each package is installed without its dependencies, and one that cannot be installed leaves the others
    /// there.
    pub independently: bool,
    /// Digests of the files to install, as the index gives them. An environment of other files is another one.
    pub hashes: BTreeSet<String>,
}

/// An environment that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its folder.
    pub path: PathBuf,
    /// Its Python.
    pub python: PathBuf,
    /// What it contains.
    pub record: Record,
}

/// The contents of an environment, as its own file describes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The requested packages.
    pub requirements: Vec<String>,
    /// The installed packages.
    pub packages: Vec<PackageFacts>,
    /// The installer, with its version.
    pub installer: String,
    /// SHA-256 of the lock file's contents, hexadecimal.
    pub lock_sha256: Option<String>,
    /// Why packages that are installed independently are missing, by requirement.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, String>,
}

/// Why there is no environment.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// A requirement is malformed.
    #[error(transparent)]
    Requirement(#[from] RequirementError),
    /// A file that the environment depends on cannot be read, or one of its own cannot be written.
    #[error("cannot prepare an environment: {}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The lock file cannot be used.
    #[error(transparent)]
    Lock(#[from] lock::LockError),
    /// The installer failed.
    #[error("{complaint} (full output of the installer: {})", log.display())]
    Failed {
        /// Package, build and the installer's own line.
        complaint: String,
        /// The file with its output.
        log: PathBuf,
    },
    /// ftbench was interrupted.
    #[error("interrupted while packages were being installed")]
    Interrupted,
}

impl Wanted {
    /// The packages' names, for messages.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.requirements.iter().map(Requirement::name).collect();
        names.dedup();
        names
    }

    /// Name of the environment's folder: the build, and a digest of everything that determines the contents.
    fn key(&self) -> Result<String, EnvironmentError> {
        Ok(key_of(&self.identity()?))
    }

    /// Everything that determines the contents.
    fn identity(&self) -> Result<Value, EnvironmentError> {
        let executable = Path::new(&self.interpreter.path);
        let facts = fs::metadata(executable).map_err(failed(executable))?;
        let mut local = Vec::new();
        for requirement in &self.requirements {
            let unreadable = |error| failed(Path::new(&requirement.to_string()))(error);
            local.extend(
                requirement
                    .contents()
                    .map_err(unreadable)?
                    .map(|(_, digest)| digest),
            );
        }
        let mut identity = serde_json::json!({
            "kind": FORMAT,
            "path": self.interpreter.path,
            "version": self.interpreter.version,
            "free_threaded": self.interpreter.free_threaded,
            "build": self.interpreter.build,
            "size": facts.size(),
            "changed": [facts.mtime(), facts.mtime_nsec()],
            "requirements": self.texts(),
            "local": local,
            "lock": self.lock.as_ref().map(Lock::sha256),
            "source_builds": self.source_builds,
        });
        if self.independently {
            identity["independently"] = true.into();
            identity["hashes"] = serde_json::json!(self.hashes);
        }
        Ok(identity)
    }

    fn texts(&self) -> Vec<String> {
        self.requirements.iter().map(ToString::to_string).collect()
    }
}

/// Name of the folder of an environment with this identity.
fn key_of(identity: &Value) -> String {
    let digest = hex::encode(Sha256::digest(identity.to_string()));
    let threads = if identity["free_threaded"] == true {
        "t"
    } else {
        ""
    };
    let version = identity["version"].as_str().unwrap_or_default();
    format!("{version}{threads}-{}", digest.get(..16).unwrap_or(&digest))
}

/// The folder that environments are in.
#[derive(Debug, Clone)]
pub struct Environments {
    folder: PathBuf,
    tools: PathBuf,
}

impl Environments {
    /// The environments below ftbench's cache folder.
    #[must_use]
    pub fn below(cache: &Path) -> Self {
        Self {
            folder: cache.join("environments"),
            tools: cache.join("tools/bin"),
        }
    }

    /// The program that installs packages without a lock file.
    #[must_use]
    pub fn installer(&self) -> Installer {
        Installer::find_any(&self.tools)
    }

    /// Whether a file is in one of the environments.
    #[must_use]
    pub fn have(&self, file: &Path) -> bool {
        file.starts_with(&self.folder)
    }

    /// The environment, if it exists already.
    ///
    /// # Errors
    /// When a file that it depends on cannot be read.
    pub fn find(&self, wanted: &Wanted) -> Result<Option<Environment>, EnvironmentError> {
        Ok(finished_in(&self.folder.join(wanted.key()?)))
    }

    /// The environment, which is made if it does not exist.
    ///
    /// # Errors
    /// When the installer fails, or a file cannot be read or written.
    pub fn make(&self, wanted: &Wanted, hooks: &Hooks<'_>) -> Result<Environment, EnvironmentError> {
        let key = wanted.key()?;
        fs::create_dir_all(&self.folder).map_err(failed(&self.folder))?;
        let path = self.folder.join(&key);
        let _locked = acquire_lock(&self.folder.join(format!("{key}.lock")), hooks)?;
        if let Some(made) = finished_in(&path) {
            return Ok(made);
        }
        let staging = self.folder.join(format!("{key}.making"));
        // What a killed ftbench left behind.
        for leftover in [&path, &staging] {
            remove(leftover).map_err(failed(leftover))?;
        }
        let installation = Installation {
            wanted,
            folder: &staging,
            log: &self.folder.join(format!("{key}.log")),
            hooks,
        };
        let made = Installer::find(&self.tools, wanted.lock.as_ref())
            .map_err(EnvironmentError::from)
            .and_then(|installer| installation.install(&installer))
            .and_then(|record| write_record(&staging, &record));
        let renamed = made.and_then(|()| fs::rename(&staging, &path).map_err(failed(&path)));
        if let Err(error) = renamed {
            // The first failure is the one to report.
            let _ = remove(&staging);
            return Err(error);
        }
        finished_in(&path).ok_or_else(|| EnvironmentError::File {
            path,
            source: io::ErrorKind::NotFound.into(),
        })
    }
}

/// The environment in a folder, if it was finished and its interpreter still exists.
fn finished_in(path: &Path) -> Option<Environment> {
    let record = outside::read(&path.join(RECORD), LARGEST_RECORD_BYTES).ok()?;
    let python = python_in(path);
    python.exists().then_some(())?;
    Some(Environment {
        path: path.to_owned(),
        python,
        record: serde_json::from_slice(&record).ok()?,
    })
}

fn python_in(folder: &Path) -> PathBuf {
    folder.join("bin/python")
}

fn write_record(folder: &Path, record: &Record) -> Result<(), EnvironmentError> {
    let path = folder.join(RECORD);
    let text = serde_json::to_vec_pretty(record).map_err(|error| failed(&path)(error.into()))?;
    fs::write(&path, text).map_err(failed(&path))
}

/// Waits until no other ftbench is making the same environment.
fn acquire_lock(path: &Path, hooks: &Hooks<'_>) -> Result<File, EnvironmentError> {
    let file = File::create(path).map_err(failed(path))?;
    let mut reported = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(failed(path)(error)),
            Err(TryLockError::WouldBlock) => {
                if !reported {
                    (hooks.report)("waiting for another ftbench that installs the same packages");
                    reported = true;
                }
                hooks.pause()?;
            }
        }
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> EnvironmentError {
    let path = path.to_owned();
    move |source| EnvironmentError::File { path, source }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn wanted(executable: &Path, requirements: &[&str]) -> Wanted {
        Wanted {
            interpreter: InterpreterFacts {
                tag: "3.13t".to_owned(),
                path: executable.display().to_string(),
                ..ftbench_fixtures::interpreters::facts("3.13.15t")
            },
            requirements: requirements.iter().map(|word| word.parse().unwrap()).collect(),
            lock: None,
            source_builds: false,
            independently: false,
            hashes: BTreeSet::new(),
        }
    }

    #[test]
    fn key_depends_on_requirements_and_build() {
        let folder = tempfile::tempdir().unwrap();
        let executable = folder.path().join("python");
        fs::write(&executable, "1").unwrap();
        let key = |words: &[&str]| wanted(&executable, words).key().unwrap();
        let first = key(&["six", "numpy>=2"]);
        assert!(first.starts_with("3.13.15t-"), "{first}");
        assert_eq!(first, key(&["numpy>=2", "six", "six"]), "order and repetition");
        assert_ne!(first, key(&["numpy", "six"]));
        let built = Wanted {
            source_builds: true,
            ..wanted(&executable, &["six", "numpy>=2"])
        };
        assert_ne!(first, built.key().unwrap());
        fs::write(&executable, "a new build").unwrap();
        assert_ne!(first, key(&["six", "numpy>=2"]));
    }

    #[test]
    fn key_depends_on_the_contents_of_a_wheel() {
        let folder = tempfile::tempdir().unwrap();
        let executable = folder.path().join("python");
        fs::write(&executable, "1").unwrap();
        let wheel = folder.path().join("mine-1-py3-none-any.whl");
        let word = wheel.to_str().unwrap();
        assert!(wanted(&executable, &[word]).key().is_err(), "it is not there");
        fs::write(&wheel, "one").unwrap();
        let one = wanted(&executable, &[word]).key().unwrap();
        fs::write(&wheel, "two").unwrap();
        assert_ne!(one, wanted(&executable, &[word]).key().unwrap());
    }

    #[test]
    fn only_complete_environments_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bin");
        fs::create_dir(&path).unwrap();
        assert_eq!(finished_in(folder.path()), None);
        let record = Record {
            requirements: vec!["six".to_owned()],
            packages: vec![],
            installer: "uv 1".to_owned(),
            lock_sha256: None,
            failed: BTreeMap::new(),
        };
        write_record(folder.path(), &record).unwrap();
        assert_eq!(finished_in(folder.path()), None, "without a Python");
        fs::write(path.join("python"), "").unwrap();
        assert_eq!(finished_in(folder.path()).unwrap().record, record);
    }
}
