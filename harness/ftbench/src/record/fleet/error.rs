//! The errors of reading and writing the files of a fleet.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{ExitStatus, Failure};
use crate::record::store::StoreError;

/// What went wrong with the files of a fleet.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// A plan file cannot be read.
    #[error("cannot read {}: {source}; give a file that 'ftbench fleet plan' wrote", path.display())]
    Plan {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// An index cannot be read.
    #[error("cannot read {}: {source}; give a folder that 'ftbench fleet collect' wrote", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file is damaged or of a newer version.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The numbers of shards are impossible.
    #[error("{} is damaged: shard {shard} of {shards}; plan or collect the fleet again", path.display())]
    Shard {
        /// The file.
        path: PathBuf,
        /// The shard's number.
        shard: u32,
        /// The number of shards.
        shards: u32,
    },
    /// The folder for plan files is not empty.
    #[error("{} exists and is not empty; choose another --out, because plans are never overwritten", .0.display())]
    NotEmpty(PathBuf),
    /// The folder has something else.
    #[error("{} exists and is not the folder of a fleet; choose another --out", .0.display())]
    NotFleet(PathBuf),
    /// A folder has no record of jobs.
    #[error("cannot read {}: {source}; give a folder that 'ftbench fleet submit' wrote", path.display())]
    Jobs {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}; make room, or choose another --out", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl Failure for FleetError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Plan { source, .. } | Self::Index { source, .. } | Self::Jobs { source, .. } => {
                ExitStatus::for_read_error(source)
            }
            Self::Store(error) => error.exit_status(),
            Self::Write { .. } => ExitStatus::MachineFailed,
            Self::Shard { .. } | Self::NotEmpty(_) | Self::NotFleet(_) => ExitStatus::WrongInput,
        }
    }
}

impl FleetError {
    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }
}
