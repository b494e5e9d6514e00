//! Files from outside, read with a limit: none fills the memory, and none that is a pipe or a device keeps ftbench
//! waiting.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

/// How much of a file whose digest is made is in memory at once, bytes.
const PIECE_BYTES: usize = 256 << 10;

/// Why a file that is there is not read. The path is told by whoever wanted to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A folder, a pipe or a device.
    #[error("it is no plain file")]
    NotAFile,
    /// Larger than any such file is.
    #[error("it has more than {} KiB, the most that ftbench reads of such a file", limit_bytes >> 10)]
    TooLarge {
        /// The limit, bytes.
        limit_bytes: u64,
    },
}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        let kind = match refused {
            Refused::NotAFile => io::ErrorKind::InvalidInput,
            Refused::TooLarge { .. } => io::ErrorKind::FileTooLarge,
        };
        Self::new(kind, refused)
    }
}

/// Opens a plain file for reading. A pipe or a device is refused without waiting for it.
///
/// # Errors
/// The system's, or [`Refused::NotAFile`].
pub fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(Refused::NotAFile.into())
    }
}

/// Reads a plain file of at most `limit_bytes`.
///
/// # Errors
/// The system's, or why the file was [`Refused`].
pub fn read(path: &Path, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One more than the limit tells whether there is more; a file may grow while it is read.
    open(path)?
        .take(limit_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit_bytes {
        return Err(Refused::TooLarge { limit_bytes }.into());
    }
    Ok(bytes)
}

/// SHA-256, hexadecimal, of a plain file of at most `limit_bytes`, which may be larger than what memory is to be used for.
///
/// # Errors
/// The system's, or why the file was [`Refused`].
pub fn sha256(path: &Path, limit_bytes: u64) -> io::Result<String> {
    let mut file = open(path)?;
    if file.metadata()?.len() > limit_bytes {
        return Err(Refused::TooLarge { limit_bytes }.into());
    }
    let mut digest = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(hex::encode(digest.finalize())),
            Ok(count) => digest.update(piece.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads a plain text file of at most `limit_bytes`.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn read_text(path: &Path, limit_bytes: u64) -> io::Result<String> {
    String::from_utf8(read(path, limit_bytes)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

/// The beginning of a plain file, at most `most_bytes` of it; empty when it cannot be read. For what is only quoted.
#[must_use]
pub fn beginning(path: &Path, most_bytes: u64) -> String {
    let mut bytes = Vec::new();
    let read = open(path).and_then(|file| file.take(most_bytes).read_to_end(&mut bytes));
    read.map_or_else(
        |_| String::new(),
        |_| String::from_utf8_lossy(&bytes).into_owned(),
    )
}

/// The end of a plain file, at most `most_bytes` of it; empty when it cannot be read. For what is only quoted.
#[must_use]
pub fn end(path: &Path, most_bytes: u64) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = open(path)?;
        let size_bytes = file.metadata()?.len();
        file.seek(SeekFrom::Start(size_bytes.saturating_sub(most_bytes)))?;
        let mut bytes = Vec::new();
        file.take(most_bytes).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read_text(&path, 9).unwrap(), "12345");
        assert_eq!(
            (beginning(&path, 3), end(&path, 3)),
            ("123".to_owned(), "345".to_owned())
        );
        assert_eq!(end(&path, 9), "12345");
        let error = read(&path, 4).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(
            error.to_string().contains("the most that ftbench reads"),
            "{error}"
        );
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(
            read_text(&path, 9).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }

    #[test]
    fn a_digest_is_the_one_that_sha256sum_tells() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "abc").unwrap();
        // FIPS 180-4's example.
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&path, 3).unwrap(), digest);
        assert_eq!(sha256(&path, 2).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        let long = vec![7; 2 * PIECE_BYTES + 1];
        std::fs::write(&path, &long).unwrap();
        assert_eq!(
            sha256(&path, u64::MAX).unwrap(),
            hex::encode(Sha256::digest(&long))
        );
    }

    #[test]
    fn pipes_devices_and_folders_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        for path in [pipe.as_path(), Path::new("/dev/zero"), folder.path()] {
            let error = read(path, 1 << 20).unwrap_err();
            assert_eq!(error.to_string(), "it is no plain file", "{}", path.display());
            assert_eq!(beginning(path, 9), "");
        }
        let missing = read(&folder.path().join("missing"), 1).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
