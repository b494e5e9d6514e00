//! Digests of the contents of folders.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Most files and bytes that are read: far more than a Python package has, and read in about a second.
const MAX_FILES: usize = 20_000;
const MAX_BYTES: u64 = 256 << 20;

/// SHA-256, hexadecimal, of the names and contents of all files below a folder, sorted by name. Names that begin with a
/// `.` and Python's caches in `__pycache__` are left out, because they are not part of the code. `None` where there is
/// too much to read.
///
/// # Errors
/// When something cannot be read.
pub fn sha256_of_tree(folder: &Path) -> io::Result<Option<String>> {
    match files_of_tree(folder)? {
        Some(files) => sha256_of_files(folder, &files),
        None => Ok(None),
    }
}

/// All files below a folder except caches and hidden ones, sorted by name. `None` where there are too many.
///
/// # Errors
/// When something cannot be read.
pub fn files_of_tree(folder: &Path) -> io::Result<Option<Vec<PathBuf>>> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    Ok((files.len() <= MAX_FILES).then_some(files))
}

/// SHA-256, hexadecimal, of the names below the folder and the contents of these files. `None` for too many bytes.
///
/// # Errors
/// When something cannot be read.
pub fn sha256_of_files(folder: &Path, files: &[PathBuf]) -> io::Result<Option<String>> {
    let mut digest = Sha256::new();
    let mut bytes = 0_u64;
    for file in files {
        bytes = bytes.saturating_add(fs::symlink_metadata(file)?.len());
        if bytes > MAX_BYTES {
            return Ok(None);
        }
        let contents = match fs::read_link(file) {
            Ok(target) => target.as_os_str().as_bytes().to_vec(),
            Err(_) => fs::read(file)?,
        };
        let name = file.strip_prefix(folder).unwrap_or(file);
        digest.update(name.as_os_str().as_bytes());
        // A name has no zero byte, and the length shows where the contents end.
        digest.update([0]);
        digest.update((contents.len() as u64).to_le_bytes());
        digest.update(&contents);
    }
    Ok(Some(hex::encode(digest.finalize())))
}

/// Collects files recursively, and stops soon after there are too many.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.as_bytes().starts_with(b".") || name == "__pycache__" {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), files)?;
        } else if kind.is_file() || kind.is_symlink() {
            files.push(entry.path());
        }
        if files.len() > MAX_FILES {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::file_tree::file_tree;

    fn digest(files: &[(&str, &str)]) -> String {
        sha256_of_tree(file_tree(files).path()).unwrap().unwrap()
    }

    #[test]
    fn names_and_contents_count_and_caches_do_not() {
        let first = digest(&[("p/a.py", "1"), ("p/b.py", "2")]);
        assert_eq!(first, digest(&[("p/b.py", "2"), ("p/a.py", "1")]));
        let cached = [
            ("p/a.py", "1"),
            ("p/b.py", "2"),
            ("p/__pycache__/a.pyc", "x"),
            (".git/HEAD", "y"),
        ];
        assert_eq!(first, digest(&cached));
        assert_ne!(first, digest(&[("p/a.py", "2"), ("p/b.py", "1")]));
        assert_ne!(first, digest(&[("q/a.py", "1"), ("p/b.py", "2")]));
        assert_ne!(digest(&[("a", "bc")]), digest(&[("ab", "c")]));
    }

    #[test]
    fn a_loop_of_links_is_not_followed() {
        let folder = file_tree(&[("a.py", "1")]);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
        assert!(sha256_of_tree(folder.path()).unwrap().is_some());
    }
}
