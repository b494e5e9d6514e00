//! What can be wrong with a run folder.

use std::io;
use std::path::PathBuf;

use super::line::LARGEST_LINE_BYTES;
use crate::error::{ExitStatus, Failure};
use ftbench_schema::SCHEMA_VERSION;

/// Space that must be free before a run starts, bytes: a large run's records and charts.
pub(super) const NEEDED_BYTES: u64 = 64 << 20;

/// What went wrong with a run folder.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It holds something already.
    #[error("{} exists and is not empty; choose another --out, for a run is never overwritten", .0.display())]
    NotEmpty(PathBuf),
    /// It cannot be written.
    #[error("cannot write {}: {source}; choose another --out, or make room", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be written further, in the middle of a run.
    #[error(
        "cannot write {}: {source}\nWhat was measured is kept: {}, then go on with 'ftbench run --resume {}'",
        path.display(),
        remedy(source),
        folder.display()
    )]
    Stopped {
        /// The file.
        path: PathBuf,
        /// The run's folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not where it was.
    #[error(
        "{} was removed or moved while ftbench was writing to it\nIf it was moved, go on with 'ftbench run --resume' \
         and its new place; what was removed has to be measured again",
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
    /// Its record is compressed, so nothing can be added to it.
    #[error("{path} is compressed, so nothing can be added to it; unpack it first: gunzip {path}", path = .0.display())]
    Compressed(PathBuf),
    /// The run was stopped before anything of it was written down.
    #[error("{} holds a run that was stopped before its plan was written; remove it and begin again", .0.display())]
    NotBegun(PathBuf),
    /// There are trials, and nothing that tells what run they are of.
    #[error(
        "{} has a trials.jsonl and no run.json, so nothing tells what run it is of; put run.json back, or give the folder \
         that 'ftbench run' wrote",
        .0.display()
    )]
    NoManifest(PathBuf),
    /// A trial that is too long to be read again.
    #[error("a trial of {workload} takes more than the {} MiB that a record may have; take fewer --samples", LARGEST_LINE_BYTES >> 20)]
    TrialTooLong {
        /// The trial's workload.
        workload: String,
    },
    /// The disk has no room for a run.
    #[error("only {free_mib} MiB are free for {}; a run needs {} MiB: make room, or choose another --out", path.display(), NEEDED_BYTES >> 20)]
    Full {
        /// The folder.
        path: PathBuf,
        /// What is free, MiB.
        free_mib: u64,
    },
    /// It cannot be read.
    #[error("cannot read {}: {source}; give the folder that 'ftbench run' wrote", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A link or a device stands where a file of the folder is to be written.
    #[error("{} is no plain file or folder of the run's own, so nothing is written there; remove it, or give --out", .0.display())]
    Elsewhere(PathBuf),
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

impl Failure for StoreError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Read { source, .. } => ExitStatus::of_reading(source),
            Self::Write { .. } | Self::Stopped { .. } | Self::Gone(_) | Self::Full { .. } => {
                ExitStatus::MachineFailed
            }
            _ => ExitStatus::WrongInput,
        }
    }
}

/// What helps against what the system said.
fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "make room"
        }
        _ => "see to that",
    }
}
