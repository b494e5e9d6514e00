//! Interpreters as archives, for machines that share no file system with the one that planned.
//!
//! An archive has what a build needs to run: its executable, its standard library with the compiled modules, and its
//! shared library if it has one. It is unpacked once into a cache folder that is named after its digest. That the build
//! is the planned one is checked afterwards as for any interpreter, by the digest of the file that contains it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::error::{ExitStatus, Failure};
use crate::outside;
use ftbench_schema::{BuildArchive, InterpreterFacts, Version};

/// Largest archive that is read, bytes: many times that of any build.
const LARGEST_ARCHIVE_BYTES: u64 = 4 << 30;

/// Prefix of the names of unfinished files and folders.
const STAGING_PREFIX: &str = ".ftbench-";

/// Why an interpreter is not archived or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// An installation that is not a folder of its own.
    #[error(
        "cannot archive {tag}: there is no {missing} for {path}; use a build with a folder of its own, as 'ftbench \
         python install' makes them"
    )]
    Layout {
        /// Its tag.
        tag: String,
        /// The executable.
        path: String,
        /// The file that every installation has.
        missing: String,
    },
    /// A file cannot be read or written.
    #[error("cannot archive or unpack an interpreter: {}: {source}; make room, or give the builds with -p", path.display())]
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
    #[error("the plan is damaged: '{0}' is not the name of an archive; plan the fleet again")]
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

fn failed(path: &Path) -> impl FnOnce(io::Error) -> ArchiveError {
    let path = path.to_owned();
    move |source| ArchiveError::File { path, source }
}

/// Writes the archive of an interpreter into a folder.
///
/// # Errors
/// When the build has no folder of its own, or a file cannot be read or written.
pub fn write(interpreter: &InterpreterFacts, folder: &Path) -> Result<BuildArchive, ArchiveError> {
    let executable = Path::new(&interpreter.path);
    let installed = Installation::of(interpreter, executable)?;
    let file = tempfile::Builder::new()
        .prefix(STAGING_PREFIX)
        .tempfile_in(folder)
        .map_err(failed(folder))?;
    let mut digest = Hashing {
        into: BufWriter::new(file),
        digest: Sha256::new(),
    };
    installed
        .pack(executable, &mut digest)
        .map_err(failed(&installed.prefix))?;
    let sha256 = hex::encode(digest.digest.finalize());
    let tag = interpreter.tag.split('+').next().unwrap_or_default();
    let file_name = format!("{tag}-{}.tar.gz", ftbench_schema::text::short_hash(&sha256));
    let path = folder.join(&file_name);
    let file = digest
        .into
        .into_inner()
        .map_err(|error| failed(&path)(error.into_error()))?;
    file.as_file().sync_all().map_err(failed(&path))?;
    // Only its owner can read a temporary file.
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(readable).map_err(failed(&path))?;
    file.persist(&path).map_err(|error| failed(&path)(error.error))?;
    Ok(BuildArchive {
        path: interpreter.path.clone(),
        file: file_name,
        sha256,
        executable: installed.executable.to_string_lossy().into_owned(),
    })
}

/// The parts of an installation, relative to its prefix.
struct Installation {
    prefix: PathBuf,
    executable: PathBuf,
    /// The standard library.
    modules: PathBuf,
    /// Shared libraries of the interpreter, and links to them.
    libraries: Vec<PathBuf>,
}

impl Installation {
    fn of(interpreter: &InterpreterFacts, executable: &Path) -> Result<Self, ArchiveError> {
        let layout = |missing: String| ArchiveError::Layout {
            tag: interpreter.tag.clone(),
            path: interpreter.path.clone(),
            missing,
        };
        let folder = executable
            .parent()
            .filter(|folder| folder.file_name() == Some(OsStr::new("bin")));
        let prefix = folder
            .and_then(Path::parent)
            .ok_or_else(|| layout("bin folder".to_owned()))?;
        let name = executable.file_name().unwrap_or_default();
        let version: Option<Version> = interpreter.version.parse().ok();
        let version = version.map_or_else(String::new, |version| {
            format!("{}.{}", version.major, version.minor)
        });
        let threads = if interpreter.free_threaded { "t" } else { "" };
        let modules = PathBuf::from(format!("lib/python{version}{threads}"));
        if !prefix.join(&modules).join("os.py").is_file() {
            return Err(layout(format!("{}/os.py", modules.display())));
        }
        let lib = prefix.join("lib");
        let entries = fs::read_dir(&lib).map_err(failed(&lib))?.flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut libraries: Vec<PathBuf> = names
            .filter(|name| name.starts_with("libpython") && name.contains(".so"))
            .map(|name| Path::new("lib").join(name))
            .collect();
        libraries.sort();
        Ok(Self {
            prefix: prefix.to_owned(),
            executable: Path::new("bin").join(name),
            modules,
            libraries,
        })
    }

