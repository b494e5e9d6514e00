//! Writes `trials.jsonl`, the one place that does: whole lines, on the disk before they count, one writer at a time.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::line::{self, Checksums, LARGEST_LINE_BYTES, Taken};
use ftbench_schema::Trial;

/// How much of the end of a record is looked at at once, bytes.
const TAIL_BYTES: u64 = 64 << 10;

/// Why the record cannot be had.
#[derive(Debug)]
pub(super) enum OpenError {
    /// Another process writes to it.
    InUse,
    /// The system refuses it.
    System(io::Error),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// What the end of a record was like when it was opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Its last line was whole.
    Whole,
    /// So many bytes of an unfinished line were cut off.
    CutOff(u64),
}

/// What a record needs of its file; a seam, so that tests see in which order it is asked.
pub(super) trait RecordFile: Write {
    /// Waits until what was written is on the disk, as far as the system knows.
    fn sync_data(&self) -> io::Result<()>;
    /// The same, with all that the system keeps of the file.
    fn sync_all(&self) -> io::Result<()>;
    /// Cuts the file off after so many bytes.
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
    /// They are, as long as this process has the file.
    Held,
    /// They are not: the file system knows no locks.
    Unknown,
}

/// A record that is there and kept from other processes, as it was found: nothing of it was read or changed.
#[derive(Debug)]
pub(super) struct Untouched {
    path: PathBuf,
    file: File,
    lock: Lock,
}

/// The record of a run that is being made. The lock on it ends with this, or with the process, however that ends.
#[derive(Debug)]
pub(super) struct Log<F = File> {
    path: PathBuf,
    file: F,
    lock: Lock,
    /// Up to here it is whole lines, bytes.
    whole_bytes: u64,
}

impl Untouched {
    /// Finds a record, to append to it.
    pub(super) fn find(path: &Path) -> Result<Self, OpenError> {
        let file = OpenOptions::new().read(true).append(true).open(path)?;
        let lock = lock(&file)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            lock,
        })
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() == 0)
    }

    /// Makes it ready to be appended to. A line that was torn at its end is cut off, so that the next one stands alone:
    /// only for what is known to be the record of a run.
    pub(super) fn mend(mut self) -> io::Result<(Log, Ending)> {
        let size_bytes = self.file.metadata()?.len();
        let whole_bytes = end_of_last_line(&mut self.file, size_bytes)?;
        let mut log = Log {
            path: self.path,
            file: self.file,
            lock: self.lock,
            whole_bytes,
        };
        let ending = if whole_bytes == size_bytes {
            Ending::Whole
        } else if log.has_whole_tail(size_bytes)? {
            log.file.write_all(b"\n")?;
            log.whole_bytes = size_bytes + 1;
            Ending::Whole
        } else {
            log.cut_back()?;
            Ending::CutOff(size_bytes - whole_bytes)
        };
        log.file.sync_all()?;
        Ok((log, ending))
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

    /// Whether what is written is found at its path: it is not, once the file or its folder was removed or moved.
    pub(super) fn is_in_place(&self) -> bool {
        let identity = |facts: std::fs::Metadata| (facts.dev(), facts.ino());
        let own = self.file.metadata().map(identity);
        let there = std::fs::metadata(&self.path).map(identity);
        matches!((own, there), (Ok(own), Ok(there)) if own == there)
    }

    /// Whether nothing but the line end is missing from the last line.
    fn has_whole_tail(&mut self, size_bytes: u64) -> io::Result<bool> {
        if size_bytes - self.whole_bytes > LARGEST_LINE_BYTES as u64 {
            return Ok(false);
        }
        self.file.seek(SeekFrom::Start(self.whole_bytes))?;
        let mut tail = Vec::new();
        self.file.read_to_end(&mut tail)?;
        Ok(matches!(
            line::take::<Trial>(&tail, Checksums::WhereThere),
            Taken::Whole(_)
        ))
    }
}

impl<F: RecordFile> Log<F> {
    /// Appends a trial and waits until it is on the disk. What cannot be written whole is not there.
    pub(super) fn append(&mut self, trial: &Trial) -> io::Result<()> {
        let line = line::encode(trial)?;
        if line.len() > LARGEST_LINE_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // When this fails too, the line is torn, which costs it alone: it is cut off when the run is resumed.
            let _ = self.cut_back();
            return Err(error);
        }
        self.whole_bytes += line.len() as u64;
        Ok(())
    }

    /// Whether other processes are kept from writing to it.
    pub(super) const fn lock(&self) -> Lock {
        self.lock
    }

    fn cut_back(&self) -> io::Result<()> {
        self.file.set_len(self.whole_bytes)?;
        self.file.sync_all()
    }
}

/// Where the last line that has a line end is over, bytes.
fn end_of_last_line(file: &mut File, size_bytes: u64) -> io::Result<u64> {
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

/// Takes the lock, which the system gives up with the process. The standard library opens files so that children that
/// start another program do not inherit them. Where the file system knows no locks, there is none.
fn lock(file: &File) -> Result<Lock, OpenError> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Lock::Held),
        Err(Errno::WOULDBLOCK) => Err(OpenError::InUse),
        Err(_) => Ok(Lock::Unknown),
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
