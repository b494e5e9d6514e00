//! The cache of builds: a build is stored whole or not at all, and one ftbench builds at a time.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::BuildError;

/// The place of one build in the cache.
#[derive(Debug)]
pub struct Place {
    /// The folder for all builds of its kind.
    kind: PathBuf,
    digest: String,
    /// The interpreter's identity. Each interpreter has its own target folder, so that dependencies are compiled once.
    interpreter: String,
}

/// Why a step of a build failed.
#[derive(Debug)]
pub enum StepError {
    /// A file or folder cannot be read or written.
    Io(PathBuf, io::Error),
    /// There is no cargo.
    NoCargo,
    /// cargo failed, with its error and the command.
    Cargo { reason: String, command: String },
}

impl Place {
    /// Returns the place in ftbench's cache.
    pub fn new(cache: &Path, kind: &str, digest: &str, interpreter: &str) -> Self {
        Self {
            kind: cache.join(kind),
            digest: digest.chars().take(16).collect(),
            interpreter: interpreter.to_owned(),
        }
    }

    /// The folder with the finished build.
    pub fn folder(&self) -> PathBuf {
        self.kind.join(&self.digest)
    }

    /// Returns cargo's target folder.
    pub fn target(&self) -> PathBuf {
        self.kind.join("target").join(&self.interpreter)
    }

    /// The file for cargo's output, which stays after a failure too.
    pub fn log(&self) -> PathBuf {
        self.kind.join(format!("{}.log", self.digest))
    }

    /// Makes sure that the folder exists: `make` fills a staging folder, which is then renamed. Returns whether the
    /// folder existed already.
    pub fn obtain(
        &self,
        what: &str,
        say: &dyn Fn(&str),
        make: impl FnOnce(&Path) -> Result<(), StepError>,
    ) -> Result<bool, BuildError> {
        let folder = self.folder();
        if folder.is_dir() {
            return Ok(true);
        }
        let made = || -> Result<bool, StepError> {
            let target = self.target();
            let io = |path: &Path| {
                let path = path.to_owned();
                move |source| StepError::Io(path.clone(), source)
            };
            std::fs::create_dir_all(&target).map_err(io(&target))?;
            let lock = target.with_extension("lock");
            let lock_file = File::create(&lock).map_err(io(&lock))?;
            // Held until the file is closed.
            lock_file.lock().map_err(io(&lock))?;
            if folder.is_dir() {
                return Ok(true);
            }
            say(&format!("building {what}, once; this takes a minute"));
            let started = Instant::now();
            let staging = tempfile::Builder::new()
                .prefix(".staging-")
                .tempdir_in(&self.kind)
                .map_err(io(&self.kind))?;
            make(staging.path())?;
            std::fs::rename(staging.path(), &folder).map_err(io(&folder))?;
            say(&format!("built {what} in {} s", started.elapsed().as_secs()));
            Ok(false)
        };
        made().map_err(|error| match error {
            StepError::NoCargo => BuildError::NoCargo {
                what: what.to_owned(),
            },
            StepError::Io(path, source) => BuildError::Cache {
                what: what.to_owned(),
                path,
                source,
            },
            StepError::Cargo { reason, command } => BuildError::Cargo {
                what: what.to_owned(),
                reason,
                log: self.log(),
                command,
            },
        })
    }
}

/// Writes a file, and creates the folders above it.
pub fn write(path: &Path, contents: &[u8]) -> Result<(), StepError> {
    let written = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(path, contents));
    written.map_err(|error| StepError::Io(path.to_owned(), error))
}

/// Copies a file with its permissions.
pub fn copy(from: &Path, to: &Path) -> Result<(), StepError> {
    std::fs::copy(from, to)
        .map(|_| ())
        .map_err(|error| StepError::Io(to.to_owned(), error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn a_finished_build_is_found_again_and_a_failed_one_is_not() {
        let cache = tempfile::tempdir().unwrap();
        let place = Place::new(cache.path(), "embed", "0123456789abcdef", "3.13t");
        let said = RefCell::new(Vec::new());
        let say = |text: &str| said.borrow_mut().push(text.to_owned());
        let failed = place.obtain("it", &say, |staging| {
            write(&staging.join("half"), b"")?;
            Err(StepError::Cargo {
                reason: "no network".to_owned(),
                command: "cargo build".to_owned(),
            })
        });
        let message = failed.unwrap_err().to_string();
        assert!(
            message.contains("no network") && message.contains("0123456789abcdef.log"),
            "{message}"
        );
        assert!(!place.folder().exists());
        let built = place.obtain("it", &say, |staging| write(&staging.join("deep/whole"), b"1"));
        assert!(!built.unwrap());
        assert!(place.folder().join("deep/whole").is_file());
        let found = place.obtain("it", &say, |_| Err(StepError::NoCargo));
        assert!(found.unwrap());
        let said = said.into_inner();
        assert_eq!(
            said.iter().filter(|text| text.starts_with("building it")).count(),
            2,
            "{said:?}"
        );
        let left: Vec<_> = std::fs::read_dir(cache.path().join("embed"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }
}
