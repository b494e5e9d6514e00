//! Writes `trials.jsonl`; nothing else does. Lines are whole and on the disk before they count, and there is one writer
//! at a time.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::line::{self, Checksums, Decoded, LARGEST_LINE_BYTES};
use ftbench_schema::Trial;

/// How much of the end of a record is read at once, bytes.
const TAIL_BYTES: u64 = 64 << 10;

/// Why a record cannot be opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// Another process writes to it.
    InUse,
    /// An error of the system.
    System(io::Error),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// How a record ended when it was reopened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordEnd {
    /// Its last line was whole.
    Whole,
    /// This many bytes of an unfinished line were cut off.
    CutOff(u64),
}

/// The operations that a record needs from its file. It is a trait so that tests can check the order of the calls.
pub(super) trait RecordFile: Write {
    /// Waits until what was written is on the disk, as far as the system knows.
    fn sync_data(&self) -> io::Result<()>;
    /// Like [`Self::sync_data`], with the file's metadata.
    fn sync_all(&self) -> io::Result<()>;
    /// Truncates the file to this size.
    fn set_len(&self, size_bytes: u64) -> io::Result<()>;
}

impl RecordFile for File {
    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn sync_all(&self) -> io::Result<()> {
        File::sync_all(self)
    }

    fn set_len(&self, size_bytes: u64) -> io::Result<()> {
        File::set_len(self, size_bytes)
    }
}

/// Whether other processes are kept from writing to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    /// They are, as long as this process has the file open.
    Held,
    /// They are not, because the file system does not support locks.
    Unsupported,
}

/// An existing record that is locked, but was neither read nor changed yet.
#[derive(Debug)]
pub(super) struct LockedRecord {
    path: PathBuf,
    file: File,
    lock: Lock,
}

/// The record of a run that is being measured. Its lock ends when this is dropped or the process ends, for any reason.
#[derive(Debug)]
pub(super) struct Log<F = File> {
    path: PathBuf,
    file: F,
    lock: Lock,
    /// Size of its whole lines, bytes.
    whole_bytes: u64,
}

impl LockedRecord {
    /// Opens and locks an existing record, to append to it.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let file = OpenOptions::new().read(true).append(true).open(path)?;
        let lock = lock(&file)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            lock,
        })
    }

    /// Whether the record is empty.
    pub(super) fn is_empty(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() == 0)
    }

    /// Prepares it for appending: a torn line at its end is cut off, so that the next one stands alone. Call this only
    /// if it is known to be the record of a run.
    pub(super) fn repair(mut self) -> io::Result<(Log, RecordEnd)> {
        let size_bytes = self.file.metadata()?.len();
        let whole_bytes = end_of_last_line(&mut self.file, size_bytes)?;
        let mut log = Log {
            path: self.path,
            file: self.file,
            lock: self.lock,
            whole_bytes,
        };
        let end = if whole_bytes == size_bytes {
            RecordEnd::Whole
        } else if log.lacks_only_line_end(size_bytes)? {
            log.file.write_all(b"\n")?;
            log.whole_bytes = size_bytes + 1;
            RecordEnd::Whole
        } else {
            log.cut_back()?;
            RecordEnd::CutOff(size_bytes - whole_bytes)
        };
        log.file.sync_all()?;
        Ok((log, end))
    }
}

impl Log {
    /// Makes a record, which must not exist.
    pub(super) fn create(path: &Path) -> Result<Self, OpenError> {
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        let lock = lock(&file)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            lock,
            whole_bytes: 0,
        })
    }

    /// Whether the file is still at its path. It is not once it or its folder was removed or moved.
    pub(super) fn is_in_place(&self) -> bool {
        let identity = |facts: std::fs::Metadata| (facts.dev(), facts.ino());
        let own = self.file.metadata().map(identity);
        let there = std::fs::metadata(&self.path).map(identity);
        matches!((own, there), (Ok(own), Ok(there)) if own == there)
    }

    /// Whether only the line end is missing from the last line.
    fn lacks_only_line_end(&mut self, size_bytes: u64) -> io::Result<bool> {
        if size_bytes - self.whole_bytes > LARGEST_LINE_BYTES as u64 {
            return Ok(false);
        }
        self.file.seek(SeekFrom::Start(self.whole_bytes))?;
        let mut tail = Vec::new();
        self.file.read_to_end(&mut tail)?;
        Ok(matches!(
            line::decode::<Trial>(&tail, Checksums::Optional),
            Decoded::Intact(_)
        ))
    }
}

impl<F: RecordFile> Log<F> {
    /// Appends a trial and waits until it is on the disk. A line that cannot be written whole is removed, and the error
    /// returned, as for a trial of more than [`LARGEST_LINE_BYTES`].
    pub(super) fn append(&mut self, trial: &Trial) -> io::Result<()> {
        let line = line::encode(trial)?;
        if line.len() > LARGEST_LINE_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // If this fails too, the line stays torn, which costs only this trial: it is cut off when the run is
            // resumed.
            let _ = self.cut_back();
            return Err(error);
        }
        self.whole_bytes += line.len() as u64;
        Ok(())
    }

    /// Returns whether other processes are kept from writing to the record.
    pub(super) const fn lock(&self) -> Lock {
        self.lock
    }

    fn cut_back(&self) -> io::Result<()> {
        self.file.set_len(self.whole_bytes)?;
        self.file.sync_all()
    }
}

/// Finds the end of the last complete line, as an offset in bytes.
pub(super) fn end_of_last_line(file: &mut File, size_bytes: u64) -> io::Result<u64> {
    let mut end = size_bytes;
    let mut piece = Vec::new();
    while end > 0 {
        let from = end.saturating_sub(TAIL_BYTES);
        file.seek(SeekFrom::Start(from))?;
        piece.clear();
        Read::by_ref(file).take(end - from).read_to_end(&mut piece)?;
        if let Some(last) = piece.iter().rposition(|&byte| byte == b'\n') {
            return Ok(from + last as u64 + 1);
        }
        end = from;
    }
    Ok(0)
}

/// Takes the lock, which the system releases when the process ends. The standard library opens files so that children
/// that start another program do not inherit them. If the file system does not support locks, there is none.
fn lock(file: &File) -> Result<Lock, OpenError> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Lock::Held),
        Err(Errno::WOULDBLOCK) => Err(OpenError::InUse),
        Err(_) => Ok(Lock::Unsupported),
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