    fn pack(&self, executable: &Path, into: &mut impl Write) -> io::Result<()> {
        let mut archive = tar::Builder::new(GzEncoder::new(into, Compression::fast()));
        archive.follow_symlinks(false);
        archive.append_path_with_name(executable, &self.executable)?;
        for library in &self.libraries {
            archive.append_path_with_name(self.prefix.join(library), library)?;
        }
        append(&mut archive, &self.prefix, &self.modules)?;
        archive.into_inner()?.finish()?.flush()
    }
}

/// Appends a folder, sorted by name, without CPython's own tests and what only embedding needs.
fn append<W: Write>(archive: &mut tar::Builder<W>, prefix: &Path, folder: &Path) -> io::Result<()> {
    archive.append_dir(folder, prefix.join(folder))?;
    let mut entries: Vec<fs::DirEntry> = fs::read_dir(prefix.join(folder))?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let is_top = folder.components().count() == 2;
    for entry in entries {
        let name = entry.file_name();
        let is_left_out = name == "test" || name.to_string_lossy().starts_with("config-");
        let path = folder.join(&name);
        let kind = entry.file_type()?;
        if is_top && is_left_out {
            continue;
        }
        if kind.is_dir() {
            append(archive, prefix, &path)?;
        } else if kind.is_file() || kind.is_symlink() {
            archive.append_path_with_name(entry.path(), &path)?;
        }
    }
    Ok(())
}

/// Computes the digest of what is written.
struct Hashing<W> {
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

/// Unpacks an archive, which is in a folder, below the cache folder, unless that was done before. Returns the
/// executable.
///
/// # Errors
/// When the archive is not the planned one, or a file cannot be read or written.
pub fn unpack(archive: &BuildArchive, folder: &Path, cache: &Path) -> Result<PathBuf, ArchiveError> {
    let file = plain_name(&archive.file)?;
    let executable = Path::new(&archive.executable);
    if !executable
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return Err(ArchiveError::Name(archive.executable.clone()));
    }
    let builds = cache.join("builds");
    let target = builds.join(plain_name(&archive.sha256)?);
    if target.join(executable).is_file() {
        return Ok(target.join(executable));
    }
    let path = folder.join(file);
    if outside::sha256(&path, LARGEST_ARCHIVE_BYTES).map_err(failed(&path))? != archive.sha256 {
        return Err(ArchiveError::Digest(path));
    }
    fs::create_dir_all(&builds).map_err(failed(&builds))?;
    let staging = tempfile::Builder::new()
        .prefix(STAGING_PREFIX)
        .tempdir_in(&builds)
        .map_err(failed(&builds))?;
    let source = outside::open(&path).map_err(failed(&path))?;
    let mut unpacked = tar::Archive::new(GzDecoder::new(io::BufReader::new(source)));
    unpacked.unpack(staging.path()).map_err(failed(&path))?;
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(staging.path(), readable).map_err(failed(staging.path()))?;
    match fs::rename(staging.path(), &target) {
        // Another task was faster.
        Err(_) if target.join(executable).is_file() => {}
        renamed => renamed.map_err(failed(&target))?,
    }
    File::open(&builds)
        .and_then(|folder| folder.sync_all())
        .map_err(failed(&builds))?;
    Ok(target.join(executable))
}

