//! Interpreters as archives, for machines that share no file system with the one that planned.
//!
//! An archive has what a build needs to run: its executable, its standard library with the compiled modules, and its
//! shared library if it has one. It is unpacked once into a cache folder that is named after its digest. That the build
//! is the planned one is checked afterwards as for any interpreter, by the digest of the file that contains it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::archive::{self, ArchiveError, Packing, append_tree, failed, plain_name};
use ftbench_schema::{BuildArchive, InterpreterFacts, Version};

/// Writes the archive of an interpreter into a folder.
///
/// # Errors
/// When the build has no folder of its own, or a file cannot be read or written.
pub fn write(interpreter: &InterpreterFacts, folder: &Path) -> Result<BuildArchive, ArchiveError> {
    let executable = Path::new(&interpreter.path);
    let installed = Installation::of(interpreter, executable)?;
    let tag = interpreter.tag.split('+').next().unwrap_or_default();
    let (file, sha256) = archive::write(folder, tag, |archive| installed.pack(executable, archive))?;
    Ok(BuildArchive {
        path: interpreter.path.clone(),
        file,
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

    fn pack(&self, executable: &Path, archive: &mut Packing<'_>) -> io::Result<()> {
        archive.append_path_with_name(executable, &self.executable)?;
        for library in &self.libraries {
            archive.append_path_with_name(self.prefix.join(library), library)?;
        }
        // CPython's own tests, and what only embedding needs.
        let is_left_out = |path: &Path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            path.parent() == Some(&self.modules) && (name == "test" || name.starts_with("config-"))
        };
        append_tree(archive, &self.prefix, &self.modules, &is_left_out)
    }
}

/// Unpacks an archive, which is in a folder, below the cache folder, unless that was done before. Returns the
/// executable.
///
/// # Errors
/// When the archive is not the planned one, or a file cannot be read or written.
pub fn unpack(archive: &BuildArchive, folder: &Path, cache: &Path) -> Result<PathBuf, ArchiveError> {
    let executable = Path::new(&archive.executable);
    if !executable
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return Err(ArchiveError::Name(archive.executable.clone()));
    }
    let target = cache.join("builds").join(plain_name(&archive.sha256)?);
    archive::unpack((&archive.file, &archive.sha256), folder, &target, |_| Ok(()))?;
    Ok(target.join(executable))
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
