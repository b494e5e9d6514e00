//! The errors of reading and writing run folders.

use std::io;
use std::path::{Path, PathBuf};

use super::line::LARGEST_LINE_BYTES;
use crate::error::{ExitStatus, Failure};
use crate::outside;
use ftbench_schema::{SCHEMA_VERSION, suggest};

/// Space that must be free before a run starts, bytes: a large run's records and charts.
pub(super) const NEEDED_BYTES: u64 = 64 << 20;

/// What went wrong with a run folder.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder is not empty.
    #[error("{} exists and is not empty; choose another --out, because a run is never overwritten", .0.display())]
    NotEmpty(PathBuf),
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}; choose another --out, or make room", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file cannot be written in the middle of a run.
    #[error(
        "cannot write {}: {source}\nWhat was measured is kept: {}, then resume with 'ftbench run --resume {}'",
        path.display(),
        remedy(source),
        folder.display()
    )]
    Stopped {
        /// The file.
        path: PathBuf,
        /// The run's folder.
        folder: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The folder was removed or moved.
    #[error(
        "{} was removed or moved while ftbench was writing to it\nIf it was moved, resume with 'ftbench run --resume' \
         and its new path; if it was removed, it has to be measured again",
        .0.display()
    )]
    Gone(PathBuf),
    /// Another ftbench writes to it.
    #[error(
        "{} is in use by another ftbench{}; wait until it has ended, or stop it",
        path.display(),
        process_id.map(|id| format!(" (process {id})")).unwrap_or_default()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The other's process id, where it is known.
        process_id: Option<u32>,
    },
    /// The record is compressed, so nothing can be added to it.
    #[error("{path} is compressed, so nothing can be added to it; unpack it first: gunzip {path}", path = .0.display())]
    Compressed(PathBuf),
    /// The run was stopped before its manifest was written.
    #[error("{} holds a run that was stopped before its plan was written; remove it and begin again", .0.display())]
    StoppedBeforePlan(PathBuf),
    /// There is a record, but no manifest.
    #[error(
        "{} has a trials.jsonl but no run.json, so it is not known what was run; put run.json back, or give the folder \
         that 'ftbench run' wrote",
        .0.display()
    )]
    NoManifest(PathBuf),
    /// A trial is too long to be read back.
    #[error("a trial of {workload} takes more than the {} MiB that a record may have; use fewer --samples", LARGEST_LINE_BYTES >> 20)]
    TrialTooLong {
        /// The trial's workload.
        workload: String,
    },
    /// The disk has no room for a run.
    #[error("only {free_mib} MiB are free for {}, but a run needs {} MiB; make room, or choose another --out", path.display(), NEEDED_BYTES >> 20)]
    Full {
        /// The folder.
        path: PathBuf,
        /// The free space, MiB.
        free_mib: u64,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}{hint}; give the folder that 'ftbench run' wrote", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Folders with similar names, if its folder does not exist.
        hint: String,
        /// The system's error.
        source: io::Error,
    },
    /// A link or a device is in the place of a file or folder of the run.
    #[error("{} is not a regular file or folder of the run, so nothing is written there; remove it, or give --out", .0.display())]
    NotRegular(PathBuf),
    /// A file is not what it should be.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A later ftbench wrote it.
    #[error("{} has format {found}; this ftbench reads up to {SCHEMA_VERSION}: use a newer ftbench", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
}

impl StoreError {
    /// The error for a file of a run folder that cannot be read.
    #[must_use]
    pub fn unreadable(path: &Path, source: io::Error) -> Self {
        Self::Read {
            hint: path.parent().map(similar_folders).unwrap_or_default(),
            path: path.to_owned(),
            source,
        }
    }
}

/// Asks whether one of the folders with similar names was meant; empty if the folder exists, or if there are none.
#[must_use]
pub fn similar_folders(missing: &Path) -> String {
    let (Some(name), Some(above)) = (missing.file_name(), missing.parent()) else {
        return String::new();
    };
    if missing.exists() {
        return String::new();
    }
    let name = name.to_string_lossy();
    let entries = outside::folder_above(missing)
        .read_dir()
        .into_iter()
        .flatten()
        .flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.collect();
    names.sort();
    let likely = suggest::likely(&name, names.iter().map(String::as_str));
    let paths: Vec<String> = likely
        .iter()
        .map(|one| above.join(one).display().to_string())
        .collect();
    suggest::did_you_mean(&paths)
}

impl Failure for StoreError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Read { source, .. } => ExitStatus::for_read_error(source),
            Self::Write { .. } | Self::Stopped { .. } | Self::Gone(_) | Self::Full { .. } => {
                ExitStatus::MachineFailed
            }
            _ => ExitStatus::WrongInput,
        }
    }
}

/// The remedy for an error of the system.
fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "make room"
        }
        _ => "fix that",
    }
}