fn plain_name(name: &str) -> Result<&str, ArchiveError> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(_)), None) => Ok(name),
        _ => Err(ArchiveError::Name(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    /// An installation without any program in it.
    fn installation(folder: &Path) -> InterpreterFacts {
        for (name, contents) in [
            ("bin/python3.13t", "an executable"),
            ("lib/libpython3.13t.so.1.0", "a library"),
            ("lib/python3.13t/os.py", "import sys"),
            ("lib/python3.13t/__pycache__/os.cpython-313t.pyc", "compiled"),
            ("lib/python3.13t/test/test_os.py", "left out"),
            ("lib/python3.13t/json/test/kept.py", "kept"),
            (
                "lib/python3.13t/config-313t-x86_64-linux-gnu/libpython3.13t.a",
                "left out",
            ),
            ("share/man/python.1", "left out"),
        ] {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }
        let executable = folder.join("bin/python3.13t");
        fs::set_permissions(&executable, PermissionsExt::from_mode(0o755)).unwrap();
        symlink("libpython3.13t.so.1.0", folder.join("lib/libpython3.13t.so")).unwrap();
        InterpreterFacts {
            tag: "3.13t+gil".to_owned(),
            path: executable.display().to_string(),
            ..ftbench_fixtures::interpreters::facts("3.13.15t")
        }
    }

    #[test]
    fn what_a_build_needs_is_archived_and_unpacked_once() {
        let folder = tempfile::tempdir().unwrap();
        let interpreter = installation(&folder.path().join("build"));
        let [plans, cache] = ["plans", "cache"].map(|name| folder.path().join(name));
        fs::create_dir(&plans).unwrap();
        let archive = write(&interpreter, &plans).unwrap();
        assert!(archive.file.starts_with("3.13t-"), "{}", archive.file);
        let executable = unpack(&archive, &plans, &cache).unwrap();
        assert_eq!(fs::read(&executable).unwrap(), b"an executable");
        assert_eq!(executable.metadata().unwrap().mode() & 0o777, 0o755);
        let prefix = executable.parent().unwrap().parent().unwrap();
        for name in ["lib/python3.13t/json/test/kept.py", "lib/libpython3.13t.so"] {
            assert!(prefix.join(name).is_file(), "{name}");
        }
        for name in [
            "lib/python3.13t/test",
            "lib/python3.13t/config-313t-x86_64-linux-gnu",
            "share",
        ] {
            assert!(!prefix.join(name).exists(), "{name}");
        }
        // The times of compiled modules' sources have to stay.
        let changed = |prefix: &Path| prefix.join("lib/python3.13t/os.py").metadata().unwrap().mtime();
        assert_eq!(changed(prefix), changed(&folder.path().join("build")));
        fs::remove_dir_all(&plans).unwrap();
        assert_eq!(
            unpack(&archive, &plans, &cache).unwrap(),
            executable,
            "from the cache"
        );
    }

    #[test]
    fn other_archives_and_names_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let interpreter = installation(&folder.path().join("build"));
        let cache = folder.path().join("cache");
        let archive = write(&interpreter, folder.path()).unwrap();
        let mut bytes = fs::read(folder.path().join(&archive.file)).unwrap();
        bytes[20] ^= 1;
        fs::write(folder.path().join(&archive.file), bytes).unwrap();
        let error = unpack(&archive, folder.path(), &cache).unwrap_err();
        assert!(matches!(error, ArchiveError::Digest(_)), "{error}");
        for (file, executable, sha256) in [
            ("../x", "bin/python", "aa"),
            ("x", "../../bin/sh", "aa"),
            ("x", "/bin/sh", "aa"),
            ("x", "bin/python", "../aa"),
        ] {
            let hostile = BuildArchive {
                file: file.to_owned(),
                executable: executable.to_owned(),
                sha256: sha256.to_owned(),
                ..archive.clone()
            };
            let error = unpack(&hostile, folder.path(), &cache).unwrap_err();
            assert!(matches!(error, ArchiveError::Name(_)), "{error}");
        }
        assert!(!cache.join("builds").exists());
    }

    #[test]
    fn installation_without_a_folder_of_its_own_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let interpreter = installation(&folder.path().join("build"));
        fs::remove_file(folder.path().join("build/lib/python3.13t/os.py")).unwrap();
        let error = write(&interpreter, folder.path()).unwrap_err().to_string();
        assert!(error.contains("there is no lib/python3.13t/os.py"), "{error}");
    }
}
