//! Trees of files for tests.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder with these files, by path inside it and contents; gone with what is returned.
pub(crate) fn file_tree(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, contents) in files {
        write_in(root.path(), name, contents);
    }
    root
}

/// Writes a file somewhere in a folder and returns its path; folders on the way to it are made.
pub(crate) fn write_in(root: &Path, name: &str, contents: &str) -> PathBuf {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, contents).unwrap();
    path
}
