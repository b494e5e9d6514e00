//! Lock files of workloads: `NAME.py.lock`, as `uv lock --script NAME.py` writes it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::super::requirement::{Requirement, normalised};
use crate::outside;

/// Largest lock file that is read, bytes: many times that of a program with a thousand packages.
const LARGEST_BYTES: u64 = 16 << 20;

/// A lock file that was parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// The workload that it belongs to.
    script: PathBuf,
    /// Names of the packages that it pins, normalised.
    pinned: BTreeSet<String>,
    sha256: String,
}

/// Why a lock file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// It cannot be read.
    #[error("cannot read the lock file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It is not what uv writes.
    #[error("the lock file {} is malformed: {reason}; regenerate it with 'uv lock --script {}'", path.display(), script.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The workload.
        script: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The workload's dependencies have changed since.
    #[error("{} depends on {package}, which its lock file does not pin; regenerate it with 'uv lock --script {}'", script.display(), script.display())]
    Lacks {
        /// The workload.
        script: PathBuf,
        /// The package.
        package: String,
    },
    /// Only uv can read it.
    #[error("the lock file beside {} needs uv (https://docs.astral.sh/uv/), which is not on the PATH; install uv, or move the lock file away", script.display())]
    NeedsUv {
        /// The workload.
        script: PathBuf,
    },
}

#[derive(Deserialize)]
struct Contents {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
}

impl Lock {
    /// The lock file beside a workload, if there is one.
    ///
    /// # Errors
    /// When there is one that cannot be used.
    pub fn for_script(script: &Path) -> Result<Option<Self>, LockError> {
        let mut path = script.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        match outside::read_text(&path, LARGEST_BYTES) {
            Ok(text) => Self::new(script, &path, &text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(LockError::Unreadable { path, source }),
        }
    }

    pub(super) fn new(script: &Path, path: &Path, text: &str) -> Result<Self, LockError> {
        let contents: Contents = toml::from_str(text).map_err(|error| LockError::Malformed {
            path: path.to_owned(),
            script: script.to_owned(),
            reason: error.message().lines().next().unwrap_or_default().to_owned(),
        })?;
        Ok(Self {
            script: script.to_owned(),
            pinned: contents
                .package
                .iter()
                .map(|package| normalised(&package.name))
                .collect(),
            sha256: hex::encode(Sha256::digest(text)),
        })
    }

    /// Checks that it pins the workload's own requirements. The installer checks the versions, and all of a requirement
    /// with a marker, because uv leaves such a requirement out of the lock where it can never apply.
    ///
    /// # Errors
    /// Names the first one that it does not pin.
    pub fn covers(&self, own: &[Requirement]) -> Result<(), LockError> {
        match own
            .iter()
            .find(|one| !one.has_marker() && !self.pinned.contains(&one.name()))
        {
            None => Ok(()),
            Some(missing) => Err(LockError::Lacks {
                script: self.script.clone(),
                package: missing.name(),
            }),
        }
    }

    /// SHA-256 of its contents, hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The workload that it belongs to.
    #[must_use]
    pub fn script(&self) -> &Path {
        &self.script
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    #[test]
    fn a_lock_file_is_found_beside_its_workload_and_pins_it() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("mine.py");
        assert_eq!(Lock::for_script(&script).unwrap(), None);
        let path = folder.path().join("mine.py.lock");
        fs::write(
            &path,
            "version = 1\n[[package]]\nname = \"six\"\nversion = \"1.16.0\"\n",
        )
        .unwrap();
        let lock = Lock::for_script(&script).unwrap().unwrap();
        assert_eq!(lock.sha256().len(), 64);
        let requirements = ["Six<2", "tomli; python_version < '3'", "numpy"]
            .map(|word| word.parse::<Requirement>().unwrap());
        lock.covers(requirements.get(..2).unwrap()).unwrap();
        let lacking = lock.covers(&requirements).unwrap_err().to_string();
        assert!(
            lacking.contains("numpy") && lacking.contains("uv lock --script"),
            "{lacking}"
        );
        fs::write(&path, "package = 1").unwrap();
        assert!(matches!(
            Lock::for_script(&script),
            Err(LockError::Malformed { .. })
        ));
        fs::File::create(&path)
            .unwrap()
            .set_len(LARGEST_BYTES + 1)
            .unwrap();
        let large = Lock::for_script(&script).unwrap_err().to_string();
        assert!(
            large.contains("mine.py.lock") && large.contains("16384 KiB"),
            "{large}"
        );
    }
}
