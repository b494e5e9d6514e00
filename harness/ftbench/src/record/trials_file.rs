//! The file that holds a record: `trials.jsonl` or, for a run that is archived or shared, `trials.jsonl.gz`.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;

use crate::outside;

/// What the name of a compressed record adds to that of a plain one.
const COMPRESSED_SUFFIX: &str = ".gz";

/// How much is unpacked at once, bytes.
const PIECE_BYTES: usize = 256 << 10;

/// Maximum size of an unpacked file, as a multiple of its packed size. A file that exceeds it is refused before it
/// fills the disk: trials are packed to about a tenth of their size, and deflate can reach a thousandth.
const LARGEST_RATIO: u64 = 200;

/// The error of a compressed file that unpacks to more than a record does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it unpacks to more than {LARGEST_RATIO} times its size, which no record does")]
struct Inflated;

/// A record that is open for reading, by many readers at once. It stays the same file if another one replaces it
/// meanwhile.
#[derive(Debug, Clone)]
pub struct TrialsFile {
    path: PathBuf,
    file: Arc<File>,
    size_bytes: u64,
    damage: Option<String>,
}

impl TrialsFile {
    /// Opens the record at this path or, if there is none, the compressed one beside it, which is unpacked into a
    /// temporary file without a name.
    ///
    /// # Errors
    /// When neither can be read, or the compressed file is not a record.
    pub fn open(path: &Path) -> io::Result<Self> {
        match outside::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let compressed = compressed(path);
                match outside::open(&compressed) {
                    // The error of the plain file, whose name people know.
                    Err(missing) if missing.kind() == io::ErrorKind::NotFound => Err(error),
                    opened => Self::unpack(opened?, compressed),
                }
            }
            opened => {
                let file = opened?;
                Ok(Self {
                    path: path.to_owned(),
                    size_bytes: file.metadata()?.len(),
                    file: Arc::new(file),
                    damage: None,
                })
            }
        }
    }

    fn unpack(packed: File, path: PathBuf) -> io::Result<Self> {
        let max_bytes = packed.metadata()?.len().saturating_mul(LARGEST_RATIO);
        let mut from = MultiGzDecoder::new(BufReader::with_capacity(PIECE_BYTES, packed));
        let file = tempfile::tempfile()?;
        let mut piece = vec![0; PIECE_BYTES];
        let mut size_bytes = 0;
        let mut damage = None;
        loop {
            let count = match from.read(&mut piece) {
                Ok(count) => count,
                // The bytes before the damage are intact.
                Err(error) if is_damage(&error) => {
                    damage = Some(error.to_string());
                    0
                }
                Err(error) => return Err(error),
            };
            let Some(unpacked) = piece.get(..count).filter(|unpacked| !unpacked.is_empty()) else {
                break;
            };
            file.write_all_at(unpacked, size_bytes)?;
            size_bytes += count as u64;
            if size_bytes > max_bytes {
                return Err(io::Error::new(io::ErrorKind::InvalidData, Inflated));
            }
        }
        Ok(Self {
            path,
            file: Arc::new(file),
            size_bytes,
            damage,
        })
    }

    /// Returns the path of the file, compressed or not.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the size of the unpacked records, bytes.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Why only a part could be unpacked; `None` when all of it was.
    #[must_use]
    pub fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    /// A reader from this position on, bytes, that is independent of other readers.
    #[must_use]
    pub fn read_from(&self, position: u64) -> TrialsReader {
        TrialsReader {
            file: Arc::clone(&self.file),
            position,
        }
    }
}

/// The name of a compressed record, given that of a plain one.
#[must_use]
pub fn compressed(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(COMPRESSED_SUFFIX);
    name.into()
}

/// Whether the error is due to the compressed data and not to the system.
fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    error.raw_os_error().is_none() && matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

/// One reader of a record.
#[derive(Debug)]
pub struct TrialsReader {
    file: Arc<File>,
    position: u64,
}

impl Read for TrialsReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(file: &TrialsFile, from: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        file.read_from(from).read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// Bytes that hardly shrink, about two pieces of them.
    fn noise() -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            // Numerical Recipes' generator; its high bits will do.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        (0..2 * PIECE_BYTES + 5).map(|_| next()).collect()
    }

    #[test]
    fn a_compressed_record_reads_as_the_plain_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.jsonl");
        let missing = TrialsFile::open(&path).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let bytes = noise();
        std::fs::write(compressed(&path), packed(&bytes)).unwrap();
        let file = TrialsFile::open(&path).unwrap();
        assert_eq!(file.path(), folder.path().join("trials.jsonl.gz"));
        assert_eq!((file.size_bytes(), file.damage()), (bytes.len() as u64, None));
        assert_eq!(read(&file, 0), bytes);
        assert_eq!(read(&file, 7), bytes[7..]);
        assert_eq!(read(&file, u64::from(u32::MAX)), b"");
        // Where there are both, the one that ftbench writes to counts.
        std::fs::write(&path, "plain").unwrap();
        assert_eq!(read(&TrialsFile::open(&path).unwrap(), 0), b"plain");
        assert_eq!(read(&file, 0), bytes);
    }

    #[test]
    fn a_record_that_was_packed_in_parts_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.jsonl");
        let parts = [packed(b"first\n"), packed(b"second\n")].concat();
        std::fs::write(compressed(&path), parts).unwrap();
        assert_eq!(read(&TrialsFile::open(&path).unwrap(), 0), b"first\nsecond\n");
    }

    #[test]
    fn bytes_before_damage_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.jsonl");
        let bytes = noise();
        let mut packed = packed(&bytes);
        packed.truncate(packed.len() * 3 / 4);
        std::fs::write(compressed(&path), &packed).unwrap();
        let file = TrialsFile::open(&path).unwrap();
        assert!(file.damage().is_some());
        let kept = read(&file, 0);
        assert!(
            kept.len() > bytes.len() / 2 && bytes.starts_with(&kept),
            "{}",
            kept.len()
        );
        std::fs::write(compressed(&path), "no gzip at all").unwrap();
        let file = TrialsFile::open(&path).unwrap();
        assert_eq!((file.size_bytes(), file.damage().is_some()), (0, true));
    }

    #[test]
    fn a_file_that_would_fill_the_disk_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.jsonl");
        std::fs::write(compressed(&path), packed(&vec![b' '; 16 << 20])).unwrap();
        let error = TrialsFile::open(&path).unwrap_err().to_string();
        assert!(error.contains("200 times its size"), "{error}");
    }
}
