//! Archives of files that a fleet's machines unpack: written under a name with their digest, unpacked only if it is
//! right.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::error::{ExitStatus, Failure};
use crate::outside;
use crate::record::store::{STAGING_PREFIX, publish};
use ftbench_schema::text;

/// Largest archive that is read, bytes: many times that of any interpreter or environment.
const LARGEST_ARCHIVE_BYTES: u64 = 4 << 30;

/// Why something is not archived or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// An installation that is not a folder of its own.
    #[error(
        "cannot archive {tag}: there is no {missing} for {path}; use a build with a folder of its own, as 'ftbench \
         python install' makes them"
    )]
    Layout {
        /// The interpreter's tag.
        tag: String,
        /// The executable.
        path: String,
        /// The file that every installation has.
        missing: String,
    },
    /// A file cannot be read or written.
    #[error("cannot make or unpack an archive: {}: {source}; make room, or plan the fleet without --archive", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// An archive that is not the planned one.
    #[error("{} is not the archive of the plan: its sha256 differs; copy it again from where the fleet was planned", .0.display())]
    Digest(PathBuf),
    /// A name that leads out of the folder.
    #[error("the plan is damaged: '{0}' is not a name in an archive; plan the fleet again")]
    Name(String),
}

impl Failure for ArchiveError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::File { .. } => ExitStatus::MachineFailed,
            Self::Layout { .. } | Self::Digest(_) | Self::Name(_) => ExitStatus::WrongInput,
        }
    }
}

/// Returns a function that turns the system's error for this file into an error.
pub fn failed(path: &Path) -> impl FnOnce(io::Error) -> ArchiveError {
    let path = path.to_owned();
    move |source| ArchiveError::File { path, source }
}

/// The archive that is being written.
pub type Packing<'a> = tar::Builder<GzEncoder<&'a mut Hashing<BufWriter<NamedTempFile>>>>;

/// Writes an archive into a folder, with a name that begins with this word, and returns its name and its SHA-256.
/// `pack` appends its contents.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(
    folder: &Path,
    word: &str,
    pack: impl FnOnce(&mut Packing<'_>) -> io::Result<()>,
) -> Result<(String, String), ArchiveError> {
    let file = tempfile::Builder::new()
        .prefix(STAGING_PREFIX)
        .tempfile_in(folder)
        .map_err(failed(folder))?;
    let mut hashing = Hashing {
        into: BufWriter::new(file),
        digest: Sha256::new(),
    };
    let mut archive = tar::Builder::new(GzEncoder::new(&mut hashing, Compression::fast()));
    archive.follow_symlinks(false);
    pack(&mut archive)
        .and_then(|()| archive.into_inner()?.finish()?.flush())
        .map_err(failed(folder))?;
    let sha256 = hex::encode(hashing.digest.finalize());
    let name = format!("{word}-{}.tar.gz", text::short_hash(&sha256));
    let path = folder.join(&name);
    let file = hashing.into.into_inner().map_err(io::Error::from);
    file.and_then(|file| publish(file, &path))
        .map_err(failed(&path))?;
    Ok((name, sha256))
}

/// Appends the tree of a folder below another one, sorted by name. `is_left_out` is asked about each path, relative to
/// `above`.
///
/// # Errors
/// The system's.
pub fn append_tree(
    archive: &mut Packing<'_>,
    above: &Path,
    folder: &Path,
    is_left_out: &dyn Fn(&Path) -> bool,
) -> io::Result<()> {
    archive.append_dir(folder, above.join(folder))?;
    let mut entries: Vec<fs::DirEntry> = fs::read_dir(above.join(folder))?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = folder.join(entry.file_name());
        let kind = entry.file_type()?;
        if is_left_out(&path) {
            continue;
        }
        if kind.is_dir() {
            append_tree(archive, above, &path, is_left_out)?;
        } else if kind.is_file() || kind.is_symlink() {
            archive.append_path_with_name(entry.path(), &path)?;
        }
    }
    Ok(())
}

/// Computes the digest of what is written.
pub struct Hashing<W> {
    into: W,
    digest: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.into.write(bytes)?;
        self.digest.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

/// Unpacks an archive of this name and digest, which is in `folder`, into a new folder `target`. It is there as a whole
/// or not at all; `finish` is called on it before it gets its name. Does nothing if there is one already.
///
/// # Errors
/// When the archive is not the planned one, or a file cannot be read or written.
pub fn unpack(
    (name, sha256): (&str, &str),
    folder: &Path,
    target: &Path,
    finish: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), ArchiveError> {
    if target.exists() {
        return Ok(());
    }
    let path = folder.join(plain_name(name)?);
    if outside::sha256(&path, LARGEST_ARCHIVE_BYTES).map_err(failed(&path))? != sha256 {
        return Err(ArchiveError::Digest(path));
    }
    let above = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(above).map_err(failed(above))?;
    let staging = tempfile::Builder::new()
        .prefix(STAGING_PREFIX)
        .tempdir_in(above)
        .map_err(failed(above))?;
    let source = outside::open(&path).map_err(failed(&path))?;
    let mut archive = tar::Archive::new(GzDecoder::new(BufReader::new(source)));
    archive.unpack(staging.path()).map_err(failed(&path))?;
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(staging.path(), readable)
        .and_then(|()| finish(staging.path()))
        .map_err(failed(target))?;
    match fs::rename(staging.path(), target) {
        // Another task was faster.
        Err(_) if target.exists() => Ok(()),
        renamed => renamed
            .and_then(|()| File::open(above)?.sync_all())
            .map_err(failed(target)),
    }
}

/// Checks that a name from a plan is that of an entry of a folder.
///
/// # Errors
/// When it leads elsewhere.
pub fn plain_name(name: &str) -> Result<&str, ArchiveError> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(_)), None) => Ok(name),
        _ => Err(ArchiveError::Name(name.to_owned())),
    }
}
