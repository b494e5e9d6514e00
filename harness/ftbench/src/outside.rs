//! Reads files that come from outside ftbench, up to a size limit. No file can fill the memory, and no pipe or device
//! can block ftbench.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

/// The size of the buffer for computing a digest, bytes.
const BUFFER_BYTES: usize = 256 << 10;

/// Why a file that exists is not read. The caller adds the path to the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A folder, a pipe or a device.
    #[error("not a regular file")]
    NotRegular,
    /// Larger than any file of its kind should be.
    #[error("larger than {} KiB, the limit for such a file", limit_bytes >> 10)]
    TooLarge {
        /// The limit, bytes.
        limit_bytes: u64,
    },
}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        let kind = match refused {
            Refused::NotRegular => io::ErrorKind::InvalidInput,
            Refused::TooLarge { .. } => io::ErrorKind::FileTooLarge,
        };
        Self::new(kind, refused)
    }
}

/// Opens a regular file for reading. Refuses a pipe or a device without waiting for it.
///
/// # Errors
/// The system's error, or [`Refused::NotRegular`].
pub fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(Refused::NotRegular.into())
    }
}

/// Reads a regular file of at most `limit_bytes`.
///
/// # Errors
/// The system's error, or why the file was [`Refused`].
pub fn read(path: &Path, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // Reads one byte more than the limit to detect a larger file, which may even grow while it is read.
    open(path)?
        .take(limit_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit_bytes {
        return Err(Refused::TooLarge { limit_bytes }.into());
    }
    Ok(bytes)
}

/// The SHA-256 of a regular file of at most `limit_bytes`, in hexadecimal. The file may be larger than memory.
///
/// # Errors
/// The system's error, or why the file was [`Refused`].
pub fn sha256(path: &Path, limit_bytes: u64) -> io::Result<String> {
    let mut file = open(path)?;
    if file.metadata()?.len() > limit_bytes {
        return Err(Refused::TooLarge { limit_bytes }.into());
    }
    let mut digest = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex::encode(digest.finalize())),
            Ok(count) => digest.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads a regular text file of at most `limit_bytes`.
///
/// # Errors
/// As for [`read`], and when the file is not UTF-8.
pub fn read_text(path: &Path, limit_bytes: u64) -> io::Result<String> {
    String::from_utf8(read(path, limit_bytes)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

/// The first `max_bytes` of a regular file, for quoting; empty when it cannot be read.
#[must_use]
pub fn beginning(path: &Path, max_bytes: u64) -> String {
    let mut bytes = Vec::new();
    let read = open(path).and_then(|file| file.take(max_bytes).read_to_end(&mut bytes));
    read.map_or_else(
        |_| String::new(),
        |_| String::from_utf8_lossy(&bytes).into_owned(),
    )
}

/// The last `max_bytes` of a regular file, for quoting; empty when it cannot be read.
#[must_use]
pub fn end(path: &Path, max_bytes: u64) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = open(path)?;
        let size_bytes = file.metadata()?.len();
        file.seek(SeekFrom::Start(size_bytes.saturating_sub(max_bytes)))?;
        let mut bytes = Vec::new();
        file.take(max_bytes).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

/// The folder that a file is in, which is the current one if its path has none.
#[must_use]
pub fn folder_above(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn file_larger_than_the_limit_is_refused() {
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
        assert!(error.to_string().contains("the limit for such a file"), "{error}");
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(
            read_text(&path, 9).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }

    #[test]
    fn sha256_matches_the_published_example() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "abc").unwrap();
        // The example in FIPS 180-4.
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&path, 3).unwrap(), digest);
        assert_eq!(sha256(&path, 2).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        let long = vec![7; 2 * BUFFER_BYTES + 1];
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
            assert_eq!(error.to_string(), "not a regular file", "{}", path.display());
            assert_eq!(beginning(path, 9), "");
        }
        let missing = read(&folder.path().join("missing"), 1).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
