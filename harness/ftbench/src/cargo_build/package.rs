//! The sources of a Cargo package, their digest, and the contents of its manifest. All but [`files_of`] is pure.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::outside;

/// The maximum size of the sources of an extension, in bytes: a folder with more holds something else.
const MAX_BYTES: u64 = 16 << 20;

/// The maximum number of source files.
const MAX_FILES: usize = 10_000;

/// Folders that hold no sources.
const NO_SOURCES: [&str; 3] = ["target", ".git", ".cargo"];

/// The contents of files by path within the package.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The parts of a package's `Cargo.toml` that matter for a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The package's name.
    pub name: String,
    /// The names by which Python imports the modules of its library.
    pub modules: Vec<String>,
}

#[derive(Deserialize)]
struct Toml {
    package: PackageTable,
    lib: Option<LibTable>,
}

#[derive(Deserialize)]
struct PackageTable {
    name: String,
    #[serde(default)]
    metadata: MetadataTable,
}

#[derive(Deserialize)]
struct LibTable {
    name: Option<String>,
}

#[derive(Deserialize, Default)]
struct MetadataTable {
    #[serde(default)]
    ftbench: FtbenchTable,
}

#[derive(Deserialize, Default)]
struct FtbenchTable {
    #[serde(default)]
    modules: Vec<String>,
}

/// Parses `Cargo.toml`. A package that names no modules has one, with the name of its library.
///
/// # Errors
/// One line on what is wrong with it.
pub fn manifest(text: &str) -> Result<Manifest, String> {
    let toml: Toml = toml::from_str(text).map_err(|error| {
        let message = error.message();
        message.split_whitespace().collect::<Vec<_>>().join(" ")
    })?;
    let name = toml.package.name;
    let library = toml.lib.and_then(|lib| lib.name);
    let mut modules = toml.package.metadata.ftbench.modules;
    if modules.is_empty() {
        modules.push(library.unwrap_or_else(|| name.replace('-', "_")));
    }
    match modules.iter().find(|module| !is_identifier(module)) {
        Some(module) => Err(format!("its module '{module}' cannot be imported by that name")),
        None => Ok(Manifest { name, modules }),
    }
}

/// Whether a word is fit for a module's name, which becomes the name of a file.
fn is_identifier(word: &str) -> bool {
    !word.is_empty()
        && !word.starts_with(|first: char| first.is_ascii_digit())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The version of PyO3 that `Cargo.lock` pins; `None` if it names none.
#[must_use]
pub fn pyo3_version(lock: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Locked>,
    }
    #[derive(Deserialize)]
    struct Locked {
        name: String,
        version: String,
    }
    let lock: Lock = toml::from_str(lock).ok()?;
    let pyo3 = lock.package.into_iter().find(|package| package.name == "pyo3")?;
    Some(pyo3.version)
}

/// The SHA-256 of names and contents, and of everything else that distinguishes a build, in hexadecimal.
#[must_use]
pub fn digest(files: &Files, others: &[&str]) -> String {
    let mut hasher = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    for (path, contents) in files {
        add(path.as_os_str().as_encoded_bytes());
        add(contents);
    }
    for word in others {
        add(word.as_bytes());
    }
    hex::encode(hasher.finalize())
}

/// Reads the sources of the package in a folder.
///
/// # Errors
/// If a file cannot be read, or the folder holds far more than sources.
pub fn files_of(folder: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    let mut folders = vec![folder.to_owned()];
    let mut bytes = 0;
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                if !NO_SOURCES.iter().any(|name| entry.file_name() == *name) {
                    folders.push(path);
                }
                continue;
            }
            // The target of a link to a folder is not below this folder, or leads back to it.
            if path.is_dir() {
                return Err(io::Error::other(format!(
                    "{} is a link to a folder; put the folder itself there",
                    path.display()
                )));
            }
            let contents = outside::read(&path, MAX_BYTES)?;
            bytes += contents.len() as u64;
            if bytes > MAX_BYTES || files.len() >= MAX_FILES {
                return Err(io::Error::other(format!(
                    "it holds more than {MAX_FILES} files or {} MiB, too much for source code",
                    MAX_BYTES >> 20
                )));
            }
            let name = path.strip_prefix(folder).unwrap_or(&path).to_owned();
            files.insert(name, contents);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::file_tree::file_tree;

    #[test]
    fn a_package_names_its_modules_or_has_one() {
        let named = "[package]\nname = \"a-b\"\n[package.metadata.ftbench]\nmodules = [\"x\", \"y\"]\n";
        assert_eq!(manifest(named).unwrap().modules, ["x", "y"]);
        assert_eq!(manifest("[package]\nname = \"a-b\"\n").unwrap().modules, ["a_b"]);
        let library = "[package]\nname = \"a-b\"\n[lib]\nname = \"c\"\n";
        assert_eq!(manifest(library).unwrap().modules, ["c"]);
        let outside = "[package]\nname = \"a\"\n[package.metadata.ftbench]\nmodules = [\"../x\"]\n";
        assert!(manifest(outside).unwrap_err().contains("'../x'"));
        assert!(manifest("[workspace]\n").unwrap_err().contains("package"));
    }

    #[test]
    fn links_to_folders_and_large_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("src");
        std::fs::create_dir(&source).unwrap();
        std::fs::write(source.join("lib.rs"), "x").unwrap();
        let files = files_of(folder.path()).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), [Path::new("src/lib.rs")]);
        std::os::unix::fs::symlink("..", source.join("around")).unwrap();
        let linked = files_of(folder.path()).unwrap_err().to_string();
        assert!(linked.contains("around is a link to a folder"), "{linked}");
        std::fs::remove_file(source.join("around")).unwrap();
        let large = std::fs::File::create(source.join("large")).unwrap();
        large.set_len(MAX_BYTES + 1).unwrap();
        assert!(files_of(folder.path()).is_err());
    }

    #[test]
    fn the_version_of_pyo3_is_read_from_the_lock() {
        let lock = "version = 4\n[[package]]\nname = \"pyo3-ffi\"\nversion = \"1.0.0\"\n\
                    [[package]]\nname = \"pyo3\"\nversion = \"0.28.3\"\n";
        assert_eq!(pyo3_version(lock).as_deref(), Some("0.28.3"));
        assert_eq!(pyo3_version("version = 4\n"), None);
    }

    #[test]
    fn a_digest_distinguishes_names_contents_and_interpreters() {
        let files =
            |name: &str, contents: &str| Files::from([(PathBuf::from(name), contents.as_bytes().to_vec())]);
        let all = [
            digest(&files("a", "b"), &["c"]),
            digest(&files("a", "bc"), &[]),
            digest(&files("ab", ""), &["c"]),
            digest(&files("a", "b"), &["d"]),
        ];
        for (place, one) in all.iter().enumerate() {
            assert_eq!(one.len(), 64);
            assert!(!all.iter().skip(place + 1).any(|other| other == one));
        }
    }

    #[test]
    fn the_target_folder_does_not_count_as_source() {
        let folder = file_tree(&[
            ("src/lib.rs", "x"),
            ("target/release/x", "x"),
            ("Cargo.toml", "x"),
        ]);
        let files = files_of(folder.path()).unwrap();
        let names: Vec<String> = files.keys().map(|path| path.display().to_string()).collect();
        assert_eq!(names, ["Cargo.toml", "src/lib.rs"]);
    }
}
