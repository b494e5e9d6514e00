//! Writes run folders.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::{NEEDED_BYTES, StoreError};
pub use super::log::RecordEnd;
use super::log::{Lock, LockedRecord, Log, OpenError};
use super::store::{Header, MANIFEST, STAGING_PREFIX, TRIALS, check_inside, read_header, write_atomically};
use super::trials_file;
use ftbench_schema::{Manifest, Trial};

/// A run folder that is being written. No other process can write to it meanwhile.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    log: Log,
    /// Whether there is a manifest, without which a run cannot be resumed.
    has_manifest: bool,
}

/// A run that was opened to be resumed.
#[derive(Debug)]
pub struct OpenedRun {
    /// Its folder.
    pub folder: RunFolder,
    /// Its name and manifest.
    pub header: Header,
    /// How its record ended.
    pub record_end: RecordEnd,
}

impl RunFolder {
    /// Makes the folder, which must not exist or be empty, and checks that there is room.
    ///
    /// # Errors
    /// When a run cannot be stored there.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Write {
            path: path.to_owned(),
            source,
        };
        std::fs::create_dir_all(path).map_err(failed)?;
        if std::fs::read_dir(path).map_err(failed)?.next().is_some() {
            return Err(StoreError::NotEmpty(path.to_owned()));
        }
        let space = rustix::fs::statvfs(path).map_err(|errno| failed(errno.into()))?;
        let free_bytes = space.f_bavail.saturating_mul(space.f_frsize);
        if free_bytes < NEEDED_BYTES {
            return Err(StoreError::Full {
                path: path.to_owned(),
                free_mib: free_bytes >> 20,
            });
        }
        let trials_path = path.join(TRIALS);
        let log = Log::create(&trials_path).map_err(|error| match error {
            // Another process was faster.
            OpenError::System(source) if source.kind() == io::ErrorKind::AlreadyExists => {
                StoreError::NotEmpty(path.to_owned())
            }
            OpenError::InUse => StoreError::InUse {
                path: path.to_owned(),
                process_id: None,
            },
            OpenError::System(source) => StoreError::Write {
                path: trials_path,
                source,
            },
        })?;
        if let Some(above) = path.canonicalize().ok().as_deref().and_then(Path::parent) {
            // So that the folder survives a power cut. A parent that cannot be opened cannot be synced.
            let _ = File::open(above).and_then(|above| above.sync_all());
        }
        Ok(Self {
            path: path.to_owned(),
            log,
            has_manifest: false,
        })
    }

    /// Makes a folder that did not exist: this one, or the first of `path-2`, `path-3` and so on that is free. Two runs
    /// that choose the same name at the same time therefore get a folder each.
    ///
    /// # Errors
    /// When a run cannot be stored there.
    pub fn create_new(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Write {
            path: path.to_owned(),
            source,
        };
        if let Some(above) = path.parent() {
            std::fs::create_dir_all(above).map_err(failed)?;
        }
        let mut free = path.to_owned();
        for number in 2_u64.. {
            match std::fs::create_dir(&free) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let mut name = path.as_os_str().to_owned();
                    name.push(format!("-{number}"));
                    free = name.into();
                }
                made => {
                    made.map_err(failed)?;
                    break;
                }
            }
        }
        Self::create(&free)
    }

    /// Removes the empty record of a run that was killed before its plan was written, so that another run can be made in
    /// the folder. Does nothing to a folder with anything else, or to which another process writes.
    pub fn remove_unplanned(path: &Path) {
        let trials_path = path.join(TRIALS);
        let Ok(record) = LockedRecord::open(&trials_path) else {
            return;
        };
        let others = std::fs::read_dir(path).into_iter().flatten().flatten();
        let mut others = others.filter(|entry| entry.file_name() != TRIALS);
        if matches!(record.is_empty(), Ok(true)) && others.next().is_none() {
            // What stays is reported when the folder is used.
            let _ = std::fs::remove_file(&trials_path);
        }
    }

    /// Opens the folder of a run that has ended, to resume it. A torn line at the end of the record is removed, but
    /// only after the manifest has shown that this is a run.
    ///
    /// # Errors
    /// When it is not a run folder, or another process writes to it. Nothing in it is changed then.
    pub fn open(path: &Path) -> Result<OpenedRun, StoreError> {
        let trials_path = path.join(TRIALS);
        check_inside(path, &trials_path)?;
        let stopped = |source| StoreError::Stopped {
            path: trials_path.clone(),
            folder: path.to_owned(),
            source,
        };
        let record = LockedRecord::open(&trials_path).map_err(|error| match error {
            OpenError::InUse => StoreError::InUse {
                path: path.to_owned(),
                process_id: writer_of(path),
            },
            OpenError::System(source) if source.kind() == io::ErrorKind::NotFound => {
                let compressed = trials_file::compressed(&trials_path);
                if compressed.exists() {
                    StoreError::Compressed(compressed)
                } else {
                    StoreError::unreadable(&trials_path, source)
                }
            }
            OpenError::System(source) => stopped(source),
        })?;
        let has_manifest = path.join(MANIFEST).try_exists();
        if matches!(has_manifest, Ok(false)) {
            return Err(if record.is_empty().map_err(stopped)? {
                StoreError::StoppedBeforePlan(path.to_owned())
            } else {
                StoreError::NoManifest(path.to_owned())
            });
        }
        let header = read_header(path)?;
        let (log, record_end) = record.repair().map_err(stopped)?;
        let folder = Self {
            path: path.to_owned(),
            log,
            has_manifest: true,
        };
        folder.remove_leftovers();
        Ok(OpenedRun {
            folder,
            header,
            record_end,
        })
    }

    /// Whether a lock keeps other processes from writing to the folder; `false` if the file system does not support
    /// locks.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.log.lock() == Lock::Held
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the manifest.
    ///
    /// # Errors
    /// When it cannot be written; the earlier one is still there.
    pub fn write_manifest(&mut self, manifest: &Manifest) -> Result<(), StoreError> {
        self.write_json(MANIFEST, manifest)?;
        self.has_manifest = true;
        Ok(())
    }

    /// Appends a trial and waits until it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written; earlier trials are still there.
    pub fn append(&mut self, trial: &Trial) -> Result<(), StoreError> {
        self.log.append(trial).map_err(|source| match source.kind() {
            io::ErrorKind::FileTooLarge if source.raw_os_error().is_none() => StoreError::TrialTooLong {
                workload: trial.cell.workload.clone(),
            },
            _ => self.failed(TRIALS, source),
        })?;
        self.check_in_place()
    }

    /// Writes a value as JSON for people to read, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), StoreError> {
        let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| self.failed(name, error.into()))?;
        bytes.push(b'\n');
        self.write_bytes(name, &bytes)
    }

    /// Writes a file of the folder, whole or not at all; folders in `name` are made.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_bytes(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        // If the folder was moved, writing would make another one in its place.
        self.check_in_place()?;
        let path = self.path.join(name);
        check_inside(&self.path, &path)?;
        write_atomically(&path, bytes).map_err(|source| self.failed(name, source))
    }

    fn check_in_place(&self) -> Result<(), StoreError> {
        if self.log.is_in_place() {
            Ok(())
        } else {
            Err(StoreError::Gone(self.path.clone()))
        }
    }

    fn failed(&self, name: &str, source: io::Error) -> StoreError {
        let path = self.path.join(name);
        if !self.log.is_in_place() {
            StoreError::Gone(self.path.clone())
        } else if self.has_manifest {
            StoreError::Stopped {
                path,
                folder: self.path.clone(),
                source,
            }
        } else {
            StoreError::Write { path, source }
        }
    }

    /// Removes files that an earlier process was writing when it was killed.
    fn remove_leftovers(&self) {
        let entries = std::fs::read_dir(&self.path).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| {
            let name = entry.file_name();
            name.to_string_lossy().starts_with(STAGING_PREFIX)
        }) {
            // A file that cannot be removed does no harm.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The process that writes to a folder, according to its last session.
fn writer_of(path: &Path) -> Option<u32> {
    let manifest = read_header(path).ok()?.manifest;
    manifest.sessions.last()?.process_id
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ftbench_fixtures::records::manifest;

    /// A file that is not the record of a run, and whose last line has no line end.
    const FOREIGN: &[u8] = b"a line\nthe last one, without a line end";

    fn folder_of(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, contents) in files {
            std::fs::write(folder.path().join(name), contents).unwrap();
        }
        folder
    }

    /// The error of opening a folder of these files, which must stay as they are.
    fn open_error(files: &[(&str, &[u8])]) -> String {
        let folder = folder_of(files);
        let error = RunFolder::open(folder.path()).unwrap_err().to_string();
        for (name, contents) in files {
            let now = std::fs::read(folder.path().join(name)).unwrap();
            assert_eq!(now, *contents, "{name}: {error}");
        }
        error.replace(&folder.path().display().to_string(), "/run")
    }

    #[test]
    fn runs_that_choose_the_same_new_folder_at_once_get_one_each() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("results/run");
        let start = std::sync::Barrier::new(8);
        let made = std::thread::scope(|scope| {
            let one = || {
                start.wait();
                RunFolder::create_new(&path)
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap().unwrap())
                .collect::<Vec<_>>()
        });
        let mut names: Vec<String> = made
            .iter()
            .map(|folder| folder.path().file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "run", "run-2", "run-3", "run-4", "run-5", "run-6", "run-7", "run-8"
            ]
        );
    }

    #[test]
    fn a_folder_that_is_not_a_run_is_left_unchanged() {
        let ours = serde_json::to_string(&manifest(&[])).unwrap();
        let newer = ours.replacen("\"schema\":1", "\"schema\":99", 1);
        let leftover = format!("{STAGING_PREFIX}half");
        let with = |manifest: &[u8]| {
            open_error(&[
                (TRIALS, FOREIGN),
                (MANIFEST, manifest),
                (leftover.as_str(), b"foreign too"),
            ])
        };
        insta::assert_snapshot!(open_error(&[(TRIALS, FOREIGN)]), @"/run has a trials.jsonl but no run.json, so it is not known what was run; put run.json back, or give the folder that 'ftbench run' wrote");
        insta::assert_snapshot!(with(b"{\"name\": \"run\"}"), @"/run/run.json is damaged: missing field `schema` at line 1 column 15");
        let torn = with(ours.as_bytes().split_at(ours.len() / 2).0);
        assert!(torn.starts_with("/run/run.json is damaged: EOF"), "{torn}");
        insta::assert_snapshot!(with(newer.as_bytes()), @"/run/run.json has format 99; this ftbench reads up to 1: use a newer ftbench");
        insta::assert_snapshot!(open_error(&[(TRIALS, b"")]), @"/run holds a run that was stopped before its plan was written; remove it and begin again");
    }

    #[test]
    fn only_a_run_without_plan_and_trials_is_removed() {
        let unplanned = folder_of(&[(TRIALS, b"")]);
        RunFolder::remove_unplanned(unplanned.path());
        assert!(RunFolder::create(unplanned.path()).is_ok());
        for files in [
            &[(TRIALS, FOREIGN)][..],
            &[(TRIALS, b""), ("notes", FOREIGN)],
            &[(TRIALS, b""), (MANIFEST, b"{}")],
        ] {
            let folder = folder_of(files);
            RunFolder::remove_unplanned(folder.path());
            assert!(folder.path().join(TRIALS).exists(), "{files:?}");
        }
    }

    #[test]
    fn a_linked_record_is_left_alone() {
        let elsewhere = folder_of(&[("notes", FOREIGN)]);
        let notes = elsewhere.path().join("notes");
        let run = folder_of(&[(MANIFEST, &serde_json::to_vec(&manifest(&[])).unwrap())]);
        std::os::unix::fs::symlink(&notes, run.path().join(TRIALS)).unwrap();
        let error = RunFolder::open(run.path()).unwrap_err();
        assert!(matches!(error, StoreError::NotRegular(_)), "{error}");
        assert_eq!(std::fs::read(&notes).unwrap(), FOREIGN);
    }

    #[test]
    fn the_torn_end_of_a_run_is_cut_off() {
        let run = folder_of(&[
            (TRIALS, FOREIGN),
            (MANIFEST, &serde_json::to_vec(&manifest(&[])).unwrap()),
        ]);
        let opened = RunFolder::open(run.path()).unwrap();
        assert_eq!(opened.header.manifest, manifest(&[]));
        assert!(opened.folder.is_locked());
        assert_eq!(opened.record_end, RecordEnd::CutOff(FOREIGN.len() as u64 - 7));
        assert_eq!(std::fs::read(run.path().join(TRIALS)).unwrap(), b"a line\n");
    }
}
