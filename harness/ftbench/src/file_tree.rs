//! Temporary trees of files for tests.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Creates a temporary folder with these files, each given as a path inside the folder and its contents. The folder is
/// removed when the returned value is dropped.
pub(crate) fn file_tree(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, contents) in files {
        write_in(root.path(), name, contents);
    }
    root
}

/// Writes a file in a folder, creating the folders above it, and returns its path.
pub(crate) fn write_in(root: &Path, name: &str, contents: &str) -> PathBuf {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, contents).unwrap();
    path
}
